"""Which side of its hyperplane is a neuron's active one? Answered without a query.

relu(s y) = (s y + |y|) / 2,    y = a·x + c,    s = ±1
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mstheft.direct.hyperplanes.jacobians import Stand
from mstheft.nn.functions import relu
from mstheft.typing import Array

SURE = 0.1  # max ||s_i| - 1| up to which the signs are believed
MISSING = 1e-3  # of a typical neuron: more left over by the signs means that a neuron is missing
AFFINE = 1e-9  # relative size from which a part of the affine remainder is carried


def sides(stands: Sequence[Stand], rows: Array, offsets: Array) -> Array:
    """y_i at every place, (P, h)."""
    return np.array([place.point for place in stands]) @ rows.T + offsets


def odd_part(stands: Sequence[Stand], rows: Array, offsets: Array, outputs: Array) -> Array:
    """Σ_i s_i g_i a_iᵀ, (K, d): twice a Jacobian less its even part, the mean over all places.

    2 J(x) - Σ_i g_i sgn(y_i(x)) a_iᵀ  =  Σ_i s_i g_i a_iᵀ    at every x
    """
    signs = np.sign(sides(stands, rows, offsets))
    trust = np.array([weight(place) for place in stands]) ** 2
    trust /= trust.sum()
    mean = np.einsum("p,pkd->kd", 2 * trust, np.array([place.jacobian for place in stands]))
    return mean - (outputs.T * (trust @ signs)) @ rows


def weight(place: Stand) -> float:
    """One over the rounding of an entry of the Jacobian."""
    return float(np.median(np.abs(place.steps))) / place.noise


def solve_signs(odd: Array, rows: Array, outputs: Array) -> Array:
    """All s_i by least squares from Σ_i s_i g_i a_iᵀ; they should come out as ±1.

    The normal equations have the matrix (a_i·a_j) (g_i·g_j), h × h. Their condition is the square
    of that of the K d equations, which signs can bear.

    odd : (K, d); rows, outputs : (h, d), (h, K)
    Returns (h,), not rounded: max ||s_i| - 1| is the self-check. All NaN for h > K d, where K d
    equations do not determine them.
    """
    if len(rows) > odd.size:
        return np.full(len(rows), np.nan)
    lengths = np.linalg.norm(rows, axis=1), np.linalg.norm(outputs, axis=1)
    a, g = (x / size[:, None] for x, size in zip((rows, outputs), lengths, strict=True))
    told = np.einsum("hk,kd,hd->h", g, odd, a, optimize=True)
    solved = np.linalg.lstsq((a @ a.T) * (g @ g.T), told, rcond=1e-14)[0]
    return solved / (lengths[0] * lengths[1])


def believed(signs: Array) -> bool:
    """Are all of them near enough to ±1?"""
    return bool((np.abs(np.abs(signs) - 1) <= SURE).all())


def explained(
    stands: Sequence[Stand], odd: Array, rows: Array, outputs: Array, signs: Array
) -> bool:
    """Do these neurons and signs leave nothing of the odd part, up to rounding?

    A neuron that was never seen to switch leaves its whole g aᵀ, if it is on. No sign tells of it.
    """
    left = float(np.linalg.norm(odd - (outputs * signs[:, None]).T @ rows))
    sizes = np.linalg.norm(rows, axis=1) * np.linalg.norm(outputs, axis=1)
    typical = np.median(sizes) if len(sizes) else 0.0
    rounding = 10 * np.sqrt(odd.size) / np.linalg.norm([weight(place) for place in stands])
    return left <= MISSING * float(typical) + rounding


def with_signs(
    rows: Array, offsets: Array, outputs: Array, signs: Array
) -> tuple[Array, Array, Array]:
    """A0, b0, A1 with every neuron turned to its active side."""
    return rows * signs[:, None], offsets * signs, outputs.T


def with_remainder(
    rows: Array, offsets: Array, outputs: Array, odd: Array
) -> tuple[Array, Array, Array]:
    """The same function without knowing a sign: all are taken as +, the rest is affine.

        f(x) = Σ_i g_i relu(y_i) + M x + m,     M = (Σ_i s_i g_i a_iᵀ - Σ_i g_i a_iᵀ) / 2

    and M = Σ_r u_r v_rᵀ is carried as pairs of opposite neurons, relu(z) - relu(-z) = z: min(K, d)
    pairs at the most. For h > K d, opposite twins on one hyperplane, and neurons that never switch.

    odd : (K, d) Σ_i s_i g_i a_iᵀ
    Returns A0, b0, A1 with h + 2 rank(M) neurons.
    """
    affine = (odd - outputs.T @ rows) / 2
    u, size, v = np.linalg.svd(affine, full_matrices=False)
    kept = (
        size > AFFINE * np.linalg.norm(outputs, axis=1).max() * np.linalg.norm(rows, axis=1).max()
    )
    u, v = u[:, kept] * np.sqrt(size[kept]), v[kept] * np.sqrt(size[kept])[:, None]
    a0, a1 = np.concatenate([rows, v, -v]), np.hstack([outputs.T, u, -u])
    return a0, np.concatenate([offsets, np.zeros(2 * len(v))]), a1


def last_bias(stands: Sequence[Stand], a0: Array, b0: Array, a1: Array) -> Array:
    """b1 from the answers at the places: the mean of f - A1 relu(A0 x + b0), (K,)."""
    answers = np.array([place.answer for place in stands])
    left = answers - relu(sides(stands, a0, b0)) @ a1.T
    return np.average(left, axis=0, weights=[place.noise**-2 for place in stands])
