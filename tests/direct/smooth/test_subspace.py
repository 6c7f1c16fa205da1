"""Stage 1: the spectrum counts the neurons, and the subspace shows them all."""

import numpy as np
import pytest
from smooth_victims import ALL, steal_smooth, with_entries
from victims import victim_of

from mstheft.direct.smooth import subspace
from mstheft.oracle import Oracle


@pytest.mark.parametrize("shape", [(100, 20, 4), (40, 5, 1), (7, 7, 2), (300, 33, 10), (1, 1, 1)])
@pytest.mark.parametrize("act", ALL)
def test_the_spectrum_counts_the_neurons_and_the_subspace_shows_them(shape, act):
    victim = victim_of(0, *shape, act)
    oracle = Oracle(victim)
    space = subspace.find_subspace(oracle, np.random.default_rng(1))
    d, h, _ = shape
    A0 = victim.dense()[0][0]
    assert space.axes.shape == (d, h)
    np.testing.assert_allclose(space.axes.T @ space.axes, np.eye(h), atol=1e-12)
    assert np.linalg.cond(A0 @ space.axes) < 1e4
    m = len(space.points)
    assert oracle.count <= 2 * (space.sketch + 1) * m + 40
    assert 2 * h <= space.sketch or space.sketch == d


def test_gradients_against_backpropagation():
    victim = victim_of(0, 50, 6, 3, "tanh")
    space = subspace.find_subspace(Oracle(victim), np.random.default_rng(1))
    true = victim.jacobian(space.points @ space.axes.T) @ space.axes
    assert np.abs(space.gradients - true).max() < 1e-6


def test_a_known_width_saves_the_search():
    victim = victim_of(0, 200, 30, 5, "tanh")
    asked = [steal_smooth(victim, "tanh", hidden=h).queries["subspace"] for h in (None, 30)]
    assert asked[1] < 0.8 * asked[0]


def test_equal_dead_and_constant_neurons_are_not_counted():
    twin = with_entries()
    for p in twin.dense()[0]:
        p[1] = p[0]
    for victim in (twin, with_entries(A1=(1, 0.0)), with_entries(A0=(1, 0.0))):
        assert len(steal_smooth(victim, "tanh").model.dense()[0][1]) == 5
