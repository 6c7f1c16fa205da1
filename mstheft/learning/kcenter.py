"""Greedy k-center: again and again the point that is farthest from its nearest centre.

        . . .   *           * centres;  the next one is o, which is farthest from both
      . * . .      . o

`greedy_naive` looks at every point after every choice. `greedy` gives the same answer, bit for
bit, with matrix products: see there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mstheft.nn.functions import Array

SHORTLIST = 2048  # farthest points among which many choices in a row are made
BLOCK = 1 << 16  # distances in a block: half a megabyte stays in the processor's cache
UNIT = 2.0**-25  # grid of the probabilities, finer than float32 is near 1


def on_grid(outputs: Array) -> Array:
    """Probabilities in units of 2^-25, rounded to whole numbers (as float64).

    Then squares, products and their sums ‖x‖² + ‖c‖² - 2 x·c are whole numbers below 2^53, which
    float64 holds exactly: two ways to compute a distance cannot differ, and a tie is a tie.
    """
    return np.rint(np.asarray(outputs, np.float64) / UNIT)


def greedy_naive(outputs: Array, labelled: Any, free: np.ndarray, k: int) -> np.ndarray:
    """k-center as it is written down, one pass over all points per centre; same as `greedy`."""
    points = on_grid(outputs)
    near = np.full(len(points), np.inf)
    for centre in labelled:
        near = np.minimum(near, ((points - points[centre]) ** 2).sum(axis=1))
    left, chosen = list(free), []
    for _ in range(k):
        pick = max(left, key=lambda i: (near[i], -i))
        left.remove(pick)
        chosen.append(pick)
        near = np.minimum(near, ((points - points[pick]) ** 2).sum(axis=1))
    return np.array(chosen, np.int64)


def greedy(outputs: Array, labelled: Any, free: np.ndarray, k: int) -> np.ndarray:
    """Choose k centres greedily among the free points.

        x* = argmax_x near(x),   near(x) = min_c ‖x - c‖²,   c labelled or chosen

    A choice only ever lowers `near`. So as long as the best of a shortlist of the farthest points
    is above all that were not on the list, it is the best of all, and only the list has to know
    the new centre. After some hundred choices the list is used up; then one matrix product brings
    all points up to date:  ‖x - c‖² = [-2x, ‖x‖², 1] · [c, 1, ‖c‖²].

    outputs : (n, K) probabilities; labelled : indices of the centres at the start, may be empty
    free : (m,) indices to choose from, ascending; k : at most m
    Returns (k,) indices in order of choice; of equally far points the first.
    """
    points = on_grid(outputs)
    rows, centres = _left(points[free]), _right(points[np.asarray(labelled, np.int64)])
    near = np.full(len(free), np.inf)
    for i in range(0, len(centres), SHORTLIST):
        _lower(near, rows, centres[i : i + SHORTLIST])
    chosen: list[int] = []
    while len(chosen) < k:
        new = _from_shortlist(near, rows, k - len(chosen))
        chosen += new
        _lower(near, rows, _right(rows[new, :-2] / -2))
        near[new] = -1  # taken: below every distance
    return free[chosen]


def _from_shortlist(near: Array, rows: Array, most: int) -> list[int]:
    """The next choices, as long as a shortlist of the farthest points suffices; at least one."""
    n, size = len(near), min(SHORTLIST, len(near))
    rest = np.partition(near, n - size)[n - size]  # the farthest of the others is not above this
    ties = np.flatnonzero(near == rest)
    room = size - np.count_nonzero(near > rest)
    first_tie = ties[room] if len(ties) > room else n  # the first of the others that is at `rest`
    listed = np.sort(np.concatenate([np.flatnonzero(near > rest), ties[:room]]))
    mine, left = near[listed], rows[listed]
    right = _right(left[:, :-2] / -2)
    picks: list[int] = []
    while len(picks) < most:
        best = int(mine.argmax())
        far = mine[best]
        if far < 0 or far < rest or (far == rest and listed[best] > first_tie):
            break
        picks.append(best)
        np.minimum(mine, left @ right[best], out=mine)
        mine[best] = -1
    return [int(i) for i in listed[picks]]


def _left(points: Array) -> Array:
    """[-2x, ‖x‖², 1] for every point, (n, K) -> (n, K+2)."""
    square = (points * points).sum(axis=1)
    return np.column_stack([-2 * points, square, np.ones(len(points))])


def _right(points: Array) -> Array:
    """[c, 1, ‖c‖²] for every centre, (n, K) -> (n, K+2)."""
    square = (points * points).sum(axis=1)
    return np.column_stack([points, np.ones(len(points)), square])


def _lower(near: Array, rows: Array, centres: Array) -> None:
    """near ← min(near, distance to these centres), in place, a block of rows at a time."""
    step = max(1, BLOCK // len(centres))
    across = np.ascontiguousarray(centres.T)
    distances = np.empty((step, len(centres)))
    for i in range(0, len(rows), step):
        part = rows[i : i + step]
        np.matmul(part, across, out=distances[: len(part)])
        lowest = distances[: len(part)].min(axis=1)
        np.minimum(near[i : i + step], lowest, out=near[i : i + step])
