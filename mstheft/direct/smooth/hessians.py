"""Stage 2 on smooth networks: second derivatives tell the neurons' directions apart.

    H_k = Bᵀ D_k B,    B = A0 V,    D_k = diag(A1_ki σ''(z_i)),    for each output and point

All Hessians become diagonal in the same *dual* directions w_i, the columns of B⁻¹: along w_i only
neuron i moves. Two random combinations X, Y of the Hessians give them by one eigen-decomposition,

    X w = λ Y w      (Jennrich),

and all Hessians together sharpen them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from mstheft.direct.smooth.subspace import Subspace, ask
from mstheft.typing import Array, Oracle

PAIRS = 24  # random pairs of combinations, of which the best separated is taken
EMPTY = 1e-12  # Hessians below this share of the largest are less than rounding
SWEEPS = 40  # corrections of the dual directions at the most


@dataclass
class Directions:
    """Hessians (n, h, h), the dual directions W (h, h) as columns, and turned Wᵀ H W (n, h, h)."""

    hessians: Array
    duals: Array
    turned: Array

    @property
    def crosstalk(self) -> float:
        """How far the turned Hessians are from diagonal."""
        return crosstalk(self.turned)

    def bends(self, points: int) -> Array:
        """How much the answers bend along each direction at each of so many points, (points, h)."""
        own = np.einsum("nii->ni", self.turned)
        return np.linalg.norm(own.reshape(points, -1, own.shape[1]), axis=1)


def find_directions(stack: Array, rng: Generator) -> Directions:
    """The dual directions of some Hessians (n, h, h). No queries."""
    duals = dual_directions(stack, rng)
    return Directions(stack, duals, duals.T @ stack @ duals)


def hessians(oracle: Oracle, space: Subspace, point: Array, *, sharp: bool = False) -> Array:
    """Second derivatives of all outputs at x = V y, along all pairs of axes.

        ∂_i ∂_i f  ≈  (f(+i) + f(-i) - 2 f) / c²
        ∂_i ∂_j f  ≈  (f(+i+j) - f(+i) - f(+j) + f) / c²

    with steps ±c along V_i and V_j. One query for a pair, with an error of c beside noise / c², is
    enough for most victims: stage 4 makes good what it does to the directions. `sharp` takes two,

        ∂_i ∂_j f  ≈  the mean of this and of the same with -c,     with an error of c²,

    for neurons that are almost dependent.
    point : (h,) y
    Returns (K, h, h), symmetric. Costs h (h + 3) / 2 + 1 queries, h² + h + 1 when sharp.
    """
    h = len(point)
    step = second_step(space, sharp)
    first, second = np.triu_indices(h, 1)
    pairs = np.eye(h)[first] + np.eye(h)[second]
    moves = [np.zeros((1, h)), np.eye(h), -np.eye(h), pairs, *([-pairs] if sharp else [])]
    answers = ask(oracle, (point + step * np.concatenate(moves)) @ space.axes.T)
    here, ahead, behind, *both = np.split(answers, np.cumsum([len(each) for each in moves])[:-1])
    out = np.zeros((answers.shape[1], h, h))
    out[:, np.arange(h), np.arange(h)] = (ahead + behind - 2 * here).T
    mixed = [
        two - one[first] - one[second] + here
        for two, one in zip(both, (ahead, behind), strict=False)
    ]
    out[:, first, second] = out[:, second, first] = np.mean(mixed, axis=0).T
    return out / step**2


def second_step(space: Subspace, sharp: bool = False) -> float:
    """Step of a second difference: c ~ share^(1/3) √d for an error of c beside share / c².

    When sharp share^(1/4) √d, for an error of c². The share is that of the rounding in the spread
    of the answers, so that the victim's unit does not matter.
    """
    if sharp:
        return float(np.clip(space.share**0.25, 1e-4, 3e-2)) * space.reach
    return 2 * float(np.clip(np.cbrt(space.share), 1e-5, 1e-2)) * space.reach


def rounding_of(space: Subspace, sharp: bool = False) -> float:
    """What the rounding of four answers makes of a second derivative."""
    return 4 * space.noise / second_step(space, sharp) ** 2


def dual_directions(stack: Array, rng: Generator) -> Array:
    """Directions W in which all Hessians are diagonal, as columns of length 1. No queries.

    stack : (n, h, h) symmetric, n ≥ 2
    Returns (h, h), real; arbitrary where none exist, which `crosstalk` tells.
    """
    from scipy.linalg import eig

    best: Array = np.eye(stack.shape[1])
    most = -1.0
    for _ in range(PAIRS):
        x, y = np.einsum("pn,nij->pij", rng.normal(size=(2, len(stack))), stack)
        values, vectors = eig(x, y)
        apart = separation(values)
        if apart > most:
            best, most = real_basis(values, vectors), apart
    return sharpen(stack, best)


def separation(values: Array) -> float:
    """Smallest distance between eigenvalues, as angles arctan λ: λ is a ratio of two numbers."""
    angles = np.sort(np.arctan(np.real(values)))
    gaps = np.diff(np.append(angles, angles[0] + np.pi))
    whole = np.isfinite(values).all()
    return float(gaps.min(initial=np.pi)) if whole else 0.0


def real_basis(values: Array, vectors: Array) -> Array:
    """Eigenvectors, with Re v and Im v in place of a complex pair: the same plane."""
    out = np.where(np.imag(values) < 0, np.imag(vectors), np.real(vectors))
    return out / np.maximum(np.linalg.norm(out, axis=0), 1e-300)


def sharpen(stack: Array, duals: Array) -> Array:
    """Correct dual directions by all Hessians at once, pair by pair of neurons. No queries.

    T_k = Wᵀ H_k W ought to be diagonal. With W (I + E) it is, to first order, where

        T_k[i,j] + T_k[i,i] E[i,j] + T_k[j,j] E[j,i] = 0    for all k,

    least squares in two unknowns for every pair of neurons. Hessians that are 0, as a constant
    output's, say nothing and are left out; the others count alike.
    Source: Ziehe, Laskov, Nolte, Müller, JMLR 2004 (FFDIAG), here with the congruence's pairs.
    """
    sizes = np.linalg.norm(stack, axis=(1, 2), keepdims=True)
    telling = sizes[:, 0, 0] > EMPTY * sizes.max()
    stack = stack[telling] / sizes[telling]
    best, least = duals, np.inf
    for _ in range(SWEEPS):
        turned = duals.T @ stack @ duals
        off = crosstalk(turned)
        if not off < 0.999 * least and off < 1e-3:
            break
        if off < least:
            best, least = duals, off
        diagonal = np.einsum("nii->ni", turned)
        gram = diagonal.T @ diagonal
        right = np.einsum("ni,nij->ij", diagonal, turned)  # Σ_k T_ii T_ij
        own = np.diag(gram)
        bottom = np.maximum(np.outer(own, own) - gram**2, 1e-300)
        change = (right.T * gram - right * own[None, :]) / bottom
        np.fill_diagonal(change, 0)
        change /= max(1.0, 2 * np.abs(change).max())
        duals = duals @ (np.eye(len(duals)) + change)
        duals = duals / np.linalg.norm(duals, axis=0)
    return best


def crosstalk(turned: Array) -> float:
    """How far T_k = Wᵀ H_k W are from diagonal: |off the diagonal| / |diagonal|, over all."""
    diagonal = np.einsum("nii->ni", turned)
    scale = np.sqrt(np.maximum((diagonal**2).sum(axis=0), 1e-300))
    part = turned / np.sqrt(np.outer(scale, scale))
    part[:, np.arange(len(scale)), np.arange(len(scale))] = 0
    return float(np.sqrt((part**2).sum(axis=0)).max(initial=0))
