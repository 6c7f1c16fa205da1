"""Rows of the first layer from bends of the boundary.

            n  | m         At a bend neuron i changes sides: n and n' span a plane that holds its
          -----+-----  i   row. Past a bend of neuron j the bend of i goes on, between m and m'.
            n' | m'        The two planes meet in the row of i; so do those of (n, m) and (n', m')
               j           in the row of j.

On a piece f = g·(x, 1), and g' = g + 2 α_i (R_i, o_i) on the other side of neuron i. So the four
(n, -n·p), which are g but for their lengths, have one linear dependency, and it holds the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from mstheft.direct.labels.boundary import Piece, Scale, is_on
from mstheft.direct.labels.span import orthogonal_to
from mstheft.direct.labels.walk import Corner, next_piece, next_point, turn_corner, walk_to_bend
from mstheft.typing import Array, Oracle

ASIDE = 0.04  # how far beside a bend we walk along it, in units
TRIES = 4  # walks along a bend; every second time four times as near to it
STEPS = 12  # bends passed from one start
REMEASURED = 1e-8  # error of a piece behind known neurons from which its normal is measured again


@dataclass(frozen=True)
class Bend:
    """Two pieces that meet, before and after a neuron has changed sides, and a point of both."""

    before: Piece
    after: Piece
    point: Array


@dataclass
class Rows:
    """The neurons so far.

    planes : (k, d+1), (R_i, o_i) with |R_i| = 1, up to a sign
    errors : (k,) of each
    bends : at which they were seen first
    pieces : measured on both sides of bends
    straight : bends that never meet another: such a neuron has two regions on the boundary only
    lost : bends along which no corner of four pieces could be measured
    undetermined : how many rows labels do not tell
    same : distance below which two rows are one
    """

    planes: Array
    errors: Array = field(default_factory=lambda: np.zeros(0))
    bends: list[Bend] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    straight: list[Bend] = field(default_factory=list)
    lost: list[Bend] = field(default_factory=list)
    undetermined: int = 0
    same: float = 1e-4

    def add(self, rows: Array, errors: Array) -> None:
        """Each row that is new; of one that is known the more exact measurement stays."""
        for row, error in zip(rows, errors, strict=True):
            away = [np.abs(self.planes - s * row).max(axis=1, initial=0) for s in (1, -1)]
            away = np.minimum(*away)
            if not len(away) or away.min() > self.same + 30 * error:
                self.planes = np.vstack([self.planes, row])
                self.errors = np.append(self.errors, error)
            elif error < self.errors[away.argmin()]:
                self.planes[away.argmin()], self.errors[away.argmin()] = row, error

    def keep(self, which: np.ndarray) -> None:
        """These neurons only."""
        self.planes, self.errors = self.planes[which], self.errors[which]

    def explain(self, point: Array) -> int:
        """Which neuron changes sides at a bend, or -1."""
        if not len(self.planes):
            return -1
        off = np.abs(self.planes @ np.append(point, 1))
        return int(off.argmin()) if off.min() < self.same / 10 else -1


def rows_from_planes(planes: Array) -> tuple[Array, float, float]:
    """The rows of neurons i and j from the four planes n, n', m, m' around their corner.

        c_1 n + c_2 n' + c_3 m + c_4 m' = 0
        (R_i, o_i) ∝ c_1 n + c_2 n',   (R_j, o_j) ∝ c_1 n + c_3 m

    planes : (4, d+1), (n, -n·p) each. The dependency is a singular value of exactly 1 between the
    planes that (n, n') and (m, m') span.
    Returns (2, d+1), rows of length 1; the fourth singular value relative to the third, zero up to
    rounding if all four meet; and the third times the least |c|, the smaller the less they say:
    zero if two of the four are the same.
    """
    left, size, _ = np.linalg.svd(planes)
    c = left[:, 3]
    fourth = float(size[3]) if len(size) > 3 else 0.0
    rows = np.stack([c[0] * planes[0] + c[1] * planes[1], c[0] * planes[0] + c[2] * planes[2]])
    rows /= np.maximum(np.linalg.norm(rows[:, :-1], axis=1, keepdims=True), 1e-300)
    return rows, fourth / max(float(size[2]), 1e-300), float(size[2] * np.abs(c).min())


def four_pieces(
    oracle: Oracle, bend: Bend, aside: float, scale: Scale, rng: Generator
) -> list[Piece] | bool | None:
    """Walk along a bend of neuron i until neuron j bends it: the four pieces around, n, n', m, m'.

    aside : how far from the bend we walk
    Returns False where the bend goes on without end both ways, None where other bends are too near.
    Costs about 2 normals and 500 queries.
    """
    n, after = bend.before.normal, bend.after.normal
    w = after - (after @ n) * n
    w *= np.sign(w @ (bend.before.point - bend.point)) / np.linalg.norm(w)
    start = Piece(bend.point + aside * w, n, bend.before.classes, bend.before.error)
    if not is_on(oracle, start, start.point[None], scale)[0]:
        return None
    u = orthogonal_to(np.stack([n, w]), rng)
    for direction in (u, -u):
        t = walk_to_bend(oracle, start, direction, scale)
        if t is not None:
            m = same_classes(oracle, start, direction, t, aside, scale)
            return None if m is None else pieces_behind(oracle, bend, m, aside, scale)
    return False


def same_classes(
    oracle: Oracle, piece: Piece, direction: Array, t: float, aside: float, scale: Scale
) -> Piece | None:
    """The piece around the corner, near to it, if it lies between the same classes."""
    corner = turn_corner(oracle, piece, direction, t, scale)
    if corner is None or corner.classes != piece.classes:
        return None
    return next_piece(oracle, corner, scale, aside / 4)


def pieces_behind(
    oracle: Oracle, bend: Bend, m: Piece, aside: float, scale: Scale
) -> list[Piece] | None:
    """From piece m, beside neuron i, across its bend onto m': all four pieces, if they meet.

    w ⟂ n, m:   R_j·w = 0, so that neuron j does not change sides on the way
    """
    both = np.linalg.qr(np.stack([bend.before.normal, m.normal], axis=1))[0].T
    w = bend.after.normal - both.T @ (both @ bend.after.normal)
    w /= np.linalg.norm(w)
    for direction in (w, -w):
        t = walk_to_bend(oracle, m, direction, scale)
        if t is None or t > 16 * aside:
            continue
        last = same_classes(oracle, m, direction, t, aside, scale)
        if last is not None:
            pieces = [bend.before, bend.after, m, last]
            _, fourth, third = rows_from_planes(np.stack([each.plane for each in pieces]))
            if fourth < scale.flat and third > scale.same:
                return pieces
    return None


def behind_known(piece: Piece, row: Array, error: float, corner: Corner, point: Array) -> Piece:
    """The piece behind a bend of a known neuron, from one of its points: no further queries.

    (n', -n'·p')  ∝  (n, -n·p) + λ (R, o),   zero at the point
    """
    x = np.append(point, 1)
    if row @ x == 0:  # the point tells nothing
        return Piece(point, corner.across, corner.classes, np.inf)
    weight = float(piece.plane @ x / (row @ x))
    normal = (piece.plane - weight * row)[:-1]
    size = float(np.linalg.norm(normal))
    normal *= np.sign(normal @ corner.across) / size
    return Piece(point, normal, corner.classes, 2 * (piece.error + abs(weight) * error) / size)


def rows_from_bends(
    oracle: Oracle,
    rows: Rows,
    starts: list[Piece],
    scale: Scale,
    rng: Generator,
    most: int | None = None,
) -> None:
    """Walk from each start over the boundary, until a neuron is measured that was not known yet.

    A bend of a known neuron costs about 150 queries and no normal; another about 3 normals.
    most : stop at so many neurons
    """
    for start in starts if oracle.inputs > 1 else ():  # on a line nothing bends
        piece: Piece | None = start
        for _ in range(STEPS):
            if piece is None or (most is not None and len(rows.planes) >= most):
                break
            piece = pass_bend(oracle, rows, piece, scale, rng)


def pass_bend(
    oracle: Oracle, rows: Rows, piece: Piece, scale: Scale, rng: Generator
) -> Piece | None:
    """Along a random direction over the next bend. A new neuron is added to the rows.

    Returns the piece behind; the same where nothing bends; None where it cannot be measured.
    """
    u = orthogonal_to(piece.normal[None], rng)
    t = walk_to_bend(oracle, piece, u, scale)
    if t is None:
        return piece
    corner = turn_corner(oracle, piece, u, t, scale)
    if corner is None:
        return piece
    known = rows.explain(corner.point)
    if known >= 0:
        point, _ = next_point(oracle, corner, scale)
        behind = behind_known(piece, rows.planes[known], rows.errors[known], corner, point)
        return (
            behind
            if behind.error < max(REMEASURED, 4 * scale.finest / scale.circle)
            else next_piece(oracle, corner, scale)
        )
    after = next_piece(oracle, corner, scale)
    if after is not None and corner.classes == piece.classes:
        row_at_bend(oracle, rows, Bend(piece, after, corner.point), scale, rng)
    return after


def row_at_bend(oracle: Oracle, rows: Rows, bend: Bend, scale: Scale, rng: Generator) -> bool:
    """The row of the neuron that bends the boundary here, and of another that meets it."""
    is_straight = len(bend.point) > 2
    for turn in range(TRIES if len(bend.point) > 2 else 0):
        aside = ASIDE * scale.unit / 4 ** (turn // 2)
        pieces = four_pieces(oracle, bend, aside, scale, rng)
        is_straight &= pieces is False
        if isinstance(pieces, list):
            found, _, third = rows_from_planes(np.stack([each.plane for each in pieces]))
            error = 4 * max(each.error for each in pieces) / third
            rows.add(found, np.full(2, error))
            rows.bends.append(bend)
            rows.pieces += pieces
            return True
    if is_straight or len(bend.point) <= 2:
        rows.straight.append(bend)
        rows.pieces += [bend.before, bend.after]
        return False
    return row_of_two_bends(rows, bend, scale)


def row_of_two_bends(rows: Rows, bend: Bend, scale: Scale) -> bool:
    """The row of a neuron from this bend and another of it, elsewhere, if one was lost before.

    The planes that (n, n') and (m, m') span meet in a line only if both bends are of one neuron,
    and it must hold a point of each.
    """
    for other in rows.lost:
        pieces = [bend.before, bend.after, other.before, other.after]
        found, fourth, third = rows_from_planes(np.stack([each.plane for each in pieces]))
        if fourth < scale.flat and third > scale.same:
            rows.add(found[:1], np.array([4 * max(each.error for each in pieces) / third]))
            rows.bends.append(bend)
            rows.pieces += pieces
            return True
    rows.lost.append(bend)
    return False
