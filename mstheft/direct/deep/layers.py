"""Whose kink is this? What stays constant from line to line tells the layers apart. No queries.

A neuron of the first layer has the same hyperplane everywhere: its row, measured on one line,
predicts where every other line bends. Of a neuron of the second layer it is g that stays the same
up to a positive factor: its slope jump is always +A2[:, j] |a·v|.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mstheft.direct.deep.kinks import LineKinks
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes, crossings
from mstheft.direct.line import Line
from mstheft.typing import Array

LEAST = 1e-7  # relative error of a row that a prediction has to bear at least
SAFE = 3.0  # times the expected error of a row
WIDEST = 1e-3  # of 1 + |t|: predictions that are less certain than this are none
DEAD = 1e-9  # of the steepest slope of a line: below it nothing is on
INNER = 0.5  # of a line's reach within which a kink must have been seen
SURE = 0.7  # share of the lines that must bend at the hyperplane of a first-layer neuron
MOSTLY = 0.65  # share of kinks in common directions where a layer is taken for the last
FEW = 2  # kinks of another direction that say nothing
ALIKE = 1e-4  # distance of two directions that are the same
SAME_WAY = 1e-3  # distance of two unit vectors g that are taken for one


def met(line: Line, planes: Hyperplanes) -> tuple[np.ndarray, np.ndarray]:
    """Which kink of a line lies where each hyperplane is predicted, -1 for none; and can it tell?

    Returns (h,) kinks and (h,) bool: False where the prediction is too uncertain, out of reach, or
    falls where the line could not be resolved or is flat: there all of the second layer is off.
    """
    errors = LEAST * np.linalg.norm(planes.rows, axis=1) + SAFE * planes.errors
    t, off = crossings(line, replace(planes, errors=errors))
    size = 1 + np.abs(t)
    telling = np.isfinite(t) & (off < WIDEST * size)
    telling &= (t > INNER * line.t[0]) & (t < INNER * line.t[-1])
    slope = np.abs(line.slopes).max(axis=1)  # of each piece, (n + 1,)
    telling &= slope[np.searchsorted(line.kinks, np.where(telling, t, 0))] > DEAD * slope.max()
    for a, b in line.unresolved:
        telling &= (t < a) | (t > b)
    if not len(line.kinks):
        return np.full(len(t), -1), telling
    away = np.abs(line.kinks[None] - np.where(np.isfinite(t), t, np.inf)[:, None])  # (h, n)
    nearest = away.argmin(axis=1)
    good = away[np.arange(len(t)), nearest] <= np.minimum(off, WIDEST * size)
    return np.where(good, nearest, -1), telling


def votes(searched: Sequence[LineKinks], which: int) -> tuple[np.ndarray, np.ndarray]:
    """How often the victim bends where the kinks of line `which` predict it, of how many places.

    On the other lines, and where `ask_elsewhere` has asked.
    """
    kinks = searched[which]
    yes, could_tell = kinks.elsewhere.T.copy()
    for other in searched:
        if other is not kinks:
            kink, telling = met(other.line, kinks.planes)
            yes += telling & (kink >= 0)
            could_tell += telling
    return np.where(kinks.is_measured, yes, 0), np.where(kinks.is_measured, could_tell, 0)


def doubtful(searched: Sequence[LineKinks], which: int) -> np.ndarray:
    """Which kinks were met on some other lines and missed on more, or could none tell? (n,) bool.

    Pieces of the second layer that two lines meet by chance are of the first kind, and so are
    neurons of the first layer that a line has failed to show.
    """
    kinks = searched[which]
    yes, could_tell = votes(searched, which)
    is_split = (yes > 0) & (yes < SURE * could_tell) & (kinks.elsewhere[:, 1] == 0)
    return (is_split | (could_tell == 0)) & kinks.is_measured


def first_layer(searched: Sequence[LineKinks], sure: float = SURE) -> Hyperplanes:
    """The h1 hyperplanes of the first layer, out of all measured kinks.

    sure : share of the lines that could tell on which a hyperplane must be met

    Sets `first` of every kink on every line: the neuron whose hyperplane is met there.
    """
    planes = Hyperplanes.none(searched[0].rows.shape[1])
    for n, kinks in enumerate(searched):
        yes, could_tell = votes(searched, n)
        mine = kinks.is_measured & (yes > 0) & (yes >= sure * could_tell)
        known, _ = met(kinks.line, planes)
        mine[known[known >= 0]] = False
        planes = planes.and_also(kinks.planes.only(mine))
    for kinks in searched:
        kinks.first[:] = -1
        kink, _ = met(kinks.line, planes)
        kinks.first[kink[kink >= 0]] = np.flatnonzero(kink >= 0)
    return planes


def groups(searched: Sequence[LineKinks]) -> Array:
    """Directions g / |g| of all kinks that are not of the first layer, one a group, (m, K)."""
    ways: list[Array] = []
    for kinks in searched:
        order = np.argsort(kinks.blurs)
        for kink in order[kinks.first[order] < 0]:
            way = kinks.directions[kink]
            new = all(np.linalg.norm(way - each) >= SAME_WAY for each in ways)
            if kinks.blurs[kink] < SAME_WAY and new:
                ways.append(way)
    return np.array(ways).reshape(len(ways), searched[0].line.jumps.shape[1])


def common_directions(directions: Sequence[Array], least: int = 2) -> tuple[list[Array], float]:
    """Directions g / |g| that kinks of two lines share, and the share of kinks with such a one.

    directions : (n, K) of the kinks of each line; least : kinks that must share one
    Those of the last hidden layer come again and again, of one before it hardly ever. With one
    output there is only one: none is returned, and a share of 1; so it is where at most two kinks
    have a direction of their own.
    """
    ways = np.vstack(directions)
    line = np.repeat(np.arange(len(directions)), [len(each) for each in directions])
    if ways.shape[1] < 2 or not len(ways):
        return [], 1.0
    same = np.linalg.norm(ways[:, None] - ways, axis=2) < ALIKE  # (n, n)
    lines = np.array([len(np.unique(line[each])) for each in same])
    is_common = (same.sum(axis=1) >= least) & (lines >= 2)
    share = float(is_common.mean()) if (~is_common).sum() > FEW else 1.0
    return list(ways[is_common]), share
