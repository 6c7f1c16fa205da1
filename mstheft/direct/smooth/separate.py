"""Stages 2 and 3 on smooth networks: a direction for each neuron, and are they right?

Two self-checks need no knowledge of the victim: in the right directions all Hessians are diagonal,
and the answers along each of them have the shape of σ. Where one fails, all is done again with
sharper Hessians, and at further points.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mstheft.direct.smooth.hessians import crosstalk, dual_directions, hessians, rounding_of
from mstheft.direct.smooth.lines import Neurons, pull
from mstheft.direct.smooth.subspace import Subspace
from mstheft.errors import ExtractionError
from mstheft.result import Result, count
from mstheft.typing import Array, Oracle

MATRICES = 3  # Hessians wanted: two would do, but with two some neurons look nearly alike
POINTS = 5  # points at which sharp Hessians are taken before the attack gives up
PATIENCE = 3  # points at which a neuron is looked for that has not been seen to bend
SEEN, CLEAR = 20, 100  # times its rounding at which anything bends, and a neuron clearly
DIAGONAL = 1e-2  # crosstalk up to which directions are believed to be the neurons' own
ALONE = 1e-2, 5e-2  # misfit of a curve up to which it is one neuron's; where nothing is left


def separate(
    oracle: Oracle, space: Subspace, activation: str, result: Result, rng: np.random.Generator
) -> Neurons:
    """Hessians, at one point after another, until each direction has one neuron.

    Returns neurons that are right to about 1e-3. Costs (h (h + 3) / 2 + 1) for each point, as many
    as are needed for three matrices, and 18 h queries for the lines; several times that where
    sharp Hessians are needed.
    """
    for sharp in (False, True):
        neurons, told = look(oracle, space, activation, sharp, result, rng)
        if neurons is not None:
            return neurons
    d, h = space.axes.shape
    raise ExtractionError(
        "hessians",
        f"{count(h, 'neuron')} of {activation} can be counted in the gradients and each should "
        f"have a direction of its own, but {told}",
        "check the activation; also the victim may have neurons that are saturated where "
        "x ~ N(0, I), more hidden layers"
        + (f", more neurons than its {d} inputs" if h == d else "")
        + ", neurons that depend on one another (parallel rows), or some that are hardly felt; for "
        "tiny weights steal lambda x: victim(100 * x) and divide the copy's input weights by 100",
        partial=result,
    )


def look(
    oracle: Oracle,
    space: Subspace,
    activation: str,
    sharp: bool,
    result: Result,
    rng: np.random.Generator,
) -> tuple[Neurons | None, str]:
    """The neurons; or None, and why not: with the quick Hessians, or with sharp ones.

    Raises `ExtractionError` where even sharp Hessians are nothing but rounding.
    """
    stack: list[Array] = []
    trace, told = result.trace, ""
    rounding = rounding_of(space, sharp)
    for taken, point in enumerate(space.points[: POINTS if sharp else PATIENCE], 1):
        with result.stage("hessians", oracle):
            stack.extend(hessians(oracle, space, point, sharp=sharp))
            if len(stack) < MATRICES:
                continue
            if not np.abs(stack).max() > SEEN * rounding:
                return None, nothing_bends(sharp, SEEN * rounding)
            bends = find_directions(np.array(stack), taken, trace, rng)
        if not trace.crosstalk < DIAGONAL:
            told = f"the Hessians have no common axes (crosstalk {trace.crosstalk:.1g})"
        elif (bends.max(axis=0) < CLEAR * rounding).any() and taken < PATIENCE:
            continue  # a neuron that does not bend here may do so elsewhere
        else:
            neurons = pull_all(oracle, space, activation, bends, rounding, result)
            misfit = float(trace.curves.misfit.max())
            if misfit < ALONE[sharp]:
                return neurons, ""
            told = f"along one the answers are no {activation} (off by {misfit:.1g})"
        if not sharp:
            break
    return None, told


def pull_all(
    oracle: Oracle, space: Subspace, activation: str, bends: Array, rounding: float, result: Result
) -> Neurons:
    """Stage 3: each neuron from where it bends most; the curves go into the trace."""
    trace = result.trace
    with result.stage("lines", oracle):
        starts, unit = where_they_bend(space, trace.duals, bends, rounding)
        neurons, trace.curves = pull(oracle, space, starts, trace.duals, unit, activation)
    return neurons


def nothing_bends(sharp: bool, size: float) -> str:
    """Nothing to say of quick Hessians that are all rounding; of sharp ones an error."""
    if not sharp:
        return ""
    raise ExtractionError(
        "hessians",
        f"expected answers that bend, but all second derivatives are below {size:.1g}",
        "use direct.linear for a linear victim and direct.relu for one with kinks; where its "
        "weights are only small, steal lambda x: victim(100 * x) and divide the copy's input "
        "weights by 100",
    )


def find_directions(stack: Array, points: int, trace: Any, rng: np.random.Generator) -> Array:
    """Dual directions of the Hessians from so many points, into the trace. No queries.

    Returns (points, h): how much the answers bend along each direction at each point.
    """
    trace.hessians, trace.duals = stack, dual_directions(stack, rng)
    trace.turned = trace.duals.T @ stack @ trace.duals
    trace.crosstalk = crosstalk(trace.turned)
    own = np.einsum("nii->ni", trace.turned)
    return np.linalg.norm(own.reshape(points, -1, own.shape[1]), axis=1)


def where_they_bend(
    space: Subspace, duals: Array, bends: Array, rounding: float
) -> tuple[Array, float]:
    """For each neuron the point at which it bends most, and how far one has to go. No queries.

        |∂f| / |∂²f| along w_i  =  σ'(z_i) / s_i |σ''(z_i)|,    and the middle one of all neurons

    bends : (p, h) sizes of the second derivatives at the first p points; rounding : of one
    Returns (h, h) points y, and a length.
    Raises `ExtractionError` where most slopes are 0: there is nowhere to go.
    """
    best = bends.argmax(axis=0)
    slopes = np.linalg.norm(space.gradients @ duals, axis=1)[best, np.arange(len(best))]
    unit = float(np.median(slopes / np.maximum(bends.max(axis=0), rounding)))
    if not unit > 0:
        raise ExtractionError(
            "lines",
            "expected neurons that move the answers, but most are saturated wherever they were "
            "looked at: x ~ N(0, I) and nearer the origin",
            "steal lambda x: victim(c * x) for a small c and divide the copy's input weights "
            "by c, or check the activation",
        )
    return space.points[best], unit
