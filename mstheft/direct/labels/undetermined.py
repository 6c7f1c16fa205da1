"""Rows that labels show in part only: a neuron whose bend never meets another.

        \\  a  /        Where neuron i has two regions on the boundary only, one bend is all there is
         \\___/         of it. Each row of the pencil (n, n') through the bend gives the same labels
          b b          as long as its hyperplane misses the rest of the boundary; the bisector does
                       so best.

In a plane (two dimensions of normals) a bend is a point, and two bends tell a line: which of them
belong together is tried out.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mstheft.direct.labels.rows import FLAT, THIRD, Bend, rows_from_planes
from mstheft.direct.labels.weights import distances, output_weights
from mstheft.typing import Array

MOST_BENDS = 8  # in a plane, of which all partitions are tried (4,140)
ALIKE = 1e-6  # two bends as near as that are one


def distinct(bends: list[Bend]) -> list[Bend]:
    """Each bend once: those between the same two planes are one."""
    found: list[Bend] = []
    for bend in bends:
        pair = np.stack([bend.before.plane, bend.after.plane])
        for other in found:
            same = np.stack([other.before.plane, other.after.plane])
            apart = [np.abs(pair - each).max() for each in (same, same[::-1])]
            if min(apart) < ALIKE:
                break
        else:
            found.append(bend)
    return found


def bisector(bend: Bend) -> Array:
    """The hyperplane through a bend that halves its angle, (d+1,): n' - n, of length 1."""
    row = bend.after.plane - bend.before.plane
    return row / np.linalg.norm(row[:-1])


def rows_of_straight_bends(bends: list[Bend]) -> tuple[list[Array], int]:
    """A row for each neuron of bends that go on straight, and how many labels do not determine.

    Two bends of one neuron meet in its row, as in `rows_from_planes`; one alone gets its bisector.
    Returns k rows (d+1,) and the number of bisectors.
    """
    left, rows, alone = list(bends), [], 0
    while left:
        bend = left.pop(0)
        row = None
        for i, other in enumerate(left):
            four = [bend.before, bend.after, other.before, other.after]
            found, fourth, third = rows_from_planes(np.stack([each.plane for each in four]))
            if fourth < FLAT and third > THIRD:
                row = found[0]
                left.pop(i)
                break
        alone += row is None
        rows.append(bisector(bend) if row is None else row)
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
    """The line through bends in a plane, (3,) with a normal of length 1; None if they are on none."""
    if len(bends) == 1:
        return bisector(bends[0])
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
    the points on the boundary. A neuron with one bend has two regions there, and gets its bisector.
    Returns (k, 3) and the number of bisectors. No queries.
    """
    best, rows, alone = np.inf, np.zeros((0, 3)), 0
    bends = bends[:MOST_BENDS]
    for groups in sorted(partitions(list(range(len(bends)))), key=len):
        lines = [line_through([bends[i] for i in group]) for group in groups]
        if any(line is None for line in lines):
            continue
        planes = np.array(lines).reshape(-1, 3)
        theta, _ = output_weights(planes, points, classes, K)
        off = float(np.median(np.abs(distances(planes, theta, points, classes))))
        worst = float(np.abs(distances(planes, theta, points, classes)).max())
        off = max(off, worst)
        if off < best:
            best, rows, alone = off, planes, sum(len(group) == 1 for group in groups)
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
