"""Optimisers: `step(params, grads)` changes the parameters in place."""

from __future__ import annotations

import numpy as np

from mstheft.nn.fast.buffers import pieces
from mstheft.typing import Array

Arrays = dict[str, Array]


class SGD:
    """Stochastic gradient descent with momentum: v ← μ v - η g, θ ← θ + v.

    rate : η, the learning rate
    momentum : μ
    """

    def __init__(self, rate: float = 0.1, momentum: float = 0.9):
        self.rate, self.momentum = rate, momentum
        self._velocity: Arrays = {}

    def step(self, params: Arrays, grads: Arrays) -> None:
        """One update of every parameter that has a gradient."""
        for name, gradient in grads.items():
            if name not in self._velocity:
                self._velocity[name] = np.zeros_like(params[name])
            velocity = self._velocity[name]
            velocity *= self.momentum
            velocity -= self.rate * gradient
            params[name] += velocity


class Adam:
    """Adam: m ← β1 m + (1-β1) g, v ← β2 v + (1-β2) g², θ ← θ - η m̂ / (√v̂ + ε).

    m̂ and v̂ are m and v divided by 1 - β^t, which removes their start at zero.
    Source: Kingma and Ba 2015, algorithm 1.
    """

    def __init__(
        self, rate: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
    ):
        self.rate, self.beta1, self.beta2, self.epsilon = rate, beta1, beta2, epsilon
        self._moments: dict[str, tuple[Array, ...]] = {}
        self._steps = 0

    def step(self, params: Arrays, grads: Arrays) -> None:
        """One update of every parameter that has a gradient."""
        self._steps += 1
        for name, gradient in grads.items():
            if name not in self._moments:
                self._moments[name] = tuple(np.zeros_like(gradient) for _ in range(3))
            flat = [a.reshape(-1) for a in (params[name], gradient, *self._moments[name])]
            for part in pieces(gradient.size, gradient.size):
                self._update(*(array[part] for array in flat))

    def _update(self, param: Array, gradient: Array, m: Array, v: Array, scratch: Array) -> None:
        """The formulas above on one stretch of a parameter, without new memory."""
        fix1, fix2 = 1 - self.beta1**self._steps, 1 - self.beta2**self._steps
        np.subtract(gradient, m, out=scratch)
        scratch *= 1 - self.beta1
        m += scratch  # m + (1 - β1) (g - m)
        np.multiply(gradient, gradient, out=scratch)
        scratch -= v
        scratch *= 1 - self.beta2
        v += scratch  # v + (1 - β2) (g² - v)
        np.multiply(v, 1 / fix2, out=scratch)
        np.sqrt(scratch, out=scratch)
        scratch += self.epsilon  # √v̂ + ε
        np.divide(m, scratch, out=scratch)
        scratch *= self.rate / fix1
        param -= scratch
