"""Batch normalisation and dropout: layers that behave differently in training."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import DTypeLike

from mstheft.nn.fast.buffers import pieces, reusing
from mstheft.nn.fast.threads import part, summed
from mstheft.nn.layers import Grads, Layer, Shape
from mstheft.typing import Array, Rng

NormCache = tuple[Array, Array, Array, bool]  # x as (n, ...·c), mean and √(σ² + ε) (c,), training?


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
        dtype: DTypeLike = float,
    ):
        super().__init__()
        self.channels, self.momentum, self.epsilon = channels, momentum, epsilon
        start = {"gamma": 1, "beta": 0, "mean": 0, "var": 1}
        self.params = {name: np.full(channels, value, dtype) for name, value in start.items()}

    @classmethod
    def shapes(cls, channels: int, momentum: float, epsilon: float) -> dict[str, Shape]:
        """All of them (channels,)."""
        return {name: (channels,) for name in ("gamma", "beta", "mean", "var")}

    def out_shape(self, shape: Shape) -> Shape:
        """The same."""
        fits = shape[-1] == self.channels
        self.check_shape(fits, f"{self.channels} channels", shape, "change channels=")
        return shape

    def forward(self, x: Array, train: bool = False) -> tuple[Array, NormCache]:
        """(..., channels) -> the same shape, as x · γ/√(σ² + ε) + (β - μ γ/√(σ² + ε))."""
        wide, mean, var = self._wide(x), self.params["mean"], self.params["var"]  # (n, ...·c)
        if train:
            mean, var = self._statistics(wide)
            self._follow(mean, var)
        root = np.sqrt(var + x.dtype.type(self.epsilon))
        factor = self.params["gamma"] / root  # (c,)
        shift = self._repeat(self.params["beta"] - mean * factor, wide)
        factor = self._repeat(factor, wide)  # (...·c,)
        out = self.buffers.empty("out", wide.shape, x.dtype)
        for rows in pieces(len(wide), wide.size):
            np.multiply(wide[rows], factor, out=out[rows])
            out[rows] += shift
        return out.reshape(x.shape), (wide, mean, root, train)

    def _statistics(self, wide: Array) -> tuple[Array, Array]:
        """Mean and variance of every channel over the whole batch, in one pass over x.

        With e = x - a, a the first sample's mean, so that no digits are lost where μ is large:
        μ = a + mean(e),  N σ² = Σ (e - (μ - a))² = Σ e² - 2 (μ - a) Σ e + N (μ - a)²
        """
        near = self._flat(wide[:1]).mean(axis=0)
        repeated, sums, squares = self._repeat(near, wide), 0 * near, 0 * near
        for rows in pieces(len(wide), wide.size):
            away = self._flat(wide[rows] - repeated)
            sums += column_sums(away)
            squares += column_products(away, away)
        own = wide.dtype.type(wide.size // self.channels)
        count = summed(own)  # N, of all threads that share the batch
        mean = summed(sums + own * near) / count
        off = mean - near  # μ - a
        return mean, summed(squares - 2 * off * sums + own * off * off) / count

    def _flat(self, wide: Array) -> Array:
        """(n, ...·c) -> (n·..., c)."""
        return wide.reshape(-1, self.channels)

    def _wide(self, x: Array) -> Array:
        """(n, ..., c) -> (n, ...·c): long rows are worked on faster than short ones."""
        return x.reshape(len(x), math.prod(x.shape[1:]))

    def _repeat(self, values: Array, wide: Array) -> Array:
        """One number per channel, (c,), repeated along such a row: (...·c,)."""
        return np.tile(values, wide.shape[1] // self.channels)

    def _follow(self, mean: Array, var: Array) -> None:
        if part() > 0:
            return  # part 0 does it once for the whole batch
        for name, value in (("mean", mean), ("var", var)):
            self.params[name] += self.momentum * (value - self.params[name])

    def backward(self, dout: Array, cache: NormCache, need_dx: bool = True) -> tuple[Array, Grads]:
        """dx = γ/√(σ²+ε) (dout - mean(dout) - x̂ mean(dout x̂)); no means outside training."""
        x, mean, root, train = cache
        wide, repeated = self._wide(dout), self._repeat(mean, x)
        gamma, beta = np.zeros_like(root), np.zeros_like(root)
        for rows in pieces(len(wide), wide.size):
            flat = self._flat(wide[rows])
            gamma += column_products(self._flat(x[rows] - repeated), flat)
            beta += column_sums(flat)
        grads = {"gamma": gamma / root, "beta": beta}
        if not need_dx:
            return dout, grads
        # dx = factor ∘ dout + slope ∘ x + shift, each (c,)
        factor: Array = self.params["gamma"] / root
        slope: Array = 0 * root
        shift: Array = 0 * root
        if train:  # the means depend on x too
            share = factor / summed(dout.dtype.type(dout.size // self.channels))
            slope = -share * summed(grads["gamma"]) / root
            shift = -share * summed(grads["beta"]) - slope * mean
        factor, slope, shift = (self._repeat(v, wide) for v in (factor, slope, shift))
        dx = wide if reusing() else np.empty_like(wide)
        for rows in pieces(len(wide), wide.size):
            np.multiply(wide[rows], factor, out=dx[rows])
            dx[rows] += x[rows] * slope
            dx[rows] += shift
        return dx.reshape(dout.shape), grads


def column_sums(a: Array) -> Array:
    """Σ_n a_nc for every column c, (m, c) -> (c,): as a product, which is faster than a sum."""
    return np.ones(len(a), a.dtype) @ a


def column_products(a: Array, b: Array) -> Array:
    """Σ_n a_nc b_nc for every column c, (m, c), (m, c) -> (c,); uses up the first."""
    return column_sums(np.multiply(a, b, out=a))


class Dropout(Layer):
    """In training each number is 0 with probability `rate` and divided by 1 - rate otherwise."""

    def __init__(self, rate: float = 0.1, *, rng: Rng = None):
        super().__init__()
        self.rate = rate
        if not 0 <= rate < 1:
            raise ValueError(f"expected rate= from 0 to below 1, got {rate}")
        self.rng = np.random.default_rng(rng)
        self._seed = int(self.rng.integers(1 << 63))
        self._others: dict[int, np.random.Generator] = {}

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Array | None]:
        """Same shape; unchanged outside of training."""
        if not train or self.rate == 0:
            return x, None
        survives = self._generator().random(x.shape, dtype=np.float32) >= self.rate
        mask = survives * x.dtype.type(1 / (1 - self.rate))
        return x * mask, mask

    def _generator(self) -> np.random.Generator:
        """Of this part of the batch: threads that drew from one would do so in a random order."""
        if part() == 0:
            return self.rng
        if part() not in self._others:
            self._others[part()] = np.random.default_rng([self._seed, part()])
        return self._others[part()]

    def backward(
        self, dout: Array, cache: Array | None, need_dx: bool = True
    ) -> tuple[Array, Grads]:
        """The same mask."""
        return (dout if cache is None else dout * cache), {}
