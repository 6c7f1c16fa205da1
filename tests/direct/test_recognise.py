"""What a victim is, told from a few answers; and the attack that fits it."""

import numpy as np
import pytest

import mstheft as mt
from mstheft import nn
from mstheft.direct.recognise import recognise
from mstheft.errors import ExtractionError
from mstheft.oracle import Oracle


def forest(x):
    """Twenty stumps."""
    rng = np.random.default_rng(0)
    cuts, heights = rng.normal(size=(2, 20, x.shape[1])), rng.normal(size=(20, 2))
    return sum((x @ cuts[0, i] > cuts[1, i, 0])[:, None] * heights[i] for i in range(20))


def mlp(*shape, **how):
    return nn.zoo.mlp(list(shape), bias=0.1, rng=5, **how)


VICTIMS = {
    "linear": [mlp(9, 4), mlp(9, 1), mlp(9, 4, dtype=np.float32)],
    "relu": [mlp(12, 8, 3), mlp(30, 20, 1), mlp(12, 8, 3, dtype=np.float32), mlp(20, 8, 6, 4)],
    "smooth": [mlp(12, 6, 3, activation="tanh"), mlp(12, 6, 1, activation="softplus")],
    "stepwise": [forest],
}
CASES = [(kind, victim) for kind, victims in VICTIMS.items() for victim in victims]


def box(victim, **how):
    return Oracle(victim, **how, **({"inputs": 6} if callable(victim) else {}))


@pytest.mark.parametrize(("kind", "victim"), CASES)
@pytest.mark.parametrize("seed", range(4))
def test_every_kind_is_recognised_in_a_few_answers(kind, victim, seed):
    oracle = box(victim)
    assert recognise(oracle, rng=seed).kind == kind
    assert oracle.count < 150


@pytest.mark.parametrize("output", ["probs", "log_probs"])
def test_probabilities_show_the_same(output):
    assert recognise(box(mlp(12, 8, 3), output=output), rng=0).kind == "relu"
    assert recognise(box(mlp(9, 4), output=output), rng=0).kind == "linear"


def test_decimals_do_not_make_a_network_a_forest():
    assert recognise(box(mlp(12, 8, 3), decimals=4), rng=0).kind == "relu"


@pytest.mark.parametrize("victim", [mlp(9, 4), mlp(12, 8, 3), mlp(12, 6, 3, activation="tanh")])
def test_the_attack_that_fits_is_run(victim):
    oracle = Oracle(victim, budget=20_000)
    result = mt.steal(oracle, rng=1)
    assert result.verified
    assert result.total == oracle.count
    assert next(iter(result.queries)) == "recognise"
    x = np.random.default_rng(0).normal(size=(500, victim.inputs))
    assert result.model.logits(x) == pytest.approx(victim.logits(x), abs=1e-6)


def test_labels_are_for_the_boundary():
    victim = mlp(5, 1)
    result = mt.steal(Oracle(victim, "label", budget=20_000), rng=0)
    assert result.verified
    assert result.notes["recognise"].startswith("labels")


def test_two_hidden_layers_are_tried_after_one():
    victim = mlp(20, 8, 6, 4)
    oracle = Oracle(victim, budget=60_000)
    result = mt.steal(oracle, rng=1)
    assert result.verified
    assert len(result.model.dense()) == 3
    assert result.total == oracle.count


def test_a_forest_is_an_error_that_says_what_to_do():
    oracle = Oracle(forest, inputs=6)
    with pytest.raises(ExtractionError, match="in steps, as those of trees do") as caught:
        mt.steal(oracle, rng=0)
    assert caught.value.stage == "recognise"
    assert "learning.active" in caught.value.advice
    assert oracle.count < 150
    assert caught.value.partial.total == oracle.count


def test_unreadable_answers_are_an_error():
    steep = nn.zoo.given([(500 * w, b) for w, b in mlp(9, 3).dense()])
    with pytest.raises(ExtractionError, match="finite answers"):
        recognise(Oracle(steep, "probs", decimals=3), rng=0)


def test_the_victim_is_recognised_twice_alike():
    one, two = (mt.steal(Oracle(mlp(10, 6, 2)), rng=4) for _ in range(2))
    assert np.array_equal(one.model.dense()[0][0], two.model.dense()[0][0])
