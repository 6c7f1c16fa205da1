"""The space that the normals span: outside of it the boundary goes on straight, for ever.

    f(x) = Σ_i α_i |R_i·x + o_i| + c·x + β,     c = Σ_i ± α_i R_i

Every normal is a sum of rows, so that at most h of them span all that the boundary depends on. In
their coordinates the victim has m <= h inputs, and a normal costs m bisections in place of d.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from mstheft.direct.labels.boundary import Piece, Scale, find_boundary_points
from mstheft.direct.labels.normals import normal
from mstheft.direct.labels.walk import next_piece, turn_corner, walk_to_bend
from mstheft.typing import Array, Oracle

CALM = 8  # points of the boundary in a row from which it must go on straight
STARTS = 200  # points tried, at the most
WALKS = 3  # random directions tried from a piece
NEW = 1e-6  # share of a normal outside of the space that counts, for float64


class Projected:
    """A victim in the coordinates y of a space, as another oracle: x = y B.

    basis : (m, d) orthonormal rows B
    """

    def __init__(self, oracle: Oracle, basis: Array):
        self.oracle, self.basis = oracle, basis
        self.output, self.decimals, self.outputs = oracle.output, oracle.decimals, oracle.outputs
        self.inputs, self.budget = len(basis), oracle.budget
        self.shape: tuple[int, ...] = (len(basis),)

    @property
    def count(self) -> int:
        """Rows answered so far, in all coordinates."""
        return self.oracle.count

    @count.setter
    def count(self, count: int) -> None:
        raise AttributeError("only the victim's oracle counts")

    @property
    def left(self) -> int | None:
        """Rows that are left."""
        return self.oracle.left

    def query(self, y: Array) -> np.ndarray:
        """Labels of rows y, (n, m) -> (n,)."""
        return self.oracle.query(y @ self.basis)


def orthogonal_to(basis: Array, rng: Generator) -> Array:
    """A random unit vector that is orthogonal to the rows of an orthonormal basis, (d,)."""
    u = rng.normal(size=(basis.shape[1],))
    for _ in range(2):
        u -= basis.T @ (basis @ u)
        u /= np.linalg.norm(u)
    return u


def extended(basis: Array, normal: Array, scale: Scale) -> Array:
    """The basis with what a normal has outside of it; as it was if that is nothing."""
    rest = normal - basis.T @ (basis @ normal)
    if np.linalg.norm(rest) < max(NEW, scale.loose / 2):
        return basis
    rest /= np.linalg.norm(rest)
    rest -= basis.T @ (basis @ rest)
    return np.vstack([basis, rest / np.linalg.norm(rest)])


def space_of_normals(
    oracle: Oracle, rows: tuple[Array, np.ndarray], scale: Scale, rng: Generator
) -> tuple[Array, list[Piece]]:
    """An orthonormal basis (m, d) of all normals, and the pieces that showed it.

    Walks orthogonally to all normals so far: only a neuron whose row is new bends the boundary
    there, so that each bend yields one more dimension. Ends when from CALM points of the boundary
    in a row it goes on straight, orthogonally to the space, or when the space is all there is.
    Costs about m d (6 + log2(1/precision)) queries.
    """
    basis: Array = np.zeros((0, oracle.inputs))
    pieces: list[Piece] = []
    calm = 0
    for _ in range(STARTS):
        if calm == CALM or len(basis) == oracle.inputs:
            break
        (point,), (across,), ((a, b),) = find_boundary_points(oracle, 1, rows, rng)
        sides = int(a), int(b)
        calm += 1
        if len(basis) and goes_straight(oracle, point, across, sides, basis, scale, rng):
            continue
        piece = normal(oracle, point, across, sides, scale.radius, scale)
        while piece is not None and len(basis) < oracle.inputs:
            larger = extended(basis, piece.normal, scale)
            calm = 0 if len(larger) > len(basis) else calm
            basis = larger
            pieces.append(piece)
            piece = piece_outside(oracle, piece, basis, scale, rng)
    return basis, pieces


def goes_straight(
    oracle: Oracle,
    point: Array,
    across: Array,
    classes: tuple[int, int],
    basis: Array,
    scale: Scale,
    rng: Generator,
) -> bool:
    """Does the boundary go on, both ways, along a random line orthogonal to the space?

    If not, its normal is outside of the space, or becomes so on the way. Costs 4 queries.
    """
    u = orthogonal_to(basis, rng)
    x = point + scale.reach * np.array([[1], [-1]]) * u
    aside = max(1e-6 * scale.unit, np.sqrt(scale.finest)) * across
    labels = oracle.query(np.concatenate([x + aside, x - aside]))
    return bool((labels == np.repeat(classes, 2)).all())


def piece_outside(
    oracle: Oracle, piece: Piece, basis: Array, scale: Scale, rng: Generator
) -> Piece | None:
    """The next piece along a random line orthogonal to the space, or None if there is no bend."""
    for _ in range(WALKS):
        u = orthogonal_to(basis, rng)
        for direction in (u, -u):
            t = walk_to_bend(oracle, piece, direction, scale)
            corner = None if t is None else turn_corner(oracle, piece, direction, t, scale)
            found = None if corner is None else next_piece(oracle, corner, scale)
            if found is not None:
                return found
    return None
