"""Refinement on answers that are already paid for: every row against every Jacobian at once.

The groups solve a row from two Jacobians. But with the output weights, the kinks and the signs
known, each Jacobian is a linear equation for all rows that are on at its site,

    J(x_p)  =  Σ_i e_pi g_i a_iᵀ,      e_pi = (s_i + sgn y_i(x_p)) / 2,

with the same P K × h matrix for every input j: one least-squares problem with d right-hand sides.
It is the Gauss-Newton step in the rows, and it is exact, for nothing else in it moves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.direct.hyperplanes.jacobians import JacobianSite
from mstheft.direct.least_squares import least_squares
from mstheft.direct.sweep.signs import sides, weight
from mstheft.nn.functions import relu
from mstheft.typing import Array


def refine_rows(sites: Sequence[JacobianSite], planes: Hyperplanes, signs: Array | None) -> Array:
    """Rows corrected by what all Jacobians show together, each weighed by its rounding.

    signs : (h,) ±1, or None where they are unknown: then all are taken as + and a linear
        remainder (K, d) is solved for as well
    Returns (h, d). Only the correction is solved for, so that what the Jacobians do not determine
    stays as it was. Costs no query.
    """
    rows, outputs = planes.rows, planes.outputs
    (h, d), K = rows.shape, outputs.shape[1]
    size = np.linalg.norm(outputs, axis=1)
    on = (np.sign(sides(sites, rows, planes.offsets)) + (1 if signs is None else signs)) / 2
    matrix = np.einsum("ph,hk->pkh", on, outputs / size[:, None])
    if signs is None:
        constant = np.broadcast_to(np.eye(K), (len(sites), K, K))
        matrix = np.concatenate([matrix, constant], axis=2)  # (P, K, h + K)
    trust = np.array([weight(site) for site in sites])
    trust = (trust / trust.max())[:, None, None]
    start = np.zeros((matrix.shape[2], d))
    start[:h] = rows * size[:, None]
    jacobians = np.array([site.jacobian for site in sites])
    left = (trust * (jacobians - matrix @ start)).reshape(-1, d)  # (P K, d)
    weighed = (trust * matrix).reshape(len(left), -1)
    return (start + least_squares(weighed, left))[:h] / size[:, None]


def misfit(sites: Sequence[JacobianSite], a0: Array, b0: Array, a1: Array) -> float:
    """Root mean square of what a network misses of the differences paid for, in logits.

    Each difference f(x + c_j e_j) - f(x) is compared as it was asked, crossings included; a right
    network misses only their rounding. Costs no query.
    """
    total, count = 0.0, 0
    for site in sites:
        z = a0 @ site.point + b0
        moved = relu(z + (a0 * site.steps).T) - relu(z)  # (d, h), a row for each input
        miss = moved @ a1.T - (site.jacobian * site.steps).T
        total, count = total + float((miss**2).sum()), count + miss.size
    return float(np.sqrt(total / max(count, 1)))
