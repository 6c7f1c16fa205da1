"""PRADA's distance: how far a query lies from the growing set of its class.

    d_min(x) = min_{g ∈ G} ‖x - g‖₂,    G the earlier queries that lay far from those before them

`prada_naive.nearest_distance` is the slow obvious version.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from mstheft.typing import Array

MEMBERS = 1000  # of a class: where there are so many the older half goes, and its cost with it
BLOCK = 256  # rows whose distances are computed together
PAIRS = 1024  # of them that are measured together
ORDINARY = 1e-10, 1e10  # largest numbers of rows whose squares keep their digits in float32


def lengths(rows: ArrayLike) -> Array:
    """‖v‖₂ of each row in float64, also where squares are too large or too small. (n, d) -> (n,).

    Divided by a power of two first, which loses no digit.
    """
    rows = np.asarray(rows, np.float64)
    unit = np.ldexp(1.0, np.frexp(np.abs(rows).max(axis=1, initial=0))[1] - 1)  # (n,)
    return np.sqrt(((rows / unit[:, None]) ** 2).sum(axis=1)) * unit


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

    def forget(self, m: int) -> None:
        """Drop the first m rows."""
        self._all[: self._size - m] = self.values[m:]
        self._size -= m


class Spread:
    """mean - std of numbers that come one by one, in a unit as large as the largest of them.

        mean ← mean + (d - mean) / n,    M ← M + (d - mean before) (d - mean),    std = √(M / n)

    Source: Welford 1962.
    """

    def __init__(self, count: float = 0, mean: float = 0.0, m: float = 0.0, unit: float = 0.0):
        self.count, self.mean, self.m, self.unit = int(count), float(mean), float(m), float(unit)

    @property
    def state(self) -> tuple[float, float, float, float]:
        """What `Spread(*state)` goes on from."""
        return self.count, self.mean, self.m, self.unit

    def add(self, d: float) -> None:
        """One number of at least 0."""
        if d > 0 and d >= self.unit:
            unit = math.ldexp(1, math.frexp(d)[1])
            self.mean, self.m = self.mean * (self.unit / unit), self.m * (self.unit / unit) ** 2
            self.unit = unit
        self.count += 1
        d = d / (self.unit or 1)
        before = d - self.mean
        self.mean += before / self.count
        self.m += before * (d - self.mean)

    @property
    def low(self) -> float:
        """mean - std, in the numbers' own unit."""
        return (self.mean - math.sqrt(self.m / self.count)) * self.unit


