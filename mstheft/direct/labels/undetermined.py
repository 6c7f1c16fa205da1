"""Rows that labels show in part only: a neuron whose bend never meets another.

        \\  i  /     Where a neuron has two regions on the boundary only, one bend is all there is
         \\   /      of it. Each row of the pencil (n, n') through the bend gives the same labels
       n  \\_/  n'   as long as its hyperplane misses the rest of the boundary.

In a plane (two dimensions of normals) a bend is a point, and two bends tell a line: which of them
belong together is tried out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from mstheft.direct.labels.boundary import Scale
from mstheft.direct.labels.rows import Bend, rows_from_planes
from mstheft.direct.labels.weights import distances, output_weights
from mstheft.typing import Array

MOST_BENDS = 8  # in a plane, of which all partitions are tried (4,140)
WEIGHTS = 2.0 ** np.array([0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6])  # λ of a pencil
ORDERS = [0, 1], [1, 0]
ALIKE = 1e-6  # two bends as near as that are one


def distinct(bends: list[Bend]) -> list[Bend]:
    """Each bend once: those between the same two planes are one."""
    found: list[Bend] = []
    for bend in bends:
        pairs = [_oriented(bend) - _oriented(other)[order] for other in found for order in ORDERS]
        if not any(np.abs(apart).max() < ALIKE for apart in pairs):
            found.append(bend)
    return found


def _oriented(bend: Bend) -> Array:
    """Both planes (2, d+1), their normals into the larger of the two classes."""
    a, b = bend.before.classes
    return np.sign(a - b) * np.stack([bend.before.plane, bend.after.plane])


def pencil(bend: Bend, weight: float) -> Array:
    """A hyperplane through a bend, (d+1,): n' - weight n. With weight 1 it halves the angle."""
    row = bend.after.plane - weight * bend.before.plane
    return row / np.linalg.norm(row[:-1])


def with_pencils(
    rows: Array, alone: list[Bend], points: Array, classes: np.ndarray, K: int
) -> tuple[Array, float]:
    """Rows for neurons of one bend each, such that their hyperplanes miss the rest of the boundary.

        R_i = n' - λ n,    λ = 1, 1/2, 2, 1/4, …, 64

    The λ are changed one after another, twice, as long as the null vector of all rows brings the
    points nearer to the copy's boundary. (Two bends: all pairs.)
    rows : (k, d+1) of the other neurons; alone : bends
    Returns (k + a, d+1) and the largest distance. No queries.
    """
    weights, best = [1.0] * len(alone), np.inf

    def attempt(weights: list[float]) -> float:
        planes = np.vstack([rows, *(pencil(*each) for each in zip(alone, weights, strict=True))])
        theta = output_weights(planes, points, classes, K)[-1]
        return float(np.abs(distances(planes, theta, points, classes)).max())

    trials: Iterator[tuple[float, ...]] = itertools.product(WEIGHTS, repeat=len(alone))
    if len(alone) > 2:
        trials = _one_after_another(weights)
    for trial in trials:
        off = attempt(list(trial))
        if off < best:
            best, weights[:] = off, trial
        if best < ALIKE:
            break
    planes = np.vstack([rows, *(pencil(*each) for each in zip(alone, weights, strict=True))])
    return planes, best


def _one_after_another(weights: list[float]) -> Iterator[tuple[float, ...]]:
    """The best weights so far (changed by whoever reads), with one of them replaced."""
    for turn in range(2 * len(weights)):
        for weight in WEIGHTS:
            i = turn % len(weights)
            yield (*weights[:i], weight, *weights[i + 1 :])


def rows_of_straight_bends(bends: list[Bend], scale: Scale) -> tuple[list[Array], list[Bend]]:
    """A row for each neuron that shows two straight bends, and the bends that are alone.

    Two bends of one neuron meet in its row, as in `rows_from_planes`.
    Returns k rows (d+1,), and the others.
    """
    left, rows, alone = list(bends), [], []
    while left:
        bend = left.pop(0)
        for i, other in enumerate(left):
            four = [bend.before, bend.after, other.before, other.after]
            found, fourth, third = rows_from_planes(np.stack([each.plane for each in four]))
            if fourth < scale.flat and third > scale.same:
                rows.append(found[0])
                left.pop(i)
                break
        else:
            alone.append(bend)
    return rows, alone


def partitions(items: list[int]) -> Iterator[list[list[int]]]:
    """All ways to divide items into groups, fewest groups first is up to the caller."""
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for groups in partitions(rest):
        yield [[first], *groups]
        for i, group in enumerate(groups):
            yield [*groups[:i], [first, *group], *groups[i + 1 :]]


def line_through(bends: list[Bend]) -> Array | None:
    """The line through two bends in a plane, or more, (3,) with |R| = 1; None if there is none."""
    points = np.array([bend.point for bend in bends])
    middle = points.mean(axis=0)
    _, size, v = np.linalg.svd(points - middle)
    if size[1] > ALIKE * max(size[0], 1.0):
        return None
    return np.append(v[1], -v[1] @ middle)


def rows_in_a_plane(
    bends: list[Bend], points: Array, classes: np.ndarray, K: int
) -> tuple[Array, int]:
    """Which bends are of one neuron, where the normals span a plane: tried out.

    Of all partitions the one with the fewest neurons whose null vector (`output_weights`) leaves
    the points on the boundary. A neuron with one bend has two regions there: see `with_pencils`.
    Returns (k, 3) and how many of them labels do not determine. No queries.
    """
    rows: Array = np.zeros((0, 3))
    best, alone = np.inf, 0
    bends = bends[:MOST_BENDS]
    for groups in sorted(partitions(list(range(len(bends)))), key=len):
        lines = [line_through([bends[i] for i in group]) for group in groups if len(group) > 1]
        if any(line is None for line in lines):
            continue
        single = [bends[group[0]] for group in groups if len(group) == 1]
        planes, off = with_pencils(np.array(lines).reshape(-1, 3), single, points, classes, K)
        if off < best:
            best, rows, alone = off, planes, len(single)
        if best < ALIKE:
            break
    return rows, alone


def rows_on_a_line(points: Array) -> Array:
    """Where the normals span a line the boundary is a few points of it: a bend between any two.

    points : (n, 1). Returns (k, 2), for k + 1 points of the boundary.
    """
    roots = np.unique(np.round(points[:, 0], 9))
    roots = roots[np.append(True, np.diff(roots) > ALIKE)]
    middles = (roots[1:] + roots[:-1]) / 2
    return np.column_stack([np.ones(len(middles)), -middles])
