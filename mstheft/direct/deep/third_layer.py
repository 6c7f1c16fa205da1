"""Three hidden layers: the same again behind the first, and where two layers are wholly on.

    f(x) = A3 relu(A2 relu(A1 φ + b1) + b2) + b3,    φ = relu(A0 x + b0)

In the positive orthant of hidden values φ this is a network with two hidden layers: segments there
tell its layers apart, and the kinks of the third orient the second, exactly as for x. Where also
ψ = A1 φ + b1 is positive, it is a network with one hidden layer, for the sweep. Such φ form a
polytope; its vertices come from linear programmes. It need not reach every ψ ≥ 0: a neuron of the
third layer that switches only where some of the second are off is not found, and the error says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.reader import Reader
from mstheft.direct.deep import failures as deep_failures
from mstheft.direct.deep import first_layer as deep_first
from mstheft.direct.deep import kinks as deep_kinks
from mstheft.direct.deep import segments
from mstheft.direct.deep.first_layer import OrientedLayer, Votes
from mstheft.direct.deep.second_layer import (
    Orthant,
    explained_at,
    finish,
    new_result,
    sweep_segment,
)
from mstheft.direct.deep.verification import thorough
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.nn import zoo
from mstheft.result import Result, count
from mstheft.typing import Array

LEAST = 10  # segments in the orthant before the second layer is sought
MORE_SEGMENTS = 6  # after a copy that is not verified
ROUNDS = 3  # copies that are checked before the attack gives up
MOST = 40
ENOUGH = 0.9  # share of the third layer's rows inside of A1's span: one row less leaves half out
AGAINST = 0.15  # share of votes against an orientation from which it is not believed
POINTS = 40  # vertices drawn, between pairs of which segments lead
MORE = 3  # kinks for which a vertex on either side is sought when the others show nothing new
PAIRS = 300  # pairs of vertices of which the best is taken
SEGMENTS = 24  # segments before the attack gives up
ROOM = 0.02  # least ψ, in units of x: no neuron of the second layer comes near its kink
FAR = 30.0  # largest φ of a vertex that is sought for a kink


def two_more_layers(oracle: Reader, rng: Generator, result: Result, tolerance: float) -> None:
    """The second and third layer, once the first is known; a verified `result`, or an error.

    Costs about (6 + (h1 + 1) / K) queries per kink of 10 to 40 segments, each with about a quarter
    of the neurons, and the sweep of the third layer; and 1,100 for each check, for a neuron of the
    third layer can be on for one input in a hundred. One that is on for less than one in a
    thousand may still be missing in a verified copy.
    """
    trace = result.trace
    trace.inner, trace.behind, wrong = [], None, None
    view = Orthant(oracle, trace.votes.first)
    noise = trace.searched[0].line.noise
    for n in range(ROUNDS):
        known = 0 if trace.behind is None else len(trace.behind.first.A0)
        with result.stage("second layer", oracle):
            trace.behind = second_layer(view, rng, result, LEAST + n * MORE_SEGMENTS, wrong)
        if len(trace.behind.first.A0) != known:
            trace.third = new_result(view.inputs)
        with result.stage("third layer", oracle):
            third_layer(view, rng, trace.behind, trace.third, wrong)
            sure = finish_third(result)
        with result.stage("witness", oracle):
            trace.checks.append(segments.checks(view, rng, result.model, tolerance))
            wrong = segments.witness(rng, trace.checks, view, result.model, tolerance)
        if wrong is not None or not sure:
            continue
        if thorough(oracle, rng, result, tolerance, noise):
            return
    raise deep_failures.failed("verify", deep_failures.UNVERIFIED_THIRD, result)


def finish_third(result: Result) -> bool:
    """Signs and last layer, and the copy. No queries.

    Returns whether the signs were determined: if not, a neuron is missing.
    """
    trace = result.trace
    behind, on = count(len(trace.behind.first.A0), "neuron"), count(len(trace.inner), "segment")
    result.notes["second layer"] = f"{behind} on {on}"
    rows, on = len(trace.third.trace.neurons), count(len(trace.third.trace.lines), "segment")
    result.notes["third layer"] = f"{count(rows, 'neuron')} on {on}"
    if not rows:
        raise deep_failures.failed("third layer", deep_failures.NO_THIRD, result)
    sure = finish(trace.third)
    assemble(result)
    return sure


def second_layer(
    view: Orthant, rng: Generator, result: Result, least: int, wrong: Array | None
) -> Votes:
    """Segments in the orthant until the rows of the third layer agree with those of the second.

    Each crosses only some of the hyperplanes, so that it takes more of them than lines.

    least : segments before the rows are compared
    wrong : (2, h1) where a copy is right and where it is wrong: half of the segments lead near
    """
    searched, votes = result.trace.inner, result.trace.votes
    for _ in range(MOST - len(searched)):
        pair = segments.endpoints(rng, view.inputs, segments.REACH, votes.rows, votes.offsets)
        if wrong is not None and len(searched) % 2:
            pair = wrong * rng.uniform(0.7, 1.4, wrong.shape) + 0.1 * pair
        line = view.segment(pair)
        if line is None:
            continue
        searched.append(deep_kinks.on_line(view, line))
        deep_kinks.measure_rows(view, searched[-1], view.box)
        if len(searched) < least or len(searched) % 2:
            continue
        planes = deep_first.find(searched)
        if not len(planes) or not deep_first.independent(planes):
            continue
        if deep_first.complete(searched, planes.rows, ENOUGH):
            oriented = deep_first.vote(searched, planes)
            if (oriented.against <= AGAINST).all():
                return oriented
    raise deep_failures.failed("second layer", deep_failures.NO_MIDDLE, result)


def third_layer(
    view: Orthant, rng: Generator, votes: Votes, inner: Result, wrong: Array | None
) -> None:
    """Segments between vertices of the polytope until every kink of the third layer is explained.

    votes : what its kinks have shown; inner : the sweep behind the first layer
    wrong : (2, h1) where a copy is right and where it is wrong
    """
    second = votes.first
    vertices = [vertex(rng, second, aim) for aim in sparse_values(rng, len(second.A0))]
    points = [each for each in vertices if each is not None]
    if wrong is not None:
        first, last = (vertex(rng, second, aim) for aim in second.hidden(wrong))
        if first is not None and last is not None:
            sweep_segment(view, np.array([first, last]), inner)
    before = -1
    for _ in range(SEGMENTS):
        open_kinks = np.flatnonzero(~explained_at(votes.hidden, seen_from(second, inner)))
        if not len(open_kinks) and inner.trace.sites:
            return
        now = len(inner.trace.neurons)
        if now == before:  # nothing new: find a way to either side of some of the kinks
            for kink in rng.permutation(open_kinks)[:MORE]:
                sides = (beyond(second, sign * votes.rows[kink]) for sign in (1, -1))
                points += [each for each in sides if each is not None]
        before = now
        pair = parting(rng, points, second, votes, open_kinks)
        if pair is None:
            return
        sweep_segment(view, pair, inner)


def sparse_values(rng: Generator, h2: int) -> list[Array]:
    """Sparse hidden values ψ, (h2,) each, as `segments.endpoints` draws them for φ."""
    large = rng.random((POINTS, h2)) < np.maximum(1 / segments.SPARSE, 1 / h2)
    size = segments.REACH * 10 ** rng.uniform(-1, 0.5, (POINTS, 1))
    return list(np.where(large, size * np.exp(rng.normal(size=large.shape)), 0))


def vertex(rng: Generator, second: OrientedLayer, aim: Array) -> Array | None:
    """The φ, all positive, that comes nearest to making the second layer's values `aim`, (h1,).

        minimise Σ |A1 φ + b1 - aim|   for   A1 φ + b1 ≥ room,  φ ≥ room

    None where the linear programme has no solution.
    """
    from scipy.optimize import linprog

    h2, h1 = second.A0.shape
    eye = np.eye(h2)
    low = ROOM * rng.uniform(1, 2, h1)
    solved = linprog(
        np.concatenate([1e-3 * rng.random(h1), np.ones(2 * h2)]),
        A_ub=np.hstack([-second.A0, np.zeros((h2, 2 * h2))]),
        b_ub=second.b0 - ROOM,
        A_eq=np.hstack([second.A0, -eye, eye]),
        b_eq=aim + ROOM * rng.uniform(1, 2, h2) - second.b0,
        bounds=[(float(each), None) for each in np.atleast_1d(low)] + [(0, None)] * (2 * h2),
    )
    return np.asarray(solved.x)[:h1] if solved.status == 0 else None


def beyond(second: OrientedLayer, row: Array) -> Array | None:
    """The φ of the polytope that is farthest along `row` of the second layer's values, (h1,)."""
    from scipy.optimize import linprog

    h1 = second.A0.shape[1]
    solved = linprog(
        -row @ second.A0, A_ub=-second.A0, b_ub=second.b0 - ROOM, bounds=[(ROOM, FAR)] * h1
    )
    return solved.x if solved.status == 0 else None


