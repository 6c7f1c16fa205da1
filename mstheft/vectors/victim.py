"""The networks and oracles of the cases: nothing but weights and NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from mstheft.typing import Array

Weights = list[tuple[Array, Array]]  # [(A0, b0), (A1, b1), …]


def _sigmoid(z: Array) -> Array:
    small = np.exp(-np.abs(z))  # never overflows
    return np.where(z >= 0, 1, small) / (1 + small)


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "softplus": lambda z: np.logaddexp(z, 0),
}


class Victim:
    """f(x) = A_L σ(… σ(A0 x + b0) …) + b_L: a network whose weights show, and an oracle to query.

    weights : [(A0, b0), (A1, b1), …], A (out, in) and b (out,)
    activation : 'relu', 'tanh', 'sigmoid' or 'softplus', between all layers
    output : what `query` answers: 'logits', 'log_probs', 'probs' or 'label'. With one output,
        K = 1, the classes are 0 and 1, and 'probs' is the probability of class 1
    count : rows given to `query` so far

    The methods are called like those of `mstheft.Network` and `mstheft.Oracle`.
    """

    decimals = None

    def __init__(self, weights: Weights, activation: str = "relu", output: str = "logits"):
        self.weights, self.activation, self.output, self.count = weights, activation, output, 0
        self.inputs, self.outputs = weights[0][0].shape[1], len(weights[-1][1])

    def dense(self) -> Weights:
        """[(A0, b0), (A1, b1), …]."""
        return self.weights

    def logits(self, x: ArrayLike) -> Array:
        """(n, d) -> (n, K)."""
        values = np.asarray(x, float)
        for depth, (weight, bias) in enumerate(self.weights):
            values = ACTIVATIONS[self.activation](values) if depth else values
            values = values @ weight.T + bias  # (n, in) -> (n, out)
        return values

    def log_probs(self, x: ArrayLike) -> Array:
        """(n, d) -> (n, K) log-softmax; with K = 1, (n, 2): ln(1 - p), ln p."""
        z = self.logits(x)
        pair = np.hstack([np.zeros_like(z), z]) if self.outputs == 1 else z  # σ(z) = softmax(0, z)
        return pair - np.logaddexp.reduce(pair, axis=1, keepdims=True)

    def probs(self, x: ArrayLike) -> Array:
        """(n, d) -> (n, K) softmax; with K = 1, (n, 1) sigmoid."""
        return _sigmoid(self.logits(x)) if self.outputs == 1 else np.exp(self.log_probs(x))

    def labels(self, x: ArrayLike) -> Array:
        """(n, d) -> (n,) the most likely class; with K = 1, 1 where the logit is positive."""
        z = self.logits(x)
        return (z[:, 0] > 0).astype(int) if self.outputs == 1 else z.argmax(axis=1)

    def query(self, x: ArrayLike) -> Array:
        """(n, d) -> the answers of the oracle, one for each row."""
        self.count += len(np.asarray(x))
        answers: Array = getattr(self, self.output.replace("label", "labels"))(x)
        return answers

    __call__ = query
