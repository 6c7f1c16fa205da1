"""Stage 4 on smooth networks: all parameters at once, in the subspace where the neurons live.

    minimise  Σ_n |A1 σ(B y_n + b) + c - f(y_n)|²      over B (h, h), b (h,), A1 (K, h), c (K,)

by Gauss-Newton (`direct.polish`) from a start that is right to about 1e-5: each step squares the
error, and what is left in the end is the rounding of the answers.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from mstheft.direct.polish import polish
from mstheft.direct.smooth.lines import SmoothNetwork
from mstheft.nn import zoo
from mstheft.typing import Array

WIDTH = 3.0  # standard deviation of z at the points asked: from end to end of every bend
SURPLUS = 1.5  # numbers asked for each unknown


def spread(network: SmoothNetwork, rng: Generator) -> Array:
    """Points y (n, h) at which the z are independent N(0, 3²), with n K 1.5 times the unknowns.

    Independent z keep the columns of the Jacobian apart, which makes the steps cheap to solve.
    """
    outputs, h = network.weights.shape
    n = int(np.ceil(SURPLUS * (h * h + outputs * h + h + outputs) / outputs))
    return places(network, WIDTH * rng.normal(size=(n, h)))


def places(network: SmoothNetwork, z: Array) -> Array:
    """The y at which the neurons have the values z, (n, h) -> (n, h)."""
    return np.linalg.solve(network.rows, (z - network.offsets).T).T


def refine(
    network: SmoothNetwork, y: Array, answers: Array, noise: float
) -> tuple[SmoothNetwork, list[float]]:
    """Gauss-Newton until the misfit is rounding or no longer shrinks. No queries.

    The unknowns are corrections in the coordinates u = rows y + offsets, in which every number
    is of size 1 whatever the victim's inputs are.
    y : (n, h); answers : (n, K); noise : of an answer
    Returns the neurons, and the root mean square of f - answers before and after every step.
    """
    h = len(network.offsets)
    size = max(float(answers.std(axis=0).max()), 1e-300)
    inside = [(np.eye(h), np.zeros(h)), (network.weights / size, network.bias / size)]
    start = zoo.given(inside, network.name)
    polished = polish(start, network.hidden(y), answers / size, noise=noise / size, rng=0)
    (rows, offsets), (weights, bias) = polished.model.dense()
    rows, offsets = rows @ network.rows, rows @ network.offsets + offsets
    misfits = [size * misfit for misfit in polished.misfit]
    return SmoothNetwork(rows, offsets, size * weights, size * bias, network.name), misfits
