"""Which side of its hyperplane is a neuron's active one? Answered without a query.

relu(s y) = (s y + |y|) / 2,    y = a·x + c,    s = ±1
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.direct.hyperplanes.jacobians import JacobianSite
from mstheft.nn.functions import relu
from mstheft.typing import Array

SURE = 0.1  # max ||s_i| - 1| up to which the signs are believed
MISSING = 1e-3  # of a typical neuron: more left over by the signs means that a neuron is missing


def sides(sites: Sequence[JacobianSite], rows: Array, offsets: Array) -> Array:
    """y_i at every site, (P, h)."""
    return np.array([site.point for site in sites]) @ rows.T + offsets


def odd_part(sites: Sequence[JacobianSite], planes: Hyperplanes) -> Array:
    """Σ_i s_i g_i a_iᵀ, (K, d): twice a Jacobian less its even part, the mean over all sites.

    2 J(x) - Σ_i g_i sgn(y_i(x)) a_iᵀ  =  Σ_i s_i g_i a_iᵀ    at every x
    """
    signs = np.sign(sides(sites, planes.rows, planes.offsets))  # (P, h)
    trust = np.array([weight(site) for site in sites]) ** 2
    trust /= trust.sum()
    mean = np.einsum("p,pkd->kd", 2 * trust, np.array([site.jacobian for site in sites]))
    return mean - (planes.outputs.T * (trust @ signs)) @ planes.rows


def weight(site: JacobianSite) -> float:
    """One over the rounding of an entry of the Jacobian."""
    return float(np.median(np.abs(site.steps))) / site.noise


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
    right = np.einsum("hk,kd,hd->h", g, odd, a, optimize=True)
    solved = np.linalg.lstsq((a @ a.T) * (g @ g.T), right, rcond=1e-14)[0]
    return solved / (lengths[0] * lengths[1])


def believed(signs: Array) -> bool:
    """Are all of them near enough to ±1?"""
    return bool((np.abs(np.abs(signs) - 1) <= SURE).all())


def explained(sites: Sequence[JacobianSite], odd: Array, planes: Hyperplanes, signs: Array) -> bool:
    """Do these neurons and signs leave nothing of the odd part, up to rounding?

    A neuron that was never seen to switch leaves its whole g aᵀ, if it is on. No sign shows it.
    """
    left = float(np.linalg.norm(odd - (planes.outputs * signs[:, None]).T @ planes.rows))
    sizes = np.linalg.norm(planes.rows, axis=1) * np.linalg.norm(planes.outputs, axis=1)
    typical = np.median(sizes) if len(sizes) else 0.0
    rounding = 10 * np.sqrt(odd.size) / np.linalg.norm([weight(site) for site in sites])
    return left <= MISSING * float(typical) + rounding


def last_bias(sites: Sequence[JacobianSite], a0: Array, b0: Array, a1: Array) -> Array:
    """b1 from the answers at the sites: the mean of f - A1 relu(A0 x + b0), (K,)."""
    answers = np.array([site.answer for site in sites])
    left = answers - relu(sides(sites, a0, b0)) @ a1.T  # (P, K)
    return np.average(left, axis=0, weights=[site.noise**-2 for site in sites])
