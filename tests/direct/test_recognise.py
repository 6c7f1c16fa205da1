"""What a victim is, told from a few answers."""

import numpy as np
import pytest
from victims import forest

from mstheft import nn
from mstheft.direct.recognise import recognise
from mstheft.errors import ExtractionError
from mstheft.oracle import Oracle


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


@pytest.mark.parametrize("decimals", [2, 3, None])
def test_saturated_probabilities_are_looked_at_where_they_can_be_read(decimals):
    for shape, kind in (((9, 3), "linear"), ((12, 8, 3), "relu")):
        (w, b), *rest = mlp(*shape).dense()
        oracle = Oracle(nn.zoo.given([(500 * w, b), *rest]), "probs", decimals=decimals)
        assert recognise(oracle, rng=0).kind == kind
        assert oracle.count < 420


def test_a_last_digit_of_a_probability_is_no_step_of_a_tree():
    """Next to 1 a float32 probability has two values between which nothing is."""
    network = nn.zoo.given([(30 * w, b) for w, b in mlp(12, 8, 3).dense()])
    victim = nn.Network(network.layers, network.shape, np.float32)
    kinds = {recognise(Oracle(victim, "probs"), rng=seed).kind for seed in range(8)}
    assert "stepwise" not in kinds


def test_no_numbers_are_an_error():
    nothing = Oracle(lambda x: np.tile([0.0, 1.0, -np.inf], (len(x), 1)), inputs=5)
    with pytest.raises(ExtractionError, match="finite answers"):
        recognise(nothing, rng=0)


@pytest.mark.parametrize(
    ("output", "decimals", "coarse"),
    [("probs", 3, True), ("probs", None, False), ("logits", 3, False)],
)
def test_few_digits_of_probabilities_are_coarse(output, decimals, coarse):
    oracle = box(mlp(12, 8, 3), output=output, decimals=decimals)
    assert recognise(oracle, rng=0).is_coarse == coarse


# ---- what is no ReLU network


@pytest.mark.parametrize("decimals", [3, 4, 6])
@pytest.mark.parametrize("activation", ["relu", "tanh", "softplus"])
def test_rounding_hides_no_bend_and_makes_none(decimals, activation):
    kinds = {
        recognise(Oracle(mlp(12, 8, 3, activation=activation), decimals=decimals), rng=seed).kind
        for seed in range(4)
    }
    assert kinds == {"relu" if activation == "relu" else "smooth"}
