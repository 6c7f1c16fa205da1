"""The end of every direct attack on one hidden ReLU layer: neuron signs and the last layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from mstheft.direct.answers import read
from mstheft.nn.functions import relu
from mstheft.typing import Array, Oracle


def neuron_signs(oracle: Oracle, rows: Array, offsets: Array) -> Array:
    """Step 4. Which side of its hyperplane is a neuron's active side? For independent rows, h < d.

        A0 z + b0 = 0,    A0 v_i = e_i :    only one of f(z + v_i), f(z - v_i) differs from f(z)

    At z all neurons stand on their hyperplanes; a step along v_i moves neuron i alone, and the
    answer moves only if that step switches it on. The sign is that of the larger move.

    rows, offsets : (h, d), (h,) a_i and c_i, each pair with an unknown common sign
    Returns (h,) of +1 and -1. Costs 2 h + 1 queries.
    Source: Jagielski et al. 2020, section 4.3; lecture slide 'sign of the neuron'.
    """
    inverse = np.linalg.pinv(rows)
    z = -inverse @ offsets
    moves = inverse.T
    h = len(rows)
    answers = read(oracle, np.concatenate([z[None], z + moves, z - moves]))
    with np.errstate(invalid="ignore"):  # a probability of 0 or 1 tells nothing of its logit
        moved = np.linalg.norm(answers[1:] - answers[0], axis=1)
    return np.where(moved[:h] >= moved[h:], 1.0, -1.0)


def signs_by_least_squares(
    oracle: Oracle, rows: Array, offsets: Array, outputs: Array, rng: np.random.Generator
) -> Array:
    """Neuron signs where step 4 does not apply (h ≥ d, dependent rows): linear in the answers.

        relu(s y) = (s y + |y|) / 2,  y = a·x + c,   so
        2 f(x) - Σ_i g_i |y_i| = Σ_i s_i g_i y_i + 2 b1

    g_i = A1[:, i] is known, sign included, because a kink bends by +|a_i·v| A1_i whichever way the
    neuron switches. Unknown are the s_i (h numbers) and b1 (K numbers).

    outputs : (h, K) the g_i
    Returns (h,) of +1 and -1. Costs about 2 (h + K) / K queries. The answers determine all signs
    only while h ≤ K d, the numbers in Σ_i s_i g_i a_iᵀ (what the offsets tell goes into b1); past
    that a wrong choice shows when the copy is verified.
    """
    h, classes = outputs.shape
    x = rng.normal(size=(2 * (h // classes + 1) + 4, rows.shape[1]))
    x, answers = _ask(oracle, x)
    y = x @ rows.T + offsets
    right = 2 * answers - np.abs(y) @ outputs
    left = np.einsum("nh,hk->nkh", y, outputs).reshape(-1, h)
    constant = np.tile(2 * np.eye(classes), (len(x), 1))
    solved = np.linalg.lstsq(np.hstack([left, constant]), right.reshape(-1), rcond=None)[0]
    return np.where(solved[:h] >= 0, 1.0, -1.0)


def solve_last_layer(
    oracle: Oracle, rows: Array, offsets: Array, points: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Step 5. A1 and b1 by linear least squares on [relu(A0 x + b0), 1].

    Asked are pairs x_i ± w with x_i a critical point of neuron i and w ~ N(0, I): the neuron is on
    at one of the two, however seldom that happens elsewhere. Rows are weighed by 1 / (1 + |x|).

    points : (h, d) the critical points x_i
    Returns (K, h), (K,). Costs 2 (h + 1) queries.
    """
    centres = np.vstack([points, np.zeros(rows.shape[1])])
    w = rng.normal(size=centres.shape)
    x = np.concatenate([centres + w, centres - w])
    x, answers = _ask(oracle, x)
    hidden = np.hstack([relu(x @ rows.T + offsets), np.ones((len(x), 1))])
    hidden /= 1 + np.linalg.norm(x, axis=1, keepdims=True)
    answers = answers / (1 + np.linalg.norm(x, axis=1, keepdims=True))
    unit = np.maximum(np.linalg.norm(hidden, axis=0), 1e-300)
    solution = np.linalg.lstsq(hidden / unit, answers, rcond=None)[0] / unit[:, None]
    return solution[:-1].T, solution[-1]


def with_remainder(
    oracle: Oracle, rows: Array, offsets: Array, outputs: Array, rng: np.random.Generator
) -> tuple[Array, Array, Array, Array]:
    """A network without knowing any neuron's sign: take all as +, and carry what is left over.

        relu(-y) = relu(y) - y :   f(x) - Σ_i g_i relu(a_i·x + c_i) = M x + m   is affine

    M and m by least squares, and M = Σ_r u_r v_rᵀ as pairs of opposite neurons, since
    relu(z) - relu(-z) = z: min(K, d) pairs at the most. Also right for opposite twins.

    rows, offsets, outputs : (h, d), (h,), (h, K)
    Returns A0, b0, A1, b1 with h + 2 rank(M) neurons. Costs d + 5 queries.
    """
    d = rows.shape[1]
    x = rng.normal(size=(d + 5, d))
    x, answers = _ask(oracle, x)
    left_over = answers - relu(x @ rows.T + offsets) @ outputs
    affine = np.linalg.lstsq(np.hstack([x, np.ones((len(x), 1))]), left_over, rcond=None)[0]
    u, size, v = np.linalg.svd(affine[:-1].T, full_matrices=False)
    kept = size > 1e-9 * np.linalg.norm(rows, axis=1).max()  # the outputs have length 1
    u, v = u[:, kept] * size[kept], v[kept]
    a0, a1 = np.concatenate([rows, v, -v]), np.hstack([outputs.T, u, -u])
    return a0, np.concatenate([offsets, np.zeros(2 * len(v))]), a1, affine[-1]


def _ask(oracle: Oracle, x: Any) -> tuple[Any, Any]:
    """Rows and their answers, where these are finite: a probability of 0 or 1 tells of no logit."""
    answers = read(oracle, x)
    known = np.isfinite(answers).all(axis=1)
    return x[known], answers[known]
