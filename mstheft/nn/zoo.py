"""Ready-made architectures, untrained: He-initialised weights, zero biases unless asked."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from mstheft.nn.layers import Activation, Dense, Layer
from mstheft.nn.network import Network


def logistic(inputs: int, *, rng: Any = None, dtype: Any = np.float64) -> Network:
    """Logistic regression: one logit w·x + β, P(class 1) = σ(w·x + β)."""
    return mlp([inputs, 1], rng=rng, dtype=dtype)


def softmax(inputs: int, classes: int, *, rng: Any = None, dtype: Any = np.float64) -> Network:
    """Multinomial logistic regression: K logits W x + b."""
    return mlp([inputs, classes], rng=rng, dtype=dtype)


def given(weights: Sequence[tuple[Any, Any]], activation: str = "relu") -> Network:
    """The float64 network with these weights: [(A0, b0), (A1, b1), …], A (out, in) and b (out,)."""
    layers: list[Layer] = []
    for W, b in weights:
        layers += [Activation(activation)] if layers else []
        dense = Dense(np.shape(W)[1], np.shape(W)[0], rng=0)
        dense.params = {"W": np.array(W, float), "b": np.array(b, float)}
        layers.append(dense)
    return Network(layers, np.shape(weights[0][0])[1])


def mlp(
    widths: Sequence[int],
    *,
    activation: str = "relu",
    bias: float = 0.0,
    rng: Any = None,
    dtype: Any = np.float64,
) -> Network:
    """Fully connected network f(x) = A_L σ(… σ(A0 x + b0) …) + b_L.

    widths : [d, h1, …, K]; [784, 64, 10] is the lecture's 784-64-10
    activation : 'relu', 'tanh', 'sigmoid' or 'softplus', after every layer but the last
    bias : standard deviation of the initial biases, N(0, bias²)
    """
    if len(widths) < 2 or any(int(w) != w or w < 1 for w in widths):
        raise ValueError(
            f"expected two or more positive whole widths, got {list(widths)}; "
            "give inputs, hidden layers, outputs such as [784, 64, 10]"
        )
    widths = [int(w) for w in widths]
    rng = np.random.default_rng(rng)
    layers: list[Layer] = []
    for inputs, outputs in itertools.pairwise(widths):
        if layers:
            layers.append(Activation(activation))
        dense = Dense(inputs, outputs, rng=rng, dtype=dtype)
        if bias:
            dense.params["b"] = rng.normal(0, bias, outputs).astype(dtype)
        layers.append(dense)
    return Network(layers, widths[0])
