"""Linear least squares as the direct attacks need it: tall, with many right-hand sides, fast."""

from __future__ import annotations

import numpy as np

from mstheft.typing import Array


def least_squares(matrix: Array, right: Array, cut: float = 1e-12) -> Array:
    """argmin |matrix x - right|, of least norm, (m, n) and (m, r) -> (n, r).

    By QR and the singular values of R: for many right-hand sides or many rows, ten times faster
    than a singular value decomposition of the whole. Singular values below `cut` count as 0.
    """
    q, r = np.linalg.qr(matrix)
    u, size, v = np.linalg.svd(r, full_matrices=False)
    kept = size > cut * size.max(initial=0)
    inside = u[:, kept].T @ (q.T @ right)
    return v[kept].T @ (inside.T / size[kept]).T
