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
OFF = 0.01  # of the spread of the answers: what hyperplanes miss that are rough
TWINS = 0.9  # cosine of two rows that may be one neuron
LITTLE, NOTHING = 0.1, 0.01  # of the squared misfit: what a hyperplane with a twin may add to it
# when it is dropped, and one without


def lifted_copy(
    planes: Hyperplanes, rows: Array, logits: Array, sigma: Array
) -> tuple[Array, Network] | None:
    """The signs of hyperplanes before rounding, and the copy that they make.

    rows : (n, d) random ones; logits, sigma : (n, K) the answers to them, finite, and their σ. Rows
        count the less the more these are blurred beyond what rough hyperplanes miss
    None where the rows are fewer than twice the unknowns of an output.
    """
    h, d = planes.rows.shape
    if len(rows) < ENOUGH * (h + d + 1):
        return None
    features, right, trust = equations(planes, rows, logits, sigma)
    solved = least_squares(features, right)
    outputs, odd = solved[:h], solved[h:-1].T  # (h, K), (K, d) M
    planes = replace(unit(planes), outputs=outputs)
    signs = solve_signs(odd, planes.rows, planes.outputs)
    if np.isfinite(signs).all():
        a0, b0, _ = oriented(planes, np.where(signs < 0, -1.0, 1.0))
    else:
        a0, b0, _ = with_remainder(planes, (odd - outputs.T @ planes.rows) / 2)
    on = relu(rows[: len(trust)] @ a0.T + b0)
    last = least_squares(trust * with_ones(on), right / 2)
    return signs, zoo.given([(a0, b0), (last[:-1].T, last[-1])])


def equations(
    planes: Hyperplanes, rows: Array, logits: Array, sigma: Array
) -> tuple[Array, Array, Array]:
    """[|y| x 1], (n, h + d + 1), and 2 f, (n, K), both times the weight (n, 1) of each row."""
    planes, n = unit(planes), MOST * (len(planes) + rows.shape[1] + 1)
    rows, logits, sigma = rows[:n], logits[:n], sigma[:n]
    blur = np.sqrt((sigma**2).mean(axis=1, keepdims=True))
    trust = 1 / np.hypot(blur, OFF * logits.std(axis=0).mean())
    features = np.hstack([np.abs(rows @ planes.rows.T + planes.offsets), with_ones(rows)])
    return trust * features, trust * 2 * logits, trust


def unit(planes: Hyperplanes) -> Hyperplanes:
    """The same with rows of length 1."""
    length = np.linalg.norm(planes.rows, axis=1)
    rows, outputs = planes.rows / length[:, None], planes.outputs * length[:, None]
    return replace(planes, rows=rows, outputs=outputs, errors=planes.errors / length)


def needed(planes: Hyperplanes, rows: Array, logits: Array, sigma: Array) -> np.ndarray:
    """Which of the hyperplanes the rows need: one after the other is dropped, the cheapest first.

    That is the one that adds |g_i|² / [(FᵀF)⁻¹]_ii, least, to the squared misfit.

    rows, logits, sigma : as in `lifted_copy`; with too few rows all are needed
    Source: optimal brain surgeon, Hassibi and Stork 1992.
    """
    left = np.arange(len(planes))
    if len(rows) < ENOUGH * (len(planes) + rows.shape[1] + 1):
        return left
    features, right, _ = equations(planes, rows, logits, sigma)
    inverse = np.linalg.pinv(features.T @ features, rcond=1e-13, hermitian=True)
    solved = inverse @ (features.T @ right)
    missed = float(((right - features @ solved) ** 2).sum())
    directions = unit(planes).rows
    parallel = np.abs(directions @ directions.T) - np.eye(len(left)) > TWINS
    while len(left):
        cost = (solved[: len(left)] ** 2).sum(axis=1) / np.diag(inverse)[: len(left)]
        has_twin = parallel[np.ix_(left, left)].any(axis=1)
        share = cost / (missed * np.where(has_twin, LITTLE, NOTHING))
        i = int(share.argmin())
        if share[i] > 1:
            break
        missed += float(cost[i])
        column = inverse[:, i] / inverse[i, i]
        solved = np.delete(solved - np.outer(column, solved[i]), i, axis=0)
        inverse = inverse - np.outer(column, inverse[i])
        inverse = np.delete(np.delete(inverse, i, axis=0), i, axis=1)
        left = np.delete(left, i)
    return left
