"""Whatever it is: recognised, stolen by the attack that fits, or told why not."""

import numpy as np
import pytest
from victims import forest

import mstheft as mt
from mstheft import nn
from mstheft.direct.answers import clipping
from mstheft.direct.answers.reader import reader
from mstheft.direct.recognise import Recognised
from mstheft.errors import BudgetExhausted, ExtractionError, VictimError
from mstheft.experiments import precision
from mstheft.oracle import Oracle
from mstheft.result import Result


def mlp(*shape, **how):
    return nn.zoo.mlp(list(shape), bias=0.1, rng=5, **how)


@pytest.mark.parametrize("victim", [mlp(9, 4), mlp(12, 8, 3), mlp(12, 6, 3, activation="tanh")])
def test_the_attack_that_fits_is_run(victim):
    oracle = Oracle(victim, budget=20_000)
    result = mt.steal(oracle, rng=1)
    assert result.verified
    assert result.total == oracle.count
    assert next(iter(result.queries)) == "recognise"
    x = np.random.default_rng(0).normal(size=(500, victim.inputs))
    assert result.model.logits(x) == pytest.approx(victim.logits(x), abs=1e-6)


X = np.random.default_rng(0).normal(size=(100, 12))
EVERY = {
    "auto": lambda oracle: mt.steal(oracle, rng=0),
    "sketched": lambda oracle: mt.learning.sketched.extract(oracle, rng=0),
    "exact": lambda oracle: mt.learning.exact.extract(oracle, rng=0),
    "active": lambda oracle: mt.learning.active.extract(oracle, X, copy, budget=90, rng=0),
    "jacobian": lambda oracle: mt.learning.jacobian.extract(oracle, X[:9], copy, rng=0),
}


def copy():
    return mlp(12, 5, 3)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    ("output", "faulty"), [("logits", np.nan), ("logits", np.inf), ("probs", np.nan), ("probs", 2)]
)
def test_answers_that_are_none_are_the_victims_fault(name, output, faulty):
    """On a third of the space only; 2 in a row of probabilities makes it no distribution."""
    victim = mlp(12, 8, 3)

    def spoiled(x):
        answers = victim.logits(x) if output == "logits" else victim.probs(x)
        answers[x[:, 0] > 0.43, 0] = faulty
        return answers

    oracle = Oracle(spoiled, output, gives=output, inputs=12)
    with pytest.raises(VictimError, match=f"got {faulty}.* in row .*nothing is charged") as caught:
        EVERY[name](oracle)
    assert caught.value.partial.total == oracle.count < 50
    assert caught.value.partial.stopped


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


@pytest.mark.parametrize("shape", [[6, 3], [20, 8, 3], [3, 5, 1]])
@pytest.mark.parametrize(("low", "high"), [(0, 1), (-2.5, 1.25), (0, 255)])
def test_clipped_inputs_are_recognised_and_the_attack_stays_between_the_walls(shape, low, high):
    victim = nn.zoo.mlp(shape, bias=0.5, rng=1)
    victim.dense()[0][0][:] /= high - low
    clip = lambda x: victim.logits(np.clip(x, low, high))  # noqa: E731
    oracle = Oracle(clip, inputs=shape[0], budget=20_000)
    result = mt.steal(oracle, rng=0)
    assert result.verified
    assert f"inputs are clipped, {low} to {high}" in result.notes["recognise"]
    assert result.total == oracle.count
    x = np.random.default_rng(2).uniform(low, high, size=(500, shape[0]))
    np.testing.assert_allclose(result.model.logits(x), victim.logits(x), atol=1e-8)


@pytest.mark.parametrize("low", [0, -1])
def test_saturated_neurons_are_no_clipped_inputs(low):
    """ReLU6 and hard tanh: far out their answers do not change, wherever one input is."""
    (A0, b0), (A1, b1) = mlp(12, 5, 3).dense()
    victim = lambda x: np.clip(x @ A0.T + b0, low, low + 2) @ A1.T + b1  # noqa: E731
    result = mt.steal(Oracle(victim, inputs=12, budget=5000), rng=0)
    assert result.verified
    assert "clipped" not in result.notes["recognise"]


