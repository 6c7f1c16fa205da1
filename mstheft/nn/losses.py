"""Losses: each returns its value and its gradient with respect to the logits together."""

from __future__ import annotations

import numpy as np

from mstheft.nn.functions import log_softmax, sigmoid, softmax, softplus
from mstheft.typing import Array


def one_hot(labels: np.ndarray, classes: int, dtype: np.dtype | type = np.float64) -> Array:
    """(n,) whole numbers 0 … classes-1 -> (n, classes) rows with a single 1."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        got = f"shape {labels.shape} of {labels.dtype}; pass y.astype(int)"
        raise ValueError(f"expected labels as a 1-D array of whole numbers, got {got}")
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        span = f"{labels.min()} to {labels.max()}"
        raise ValueError(f"expected labels from 0 to {classes - 1}, got {span}")
    rows = np.zeros((len(labels), classes), dtype)  # (n, K)
    rows[np.arange(len(labels)), labels] = 1
    return rows


def cross_entropy(logits: Array, targets: np.ndarray) -> tuple[float, Array]:
    """Mean cross-entropy between soft or hard targets and the softmax of the logits.

        L = -1/n Σ_i Σ_k t_ik log softmax(z_i)_k         dL/dz = (p Σ_k t_k - t) / n

    With one logit (K = 1) the classes are 0 and 1, p = σ(z) and
    L = 1/n Σ softplus(z) - t z, dL/dz = (σ(z) - t) / n.

    logits : (n, K)
    targets : (n,) whole numbers, or (n, K) probabilities (K = 1: the probability of class 1)
    Returns (L, dL_dlogits (n, K)), L in nats.
    """
    targets = np.asarray(targets)
    _same_rows(logits, targets, hard=True)
    n, classes = logits.shape
    if targets.ndim == 1:
        hard = one_hot(targets, max(classes, 2), logits.dtype)
        targets = hard[:, 1:] if classes == 1 else hard
    targets = targets.astype(logits.dtype, copy=False)  # (n, K)
    if classes == 1:
        value = (softplus(logits) - targets * logits).sum() / n
        return float(value), (sigmoid(logits) - targets) / n
    value = -(targets * log_softmax(logits)).sum() / n
    # Σ_k t_k is 1 for probabilities, (n, 1)
    gradient = (softmax(logits) * targets.sum(axis=1, keepdims=True) - targets) / n
    return float(value), gradient


def squared_error(outputs: Array, targets: np.ndarray) -> tuple[float, Array]:
    """Half the mean squared distance: L = 1/(2n) Σ_i ‖z_i - t_i‖², dL/dz = (z - t) / n.

    outputs, targets : (n, K); targets may be (n,) when K = 1
    """
    targets = np.asarray(targets, dtype=outputs.dtype)
    _same_rows(outputs, targets, hard=False)
    n = len(outputs)
    difference = outputs - targets.reshape(outputs.shape)
    return float((difference**2).sum() / (2 * n)), difference / n


def _same_rows(outputs: Array, targets: np.ndarray, hard: bool) -> None:
    """Targets are (n, K), or (n,) if they are hard labels or K = 1; else a ValueError."""
    if outputs.ndim != 2 or len(outputs) == 0:
        raise ValueError(f"expected outputs (n, K) with at least one row, got {outputs.shape}")
    shapes = [outputs.shape]
    if hard or outputs.shape[1] == 1:
        shapes.append((len(outputs),))
    if targets.shape not in shapes:
        wanted = " or ".join(map(str, shapes))
        raise ValueError(f"expected targets of shape {wanted}, got {targets.shape}")
