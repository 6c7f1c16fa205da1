"""A star: lines from one place of a box to others. All kinks of a neuron bend in one direction.

    the jump at a kink  =  g_i |a_i·v|                    u_i = g_i / |g_i| is the same on all lines
    J(x)  =  M + Σ_i g_i a_iᵀ σ_i(x) / 2,    σ_i = ±1     on which side x lies, +1 at the centre

So that kinks on different lines are told to be of one neuron, and the side σ_i of every neuron is
known at every place of the star, up to a sign for each neuron that nobody needs: Jacobians at any
(h + K) / K of these give all rows together. A line costs few queries and a Jacobian many. With four
outputs or more; with fewer the directions of different neurons are too much alike.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

from mstheft.direct.answers.reader import SURE
from mstheft.direct.line.pieces import (
    Piece,
    Samples,
    level,
    meet,
    straight_pieces,
    two_kinks,
)
from mstheft.direct.line.probe import Line
from mstheft.typing import Array

CLEAR = 0.01  # error of a jump, relative to its length, up to which it may be a new direction
BLUR = 1e-3  # error of a direction that is reckoned with
MOST = 6  # kinks of known neurons that are taken apart in one gap
SLACK = 1.0  # of the width of a gap, by which such a kink may miss it


@dataclass
class Bend:
    """Where a line turns: at one kink, or somewhere in a gap between two pieces.

    low, high : the gap; t : of the kink, NaN where there is more than one
    turn, above : (K,) right slope less left one, and right line less left one at `high`
    blur : (K,) standard deviation of `turn`; lift : of `above`
    """

    low: float
    high: float
    t: float
    turn: Array
    above: Array
    blur: Array
    lift: Array


@dataclass
class Ray:
    """A line of the star, from t = 0 at its centre.

    crossed : {neuron: (t, |jump|)}; open : (low, high) of the gaps with unknown kinks in them
    """

    line: Line
    bends: list[Bend]
    crossed: dict[int, tuple[float, float]] = field(default_factory=dict)
    open: list[tuple[float, float]] = field(default_factory=list)

    @property
    def end(self) -> float:
        """So far all kinks are known."""
        return min([low for low, _ in self.open], default=float(self.line.t[-1]))


@dataclass
class Star:
    """Rays from one centre, and the directions (n, K) of the neurons seen on them."""

    centre: Array
    rays: list[Ray] = field(default_factory=list)
    directions: Array = field(default_factory=lambda: np.zeros((0, 1)))

    def add(self, line: Line) -> None:
        """One more ray; `explain` tells what its kinks are."""
        self.rays.append(Ray(line, bends(line)))

    def explain(self) -> None:
        """The directions of all neurons, and which neuron is which kink. No queries.

        The sharpest kinks tell the directions; then gaps with several kinks are taken apart.
        """
        single = [bend for ray in self.rays for bend in ray.bends if np.isfinite(bend.t)]
        unsure = [float(np.linalg.norm(bend.blur) / np.linalg.norm(bend.turn)) for bend in single]
        found: list[Array] = []
        for i in np.argsort(unsure):
            turn = single[i].turn
            known = found and fitting(np.array(found), single[i]) is not None
            if unsure[i] < CLEAR and not known:
                found.append(turn / np.linalg.norm(turn))
        self.directions = without_sums(np.array(found).reshape(len(found), -1), single)
        for ray in self.rays:
            ray.crossed, ray.open = {}, []
            for bend in ray.bends:
                parts = apart(self.directions, bend)
                if parts is None or any(i in ray.crossed for i in parts):
                    ray.open.append((bend.low, bend.high))
                else:
                    ray.crossed.update(parts)

    def sides(self, ray: Ray, t: float) -> Array:
        """σ of every neuron at t of a ray, (n,)."""
        sides = np.ones(len(self.directions))
        for i, (at, _) in ray.crossed.items():
            sides[i] = -1.0 if at < t else 1.0
        return sides

    def places(self) -> list[tuple[Ray, float, float]]:
        """Between two kinks, where all sides are known: ray, and from where to where."""
        found = []
        for ray in self.rays:
            inner = sorted(t for t, _ in ray.crossed.values() if t < ray.end)
            found += [(ray, *pair) for pair in itertools.pairwise([0.0, *inner, ray.end])]
        return found


def bends(line: Line) -> list[Bend]:
    """Of a line, from left to right: a kink where two pieces meet in one, else a gap."""
    sigma = np.repeat(line.blurs[:, None] / SURE, line.answers.shape[1], axis=1)
    samples = Samples(line.t, line.answers, sigma)
    pieces = straight_pieces(samples)
    found: list[Bend] = []
    left = 0
    while left < len(pieces) - 1:
        right = next(i for i in range(left + 1, len(pieces)) if stands(samples, pieces, i))
        if right == left + 2 and len(pieces[left + 1]) == 1:
            found += around(samples, *pieces[left : left + 3])
        else:
            found.append(between(samples, pieces[left], pieces[right]))
        left = right
    return found


def stands(samples: Samples, pieces: list[Piece], i: int) -> bool:
    """Is this a piece of the line, or two samples with a kink between them?"""
    if len(pieces[i]) > 2 or i in (0, len(pieces) - 1):
        return True
    sides = zip(pieces[i - 1 : i + 1], pieces[i : i + 2], strict=True)
    return len(pieces[i]) == 2 and all(one_kink(samples, *pair) is not None for pair in sides)


def one_kink(samples: Samples, left: Piece, right: Piece) -> float | None:
    """Where two neighbouring pieces meet in one kink; None if they do not."""
    low, high = samples.t[left.last - 1], samples.t[right.first]
    meeting = meet(samples, left, right) if left.last == right.first else None
    if meeting is None or meeting.miss > level(samples.answers.shape[1]):
        return None
    slack = 4 * meeting.error
    return meeting.t if low - slack <= meeting.t <= high + slack else None


def between(samples: Samples, left: Piece, right: Piece) -> Bend:
    """The bend between two pieces."""
    low, high = float(samples.t[left.last - 1]), float(samples.t[right.first])
    if min(len(left), len(right)) == 1:  # at an end of the line: nobody knows
        unknown = np.full(len(left.slope), np.nan)
        return Bend(low, high, np.nan, *[unknown] * 4)
    t = one_kink(samples, left, right)
    return Bend(
        low,
        high,
        np.nan if t is None else t,
        right.slope - left.slope,
        right.at(high) - left.at(high),
        np.sqrt(left.v1 + right.v1),
        np.sqrt(left.variance(high) + right.variance(high)),
    )


def around(samples: Samples, left: Piece, single: Piece, right: Piece) -> list[Bend]:
    """The two kinks beside a single sample; one gap if they are not to be told from it."""
    pair = two_kinks(samples, left, single, right) if samples.answers.shape[1] > 3 else None
    if pair is None:
        return [between(samples, left, right)]
    edges = samples.t[[left.last - 1, single.first, right.first]]
    sigma = samples.sigma[single.first]
    return [
        Bend(low, high, m.t, m.jump, m.jump * (high - m.t), sigma / abs(at - m.t), sigma)
        for m, low, high, at in zip(pair, edges, edges[1:], edges[[1, 1]], strict=False)
    ]


def fitting(directions: Array, bend: Bend) -> int | None:
    """The direction along which a kink bends, None where there is none."""
    along = directions @ bend.turn
    off = bend.turn - along[:, None] * directions
    blur = np.hypot(bend.blur, BLUR * np.linalg.norm(bend.turn) / np.sqrt(len(bend.turn)))
    miss = np.where(along > 0, np.linalg.norm(off / blur, axis=1), np.inf)
    best = int(miss.argmin())
    return best if miss[best] <= level(len(bend.turn)) else None


def apart(directions: Array, bend: Bend) -> dict[int, tuple[float, float]] | None:
    """The kinks of known neurons that make up a bend: {neuron: (t, |jump|)}; None if none do.

    turn = Σ_i w_i u_i,    above = Σ_i w_i (high - t_i) u_i,    w_i ≥ 0,   low < t_i < high
    """
    if np.isfinite(bend.t):
        one = fitting(directions, bend) if len(directions) else None
        if one is not None:
            return {one: (bend.t, float(np.linalg.norm(bend.turn)))}
    return sum_of(directions, bend) if len(directions) and np.isfinite(bend.turn).all() else None


def without_sums(directions: Array, single: list[Bend]) -> Array:
    """The directions but those that one bend shows and that others explain: of two kinks in one."""
    which = [fitting(directions, bend) for bend in single] if len(directions) else []
    for i in reversed(range(len(directions))):
        mine = [bend for bend, one in zip(single, which, strict=True) if one == i]
        if len(mine) == 1 and sum_of(np.delete(directions, i, 0), mine[0]) is not None:
            directions = np.delete(directions, i, 0)
            which = [fitting(directions, bend) for bend in single]
    return directions


def sum_of(directions: Array, bend: Bend) -> dict[int, tuple[float, float]] | None:
    """The same for several neurons: two where the bend looks like a single kink."""
    from scipy.optimize import nnls

    outputs, size = len(bend.turn), float(np.linalg.norm(bend.turn))
    blur = np.hypot(bend.blur, BLUR * size / np.sqrt(outputs))
    wide = bend.high - bend.low
    lift = np.hypot(bend.lift, BLUR * size * wide / np.sqrt(outputs))
    order = np.argsort(-nnls((directions / blur).T, bend.turn / blur)[0])
    for most in range(1, min(MOST if np.isnan(bend.t) else 2, outputs - 2, len(order)) + 1):
        some = order[:most]
        u = directions[some].T
        w = np.linalg.lstsq(u / blur[:, None], bend.turn / blur, rcond=None)[0]
        if np.linalg.norm((bend.turn - u @ w) / blur) > level(outputs) or (w <= 0).any():
            continue
        moment = np.linalg.lstsq(u / lift[:, None], bend.above / lift, rcond=None)[0]
        t = bend.high - moment / w
        slack = SLACK * wide
        if np.linalg.norm((bend.above - u @ moment) / lift) > level(outputs):
            continue
        if ((t > bend.low - slack) & (t < bend.high + slack)).all():
            at = np.clip(t, bend.low, bend.high)
            return {int(i): (float(a), float(b)) for i, a, b in zip(some, at, w, strict=True)}
    return None
