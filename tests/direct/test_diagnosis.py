"""What the oracle is comes before what a stage has seen."""

import numpy as np
import pytest

import mstheft as mt
from mstheft import nn
from mstheft.direct.diagnosis import blame
from mstheft.errors import ExtractionError
from mstheft.learning import exact
from mstheft.oracle import Oracle

ATTACKS = {
    "linear": mt.direct.linear.extract,
    "relu": mt.direct.relu.extract,
    "sweep": mt.direct.sweep.extract,
    "deep": mt.direct.deep.extract,
    "smooth": lambda oracle, rng: mt.direct.smooth.extract(oracle, rng=rng, activation="tanh"),
    "learned to exact": lambda oracle, rng: exact.extract(oracle, rows=200, hidden=2, rng=rng),
    "steal": mt.steal,
}


def with_dropout(share, seed=0):
    """Two thirds of the neurons or so answer, other ones each time."""
    (A0, b0), (A1, b1) = nn.zoo.mlp([10, 5, 3], bias=0.1, rng=5).dense()
    rng = np.random.default_rng(seed)

    def logits(x):
        hidden = np.maximum(x @ A0.T + b0, 0)
        return hidden * (rng.random(hidden.shape) > share) @ A1.T + b1

    return logits


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_every_attack_names_a_stochastic_victim(attack, share):
    oracle = Oracle(with_dropout(share), inputs=10, budget=20_000)
    with pytest.raises(ExtractionError, match="the victim is stochastic") as caught:
        ATTACKS[attack](oracle, rng=0)
    assert "dropout" in caught.value.advice
    assert caught.value.partial.total == oracle.count


def test_stochastic_labels_are_named():
    network, rng = nn.zoo.mlp([10, 1], bias=0.1, rng=0), np.random.default_rng(3)
    noisy = lambda x: (network.logits(x)[:, 0] + rng.normal(size=len(x)) > 0).astype(int)  # noqa: E731
    with pytest.raises(ExtractionError, match="the victim is stochastic"):
        mt.steal(Oracle(noisy, "label", gives="labels", inputs=10), rng=0)


@pytest.mark.parametrize("attack", ["linear", "relu", "sweep", "deep", "smooth", "steal"])
def test_every_attack_names_a_constant_victim(attack):
    oracle = Oracle(lambda x: np.full((len(x), 3), 0.5), inputs=10)
    with pytest.raises(ExtractionError, match="the answers never change"):
        ATTACKS[attack](oracle, rng=0)


def test_few_decimals_of_probabilities_are_to_blame_and_not_the_depth():
    oracle = Oracle(nn.zoo.mlp([20, 8, 3], bias=0.1, rng=0), "probs", decimals=4)
    with pytest.raises(ExtractionError, match="4 decimals of probabilities hide logits") as caught:
        mt.direct.sweep.extract(oracle, rng=0)
    assert "direct.deep" not in str(caught.value)


def test_a_spent_budget_leaves_the_error_as_it_was():
    network = nn.zoo.mlp([6, 4, 2], activation="tanh", bias=0.1, rng=0)
    free = Oracle(network)
    with pytest.raises(ExtractionError) as caught:
        mt.direct.relu.extract(free, rng=0)
    tight = Oracle(network, budget=free.count - 32)
    with pytest.raises(ExtractionError) as again:
        mt.direct.relu.extract(tight, rng=0)
    assert str(again.value) == str(caught.value)
    assert again.value.partial.total == tight.count == free.count - 32


def test_a_victim_that_is_none_of_these_keeps_its_error():
    x = np.repeat(np.random.default_rng(0).normal(size=(16, 3)), 2, axis=0)
    assert blame(x, "logits", None) == ("", "")
    assert blame(np.round(x, 2), "logits", None) == ("", "")
    p = nn.functions.softmax(x)
    assert blame(p, "probs", None) == ("", "")
    assert blame(p.astype(np.float32), "probs", None) == ("", "")
    assert "1 decimal of" in blame(p, "probs", 1)[1]
    assert "3 decimals of" in blame(np.round(p, 3), "probs", None)[1]