def test_an_input_with_walls_of_its_own():
    victim, low, high = nn.zoo.mlp([8, 6, 3], bias=0.5, rng=1), np.zeros(8), np.ones(8)
    low[3], high[5] = -2, 0.25
    oracle = Oracle(lambda x: victim.logits(np.clip(x, low, high)), inputs=8, budget=20_000)
    found = clipping.walls(reader(oracle), rng=0)
    np.testing.assert_allclose(found, (low, high), atol=1e-9)
    assert clipping.walls(reader(Oracle(victim)), rng=0) is None


def test_a_forest_is_an_error_that_says_what_to_do():
    oracle = Oracle(forest, inputs=6)
    with pytest.raises(ExtractionError, match="in steps, as those of trees do") as caught:
        mt.steal(oracle, rng=0)
    assert caught.value.stage == "recognise"
    assert "learning.active" in caught.value.advice
    assert oracle.count < 150
    assert caught.value.partial.total == oracle.count


def test_the_victim_is_recognised_twice_alike():
    one, two = (mt.steal(Oracle(mlp(10, 6, 2)), rng=4) for _ in range(2))
    assert np.array_equal(one.model.dense()[0][0], two.model.dense()[0][0])


# ---- what is no ReLU network


def votes(count, classes, depth=4):
    """Probabilities of a forest: the share of its trees that say so; exactly 0 and 1 are many."""
    rng = np.random.default_rng(3)
    inputs, cuts = rng.integers(0, 6, (count, depth)), rng.normal(size=(count, depth))
    leaf = rng.integers(0, classes, (count, 2**depth))

    def probs(x):
        bits = (x[:, inputs] > cuts).astype(int) @ (2 ** np.arange(depth))  # (n, trees)
        chosen = leaf[np.arange(count), bits]
        return np.stack([(chosen == k).mean(axis=1) for k in range(classes)], axis=1)

    return probs


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("output", ["probs", "log_probs"])
@pytest.mark.parametrize("count", [1, 2, 10, 100])
def test_probabilities_of_trees_are_steps(count, output, seed):
    """Of one tree all are 0 or 1, of ten many; of a hundred they look like rounded ones."""
    probs = votes(count, 3)

    def answer(x):
        with np.errstate(divide="ignore"):
            return probs(x) if output == "probs" else np.log(probs(x))

    oracle = Oracle(answer, output, gives=output, inputs=6)
    with pytest.raises(
        ExtractionError, match=r"in steps, as [^;]*; learn a copy with learning\.active"
    ) as caught:
        mt.steal(oracle, rng=seed)
    assert caught.value.partial.total == oracle.count < 250


@pytest.mark.parametrize("output", ["logits", "probs"])
def test_a_constant_victim_is_named(output):
    constant = Oracle(lambda x: np.full((len(x), 3), 1 / 3), output, gives=output, inputs=5)
    with pytest.raises(ExtractionError, match="answers never change") as caught:
        mt.steal(constant, rng=0)
    assert caught.value.partial.total == constant.count < 100


def gelu(x):
    return x * (1 + np.tanh(0.851 * x)) / 2


@pytest.mark.parametrize("activation", [gelu, lambda z: np.where(z > 0, z, np.expm1(z))])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_other_smooth_neurons_are_not_blamed_on_softplus(activation, dtype):
    (A0, b0), (A1, b1) = mlp(10, 5, 3).dense()
    victim = Oracle(lambda x: (activation(x @ A0.T + b0) @ A1.T + b1).astype(dtype), inputs=10)
    expected = "smooth, but no layer of tanh, sigmoid or softplus.*learning.active"
    with pytest.raises(ExtractionError, match=expected):
        mt.steal(victim, rng=0)


