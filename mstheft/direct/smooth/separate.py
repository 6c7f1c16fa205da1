"""Stages 2 and 3 on smooth networks: a direction for each neuron, and are they right?

Two self-checks need no knowledge of the victim: in the right directions all Hessians are diagonal,
and the answers along each of them have the shape of σ. Where one fails, all is done again with
sharper Hessians, and at further points.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from mstheft.direct.smooth.hessians import find_directions, hessians, rounding_of
from mstheft.direct.smooth.lines import SmoothNetwork, pull
from mstheft.direct.smooth.subspace import Subspace
from mstheft.errors import ExtractionError
from mstheft.result import Result, count
from mstheft.typing import Array, Oracle

MATRICES = 3  # Hessians wanted: two would do, but with two some neurons look nearly alike
POINTS = 5  # points at which sharp Hessians are taken before the attack gives up
PATIENCE = 3  # points at which a neuron is sought that has not been seen to bend
SOME, CLEAR = 20, 100  # times its rounding at which anything bends, and a neuron clearly
DIAGONAL = 1e-2  # crosstalk up to which directions are believed to be the neurons' own
ALONE = 1e-2, 5e-2  # misfit of a curve up to which it is one neuron's; with sharp Hessians
ROUGH = 0.1  # both, where answers are coarse: the copy will be polished


def separate(
    oracle: Oracle, space: Subspace, activation: str, result: Result, rng: Generator
) -> SmoothNetwork:
    """Hessians, at one point after another, until each direction has one neuron.

    Returns neurons that are right to about 1e-3. Costs (h (h + 3) / 2 + 1) for each point, as many
    as are needed for three matrices, and 18 h queries for the lines; several times that where
    sharp Hessians are needed.
    """
    for sharp in (False, True):
        network, why = attempt(oracle, space, activation, sharp, result, rng)
        if network is not None:
            return network
    d, h = space.axes.shape
    more = f"; or it has more neurons than its {d} inputs" if h == d else ""
    raise ExtractionError(
        "hessians",
        f"the gradients show {count(h, 'neuron')} of {activation}, but {why}",
        f"check the activation: neurons may be saturated where x ~ N(0, I), or parallel{more}",
        partial=result,
    )


def attempt(
    oracle: Oracle, space: Subspace, activation: str, sharp: bool, result: Result, rng: Generator
) -> tuple[SmoothNetwork | None, str]:
    """The neurons; or None, and why not: with the quick Hessians, or with sharp ones.

    Raises `ExtractionError` where even sharp Hessians are nothing but rounding.
    """
    stack: list[Array] = []
    trace, why = result.trace, ""
    diagonal, alone = (ROUGH, ROUGH) if space.is_coarse else (DIAGONAL, ALONE[sharp])
    rounding = rounding_of(space, sharp)
    for taken, point in enumerate(space.points[: POINTS if sharp else PATIENCE], 1):
        with result.stage("hessians", oracle):
            stack.extend(hessians(oracle, space, point, sharp=sharp))
            if len(stack) < MATRICES:
                continue
            if not np.abs(stack).max() > SOME * rounding:
                if sharp:
                    raise _nothing_bends(SOME * rounding)
                return None, ""
            directions = trace.directions = find_directions(np.array(stack), rng)
            bends = directions.bends(taken)
        if not directions.crosstalk < diagonal:
            why = f"the Hessians have no common axes (crosstalk {directions.crosstalk:.1g})"
        elif (bends.max(axis=0) < CLEAR * rounding).any() and taken < PATIENCE:
            continue  # a neuron that does not bend here may do so elsewhere
        else:
            with result.stage("lines", oracle):
                starts, unit = where_they_bend(space, directions.duals, bends, rounding)
                network, curves = pull(oracle, space, starts, directions.duals, unit, activation)
            trace.curves, misfit = curves, float(curves.misfit.max())
            if misfit < alone:
                return network, ""
            why = f"along one direction the answers are no {activation} (off by {misfit:.1g})"
        if not sharp:
            break
    return None, why


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
            "expected neurons that move the answers, but most are saturated at all inputs asked",
            "steal lambda x: victim(c * x) for a small c and divide the copy's input weights by c",
        )
    return space.points[best], unit


def _nothing_bends(size: float) -> ExtractionError:
    return ExtractionError(
        "hessians",
        f"expected answers that bend, but all second derivatives are below {size:.1g}",
        "use direct.linear or direct.relu; or, for tiny weights, steal lambda x: victim(100 * x) "
        "and divide the copy's input weights by 100",
    )
