"""Stage 5 on smooth networks: from the subspace to all inputs, one direction at a time.

    f(x_p + c q) = A1 σ(z_p + c a) + b1,      a = A0 q,      p = 1 … m

Inside the subspace everything is known: z_p, A1, b1. For a direction q across it, each point x_p
gives K equations for the h numbers a, and h / K points give a. The model is exact at any step c, so
that c is as large as the bends allow and the rounding of an answer costs next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mstheft import progress
from mstheft.direct.smooth.fit import places
from mstheft.direct.smooth.lines import Neurons
from mstheft.direct.smooth.subspace import Subspace, ask
from mstheft.errors import ExtractionError
from mstheft.typing import Array, Oracle

MORE = 1  # points beyond the h / K that the unknowns need
DRAWS = 50  # choices of the points, of which the best conditioned is taken
ASIDE = 4.0  # |z| at which a neuron is parked while others are looked at
MOVE = 0.1  # by how much a step moves a typical z
ROUNDS = 60  # corrections of the columns at the most
BLOCK = 256  # directions asked at once
TRIES = 3  # steps tried for a direction, each an eighth of the one before


@dataclass
class Columns:
    """What the directions across the subspace told.

    directions : (d, n) orthonormal; columns : (h, n) A0 times them
    points : (m, h) y of the points x_p
    misfit : (n,) largest miss of an equation, logits
    """

    directions: Array
    columns: Array
    points: Array
    misfit: Array


def stations(neurons: Neurons, rng: np.random.Generator) -> Array:
    """Points at which every neuron is seen clearly, a group of less than K at a time. No queries.

    At point p the neurons of group p stand where σ is steep and all others are parked where it is
    flat, so that the equations fall into m small systems. Of 50 random groupings the one with the
    smallest condition number. Returns y (m, h).
    """
    outputs, h = neurons.weights.shape
    m = int(np.ceil(h / outputs)) + MORE
    steep, signs = (2.0, [-1.0]) if neurons.activation == "softplus" else (0.0, [-1.0, 1.0])
    best, least = np.zeros((m, h)), np.inf
    for _ in range(DRAWS):
        group = rng.permutation(h) % m
        z = ASIDE * rng.choice(signs, size=(m, h))
        z[group, np.arange(h)] = steep
        condition = float(np.linalg.cond(equations(neurons, z)))
        if condition < least:
            best, least = z, condition
    return places(neurons, best)


def equations(neurons: Neurons, z: Array) -> Array:
    """E (m K, h), rows A1_ki σ'(z_pi): how the answers at the points follow a small column."""
    return (neurons.weights * neurons.slope(z)[:, None, :]).reshape(-1, z.shape[1])


def measure(
    oracle: Oracle, space: Subspace, neurons: Neurons, points: Array, rng: np.random.Generator
) -> Columns:
    """A0 along all directions across the subspace, in random orthonormal ones.

    Random directions move every neuron about equally: |A0_i| / √d each. Costs m (d - h) queries,
    and m for each direction in which a smaller step is needed.
    Raises `ExtractionError` where the equations of a direction contradict one another.
    """
    d, h = space.axes.shape
    directions = np.linalg.qr(np.hstack([space.axes, rng.normal(size=(d, d - h))]))[0][:, h:]
    z = neurons.hidden(points)
    columns, misfit = np.zeros((h, d - h)), np.full(d - h, np.inf)
    typical = np.sqrt(np.mean(np.sum(neurons.rows**2, axis=1)) / space.sketch)
    allowed = 1e3 * space.noise + 1e-9 * float(np.abs(neurons.weights).max())
    with progress.bar("columns", d - h, "column") as bar:
        for trial in range(TRIES):
            step, missing = MOVE / typical / 8**trial, np.flatnonzero(misfit > allowed)
            for start in range(0, len(missing), BLOCK):
                block = missing[start : start + BLOCK]
                x = (points @ space.axes.T)[:, None, :] + step * directions[:, block].T
                answers = ask(oracle, x.reshape(-1, d)).reshape(len(points), len(block), -1)
                columns[:, block], misfit[block] = solve(neurons, z, answers, step)
                bar.update(int(np.sum(misfit[block] <= allowed)))
    if (misfit > allowed).any():
        raise ExtractionError(
            "columns",
            f"expected {h} neurons to explain the answers in every direction, but in "
            f"{int(np.sum(misfit > allowed))} of {d - h} they are off by up to {misfit.max():.1g}",
            "check the activation; or the answers are too coarse, or some neurons are saturated "
            "where x ~ N(0, I)",
        )
    return Columns(directions, columns, points, misfit)


def solve(neurons: Neurons, z: Array, answers: Array, step: float) -> tuple[Array, Array]:
    """Columns a with A1 σ(z_p + c a) + b1 = answers, by simplified Newton. No queries.

        a  ←  a + E⁺ (answers - A1 σ(z_p + c a) - b1) / c

    with the equations E at a = 0, the same for all directions: each round gains a factor |c a|.
    z : (m, h); answers : (m, n, K)
    Returns (h, n) columns and (n,) the largest miss.
    """
    inverse = np.linalg.pinv(equations(neurons, z))
    n = answers.shape[1]
    columns, before = np.zeros((z.shape[1], n)), np.inf
    for _ in range(ROUNDS):
        hidden = neurons.shape(z[:, None, :] + step * columns.T)
        left = answers - hidden @ neurons.weights.T - neurons.bias
        change = inverse @ left.transpose(0, 2, 1).reshape(-1, n) / step
        size = float(np.abs(change).max(initial=0))
        if not size < 0.9 * before and size < 1e-9 * np.abs(columns).max(initial=0):
            break
        before = size
        columns = columns + np.clip(change, -1 / step, 1 / step)
    return columns, np.abs(left).max(axis=(0, 2), initial=0)
