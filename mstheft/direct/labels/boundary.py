"""Points on the boundary between two classes: bisections, side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from mstheft.errors import ExtractionError
from mstheft.typing import Array, Oracle

DIGITS = 52  # halvings of a segment between two rows: all that float64 holds
SCALES = 8.0 ** np.arange(0, 21)  # of the rows among which two labels are sought
PROBES = 2.0 ** -np.arange(10.0, 50.0)  # distances from the boundary at which labels are tried


@dataclass(frozen=True)
class Scale:
    """How far and how finely a victim is measured.

    unit : length of a walk's steps: √d in the victim's inputs, 1 in coordinates of normals
    finest : distance below which labels are not to be believed
    precision : of a slope
    """

    unit: float
    finest: float
    precision: float

    @property
    def circle(self) -> float:
        """Radius of the circle around a bend."""
        return self.unit * max(2.0**-11, float(np.cbrt(self.finest)))

    @property
    def radius(self) -> float:
        """Radius in which a normal is measured."""
        return 2 * self.circle

    @property
    def loose(self) -> float:
        """Error of rows that are made of several normals: half of the digits."""
        return 10 * float(np.sqrt(self.finest))

    @property
    def same(self) -> float:
        """Distance below which two rows, or a row and a bend, are one."""
        return max(1e-4, self.loose)

    @property
    def flat(self) -> float:
        """Fourth singular value of four planes, relative to the third, that counts as zero."""
        return max(1e-6, self.loose / 2)

    @property
    def margin(self) -> float:
        """Half-width of the seam beside the boundary in which labels are not compared."""
        return max(1e-7, 30 * self.finest)

    @property
    def reach(self) -> float:
        """How far a walk looks for a bend."""
        return 10 * self.unit


@dataclass(frozen=True)
class Piece:
    """A flat piece of a boundary: n·(x - p) = 0 near p, one activation pattern.

    point, normal : (d,) p and the unit vector n, which points into the first of its classes
    classes : (a, b), labels on either side
    error : ‖Δn‖ that is expected
    """

    point: Array
    normal: Array
    classes: tuple[int, int]
    error: float

    @property
    def plane(self) -> Array:
        """(n, -n·p), (d+1,)."""
        return np.append(self.normal, -self.normal @ self.point)


class BoundaryPoints(NamedTuple):
    """Where the label changes.

    points : (n, d)
    across : (n, d) unit vectors that cross the boundary there, into the first class
    classes : (n, 2) labels on either side
    """

    points: Array
    across: Array
    classes: np.ndarray

    @classmethod
    def none(cls, d: int) -> BoundaryPoints:
        """No points yet."""
        return cls(np.zeros((0, d)), np.zeros((0, d)), np.zeros((0, 2), int))

    def and_also(self, other: BoundaryPoints) -> BoundaryPoints:
        """Both."""
        return BoundaryPoints(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))

    def only(self, which: np.ndarray | slice) -> BoundaryPoints:
        """Some of them."""
        return BoundaryPoints(*(each[which] for each in self))

    @classmethod
    def of(cls, pieces: list[Piece], d: int) -> BoundaryPoints:
        """The points of flat pieces."""
        sides = np.array([piece.classes for piece in pieces], int).reshape(-1, 2)
        points = np.array([piece.point for piece in pieces]).reshape(-1, d)
        return cls(points, np.array([each.normal for each in pieces]).reshape(-1, d), sides)


def bisect(
    oracle: Oracle, path: Callable[[Array], Array], label: int, n: int, digits: int
) -> tuple[Array, np.ndarray]:
    """Where n paths leave a class, halved side by side.

    path : shares (n,) of the way, 0 to 1, -> rows (n, d); share 0 has this label, 1 another
    Returns the shares (n,) and the labels found beyond, (n,); NaN and -1 where one half was never
    seen, so that the path may not leave the class at all. Costs n digits queries.
    """
    low, high, beyond = np.zeros(n), np.ones(n), np.full(n, -1)
    for _ in range(digits):
        middle = (low + high) / 2
        labels = oracle.query(path(middle))
        mine = labels == label
        low, high = np.where(mine, middle, low), np.where(mine, high, middle)
        beyond = np.where(mine, beyond, labels)
    good = (low > 0) & (beyond >= 0)
    return np.where(good, (low + high) / 2, np.nan), np.where(good, beyond, -1)


def rows_of_two_labels(oracle: Oracle, rng: Generator, n: int) -> tuple[Array, np.ndarray]:
    """Rows of N(0, s² I) and their labels; s = 1, and 8 times as far while all labels are the same.

    Returns (n', d) and (n',), of two classes at least. Costs n queries as a rule.
    Raises `ExtractionError` where there is one label only.
    """
    x, labels = np.zeros((0, oracle.inputs)), np.zeros(0, int)
    for scale in SCALES:
        more = scale * rng.normal(size=(n, oracle.inputs))
        x, labels = np.concatenate([x, more]), np.concatenate([labels, oracle.query(more)])
        if len(np.unique(labels)) > 1:
            return x, labels
    raise ExtractionError(
        "witnesses",
        f"needs inputs of two labels, but {len(x):,} rows all have label {int(labels[0])}",
        "the victim may be constant",
    )


def find_boundary_points(
    oracle: Oracle, n: int, rows: tuple[Array, np.ndarray], rng: Generator
) -> BoundaryPoints:
    """n points where the label changes, on segments between rows of different labels.

        label(x_i) ≠ label(x_j):   halve the segment until it is a point

    rows : (m, d) and their labels (m,), from `rows_of_two_labels`
    Costs 52 n queries.
    """
    x, labels = rows
    seen = {int(k): np.flatnonzero(labels == k) for k in np.unique(labels)}
    pairs = [rng.choice([*seen], 2, replace=False) for _ in range(n)]  # rare classes as often
    first, last = np.array([[rng.choice(seen[k]) for k in pair] for pair in pairs]).T
    points, across = np.empty((2, n, oracle.inputs))
    classes = np.column_stack([labels[first], labels[last]])
    for a in np.unique(labels[first]):
        mine = np.flatnonzero(labels[first] == a)
        start, way = x[first[mine]], x[last[mine]] - x[first[mine]]
        path = lambda share, start=start, way=way: start + share[:, None] * way  # noqa: E731
        share, beyond = bisect(oracle, path, int(a), len(mine), DIGITS)
        good = beyond >= 0  # else the point is one of the rows, up to rounding
        classes[mine[good], 1] = beyond[good]
        points[mine], across[mine] = path(np.where(good, share, 1)), -way
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    return BoundaryPoints(points, across, classes)


def finest_distance(oracle: Oracle, boundary: BoundaryPoints) -> float:
    """The distance from the boundary below which labels are not to be believed.

        label(p + ε v) = a,   label(p - ε v) = b     for ε = 2^-10, 2^-11, …

    float64 keeps this up to rounding, 1e-14 or so; float32 ends at 1e-6. Twice the last ε at which
    every point keeps it. Costs 80 queries a point.
    """
    points, across, classes = boundary
    aside = PROBES[:, None, None] * across  # (probes, n, d)
    sides = np.stack([points + aside, points - aside], axis=2)  # (probes, n, 2, d)
    labels = oracle.query(sides.reshape(-1, points.shape[1])).reshape(sides.shape[:3])
    is_right = (labels == classes).all(axis=(1, 2))
    first_wrong = len(PROBES) if is_right.all() else int(is_right.argmin())
    return 2 * float(PROBES[max(first_wrong - 1, 0)])


def is_on(oracle: Oracle, piece: Piece, x: Array, scale: Scale) -> np.ndarray:
    """Are points of the plane of a piece on the boundary between its classes? (n,)

        label(x + ε n) = a,   label(x - ε n) = b,     ε = 4 finest + 4 ‖Δn‖ (1 + ‖x - p‖)

    Past a bend the boundary leaves the plane, and both labels are the same. Costs 2 n queries.
    """
    width = 1 + np.linalg.norm(x - piece.point, axis=1)
    aside = (4 * scale.finest + 4 * piece.error * width)[:, None] * piece.normal
    labels = oracle.query(np.concatenate([x + aside, x - aside])).reshape(2, -1)
    return (labels[0] == piece.classes[0]) & (labels[1] == piece.classes[1])


def heights(
    oracle: Oracle,
    points: Array,
    across: Array,
    half: float,
    classes: tuple[int, int],
    digits: int,
) -> Array:
    """t such that points + t across lie on the boundary, each from -half to half; NaN where not.

    Costs n digits queries.
    """
    path = lambda share: points + ((1 - 2 * share) * half)[:, None] * across  # noqa: E731
    share, beyond = bisect(oracle, path, classes[0], len(points), digits)
    return np.where(beyond == classes[1], (1 - 2 * share) * half, np.nan)
