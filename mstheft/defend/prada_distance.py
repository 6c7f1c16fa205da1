"""PRADA's distance: how far a query lies from the growing set of its class.

    d_min(x) = min_{g ∈ G} ‖x - g‖₂,    G the earlier queries that lay far from those before them

`prada_naive.nearest_distance` is the slow obvious version.
"""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from mstheft.typing import Array

BLOCK = 256  # rows whose distances are computed together
LARGEST = {np.dtype(np.float32): 1e15, np.dtype(np.float64): 1e140}  # squares do not overflow


class GrowingArray:
    """Rows in one array that doubles when it is full: n appends cost O(n) copies in all."""

    def __init__(self, shape: tuple[int, ...] = (), dtype: DTypeLike = np.float64):
        self._all, self._size = np.empty((16, *shape), dtype), 0

    def __len__(self) -> int:
        return self._size

    @property
    def values(self) -> np.ndarray:
        """The rows so far, (n, …): a view, to be read at once."""
        return self._all[: self._size]

    def extend(self, rows: ArrayLike) -> None:
        """Append rows, (m, …)."""
        rows = np.asarray(rows)
        needed = self._size + len(rows)
        if needed > len(self._all):
            old, room = self.values, max(needed, 2 * len(self._all))
            self._all = np.empty((room, *old.shape[1:]), old.dtype)
            self._all[: self._size] = old
        self._all[self._size : needed] = rows
        self._size = needed

    def widen(self, dtype: DTypeLike) -> None:
        """Hold numbers of another type from now on."""
        self._all = self._all.astype(dtype)

    def keep_last(self, m: int, mask: np.ndarray) -> None:
        """Of the last m rows keep those with True, (m,)."""
        first = self._size - m
        self._all[first : first + mask.sum()] = self.values[first:][mask]
        self._size = first + int(mask.sum())


class GrowingSet:
    """G_c with its threshold T_c, and the distance of each new query to it.

        d = min_{g ∈ G} ‖x - g‖₂        x joins G when d > T
        T ← max(T, mean - std)          over the d of all members, the first one's being 0

    members : the rows of G; distances : their d; threshold : T
    Distances are exact to rounding. ‖x‖² + ‖g‖² - 2 <x, g>, one matrix product for many rows, loses
    all digits of a small distance: it only selects the g that can be the nearest, and ‖x - g‖ of
    these is computed directly in float64. Rows of float32 stay float32, in half the memory, up to
    the first row of float64.
    """

    def __init__(self, width: int, dtype: DTypeLike = np.float64):
        self.members, self.distances = GrowingArray((width,), dtype), GrowingArray()
        self.threshold = 0.0
        self._squares = GrowingArray(dtype=dtype)

    def add(self, rows: Array) -> np.ndarray:
        """Distances of rows (m, width), one after the other; NaN for the very first. (m,)."""
        before = self.members.values.dtype
        common = np.result_type(rows, before)
        if common != before:
            self.members.widen(common)
            self._squares.widen(common)
        rows = rows.astype(common, copy=False)
        rows = np.clip(rows, -LARGEST[common], LARGEST[common])
        parts = [self._block(rows[i : i + BLOCK]) for i in range(0, len(rows), BLOCK)]
        return np.concatenate(parts)

    def restore(self, members: Array, distances: np.ndarray, threshold: float) -> None:
        """Become the set that had these members, in an empty set."""
        self.members.extend(members)
        self._squares.extend(np.einsum("ij,ij->i", members, members))
        self.distances.extend(distances)
        self.threshold = float(threshold)

    def _block(self, rows: Array) -> np.ndarray:
        """Rows take a place among the members at once and lose it again if they do not join."""
        before, m = len(self.members), len(rows)
        squares = np.einsum("ij,ij->i", rows, rows)
        self.members.extend(rows)
        self._squares.extend(squares)
        candidates, their_squares = self.members.values, self._squares.values
        # ‖x‖² + ‖g‖² - 2 <x, g>: (m, members + m)
        rough = squares[:, None] + their_squares - 2 * (rows @ candidates.T)
        slack = self._slack(squares, their_squares.max())
        member = np.arange(before + m) < before  # who has joined, (members + m,)
        distances = np.full(m, np.nan)
        for i, row in enumerate(rows):
            if before + i == 0:
                member[0] = True
                self.distances.extend([0.0])
                continue
            distances[i] = _nearest(row, candidates, np.where(member, rough[i], np.inf), slack[i])
            if distances[i] > self.threshold:
                member[before + i] = True
                self.distances.extend(distances[i : i + 1])
                d = self.distances.values
                self.threshold = max(self.threshold, float(d.mean() - d.std()))
        self.members.keep_last(m, member[before:])
        self._squares.keep_last(m, member[before:])
        return distances

    def _slack(self, squares: np.ndarray, largest: float) -> np.ndarray:
        """How much larger than the smallest the rough square of the nearest can be. (m,).

        A sum of d products is off by at most d u Σ|x_j g_j| ≤ d u ‖x‖ ‖g‖, so a rough square by
        (d + 3) u (‖x‖ + ‖g‖)²; that twice, and as much again for the exact distance's rounding.
        What is too small to be squared adds the smallest number there is.
        """
        info, width = np.finfo(squares.dtype), self.members.values.shape[1]
        bound = 2 * info.eps * (width + 8) * (np.sqrt(squares) + np.sqrt(largest)) ** 2
        return bound + 4 * width * info.tiny


def _nearest(row: Array, members: Array, rough: np.ndarray, slack: float) -> float:
    """The exact distance, out of the members whose rough square is near the smallest."""
    near = members[np.flatnonzero(rough <= rough.min() + slack)]
    return float(np.sqrt(((near.astype(np.float64) - row) ** 2).sum(axis=1).min()))
