"""Gradients with respect to the inputs, a bounded number of rows at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from mstheft.nn.buffers import pieces, reused
from mstheft.nn.conv import Conv2D
from mstheft.nn.functions import Array, softmax
from mstheft.nn.network import Network
from mstheft.nn.parallel import in_parts
from mstheft.nn.sequence import Embedding

WORK = 1 << 22  # numbers in the widest layer's output for one batch of rows


def batches(network: Network, n: int) -> Iterator[slice]:
    """Slices that cover range(n), each of as many rows as keep all layers' memory small."""
    size = max(1, WORK // network.widest)
    for start in range(0, n, size):
        yield slice(start, start + size)


def reads_words(network: Network) -> bool:
    """Is the input word numbers, which have no gradient?"""
    return isinstance(network.layers[0], Embedding)


def inputs(network: Network, x: Any, low: float, high: float) -> Array:
    """Rows x, (n, d) or (n, *shape), as a new (n, d) array of the network's dtype.

    Raises ValueError for a network of word numbers, and for rows outside [low, high].
    """
    if reads_words(network):
        raise ValueError(
            "expected a network of real inputs, got one that begins with an Embedding: word "
            "numbers have no gradient; deepfool works on the embedded text instead"
        )
    rows = np.array(x, network.dtype)
    if rows.ndim < 2 or math.prod(rows.shape[1:]) != network.inputs:
        raise ValueError(
            f"expected rows of {network.inputs} numbers, got shape {rows.shape}; a single input "
            "goes in as x[None]"
        )
    if rows.size and not (rows.min() >= low and rows.max() <= high):
        raise ValueError(
            f"expected inputs from {low:g} to {high:g}, got {rows.min():g} to {rows.max():g}; "
            "scale them or say low= and high="
        )
    return rows.reshape(len(rows), network.inputs)


def classes_of(y: Any, n: int, outputs: int) -> np.ndarray:
    """y as (n,) whole numbers below the number of classes (2 for one logit), or ValueError."""
    y, classes = np.asarray(y), max(outputs, 2)
    if y.shape != (n,) or y.dtype.kind not in "iu" or (n and not 0 <= y.min() <= y.max() < classes):
        raise ValueError(
            f"expected y as ({n},) whole numbers from 0 to {classes - 1}, got shape {y.shape} of "
            f"{y.dtype}; give one class per row"
        )
    return y.astype(np.int64)


def input_gradient(network: Network, dlogits: Array, caches: list[Any]) -> Array:
    """The backward pass to the inputs alone: (n, K) and `network.forward`'s caches -> (n, d).

    As `network.backward`, but convolutions leave out dL/dW, which takes half of their time and
    which nobody reads here.
    """
    for layer, cache in zip(network.layers[::-1], caches[::-1], strict=True):
        if isinstance(layer, Conv2D):
            dlogits = conv_input_gradient(layer, dlogits, cache.shape)
        else:
            dlogits, _ = layer.backward(dlogits, cache)
    return dlogits.reshape(len(dlogits), -1)


def conv_input_gradient(layer: Conv2D, dout: Array, shape: tuple[int, ...]) -> Array:
    """dL/dx of a convolution, window place by window place, for inputs x of a shape (n, h, w, c).

    dL/dx[n, s y + i - p, s z + j - p, c] += Σ_f dL/dout[n, y, z, f] W[f, i, j, c]
    """
    (n, h, w, c), (oh, ow) = shape, dout.shape[1:3]
    k, s, p = layer.size, layer.stride, layer.pad
    dx = np.empty(shape, dout.dtype)
    for rows in pieces(n, dout.size):
        flat = dout[rows].reshape(-1, layer.filters)
        framed = np.zeros((len(dx[rows]), h + 2 * p, w + 2 * p, c), dout.dtype)
        for i in range(k):
            for j in range(k):
                part = flat @ layer.params["W"][:, i, j]
                framed[:, i : i + s * oh : s, j : j + s * ow : s] += part.reshape(-1, oh, ow, c)
        dx[rows] = framed[:, p : p + h, p : p + w]
    return dx


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
            return input_gradient(network, _away_from(logits, y), caches).copy()

    found = [np.empty_like(x[:0])]
    for rows in batches(network, len(x)):
        numbers = len(x[rows]) * network.widest
        found += in_parts(gradient, x[rows], y[rows], numbers=numbers)
    return np.concatenate(found)


def _away_from(logits: Array, y: np.ndarray) -> Array:
    """q - e_y in the docstring above. (n, K), (n,) -> (n, K)."""
    if logits.shape[1] == 1:
        return (1 - 2 * y[:, None]).astype(logits.dtype)
    others = logits.copy()
    np.put_along_axis(others, y[:, None], -np.inf, axis=1)
    seed = softmax(others)
    np.put_along_axis(seed, y[:, None], -1, axis=1)
    return seed


def lengths(rows: Array) -> np.ndarray:
    """L2 norm of each row, in float64 so that small float32 numbers do not square to 0. (n,)."""
    flat = rows.reshape(len(rows), math.prod(rows.shape[1:]))
    return np.sqrt(np.einsum("ij,ij->i", flat, flat, dtype=np.float64))
