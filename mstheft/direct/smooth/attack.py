"""One hidden layer of tanh, sigmoid or softplus neurons, stolen by its derivatives.

    f(x) = A1 σ(A0 x + b0) + b1

Such a network bends everywhere and has no kinks. What it has instead: on any subspace of the inputs
it is a network of the same neurons, and its second derivatives tell them apart.
`extract` tells the story; each stage is a function that can be called, drawn and taught alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.diagnosis import diagnosed
from mstheft.direct.answers.reader import Reader, as_single, check_width, reader
from mstheft.direct.box import limits
from mstheft.direct.polishing.polish import Polished, polish
from mstheft.direct.smooth import fit as smooth_fit
from mstheft.direct.smooth import input_weights
from mstheft.direct.smooth.hessians import Directions
from mstheft.direct.smooth.input_weights import InputWeights
from mstheft.direct.smooth.lines import Curves, SmoothNetwork
from mstheft.direct.smooth.separate import separate
from mstheft.direct.smooth.subspace import Subspace, ask, find_subspace, free_directions
from mstheft.direct.verify import checked, verify, verify_to_noise
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.nn.network import Network
from mstheft.result import Result, count
from mstheft.typing import Array, Oracle, Rng

ACTIVATIONS = ("tanh", "sigmoid", "softplus")
SCALES = 1.0, 0.1, 4.0  # of the inputs asked: nearer the origin where neurons are saturated, and
COARSE = 1.0, 4.0, 0.1  # farther out where they bend so little that noise hides it: these first
POLISH = 2.5  # random rows for the polishing of coarse answers, in F
CHECKS = 200  # fresh rows on which a polished copy is judged


@dataclass
class Trace:
    """What each stage saw, None where the attack did not come so far.

    start, inside : the network in the subspace before and after the fit
    misfits : of the fit, before and after each step
    polished : of coarse answers; errors : {stage: how far its network is off}
    """

    space: Subspace | None = None
    directions: Directions | None = None
    curves: Curves | None = None
    start: SmoothNetwork | None = None
    misfits: list[float] = field(default_factory=list)
    inside: SmoothNetwork | None = None
    input_weights: InputWeights | None = None
    polished: Polished | None = None
    errors: dict[str, float] = field(default_factory=dict)


@diagnosed
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
    6. polish: where answers are coarser than float64, all weights on random rows, to their noise

    Costs about (d - h) (h / K + 1) + 2 h² / K + h² / 2 + 20 h + 1.5 (h² + K h) / K queries,
    and 2.5 F where answers are coarse.
    activation : 'tanh', 'sigmoid' or 'softplus'. tanh z = 2 σ(2z) - 1, so that either of the first
        two fits a victim of the other
    hidden : the width, if it is known: saves the search for it, and more neurons are an error
    tolerance : allowed error on fresh inputs, relative to the spread of the answers; never taken
        to be below a thousand times their rounding
    Needs linearly independent rows of A0, so h ≤ d (equal neurons count as one, dead ones as
    none), and inputs at which the neurons bend: x ~ N(0, I); where that fails N(0, 0.01 I), for
    neurons that are saturated at the former, and N(0, 16 I), for those whose bends drown in noise.
    Returns a verified `Result`; raises `ExtractionError` (which holds the partial result) or
    `BudgetExhausted`.
    """
    check_width(hidden)
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"expected activation= as one of {ACTIVATIONS}, got {activation!r}; see direct.relu"
        )
    rng, tolerance, result = np.random.default_rng(rng), checked(tolerance), Result()
    if limits(oracle, None, None) is not None:
        why = "pulls neurons far along lines, but the oracle takes no rows outside its walls"
        raise ExtractionError("subspace", why, "learn a copy with learning.active")
    failures: list[tuple[bool, ExtractionError]] = []
    scales = list(SCALES)
    while scales:
        scale = scales.pop(0)
        result = Result(queries=result.queries, seconds=result.seconds, trace=Trace())
        try:
            return _attempt(oracle, rng, activation, hidden, tolerance, scale, result)
        except ExtractionError as error:
            if error.stage == "answers":  # nearer or farther they are no better
                raise
            failures.append((result.model is None, error))
            space = result.trace.space
            if len(failures) == 1 and space is not None and space.is_coarse:
                scales = list(COARSE[1:])
        finally:
            describe(result)
    raise min(failures, key=lambda each: each[0])[1]  # the first, unless only the second has a copy


