"""Stage 5 on smooth networks: input weights along all other directions, one direction at a time.

    f(x_p + c q) = A1 σ(z_p + c a) + b1,      a = A0 q,      p = 1 … m

Inside the subspace everything is known: z_p, A1, b1. For a direction q across it, each site x_p
gives K equations for the h numbers a, and h / K sites give a. The model is exact at any step c, so
that c is as large as the bends allow and the rounding of an answer costs next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from mstheft import progress
from mstheft.direct.smooth.fit import places
from mstheft.direct.smooth.lines import SmoothNetwork
from mstheft.direct.smooth.subspace import Subspace, ask
from mstheft.errors import ExtractionError
from mstheft.typing import Array, Oracle

MORE = 1  # sites beyond the h / K that the unknowns need
DRAWS = 50  # choices of the sites, of which the best conditioned is taken
ASIDE = 4.0  # |z| at which a neuron is parked while others are measured
MOVE = 0.1  # by how much a step moves a typical z
ROUNDS = 60  # corrections of the input weights at the most
BLOCK = 256  # directions asked at once
TRIES = 3  # steps tried for a direction, each an eighth of the one before


@dataclass
class InputWeights:
    """A0 across the subspace.

    directions : (d, n) orthonormal; weights : (h, n) A0 times them
    misfit : (n,) largest miss of an equation, logits
    """

    directions: Array
    weights: Array
    misfit: Array


def choose_sites(network: SmoothNetwork, rng: Generator) -> Array:
    """Points at which every neuron is seen clearly, a group of less than K at a time. No queries.

    At site p the neurons of group p are where σ is steep and all others are parked where it is
    flat, so that the equations fall into m small systems. Of 50 random groupings the one with the
    smallest condition number. Returns y (m, h).
    """
    outputs, h = network.weights.shape
    m = int(np.ceil(h / outputs)) + MORE
    steep, signs = (2.0, [-1.0]) if network.name == "softplus" else (0.0, [-1.0, 1.0])
    best, least = np.zeros((m, h)), np.inf
    for _ in range(DRAWS):
        group = rng.permutation(h) % m
        z = ASIDE * rng.choice(signs, size=(m, h))
        z[group, np.arange(h)] = steep
        condition = float(np.linalg.cond(equations(network, z)))
        if condition < least:
            best, least = z, condition
    return places(network, best)


def equations(network: SmoothNetwork, z: Array) -> Array:
    """E (m K, h), rows A1_ki σ'(z_pi): how the answers at the sites follow small input weights."""
    return (network.weights * network.slope(z)[:, None, :]).reshape(-1, z.shape[1])


def measure(
    oracle: Oracle, space: Subspace, network: SmoothNetwork, sites: Array, rng: Generator
) -> InputWeights:
    """A0 along all directions across the subspace, in random orthonormal ones.

    Random directions move every neuron about equally: |A0_i| / √d each. Costs m (d - h) queries,
    and m for each direction in which a smaller step is needed.
    Raises `ExtractionError` where the equations of a direction contradict one another.
    """
    d, h = space.axes.shape
    directions = np.linalg.qr(np.hstack([space.axes, rng.normal(size=(d, d - h))]))[0][:, h:]
    z = network.hidden(sites)
    weights, misfit = np.zeros((h, d - h)), np.full(d - h, np.inf)
    typical = np.sqrt(np.mean(np.sum(network.rows**2, axis=1)) / space.sketch)
    allowed = 1e3 * space.noise + 1e-9 * float(np.abs(network.weights).max())
    with progress.bar("columns", d - h, "column") as bar:
        for trial in range(TRIES):
            step, missing = MOVE / typical / 8**trial, np.flatnonzero(misfit > allowed)
            for start in range(0, len(missing), BLOCK):
                block = missing[start : start + BLOCK]
                x = (sites @ space.axes.T)[:, None, :] + step * directions[:, block].T  # (m, n, d)
                answers = ask(oracle, x.reshape(-1, d)).reshape(len(sites), len(block), -1)
                weights[:, block], misfit[block] = solve(network, z, answers, step)
                bar.update(int(np.sum(misfit[block] <= allowed)))
    if (misfit > allowed).any():
        raise ExtractionError(
            "columns",
            f"{h} neurons miss answers across the subspace by up to {misfit.max():.1g}",
            "check the activation, or ask for more digits",
        )
    return InputWeights(directions, weights, misfit)


def solve(network: SmoothNetwork, z: Array, answers: Array, step: float) -> tuple[Array, Array]:
    """Input weights a with A1 σ(z_p + c a) + b1 = answers, by simplified Newton. No queries.

        a  ←  a + E⁺ (answers - A1 σ(z_p + c a) - b1) / c

    with the equations E at a = 0, the same for all directions: each round gains a factor |c a|.
    z : (m, h); answers : (m, n, K)
    Returns (h, n) input weights and (n,) the largest miss.
    """
    inverse = np.linalg.pinv(equations(network, z))
    n = answers.shape[1]
    weights, before = np.zeros((z.shape[1], n)), np.inf
    for _ in range(ROUNDS):
        hidden = network.activation(z[:, None, :] + step * weights.T)  # (m, n, h)
        left = answers - hidden @ network.weights.T - network.bias
        change = inverse @ left.transpose(0, 2, 1).reshape(-1, n) / step
        size = float(np.abs(change).max(initial=0))
        if not size < 0.9 * before and size < 1e-9 * np.abs(weights).max(initial=0):
            break
        before = size
        weights = weights + np.clip(change, -1 / step, 1 / step)
    return weights, np.abs(left).max(axis=(0, 2), initial=0)
