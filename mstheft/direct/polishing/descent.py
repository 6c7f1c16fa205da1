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
from mstheft.typing import Array

DAMP = 0.3  # of the first step; a third after every whole one, three times after a shortened one
ROUGH, LEAST_DAMP = 0.1, 3e-3  # relative misfit of a copy below which the first step is damped
# less, in proportion, and as little as that
FADING = 0.5  # of a neuron's part of the answers: what a step makes smaller is on its way out
MOST_DAMP = 100.0  # a step that fits no better even so ends the descent
SLOWEST = 1e-3  # a whole, undamped step that gains less than this share of the misfit is the last
SETTLED = 1e-2  # the same in the noise: then the step before was at the end
HALF = 0.5  # a step that gains less than this share, above the noise, was not solved well enough
MOST_ITERATIONS = 320  # of LSMR in a step
FOLLOW = 0.3  # of the relative misfit: tolerance of LSMR, for the next step does the rest
LOOSE, TIGHT = 1e-2, 1e-8  # which lies between these
BELOW = 1e-4  # of the noise: an error of LSMR that is no longer seen
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

    Damped at first (Levenberg), the less the better the copy is; less after every whole step, more
    after a shortened one. Above the noise, where a step gains little, the linear problem was not
    solved well enough: LSMR gets twice the iterations (deep networks of one output need that).
    """
    size = fit.spread or 1.0
    noisy = ceiling(fit, free)
    misfit, iterations = [fit.misfit(here.logits)], gauss_newton.ITERATIONS
    damp = float(np.clip(DAMP * misfit[0] / (ROUGH * size), LEAST_DAMP, DAMP))
    while len(misfit) <= steps and damp < MOST_DAMP:
        least = max(TIGHT, BELOW * fit.noise / (misfit[-1] or 1.0))
        enough = float(np.clip(FOLLOW * misfit[-1] / size, least, LOOSE))
        taken = gauss_newton.step(
            fit, here, damp=damp, enough=enough, iterations=iterations, trust=trust, rng=rng
        )
        there = without_fading(fit, here, taken.here, misfit[-1])
        after = taken.misfit if there is taken.here else fit.misfit(there.logits)
        here, gain = there, 1 - after / (misfit[-1] or 1.0)
        bar.update()
        bar.set_postfix_str(f"misfit {after:.1e}")
        if taken.share:
            misfit.append(after)
        if gain < HALF and after > noisy:
            iterations = min(2 * iterations, MOST_ITERATIONS)
        patient = iterations == MOST_ITERATIONS or after <= noisy
        if gain < (SETTLED if after <= noisy else SLOWEST) and damp < DAMP / 10 and patient:
            break
        damp *= 1 / 3 if taken.share == 1 else 3
    return here, misfit


def without_fading(fit: Fit, before: DensePass, after: DensePass, misfit: float) -> DensePass:
    """The pass after a step, with all neurons that the step has made much smaller sent to 0.

    A neuron that the victim does not have is a product a1 relu(a0 x) that shall be 0. A step makes
    both factors half as large, so that it would go on for ever by a quarter. Its outgoing weights
    are set to 0 at once; if the answers want it, the next step brings it back. Not done where the
    answers are then missed by more than before the step.

    misfit : before the step
    """
    weights = [matrix.copy() for matrix in after.weights]
    is_any = False
    for layer in range(1, len(weights)):
        fading = part(after, layer) < FADING * part(before, layer)
        weights[layer][:, :-1][:, fading] = 0
        is_any |= bool(fading.any())
    if not is_any:
        return after
    there = fit.at(weights)
    return there if fit.misfit(there.logits) < misfit else after


def part(here: DensePass, layer: int) -> Array:
    """How much each input of a layer moves what comes out of it, rms over the rows: (in,)."""
    size: Array = np.linalg.norm(here.weights[layer][:, :-1], axis=0)
    return size * here.inputs[layer][:, :-1].std(axis=0)