def _attempt(
    oracle: Oracle,
    rng: Generator,
    activation: str,
    hidden: int | None,
    tolerance: float,
    scale: float,
    result: Result,
) -> Result:
    trace = result.trace
    with result.stage("subspace", oracle):
        oracle = reader(oracle, *scale * rng.normal(size=(2, oracle.inputs)))
        oracle.warn(result)
        space = trace.space = find_subspace(oracle, rng, hidden, scale)  # 1
    start = separate(oracle, space, activation, result, rng)  # 2 and 3
    with result.stage("fit", oracle):
        network, sites = fit_inside(oracle, space, start, result, rng)  # 4
    with result.stage("columns", oracle):
        across = input_weights.measure(oracle, space, network, sites, rng)  # 5
        trace.input_weights, trace.inside = across, network
        result.model = assemble(oracle, space, network, across)
    if oracle.is_exact:
        verify(result, oracle, rng=rng, tolerance=tolerance, noise=space.noise)
    else:
        with result.stage("polish", oracle):
            trace.polished = polish_copy(oracle, result, rng)  # 6
        rows = as_single(rng.normal(size=(CHECKS, oracle.inputs)))
        verify_to_noise(result, oracle, rows, trace.polished)
    trace.errors = {
        "lines": trace.misfits[0],
        "fit": trace.misfits[-1],
        "columns": float(across.misfit.max(initial=0)),
        "verify": result.error,
    }
    if not result.verified:
        raise ExtractionError(
            "verify",
            f"the copy of {len(network.offsets)} {activation} neurons is off by {result.error:.2g}",
            "check the activation, ask for more digits, or learn a copy: neurons may be saturated",
            partial=result,
        )
    return result


def polish_copy(oracle: Reader, result: Result, rng: Generator) -> Polished:
    """Stage 6: Gauss-Newton in all weights, on random rows, down to the noise of the answers.

    Costs 2.5 F queries.
    """
    n = int(np.ceil(POLISH * result.floor))
    x = as_single(rng.normal(size=(n, oracle.inputs)))
    answers = oracle.query(x)
    polished = polish(
        result.model, x, answers, output=oracle.output, noise=oracle.declared, rng=rng
    )
    result.model = polished.model
    return polished


def fit_inside(
    oracle: Oracle, space: Subspace, start: SmoothNetwork, result: Result, rng: Generator
) -> tuple[SmoothNetwork, Array]:
    """Stage 4: Gauss-Newton on fresh points all over the bends.

    Among the points are the sites which stage 5 will use, so that the fit is right there.
    Returns the network in the subspace and these sites. Costs about 1.5 (h² + K h) / K queries.
    """
    result.trace.start = start
    sites = input_weights.choose_sites(start, rng)
    y = np.concatenate([sites, smooth_fit.spread(start, rng)])
    answers = ask(oracle, y @ space.axes.T)
    network, misfits = smooth_fit.refine(start, y, answers, space.noise)
    result.trace.misfits = misfits
    allowed = max(smooth_fit.NEAR * float(answers.std(axis=0).max()), 100 * space.noise)
    if not misfits[-1] <= allowed:
        raise ExtractionError(
            "fit",
            f"{len(start.offsets)} {start.name} neurons miss answers by up to {misfits[-1]:.1g}",
            "check the activation and the number of hidden layers; neurons may be saturated",
        )
    return network, sites


def assemble(
    oracle: Oracle, space: Subspace, network: SmoothNetwork, across: InputWeights
) -> Network:
    """A0 = B Vᵀ + C Qᵀ from inside and across the subspace; A1 and b1 for all K outputs.

    Where the victim answers probabilities, the outputs have mean 0 over the classes.
    """
    a0 = network.rows @ space.axes.T + across.weights @ across.directions.T
    outputs = oracle.outputs or len(network.bias)
    free = free_directions(oracle, outputs)
    return zoo.given(
        [(a0, network.offsets), (free @ network.weights, free @ network.bias)], network.name
    )


def describe(result: Result) -> None:
    """One line on what each stage found, as far as the attack came."""
    trace, notes = result.trace, result.notes
    if trace.space is not None:
        seen, wide = trace.space.axes.shape[1], trace.space.sketch
        notes["subspace"] = f"{count(seen, 'neuron')}, seen in {count(wide, 'direction')}"
    if trace.misfits:
        steps = count(len(trace.misfits) - 1, "step")
        notes["lines"] = f"scale and bias of each neuron, off by {trace.misfits[0]:.1e}"
        notes["fit"] = f"off by {trace.misfits[-1]:.1e} after {steps}"
    if trace.polished is not None:
        misfit = trace.polished.misfit
        notes["polish"] = f"misfit {misfit[0]:.1e}, then {misfit[-1]:.1e}: {trace.polished.kind}"
    if trace.input_weights is not None:
        off = float(trace.input_weights.misfit.max(initial=0))
        notes["columns"] = f"all other input weights, off by {off:.1e}"
