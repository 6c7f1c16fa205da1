"""What the oracle is comes before what a stage has seen."""

import numpy as np
import pytest
from victims import forest

import mstheft as mt
from mstheft import nn
from mstheft.defend import parse
from mstheft.direct.answers.diagnosis import blame, measure_noise, steps_somewhere
from mstheft.errors import ExtractionError
from mstheft.learning import exact, sketched
from mstheft.oracle import Oracle

ATTACKS = {
    "linear": mt.direct.linear.extract,
    "relu": mt.direct.relu.extract,
    "sweep": mt.direct.sweep.extract,
    "deep": mt.direct.deep.extract,
    "smooth": lambda oracle, rng: mt.direct.smooth.extract(oracle, rng=rng, activation="tanh"),
    "learned to exact": lambda oracle, rng: exact.extract(oracle, rows=200, hidden=2, rng=rng),
    "sketched": lambda oracle, rng: sketched.extract(oracle, hidden=8, rng=rng),
    "steal": mt.steal,
}
SEARCHING = ("relu", "deep")  # they search thousands of steps for kinks
LEARNED = ("learned to exact", "sketched")  # they learn for seconds before they look again


def with_dropout(share, seed=0, hidden=5):
    """Two thirds of the neurons or so answer, other ones each time."""
    (A0, b0), (A1, b1) = nn.zoo.mlp([10, hidden, 3], bias=0.1, rng=5).dense()
    rng = np.random.default_rng(seed)

    def logits(x):
        hidden = np.maximum(x @ A0.T + b0, 0)
        return hidden * (rng.random(hidden.shape) > share) @ A1.T + b1

    return logits


@pytest.mark.parametrize(
    ("attack", "share"),
    [pytest.param(each, 0.5, marks=[pytest.mark.slow] * (each in LEARNED)) for each in ATTACKS]
    + [("sweep", 0.1), ("steal", 0.1)],
)
def test_every_attack_names_a_stochastic_victim(attack, share):
    oracle = Oracle(with_dropout(share), inputs=10, budget=20_000)
    with pytest.raises(ExtractionError, match="the victim is stochastic") as caught:
        ATTACKS[attack](oracle, rng=0)
    assert "dropout" in caught.value.advice
    assert caught.value.partial.total == oracle.count
    assert not any("stepwise" in note for note in caught.value.partial.notes.values())


@pytest.mark.parametrize("attack", ["relu", "sweep", "smooth", "deep", "sketched", "steal"])
def test_loud_chance_is_named_after_two_rows(attack):
    oracle = Oracle(with_dropout(0.5, hidden=30), inputs=10)
    with pytest.raises(ExtractionError, match="the victim is stochastic") as caught:
        ATTACKS[attack](oracle, rng=1)
    assert caught.value.stage == "answers"
    assert "dropout" in caught.value.advice
    assert oracle.count == 2
    assert caught.value.partial.total == oracle.count
    assert not any("steps" in note for note in caught.value.partial.notes.values())


@pytest.mark.parametrize("attack", ["linear", "relu", "sweep", "sketched", "steal"])
def test_an_attack_that_goes_on_under_chance_says_so(attack):
    shape = [10, 3] if attack == "linear" else [20, 8, 3]
    network, rng = nn.zoo.mlp(shape, bias=0.1, rng=0), np.random.default_rng(3)
    noisy = lambda x: network.logits(x) + 1e-3 * rng.normal(size=(len(x), 3))  # noqa: E731
    oracle = Oracle(noisy, inputs=shape[0])
    result = ATTACKS[attack](oracle, rng=3)
    assert result.verified
    assert "the victim is stochastic: two answers to one row differ by" in result.notes["noise"]
    assert result.queries["noise"] == 0
    assert result.total == oracle.count


def test_what_is_spared_by_chance_at_first_is_asked_again():
    """The first two answers agree, but what is near them does not lie on any smooth piece."""
    network, rng = nn.zoo.mlp([10, 5, 3], bias=0.1, rng=5), np.random.default_rng(0)

    def late(x):
        noise = rng.normal(size=(len(x), 3)) * (oracle.count > 0)
        return network.logits(x) + noise

    oracle = Oracle(late, inputs=10)
    with pytest.raises(ExtractionError, match="the victim is stochastic"):
        mt.direct.sweep.extract(oracle, rng=0)
    assert oracle.count <= 9 + 14


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


@pytest.mark.parametrize(
    "attack",
    ["linear", "sweep", "smooth", *(pytest.param(n, marks=pytest.mark.slow) for n in SEARCHING)],
)
def test_every_attack_names_steps_as_those_of_trees(attack):
    oracle = Oracle(forest, inputs=6, budget=60_000)
    with pytest.raises(ExtractionError, match="in steps, as those of trees") as caught:
        ATTACKS[attack](oracle, rng=0)
    assert "learning.active" in caught.value.advice
    assert caught.value.partial.total == oracle.count
    assert caught.value.partial.queries["diagnosis"] < 100


@pytest.mark.parametrize("defence", ["top:2", "round:2", "round:1"])
def test_steps_of_a_defence_are_none_of_trees(defence):
    victim = nn.zoo.mlp([10, 8, 5], bias=0.3, rng=1)
    oracle = Oracle(victim, "probs", defences=parse.named(defence, inputs=10, classes=5, rng=0))
    x = np.random.default_rng(0).normal(size=(16, 10))
    assert not steps_somewhere(oracle, x, oracle.query(x))


