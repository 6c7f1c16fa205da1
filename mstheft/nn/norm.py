"""Batch normalisation and dropout: layers that behave differently in training."""

from __future__ import annotations

from typing import Any

import numpy as np

from mstheft.nn.buffers import split
from mstheft.nn.functions import Array
from mstheft.nn.layers import Grads, Layer


class BatchNorm(Layer):
    """Each channel to mean 0 and variance 1 over the batch, then scaled and shifted.

        x̂ = (x - μ) / √(σ² + ε),   out = γ x̂ + β        (Ioffe and Szegedy 2015, algorithm 1)

    In training μ, σ² are those of the batch (over samples and positions) and are followed by
    running means with weight `momentum`; otherwise the running ones are used.
    params : gamma, beta, and the running mean and var, which no optimiser changes
    """

    def __init__(
        self,
        channels: int,
        momentum: float = 0.1,
        epsilon: float = 1e-5,
        *,
        dtype: Any = np.float64,
    ):
        super().__init__()
        self.channels, self.momentum, self.epsilon = channels, momentum, epsilon
        start = {"gamma": 1, "beta": 0, "mean": 0, "var": 1}
        self.params = {name: np.full(channels, value, dtype) for name, value in start.items()}

    def config(self) -> dict[str, Any]:
        """Channels, momentum, ε."""
        return {"channels": self.channels, "momentum": self.momentum, "epsilon": self.epsilon}

    @classmethod
    def shapes(cls, **config: Any) -> dict[str, tuple[int, ...]]:
        """All of them (channels,)."""
        return {name: (config["channels"],) for name in ("gamma", "beta", "mean", "var")}

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The same."""
        if shape[-1] != self.channels:
            raise ValueError(
                f"expected {self.channels} channels for BatchNorm, got shape {shape}; "
                "change channels="
            )
        return shape

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Any]:
        """(..., channels) -> the same shape."""
        flat = x.reshape(-1, self.channels)
        mean, var = self.params["mean"], self.params["var"]
        if train:
            mean = np.full(len(flat), 1 / len(flat), x.dtype) @ flat
        scaled = self.buffers.empty("scaled", flat.shape, x.dtype)
        split(lambda rows: np.subtract(flat[rows], mean, out=scaled[rows]), len(flat), flat.size)
        if train:
            var = column_products(scaled, scaled) / len(flat)
            self._follow(mean, var)
        root = np.sqrt(var + x.dtype.type(self.epsilon))
        out = self.buffers.empty("out", flat.shape, x.dtype)

        def finish(rows: slice) -> None:
            scaled[rows] /= root
            np.multiply(scaled[rows], self.params["gamma"], out=out[rows])
            out[rows] += self.params["beta"]

        split(finish, len(flat), flat.size)
        return out.reshape(x.shape), (scaled, root, train)

    def _follow(self, mean: Array, var: Array) -> None:
        for name, value in (("mean", mean), ("var", var)):
            self.params[name] += self.momentum * (value - self.params[name])

    def backward(self, dout: Array, cache: Any, need_dx: bool = True) -> tuple[Array, Grads]:
        """dx = γ/√(σ²+ε) (dout - mean(dout) - x̂ mean(dout x̂)); no means outside training."""
        scaled, root, train = cache
        flat = dout.reshape(scaled.shape)
        grads = {
            "gamma": column_products(flat, scaled),
            "beta": np.ones(len(flat), dout.dtype) @ flat,
        }
        if not need_dx:
            return dout, grads
        dx = self.buffers.empty("dx", flat.shape, dout.dtype)
        factor = self.params["gamma"] / root
        slope = grads["gamma"] / len(flat) if train else 0 * root
        shift = grads["beta"] / len(flat) if train else 0 * root

        def finish(rows: slice) -> None:
            np.multiply(scaled[rows], -slope, out=dx[rows])
            dx[rows] += flat[rows]
            dx[rows] -= shift
            dx[rows] *= factor

        split(finish, len(flat), flat.size)
        return dx.reshape(dout.shape), grads


def column_products(a: Array, b: Array) -> Array:
    """Σ_n a_nc b_nc for every column c, (m, c), (m, c) -> (c,).

    The diagonal of aᵀ b: BLAS computes all of it faster than a sum down the columns.
    """
    return np.einsum("cc->c", a.T @ b)


class Dropout(Layer):
    """In training each number is 0 with probability `rate` and divided by 1 - rate otherwise."""

    def __init__(self, rate: float = 0.1, *, rng: Any = None):
        super().__init__()
        self.rate = rate
        self.rng = np.random.default_rng(rng)

    def config(self) -> dict[str, Any]:
        """Rate."""
        return {"rate": self.rate}

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Any]:
        """Same shape; unchanged outside of training."""
        if not train or self.rate == 0:
            return x, None
        kept = self.rng.random(x.shape, dtype=np.float32) >= self.rate
        mask = kept * x.dtype.type(1 / (1 - self.rate))
        return x * mask, mask

    def backward(self, dout: Array, cache: Any, need_dx: bool = True) -> tuple[Array, Grads]:
        """The same mask."""
        return (dout if cache is None else dout * cache), {}
