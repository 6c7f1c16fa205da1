"""The checker of gradients, and that it is one: planted faults must be seen.

Sizes: a right gradient shows about 1e-9 and is judged at 1e-6; one that is wrong by 0.1 % in all
its entries shows 0.001 / 2.001 = 5e-4, whatever the direction.
"""

import itertools

import numpy as np
import pytest

from mstheft.nn import zoo
from mstheft.nn.gradcheck import directional_error, network_error
from mstheft.nn.layers import Activation, Dense, Flatten
from mstheft.nn.losses import cross_entropy, squared_error
from mstheft.nn.network import Network

X = np.random.default_rng(3).normal(size=(7, 5))
LABELS = np.array([0, 1, 2, 0, 1, 2, 1])


def cubic(x):
    return float((x**3).sum())


POINT = np.random.default_rng(1).uniform(0.5, 2, (3, 4))


@pytest.mark.parametrize("seed", range(20))
def test_a_right_gradient_passes_and_one_wrong_by_a_thousandth_does_not(seed):
    right = 3 * POINT**2
    assert 0 <= directional_error(cubic, right, POINT, rng=seed) < 1e-6
    assert 4.9e-4 < directional_error(cubic, 1.001 * right, POINT, rng=seed) < 5.1e-4
    assert 4.9e-4 < directional_error(cubic, 0.999 * right, POINT, rng=seed) < 5.1e-4


@pytest.mark.parametrize("entry", [(0, 0), (1, 2), (2, 3)])
def test_one_wrong_entry_is_seen(entry):
    """One of 12 off by 10 %: about 0.1 / 2 / sqrt(12) = 1e-2 in a typical direction."""
    wrong = 3 * POINT**2
    wrong[entry] *= 1.1
    assert 1e-4 < directional_error(cubic, wrong, POINT, rng=0) <= 1


def test_wrong_sign_and_missing_gradient_show_one():
    assert directional_error(cubic, -3 * POINT**2, POINT, rng=0) == pytest.approx(1, abs=1e-6)
    assert directional_error(cubic, 0 * POINT, POINT, rng=0) == pytest.approx(1, abs=1e-6)


def test_a_constant_has_gradient_zero():
    assert directional_error(lambda x: 3.0, np.zeros(4), np.ones(4), rng=0) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_does_not_pass_for_a_small_error(bad):
    gradient = 3 * POINT**2
    gradient[1, 1] = bad
    assert directional_error(cubic, gradient, POINT, rng=0) == np.inf
    assert directional_error(lambda x: bad, POINT, POINT, rng=0) == np.inf


def test_the_size_of_x_scales_the_step():
    """At 1e6 a step of 1e-5 would leave cubic no digits: 1e18 · 2e-16 / 1e-5 = 2e7 of 1e12."""
    x = 1e6 * POINT
    assert 0 <= directional_error(cubic, 3 * x**2, x, rng=0) < 1e-6


@pytest.mark.parametrize(
    ("gradient", "x"),
    [
        (np.ones((1, 4)), np.ones(4)),
        (np.ones(4, np.float32), np.ones(4)),
        (np.ones(4), np.ones(4, np.float32)),
        (np.ones(4, np.float32), np.ones(4, np.float32)),
    ],
)
def test_shapes_and_dtypes_must_agree(gradient, x):
    with pytest.raises(ValueError, match="expected float64 arrays of one shape, got a gradient of"):
        directional_error(lambda v: float(v.sum()), gradient, x)


# ---- whole networks

NETWORKS = {
    "logistic": (zoo.logistic(5, rng=0), cross_entropy, LABELS % 2),
    "softmax": (zoo.softmax(5, 3, rng=0), cross_entropy, LABELS),
    "relu": (zoo.mlp([5, 8, 3], bias=0.1, rng=0), cross_entropy, LABELS),
    "deep relu": (zoo.mlp([5, 8, 6, 4, 3], bias=0.1, rng=0), cross_entropy, LABELS),
    "tanh": (zoo.mlp([5, 8, 3], activation="tanh", bias=0.1, rng=0), cross_entropy, LABELS),
    "sigmoid": (zoo.mlp([5, 8, 3], activation="sigmoid", bias=0.1, rng=0), cross_entropy, LABELS),
    "softplus": (zoo.mlp([5, 8, 3], activation="softplus", rng=0), cross_entropy, LABELS),
    "squared error": (zoo.mlp([5, 8, 3], rng=0), squared_error, np.eye(3)[LABELS]),
    "one layer wide": (zoo.mlp([5, 1, 1], rng=0), cross_entropy, LABELS % 2),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network(name):
    network, loss, targets = NETWORKS[name]
    errors = network_error(network, loss, X, targets, rng=0)
    assert set(errors) == {"x", *network.parameters()}
    assert all(0 <= error < 1e-6 for error in errors.values()), errors


def test_shaped_input_with_flatten():
    layers = [
        Activation("tanh"),
        Flatten(),
        Dense(12, 4, rng=0),
        Activation("relu"),
        Dense(4, 3, rng=1),
    ]
    network = Network(layers, (2, 3, 2))
    x = np.random.default_rng(5).normal(size=(7, 2, 3, 2))
    errors = network_error(network, cross_entropy, x, LABELS, rng=0)
    assert all(0 <= error < 1e-6 for error in errors.values()), errors


class Wrong(Dense):
    """A Dense layer whose gradients can be bent."""

    bend = "W"

    def backward(self, dout, cache, need_dx=True):
        dx, grads = super().backward(dout, cache, need_dx)
        if self.bend == "dx":
            return 1.001 * dx, grads
        return dx, grads | {self.bend: 1.001 * grads[self.bend]}


@pytest.mark.parametrize("bend", ["W", "b", "dx"])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_fault_of_a_thousandth_in_one_layer_is_found_where_it_is(depth, bend):
    """W or b: only that parameter shows. dx: every earlier parameter, and x, but no later one."""
    widths = [5, 8, 6, 3]
    rng = np.random.default_rng(0)
    dense = [
        (Wrong if i == depth else Dense)(inputs, outputs, rng=rng)
        for i, (inputs, outputs) in enumerate(itertools.pairwise(widths))
    ]
    dense[depth].bend = bend
    network = Network([dense[0], Activation("tanh"), dense[1], Activation("tanh"), dense[2]], 5)
    errors = network_error(network, cross_entropy, X, LABELS, rng=0)
    if bend == "dx":
        expected = {"x"} | {f"{2 * i}.{name}" for i in range(depth) for name in "Wb"}
    else:
        expected = {f"{2 * depth}.{bend}"}
    assert {name for name, error in errors.items() if error > 4e-4} == expected
    assert all(error < 6e-4 for error in errors.values())
    assert all(error < 1e-6 for name, error in errors.items() if name not in expected)


def test_the_network_is_left_as_it_was():
    network, loss, targets = NETWORKS["relu"]
    before = {name: (p, p.copy()) for name, p in network.parameters().items()}
    network_error(network, loss, X, targets, rng=0)
    for name, p in network.parameters().items():
        assert p is before[name][0]
        np.testing.assert_array_equal(p, before[name][1])


def test_float32_networks_are_refused():
    network = zoo.mlp([5, 4, 3], rng=0, dtype=np.float32)
    with pytest.raises(ValueError, match="expected float64"):
        network_error(network, cross_entropy, X, LABELS)


def test_same_seed_same_result():
    network, loss, targets = NETWORKS["relu"]
    assert network_error(network, loss, X, targets, rng=4) == network_error(
        network, loss, X, targets, rng=4
    )
