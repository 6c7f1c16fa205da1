"""PRADA detects thieves by the distances between their queries.

The distances of ordinary queries to the nearest earlier one of the same class are close to normally
distributed. An attack that makes its queries out of earlier ones, each the same step away from its
parent, piles distances up at that step, and a test for normality notices.
"""

from __future__ import annotations

import math
import os
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mstheft.defend import prada_file
from mstheft.defend.prada_distance import GrowingArray, GrowingSet, Spread
from mstheft.defend.prada_normality import ENOUGH, normality, without_outliers

DELTA = 0.9  # an alarm below this W, unless another threshold is given
EVERY = 10  # queries between two checks
FEWEST = 10  # distances that a class must have to count
SERIES = "distances", "classes", "checked", "ws"  # the arrays of a detector that grow
LATEST = 5000  # distances tested at most: so many is the Shapiro-Wilk test accurate for
EQUAL = 1e-4  # distances that differ by less, as a share of the largest, are equal
LARGEST = 1e300  # a larger number in a row counts as this: no distance is infinite


class History(NamedTuple):
    """queries (m,): how many there had been at each check; w (m,): the W of each, 0 for equal
    distances, which have none."""

    queries: np.ndarray
    w: np.ndarray


class Detector:
    """Watches queries and raises an alarm when their distances are not normally distributed.

    Per predicted class c, with a growing set G_c (see `prada_distance.GrowingSet`):

        d_min = min_{g ∈ G_c} ‖x - g‖₂    always goes to D_c; the class's first query has none
        d_min > T_c                       the query joins G_c, and T_c ← max(T_c, mean - std)

    Every 10 queries, counted over all classes, the D_c of 10 distances or more are put together and
    distances beyond 3 standard deviations of the mean dropped. If more than 100 are left,
    Shapiro-Wilk's W < δ flags an attack. Equal distances, as of rows that are repeated or moved by
    one step each, have no W. Nothing ordinary makes them, and they are flagged as what they are.

    The test is accurate for up to 5000 numbers, so only the latest 5000 count (before outliers are
    dropped): an attack is not drowned in ordinary traffic before it.

    delta : δ, 0.9 to 0.96 in the paper; W is 1 for a perfect normal sample and falls from there
    every : d_min is the distance to all earlier queries of the class, as the lecture has it, in
        place of those to the growing set
    alarm : has any check flagged an attack so far? It stays on
    w : W of the last check, 0 for equal distances, None before the first
    queries : rows seen

    A monitor of an `Oracle`, or used alone. Cost per query: one row of distances to G_c, which
    holds the latest 500 to 999 members (so does the set of all earlier queries), and a tenth of a
    check. Source: Juuti et al. 2019, section 5 (algorithm 3).
    """

    def __init__(self, delta: float = DELTA, every: bool = False):
        if not 0 < delta < 1:
            raise ValueError(f"expected 0 < delta < 1, got {delta}; 0.9 to 0.96 are usual")
        self.delta, self.every, self.queries = float(delta), every, 0
        self._sets: dict[int, GrowingSet] = {}
        self._width: int | None = None
        self._distances, self._classes = GrowingArray(), GrowingArray(dtype=np.int64)
        self._counts: dict[int, int] = {}
        self._checked, self._ws = GrowingArray(dtype=np.int64), GrowingArray()

    def __repr__(self) -> str:
        w = "None" if self.w is None else f"{self.w:.4f}"
        return f"Detector(delta={self.delta}, queries={self.queries}, w={w}, alarm={self.alarm})"

    @property
    def w(self) -> float | None:
        """Shapiro-Wilk's W at the last check."""
        return float(self._ws.values[-1]) if len(self._ws) else None

    @property
    def first_alarm(self) -> int | None:
        """Number of queries after which an attack was first flagged."""
        flagged = self._checked.values[self._ws.values < self.delta]
        return int(flagged[0]) if len(flagged) else None

    @property
    def reason(self) -> str | None:
        """Of the first alarm: 'not normal' for W < δ, 'equal distances', or None."""
        flagged = self._ws.values[self._ws.values < self.delta]
        if len(flagged) == 0:
            return None
        return "not normal" if flagged[0] else "equal distances"

    @property
    def alarm(self) -> bool:
        """Has an attack been flagged?"""
        return self.first_alarm is not None

    @property
    def distances(self) -> np.ndarray:
        """Every d_min so far, of all classes, in the order of the queries. (m,)."""
        return self._distances.values.copy()

    @property
    def history(self) -> History:
        """W at every check so far."""
        return History(self._checked.values.copy(), self._ws.values.copy())

    def tested(self) -> np.ndarray:
        """The distances that a check would test now, outliers dropped. (m,)."""
        return without_outliers(self._latest(len(self._distances), self._counts))

    def observe(self, x: ArrayLike, labels: ArrayLike) -> None:
        """See rows x, (n, d) or (n, …), and the classes (n,) that the victim gave them.

        How a stream is cut into calls makes no difference. Raises ValueError, before anything is
        taken in, for rows that are not finite numbers of one width.
        """
        x, labels = self._as_rows(np.asarray(x), np.asarray(labels))
        counts = dict(self._counts)
        distances = np.full(len(x), np.nan)
        for label in np.unique(labels).tolist():
            own = labels == label
            if label not in self._sets:
                self._sets[label] = GrowingSet(x.shape[1], x.dtype, self.every)
            distances[own] = self._sets[label].add(x[own])
        has_one = np.isfinite(distances)  # the first query of a class has none
        so_far = len(self._distances) + np.cumsum(has_one)
        self._distances.extend(distances[has_one])
        self._classes.extend(labels[has_one])
        for i, label in enumerate(labels.tolist()):
            self.queries += 1
            counts[label] = counts.get(label, 0) + int(has_one[i])
            if self.queries % EVERY == 0:
                self._check(int(so_far[i]), counts)
        self._counts = counts

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the whole state to an `.npz` file, whole or not at all. Holds the members' rows."""
        labels = sorted(self._sets)
        sets = [self._sets[label] for label in labels]  # in one file, class after class
        none = np.empty((0, self._width or 0), np.float32)
        prada_file.write(
            path,
            {
                "delta": np.array(self.delta),
                "every": np.array(int(self.every)),
                "queries": np.array(self.queries),
                **{name: getattr(self, f"_{name}").values for name in SERIES},
                "labels": np.array(labels, np.int64),
                "thresholds": np.array([s.threshold for s in sets], np.float64),
                "sizes": np.array([len(s.members) for s in sets], np.int64),
                "members": np.concatenate([none, *(s.members.values for s in sets)]),
                "spreads": np.array([s.spread.state for s in sets], np.float64).reshape(-1, 4),
            },
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Detector:
        """The detector that `save` wrote; it goes on as if it had never stopped.

        Raises `DataError` for a damaged file; nothing in it is ever executed.
        """
        saved = prada_file.read(path)
        detector = cls(float(saved["delta"]), bool(saved["every"]))
        detector.queries = int(saved["queries"])
        for name in SERIES:
            getattr(detector, f"_{name}").extend(saved[name])
        classes, counts = np.unique(saved["classes"], return_counts=True)
        detector._counts = dict(zip(classes.tolist(), counts.tolist(), strict=True))
        stops, width = np.cumsum(saved["sizes"])[:-1], saved["members"].shape[1]
        detector._width = width or None
        members, spreads = np.split(saved["members"], stops), saved["spreads"].tolist()
        labels, thresholds = saved["labels"].tolist(), saved["thresholds"].tolist()
        # without a class, np.split still gives one empty piece
        for label, part, threshold, spread in zip(
            labels, members, thresholds, spreads, strict=False
        ):
            detector._sets[label] = GrowingSet(width, part.dtype, detector.every)
            detector._sets[label].restore(part, threshold, Spread(*spread))
        return detector

    def _as_rows(self, x: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if x.ndim < 2 or x.dtype.kind not in "fiu" or not np.isfinite(x).all():
            got = f"{x.dtype} of shape {x.shape}"
            raise ValueError(f"expected rows (n, d) of finite numbers, got {got}; try x[None]")
        if labels.shape != (len(x),) or labels.dtype.kind not in "iu":
            got = f"{labels.dtype} of shape {labels.shape}"
            raise ValueError(f"expected labels as ({len(x)},) whole numbers, got {got}")
        x = x.reshape(len(x), math.prod(x.shape[1:]))
        if self._width not in (None, x.shape[1]):
            wanted = f"rows of {self._width} numbers as before"
            raise ValueError(
                f"expected {wanted}, got {x.shape[1]}; take a detector for each victim"
            )
        self._width = x.shape[1]
        small = np.can_cast(x.dtype, np.float32)
        x = x.astype(np.float32) if small else x.astype(np.float64).clip(-LARGEST, LARGEST)
        return x, labels.astype(np.int64)

    def _check(self, so_far: int, counts: dict[int, int]) -> None:
        distances = without_outliers(self._latest(so_far, counts))
        if len(distances) > ENOUGH:
            equal = distances.max() - distances.min() <= EQUAL * distances.max()
            self._checked.extend([self.queries])
            self._ws.extend([(None if equal else normality(distances)) or 0.0])

    def _latest(self, so_far: int, counts: dict[int, int]) -> np.ndarray:
        """Of the first `so_far` distances the latest 5000 of classes that have enough.

        The others have at most 10 each, so that a window of 5000 and these holds all of them.
        """
        small = [label for label, count in counts.items() if count < FEWEST]
        start = max(0, so_far - LATEST - FEWEST * len(small))
        distances = self._distances.values[start:so_far]
        if small:
            distances = distances[~np.isin(self._classes.values[start:so_far], small)]
        return distances[-LATEST:]