class GrowingSet:
    """G_c with its threshold T_c, and the distance of each new query to it.

        d = min_{g ∈ G} ‖x - g‖₂        x joins G when d > T
        T ← max(T, mean - std)          over the d of all that ever joined, the first one's being 0

    Where 1,000 have joined the older half goes, so that neither the cost of a query nor the memory
    grows with the stream: a query is then compared with the latest 500 to 999 members.

    every : every query joins, as in the plain distance to all earlier ones
    members : the rows of G; threshold : T; spread : of the d of those that joined
    Distances are exact to rounding, at any scale. ‖x‖² + ‖g‖² - 2 <x, g>, one matrix product for
    many rows, loses all digits of a small distance: it only selects the g that can be the nearest,
    and ‖x - g‖ of these is computed directly in float64. Rows of float32 stay float32, in half the
    memory, up to the first row of float64.
    """

    def __init__(self, width: int, dtype: DTypeLike = np.float64, every: bool = False):
        self.members, self.spread = GrowingArray((width,), dtype), Spread()
        self.threshold, self.every = 0.0, every
        self._largest, self._unit = 0.0, 1.0  # of all numbers in rows, and what squares are in
        self._squares = GrowingArray(dtype=dtype)

    def add(self, rows: Array) -> np.ndarray:
        """Distances of rows (m, width), one after the other; NaN for the very first. (m,)."""
        before = self.members.values.dtype
        common = np.result_type(rows, before)
        if common != before:
            self.members.widen(common)
            self._squares = GrowingArray(dtype=common)  # anew, see `_unit_of`
        rows, start = rows.astype(common, copy=False), 0
        distances = np.empty(len(rows))
        while start < len(rows):
            part = self._block(rows[start : start + BLOCK])
            distances[start : start + len(part)] = part
            start += len(part)
        return distances

    def restore(self, members: Array, threshold: float, spread: Spread) -> None:
        """Become the set that had these members, in an empty set."""
        self.members.extend(members)
        self._largest = float(np.abs(members).max(initial=0))
        self.threshold, self.spread = float(threshold), spread

    def _block(self, rows: Array) -> np.ndarray:
        """The distances of these rows, or of the first of them if the older half goes."""
        old, m = self.members.values, len(rows)
        unit = self._unit_of(rows)
        scaled = rows / unit if unit != 1 else rows
        squares = np.einsum("ij,ij->i", scaled, scaled)
        slack = self._slack(squares)
        distances = np.full(m, np.inf)
        if len(old):
            scaled_old = old / unit if unit != 1 else old
            rough = _rough(scaled, squares, scaled_old, self._squares.values)  # (m, members)
            distances = _nearest(rows, old, rough, slack)
        rough = _rough(scaled, squares, scaled, squares)  # of the rows to one another, (m, m)
        joined = np.zeros(m, bool)
        hidden = np.full(m, np.inf, rows.dtype)  # 0 for those that have joined
        reach = (distances / float(unit)) ** 2 + slack  # no rough square beyond it is the nearest
        earlier = np.where(np.tri(m, k=-1, dtype=bool), rough, np.inf).min(axis=1)
        is_near = (earlier <= reach).tolist()  # to a row of the block, if that one joins
        size = len(old)
        for i, d in enumerate(distances.tolist()):
            if is_near[i] and size > len(old):
                near = rough[i] + hidden
                near = rows[near <= near.min() + slack[i]]
                d = distances[i] = min(d, float(lengths(near.astype(np.float64) - rows[i]).min()))
            if size == 0:
                d, distances[i] = 0.0, np.nan
            elif not (self.every or d > self.threshold):
                continue
            joined[i], hidden[i], size = True, 0, size + 1
            self.spread.add(d)
            self.threshold = max(self.threshold, self.spread.low)
            if size >= MEMBERS:
                m = i + 1
                break
        self.members.extend(rows[joined])
        self._squares.extend(squares[joined])
        if size >= MEMBERS:
            self.members.forget(size - MEMBERS // 2)
            self._squares.forget(size - MEMBERS // 2)
        return distances[:m]

    def _unit_of(self, rows: Array) -> np.floating:
        """A power of two, 1 as a rule, in which no square of a row is too large or too small."""
        largest, members = float(np.abs(rows).max(initial=0)), self.members.values
        self._largest = max(self._largest, largest)
        ordinary = self._largest == 0 or ORDINARY[0] <= self._largest <= ORDINARY[1]
        unit = 1.0 if ordinary else math.ldexp(1, math.frexp(self._largest)[1] - 1)
        if unit != self._unit or len(self._squares) != len(members):
            self._unit, self._squares = unit, GrowingArray(dtype=members.dtype)
            self._squares.extend(np.einsum("ij,ij->i", members / unit, members / unit))
        return members.dtype.type(unit)

    def _slack(self, squares: np.ndarray) -> np.ndarray:
        """How much larger than the smallest the rough square of the nearest can be. (m,).

        A sum of d products is off by at most d u Σ|x_j g_j| ≤ d u ‖x‖ ‖g‖, so a rough square by
        (d + 3) u (‖x‖ + ‖g‖)²; that twice, and as much again for the exact distance's rounding.
        What is too small to be squared adds the smallest number there is.
        """
        info, width = np.finfo(squares.dtype), self.members.values.shape[1]
        largest = max(squares.max(), self._squares.values.max(initial=0))
        bound = 2 * info.eps * (width + 8) * (np.sqrt(squares) + np.sqrt(largest)) ** 2
        return bound + 4 * width * info.tiny


def _rough(rows: Array, squares: Array, others: Array, their_squares: Array) -> Array:
    """‖x‖² + ‖g‖² - 2 <x, g> of each row with each other one. (m, d), (M, d) -> (m, M)."""
    rough = rows @ others.T
    rough *= -2
    rough += their_squares
    rough += squares[:, None]
    return rough


def _nearest(rows: Array, members: Array, rough: Array, slack: Array) -> Array:
    """The exact distances, out of the members whose rough square is near the smallest. (m,)."""
    row, member = np.nonzero(rough <= (rough.min(axis=1) + slack)[:, None])  # (pairs,)
    distances = np.full(len(rows), np.inf)
    for i in range(0, len(row), PAIRS):
        pairs = row[i : i + PAIRS], member[i : i + PAIRS]
        exact = lengths(members[pairs[1]].astype(np.float64) - rows[pairs[0]])
        np.minimum.at(distances, pairs[0], exact)
    return distances
