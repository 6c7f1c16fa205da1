"""Whose kink is this? The layer of a kink is told by what stays constant. No queries here.

A neuron of the first layer has the same hyperplane everywhere: its row, measured on one line,
predicts where every other line bends. Of a neuron of the second layer it is g that stays the same
up to a positive factor: its slope jump is always +A2[:, j] |a·v|.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mstheft.direct.deep.kinks import Bends
from mstheft.direct.line import Line
from mstheft.typing import Array

MEET = 1e-7  # relative error of a row that a prediction has to bear at least
SAFE = 3.0  # times the expected error of a row
WIDEST = 1e-3  # of 1 + |t|: predictions that are less certain than this are none
DEAD = 1e-9  # of the steepest slope of a line: below it nothing is on
INNER = 0.5  # of a line's reach within which a kink must have been seen
SURE = 0.7  # share of the lines on which a neuron of the first layer must be met
SAME_WAY = 1e-3  # distance of two unit vectors g that are taken for one


@dataclass
class Planes:
    """Hyperplanes a_i·(x - p_i) = 0, not oriented.

    rows, points : (h, d) a_i, and a point p_i on each; errors : (h,) of an entry of a_i
    """

    rows: Array
    points: Array
    errors: Array

    @classmethod
    def of(cls, bends: Bends, kinks: Any = slice(None)) -> Planes:
        """What bends a line at its kinks."""
        return cls(bends.rows[kinks], bends.points[kinks], bends.errors[kinks])

    def and_also(self, other: Planes) -> Planes:
        """These and others."""
        mine, theirs = vars(self), vars(other)
        return Planes(*(np.concatenate([mine[name], theirs[name]]) for name in mine))

    def only(self, kept: Any) -> Planes:
        """Some of them."""
        return Planes(self.rows[kept], self.points[kept], self.errors[kept])

    def unit(self) -> Planes:
        """The same with rows of length 1."""
        size = np.linalg.norm(self.rows, axis=1)
        return Planes(self.rows / size[:, None], self.points, self.errors / size)


def predict(line: Line, planes: Planes) -> tuple[Array, Array]:
    """Where hyperplanes meet a line, t (h,), and how far off that may be, (h,).

    t = a·(p - u) / a·v,    δt = (1e-7 |a| + 3 δa) (|p| + |u + t v|) / |a·v|

    """
    rows, points = planes.rows, planes.points
    speed = rows @ line.direction
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.einsum("hd,hd->h", rows, points - line.start) / speed
        reach = np.linalg.norm(points, axis=1) + np.linalg.norm(line.points(t), axis=1)
        return t, (MEET * np.linalg.norm(rows, axis=1) + SAFE * planes.errors) * reach / np.abs(
            speed
        )


def met(line: Line, planes: Planes) -> tuple[np.ndarray, np.ndarray]:
    """Which kink of a line stands where each hyperplane is predicted, -1 for none; and can it tell?

    Returns (h,) kinks and (h,) bool: False where the prediction is too uncertain, out of reach, or
    falls where the line could not be resolved or is flat: there all of the second layer is off.
    """
    t, off = predict(line, planes)
    size = 1 + np.abs(t)
    telling = np.isfinite(t) & (off < WIDEST * size)
    telling &= (t > INNER * line.t[0]) & (t < INNER * line.t[-1])
    slope = np.abs(line.slopes).max(axis=1)
    telling &= slope[np.searchsorted(line.kinks, np.where(telling, t, 0))] > DEAD * slope.max()
    for a, b in line.unresolved:
        telling &= (t < a) | (t > b)
    if not len(line.kinks):
        return np.full(len(t), -1), telling
    away = np.abs(line.kinks[None] - np.where(np.isfinite(t), t, np.inf)[:, None])
    nearest = away.argmin(axis=1)
    good = away[np.arange(len(t)), nearest] <= np.minimum(off, WIDEST * size)
    return np.where(good, nearest, -1), telling


def votes(seen: Sequence[Bends], which: int) -> tuple[np.ndarray, np.ndarray]:
    """How many of the other lines bend where line `which` predicts it, and how many could tell."""
    bends = seen[which]
    yes, asked = (np.zeros(len(bends.rows), int) for _ in range(2))
    for other in seen:
        if other is not bends:
            kink, telling = met(other.line, Planes.of(bends))
            yes += telling & (kink >= 0)
            asked += telling
    return np.where(bends.measured, yes, 0), np.where(bends.measured, asked, 0)


def doubtful(seen: Sequence[Bends], which: int) -> bool:
    """Is there a kink that was met on some other lines and missed on more, or that none could tell?

    Pieces of the second layer that two lines meet by chance are of the first kind, and so are
    neurons of the first layer that a line has failed to show.
    """
    yes, asked = votes(seen, which)
    unclear = (yes > 0) & (yes < SURE * asked) | (asked == 0)
    return bool((unclear & seen[which].measured).any())


def first_layer(seen: Sequence[Bends], sure: float = SURE) -> Planes:
    """The h1 hyperplanes of the first layer, out of all measured kinks.

    sure : share of the lines that could tell on which a hyperplane must be met

    Sets `first` of every kink on every line: the neuron whose hyperplane is met there.
    """
    planes = Planes.of(seen[0], slice(0))
    for n, bends in enumerate(seen):
        yes, asked = votes(seen, n)
        mine = bends.measured & (yes > 0) & (yes >= sure * asked)
        known, _ = met(bends.line, planes)
        mine[known[known >= 0]] = False
        planes = planes.and_also(Planes.of(bends, mine))
    for bends in seen:
        bends.first[:] = -1
        kink, _ = met(bends.line, planes)
        bends.first[kink[kink >= 0]] = np.flatnonzero(kink >= 0)
    return planes


def groups(seen: Sequence[Bends]) -> Array:
    """Directions g / |g| of all kinks that are not of the first layer, one a group, (m, K)."""
    found: list[Array] = []
    for bends in seen:
        order = np.argsort(bends.blurs)
        for kink in order[bends.first[order] < 0]:
            way = bends.directions[kink]
            if bends.blurs[kink] < SAME_WAY and not any(same_way(way, each) for each in found):
                found.append(way)
    return np.array(found).reshape(len(found), seen[0].line.jumps.shape[1])


def same_way(way: Array, other: Array) -> bool:
    """Are two unit vectors the same?"""
    return bool(np.linalg.norm(way - other) < SAME_WAY)