@pytest.mark.parametrize("outputs", [1, 3])
def test_labels_of_a_float32_victim(outputs):
    victim = mlp(10, outputs, dtype=np.float32)
    result = mt.steal(Oracle(victim, "label"), rng=0)
    x = np.random.default_rng(1).normal(size=(2000, 10))
    assert result.verified
    assert mt.compare.agreement(victim, result.model, x) > 0.9859


def test_labels_that_no_hyperplane_parts_are_told_what_to_do():
    oracle = Oracle(mlp(6, 5, 1), "label", budget=5000)
    with pytest.raises(ExtractionError, match="classes are not linear") as caught:
        mt.steal(oracle, rng=0)
    assert "precision" not in str(caught.value)
    assert "learning.active" in caught.value.advice


def test_a_copy_of_a_stochastic_victim_says_so():
    network, rng = mlp(10, 3), np.random.default_rng(0)
    noisy = lambda x: network.logits(x) + 1e-3 * rng.normal(size=(len(x), 3))  # noqa: E731
    result = mt.steal(Oracle(noisy, inputs=10), rng=0)
    assert result.verified
    assert "the victim is stochastic" in result.notes["recognise"]


# ---- behind coarse probabilities a copy is learned


@pytest.mark.slow
@pytest.mark.parametrize("decimals", [2, 3])
def test_behind_few_decimals_a_copy_is_learned_once_no_exact_attack_comes_through(decimals):
    victim = nn.zoo.mlp([20, 8, 3], bias=0.1, rng=0)
    oracle = Oracle(victim, "probs", decimals=decimals)
    result = mt.steal(oracle, rng=0)
    assert result.verified
    assert result.total == oracle.count
    assert next(iter(result.queries)) == "recognise"
    assert {"line", "sketch", "verify"} < set(result.queries)
    x = np.random.default_rng(0).normal(size=(2000, 20))
    assert mt.compare.agreement(victim, result.model, x) > 0.985


def test_the_budget_is_that_of_all_attacks_together_and_their_cost_is_kept():
    oracle = Oracle(nn.zoo.mlp([20, 8, 3], bias=0.1, rng=0), "probs", decimals=2, budget=3000)
    with pytest.raises(BudgetExhausted) as caught:
        mt.steal(oracle, rng=0)
    partial = caught.value.partial
    assert partial.total == oracle.count
    assert partial.stopped == "sketch"
    assert "line" in partial.queries


def test_what_cannot_be_recognised_is_learned(monkeypatch):
    """The recogniser found no line that it can read, the sketch finds its own."""
    monkeypatch.setattr(
        "mstheft.learning.steal.recognise",
        lambda oracle, rng: Recognised("unknown", "nothing can be read", is_coarse=True),
    )
    result = mt.steal(Oracle(nn.zoo.mlp([20, 8, 3], bias=0.1, rng=0), "probs", decimals=3), rng=0)
    assert result.verified
    assert "line" not in result.queries


def test_the_last_failure_holds_the_cost_of_all_attacks(monkeypatch):
    def fails(oracle, **_):
        raise ExtractionError("lines", "stuck", "none", partial=Result(queries={"lines": 0}))

    for name in ("sketched", "deep"):
        monkeypatch.setattr(f"mstheft.learning.steal.{name}.extract", fails)
    oracle = Oracle(nn.zoo.mlp([20, 8, 3], bias=0.1, rng=0), "probs", decimals=1)
    with pytest.raises(ExtractionError, match="stuck") as caught:
        mt.steal(oracle, rng=0)
    assert caught.value.partial.total == oracle.count


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_short_formats_are_learned(kind):
    """The sweep sees too little in them, and no row outruns a noise that grows with the answers."""
    victim, form = nn.zoo.mlp([20, 8, 3], bias=0.3, rng=2), precision.Form(kind=kind)
    oracle = Oracle(lambda x: precision.rounded(victim.logits(x), form), inputs=20)
    result = mt.steal(oracle, rng=0)
    assert result.verified
    assert len(result.model.dense()[0][1]) == 8
