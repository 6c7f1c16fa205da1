"""Exact copies of ReLU networks with two or three hidden layers: peeling from both ends.

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

from types import SimpleNamespace
from typing import Any

import numpy as np

from mstheft.direct.deep import failures as deep_failures
from mstheft.direct.deep import first_layer as deep_first
from mstheft.direct.deep import kinks as deep_kinks
from mstheft.direct.deep import layers as deep_layers
from mstheft.direct.deep import segments as deep_aims
from mstheft.direct.deep import third_layer as deep_third
from mstheft.direct.deep.second_layer import Orthant, finish, new_result, sweep_segment, unexplained
from mstheft.direct.verify import checked, verify
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.result import Result, count
from mstheft.typing import Oracle, Rng

LINES = 3  # lines searched at first: one to measure on, two to tell the layers
MOST_LINES = 8
SEGMENTS = 24  # segments in the orthant at a time
WITNESSES = 12  # segments that lead to where the copy is wrong, before each check
ENDINGS = 4  # checks on fresh inputs before the attack gives up
AGAINST = 0.15  # share of votes against an orientation from which it is not believed
ENOUGH = 0.8  # share of second-layer rows inside of A0's span: where all else has failed


def extract(
    oracle: Oracle,
    *,
    rng: Rng = None,
    hidden: Any = None,
    layers: int | None = None,
    low: Any = None,
    high: Any = None,
    tolerance: float = 1e-6,
) -> Result:
    """Steal a network with two, or three, hidden ReLU layers and K > 1 outputs.

    1. all kinks of three random lines     2. pairs (g, a) on the first, from grouped Jacobians
    3. which layer: whose hyperplane bends the other lines too?
    4. orientation of the first layer, from zero coefficients of second-layer kinks
    5. the second layer by the sweep on segments in the positive orthant of hidden values, until
       every kink of the lines has its row; its orientations, and the last layer
    6. segments to where the copy is still wrong, and a check on fresh inputs

    It needs independent rows of A0, so that h1 ≤ d, K > 1, unbounded inputs, and answers that are
    not rounded much. h2 may be any width. A neuron of the second layer that never switches is
    carried as pairs of opposite neurons: the copy may be wider than the victim. With h1 = 1 it is
    a network with one hidden layer, for `sweep`. Stages 3 and 4 cost no query.
    F = (weights + K) / K is the floor; see `Result.floor`.

    hidden : the widths (h1, h2), if they are known: more neurons than that are an error
    layers : 2 unless said, or 3; then also h2 ≤ h1, and stages 5 and 6 are those of `deep_third`
    low, high : walls, as in `sweep`, are refused: hidden values of any size have to be produced
    tolerance : allowed error on fresh inputs, relative to the spread of the answers
    Costs about 17 (h1 + 1.3 h2) + (d + 1) ((h1 + 1.3 h2) / K + 2) + (30 to 45) h2 + h1 + 200
    queries: 7 F for 64-32-16-10, 2.8 F for 784-32-16-10, 2.3 F for 784-128-64-10.
    Returns a verified `Result`; raises `ExtractionError` that names layer and stage and holds the
    partial result, or `BudgetExhausted`.
    """
    rng, widths = np.random.default_rng(rng), deep_failures.widths_of(hidden)
    layers = deep_failures.depth_of(layers, widths)
    deep_failures.refuse_walls(low, high)
    tolerance = checked(tolerance)
    result = Result(trace=SimpleNamespace(seen=[], votes=None, second=None, groups=None, checks=[]))
    try:
        first_layer(oracle, rng, result, widths)
        if layers == 3:
            return deep_third.two_more_layers(oracle, rng, result, widths, tolerance)
        noise = result.trace.seen[0].line.noise
        for _ in range(ENDINGS):
            second_layer(oracle, rng, result, widths)
            mend(oracle, rng, result, tolerance)
            if verify(result, oracle, rng=rng, tolerance=tolerance, noise=noise):
                return result
            another_line(oracle, rng, result, widths)
    except ExtractionError as error:
        raise deep_failures.with_layer(error, result) from error
    finally:
        tell(result)
    raise deep_failures.failed("verify", deep_failures.UNVERIFIED, result)


def first_layer(oracle: Oracle, rng: np.random.Generator, result: Result, widths: Any) -> None:
    """Stages 1 to 4: lines, rows, layers, orientation; `trace.seen` and `trace.votes`.

    More lines are searched while a kink's layer is in doubt, and another one is measured while rows
    of second-layer kinks show that a row of the first layer is missing.
    """
    seen = result.trace.seen
    with result.stage("lines", oracle):
        seen += [deep_kinks.look(oracle, rng) for _ in range(LINES)]
    deep_failures.check_outputs(result)
    for n in range(LINES):
        with result.stage("jacobians", oracle):
            deep_kinks.measure_rows(oracle, seen[n])
            deep_first.find(seen)
            deep_kinks.measure_faint(oracle, seen[n])
        with result.stage("lines", oracle):
            while len(seen) < MOST_LINES and deep_first.unclear(seen, n):
                seen.append(deep_kinks.look(oracle, rng))
        planes = deep_first.find(seen)
        deep_failures.check_first(planes, result, widths)
        if deep_first.complete(seen, planes.rows, 1.0 if n < LINES - 1 else ENOUGH):
            break
        deep_first.take_known(seen, planes)
    else:
        raise deep_failures.failed("layers", deep_failures.MISSING_ROWS, result)
    orientation(result, planes)


def orientation(result: Result, planes: deep_layers.Planes) -> None:
    """Stage 4. `trace.votes`, and `trace.groups` of output directions; what lies behind is new."""
    trace = result.trace
    trace.groups = deep_layers.groups(trace.seen)
    trace.votes = deep_first.vote(trace.seen, planes)
    if (trace.votes.against > AGAINST).any():
        raise deep_failures.failed("orientation", deep_failures.UNSURE, result)
    trace.second = new_result(len(planes.rows))


def second_layer(oracle: Oracle, rng: np.random.Generator, result: Result, widths: Any) -> None:
    """Stage 5. Segments in the orthant until every kink of the lines is explained; `trace.second`.

    Signs that do not come out as ±1 tell of a neuron that no segment has shown; then some more lead
    into the corners.
    """
    trace = result.trace
    view, inner = Orthant(oracle, trace.votes.first), trace.second
    tried: set[tuple[int, int] | None] = set()
    with result.stage("second layer", oracle):
        for n in range(SEGMENTS):
            kinks = unexplained(trace.seen, view.first, inner)
            kinks = [each for each in kinks if each not in tried]
            if n and not kinks:
                break
            two, kink = deep_aims.next_segment(rng, trace.seen, trace.votes, inner, kinks)
            tried.add(kink)
            sweep_segment(view, two, inner)
        if not len(inner.trace.neurons.rows):
            raise deep_failures.failed("second layer", deep_failures.NO_SECOND, result)
        if not finish(inner):
            for two in deep_aims.corners(rng, inner):
                sweep_segment(view, two, inner)
            finish(inner)
    assemble(result)
    found = len(inner.trace.neurons.rows)
    if widths is not None and found > widths[1]:
        raise deep_failures.too_many(2, found, widths, result)


def mend(oracle: Oracle, rng: np.random.Generator, result: Result, tolerance: float) -> None:
    """Stage 6. Rows of inputs are asked, and segments lead from right answers to wrong ones.

    The hyperplane of a neuron that no line and no segment has shown, as it is seldom on, lies
    between the hidden values of a row at which the copy is right and of one at which it is wrong.
    Costs 101 + h1 queries, and a segment for each time that it was wrong.
    """
    trace = result.trace
    view = Orthant(oracle, trace.votes.first)
    with result.stage("witness", oracle):
        trace.checks.append(deep_aims.checks(view, rng, result.model, tolerance))
        for _ in range(WITNESSES):
            two = deep_aims.witness(rng, trace.checks, view, result.model, tolerance)
            if two is None:
                return
            sweep_segment(view, two, trace.second)
            finish(trace.second)
            assemble(result)


def assemble(result: Result) -> None:
    """The whole copy, out of its first layer and the network behind it."""
    first = result.trace.votes.first
    if not len(
        result.trace.second.trace.neurons.rows
    ):  # the last segment has disproved all of them
        raise deep_failures.failed("second layer", deep_failures.NO_SECOND, result)
    result.model = zoo.given([(first.A0, first.b0), *result.trace.second.model.dense()])


def another_line(oracle: Oracle, rng: np.random.Generator, result: Result, widths: Any) -> None:
    """A new line, and the rows of the line with the most unexplained kinks: is A0 complete?

    Where all of the second layer is off, a neuron of the first does not show. If one more is found
    everything behind it is measured again.
    """
    trace = result.trace
    with result.stage("lines", oracle):
        trace.seen.append(deep_kinks.look(oracle, rng))
    deep_first.take_known(trace.seen, deep_first.find(trace.seen))
    kinks = unexplained(trace.seen, trace.votes.first, trace.second)
    if not kinks:
        return
    most = int(np.bincount([line for line, _ in kinks]).argmax())
    with result.stage("jacobians", oracle):
        deep_kinks.measure_rows(oracle, trace.seen[most])
    planes = deep_first.find(trace.seen)
    deep_failures.check_first(planes, result, widths)
    if len(planes.rows) != len(trace.votes.first.A0):
        orientation(result, planes)


def tell(result: Result) -> None:
    """One line on what each stage found, as far as the attack came."""
    trace, told = result.trace, result.found
    if trace.seen:
        kinks = sum(len(bends.line.kinks) for bends in trace.seen)
        told["lines"] = f"{count(kinks, 'kink')} on {count(len(trace.seen), 'line')}"
        told["jacobians"] = count(sum(len(bends.stands) for bends in trace.seen), "Jacobian")
    if trace.votes is not None:
        told["layers"] = (
            f"{count(len(trace.votes.beta[0]), 'neuron')} in the first layer, "
            f"{count(len(trace.groups), 'output direction')} of the second"
        )
        told["orientation"] = f"{count(len(trace.votes.beta), 'kink')} voted"
    if trace.second is not None and trace.second.trace.lines:
        inner = trace.second.trace
        told["second layer"] = (
            f"{count(len(inner.neurons.rows), 'neuron')} on {count(len(inner.lines), 'segment')}"
        )
