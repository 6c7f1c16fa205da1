"""The text of PRADA, one query after the other: tests hold the fast detector equal to it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mstheft.defend import prada_distance
from mstheft.defend.prada import DELTA, ENOUGH, EQUAL, EVERY, FEWEST, LATEST
from mstheft.defend.prada_distance import lengths
from mstheft.typing import Array


class Observed(NamedTuple):
    """Distances in the order of the queries (the first of a class has none), and checks."""

    distances: np.ndarray
    queries: np.ndarray
    w: np.ndarray
    first_alarm: int | None


def nearest_distance(row: Array, members: Sequence[Array]) -> float:
    """PRADA's distance:  d_min = min_{g ∈ G} ‖x - g‖₂. (d,), the members of G (d,) each."""
    return float(lengths(row - np.array(members)).min())


def low(own: Sequence[float]) -> float:
    """mean - std, in units of the largest, whose square might be too large or too small."""
    unit = max(own) or 1.0
    return float(np.mean(np.divide(own, unit)) - np.std(np.divide(own, unit))) * unit


def prada_naive(
    x: ArrayLike, labels: Sequence[int], delta: float = DELTA, *, every: bool = False
) -> Observed:
    """The text of `Detector`, one query after the other: slow and obvious. For tests and lessons.

    x : (n, d); labels : (n,)
    """
    from scipy.stats import shapiro

    members: dict[int, list[Array]] = {}  # G_c
    own: dict[int, list[float]] = {}  # d_min of the members
    threshold: dict[int, float] = {}  # T_c
    arrived: list[tuple[int, float]] = []  # class and d_min of every query that has one
    queries, ws = [], []
    for count, (row, label) in enumerate(zip(np.asarray(x, float), labels, strict=True), start=1):
        if label not in members:
            members[label], own[label], threshold[label] = [row], [0.0], 0.0
        else:
            nearest = nearest_distance(row, members[label])
            arrived.append((label, nearest))
            if every or nearest > threshold[label]:
                members[label].append(row)
                own[label].append(nearest)
                threshold[label] = max(threshold[label], low(own[label]))
            if len(members[label]) == prada_distance.MEMBERS:
                del members[label][: prada_distance.MEMBERS - prada_distance.MEMBERS // 2]
        if count % EVERY:
            continue
        classes = [c for c, _ in arrived]
        d = np.array([d for c, d in arrived if classes.count(c) >= FEWEST][-LATEST:])
        d = d / (d.max(initial=0) or 1.0)
        d = d[abs(d - np.mean(d)) <= 3 * np.std(d)] if len(d) else d  # without outliers
        if len(d) > ENOUGH:
            queries.append(count)
            equal = d.max() - d.min() <= EQUAL * d.max()
            ws.append(0.0 if equal else float(shapiro(d).statistic))
    alarms = [q for q, w in zip(queries, ws, strict=True) if w < delta]
    distances = np.array([d for _, d in arrived])
    first = alarms[0] if alarms else None
    return Observed(distances, np.array(queries, int), np.array(ws, float), first)
