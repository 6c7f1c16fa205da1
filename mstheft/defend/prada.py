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
from mstheft.defend.prada_distance import GrowingArray, GrowingSet

DELTA = 0.9  # an alarm below this W, unless another threshold is given
EVERY = 10  # queries between two checks
FEWEST = 10  # distances that a class must have to count
ENOUGH = 100  # more distances than this, or there is no check
SERIES = "distances", "classes", "checked", "ws"  # the arrays of a detector that grow
LATEST = 5000  # distances tested at most: so many is the Shapiro-Wilk test accurate for


class History(NamedTuple):
    """queries (m,): how many there had been at each check; w (m,): the W of each."""

    queries: np.ndarray
    w: np.ndarray


class Detector:
    """Watches queries and raises an alarm when their distances are not normally distributed.

    Per predicted class c, with a growing set G_c (see `prada_distance.GrowingSet`):

        d_min = min_{g ∈ G_c} ‖x - g‖₂    always goes to D_c; the class's first query has none
        d_min > T_c                       the query joins G_c, and T_c ← max(T_c, mean - std)

    Every 10 queries, counted over all classes, the D_c of 10 distances or more are put together and
    distances beyond 3 standard deviations of the mean dropped. If more than 100 are left,
    Shapiro-Wilk's W < δ flags an attack.

    The test is accurate for up to 5000 numbers, so only the latest 5000 count (before outliers are
    dropped): an attack is not drowned in ordinary traffic before it. Equal distances have no W.

    delta : δ, 0.9 to 0.96 in the paper; W is 1 for a perfect normal sample and falls from there
    alarm : has any check flagged an attack so far? It stays on
    w : W of the last check, None before the first
    queries : rows seen

    A monitor of an `Oracle`, or used alone. Cost per query: one row of distances to G_c.
    Source: Juuti et al. 2019, section 5 (algorithm 3).
    """

    def __init__(self, delta: float = DELTA):
        if not 0 < delta < 1:
            raise ValueError(f"expected 0 < delta < 1, got {delta}; 0.9 to 0.96 are usual")
        self.delta, self.queries = float(delta), 0
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
        return _without_outliers(self._latest(len(self._distances), self._counts))

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
                self._sets[label] = GrowingSet(x.shape[1], x.dtype)
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
                "queries": np.array(self.queries),
                **{name: getattr(self, f"_{name}").values for name in SERIES},
                "labels": np.array(labels, np.int64),
                "thresholds": np.array([s.threshold for s in sets], np.float64),
                "sizes": np.array([len(s.members) for s in sets], np.int64),
                "members": np.concatenate([none, *(s.members.values for s in sets)]),
                "member_distances": np.concatenate([[], *(s.distances.values for s in sets)]),
            },
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Detector:
        """The detector that `save` wrote; it goes on as if it had never stopped.

        Raises `DataError` for a damaged file; nothing in it is ever executed.
        """
        saved = prada_file.read(path)
        detector = cls(float(saved["delta"]))
        detector.queries = int(saved["queries"])
        for name in SERIES:
            getattr(detector, f"_{name}").extend(saved[name])
        classes, counts = np.unique(saved["classes"], return_counts=True)
        detector._counts = dict(zip(classes.tolist(), counts.tolist(), strict=True))
        stops, width = np.cumsum(saved["sizes"])[:-1], saved["members"].shape[1]
        detector._width = width or None
        parts = [np.split(saved[name], stops) for name in ("members", "member_distances")]
        labels, thresholds = saved["labels"].tolist(), saved["thresholds"].tolist()
        # without a class, np.split still gives one empty piece
        for label, *content in zip(labels, *parts, thresholds, strict=False):
            detector._sets[label] = GrowingSet(width, saved["members"].dtype)
            detector._sets[label].restore(*content)
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
        small = np.can_cast(x.dtype, np.float32) and np.abs(x).max(initial=0) < 1e15
        return x.astype(np.float32 if small else np.float64), labels.astype(np.int64)

    def _check(self, so_far: int, counts: dict[int, int]) -> None:
        w = normality(_without_outliers(self._latest(so_far, counts)))
        if w is not None:
            self._checked.extend([self.queries])
            self._ws.extend([w])

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


def normality(distances: np.ndarray) -> float | None:
    """Shapiro-Wilk's W, or None for 100 distances or fewer, or if all of them are equal.

        W = (Σ_i a_i d_(i))² / Σ_i (d_i - mean)²

    d_(i) are the distances in order and a_i what a normal sample would have there, scaled so that
    W = 1 for a perfect fit. Source: Shapiro and Wilk 1965; Royston 1995 for n up to 5000.
    """
    if len(distances) <= ENOUGH or distances.min() == distances.max():
        return None
    from scipy.stats import shapiro

    return float(shapiro(distances).statistic)


def _without_outliers(distances: np.ndarray) -> np.ndarray:
    """Those at most 3 (population) standard deviations from the mean."""
    if len(distances) == 0:
        return distances
    return distances[np.abs(distances - distances.mean()) <= 3 * distances.std()]
