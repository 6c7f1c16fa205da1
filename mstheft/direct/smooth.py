"""One hidden layer of tanh, sigmoid or softplus neurons, stolen by its derivatives.

    f(x) = A1 σ(A0 x + b0) + b1

Such a network bends everywhere and has no kinks to look for. What it has instead: on any subspace
of the inputs it is a network of the same neurons, and its second derivatives tell them apart.
`extract` tells the story; each stage is a function that can be called, drawn and taught alone.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from mstheft.direct import smooth_columns, smooth_fit
from mstheft.direct.smooth_columns import Columns
from mstheft.direct.smooth_hessians import (
    crosstalk,
    dual_directions,
    hessians,
    measured_bends,
)
from mstheft.direct.smooth_lines import Curves, Neurons, pull
from mstheft.direct.smooth_subspace import Subspace, ask, find_subspace, free_directions
from mstheft.direct.verify import verify
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.nn.functions import Array
from mstheft.nn.network import Network
from mstheft.result import Result, count

__all__ = [
    "Columns",
    "Curves",
    "Neurons",
    "Subspace",
    "assemble",
    "crosstalk",
    "dual_directions",
    "extract",
    "find_directions",
    "find_subspace",
    "fit_inside",
    "hessians",
    "pull",
    "separate",
    "where_they_bend",
]

ACTIVATIONS = ("tanh", "sigmoid", "softplus")
MATRICES = 3  # Hessians wanted: two would do, but with two some neurons look nearly alike
POINTS = 5  # points at which sharp Hessians are taken before the attack gives up
PATIENCE = 3  # points at which a neuron is looked for that has not been seen to bend
CLEAR = 100  # a bend is seen if it exceeds its rounding so many times
DIAGONAL = 1e-2  # crosstalk up to which directions are believed to be the neurons' own
ALONE = 1e-2, 5e-2  # misfit of a curve up to which it is one neuron's; where nothing is left
EXACT = 1e-7  # misfit up to which the fit is believed, relative to the spread of the answers


def extract(
    oracle: Any,
    *,
    rng: Any = None,
    activation: str,
    hidden: int | None = None,
    tolerance: float = 1e-6,
) -> Result:
    """Steal a network with one hidden layer of smooth neurons; its width need not be known.

    1. subspace: gradients in a random sketch show how many neurons there are, and a subspace V
    2. hessians: in V the second derivatives become diagonal in the neurons' own directions
    3. lines: along such a direction one neuron moves alone and shows its scale and bias
    4. fit: Gauss-Newton on everything in V
    5. columns: A0 along all other directions, a small system of equations for each; and a check

    Costs about (d - h) (h / K + 1) + 2 h² / K + h² / 2 + 20 h + 1.5 (h² + K h) / K queries.
    activation : 'tanh', 'sigmoid' or 'softplus'. tanh z = 2 σ(2z) - 1, so that either of the first
        two fits a victim of the other
    hidden : the width, if it is known; saves the search for it
    tolerance : allowed error on fresh inputs, relative to the spread of the answers; never taken
        to be below a thousand times their rounding
    Needs linearly independent rows of A0, so h ≤ d (equal neurons count as one, dead ones as
    none), and inputs x ~ N(0, I) at which the neurons bend.
    Returns a verified `Result`; raises `ExtractionError` (which holds the partial result) or
    `BudgetExhausted`. A `trace` shows the subspace, Hessians, curves, misfits and columns.
    """
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"expected activation as one of {ACTIVATIONS}, got {activation!r}; direct.relu takes "
            "relu"
        )
    result = Result(trace=SimpleNamespace())
    try:
        return _story(oracle, np.random.default_rng(rng), activation, hidden, tolerance, result)
    finally:
        tell(result)


def tell(result: Result) -> None:
    """One line on what each stage found, as far as the attack came."""
    trace, told = result.trace, result.found
    if hasattr(trace, "space"):
        seen, wide = trace.space.axes.shape[1], trace.space.sketch
        told["subspace"] = f"{count(seen, 'neuron')}, seen in {count(wide, 'direction')}"
    if misfits := getattr(trace, "misfits", None):
        told["lines"] = f"scale and bias of each neuron, off by {misfits[0]:.1e}"
        told["fit"] = f"off by {misfits[-1]:.1e} after {count(len(misfits) - 1, 'step')}"
    if hasattr(trace, "columns"):
        off = float(trace.columns.misfit.max(initial=0))
        told["columns"] = f"all other input weights, off by {off:.1e}"


def _story(
    oracle: Any,
    rng: np.random.Generator,
    activation: str,
    hidden: int | None,
    tolerance: float,
    result: Result,
) -> Result:
    with result.stage("subspace", oracle):
        space = result.trace.space = find_subspace(oracle, rng, hidden)
    start = separate(oracle, space, activation, result, rng)
    with result.stage("fit", oracle):
        neurons, stations = fit_inside(oracle, space, start, result, rng)
    with result.stage("columns", oracle):
        columns = smooth_columns.measure(oracle, space, neurons, stations, rng)
        result.trace.columns, result.trace.inside = columns, neurons
        result.model = assemble(oracle, space, neurons, columns)
    same = verify(result, oracle, rng=rng, tolerance=tolerance, noise=space.noise)
    result.trace.errors = {
        "lines": result.trace.misfits[0],
        "fit": result.trace.misfits[-1],
        "columns": float(columns.misfit.max(initial=0)),
        "verify": result.error,
    }
    if not same:
        raise ExtractionError(
            "verify",
            f"the copy with {len(neurons.offsets)} neurons is off by {result.error:.2g}, so the "
            f"victim is not a network with one hidden {activation} layer, or some of its neurons "
            "are saturated wherever x ~ N(0, I), or the answers are too coarse",
            "check the activation, ask for more digits, or learn a copy from labelled data",
            partial=result,
        )
    return result


def separate(
    oracle: Any, space: Subspace, activation: str, result: Result, rng: np.random.Generator
) -> Neurons:
    """Stages 2 and 3: Hessians, at one point after another, until each direction has one neuron.

    Two self-checks, which need no knowledge of the victim: in the right directions all Hessians
    are diagonal, and the answers along each of them have the shape of σ. Where one fails, all is
    done again with sharper Hessians, and at further points.
    Returns neurons that are right to about 1e-3. Costs (h (h + 3) / 2 + 1) for each point, as many
    as are needed for three matrices, and 18 h queries for the lines.
    """
    trace, told = result.trace, ""
    for sharp, most, alone in ((False, PATIENCE, ALONE[0]), (True, POINTS, ALONE[1])):
        stack: list[Array] = []
        for taken, point in enumerate(space.points[:most], 1):
            with result.stage("hessians", oracle):
                stack.extend(hessians(oracle, space, point, sharp=sharp))
                if len(stack) < MATRICES:
                    continue
                rounding = measured_bends(space, np.array(stack), sharp)
                bends = find_directions(np.array(stack), taken, trace, rng)
            if trace.crosstalk < DIAGONAL:
                if (bends.max(axis=0) < CLEAR * rounding).any() and taken < PATIENCE:
                    continue  # a neuron that does not bend here may do so elsewhere
                with result.stage("lines", oracle):
                    starts, unit = where_they_bend(space, trace.duals, bends)
                    neurons, trace.curves = pull(
                        oracle, space, starts, trace.duals, unit, activation
                    )
                misfit = float(trace.curves.misfit.max())
                if misfit < alone:
                    return neurons
                told = f"along one the answers are no {activation} (off by {misfit:.1g})"
            else:
                told = f"the Hessians have no common axes (crosstalk {trace.crosstalk:.1g})"
            if not sharp:
                break
    d, h = space.axes.shape
    raise ExtractionError(
        "hessians",
        f"expected {h} neurons of {activation}, each with a direction of its own, but {told}",
        "check the activation; also the victim may have more hidden layers"
        + (f", more neurons than its {d} inputs" if h == d else "")
        + ", neurons that depend on one another (parallel rows), or some that are hardly felt",
        partial=result,
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


def where_they_bend(space: Subspace, duals: Array, bends: Array) -> tuple[Array, float]:
    """For each neuron the point at which it bends most, and how far one has to go. No queries.

        |∂f| / |∂²f| along w_i  =  σ'(z_i) / s_i |σ''(z_i)|,    and the middle one of all neurons

    bends : (p, h) sizes of the second derivatives at the first p points
    Returns (h, h) points y, and a length.
    """
    best = bends.argmax(axis=0)
    slopes = np.linalg.norm(space.gradients @ duals, axis=1)[best, np.arange(len(best))]
    unit = float(np.median(slopes / np.maximum(bends.max(axis=0), 1e-300)))
    return space.points[best], unit


def fit_inside(
    oracle: Any, space: Subspace, neurons: Neurons, result: Result, rng: np.random.Generator
) -> tuple[Neurons, Array]:
    """Stage 4: Gauss-Newton on fresh points all over the bends.

    Among the points are those which stage 5 will use, so that the fit is right there.
    Returns the neurons in the subspace and these points. Costs about 1.5 (h² + K h) / K queries.
    """
    h, result.trace.start = len(neurons.offsets), neurons
    stations, _ = smooth_columns.stations(neurons, rng)
    y = np.concatenate([stations, smooth_fit.spread(neurons, rng)])
    answers = ask(oracle, y @ space.axes.T)
    neurons, misfits = smooth_fit.refine(neurons, y, answers, space.noise)
    result.trace.misfits = misfits
    allowed = max(EXACT * float(answers.std(axis=0).max()), 100 * space.noise)
    if not misfits[-1] <= allowed:
        raise ExtractionError(
            "fit",
            f"expected {h} {neurons.activation} neurons to explain all answers in their subspace, "
            f"but they are off by {misfits[-1]:.1g}",
            "check the activation, and that the victim has one hidden layer",
            partial=result,
        )
    return neurons, stations


def assemble(oracle: Any, space: Subspace, neurons: Neurons, columns: Columns) -> Network:
    """A0 = B Vᵀ + C Qᵀ from inside and across the subspace; A1 and b1 for all K outputs.

    Where the victim tells probabilities, the outputs have mean 0 over the classes.
    """
    a0 = neurons.rows @ space.axes.T + columns.columns @ columns.directions.T
    outputs = oracle.outputs or len(neurons.bias)
    free = free_directions(oracle, outputs)
    return zoo.given(
        [(a0, neurons.offsets), (free @ neurons.weights, free @ neurons.bias)], neurons.activation
    )
