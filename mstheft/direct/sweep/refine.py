"""Refinement on answers that are already paid for: every row against every Jacobian at once.

The groups solve a row from two Jacobians. But with the output weights, the kinks and the signs
known, each Jacobian is a linear equation for all rows that are on at its place,

    J(x_p)  =  Σ_i e_pi g_i a_iᵀ,      e_pi = (s_i + sgn y_i(x_p)) / 2,

with the same P K × h matrix for every input j: one least-squares problem with d right-hand sides.
It is the Gauss-Newton step in the rows, and it is exact, for nothing else in it moves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mstheft.direct.hyperplanes.jacobians import Stand
from mstheft.direct.least_squares import least_squares
from mstheft.direct.sweep.signs import sides, weight
from mstheft.nn.functions import relu
from mstheft.typing import Array


def refine_rows(
    stands: Sequence[Stand],
    rows: Array,
    offsets: Array,
    outputs: Array,
    signs: Array | None,
) -> Array:
    """Rows corrected by what all Jacobians say together, each weighed by its rounding.

    rows, offsets, outputs : (h, d), (h,), (h, K) a_i, c_i, g_i
    signs : (h,) ±1, or None where they are unknown: then all are taken as + and a linear
        remainder (K, d) is solved for as well
    Returns (h, d). Only the correction is solved for, so that what the Jacobians do not determine
    stays as it was. Costs no query.
    """
    size = np.linalg.norm(outputs, axis=1)
    on = (np.sign(sides(stands, rows, offsets)) + (1 if signs is None else signs)) / 2
    classes = outputs.shape[1]
    matrix = np.einsum("ph,hk->pkh", on, outputs / size[:, None])
    if signs is None:
        constant = np.broadcast_to(np.eye(classes), (len(stands), classes, classes))
        matrix = np.concatenate([matrix, constant], axis=2)
    trust = np.array([weight(place) for place in stands])
    trust = (trust / trust.max())[:, None, None]
    start = np.zeros((matrix.shape[2], rows.shape[1]))
    start[: len(rows)] = rows * size[:, None]
    jacobians = np.array([place.jacobian for place in stands])
    left = (trust * (jacobians - matrix @ start)).reshape(-1, rows.shape[1])
    weighed = (trust * matrix).reshape(len(left), -1)
    solved = start + least_squares(weighed, left)
    h = len(rows)
    return solved[:h] / size[:, None]


def misfit(stands: Sequence[Stand], a0: Array, b0: Array, a1: Array) -> float:
    """Root mean square of what a network misses of the differences paid for, in logits.

    Each difference f(x + c_j e_j) - f(x) is compared as it was asked, crossings included; a right
    network misses only their rounding. Costs no query.
    """
    total, count = 0.0, 0
    for place in stands:
        z = a0 @ place.point + b0
        moved = relu(z + (a0 * place.steps).T) - relu(z)
        miss = moved @ a1.T - (place.jacobian * place.steps).T
        total, count = total + float((miss**2).sum()), count + miss.size
    return float(np.sqrt(total / max(count, 1)))
