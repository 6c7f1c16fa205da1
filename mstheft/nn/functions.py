"""Activations and friends, with their derivatives, stable for inputs of any size.

Every function works on arrays of any shape; the ones over classes work along the last axis, and
there it is the differences between classes that must be finite.
Sources: any textbook; the stable forms are checked against 50-digit arithmetic in the tests.
"""

from __future__ import annotations

import numpy as np

from mstheft.typing import Array


def relu(z: Array) -> Array:
    """max(z, 0), element by element."""
    return np.maximum(z, 0)


def relu_grad(z: Array) -> Array:
    """d relu / dz: 1 where z > 0, else 0.

    At z = 0 there is no derivative; 0 is taken, the left branch of the lecture (`A0 x + b0 ≤ 0`).
    """
    return (np.asarray(z) > 0).astype(np.asarray(z).dtype)


def sigmoid(z: Array) -> Array:
    """1 / (1 + e^-z) = e^z / (1 + e^z); only ever takes exp of a number that is not positive."""
    z = np.asarray(z)
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, small) / (1 + small)


def sigmoid_grad(z: Array) -> Array:
    """σ'(z) = σ(z) σ(-z), which keeps its digits where 1 - σ(z) would round to 0."""
    return sigmoid(z) * sigmoid(-z)


def tanh(z: Array) -> Array:
    """Hyperbolic tangent."""
    return np.tanh(z)


def tanh_grad(z: Array) -> Array:
    """tanh'(z) = 1 / cosh² z, which keeps its digits where 1 - tanh² rounds to 0.

    1 / cosh z = 2 s / (1 + s²) with s = e^-|z|, which neither overflows nor cancels.
    """
    small = np.exp(-np.abs(z))
    return (2 * small / (1 + small * small)) ** 2


def softplus(z: Array) -> Array:
    """ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|)."""
    z = np.asarray(z)
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def softplus_grad(z: Array) -> Array:
    """d softplus / dz = σ(z)."""
    return sigmoid(z)


def log_softmax(z: Array) -> Array:
    """z_k - ln Σ_j e^{z_j} along the last axis, shifted by max z so that exp cannot overflow.

    The largest adds e^0 = 1 to the sum: ln(1 + the others) keeps the digits of a log p near 0.
    """
    z = np.asarray(z)
    largest = z.argmax(axis=-1, keepdims=True)  # (…, 1)
    shifted = z - np.take_along_axis(z, largest, axis=-1)
    others = np.exp(shifted)
    np.put_along_axis(others, largest, 0, axis=-1)  # its e^0 is the 1 of log1p
    return shifted - np.log1p(others.sum(axis=-1, keepdims=True))


def softmax(z: Array) -> Array:
    """e^{z_k} / Σ_j e^{z_j} along the last axis; rows sum to 1."""
    z = np.asarray(z)
    weights = np.exp(z - z.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def softmax_grad(z: Array, dout: Array) -> Array:
    """Backward pass of softmax: dL/dz = p ∘ (dout - <dout, p>), for dout = dL/dp. Shapes (…, K)."""
    p = softmax(z)
    return p * (dout - (dout * p).sum(axis=-1, keepdims=True))


def log_softmax_grad(z: Array, dout: Array) -> Array:
    """Backward pass of log-softmax: dL/dz = dout - p Σ dout, for dout = dL/d log p. (…, K)."""
    return dout - softmax(z) * dout.sum(axis=-1, keepdims=True)


def logit(p: Array) -> Array:
    """ln(p / (1 - p)), the inverse of the sigmoid; -inf at 0, inf at 1, NaN outside.

    Its error is δp / (p (1 - p)): a probability near 0 or 1 is a poor witness of the logit.
    """
    p = np.asarray(p)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(p) - np.log1p(-p)


def logit_grad(p: Array) -> Array:
    """d logit / dp = 1 / (p (1 - p)); infinite at 0 and 1."""
    p = np.asarray(p)
    with np.errstate(divide="ignore", over="ignore"):
        return 1 / (p * (1 - p))


def entropy(p: Array) -> Array:
    """H = -Σ_k p_k ln p_k along the last axis, in nats, with 0 ln 0 = 0. (…, K) -> (…)."""
    p = np.asarray(p)
    return -(p * np.log(np.where(p > 0, p, 1))).sum(axis=-1)


def entropy_grad(p: Array) -> Array:
    """dH/dp_k = -(ln p_k + 1), the derivative with the p_k taken as free; infinite at 0."""
    with np.errstate(divide="ignore"):
        return -(np.log(np.asarray(p)) + 1)
