"""Second differences and absolute weights, against the true weights."""

import numpy as np
import pytest
from victims import critical_point, fresh, truth, two_layers, victim_of

from mstheft.direct import relu
from mstheft.oracle import Oracle


@pytest.mark.parametrize("K", [1, 4])
def test_second_difference_is_three_evaluations_and_the_formula(K):
    victim = victim_of(0, 6, 5, K)
    A0, _, A1, _ = truth(victim)
    oracle, x, c = Oracle(victim), critical_point(victim, 2), 1e-4
    e = np.random.default_rng(1).normal(size=6)
    e /= np.linalg.norm(e)
    found = relu.second_difference(oracle, x, e, c)
    ahead, here, behind = (victim.logits(p[None])[0] for p in (x + c * e, x, x - c * e))
    assert found.shape == (K,)
    assert oracle.count == 3
    assert np.abs(found - (ahead - 2 * here + behind) / c).max() < 1e-11
    assert np.abs(found - np.abs(A0[2] @ e) * A1[:, 2]).max() < 1e-10


@pytest.mark.parametrize("n", [0, 1, 3, 1030])
def test_second_differences_along_several_directions_are_those_along_each(n):
    victim = victim_of(0, 6, 5, 3)
    x, ways = critical_point(victim, 2), np.random.default_rng(1).normal(size=(n, 6))
    oracle = Oracle(victim)
    together = relu.second_difference(oracle, x, ways, 1e-4)
    assert oracle.count == 2 * n + 1
    assert together.shape == (n, 3)
    for way, row in zip(ways[:3], together, strict=False):
        np.testing.assert_allclose(relu.second_difference(oracle, x, way, 1e-4), row, atol=1e-10)


def test_second_difference_vanishes_away_from_every_hyperplane():
    victim = victim_of(0, 6, 5, 3)
    found = relu.second_difference(Oracle(victim), fresh(6)[0], np.eye(6)[0], 1e-6)
    assert np.abs(found).max() < 1e-8


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 4, 1), (5, 4, 3), (600, 3, 2)])
def test_absolute_weights_against_the_truth(shape):
    victim = victim_of(3, *shape)
    A0, _, A1, _ = truth(victim)
    oracle, x, size = Oracle(victim), critical_point(victim, 0), np.linalg.norm(A1[:, 0])
    absolute, stray = relu.absolute_weights(oracle, x, 1e-4, A1[:, 0] / size)
    assert oracle.count == 2 * shape[0] + 1
    assert np.abs(absolute - size * np.abs(A0[0])).max() < 1e-9
    assert stray < 1e-9


def test_a_step_across_another_hyperplane_is_stray():
    """What does not point along A1[:, i] is somebody else's: with K > 1 it shows."""
    A0 = [[1.0, 0.5], [1.0, -0.5]]
    victim = two_layers(A0, [0, 0.01], [[1.0, 0], [0, 1]], [0, 0])
    oracle, x, output = Oracle(victim), np.zeros(2), np.array([1.0, 0])
    _, clean = relu.absolute_weights(oracle, x, 1e-3, output)
    _, crossed = relu.absolute_weights(oracle, x, 0.1, output)
    assert clean < 1e-10
    assert crossed == pytest.approx((0.1 - 0.01) / 0.1, rel=1e-6)  # relu(y - 0.01) along e_1
    _, negative = relu.absolute_weights(oracle, x, 1e-3, -output)
    assert negative == pytest.approx(1.0, rel=1e-6)  # a length against A1_i is stray as well
