"""Greedy k-center: again and again the point that is farthest from its nearest centre.

        . . .   *           * centres;  the next one is o, which is farthest from both
      . * . .      . o

`greedy_naive` compares every point after every choice. `greedy` gives the same answer, bit for bit,
with matrix products.
"""

import numpy as np
from numpy.typing import ArrayLike

from mstheft.typing import Array

SHORTLIST = 2048  # farthest points among which many choices in a row are made
BLOCK = 1 << 16  # distances in a block: half a megabyte stays in the processor's cache
TAKEN = -1.0  # in the place of a distance: below all of them
UNIT = 2.0**-25  # grid of the probabilities, finer than float32 is near 1


def on_grid(outputs: Array) -> Array:
    """Probabilities in units of 2^-25, rounded to whole numbers (as float64).

    Then squares, products and their sums ‖x‖² + ‖c‖² - 2 x·c are whole numbers below 2^53, which
    float64 holds exactly: two ways to compute a distance cannot differ, and a tie is a tie.
    """
    return np.rint(np.asarray(outputs, np.float64) / UNIT)


def greedy_naive(outputs: Array, labelled: ArrayLike, free: np.ndarray, k: int) -> np.ndarray:
    """k-center as it is written down, one pass over all points per centre; same as `greedy`."""
    points, labelled = on_grid(outputs), np.asarray(labelled, np.int64)
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


def greedy(outputs: Array, labelled: ArrayLike, free: np.ndarray, k: int) -> np.ndarray:
    """Choose k centres greedily among the free points.

        x* = argmax_x near(x),   near(x) = min_c ‖x - c‖²,   c labelled or chosen

    A new centre only ever lowers `near`, so its value over the first centres is an upper bound.
    A shortlist of the points with the largest bounds is brought up to date, and as long as the best
    of it is above all other bounds, it is the best of all. Points far from the top are never
    compared with most centres. ‖x - c‖² = [-2x, ‖x‖², 1] · [c, 1, ‖c‖²], a matrix product.

    outputs : (n, K) probabilities; labelled : indices of the centres at the start, may be empty
    free : (m,) indices to choose from, ascending; k : at most m
    Returns (k,) indices in order of choice; of equally far points the first.
    """
    points, labelled = on_grid(outputs), np.asarray(labelled, np.int64)
    rows, right = _left(points[free]), _right(points[free])  # (m, K+2): distances are rows · right
    centres = np.empty((len(labelled) + k, rows.shape[1]))  # (centres, K+2)
    centres[: len(labelled)] = _right(points[labelled])
    near = _nearest(rows, centres[: len(labelled)])  # (m,) squared, an upper bound
    seen = np.full(len(free), len(labelled))  # how many of the centres `near` knows of
    chosen: list[int] = []
    while len(chosen) < k:
        count = len(labelled) + len(chosen)
        listed, others, first_tie = _shortlist(near)
        for age in np.unique(seen[listed]):
            part = listed[seen[listed] == age]
            near[part] = np.minimum(near[part], _nearest(rows[part], centres[age:count]))
        mine, left = near[listed], rows[listed]  # (listed,), (listed, K+2)
        while len(chosen) < k:
            best = int(mine.argmax())
            far, pick = mine[best], listed[best]
            if far < others or (far == others and pick > first_tie):
                break  # a point off the list may be farther
            centres[count] = right[pick]
            np.minimum(mine, left @ centres[count], out=mine)
            mine[best] = TAKEN
            chosen.append(int(pick))
            count += 1
        near[listed], seen[listed] = mine, count
    return free[chosen]


def _shortlist(near: Array) -> tuple[np.ndarray, float, int]:
    """The points with the largest values, ascending; of equal ones the first.

    Returns their indices, the largest value of the others, and the first of these that has it.
    """
    n = len(near)
    if n <= SHORTLIST:
        return np.arange(n), -np.inf, n
    lowest = np.partition(near, n - SHORTLIST)[n - SHORTLIST]
    above, ties = np.flatnonzero(near > lowest), np.flatnonzero(near == lowest)
    room = SHORTLIST - len(above)
    listed = np.sort(np.concatenate([above, ties[:room]]))
    if len(ties) > room:
        return listed, float(lowest), int(ties[room])
    others = float(near[near < lowest].max(initial=TAKEN))
    return listed, others, int((near == others).argmax())


def _left(points: Array) -> Array:
    """[-2x, ‖x‖², 1] for every point, (n, K) -> (n, K+2)."""
    square = (points * points).sum(axis=1)
    return np.column_stack([-2 * points, square, np.ones(len(points))])


def _right(points: Array) -> Array:
    """[c, 1, ‖c‖²] for every centre, (n, K) -> (n, K+2)."""
    square = (points * points).sum(axis=1)
    return np.column_stack([points, np.ones(len(points)), square])


def _nearest(rows: Array, centres: Array) -> Array:
    """Squared distance of each row to its nearest centre, a block at a time; infinite for none."""
    near = np.full(len(rows), np.inf)
    for j in range(0, len(centres), SHORTLIST):
        across = np.ascontiguousarray(centres[j : j + SHORTLIST].T)
        step = max(1, BLOCK // across.shape[1])
        distances = np.empty((min(step, len(rows)), across.shape[1]))
        for i in range(0, len(rows), step):
            part = distances[: len(rows[i : i + step])]
            np.matmul(rows[i : i + step], across, out=part)
            np.minimum(near[i : i + step], part.min(axis=1), out=near[i : i + step])
    return near