def parting(
    rng: Generator, points: Sequence[Array], second: OrientedLayer, votes: Votes, wanted: np.ndarray
) -> Array | None:
    """Two of the points, (2, h1), that part most of the kinks' hyperplanes; None if none do."""
    if len(points) < 2:
        return None
    psi = np.array(points) @ second.A0.T + second.b0  # (points, h2)
    side = np.sign(psi @ votes.rows[wanted].T + votes.offsets[wanted])  # (points, wanted)
    pairs = rng.integers(len(points), size=(PAIRS, 2))
    parted = (side[pairs[:, 0]] != side[pairs[:, 1]]).sum(axis=1)
    if not len(wanted):
        parted = pairs[:, 0] != pairs[:, 1]
    best = int(parted.argmax())
    return np.array([points[n] for n in pairs[best]]) if parted[best] else None


def seen_from(second: OrientedLayer, inner: Result) -> Hyperplanes:
    """The sweep's neurons of the third layer, as functions of ψ: a·φ + c = (a A1⁺)·ψ + …"""
    neurons = inner.trace.neurons
    if not len(neurons):
        return Hyperplanes.none(len(second.A0))
    points = neurons.points @ second.A0.T + second.b0
    return replace(neurons, rows=neurons.rows @ np.linalg.pinv(second.A0), points=points)


def assemble(result: Result) -> None:
    """The whole copy: the sweep's network in terms of φ, written in terms of ψ = A1 φ + b1."""
    trace = result.trace
    first, second = trace.votes.first, trace.behind.first
    (rows, offsets), last = trace.third.model.dense()
    A2 = rows @ np.linalg.pinv(second.A0)
    layers = [(first.A0, first.b0), (second.A0, second.b0), (A2, offsets - A2 @ second.b0), last]
    result.model = zoo.given(layers)
