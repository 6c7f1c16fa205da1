"""How noisy are given answers? No queries here; `answers.reader` asks, and measures the rest.

    lattice       on which grid do the answers lie: decimals, bfloat16, float16, float32?
    arithmetic    what rounding inside a network of such weights does to its answers

An answer is the exact one plus noise of standard deviation σ:

    σ² = u² / 12 + jitter²,    u the spacing of the grid at that answer
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mstheft.nn import gauss_newton
from mstheft.nn.network import Network
from mstheft.typing import Array

BITS = {"bfloat16": (7, -126), "float16": (10, -14), "float32": (23, -126), "float64": (52, -1022)}
"""Of each format: bits after the leading 1 of a number, and the exponent of the smallest normal."""

MOST_DECIMALS = 12
THIRD = np.sqrt(20.0)  # a third difference of independent noise σ is √(1 + 9 + 9 + 1) σ


@dataclass(frozen=True)
class Noise:
    """What stands between the victim's function and its answers.

    kind : 'decimals', 'bfloat16', 'float16', 'float32', 'float64', 'stochastic', or 'given' for a σ
        that `polish` was given
    decimals : how many, for 'decimals'
    jitter : standard deviation of what is no rounding of the answer itself, answer units:
        arithmetic inside the victim, or chance
    """

    kind: str
    decimals: int | None = None
    jitter: float = 0.0

    def __str__(self) -> str:
        grid = f"{self.decimals} decimals" if self.kind == "decimals" else self.kind
        return f"{grid}, jitter {self.jitter:.1e}" if self.jitter else grid

    @property
    def is_relative(self) -> bool:
        """Is the grid that of a floating point format, finer near 0?"""
        return self.kind in BITS

    def spacing(self, answers: Array) -> Array:
        """u, the distance of neighbours on the grid, at each answer."""
        if self.kind == "decimals":
            return np.full(np.shape(answers), 10.0 ** -(self.decimals or 0))
        if self.kind == "stochastic":
            return np.zeros(np.shape(answers))
        return float_spacing(answers, self.kind)

    def of(self, answers: Array) -> Array:
        """σ of each answer, same shape."""
        return np.hypot(self.spacing(answers) / np.sqrt(12), self.jitter)


def float_spacing(values: Array, kind: str) -> Array:
    """2^(exponent - bits): the distance to the next number of that format."""
    bits, smallest = BITS[kind]
    exponent = np.frexp(np.asarray(values, np.float64))[1] - 1
    exponent = np.where(np.asarray(values) == 0, smallest, np.maximum(exponent, smallest))
    return np.ldexp(1.0, exponent - bits)


def lattice(answers: Array) -> Noise:
    """The coarsest grid on which all of the finite answers lie; 'float64' if no coarser one.

    Every bfloat16 has finitely many decimals, and every whole number is a bfloat16: of the grids
    that hold all answers, the one with the widest spacing at them is the one that made them.
    Zeros and ones lie on every grid and tell nothing.
    """
    values = np.asarray(answers, np.float64)
    values = values[np.isfinite(values) & (values != 0) & (np.abs(values) != 1)]
    if not values.size:
        return Noise("float64")
    fitting = [Noise(kind) for kind in BITS if np.all(values % float_spacing(values, kind) == 0)]
    fitting += _decimals(values, np.asarray(answers).dtype)
    return max(fitting, key=lambda noise: np.mean(noise.spacing(values)), default=Noise("float64"))


def _decimals(values: Array, dtype: np.dtype) -> list[Noise]:
    """The least k for which every value is its own rounding to k decimals, if there is one.

    0.12 in float32 is 0.119999997: what the format itself cannot hold is no evidence against k.
    Where the format is not much finer than the k-th decimal, every value would pass.
    """
    held = float_spacing(values, "float32" if dtype == np.float32 else "float64")
    for k in range(MOST_DECIMALS + 1):
        if np.any(10.0**-k < 16 * held):
            return []
        if np.all(np.abs(np.round(values, k) - values) <= held):
            return [Noise("decimals", k)]
    return []


def arithmetic(copy: Network, x: Array, kind: str) -> float:
    """Root mean square of what rounding inside a network does to its logits. No queries.

    The copy answers in float64 and in coarser arithmetic; a victim of about the same weights loses
    as much. For answers in float32 that arithmetic is float32; for a format of 16 bits the hidden
    neurons are rounded to it as well, as where a whole network is of that format; for others it is
    float64, which keeps 2²⁹ times more than float32.
    """
    double = Network(copy.copy().layers, copy.shape, np.float64).logits(x)
    if kind in ("float16", "bfloat16"):
        return rms(_rounded_inside(copy, x, kind) - double)
    single = Network(copy.copy().layers, copy.shape, np.float32).logits(x)
    return rms(single - double) * (1.0 if kind == "float32" else 2.0**-29)


def _rounded_inside(copy: Network, x: Array, kind: str) -> Array:
    """The logits (n, K) where every hidden neuron is rounded to that format."""
    weights, activations = gauss_newton.chain(copy)
    z = gauss_newton.with_ones(np.asarray(x).reshape(len(x), -1)) @ weights[0].T
    for name, matrix in zip(activations, weights[1:], strict=True):
        spacing = float_spacing(z, kind)
        a = gauss_newton.activation(name)[0](np.round(z / spacing) * spacing)
        z = gauss_newton.with_ones(a) @ matrix.T
    return z


def rms(values: Array) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))
