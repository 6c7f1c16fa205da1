"""A student: a network that learns the answers to rows by Adam, some of its layers known already.

train       Adam, in float32, in units in which rows and logits have mean 0 and spread 1
as_network  its weights as a network
logits_of   answers of any kind as logits, to learn from
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mstheft.nn import zoo
from mstheft.nn.fit import fit
from mstheft.nn.functions import logit
from mstheft.nn.gauss_newton import Weights
from mstheft.nn.losses import squared_error
from mstheft.nn.network import Network
from mstheft.nn.optim import Adam
from mstheft.typing import Array

RATE = 3e-3  # of Adam; it falls to 0


@dataclass(frozen=True)
class Units:
    """x = centre + size x',  z = middle + spread z': x' and z' have mean 0 and spread 1."""

    centre: Array
    size: float
    middle: Array
    spread: float

    @classmethod
    def of(cls, x: Array, logits: Array) -> Units:
        """Of these rows and logits."""
        return cls(x.mean(axis=0), x.std() or 1.0, logits.mean(axis=0), logits.std() or 1.0)

    def inner(self, first: Array) -> Array:
        """A first layer [W b] for x' in place of x."""
        W, b = first[:, :-1], first[:, -1:]
        return np.hstack([W * self.size, b + W @ self.centre[:, None]])

    def outer(self, weights: Weights) -> Weights:
        """All layers, from x to z, of a network from x' to z'."""
        W, b = weights[0][:, :-1], weights[0][:, -1:]
        first = np.hstack([W / self.size, b - W @ self.centre[:, None] / self.size])
        last = self.spread * weights[-1]
        last[:, -1] += self.middle
        return [first, *weights[1:-1], last]


def train(
    x: Array,
    logits: Array,
    widths: Sequence[int],
    *,
    epochs: int,
    batch: int,
    rng: np.random.Generator,
    known: Weights | None = None,
) -> Weights:
    """[W b] of each layer of a student that has learned the logits, float64.

    widths : of the hidden layers, two or more layers in all
    known : the first layers, from which they start; the others start at random
    """
    units, known = Units.of(x, logits), known or []
    network = zoo.mlp([x.shape[1], *widths, logits.shape[1]], rng=rng, dtype=np.float32)
    starts = [units.inner(known[0]), *known[1:]] if known else []
    for (W, b), start in zip(network.dense(), starts, strict=False):
        W[...], b[...] = start[:, :-1], start[:, -1]
    fit(
        network,
        (x - units.centre) / units.size,
        ((logits - units.middle) / units.spread).astype(np.float32),
        loss=squared_error,
        rng=rng,
        epochs=epochs,
        batch=batch,
        optimizer=Adam(RATE),
        falling=True,
    )
    return units.outer([np.hstack([W, b[:, None]]).astype(float) for W, b in network.dense()])


def as_network(weights: Weights) -> Network:
    """The ReLU network of these layers [W b], in their precision."""
    return zoo.given([(matrix[:, :-1], matrix[:, -1]) for matrix in weights])


def epochs_of(updates: int, rows: int, batch: int) -> int:
    """Passes over so many rows in which Adam makes so many updates."""
    return math.ceil(updates / math.ceil(rows / batch))


def logits_of(answers: Array, output: str, outputs: int) -> Array:
    """The logits, (n, K), up to their mean; a probability of 0 counts as half the smallest one."""
    values = answers.astype(np.float64)
    if output == "logits":
        return values
    if output == "log_probs":
        values = np.exp(values)
    values = np.maximum(values, values[values > 0].min() / 2)
    if outputs == 1:
        return logit(np.minimum(values[:, -1:], 1 - (1 - values[values < 1].max()) / 2))
    logs = np.log(values)
    return logs - logs.mean(axis=1, keepdims=True)
