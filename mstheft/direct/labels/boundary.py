"""Points on the boundary between two classes, and its normals: bisections, side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from mstheft.errors import ExtractionError
from mstheft.typing import Array, Oracle

DIGITS = 52  # halvings of a segment between two rows: all that float64 holds
SCALES = 8.0 ** np.arange(0, 21)  # of the rows among which two labels are sought
ROWS = 64  # drawn at each scale
COARSE = 10  # halvings from which the tangent plane is guessed
NARROW = 2.0**-5  # half-width of the finer search around the guess, in radii
SHRINK = 8.0  # a radius that meets a bend is divided by it
TRIES = 4  # radii


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


def bisect(
    oracle: Oracle, path: Callable[[Array], Array], label: int, n: int, digits: int
) -> tuple[Array, np.ndarray]:
    """Where n paths leave a class, halved side by side.

    path : shares (n,) of the way, 0 to 1, -> rows (n, d); share 0 has this label, 1 another
    Returns the shares (n,) and the labels found beyond, (n,); NaN and -1 where an end has not kept
    its promise, as far as the halves can tell. Costs n digits queries.
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
    """Rows of N(0, s² I) and their labels, of two classes at least; s = 1, and 8 times as far
    while all have one label. Costs n queries as a rule.

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
    oracle: Oracle, n: int, rng: Generator, rows: tuple[Array, np.ndarray]
) -> tuple[Array, Array, np.ndarray]:
    """n points where the label changes, on segments between rows of different labels.

        label(x_i) ≠ label(x_j):   halve the segment until it is a point

    rows : (m, d) and their labels (m,), from `rows_of_two_labels`
    Returns points (n, d), unit vectors across the boundary (n, d) into the first class, and the
    classes on both sides (n, 2). Costs 52 n queries.
    """
    x, labels = rows
    first = rng.integers(len(x), size=n)
    last = np.array([rng.choice(np.flatnonzero(labels != labels[i])) for i in first])
    points, across = np.empty((2, n, oracle.inputs))
    classes = np.column_stack([labels[first], labels[last]])
    for a in np.unique(labels[first]):
        mine = np.flatnonzero(labels[first] == a)
        start, way = x[first[mine]], x[last[mine]] - x[first[mine]]
        path = lambda share: start + share[:, None] * way  # noqa: B023, E731
        share, beyond = bisect(oracle, path, int(a), len(mine), DIGITS)
        good = beyond >= 0  # else the point is one of the rows, up to rounding
        share, classes[mine[good], 1] = np.where(good, share, 1), beyond[good]
        points[mine], across[mine] = path(share), -way
    return points, across / np.linalg.norm(across, axis=1, keepdims=True), classes


def is_on(oracle: Oracle, piece: Piece, x: Array, ruler: float) -> np.ndarray:
    """Are points of the plane of a piece on the boundary between its classes? (n,)

        label(x + ε n) = a,   label(x - ε n) = b,     ε = 4 ruler + 8 ‖Δn‖ ‖x - p‖

    Past a bend the boundary leaves the plane, and both labels are the same.
    ruler : distance below which labels are not to be believed. Costs 2 n queries.
    """
    width = 4 * ruler + 8 * piece.error * np.linalg.norm(x - piece.point, axis=1)
    aside = width[:, None] * piece.normal
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
    """t such that points + t across lie on the boundary, each from -half to half; NaN where not."""
    path = lambda share: points + ((1 - 2 * share) * half)[:, None] * across  # noqa: E731
    share, beyond = bisect(oracle, path, classes[0], len(points), digits)
    return np.where(beyond == classes[1], (1 - 2 * share) * half, np.nan)


def tangent_guess(
    oracle: Oracle, point: Array, across: Array, classes: tuple[int, int], radius: float
) -> Array | None:
    """The normal to about 1 %, without any guess: slopes along the axes, in COARSE halvings.

        n_i (n·v)⁻¹ = - t_i / r,     p + r e_i + t_i v  on the boundary

    Slopes too steep for ± 4 r are sought again eight times and 64 times as high.
    Returns (d,), |n| = 1, or None. Costs about 11 d queries.
    """
    d, half = len(point), 4 * radius
    t = np.full(d, np.nan)
    for _ in range(3):
        left = np.flatnonzero(np.isnan(t))
        if len(left):
            rows = point + radius * np.eye(d)[left]
            t[left] = heights(oracle, rows, across, half, classes, COARSE)
            half *= 8
    if np.isnan(t).any():
        return None
    return -t / np.linalg.norm(t)


def normal(
    oracle: Oracle,
    point: Array,
    across: Array,
    classes: tuple[int, int],
    radius: float,
    precision: float,
    ruler: float,
) -> Piece | None:
    """The flat piece around a boundary point: its normal from d points near by.

        p + r e_i + t_i v  on the boundary   =>   n_i = - t_i / r,   where n·v = 1

    v is the guess of `tangent_guess`: t_i starts at -r v_i, and is halved from r / 32 to
    r precision. The d slopes fit n·v = 1 unless a bend lies between, then r is too large.
    point, across : (d,) on the boundary, and a direction that crosses it, into the first class
    radius : r, divided by 8 up to four times; ruler : see `is_on`
    Returns None where no radius fits. Costs about d (7 + log2(1/precision)) queries.
    """
    d = len(point)
    for _ in range(TRIES):
        v = tangent_guess(oracle, point, across, classes, radius / SHRINK)
        smallest = max(precision, ruler / radius)
        digits = int(np.ceil(np.log2(2 * NARROW / smallest)))
        if v is not None and digits > 0:
            v *= np.sign(v @ across)
            rows = point + radius * (np.eye(d) - np.outer(v, v))
            t = heights(oracle, rows, v, NARROW * radius, classes, digits)
            slopes = v - t / radius
            if abs(slopes @ v - 1) < 8 * smallest:
                error = np.sqrt(d) * smallest
                return Piece(point, slopes / np.linalg.norm(slopes), classes, float(error))
        radius /= SHRINK
    return None
