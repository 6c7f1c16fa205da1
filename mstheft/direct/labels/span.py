"""The space that the normals span: outside of it the boundary goes on straight, for ever.

    f(x) = Σ_i α_i |R_i·x + o_i| + c·x + β,     c = Σ_i ± α_i R_i

Every normal is a sum of rows, so that h of them span all that the boundary depends on. In their
coordinates the victim has at most h inputs, and a normal costs h bisections in place of d.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from mstheft.direct.labels.boundary import Piece, find_boundary_points, normal
from mstheft.direct.labels.walk import RADIUS, next_piece, turn_corner, walk_to_bend
from mstheft.typing import Array, Oracle

REACH = 10.0  # how far to look for bends, in units
CALM = 6  # walks in a row that must meet no bend


class Projected:
    """A victim in the coordinates of a space: x = y B.

    basis : (m, d) orthonormal rows
    """

    def __init__(self, oracle: Oracle, basis: Array):
        self.oracle, self.basis = oracle, basis
        self.output, self.decimals = oracle.output, oracle.decimals
        self.inputs, self.shape = len(basis), (len(basis),)
        self.outputs, self.budget = oracle.outputs, oracle.budget

    @property
    def count(self) -> int:
        """Rows answered so far."""
        return self.oracle.count

    @property
    def left(self) -> int | None:
        """Rows that are left."""
        return self.oracle.left

    def query(self, y: Array) -> np.ndarray:
        """Labels of rows y, (n, m) -> (n,)."""
        return self.oracle.query(y @ self.basis)


def away_from(basis: Array, rng: Generator) -> Array:
    """A random unit vector that is orthogonal to the rows of a basis, (d,)."""
    u = rng.normal(size=basis.shape[1])
    for _ in range(2):
        u -= basis.T @ (basis @ u)
        u /= np.linalg.norm(u)
    return u


def extended(basis: Array, normal: Array) -> Array:
    """The basis with what a normal has outside of it, orthonormal; as it was if that is nothing."""
    rest = normal - basis.T @ (basis @ normal)
    if np.linalg.norm(rest) < 1e-6:
        return basis
    rest /= np.linalg.norm(rest)
    rest -= basis.T @ (basis @ rest)
    return np.vstack([basis, rest / np.linalg.norm(rest)])


def space_of_normals(
    oracle: Oracle, rows, rng: Generator, precision: float, ruler: float
) -> tuple[Array, list[Piece]]:
    """An orthonormal basis (m, d) of all normals, and the pieces that told it.

    Walks orthogonally to all normals so far: only a neuron whose row is new bends the boundary
    there, so that each bend yields one more dimension. Ends when CALM walks from other points of
    the boundary meet none.
    Costs about m d (7 + log2(1/precision)) queries.
    """
    d, unit = oracle.inputs, np.sqrt(oracle.inputs)
    basis, pieces, calm = np.zeros((0, d)), [], 0
    while calm < CALM and len(basis) < d:
        points, across, classes = find_boundary_points(oracle, 1, rng, rows)
        piece = Piece(points[0], across[0], tuple(int(k) for k in classes[0]), 0.0)
        # off the line of sight: is the normal here a new one?
        is_new = not len(basis) or leaves(oracle, piece, basis, unit, rng, ruler)
        if not is_new:
            calm += 1
            continue
        calm = 0
        piece = normal(oracle, piece.point, piece.normal, piece.classes, RADIUS * unit, precision,
                       ruler)
        while piece is not None and len(basis) < d:
            pieces.append(piece)
            basis = extended(basis, piece.normal)
            piece = walk_out(oracle, piece, basis, unit, rng, precision, ruler)
    return basis, pieces


def leaves(oracle, piece, basis, unit, rng, ruler) -> bool:
    """Does the boundary turn away from its point somewhere along a line orthogonal to the basis?

    Costs 4 queries.
    """
    u = away_from(basis, rng)
    x = piece.point + REACH * unit * np.array([[1], [-1]]) * u
    aside = 1e-6 * unit * piece.normal
    labels = oracle.query(np.concatenate([x + aside, x - aside]))
    return bool((labels != np.repeat(piece.classes, 2)).any())


def walk_out(oracle, piece, basis, unit, rng, precision, ruler) -> Piece | None:
    """The next piece along a random line orthogonal to the basis, or None if it never bends."""
    for _ in range(3):
        u = away_from(basis, rng)
        for direction in (u, -u):
            t = walk_to_bend(oracle, piece, direction, REACH * unit, ruler)
            if t is None:
                continue
            corner = turn_corner(oracle, piece, direction, t, unit)
            if corner is None:
                continue
            found = next_piece(oracle, corner, unit, precision, ruler)
            if found is not None:
                return found
    return None
