"""A rough copy out of hyperplanes and random rows, by linear least squares: nothing else is rough.

    2 f(x)  =  Σ_i g_i |y_i|  +  M x  +  2 m,      y_i = a_i·x + c_i,    M = Σ_i s_i g_i a_iᵀ

Linear in all g_i, M and m at once, whichever side of a hyperplane is the active one. So random rows
give sharp g_i and signs even from blurred jumps, and tell hyperplanes that are none or are there
twice: one that the others make needless gets little of the jump that it was measured with.
Costs no query.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes, oriented, with_remainder
from mstheft.direct.least_squares import least_squares
from mstheft.direct.sweep.signs import solve_signs
from mstheft.nn import zoo
from mstheft.nn.dense_pass import with_ones
from mstheft.nn.functions import relu
from mstheft.nn.network import Network
from mstheft.typing import Array

ENOUGH, MOST = 2, 6  # rows for each unknown of an output: at least, and of more no use is made
NEEDED = 0.6  # of its measured jump: a hyperplane that gets less is none, or there twice


def lifted_copy(
    planes: Hyperplanes, rows: Array, logits: Array
) -> tuple[Hyperplanes, Array, Network] | None:
    """The hyperplanes that rows need, their signs before rounding, and the copy that they make.

    rows : (n, d) random ones, logits : (n, K) the answers to them, finite
    None where the rows are fewer than twice the unknowns of an output.
    """
    h, d = planes.rows.shape
    if len(rows) < ENOUGH * (h + d + 1):
        return None
    rows, logits = rows[: MOST * (h + d + 1)], logits[: MOST * (h + d + 1)]
    planes = replace(planes, errors=planes.relative_errors, **unit(planes))
    features = np.hstack([np.abs(rows @ planes.rows.T + planes.offsets), with_ones(rows)])
    needed, solved = select(features, 2 * logits, planes.outputs)
    planes = replace(planes.only(needed), outputs=solved[: len(needed)])
    odd = solved[len(needed) : -1].T  # (K, d) M
    signs = solve_signs(odd, planes.rows, planes.outputs)
    if np.isfinite(signs).all():
        a0, b0, _ = oriented(planes, np.where(signs < 0, -1.0, 1.0))
    else:
        a0, b0, _ = with_remainder(planes, (odd - planes.outputs.T @ planes.rows) / 2)
    last = least_squares(with_ones(relu(rows @ a0.T + b0)), logits)
    return planes, signs, zoo.given([(a0, b0), (last[:-1].T, last[-1])])


def unit(planes: Hyperplanes) -> dict[str, Array]:
    """Rows of length 1, and the jumps in that scale."""
    length = np.linalg.norm(planes.rows, axis=1, keepdims=True)
    return {"rows": planes.rows / length, "outputs": planes.outputs * length}


def select(features: Array, right: Array, jumps: Array) -> tuple[np.ndarray, Array]:
    """Least squares, without the hyperplanes that are not needed: one after the other is dropped.

    The cheapest goes first, that which adds |g_i|² / [(FᵀF)⁻¹]_ii, least, to the squared misfit.

    features : (n, h + d + 1) F; right : (n, K); jumps : (h, K) as they were measured
    Returns which of the h are needed, and the solution for these and what stands behind them.
    Source: optimal brain surgeon, Hassibi and Stork 1992.
    """
    inverse = np.linalg.pinv(features.T @ features, rcond=1e-13, hermitian=True)
    left = np.arange(features.shape[1])
    solved = inverse @ (features.T @ right)
    while True:
        h = int((left < len(jumps)).sum())
        mine, measured = solved[:h], jumps[left[:h]]
        share = (mine * measured).sum(axis=1) / (measured**2).sum(axis=1)
        cost = (mine**2).sum(axis=1) / np.diag(inverse)[:h]
        spare = share < NEEDED
        if not spare.any():
            return left[:h], solved
        i = int(np.where(spare, cost, np.inf).argmin())
        column = inverse[:, i] / inverse[i, i]
        solved = np.delete(solved - np.outer(column, solved[i]), i, axis=0)
        inverse = inverse - np.outer(column, inverse[i])
        inverse = np.delete(np.delete(inverse, i, axis=0), i, axis=1)
        left = np.delete(left, i)
