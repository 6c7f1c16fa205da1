"""Stage 4 on smooth networks: all parameters at once, in the subspace where the neurons live.

    minimise  Σ_n |A1 σ(B y_n + b) + c - f(y_n)|²      over B (h, h), b (h,), A1 (K, h), c (K,)

by Gauss-Newton from a start that is right to about 1e-5: each step squares the error, and what is
left in the end is the rounding of the answers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator

from mstheft.direct.smooth.lines import SmoothNetwork
from mstheft.typing import Array

STEPS = 30  # Gauss-Newton steps at the most
INNER = 300  # iterations of the linear solver in each of them
WIDTH = 3.0  # standard deviation of z at the points asked: from end to end of every bend
SURPLUS = 1.5  # numbers asked for each unknown
SLOW = 0.7  # a step that leaves more than this share of the misfit is slow, and the next is damped
NEAR = 1e-7  # misfit, relative to the spread of the answers, up to which the fit is believed
DAMP = 1e-3  # the first damping; ten times more after every further slow step
LOOSE = 0.1  # a step is solved to this share of the relative misfit: the next does the rest


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
    y : (n, h); answers : (n, K); noise : rounding of an answer
    A slow step far from the end is followed by damped ones (Levenberg and Marquardt): a nearly
    straight neuron is thrown far by whole steps, which then fit hardly better.
    Returns the neurons, and the root mean square of f - answers before and after every step.
    """
    u, size = network.hidden(y), float(answers.std(axis=0).max())
    h = u.shape[1]
    here = replace(network, rows=np.eye(h), offsets=np.zeros(h))
    misfits, damp = [rms(here, u, answers)], 0.0
    for _ in range(STEPS):
        there = shorter_until_better(here, gauss_newton_step(here, u, answers, damp), u, answers)
        if there is not None:
            here = there
            misfits.append(rms(here, u, answers))
            if misfits[-1] < noise / 2:
                break
        if there is not None and misfits[-1] < SLOW * misfits[-2]:
            damp /= 10
        elif misfits[-1] < NEAR * size or damp > 1:
            break
        else:
            damp = max(10 * damp, DAMP)
    offsets = here.rows @ network.offsets + here.offsets
    return replace(here, rows=here.rows @ network.rows, offsets=offsets), misfits


def rms(network: SmoothNetwork, y: Array, answers: Array) -> float:
    """Root mean square of f(y) - answers, logits."""
    return float(np.sqrt(np.mean((network.answers(y) - answers) ** 2)))


def shorter_until_better(
    here: SmoothNetwork, step: Array, y: Array, answers: Array
) -> SmoothNetwork | None:
    """The whole step or the first of a half, a quarter … 1/64 of it that fits better."""
    before = rms(here, y, answers)
    for share in 0.5 ** np.arange(7):
        there = moved(here, share * step)
        if rms(there, y, answers) < before:
            return there
    return None


def moved(network: SmoothNetwork, step: Array) -> SmoothNetwork:
    """SmoothNetwork with [δrows, δoffsets, δweights, δbias], all in one vector, added."""
    rows, offsets, weights, bias = parts(network, step)
    return replace(
        network,
        rows=network.rows + rows,
        offsets=network.offsets + offsets,
        weights=network.weights + weights,
        bias=network.bias + bias,
    )


def parts(network: SmoothNetwork, step: Array) -> tuple[Array, Array, Array, Array]:
    """One vector of all unknowns, taken apart."""
    (outputs, h), n = network.weights.shape, network.rows.shape[1]
    rows, offsets, weights, bias = np.split(step, np.cumsum([h * n, h, outputs * h]))
    return rows.reshape(h, n), offsets, weights.reshape(outputs, h), bias


def gauss_newton_step(network: SmoothNetwork, y: Array, answers: Array, damp: float = 0.0) -> Array:
    """The step that makes the linearised misfit smallest, by LSMR. No queries.

        δf = A1 (σ'(z) ∘ (δB y + δb)) + δA1 σ(z) + δc

    damp : λ of Levenberg and Marquardt: λ² |step|² is added to the squared misfit

    The Jacobian has (n K) (h² + K h + h + K) entries and is never formed: it is applied, at a
    cost of n h (h + K), and its columns are scaled to length 1.
    """
    from scipy.sparse.linalg import LinearOperator, lsmr

    z = network.hidden(y)
    value, slope = network.activation(z), network.slope(z)
    unit = column_sizes(network, y, value, slope)

    def forward(step: Array) -> Array:
        rows, offsets, weights, bias = parts(network, step / unit)
        turned = slope * (y @ rows.T + offsets)
        return (turned @ network.weights.T + value @ weights.T + bias).ravel()

    def backward(left: Array) -> Array:
        left = left.reshape(answers.shape)
        inner = slope * (left @ network.weights)
        sums = (inner.T @ y, inner.sum(axis=0), left.T @ value, left.sum(axis=0))
        return np.concatenate([each.ravel() for each in sums]) / unit

    shape = (answers.size, len(unit))
    jacobian: Any = LinearOperator(shape, matvec=forward, rmatvec=backward, dtype=float)
    left = (answers - network.answers(y)).ravel()
    enough = float(np.clip(LOOSE * left.std() / answers.std(), 1e-10, 1e-2))
    return lsmr(jacobian, left, atol=enough, btol=enough, maxiter=INNER, damp=damp)[0] / unit


def column_sizes(network: SmoothNetwork, y: Array, value: Array, slope: Array) -> Array:
    """Length of every column of the Jacobian, never 0."""
    strength = (network.weights**2).sum(axis=0)
    squares = (
        strength[:, None] * ((slope**2).T @ y**2),
        strength * (slope**2).sum(axis=0),
        np.tile((value**2).sum(axis=0), len(network.bias)),
        np.full(len(network.bias), len(y)),
    )
    return np.sqrt(np.maximum(np.concatenate([each.ravel() for each in squares]), 1e-200))
