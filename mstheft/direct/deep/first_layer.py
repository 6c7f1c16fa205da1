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

from mstheft.direct.deep import layers as deep_layers
from mstheft.direct.deep.kinks import LineKinks
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.nn.functions import relu
from mstheft.typing import Array

FINE = 8.0  # decades above its rounding from which a coefficient has its full vote
DOUBT = 2.0  # decades up to which it has none: rounding is only estimated
WEAK = 0.5  # vote of a coefficient that is 0: the neuron may be on, and have no weight
SAFE = 3.0  # times its expected rounding up to which a coefficient counts as 0
EXACT = 1e-13  # of the largest coefficient: no row is better than this
LOOSE = 1e-3  # share of a row outside of the first layer's span: from there a row is missing
SPARE = 4  # inputs more than neurons from which a row's rounding is seen in what A0 leaves over
UNSEEN = 4.0  # times the rounding that is seen there
DEPENDENT = 1e-6  # smallest singular value of independent unit rows


@dataclass
class OrientedLayer:
    """A layer z = A0 x + b0, each row of length 1 and pointing to its active side."""

    A0: Array
    b0: Array

    def hidden(self, x: Array) -> Array:
        """relu(A0 x + b0), (n, d) -> (n, h1)."""
        return relu(x @ self.A0.T + self.b0)


@dataclass
class Votes:
    """What m second-layer kinks show: the first layer, and parts of rows of the second.

    first : the first layer, oriented
    beta, sides : (m, h1) coefficients of each kink's row, and on which side it lies of each neuron
    zero : (m, h1) up to which a coefficient counts as 0
    sizes : (m,) |g|; against : (h1,) share of the votes against each orientation
    """

    first: OrientedLayer
    beta: Array
    sides: Array
    zero: Array
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
        return orient(self.beta, self.sides, self.zero)[0]


def unit(planes: Hyperplanes) -> Hyperplanes:
    """The same with rows of length 1."""
    size = np.linalg.norm(planes.rows, axis=1)
    outputs = planes.outputs * size[:, None]
    return Hyperplanes(planes.rows / size[:, None], planes.points, outputs, planes.errors / size)


def independent(planes: Hyperplanes) -> bool:
    """Are the rows linearly independent, so that every hidden value can be produced?"""
    h, d = planes.rows.shape
    values = np.linalg.svd(unit(planes).rows, compute_uv=False)
    return h <= d and float(values.min(initial=1.0)) > DEPENDENT


def rank(planes: Hyperplanes) -> int:
    """How many rows are linearly independent?"""
    values = np.linalg.svd(unit(planes).rows, compute_uv=False)
    return int((values > DEPENDENT).sum())


def find(searched: Sequence[LineKinks]) -> Hyperplanes:
    """The hyperplanes of the first layer.

    In a narrow first layer lines often meet the same piece of a second-layer boundary. Its row is a
    combination of first-layer rows, so that dependence betrays it; then every line must agree.
    With as many independent rows as inputs more of them are no wonder.
    """
    planes = deep_layers.first_layer(searched)
    if len(planes) == rank(planes) or rank(planes) == planes.rows.shape[1]:
        return planes
    return deep_layers.first_layer(searched, sure=1.0)


def unclear(searched: Sequence[LineKinks], which: int) -> bool:
    """Would another line help to tell the layers of the kinks of line `which`?"""
    planes = find(searched)
    few = len(planes) > rank(planes) < planes.rows.shape[1]
    return bool(deep_layers.doubtful(searched, which).any()) or few or not len(planes)


def coefficients(rows: Array, first: Array) -> tuple[Array, Array]:
    """β of second-layer rows in terms of the first layer's, (m, h1), and the share left over, (m,).

    rows : (m, d); first : (h1, d)
    """
    beta = np.linalg.lstsq(first.T, rows.T, rcond=None)[0].T  # (m, h1)
    left = np.linalg.norm(rows - beta @ first, axis=1) / np.linalg.norm(rows, axis=1)
    return beta, left


def others(searched: Sequence[LineKinks]) -> Hyperplanes:
    """The m measured kinks that are not of the first layer."""
    planes = Hyperplanes.none(searched[0].rows.shape[1])
    for kinks in searched:
        planes = planes.and_also(kinks.planes.only(kinks.is_measured & (kinks.first < 0)))
    return planes


