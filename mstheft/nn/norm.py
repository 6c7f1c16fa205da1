"""Batch normalisation and dropout: layers that behave differently in training."""

from __future__ import annotations

from typing import Any

import numpy as np

from mstheft.nn.buffers import pieces
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
        wide, (mean, var) = self._wide(x), (self.params["mean"], self.params["var"])
        scaled = self.buffers.empty("scaled", wide.shape, x.dtype)
        flat = scaled.reshape(-1, self.channels)
        if train:
            mean = np.full(len(flat), 1 / len(flat), x.dtype) @ x.reshape(flat.shape)
        for rows in pieces(len(wide), wide.size):
            np.subtract(wide[rows], self._repeat(mean, wide), out=scaled[rows])
        if train:
            var = column_products(flat, flat) / len(flat)
            self._follow(mean, var)
        root = np.sqrt(var + x.dtype.type(self.epsilon))
        out = self.buffers.empty("out", wide.shape, x.dtype)
        inverse, gamma = self._repeat(1 / root, wide), self._repeat(self.params["gamma"], wide)
        beta = self._repeat(self.params["beta"], wide)
        for rows in pieces(len(wide), wide.size):
            scaled[rows] *= inverse
            np.multiply(scaled[rows], gamma, out=out[rows])
            out[rows] += beta
        return out.reshape(x.shape), (scaled, root, train)

    def _wide(self, x: Array) -> Array:
        """x with a sample in each row: long rows are worked on faster than short ones."""
        return x.reshape(len(x), -1)

    def _repeat(self, values: Array, wide: Array) -> Array:
        """One number per channel, repeated along such a row."""
        return np.tile(values, wide.shape[1] // self.channels)

    def _follow(self, mean: Array, var: Array) -> None:
        for name, value in (("mean", mean), ("var", var)):
            self.params[name] += self.momentum * (value - self.params[name])

    def backward(self, dout: Array, cache: Any, need_dx: bool = True) -> tuple[Array, Grads]:
        """dx = γ/√(σ²+ε) (dout - mean(dout) - x̂ mean(dout x̂)); no means outside training."""
        scaled, root, train = cache
        wide = self._wide(dout)
        flat, normal = dout.reshape(-1, self.channels), scaled.reshape(-1, self.channels)
        grads = {
            "gamma": column_products(flat, normal),
            "beta": np.ones(len(flat), dout.dtype) @ flat,
        }
        if not need_dx:
            return dout, grads
        dx = self.buffers.empty("dx", wide.shape, dout.dtype)
        share = (1 / len(flat) if train else 0.0) * self.params["gamma"] / root
        factor = self._repeat(self.params["gamma"] / root, wide)
        slope, shift = (self._repeat(grads[n] * share, wide) for n in ("gamma", "beta"))
        for rows in pieces(len(wide), wide.size):
            np.multiply(scaled[rows], -slope, out=dx[rows])
            dx[rows] += wide[rows] * factor
            dx[rows] -= shift
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