def test_few_decimals_of_probabilities_are_to_blame_and_not_the_depth():
    oracle = Oracle(nn.zoo.mlp([20, 8, 3], bias=0.1, rng=0), "probs", decimals=2)
    with pytest.raises(ExtractionError, match="2 decimals of probabilities hide logits") as caught:
        mt.direct.sweep.extract(oracle, rng=0)
    assert "direct.deep" not in str(caught.value)


@pytest.mark.slow
def test_a_spent_budget_leaves_the_error_as_it_was():
    network = nn.zoo.mlp([6, 4, 2], activation="tanh", bias=0.1, rng=0)
    free = Oracle(network)
    with pytest.raises(ExtractionError) as caught:
        mt.direct.relu.extract(free, rng=0)
    spared = caught.value.partial.queries["diagnosis"]
    tight = Oracle(network, budget=free.count - spared)
    with pytest.raises(ExtractionError) as again:
        mt.direct.relu.extract(tight, rng=0)
    assert str(again.value) == str(caught.value)
    assert again.value.partial.total == tight.count == free.count - spared


def test_a_victim_that_is_none_of_these_keeps_its_error():
    x = np.repeat(np.random.default_rng(0).normal(size=(16, 3)), 2, axis=0)
    assert blame(x, "logits", None) == ("", "")
    assert blame(np.round(x, 2), "logits", None) == ("", "")
    p = nn.functions.softmax(x)
    assert blame(p, "probs", None) == ("", "")
    assert blame(p.astype(np.float32), "probs", None) == ("", "")
    assert "1 decimal of" in blame(p, "probs", 1)[1]
    assert "3 decimals of" in blame(np.round(p, 3), "probs", None)[1]


def test_equations_that_cannot_be_solved_are_an_error_of_the_attack(monkeypatch):
    def svd(*_, **__):
        raise np.linalg.LinAlgError("SVD did not converge")

    monkeypatch.setattr("mstheft.direct.sweep.stages.solve_signs", svd)
    oracle = Oracle(nn.zoo.mlp([10, 5, 3], bias=0.1, rng=0))
    with pytest.raises(ExtractionError, match="equations that can be solved") as caught:
        mt.direct.sweep.extract(oracle, rng=0)
    assert caught.value.stage == caught.value.partial.stopped
    assert caught.value.partial.total == oracle.count


# ---- the noise, measured


def test_the_noise_of_a_stochastic_victim_is_measured():
    rng = np.random.default_rng(0)
    network = nn.zoo.mlp([10, 5, 200], rng=0)
    noisy = Oracle(
        lambda x: network.logits(x) + 0.01 * rng.normal(size=(len(x), 200)),
        gives="logits",
        inputs=10,
    )
    noise = measure_noise(noisy, rng=1)
    assert (noise.kind, noisy.count) == ("stochastic", 16)
    assert noise.jitter == pytest.approx(0.01, rel=0.2)


@pytest.mark.parametrize(("decimals", "kind", "count"), [(3, "decimals", 25), (None, "float64", 9)])
def test_a_row_in_tiny_displacements_tells_the_grid(decimals, kind, count):
    oracle = Oracle(nn.zoo.mlp([10, 5, 3], bias=0.1, rng=0), decimals=decimals)
    noise = measure_noise(oracle, rng=1)
    assert (noise.kind, noise.decimals, oracle.count) == (kind, decimals, count)
    assert noise.jitter < 1e-14


def test_arithmetic_of_float32_is_seen_from_outside():
    """Within a factor of 5 of what it is: the rows are few, and the quieter place counts."""
    network = nn.zoo.mlp([100, 50, 10], bias=0.1, rng=0, dtype=np.float32)
    exact = nn.Network([layer for layer in network.copy().layers], 100, np.float64)
    x = np.random.default_rng(2).normal(size=(500, 100)).astype(np.float32)
    size = np.std(network.logits(x) - exact.logits(x))
    noise = measure_noise(Oracle(network), rng=1)
    assert noise.kind == "float32"
    assert size / 5 < np.sqrt(np.mean(noise.of(network.logits(x)) ** 2)) < 5 * size


def test_labels_have_no_noise_to_measure():
    with pytest.raises(ValueError, match="labels"):
        measure_noise(Oracle(nn.zoo.mlp([4, 3], rng=0), output="label"))


@pytest.mark.parametrize("scale", [1e-5, 1e-3])
def test_a_copy_of_noisy_answers_is_held_to_their_noise(scale):
    """The noise that polishing is told is that of one row, not the spread of several."""
    network, rng = nn.zoo.mlp([20, 8, 3], bias=0.1, rng=0), np.random.default_rng(1)
    noisy = lambda x: network.logits(x) + scale * rng.normal(size=(len(x), 3))  # noqa: E731
    result = mt.direct.sweep.extract(Oracle(noisy, inputs=20), rng=1)
    polished = result.trace.polishing.polished
    assert polished.noise == pytest.approx(scale, rel=0.5)
    assert 0.5 < polished.ratio < 2
    x = rng.normal(size=(2000, 20))
    off = np.sqrt(np.mean((network.logits(x) - result.model.logits(x)) ** 2))
    assert 0.3 < off / polished.bound < 3
