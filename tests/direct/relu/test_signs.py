"""Relative signs and the neurons' own, against the true weights."""

import numpy as np
import pytest
from victims import truth, two_layers, victim_of

from mstheft.direct import relu
from mstheft.oracle import Oracle


@pytest.mark.parametrize(
    ("row", "signs"),
    [
        ([3.0, -1, 2, -2.5], [1, -1, 1, -1]),
        ([-3.0, -1, 2, -2.5], [1, 1, -1, 1]),  # relative to the largest
        ([1.0, 0, -0.5, 0], [1, None, -1, None]),  # a weight of zero has no sign
        ([1.0, -1, 1, -1], [1, -1, 1, -1]),  # equal magnitudes cancel exactly
        ([-2.0, 2, 2], [1, -1, -1]),
        ([0.0, 0, -4], [None, None, 1]),
        ([5.0], [1]),
        ([-5.0], [1]),
        ([1.0, 1e-7, -1e-7], [1, 1, -1]),
    ],
)
def test_relative_signs(row, signs):
    d = len(row)
    victim = two_layers([row], [0.0], [[0.6], [0.8]], [1.0, 2])
    oracle, output = Oracle(victim), np.array([0.6, 0.8])
    found, stray = relu.relative_signs(oracle, np.zeros(d), 1e-3, output, np.abs(row))
    assert oracle.count == 2 * (d - 1) + 1
    assert stray < 1e-10
    assert set(found) <= {-1.0, 1.0}
    for own, expected in zip(found, signs, strict=True):
        assert expected is None or own == expected


def test_relative_signs_say_how_far_they_missed():
    victim = two_layers([[1.0, 0.5]], [0.0], [[1.0]], [0.0])
    wrong = np.array([1.0, 0.3])
    _, stray = relu.relative_signs(Oracle(victim), np.zeros(2), 1e-3, np.ones(1), wrong)
    assert stray == pytest.approx(0.1, rel=1e-6)  # (1.5 - 1.3) / 2


@pytest.mark.parametrize("shape", [(2, 1, 1), (6, 5, 1), (12, 5, 3), (40, 39, 2)])
def test_neuron_signs_against_the_truth(shape):
    d, h, _ = shape
    victim = victim_of(4, *shape)
    A0, b0, _, _ = truth(victim)
    flip = np.random.default_rng(0).choice([-1.0, 1.0], h)
    oracle = Oracle(victim)
    found = relu.neuron_signs(oracle, flip[:, None] * A0, flip * b0)
    assert np.array_equal(found, flip)
    assert oracle.count == 2 * h + 1
    assert h < d


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 3, 1), (4, 8, 2), (3, 12, 4), (20, 5, 3)])
def test_signs_by_least_squares_against_the_truth(shape):
    d, h, K = shape
    victim = victim_of(4, *shape)
    A0, b0, A1, _ = truth(victim)
    flip = np.random.default_rng(0).choice([-1.0, 1.0], h)
    oracle = Oracle(victim)
    args = flip[:, None] * A0, flip * b0, A1.T, np.random.default_rng(1)
    assert h <= K * d  # K (d + 1) numbers, less the K that b1 takes
    assert np.array_equal(relu.signs_by_least_squares(oracle, *args), flip)
    assert oracle.count == 2 * (h // K + 1) + 4
