"""The first layer of a deep network: which side of each hyperplane is the active one. No queries.

The row of a second-layer kink is a combination of first-layer rows,

    a  =  Σ_i β_i A0_i,     β_i = A1_ji if neuron i is on at the kink, and exactly 0 if it is off,

so one such kink tells the side of every neuron of the first layer; several vote. What A0 leaves
over of a is a row that is missing in A0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mstheft.direct import deep_layers
from mstheft.direct.deep_kinks import Bends
from mstheft.nn.functions import Array, relu

FINE = 6.0  # decades below the largest coefficient at which one counts as 0
LOOSE = 1e-3  # share of a row outside of the first layer's span: from there a row is missing
DEPENDENT = 1e-6  # smallest singular value of independent unit rows


@dataclass
class First:
    """The first layer: z = A0 x + b0, each row of length 1, pointing to its active side."""

    A0: Array
    b0: Array

    def hidden(self, x: Array) -> Array:
        """relu(A0 x + b0), (n, d) -> (n, h1)."""
        return relu(x @ self.A0.T + self.b0)


@dataclass
class Votes:
    """What m second-layer kinks tell: the first layer, and parts of rows of the second.

    first : the first layer, oriented
    beta, sides : (m, h1) coefficients of each kink's row, and on which side it lies of each neuron
    sizes : (m,) |g|; against : (h1,) share of the votes against each orientation
    """

    first: First
    beta: Array
    sides: Array
    sizes: Array
    against: Array

    @property
    def hidden(self) -> Array:
        """relu(A0 x + b0) at the kinks, (m, h1)."""
        return relu(self.sides * self._signs)

    @property
    def rows(self) -> Array:
        """Weights of second-layer neurons from those of the first that are on there, (m, h1)."""
        return self.beta * self._signs * self.sizes[:, None]

    @property
    def offsets(self) -> Array:
        """(m,), so that the neuron switches where rows·φ + offset = 0."""
        return -np.einsum("mh,mh->m", self.rows, self.hidden)

    @property
    def _signs(self) -> Array:
        return orient(self.beta, self.sides)[0]


def unit_rows(rows: Array, points: Array) -> tuple[Array, Array]:
    """Rows of length 1 and their offsets, not yet oriented."""
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return rows, -np.einsum("hd,hd->h", rows, points)


def independent(rows: Array) -> bool:
    """Are the unit rows linearly independent, so that every hidden value can be produced?"""
    h, d = rows.shape
    return h <= d and float(np.linalg.svd(rows, compute_uv=False)[-1]) > DEPENDENT


def find(seen: Sequence[Bends]) -> tuple[Array, Array]:
    """Rows of the first layer and a point on each hyperplane, (h1, d) each.

    In a narrow first layer lines often meet the same piece of a second-layer boundary. Its row is a
    combination of first-layer rows, so that dependence betrays it; then every line must agree.
    """
    rows, points = deep_layers.first_layer(seen)
    if len(rows) and not independent(unit_rows(rows, rows)[0]):
        return deep_layers.first_layer(seen, sure=1.0)
    return rows, points


def unclear(seen: Sequence[Bends], which: int) -> bool:
    """Would another line help to tell the layers of the kinks of line `which`?"""
    rows, _ = find(seen)
    dependent = len(rows) > 0 and not independent(unit_rows(rows, rows)[0])
    return deep_layers.doubtful(seen, which) or dependent


def coefficients(rows: Array, first: Array) -> tuple[Array, Array]:
    """β of second-layer rows in terms of the first layer's, (m, h1), and the share left over, (m,).

    rows : (m, d); first : (h1, d)
    """
    beta = np.linalg.lstsq(first.T, rows.T, rcond=None)[0].T
    left = np.linalg.norm(rows - beta @ first, axis=1) / np.linalg.norm(rows, axis=1)
    return beta, left


def second_layer_kinks(seen: Sequence[Bends], A0: Array) -> tuple[Array, Array, Array, np.ndarray]:
    """The measured kinks that are not of the first layer: rows, points, |g|, and do they fit?

    (m, d), (m, d), (m,) and (m,) bool: whether the row lies in the span of A0.
    """
    picked = [(bends, bends.measured & (bends.first < 0)) for bends in seen]
    rows = np.concatenate([bends.rows[mine] for bends, mine in picked])
    points = np.concatenate([bends.points[mine] for bends, mine in picked])
    jumps = np.concatenate([bends.line.jumps[mine] for bends, mine in picked])
    _, left = coefficients(rows, A0)
    sizes: Array = np.linalg.norm(jumps, axis=1)
    return rows, points, sizes, left < LOOSE


def complete(seen: Sequence[Bends], A0: Array, share: float = 1.0) -> bool:
    """Does A0 span the rows of this share of the measured second-layer kinks?"""
    fits = second_layer_kinks(seen, A0)[3]
    return bool(fits.any() and fits.mean() >= share)


def take_known(seen: Sequence[Bends], rows: Array) -> None:
    """Give the known first-layer rows to all lines, so that only the others are measured there."""
    for bends in seen:
        for kink in np.flatnonzero((bends.first >= 0) & ~bends.measured):
            row = rows[bends.first[kink]]
            bends.rows[kink] = row / (row @ bends.line.direction)


def orient(beta: Array, sides: Array) -> tuple[Array, Array]:
    """Active sides s_i = ±1 by a vote of second-layer kinks, (h1,), and what spoke against each.

        for s_i = +1:  β_i ≠ 0 where y_i > 0,  β_i = 0 where y_i < 0

    Each kink has a vote for the side on which it lies if its β_i is large, for the other if it is
    small, both in decades from the middle of 6 decades below its largest coefficient.

    beta : (m, h1); sides : (m, h1) y_i of the unit rows at the kinks
    Returns (h1,) ±1, 0 without any vote, and (h1,) the share of the votes that were against it.
    """
    size = np.abs(beta) / np.abs(beta).max(axis=1, keepdims=True)
    decades = np.log10(np.maximum(size, 10.0**-FINE)) + FINE / 2
    cast = np.sign(sides) * decades
    total = cast.sum(axis=0)
    against = np.maximum(-cast * np.sign(total), 0).sum(axis=0)
    return np.sign(total), against / np.maximum(np.abs(cast).sum(axis=0), 1e-300)


def vote(seen: Sequence[Bends], rows: Array, points: Array) -> Votes:
    """Stage 4. All second-layer kinks vote on the orientation of the first-layer rows.

    rows, points : (h1, d) of the first layer, as `deep_layers.first_layer` gives them
    """
    A0, b0 = unit_rows(rows, points)
    turned, at, sizes, fits = second_layer_kinks(seen, A0)
    beta, _ = coefficients(turned[fits], A0)
    sides = at[fits] @ A0.T + b0
    signs, against = orient(beta, sides)
    first = First(A0 * signs[:, None], b0 * signs)
    return Votes(first, beta, sides, sizes[fits], against)
