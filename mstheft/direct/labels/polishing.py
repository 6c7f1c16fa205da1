"""Gauss-Newton on the same equations, rows included: bisected points onto the copy's boundary."""

from __future__ import annotations

import numpy as np

from mstheft.direct.labels.weights import distances, features, slopes
from mstheft.typing import Array

STEPS = 8


def polish(
    rows: Array, theta: Array, points: Array, classes: np.ndarray, floor: float
) -> tuple[Array, Array]:
    """Rows and θ such that bisected points lie on the copy's boundary, as nearly as they can.

        argmin Σ_k ( f_k + ∂f_k )² / |∇f_k|²,    f_k = (θ_a - θ_b)·(|R x_k + o|, x_k, 1)

    One step after another while the distances shrink. The equations are solved by their normal
    matrix with a ridge of 1e-14, since the lengths of the rows and of θ are free.
    floor : a median distance that needs no further step
    Returns rows of length 1 and θ. No queries.
    """
    best = float(np.median(np.abs(distances(rows, theta, points, classes))))
    for _ in range(STEPS):
        if best < floor:
            break
        new = step(rows, theta, points, classes)
        median = float(np.median(np.abs(distances(*new, points, classes))))
        if not median < best:
            break
        rows, theta, best = *new, median
    return rows, theta


def step(rows: Array, theta: Array, points: Array, classes: np.ndarray) -> tuple[Array, Array]:
    """One step of Gauss-Newton."""
    (h, _), K = rows.shape, len(theta)
    J = jacobian(rows, theta, points, classes)
    off = distances(rows, theta, points, classes)
    size = np.linalg.norm(J, axis=0)
    J /= np.where(size > 0, size, 1)
    N = J.T @ J
    N[np.diag_indices(len(N))] += 1e-14 * len(points)
    move = -np.linalg.solve(N, J.T @ off) / np.where(size > 0, size, np.inf)
    rows = rows + move[: rows.size].reshape(rows.shape)
    theta = theta.copy()
    theta[1:] += move[rows.size :].reshape(K - 1, -1)
    length = np.linalg.norm(rows[:, :-1], axis=1)
    theta[:, :h] *= length
    return rows / length[:, None], theta / np.abs(theta).max()


def jacobian(rows: Array, theta: Array, points: Array, classes: np.ndarray) -> Array:
    """Of the distances, with respect to rows (h (d+1)) and θ of all classes but the first."""
    h, K, n = len(rows), len(theta), len(points)
    apart = theta[classes[:, 0]] - theta[classes[:, 1]]
    slope = slopes(rows, theta, points, classes)
    x = np.column_stack([points, np.ones(n)])
    side = np.sign(x @ rows.T) * apart[:, :h] / slope[:, None]  # (n, h)
    z = features(rows, points) / slope[:, None]
    outer, which = np.zeros((n, K, z.shape[1])), np.arange(n)
    outer[which, classes[:, 0]] += z
    outer[which, classes[:, 1]] -= z
    return np.concatenate(
        [(side[:, :, None] * x[:, None]).reshape(n, -1), outer[:, 1:].reshape(n, -1)], axis=1
    )
