"""What stands for networks and oracles in the cases: nothing but their weights and NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "sigmoid": lambda z: _sigmoid(z),
    "softplus": lambda z: np.logaddexp(z, 0),
}


class Victim:
    """f(x) = A_L σ(… σ(A0 x + b0) …) + b_L, to be looked into as a network or asked as an oracle.

    weights : [(A0, b0), (A1, b1), …], A (out, in) and b (out,)
    activation : 'relu', 'tanh', 'sigmoid' or 'softplus', between all layers
    output : what `query` tells: 'logits', 'log_probs', 'probs' or 'label'; with one output, K = 1,
        the classes are 0 and 1 and the probability told is that of class 1
    count : rows asked of `query` so far

    `mstheft.Network` and `mstheft.Oracle` are called the same way.
    """

    decimals = None

    def __init__(
        self, weights: list[tuple[Any, Any]], activation: str = "relu", output: str = "logits"
    ):
        self.weights, self.activation, self.output, self.count = weights, activation, output, 0
        self.inputs, self.outputs = weights[0][0].shape[1], len(weights[-1][1])

    def dense(self) -> list[tuple[Any, Any]]:
        """[(A0, b0), (A1, b1), …]."""
        return self.weights

    def logits(self, x: Any) -> Any:
        """(n, d) -> (n, K)."""
        for depth, (weight, bias) in enumerate(self.weights):
            x = ACTIVATIONS[self.activation](x) if depth else np.asarray(x, float)
            x = x @ weight.T + bias
        return x

    def log_probs(self, x: Any) -> Any:
        """(n, d) -> (n, K) log-softmax; with K = 1, (n, 2): ln(1 - p), ln p."""
        z = self.logits(x)
        pair = np.hstack([np.zeros_like(z), z]) if self.outputs == 1 else z
        return pair - np.logaddexp.reduce(pair, axis=1, keepdims=True)

    def probs(self, x: Any) -> Any:
        """(n, d) -> (n, K) softmax; with K = 1, (n, 1) sigmoid."""
        return _sigmoid(self.logits(x)) if self.outputs == 1 else np.exp(self.log_probs(x))

    def labels(self, x: Any) -> Any:
        """(n, d) -> (n,) the most likely class; with K = 1, 1 where the logit is positive."""
        z = self.logits(x)
        return (z[:, 0] > 0).astype(int) if self.outputs == 1 else z.argmax(axis=1)

    def query(self, x: Any) -> Any:
        """(n, d) -> what the oracle tells, one row of it per row."""
        self.count += len(x)
        told = {
            "logits": self.logits,
            "log_probs": self.log_probs,
            "probs": self.probs,
            "label": self.labels,
        }
        return told[self.output](x)

    __call__ = query


def _sigmoid(z: Any) -> Any:
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, small) / (1 + small)
