"""Exact copies of ReLU networks with two or more hidden layers: peeling from both ends.

    f(x) = A2 relu(A1 relu(A0 x + b0) + b1) + b2

Whose kink is this? A neuron of the first layer bends every line where its one hyperplane is; a
neuron of the second bends along it in different places, but always in the same output direction.
That tells the layers apart; then the kinks of the second layer tell which side of each first-layer
neuron is the active one; then any hidden value can be produced, and what is left is a network with
one hidden layer, for the sweep. `extract` tells the story; each stage can be called alone.
The method is this project's own; literature for one output: Carlini, Jagielski and Mironov,
CRYPTO 2020; Rolnick and Körding, ICML 2020; Canales-Martínez et al., EUROCRYPT 2024.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.diagnosis import diagnosed
from mstheft.direct.answers.reader import Reader, reader
from mstheft.direct.deep import failures as deep_failures
from mstheft.direct.deep import first_layer as deep_first
from mstheft.direct.deep import kinks as deep_kinks
from mstheft.direct.deep import layers as deep_layers
from mstheft.direct.deep import learned, peeling, segments, whole
from mstheft.direct.deep.failures import Widths
from mstheft.direct.deep.first_layer import Votes
from mstheft.direct.deep.kinks import LineKinks
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.direct.polishing.finish import Polishing
from mstheft.direct.sweep import attack as sweep
from mstheft.direct.verify import checked
from mstheft.errors import ExtractionError
from mstheft.result import Result, count
from mstheft.typing import Array, Oracle, Rng

METHODS = None, "fast", "lifting", "students"
LINES = 3  # lines searched at first: one to measure on, two to tell the layers
MOST_LINES = 8
AGAIN = "layers", "verify"  # stages after whose failure new lines are worth a try
PARALLEL = 1e-6  # second singular value of rows that are parallel
ENOUGH = 0.8  # share of second-layer rows inside of A0's span: where all else has failed


@dataclass
class Trace:
    """What the stages saw.

    layers : hidden ones, 2 or more; 0 before that is known
    searched : the kinks of each line; votes : what they show of the first layer
    groups : (m, K) output directions of second-layer neurons
    second : the sweep of what lies behind the first layer; checks : rows asked to judge the copy
    one_sided : (layer, neuron) of the copy that no random row of the last check has seen switch
    inner, behind, third : the same for three hidden layers: the kinks of each segment, what they
        show of the second layer, and the sweep of what lies behind that
    lifted : where that way failed, the boundaries of each layer from the second, and what is before
    polishing : where answers are coarse, the rows that students learned, and the last polish
    """

    layers: int
    searched: list[LineKinks] = field(default_factory=list)
    votes: Votes | None = None
    groups: Array | None = None
    second: Result | None = None
    checks: list[segments.Checks] = field(default_factory=list)
    one_sided: list[tuple[int, int]] = field(default_factory=list)
    inner: list[LineKinks] = field(default_factory=list)
    behind: Votes | None = None
    third: Result | None = None
    lifted: whole.Layers = field(default_factory=list)
    polishing: Polishing = field(default_factory=Polishing)


@diagnosed
def extract(
    oracle: Oracle,
    *,
    rng: Rng = None,
    hidden: Widths = None,
    layers: int | None = None,
    method: str | None = None,
    tolerance: float = 1e-6,
) -> Result:
    """Steal a network with two or more hidden ReLU layers and any number of outputs.

    1. all kinks of three random lines     2. pairs (g, a) on the first, from grouped Jacobians
    3. which layer: whose hyperplane bends the other lines too?
    4. orientation of the first layer, from zero coefficients of second-layer kinks
    5. the second layer by the sweep on segments in the positive orthant of hidden values, until
       every kink of the lines has its row; its orientations, and the last layer
    6. segments to where the copy is still wrong, and a check on fresh inputs

    Where answers are coarse (float32, decimals, chance) a student is learned instead, layer by
    layer, and polished to the noise: see `learned`. It asks random rows, h1 may be above d.

    These stages need independent rows of A0, so that h1 ≤ d, and unbounded inputs (hidden values of
    any size are produced). Where they fail, and from four hidden layers on, each layer is *lifted*:
    any widths and depth, see `whole`. A neuron that never switches is carried as a pair of opposite
    neurons, and so are signs that answers do not determine: the copy may be wider than the victim.
    With one input or h1 = 1 the victim is a function of one number, and goes to `sweep`.
    F = (weights + K) / K is the floor; see `Result.floor`.

    hidden : the widths (h1, h2), if they are known: more neurons than that are an error
    layers : how many are hidden. Unless given, the directions of the kinks tell 2 from more where
        there are several outputs. With 3, stages 5 and 6 are those of `third_layer`, for h2 ≤ h1
    method : one of these ways alone: 'fast' (orthant), 'lifting', 'students'. Unless given,
        students where answers are coarse; elsewhere the fast way, and lifting where that fails
    tolerance : allowed error on fresh inputs, relative to the spread of the answers
    Costs about 17 (h1 + 1.3 h2) + (d + 1) ((h1 + 1.3 h2) / K + 2) + (30 to 45) h2 + h1 + 100
    queries, and 100 + 2 (h1 + h2) for the last check: 7.3 F for 64-32-16-10, 2.8 F for
    784-32-16-10, 2.3 F for 784-128-64-10. Lifting costs 7 queries for each weight of a layer, and
    its check 2,100 and more: 28 F for 10-20-20-3. Where answers
    are coarse: 23 F for 64-32-16-10; narrow victims and 784-64-32-10 often fail so.
    Returns a verified `Result`; raises `ExtractionError` that names layer and stage and holds the
    partial result, or `BudgetExhausted`.
    """
    given = layers is not None or hidden is not None
    layers = deep_failures.check_arguments(hidden, layers)
    if method not in METHODS:
        raise ValueError(f"expected method= as one of {METHODS[1:]}, got {method!r}; leave it out")
    rng, tolerance = np.random.default_rng(rng), checked(tolerance)
    result = Result(trace=Trace(layers * given))
    try:
        with result.stage("lines", oracle):
            oracle = reader(oracle)
        oracle.warn(result)
        if method == "students" or (method is None and not oracle.is_exact):
            return learned.learned_copy(oracle, rng, result, hidden, layers)
        try:
            return exact_copy(oracle, rng, result, hidden, tolerance, method)
        except ExtractionError as error:
            if error.stage not in AGAIN:
                raise
            result.trace = Trace(layers * given)  # other lines may show more
            return exact_copy(oracle, rng, result, hidden, tolerance, method)
    except ExtractionError as error:
        raise deep_failures.with_layer(error, result) from error
    finally:
        describe(result)


def exact_copy(
    oracle: Reader,
    rng: Generator,
    result: Result,
    hidden: Widths,
    tolerance: float,
    method: str | None = None,
) -> Result:
    """The first layer, then the fast way, and the sure one where that fails."""
    planes, is_spanned = first_layer(oracle, rng, result)
    trace = result.trace
    trace.layers = trace.layers or depth(trace.searched)
    try:
        if is_parallel(trace.searched):
            swept(oracle, rng, result, tolerance)
        elif method == "fast" or (method is None and is_spanned and trace.layers <= 3):
            peeling.peeled(oracle, rng, result, planes, tolerance)
    except ExtractionError:
        if method == "fast":
            raise
        result.stopped = ""  # there is another way
    if not result.verified and method == "fast":
        raise deep_failures.failed("verify", deep_failures.UNVERIFIED, result)
    if not result.verified:
        whole.lifted(oracle, rng, result, planes, tolerance)
    deep_failures.check_widths(result, hidden)
    return result


def first_layer(oracle: Reader, rng: Generator, result: Result) -> tuple[Hyperplanes, bool]:
    """Lines, rows, and the first layer's hyperplanes; do they span the rows of the second layer's?

    More lines are searched while a kink's layer is in doubt, and where the rows are independent
    another one is measured while rows of second-layer kinks show that one is missing.
    """
    searched = result.trace.searched
    with result.stage("lines", oracle):
        searched += [deep_kinks.search_line(oracle, rng) for _ in range(LINES)]
    deep_failures.check_kinks(result)
    for n in range(LINES):
        with result.stage("jacobians", oracle):
            deep_kinks.measure_rows(oracle, searched[n])
            deep_first.find(searched)
            deep_kinks.measure_faint(oracle, searched[n])
        with result.stage("lines", oracle):
            doubt = np.flatnonzero(deep_layers.doubtful(searched, n))
            deep_kinks.ask_elsewhere(oracle, rng, searched[n], doubt)
            while len(searched) < MOST_LINES and deep_first.unclear(searched, n):
                searched.append(deep_kinks.search_line(oracle, rng))
        planes = deep_first.find(searched)
        is_spanned = deep_first.complete(searched, planes.rows, 1.0 if n < LINES - 1 else ENOUGH)
        if is_spanned and deep_first.independent(planes):
            return planes, True
        if is_spanned and deep_first.rank(planes) == oracle.inputs:
            return planes, False  # as many neurons as inputs, or more
        deep_first.take_known(searched, planes)
    return planes, False


def depth(searched: Sequence[LineKinks]) -> int:
    """2 hidden layers where nearly all kinks behind the first come in few directions g, else 3.

    With one output there is only one direction, and it says nothing: 2.
    """
    behind = [kinks.directions[kinks.first < 0] for kinks in searched]
    return 2 if deep_layers.common_directions(behind)[1] >= deep_layers.MOSTLY else 3


def is_parallel(searched: Sequence[LineKinks]) -> bool:
    """Are all measured rows parallel? A first layer of one neuron, or one input."""
    rows = np.vstack([kinks.rows[kinks.is_measured] for kinks in searched])
    size = np.linalg.svd(rows, compute_uv=False)
    enough = len(rows) > (rows.shape[1] > 1)
    return enough and bool((size[1:] < PARALLEL * size[0]).all())


def swept(oracle: Oracle, rng: Generator, result: Result, tolerance: float) -> None:
    """Parallel hyperplanes: the victim is a function of one number, and the sweep steals it."""
    other = sweep.extract(oracle, rng=rng, tolerance=tolerance)
    result.book(other)
    result.model, result.error, result.verified = other.model, other.error, other.verified
    result.notes["verify"] = other.notes["verify"]


def describe(result: Result) -> None:
    """One line on what each stage found, as far as the attack came."""
    trace, notes = result.trace, result.notes
    if trace.searched:
        kinks = sum(len(each.line.kinks) for each in trace.searched)
        notes["lines"] = f"{count(kinks, 'kink')} on {count(len(trace.searched), 'line')}"
        if sites := sum(len(each.sites) for each in trace.searched):
            notes["jacobians"] = count(sites, "Jacobian")
    if trace.votes is not None:
        notes["layers"] = (
            f"{count(len(trace.votes.beta[0]), 'neuron')} in the first layer, "
            f"{count(len(trace.groups), 'output direction')} of the second"
        )
        notes["orientation"] = f"{count(len(trace.votes.beta), 'kink')} voted"
    if trace.second is not None and trace.second.trace.lines:
        inner = trace.second.trace
        notes["second layer"] = (
            f"{count(len(inner.neurons), 'neuron')} on {count(len(inner.lines), 'segment')}"
        )
