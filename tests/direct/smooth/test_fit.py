"""Stage 4: Gauss-Newton in the subspace, to the rounding of the answers."""

import numpy as np
import pytest
from smooth_victims import ALL, started
from victims import victim_of

from mstheft.direct.smooth import attack


@pytest.mark.parametrize("act", ALL)
def test_refinement_reaches_the_rounding_of_the_answers(act):
    victim = victim_of(3, 40, 8, 4, act)
    oracle, rng, result, space, neurons = started(victim, act)
    fitted, _ = attack.fit_inside(oracle, space, neurons, result, rng)
    y = np.random.default_rng(0).normal(size=(1000, 8))
    true = victim.logits(y @ space.axes.T)
    assert np.abs(neurons.answers(y) - true).max() > 1e-6
    assert np.abs(fitted.answers(y) - true).max() < 1e-12
    assert result.trace.misfits[-1] < 1e-13 < result.trace.misfits[0]
    assert np.all(np.diff(result.trace.misfits) < 0)
