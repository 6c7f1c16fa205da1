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
    "smooth": [
        mlp(12, 6, 3, activation="tanh"),
        mlp(12, 6, 1, activation="softplus"),
        mlp(12, 6, 3, activation="sigmoid", dtype=np.float32),
    ],
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
    assert oracle.count < (150 if victim is forest or victim.dtype == np.float64 else 320)


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


# ---- what is no ReLU network


@pytest.mark.parametrize("decimals", [3, 4, 6])
@pytest.mark.parametrize("activation", ["relu", "tanh", "softplus"])
def test_rounding_hides_no_bend_and_makes_none(decimals, activation):
    kinds = {
        recognise(Oracle(mlp(12, 8, 3, activation=activation), decimals=decimals), rng=seed).kind
        for seed in range(4)
    }
    assert kinds == {"relu" if activation == "relu" else "smooth"}


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


def test_a_saturated_network_is_no_forest():
    """Its probabilities are 0 or 1 nearly everywhere, but the steps between have a width."""
    steep = nn.zoo.given([(500 * w, b) for w, b in mlp(9, 3).dense()])
    with pytest.raises(ExtractionError, match=r"rounded to exactly 0|nearly none"):
        recognise(Oracle(steep, "probs"), rng=0)


@pytest.mark.parametrize("output", ["logits", "probs"])
def test_a_constant_victim_is_named(output):
    constant = Oracle(lambda x: np.full((len(x), 3), 1 / 3), output, gives=output, inputs=5)
    with pytest.raises(ExtractionError, match="answers never change") as caught:
        mt.steal(constant, rng=0)
    assert caught.value.partial.total == constant.count < 100


def gelu(x):
    return x / (1 + np.exp(-1.702 * x))


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
    assert mt.compare.agreement(victim, result.model, x) > 0.999


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


def test_few_decimals_of_probabilities_are_named_where_nothing_can_be_read():
    oracle = Oracle(nn.zoo.mlp([20, 8, 3], bias=0.1, rng=0), "probs", decimals=1)
    with pytest.raises(ExtractionError, match=r"1 decimal of probabilities .*learning\.sketched"):
        mt.steal(oracle, rng=0)
