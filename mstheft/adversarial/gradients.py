"""Gradients with respect to the inputs, a bounded number of rows at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from mstheft.nn.bag import BagOfWords
from mstheft.nn.fast.buffers import reused
from mstheft.nn.fast.threads import in_parts
from mstheft.nn.functions import softmax
from mstheft.nn.network import Network
from mstheft.nn.sequence import Embedding
from mstheft.typing import Array

WORK = 1 << 22  # numbers in the widest layer's output for one batch of rows


def batches(network: Network, n: int) -> Iterator[slice]:
    """Slices that cover range(n), each of as many rows as keep all layers' memory small."""
    size = max(1, WORK // network.widest)
    for start in range(0, n, size):
        yield slice(start, start + size)


def reads_words(network: Network) -> bool:
    """Is the input word numbers, which have no gradient?"""
    return isinstance(network.layers[0], Embedding | BagOfWords)


def inputs(network: Network, x: ArrayLike, low: float, high: float) -> Array:
    """Rows x, (n, d) or (n, *shape), as a new (n, d) array of the network's dtype.

    Raises ValueError for a network of word numbers, and for rows outside [low, high].
    """
    if reads_words(network):
        raise ValueError("expected real inputs, got a network of word numbers; use deepfool")
    rows = np.array(x, network.dtype)
    if rows.ndim < 2 or math.prod(rows.shape[1:]) != network.inputs:
        raise ValueError(f"expected rows of {network.inputs} numbers, got shape {rows.shape}")
    if rows.size and not (rows.min() >= low and rows.max() <= high):
        span = f"{rows.min():g} to {rows.max():g}"
        raise ValueError(f"expected inputs from {low:g} to {high:g}, got {span}; set low=, high=")
    return rows.reshape(len(rows), network.inputs)


def classes_of(y: ArrayLike, n: int, outputs: int) -> np.ndarray:
    """y as (n,) whole numbers below the number of classes (2 for one logit), or ValueError."""
    y, classes = np.asarray(y), max(outputs, 2)
    if y.shape != (n,) or y.dtype.kind not in "iu" or (n and not 0 <= y.min() <= y.max() < classes):
        wanted = f"({n},) whole numbers from 0 to {classes - 1}"
        raise ValueError(f"expected y as {wanted}, got shape {y.shape} of {y.dtype}")
    return y.astype(np.int64)


def loss_gradient(network: Network, x: Array, y: np.ndarray) -> Array:
    """Direction in which the cross-entropy of class y grows fastest, up to a factor in each row.

        dL/dz = p - e_y = (1 - p_y) (q - e_y),    q = softmax over the classes other than y

    The factor 1 - p_y rounds to 0 where the network is sure of y, and with it the gradient; its
    direction does not, so the factor is left out. With one logit dL/dz = σ(z) - y ∝ 1 - 2 y.

    x, y : (n, d), (n,) -> (n, d)
    """

    def gradient(x: Array, y: np.ndarray) -> Array:
        with reused():
            logits, caches = network.forward(x.copy())
            return network.to_inputs(_away_from(logits, y), caches).copy()

    parts = [np.empty_like(x[:0])]
    for rows in batches(network, len(x)):
        numbers = len(x[rows]) * network.widest
        parts += in_parts(gradient, x[rows], y[rows], numbers=numbers)
    return np.concatenate(parts)  # (n, d)


def _away_from(logits: Array, y: np.ndarray) -> Array:
    """q - e_y in the docstring above. (n, K), (n,) -> (n, K)."""
    if logits.shape[1] == 1:
        return (1 - 2 * y[:, None]).astype(logits.dtype)
    others = logits.copy()
    np.put_along_axis(others, y[:, None], -np.inf, axis=1)
    seed = softmax(others)  # q, with q_y = 0
    np.put_along_axis(seed, y[:, None], -1, axis=1)
    return seed


def lengths(rows: Array) -> np.ndarray:
    """L2 norm of each row, in float64 so that small float32 numbers do not square to 0. (n,)."""
    flat = rows.reshape(len(rows), math.prod(rows.shape[1:]))
    return np.sqrt(np.einsum("ij,ij->i", flat, flat, dtype=np.float64))
