"""The last layer by least squares, with and without the neurons' signs."""

import numpy as np
import pytest
from victims import critical_point, error_of, fresh, truth, two_layers, victim_of

from mstheft.direct import relu
from mstheft.direct.hyperplanes import hyperplanes
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.direct.relu import last_layer
from mstheft.oracle import Oracle


@pytest.mark.parametrize("shape", [(1, 1, 1), (10, 6, 3), (4, 9, 2)])
def test_solve_last_layer_against_the_truth(shape):
    victim = victim_of(2, *shape)
    A0, b0, A1, b1 = truth(victim)
    points = np.array([critical_point(victim, i) for i in range(len(b0))])
    oracle = Oracle(victim)
    weights, bias = relu.solve_last_layer(oracle, A0, b0, points, np.random.default_rng(0))
    assert np.abs(weights - A1).max() < 1e-10
    assert np.abs(bias - b1).max() < 1e-10
    assert oracle.count == 2 * (len(b0) + 1)


def test_solve_last_layer_switches_every_neuron_on():
    """A neuron that is on once in 10^9 inputs is still solved for: its own points show it."""
    A0, b0 = np.eye(3), np.array([0.0, 0.3, -6.0])
    A1, b1 = np.array([[1.0, -2, 3], [0.5, 1, -1]]), np.array([0.1, 0.2])
    points = -b0[:, None] * np.eye(3)
    oracle = Oracle(two_layers(A0, b0, A1, b1))
    weights, _ = relu.solve_last_layer(oracle, A0, b0, points, np.random.default_rng(0))
    assert np.abs(weights - A1).max() < 1e-10


@pytest.mark.parametrize("shape", [(1, 3, 1), (6, 4, 3), (3, 7, 5), (2, 30, 1)])
def test_with_remainder_is_the_same_function_whatever_the_signs(shape):
    d, h, K = shape
    victim = victim_of(6, *shape)
    A0, b0, A1, _ = truth(victim)
    points = np.array([critical_point(victim, i) for i in range(h)])
    signs = np.random.default_rng(3).choice([-1.0, 1.0], h)
    for flip in (signs, np.ones(h)):
        oracle, rows = Oracle(victim), flip[:, None] * A0
        affine, bias = last_layer.affine_remainder(
            oracle, rows, flip * b0, A1.T, np.random.default_rng(0)
        )
        planes = Hyperplanes(rows, points, A1.T, np.zeros(h))
        parts = hyperplanes.with_remainder(planes, affine)
        assert oracle.count == d + 5
        assert error_of(victim, relu.assemble(*parts, bias), fresh(d, 1000)) < 1e-9
        assert h <= len(parts[0]) <= h + 2 * min(K, d)
    assert len(parts[0]) == h  # the right signs leave nothing over


def test_rows_that_cannot_be_read_are_left_out():
    """Some probabilities are exactly 0: the rest still determine the last layer."""
    victim = two_layers(1000 * np.eye(2), [0.0, 0], [[1.0, 0], [0, 1]], [0, 0])
    points = np.zeros((20, 2))
    oracle = Oracle(victim, "probs")
    hidden = (oracle.query(fresh(2, 100)) == 0).any(axis=1).mean()
    assert 0.01 < hidden < 0.9
    weights, _ = relu.solve_last_layer(
        oracle, 1000 * np.eye(2), np.zeros(2), points, np.random.default_rng(0)
    )
    assert np.abs(weights - [[0.5, -0.5], [-0.5, 0.5]]).max() < 1e-8
