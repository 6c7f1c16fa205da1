"""The unknowns of a linear victim from its equations, and how uncertain they are. No queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mstheft.errors import ExtractionError
from mstheft.typing import Array

BATCH = 4096  # equations added to the normal equations at once


def solve(A: Array, rhs: Array, weights: Array) -> Array:
    """The unknowns of A θ = rhs: exactly if there are as many as equations, else by least squares.

        min_θ Σ_i weights_i² ‖A_i θ - rhs_i‖²,      weights = 1 / σ

    An equation counts for what it is worth: for probabilities σ is that of p over p (1 - p).

    A : (n, d+1), n ≥ d + 1; rhs : (n, K) logits; weights : (n,)
    Returns θ (d+1, K), the biases in the last row. Costs no query.
    Raises `ExtractionError` if the inputs are not affinely independent.
    """
    n, unknowns = A.shape
    try:
        if n == unknowns:
            return np.linalg.solve(A, rhs)
        return Normal.of(A, weights).solve(A, rhs, weights)
    except np.linalg.LinAlgError:
        raise ExtractionError(
            "solve",
            f"needs {unknowns:,} affinely independent inputs, but the {n:,} asked are not",
            "ask other inputs: another rng= or a larger oversample=",
        ) from None


def residual(A: Array, rhs: Array, weights: Array) -> float:
    """√(Σ weights² |A θ - rhs|² / (n - d - 1) K): 1 if what is left is noise of σ = 1 / weights.

    NaN for as many equations as unknowns, which contradict nothing.
    """
    n, unknowns = A.shape
    left = weights[:, None] * (A @ solve(A, rhs, weights) - rhs)
    freedom = (n - unknowns) * rhs.shape[1]
    return float(np.sqrt(np.sum(left**2) / freedom)) if freedom else float("nan")


@dataclass
class Normal:
    """The normal equations, of inputs centred and scaled: Aᵀ W² A = gram in those coordinates.

    Safe here, since `equations` asks along orthogonal directions: gram is close to a multiple of
    the identity.
    """

    gram: Array
    centre: Array
    scale: float

    @classmethod
    def of(cls, A: Array, weights: Array) -> Normal:
        """From equations (n, d+1) and their weights (n,)."""
        normal = cls(np.zeros((A.shape[1],) * 2), A[:, :-1].mean(axis=0), float(A[:, :-1].std()))
        for i in range(0, len(A), BATCH):
            local = weights[i : i + BATCH, None] * normal.local(A[i : i + BATCH])
            normal.gram += local.T @ local  # (d+1, d+1)
        return normal

    def local(self, A: Array) -> Array:
        """Rows (n, d+1), centred and scaled."""
        local = A.copy()
        local[:, :-1] = (local[:, :-1] - self.centre) / self.scale
        return local

    def solve(self, A: Array, rhs: Array, weights: Array) -> Array:
        """θ (d+1, K) of least squares."""
        right = np.zeros((A.shape[1], rhs.shape[1]))
        for i in range(0, len(A), BATCH):
            squares = weights[i : i + BATCH, None] ** 2
            right += self.local(A[i : i + BATCH]).T @ (squares * rhs[i : i + BATCH])
        theta = np.linalg.solve(self.gram, right)
        theta[:-1] /= self.scale
        theta[-1] -= self.centre @ theta[:-1]  # back from centred inputs
        return theta

    def covariance(self, rows: Array) -> Array:
        """Of the copy's logits at rows (m, d+1), in units of σ = 1 / weights: (m, m)."""
        local = self.local(rows)
        return local @ np.linalg.solve(self.gram, local.T)
