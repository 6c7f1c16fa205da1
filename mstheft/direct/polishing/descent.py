"""Gauss-Newton steps from a rough copy down to the noise of the answers.

    best_descent        with the trust that ends lowest
    descend             damped steps, until one gains nothing

Source: Levenberg 1944 for the damping; `nn.gauss_newton` has the single step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mstheft.nn import gauss_newton
from mstheft.nn.gauss_newton import DensePass, Fit
from mstheft.progress import Bar

DAMP = 0.3  # of the first step; a third after every whole one, three times after a shortened one
MOST_DAMP = 100.0  # a step that fits no better even so ends the descent
SLOWEST = 1e-3  # a whole, undamped step that gains less than this share of the misfit is the last
HALF = 0.5  # a step that gains less than this share, above the noise, was not solved well enough
MOST_ITERATIONS = 320  # of LSMR in a step
LOOSE, TIGHT = 1e-2, 1e-8  # tolerances of LSMR: a share of the relative misfit between these
ROUNDED = 2.0  # converged: ratio below this where σ is that of arithmetic, known to a factor


def best_descent(
    fit: Fit,
    start: DensePass,
    steps: int,
    trusts: Sequence[float],
    free: int,
    rng: np.random.Generator,
    bar: Bar,
) -> tuple[DensePass, list[float]]:
    """The descent with the first trust that ends in the noise, else the one that ends lowest.

    A neuron that is on in few rows is held by few answers and easily lost; smaller steps keep it.
    """
    descents = []
    for trust in trusts:
        descents.append(descend(fit, start, steps, free, trust, rng, bar))
        if descents[-1][1][-1] <= ceiling(fit, free):
            break
    return min(descents, key=lambda descent: descent[1][-1])


def ceiling(fit: Fit, free: int) -> float:
    """The misfit up to which what is left may be noise: ROUNDED σ √((N - P) / N), answer units."""
    return float(ROUNDED * np.sqrt(max(0, fit.numbers - free)) / fit.total)


def descend(
    fit: Fit,
    here: DensePass,
    steps: int,
    free: int,
    trust: float,
    rng: np.random.Generator,
    bar: Bar,
) -> tuple[DensePass, list[float]]:
    """Gauss-Newton steps until one gains nothing: the last pass, and the misfit at every pass.

    Damped at first (Levenberg), less after every whole step, more after a shortened one. Above the
    noise, where a step gains little though no trust held it back, the linear problem was not solved
    well enough: LSMR gets twice the iterations (deep networks of one output need that).
    """
    size = fit.spread or 1.0
    noisy = ceiling(fit, free)
    misfit, damp, iterations = [fit.misfit(here.logits)], DAMP, gauss_newton.ITERATIONS
    while len(misfit) <= steps and damp < MOST_DAMP:
        enough = float(np.clip(LOOSE * misfit[-1] / size, TIGHT, LOOSE))
        taken = gauss_newton.step(
            fit, here, damp=damp, enough=enough, iterations=iterations, trust=trust, rng=rng
        )
        here, gain = taken.here, 1 - taken.misfit / (misfit[-1] or 1.0)
        bar.update()
        bar.set_postfix_str(f"misfit {taken.misfit:.1e}")
        if taken.share:
            misfit.append(taken.misfit)
        if gain < HALF and taken.misfit > noisy and not taken.is_held:
            iterations = min(2 * iterations, MOST_ITERATIONS)
        patient = iterations == MOST_ITERATIONS or taken.misfit <= noisy
        if gain < SLOWEST and damp < DAMP / 10 and patient:
            break
        damp *= 1 / 3 if taken.share == 1 else 3
    return here, misfit