def complete(searched: Sequence[LineKinks], A0: Array, share: float = 1.0) -> bool:
    """Does A0 span the rows of this share of the measured second-layer kinks?"""
    fits = coefficients(others(searched).rows, A0)[1] < LOOSE
    return bool(fits.any() and fits.mean() >= share)


def take_known(searched: Sequence[LineKinks], planes: Hyperplanes) -> None:
    """Give the known first-layer rows to all lines, so that only the others are measured there."""
    for kinks in searched:
        for kink in np.flatnonzero((kinks.first >= 0) & ~kinks.is_measured):
            row, error = planes.rows[kinks.first[kink]], planes.errors[kinks.first[kink]]
            speed = row @ kinks.line.direction
            kinks.rows[kink], kinks.errors[kink] = row / speed, error / abs(speed)


def orient(beta: Array, sides: Array, zero: Array) -> tuple[Array, Array]:
    """Active sides s_i = ±1 by a vote of second-layer kinks, (h1,), and what spoke against each.

        for s_i = +1:  β_i ≠ 0 where y_i > 0,  β_i = 0 where y_i < 0

    A coefficient that stands out of its rounding is proof that the neuron is on at the kink: its
    vote counts the decades by which it does, at most 8, and none below 2. One that is 0 has a weak
    vote for the other side only: in a trained network many weights are next to nothing.

    beta, zero : (m, h1) coefficients, and up to which size one counts as 0
    sides : (m, h1) y_i of the unit rows at the kinks
    Returns (h1,) ±1, 0 without any vote, and (h1,) the share of the proofs that were against it.
    """
    above = np.log10(np.maximum(np.abs(beta), 1e-300) / zero)  # decades, (m, h1)
    proof = np.where(above >= DOUBT, np.minimum(above, FINE), 0)
    total = (np.sign(sides) * np.where(above > 0, proof, -WEAK)).sum(axis=0)
    against = np.where(np.sign(sides) == -np.sign(total), proof, 0).sum(axis=0)
    return np.sign(total), against / np.maximum(proof.sum(axis=0), 1e-300)


def vote(searched: Sequence[LineKinks], planes: Hyperplanes) -> Votes:
    """Stage 4. All second-layer kinks vote on the orientation of the first-layer rows."""
    planes = unit(planes)
    A0, b0 = planes.rows, planes.offsets
    behind = others(searched)
    behind = behind.only(coefficients(behind.rows, A0)[1] < LOOSE)
    beta, left = coefficients(behind.rows, A0)
    zero = rounding(behind, planes, beta, left)
    sides = behind.points @ A0.T + b0  # (m, h1)
    signs, against = orient(beta, sides, zero)
    sizes: Array = np.linalg.norm(behind.outputs, axis=1)
    first = OrientedLayer(A0 * signs[:, None], b0 * signs)
    return Votes(first, beta, sides, zero, sizes, against)


def rounding(behind: Hyperplanes, first: Hyperplanes, beta: Array, left: Array) -> Array:
    """Up to which size is a coefficient 0? (m, h1)

    It is off by the rounding of its kink's row and by Σ_i β_i δA0_i, through A0⁺. Where there are
    more inputs than neurons, what A0 leaves over of the row shows the rounding better. The answer
    at a Jacobian's own site is rounded once for all columns, so that an error may be the same in
    all of them.

    first : with unit rows
    """
    errors = np.hypot(behind.errors, np.linalg.norm(beta * first.errors, axis=1))
    h1, d = first.rows.shape
    if d - h1 >= SPARE:
        visible = left * np.linalg.norm(behind.rows, axis=1) / np.sqrt(d - h1)
        errors = np.minimum(errors, UNSEEN * visible)
    inverse = np.linalg.pinv(first.rows)  # (d, h1)
    spread = np.linalg.norm(inverse, axis=0) + np.abs(inverse.sum(axis=0))
    largest = np.abs(beta).max(axis=1, keepdims=True, initial=0)
    return SAFE * np.maximum(np.outer(errors, spread), EXACT * largest)
