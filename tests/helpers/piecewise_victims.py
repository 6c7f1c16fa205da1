"""Victims that are piecewise linear without being dense layers with ReLU between them.

Each is a function seed -> a callable (n, d) -> (n, K) of float64 logits: weights of He, biases
N(0, 0.1²). None is a `Network`, so that an attack has nothing but answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mstheft import nn
from mstheft.nn.conv import Conv2D
from mstheft.nn.functions import relu

Answers = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Victim:
    """build : seed -> the callable; d : numbers in an input; shape : of an image, if it is one."""

    build: Callable[[int], Answers]
    d: int
    shape: tuple[int, ...] | None = None


def leaky(z: np.ndarray) -> np.ndarray:
    return np.where(z > 0, z, 0.1 * z)


def pooled(z: np.ndarray, how: Callable[..., np.ndarray]) -> np.ndarray:
    """(n, h, w, c) -> (n, h / 2, w / 2, c), over windows of 2 × 2."""
    n, h, w, c = z.shape
    return how(z.reshape(n, h // 2, 2, w // 2, 2, c), axis=(2, 4))


def dense(*widths: int, seed: int) -> Answers:
    """Dense layers with ReLU between."""
    return nn.zoo.mlp(list(widths), bias=0.1, rng=seed).logits


def hidden(activation: Answers, K: int = 5) -> Victim:
    """20-10-K with another activation."""

    def build(seed: int) -> Answers:
        (A0, b0), (A1, b1) = nn.zoo.mlp([20, 10, K], bias=0.1, rng=seed).dense()
        return lambda x: activation(x @ A0.T + b0) @ A1.T + b1

    return Victim(build, 20)


def skipping(seed: int) -> Answers:
    body, skip = dense(20, 10, 5, seed=seed), dense(20, 5, seed=seed + 1000)
    return lambda x: body(x) + skip(x)


def average_first(seed: int) -> Answers:
    body = dense(16, 10, 5, seed=seed)
    return lambda x: body(pooled(x.reshape(-1, 8, 8, 1), np.mean).reshape(-1, 16))


def max_first(seed: int) -> Answers:
    last = dense(9, 5, seed=seed)
    return lambda x: last(pooled(x.reshape(-1, 6, 6, 1), np.max).reshape(-1, 9))


def maxout(seed: int) -> Answers:
    """The larger of two affine functions, ten times."""
    first, last = dense(20, 20, seed=seed), dense(10, 5, seed=seed + 1000)
    return lambda x: last(first(x).reshape(-1, 10, 2).max(axis=2))


def kernels(
    shape: tuple[int, int, int], filters: int, size: int, stride: int, padding: str, seed: int
) -> Conv2D:
    layer = Conv2D(shape[2], filters, size, stride, padding, rng=seed)
    layer.params["b"] = np.random.default_rng(seed + 500).normal(0, 0.1, filters)
    return layer


def convolution(
    side: int = 6,
    filters: int = 2,
    size: int = 3,
    stride: int = 1,
    padding: str = "valid",
    channels: int = 1,
    K: int = 5,
    widths: Sequence[int] = (),
    activation: Answers = relu,
    pool: Callable[..., np.ndarray] | None = None,
) -> Victim:
    """Convolution, activation, perhaps pooling, dense layers."""
    shape = (side, side, channels)

    def build(seed: int) -> Answers:
        layer = kernels(shape, filters, size, stride, padding, seed)

        def features(x: np.ndarray) -> np.ndarray:
            z = activation(layer.forward(x.reshape(-1, *shape))[0])
            z = z if pool is None else pooled(z, pool)
            return z.reshape(len(x), -1)

        n = features(np.zeros((1, side * side * channels))).shape[1]
        behind = dense(n, *widths, K, seed=seed + 1000)
        return lambda x: behind(features(x))

    return Victim(build, side * side * channels, shape)


ONE_LAYER = {
    "leaky ReLU, 20-10-5": hidden(leaky),
    "leaky ReLU, 20-10-1": hidden(leaky, K=1),
    "ReLU6, 20-10-5": hidden(lambda z: np.clip(z, 0, 6)),
    "hard tanh, 20-10-5": hidden(lambda z: np.clip(z, -1, 1)),
    "skip connection, 20-10-5": Victim(skipping, 20),
    "largest of two (maxout), 20-10-5": Victim(maxout, 20),
    "average pooling, 16-10-5": Victim(average_first, 64),
    "convolution, ReLU, dense": convolution(),
    "convolution with padding, ReLU, dense": convolution(padding="same"),
    "convolution with stride 2, ReLU, dense": convolution(side=8, stride=2),
    "convolution, leaky ReLU, dense": convolution(activation=leaky),
    "convolution, ReLU, average pooling, dense": convolution(pool=np.mean),
    "the same, one output": convolution(pool=np.mean, K=1),
}
DEEPER = {
    "convolution of 1 filter, ReLU, dense, ReLU, dense": convolution(filters=1, widths=(8,), K=4),
    "convolution of 2 filters, ReLU, dense, ReLU, dense": convolution(widths=(8,), K=4),
}
MAX_POOLING = {
    "max-pooling, dense": Victim(max_first, 36),
    "convolution, ReLU, max-pooling, dense": convolution(pool=np.max),
}
