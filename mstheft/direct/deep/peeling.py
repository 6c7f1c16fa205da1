"""The fast way, for h1 ≤ d: the first layer's active sides, then what lies behind, in the orthant.

peeled          the stages, for two hidden layers; `third_layer` has those for three
orientation     stage 4; second_layer  stage 5; mend  stage 6
polished        a copy that is close is fitted to what was asked
"""

from __future__ import annotations

from numpy.random import Generator

from mstheft.direct.answers.reader import Reader
from mstheft.direct.deep import failures as deep_failures
from mstheft.direct.deep import first_layer as deep_first
from mstheft.direct.deep import layers as deep_layers
from mstheft.direct.deep import segments, whole
from mstheft.direct.deep import third_layer as deep_third
from mstheft.direct.deep.second_layer import Orthant, finish, new_result, sweep_segment, unexplained
from mstheft.direct.deep.verification import thorough
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.nn import zoo
from mstheft.result import Result

SEGMENTS = 24  # segments in the orthant at a time
WITNESSES = 12  # segments that lead to where the copy is wrong, before each check
FEW, MANY = (100, 0, 0), (1000, 0, 100)  # rows of the last check, where `mend` has asked others
FINE, CLOSE = 1e-8, 1e-3  # of the answers' spread: a copy that is off by less is exact; whole
AGAINST = 0.15  # share of votes against an orientation from which it is not believed


def peeled(
    oracle: Reader, rng: Generator, result: Result, planes: Hyperplanes, tolerance: float
) -> None:
    """The fast way, for two or three hidden layers and h1 ≤ d: orientation, orthant, check."""
    orientation(result, planes)
    if result.trace.layers == 3:
        return deep_third.two_more_layers(oracle, rng, result, tolerance)
    second_layer(oracle, rng, result)
    if not unexplained(result.trace.searched, result.trace.votes.first, result.trace.second):
        mend(oracle, rng, result, tolerance)
        noise, near = result.trace.searched[0].line.noise, oracle.output == "logits"
        thorough(oracle, rng, result, tolerance, noise, FEW if near else MANY)
        if near:
            polished(oracle, rng, result, tolerance)


def polished(oracle: Reader, rng: Generator, result: Result, tolerance: float) -> None:
    """A copy that the last check has found close, but not exact, is fitted and checked again.

    One that is verified is fitted to what has been asked, where that is enough, and costs a check.
    """
    asked, before = result.trace.checks[-1].within(whole.NEAR), vars(result).copy()
    off = result.error / asked.within(1).answers.std()
    enough = len(asked.x) >= whole.rows_to_polish(result.model)
    if FINE < off < CLOSE and (enough or not result.verified):
        whole.polished(oracle, rng, result, asked)
        noise = result.trace.searched[0].line.noise
        if not thorough(oracle, rng, result, tolerance, noise, FEW) and before["verified"]:
            result.model, result.error = before["model"], before["error"]
            result.verified = True


def orientation(result: Result, planes: Hyperplanes) -> None:
    """Stage 4. `trace.votes`, and `trace.groups` of output directions; what lies behind is new."""
    trace = result.trace
    trace.groups = deep_layers.groups(trace.searched)
    trace.votes = deep_first.vote(trace.searched, planes)
    if (trace.votes.against > AGAINST).any():
        raise deep_failures.failed("orientation", deep_failures.UNSURE, result)
    trace.second = new_result(len(planes))


def second_layer(oracle: Reader, rng: Generator, result: Result) -> None:
    """Stage 5. Segments in the orthant until every kink of the lines is explained; `trace.second`.

    Signs that do not come out as ±1 betray a neuron that no segment has shown; then some more lead
    into the corners.
    """
    trace = result.trace
    view, inner = Orthant(oracle, trace.votes.first), trace.second
    tried: set[tuple[int, int] | None] = set()
    with result.stage("second layer", oracle):
        for n in range(SEGMENTS):
            kinks = unexplained(trace.searched, view.first, inner)
            kinks = [each for each in kinks if each not in tried]
            if n and not kinks:
                break
            pair, kink = segments.next_segment(rng, trace.searched, trace.votes, inner, kinks)
            tried.add(kink)
            sweep_segment(view, pair, inner)
        if not len(inner.trace.neurons):
            raise deep_failures.failed("second layer", deep_failures.NO_SECOND, result)
        if not finish(inner):
            for pair in segments.corners(rng, inner):
                sweep_segment(view, pair, inner)
            finish(inner)
    assemble(result)


def mend(oracle: Reader, rng: Generator, result: Result, tolerance: float) -> None:
    """Stage 6. Rows of inputs are asked, and segments lead from right answers to wrong ones.

    The hyperplane of a neuron that no line and no segment has shown, as it is seldom on, lies
    between the hidden values of a row at which the copy is right and of one at which it is wrong.
    Costs 101 + h1 queries, and a segment for each time that it was wrong.
    """
    trace = result.trace
    view = Orthant(oracle, trace.votes.first)
    with result.stage("witness", oracle):
        trace.checks.append(segments.checks(view, rng, result.model, tolerance))
        for _ in range(WITNESSES):
            pair = segments.witness(rng, trace.checks, view, result.model, tolerance)
            if pair is None:
                return
            sweep_segment(view, pair, trace.second)
            finish(trace.second)
            assemble(result)


def assemble(result: Result) -> None:
    """The whole copy, out of its first layer and the network behind it."""
    first, inner = result.trace.votes.first, result.trace.second
    if not len(inner.trace.neurons):  # the last segment has disproved all of them
        raise deep_failures.failed("second layer", deep_failures.NO_SECOND, result)
    result.model = zoo.given([(first.A0, first.b0), *inner.model.dense()])
