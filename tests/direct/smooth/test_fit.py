"""Stage 4: Gauss-Newton in the subspace, to the rounding of the answers."""

import numpy as np
import pytest
from smooth_victims import ALL, started
from victims import victim_of

from mstheft.direct.smooth import attack, fit
from mstheft.direct.smooth.lines import SmoothNetwork


@pytest.mark.parametrize("act", ALL)
def test_the_jacobian_against_differences(act):
    """A step δ changes the answers by J δ + O(δ²): the solver's step undoes a known change."""
    rng = np.random.default_rng(0)
    neurons = SmoothNetwork(
        rng.normal(size=(3, 3)),
        rng.normal(size=3),
        rng.normal(size=(2, 3)),
        rng.normal(size=2),
        act,
    )
    y = 2 * rng.normal(size=(200, 3))
    step = 1e-6 * rng.normal(size=9 + 3 + 6 + 2)
    answers = fit.moved(neurons, step).answers(y)
    found = fit.gauss_newton_step(neurons, y, answers)
    assert np.abs(found - step).max() < 1e-3 * np.abs(step).max()


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


def test_a_step_that_fits_worse_is_never_taken():
    neurons = SmoothNetwork(np.eye(1), np.zeros(1), np.ones((1, 1)), np.zeros(1), "tanh")
    y = np.linspace(-2, 2, 9)[:, None]
    answers = neurons.answers(y)
    assert fit.shorter_until_better(neurons, np.ones(4), y, answers) is None
