"""Stages 2 and 3 together: which directions are believed."""

from types import SimpleNamespace

import numpy as np
import pytest
from smooth_victims import steal_smooth
from victims import victim_of

from mstheft.direct.smooth import separate
from mstheft.errors import ExtractionError


def test_neurons_that_are_almost_dependent_take_sharper_hessians():
    """cond(A0) = 320: seven of seven seeds, where the cheap Hessians alone gave three."""
    victim = victim_of(5, 10, 10, 2, "tanh")
    assert 300 < np.linalg.cond(victim.dense()[0][0]) < 340
    for seed in range(1, 8):
        steal_smooth(victim, "tanh", seed=seed)


def test_a_slope_of_zero_gives_no_length():
    space = SimpleNamespace(gradients=np.zeros((2, 3, 2)), points=np.zeros((2, 2)))
    with pytest.raises(ExtractionError, match="saturated"):
        separate.where_they_bend(space, np.eye(2), np.ones((2, 2)), 1e-9)
