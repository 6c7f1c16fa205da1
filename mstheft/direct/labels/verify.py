"""Fresh labels, far from the copy's boundary and close beside it."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from mstheft.nn import Network
from mstheft.typing import Array, Oracle

FAR, NEAR = 3000, 500  # rows
HALVINGS = 60


def beside_the_boundary(model: Network, x: Array, margin: float) -> tuple[Array, np.ndarray]:
    """Rows on both sides of the copy's boundary, and the copy's labels there. No queries.

    Segments between the rows x (n, d) whose labels differ are halved until they are a point p;
    then p ± margin v, v along the copy's gradient.
    Returns at most (n, d), and their labels.
    """
    labels = model.labels(x)
    first, last = x[: len(x) // 2], x[len(x) // 2 : 2 * (len(x) // 2)]
    differ = labels[: len(first)] != model.labels(last)
    low, high, mine = first[differ], last[differ], labels[: len(first)][differ]
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        same = (model.labels(middle) == mine)[:, None]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    across = normals_of(model, low, high, mine, model.labels(high))
    rows = np.concatenate([low + margin * across, low - margin * across])
    return rows, model.labels(rows)


def normals_of(model: Network, low: Array, high: Array, a: np.ndarray, b: np.ndarray) -> Array:
    """Unit gradients of the logit of a less that of b, (n, d), on the side where it is steeper.

    A single logit has its own. Where all neurons are off one side is level.
    """
    (a0, b0), (a1, _) = model.dense()
    apart = a1[a] - a1[b] if len(a1) > 1 else (a - b)[:, None] * a1
    sides = [(apart * (x @ a0.T + b0 > 0)) @ a0 for x in (low, high)]
    lengths = [np.linalg.norm(each, axis=1, keepdims=True) for each in sides]
    g = np.where(lengths[0] >= lengths[1], *sides)
    return g / np.maximum(np.maximum(*lengths), 1e-300)


def fresh_labels(
    oracle: Oracle, model: Network, margin: float, rng: Generator
) -> tuple[tuple[Array, np.ndarray], tuple[Array, np.ndarray]]:
    """Rows of N(0, I) and rows beside the copy's boundary, each with a mask of wrong labels.

    Costs 3,000 queries, and up to 1,000 beside the boundary.
    """
    far = rng.normal(size=(FAR, oracle.inputs))
    near, labels = beside_the_boundary(model, rng.normal(size=(2 * NEAR, oracle.inputs)), margin)
    wrong = oracle.query(far) != model.labels(far)
    if not len(near):
        return (far, wrong), (near, np.zeros(0, bool))
    return (far, wrong), (near, oracle.query(near) != labels)
