"""Rows of the first layer from bends of the boundary.

               a | m          At a bend neuron i changes sides: n and n' span a plane that holds its
            -----+-----  j    row. Past a bend of neuron j the same bend goes on between m and m'.
               b | m'         The two planes meet in the row of i; so do those of (n, m) and (n', m')
                 i            in the row of j.

    f on a piece  =  g·(x, 1),   g' = g + 2 α_i (R_i, o_i)   =>   c_1 n + c_2 n' + c_3 m + c_4 m' = 0
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from mstheft.direct.labels.boundary import Piece, is_on
from mstheft.direct.labels.walk import Corner, next_piece, turn_corner, walk_to_bend
from mstheft.typing import Array, Oracle

REACH = 10.0
ASIDE = 0.04  # how far beside a bend we walk along it
FLAT = 1e-4  # fourth singular value of four planes, relative to the third, that counts as zero


@dataclass(frozen=True)
class Bend:
    """Two pieces that meet: before and after a neuron has changed sides; and a point of both."""

    before: Piece
    after: Piece
    point: Array


def rows_from_planes(planes: Array) -> tuple[Array, float]:
    """The rows of neurons i and j from the four planes n, n', m, m' around their corner.

        c_1 n + c_2 n' + c_3 m + c_4 m' = 0:   (R_i, o_i) ∝ c_1 n + c_2 n',   (R_j, o_j) ∝ c_1 n + c_3 m

    planes : (4, d+1), (n, -n·p) each. Equivalent to a singular value of 1 between the planes that
    (n, n') and (m, m') span.
    Returns (2, d+1), rows of length 1, and how near to zero the fourth singular value is, relative
    to the third.
    """
    left, size, _ = np.linalg.svd(planes)
    c = left[:, 3]
    fourth = size[3] if len(size) > 3 else 0.0
    rows = np.stack([c[0] * planes[0] + c[1] * planes[1], c[0] * planes[0] + c[2] * planes[2]])
    return rows / np.linalg.norm(rows[:, :-1], axis=1, keepdims=True), float(fourth / size[2])


def along_bend(bend: Bend, rng: Generator, aside: float) -> tuple[Piece, Array] | None:
    """Where to walk beside a bend, and a random direction along it.

    Returns the piece before, its point moved to `aside` from the bend, and a unit vector u ⟂ n, n'.
    """
    n, after = bend.before.normal, bend.after.normal
    w = after - (after @ n) * n
    w /= np.linalg.norm(w)
    w *= np.sign(w @ (bend.before.point - bend.point))
    start = Piece(bend.point + aside * w, n, bend.before.classes, bend.before.error)
    u = rng.normal(size=len(n))
    frame = np.stack([n, w])
    for _ in range(2):
        u -= frame.T @ (frame @ u)
        u /= np.linalg.norm(u)
    return start, u


def corner_of_four(
    oracle: Oracle, bend: Bend, rng: Generator, aside: float, precision: float, ruler: float
) -> tuple[str, Array | None]:
    """Walk along a bend of neuron i to a bend of neuron j: the four planes around, (4, d+1).

    Returns 'found' and the planes; 'straight' where the bend goes on without end in both
    directions; 'lost' where other bends are too near.
    Costs about 2 normals and 500 queries.
    """
    start, u = along_bend(bend, rng, aside)
    if not is_on(oracle, start, start.point[None], ruler)[0]:
        return "lost", None
    t = None
    for direction in (u, -u):
        t = walk_to_bend(oracle, start, direction, REACH, ruler)
        if t is not None:
            break
    if t is None:
        return "straight", None
    unit = 1.0
    corner = turn_corner(oracle, start, direction, t, unit)
    if corner is None or corner.classes != start.classes:
        return "lost", None
    m = next_piece(oracle, corner, unit, precision, ruler, aside / 4)
    if m is None:
        return "lost", None
    frame = np.linalg.qr(np.stack([start.normal, m.normal], axis=1))[0]
    w = bend.after.normal - frame @ (frame.T @ bend.after.normal)
    w /= np.linalg.norm(w)
    known = np.stack([bend.before.plane, bend.after.plane, m.plane])
    for direction in (w, -w):
        t = walk_to_bend(oracle, m, direction, 16 * aside, ruler)
        if t is None:
            continue
        corner = turn_corner(oracle, m, direction, t, unit)
        if corner is None or corner.classes != m.classes:
            continue
        last = next_piece(oracle, corner, unit, precision, ruler, aside / 4)
        if last is None:
            continue
        planes = np.vstack([known, last.plane])
        if rows_from_planes(planes)[1] < FLAT:
            return "found", planes
    return "lost", None


def explains(rows: Array, corner: Corner, tolerance: float) -> int:
    """Which known neuron changes sides at a bend, or -1. No queries."""
    if not len(rows):
        return -1
    off = np.abs(rows[:, :-1] @ corner.point + rows[:, -1])
    return int(off.argmin()) if off.min() < tolerance else -1


def behind_known(piece: Piece, row: Array, point: Array, classes) -> Piece:
    """The piece behind a bend of a known neuron, from one of its points: no further queries.

        n' ∝ (n, -n·p) + λ (R, o),   zero at the point
    """
    x = np.append(point, 1)
    plane = piece.plane - row * (piece.plane @ x) / (row @ x)
    normal = plane[:-1] / np.linalg.norm(plane[:-1])
    return Piece(point, normal * np.sign(normal @ piece.normal), classes, 4 * piece.error)
