"""One hidden layer of tanh, sigmoid or softplus neurons, stolen by its derivatives.

    f(x) = A1 σ(A0 x + b0) + b1

Such a network bends everywhere and has no kinks to look for. What it has instead: on any subspace
of the inputs it is a network of the same neurons, and its second derivatives tell them apart.
`extract` tells the story; each stage is a function that can be called, drawn and taught alone.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from mstheft.direct.answers import check_width
from mstheft.direct.smooth import columns as smooth_columns
from mstheft.direct.smooth import fit as smooth_fit
from mstheft.direct.smooth.columns import Columns
from mstheft.direct.smooth.lines import Neurons
from mstheft.direct.smooth.separate import separate
from mstheft.direct.smooth.subspace import Subspace, ask, find_subspace, free_directions
from mstheft.direct.verify import checked, verify
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.nn.network import Network
from mstheft.result import Result, count
from mstheft.typing import Array, Oracle, Rng

ACTIVATIONS = ("tanh", "sigmoid", "softplus")
SCALES = 1.0, 0.1  # of the inputs looked at: where neurons are saturated, then nearer the origin
EXACT = 1e-7  # misfit up to which the fit is believed, relative to the spread of the answers


def extract(
    oracle: Oracle,
    *,
    rng: Rng = None,
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
    hidden : the width, if it is known: saves the search for it, and more neurons are an error
    tolerance : allowed error on fresh inputs, relative to the spread of the answers; never taken
        to be below a thousand times their rounding
    Needs linearly independent rows of A0, so h ≤ d (equal neurons count as one, dead ones as
    none), and inputs at which the neurons bend: x ~ N(0, I), or N(0, 0.01 I) in a second attempt
    where the first fails, as it does when many neurons are saturated at the former.
    Returns a verified `Result`; raises `ExtractionError` (which holds the partial result) or
    `BudgetExhausted`. A `trace` shows the subspace, Hessians, curves, misfits and columns.
    """
    check_width(hidden)
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"expected activation as one of {ACTIVATIONS}, got {activation!r}; direct.relu takes "
            "relu"
        )
    rng, tolerance, result = np.random.default_rng(rng), checked(tolerance), Result()
    failures: list[tuple[bool, ExtractionError]] = []
    for scale in SCALES:
        result = Result(queries=result.queries, seconds=result.seconds, trace=SimpleNamespace())
        try:
            return _story(oracle, rng, activation, hidden, tolerance, scale, result)
        except ExtractionError as error:
            failures.append((result.model is None, error))
        finally:
            tell(result)
    raise min(failures, key=lambda each: each[0])[1]  # the first, unless only the second has a copy


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
    oracle: Oracle,
    rng: np.random.Generator,
    activation: str,
    hidden: int | None,
    tolerance: float,
    scale: float,
    result: Result,
) -> Result:
    trace = result.trace
    with result.stage("subspace", oracle):
        space = trace.space = find_subspace(oracle, rng, hidden, scale)
    start = separate(oracle, space, activation, result, rng)
    with result.stage("fit", oracle):
        neurons, stations = fit_inside(oracle, space, start, result, rng)
    with result.stage("columns", oracle):
        columns = smooth_columns.measure(oracle, space, neurons, stations, rng)
        trace.columns, trace.inside = columns, neurons
        result.model = assemble(oracle, space, neurons, columns)
    same = verify(result, oracle, rng=rng, tolerance=tolerance, noise=space.noise)
    trace.errors = {
        "lines": trace.misfits[0],
        "fit": trace.misfits[-1],
        "columns": float(columns.misfit.max(initial=0)),
        "verify": result.error,
    }
    if not same:
        raise _differs(len(neurons.offsets), activation, result)
    return result


def _differs(h: int, activation: str, result: Result) -> ExtractionError:
    return ExtractionError(
        "verify",
        f"the copy with {count(h, 'neuron')} is off by {result.error:.2g}, so the victim is not a "
        f"network with one hidden {activation} layer, or some of its neurons are saturated "
        "wherever x ~ N(0, I), or the answers are too coarse",
        "check the activation, ask for more digits, or learn a copy from labelled data",
        partial=result,
    )


def fit_inside(
    oracle: Oracle, space: Subspace, neurons: Neurons, result: Result, rng: np.random.Generator
) -> tuple[Neurons, Array]:
    """Stage 4: Gauss-Newton on fresh points all over the bends.

    Among the points are those which stage 5 will use, so that the fit is right there.
    Returns the neurons in the subspace and these points. Costs about 1.5 (h² + K h) / K queries.
    """
    h, result.trace.start = len(neurons.offsets), neurons
    stations = smooth_columns.stations(neurons, rng)
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
            "check the activation, and that the victim has one hidden layer; some of its neurons "
            "may be saturated where x ~ N(0, I)",
            partial=result,
        )
    return neurons, stations


def assemble(oracle: Oracle, space: Subspace, neurons: Neurons, columns: Columns) -> Network:
    """A0 = B Vᵀ + C Qᵀ from inside and across the subspace; A1 and b1 for all K outputs.

    Where the victim tells probabilities, the outputs have mean 0 over the classes.
    """
    a0 = neurons.rows @ space.axes.T + columns.columns @ columns.directions.T
    outputs = oracle.outputs or len(neurons.bias)
    free = free_directions(oracle, outputs)
    return zoo.given(
        [(a0, neurons.offsets), (free @ neurons.weights, free @ neurons.bias)], neurons.activation
    )
