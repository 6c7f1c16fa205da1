"""Step 4: the last layer by linear least squares."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.reader import read_finite
from mstheft.direct.box import Box, anywhere
from mstheft.nn import zoo
from mstheft.nn.functions import relu
from mstheft.nn.network import Network
from mstheft.typing import Array, Oracle


def solve_last_layer(
    oracle: Oracle,
    rows: Array,
    offsets: Array,
    points: Array,
    rng: Generator,
    box: Box | None = None,
) -> tuple[Array, Array]:
    """Step 4. A1 and b1 by linear least squares on [relu(A0 x + b0), 1].

    Asked are pairs x_i ± w with x_i a critical point of neuron i and w ~ N(0, I): the neuron is on
    at one of the two, however seldom that happens elsewhere. Rows are weighed by 1 / (1 + |x|).
    Between walls w is as far as the nearest of them, and other rows are all over the box.

    points : (h, d) the critical points x_i
    Returns (K, h), (K,). Costs 2 (h + 1) queries, in a box twice as many.
    """
    if box is None:
        centres = np.vstack([points, np.zeros(rows.shape[1])])
        w = rng.normal(size=centres.shape)
    else:
        centres = np.vstack([points, anywhere(rng, box, len(points) + 1)])
        w = np.minimum(centres - box[0], box[1] - centres) * rng.uniform(-1, 1, centres.shape)
    x, answers = read_finite(oracle, np.concatenate([centres + w, centres - w]))
    hidden = np.hstack([relu(x @ rows.T + offsets), np.ones((len(x), 1))])  # (n, h + 1)
    hidden /= 1 + np.linalg.norm(x, axis=1, keepdims=True)
    answers = answers / (1 + np.linalg.norm(x, axis=1, keepdims=True))
    unit = np.maximum(np.linalg.norm(hidden, axis=0), 1e-300)
    solution = np.linalg.lstsq(hidden / unit, answers, rcond=None)[0] / unit[:, None]
    return solution[:-1].T, solution[-1]


def affine_remainder(
    oracle: Oracle,
    rows: Array,
    offsets: Array,
    outputs: Array,
    rng: Generator,
    box: Box | None = None,
) -> tuple[Array, Array]:
    """Step 4 without the neurons' signs: all are taken as +, and what is left over is affine.

        relu(-y) = relu(y) - y :   f(x) - Σ_i g_i relu(a_i·x + c_i) = M x + m

    Returns M (K, d) and m (K,), for `hyperplanes.with_remainder`. Costs d + 5 queries.
    """
    d = rows.shape[1]
    random = rng.normal(size=(d + 5, d)) if box is None else anywhere(rng, box, d + 5)
    x, answers = read_finite(oracle, random)
    left_over = answers - relu(x @ rows.T + offsets) @ outputs
    affine = np.linalg.lstsq(np.hstack([x, np.ones((len(x), 1))]), left_over, rcond=None)[0]
    return affine[:-1].T, affine[-1]


def assemble(rows: Array, offsets: Array, weights: Array, bias: Array) -> Network:
    """A Network from A0 (h, d), b0 (h,), A1 (K, h), b1 (K,)."""
    return zoo.given([(rows, offsets), (weights, bias)])
