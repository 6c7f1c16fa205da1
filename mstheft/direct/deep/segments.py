"""Segments behind the first layer: their endpoints in the positive orthant.

Segments that part many neurons, segments through a kink that is not explained, segments into the
corners, and segments from where a copy is right to where it is wrong. No queries but for `checks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.reader import read
from mstheft.direct.deep.first_layer import Votes
from mstheft.direct.deep.kinks import LineKinks
from mstheft.direct.deep.second_layer import Orthant, explained_at
from mstheft.direct.sweep.signs import odd_part
from mstheft.direct.verify import blur, expected, readable
from mstheft.nn.network import Network
from mstheft.result import Result
from mstheft.typing import Array

MANY = 5  # segments that are drawn so as to part many neurons
FEW = 1  # unexplained kinks per line from which segments lead through one of them
REACH = 3.0  # size of a large hidden value at a segment's end, in units of x
TRIES = 200  # pairs of end points drawn, of which the best is taken
SPARSE = 6  # one in so many φ_i is large at an end point
FLOOR = 0.03  # least φ_i, in units of x: no neuron of the first layer comes near its kink
ASIDE = 0.02  # of a segment's length by which it passes a kink of a line, for the neurons off there
CORNER = 10.0  # times as far out as the segments so far that the corners lie
NOWHERE = 1e-6  # of a segment's size: hidden values next to none
CHECKS = 100  # rows asked to see where the copy is wrong
AXIS = 300.0  # where the far end of an axis is, in units of x
NEXT = 1e-4  # hidden values next to nothing, in units of x


@dataclass
class Checks:
    """Rows x (n, d), how far out each is, reach (n, 1), and the answers (n, K) to them."""

    x: Array
    reach: Array
    answers: Array

    def and_also(self, other: Checks) -> Checks:
        """These and others."""
        mine, theirs = vars(self).values(), vars(other).values()
        return Checks(*(np.concatenate(pair) for pair in zip(mine, theirs, strict=True)))

    def within(self, reach: float) -> Checks:
        """Those that are not farther out."""
        near = self.reach[:, 0] <= reach
        return Checks(self.x[near], self.reach[near], self.answers[near])


def endpoints(rng: Generator, h1: int, size: float, partial: Array, offsets: Array) -> Array:
    """End points of a segment in the orthant, (2, h1), that part as many neurons as possible.

    Two dense random φ lie in about the same direction, and a hyperplane seldom parts them. Here few
    entries are large, other ones at each end. Of 200 pairs that one is taken whose ends lie on
    different sides of most of the hyperplanes that are still wanted. The small entries differ too:
    the self-check J v = slope does not see a column j where v_j = 0.

    size : of the large entries; partial, offsets : (m, h1), (m,) known parts of wanted neurons
    """
    shape = TRIES, 2, h1
    large = rng.random(shape) < np.maximum(1 / SPARSE, 1 / h1)  # (tries, 2, h1)
    scale = 10 ** rng.uniform(-1, 0.5, (TRIES, 2, 1))
    phi = FLOOR * rng.uniform(1, 2, shape)
    phi += np.where(large, size * scale * np.exp(rng.normal(size=shape)), 0)
    side = np.sign(phi @ partial.T + offsets)  # (tries, 2, m)
    return phi[(side[:, 0] != side[:, 1]).sum(axis=1).argmax()]


def through(rng: Generator, z: Array, speed: Array) -> tuple[Array, float]:
    """End points of a segment in the orthant through a kink of a line, (2, h1), and its length.

        φ(t) = relu(z) + t D v + ε,     D: 1 where z > 0, else 0

    With ε = 0 it is what the line itself does to the hidden values, and so the same neuron of the
    second layer bends; a small random ε > 0 switches on the neurons that were off. It goes as far
    as nine tenths of the way to where the first of the others would switch off.

    z : (h1,) pre-activations at the kink; speed : (h1,) A0 v, along the line
    """
    on = z > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(on & (speed != 0), z / np.abs(speed), np.inf).min(initial=np.inf)
    if not (on.any() and np.isfinite(reach)):
        return np.zeros((0, len(z))), 0.0
    way = 0.9 * reach * np.where(on, speed, 0)
    length = float(np.linalg.norm(way))
    small = ASIDE * length / np.sqrt(len(z)) * rng.uniform(0.5, 1.5, (2, len(z)))
    return np.where(on, z, 0) + np.array([-1.0, 1.0])[:, None] * way + small, length


def next_segment(
    rng: Generator,
    searched: Sequence[LineKinks],
    votes: Votes,
    inner: Result,
    open_kinks: Sequence[tuple[int, int]],
) -> tuple[Array, tuple[int, int] | None]:
    """Endpoints, (2, h1), and the kink (line, kink) through which they lead, if one was chosen.

    The first few segments part many neurons; then, or once few kinks are left, each leads through
    one of these: the one with the most room.
    """
    first, neurons, chosen = votes.first, inner.trace.neurons, None
    best: tuple[Array, float] = np.zeros((0, 0)), 0.0
    if len(open_kinks) <= FEW * len(searched) or len(inner.trace.lines) >= MANY:
        for n, kink in open_kinks:
            line = searched[n].line
            z = first.A0 @ line.points(line.kinks[kink]) + first.b0
            segment = through(rng, z, first.A0 @ line.direction)
            if segment[1] > best[1]:
                best, chosen = segment, (n, kink)
    if chosen is not None:
        return best[0], chosen
    wanted = ~explained_at(votes.hidden, neurons)
    return endpoints(rng, len(first.A0), REACH, votes.rows[wanted], votes.offsets[wanted]), None


def corners(rng: Generator, inner: Result) -> list[Array]:
    """Segments to where a neuron may switch that is on along all segments so far, (2, h1) each.

    What the rounded signs leave of the odd part is Σ g wᵀ over such neurons. With the largest of
    its right singular vectors for w, w·φ + b is extreme where all weight lies on the negative
    entries of w, on its positive ones, or nowhere.
    """
    trace, neurons = inner.trace, inner.trace.neurons
    signs = np.where(trace.signs < 0, -1, 1)
    left = odd_part(trace.sites, neurons) - (neurons.outputs * signs[:, None]).T @ neurons.rows
    w = np.linalg.svd(left)[2][0]
    size = CORNER * max(float(np.abs(line.start).max()) for line in trace.lines)
    floor = NOWHERE * size * rng.uniform(1, 2, (3, len(w)))
    parts = np.array([0 * w, np.maximum(-w, 0), np.maximum(w, 0)])
    parts /= np.maximum(parts.max(axis=1, keepdims=True), 1e-300)
    nowhere, below, above = floor + size * parts
    return [np.array(pair) for pair in ((below, above), (nowhere, below), (nowhere, above))]


def checks(view: Orthant, rng: Generator, model: Network, tolerance: float) -> Checks:
    """Rows that show where a copy is wrong, and the answers to them.

    A hundred random ones, near and far, and h1 + 1 whose hidden values are next to
    nothing or lie far out on an axis. A hyperplane w·φ + b = 0 that meets the orthant anywhere has
    the origin on one side and the far end of an axis on the other, for some w_i has the sign
    opposite to that of b: no neuron that ever switches is the same, or the same affine function, at
    all of these. No row lies farther out than the answers can be read.
    Costs 101 + h1 queries.
    """
    h1, near, others = view.inputs, CHECKS // 2, CHECKS // 2
    x = rng.normal(size=(CHECKS, view.oracle.inputs))
    axes = np.concatenate([np.zeros((1, h1)), np.eye(h1)])
    beside = NEXT * rng.uniform(1, 2, axes.shape)

    def place(reach: Array) -> Array:
        behind = view.rows(reach[others:] * axes + beside)
        return np.concatenate([reach[:others] * x[near:], behind])

    answers = read(view.oracle, x[:near])
    reach = np.concatenate([10 ** rng.uniform(0, 2, others), [1.0], np.full(h1, AXIS)])[:, None]
    reach = readable(view.oracle, model, place, reach, answers, tolerance)
    far, ones = place(reach), np.ones((near, 1))
    return Checks(
        np.concatenate([x[:near], far]),
        np.concatenate([ones, reach]),
        np.concatenate([answers, read(view.oracle, far)]),
    )


def witness(
    rng: Generator, checked: Sequence[Checks], view: Orthant, model: Network, tolerance: float
) -> Array | None:
    """A segment from where the copy is right to where it is most wrong, (2, h1); None if nowhere.

    checked : what `checks` has returned so far. No queries.
    """
    x, reach, answers = (
        np.concatenate([getattr(each, name) for each in checked])
        for name in ("x", "reach", "answers")
    )
    miss = np.abs(answers - expected(view, model, x)).max(axis=1) / reach[:, 0]
    rounding = (blur(view, answers) / reach).max(axis=1)
    size = float((answers / reach).std(axis=0).max())
    wrong = miss > tolerance * size + 10 * rounding
    if not wrong.any():
        return None
    worst = int(np.where(wrong, miss, -np.inf).argmax())
    away = np.where(wrong, np.inf, np.linalg.norm(x - x[worst], axis=1))
    hidden = view.first.hidden(x[[int(away.argmin()), worst]])
    return hidden + NEXT * rng.uniform(1, 2, hidden.shape)
