"""Everything but the rows at once: the null vector of what holds on the boundary."""

from __future__ import annotations

import numpy as np

from mstheft.typing import Array


def features(rows: Array, x: Array) -> Array:
    """(|R_i·x + o_i|, x, 1), (n, h + d + 1)."""
    return np.column_stack([np.abs(x @ rows[:, :-1].T + rows[:, -1]), x, np.ones(len(x))])


def equations(rows: Array, points: Array, classes: np.ndarray, K: int) -> Array:
    """One row for each boundary point: Σ_i (α_ai - α_bi) |R_i·x + o_i| + … = 0, α of class 0 = 0.

    Returns (n, (K - 1)(h + d + 1)), each row of length 1.
    """
    z = features(rows, points)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    A = np.zeros((len(points), K, z.shape[1]))
    which = np.arange(len(points))
    A[which, classes[:, 0]] += z
    A[which, classes[:, 1]] -= z
    return A[:, 1:].reshape(len(points), -1)


def output_weights(rows: Array, points: Array, classes: np.ndarray, K: int):
    """α, c and β of each class but the first, up to one positive factor.

        Σ_i α_i |R_i·x + o_i| + c·x + β  =  0     at each point of the boundary

    It says that all boundaries vanish where they are seen: the null vector of one singular value
    decomposition. No row needs an orientation. K > 2: one boundary for each pair of classes, whose
    differences share one vector, so that their factors are found at once.
    rows : (h, d+1); points : (n, d), n > (K - 1)(h + d + 1); classes : (n, 2), the first on the
    side where the copy must be larger (the sign is set by `output_weights`' caller)
    Returns θ (K, h + d + 1), and the two smallest singular values over √n.
    """
    A = equations(rows, points, classes, K)
    scale = np.linalg.norm(A, axis=0)
    scale[scale == 0] = 1
    _, size, v = np.linalg.svd(A / scale, full_matrices=False)
    theta = (v[-1] / scale).reshape(K - 1, -1)
    theta = np.vstack([np.zeros(theta.shape[1]), theta])
    return theta / np.abs(theta).max(), size[-2:] / np.sqrt(len(points))


def signed(theta: Array, rows: Array, points: Array, across: Array, classes) -> Array:
    """θ with the sign that labels show: across the boundary the first class grows."""
    h = len(rows)
    grow = np.zeros(len(points))
    for k, sign in ((0, 1), (1, -1)):
        t = theta[classes[:, k]]
        s = np.sign(points @ rows[:, :-1].T + rows[:, -1])
        gradient = (t[:, :h] * s) @ rows[:, :-1] + t[:, h:-1]
        grow += sign * np.sum(gradient * across, axis=1)
    return theta * np.sign(np.median(np.sign(grow)) or 1)
