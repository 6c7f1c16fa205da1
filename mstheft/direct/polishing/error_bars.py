"""How exact can a copy be? The Cramér-Rao bound, and an error bar for every weight.

identifiable        P: how many weights the answers tell
cramer_rao          from the Jacobian as a matrix, exactly
from_draws          the same by simulation, where it is too large to be formed
seldom_on           neurons that are on in too few rows
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from mstheft.nn import gauss_newton
from mstheft.nn.gauss_newton import DensePass, Fit, Weights
from mstheft.nn.layers import Dense
from mstheft.nn.network import Network
from mstheft.typing import Array

SURPLUS = 2  # answered numbers for each weight of a neuron, in the rows where it is on
DRAWS = 2  # of noise, for the bound and error bars of large networks
RANK = 1e-13  # eigenvalues of JᵀJ below this share of the largest, times P, are rounding


def identifiable(weights: Weights, activations: Sequence[str], output: str) -> int:
    """P: the weights, less one for the scale of every relu, less the gauge of a softmax."""
    scales = zip(weights, activations, strict=False)
    free = sum(matrix.size for matrix in weights)
    free -= sum(len(matrix) for matrix, name in scales if name == "relu")
    is_softmax = output != "logits" and len(weights[-1]) > 1
    return free - weights[-1].shape[1] * is_softmax


class CramerRao(NamedTuple):
    """What unbiased estimates of the weights can reach at best.

    rank : P, the number of weights, or combinations of them, that the answers tell
    fresh : (n, K) variance of the error of an answer to a fresh row, in units of its noise
    bars : (weights,) standard deviation of each weight
    """

    rank: int
    fresh: Array
    bars: Array


def cramer_rao(jacobian: Array) -> CramerRao:
    """The covariance of the weights is (JᵀJ)⁺, and what follows from it for fresh rows.

        B_i = J_i (JᵀJ)^{-1/2} of row i,   H_i = B_i B_iᵀ (K, K) its leverage

    Left out, that row would be predicted with covariance H_i (I - H_i)⁻¹: so would a fresh row of
    the same kind.
    jacobian : (n, K, weights) in units of the noise: each answer's gradient over its σ
    Source: Cramér 1946, Rao 1945; leaving one out, Allen 1974.
    """
    tall = jacobian.reshape(-1, jacobian.shape[2])
    size, v = np.linalg.eigh(tall.T @ tall)
    kept = size > RANK * len(size) * size[-1]
    root = v[:, kept] / np.sqrt(size[kept])  # (weights, rank)
    B = jacobian @ root
    H = B @ B.transpose(0, 2, 1)
    room = np.eye(jacobian.shape[1]) * (1 + 1e-9) - H
    fresh = np.abs(np.einsum("nkk->nk", np.linalg.solve(room, H)))  # H and (I - H)⁻¹ commute
    return CramerRao(int(kept.sum()), fresh, np.linalg.norm(root, axis=1))


def from_jacobian(fit: Fit, here: DensePass) -> tuple[int, float, Weights]:
    """P, the bound and the error bars, by `cramer_rao`."""
    rank, fresh, bars = cramer_rao(gauss_newton.jacobian(fit, here))
    seen = fit.precision > 0
    bound = float(np.sqrt(np.mean(fresh[seen] / fit.precision[seen] ** 2)))
    return rank, bound, gauss_newton.unflat(bars, here.weights)


def from_draws(fit: Fit, here: DensePass, rng: np.random.Generator) -> tuple[float, Weights]:
    """The bound and the error bars by simulation, where J is too large to be formed.

    Pure noise ε ~ N(0, 1) in place of the residual moves the weights by p = J⁺ ε, whose covariance
    is (JᵀJ)⁺. A few rows are left out of it: there J p is the error of an answer to a fresh row.
    The bars take their pattern over a neuron's weights from the preconditioner, diag P², and their
    size from the neuron's part of the draws.
    """
    scale = gauss_newton.kronecker(fit, here, rng)
    n = len(fit.rows)
    fresh = rng.permutation(n) < max(n // 50, min(100, n // 10))
    train = replace(fit, precision=np.where(fresh[:, None], 0, fit.precision))
    moves, errors = [], []
    for _ in range(DRAWS):
        noise = rng.normal(size=fit.answers.shape) * (train.precision > 0)
        moves.append(
            gauss_newton.linearised_step(train, here, noise, scale, enough=1e-3, iterations=80)
        )
        error = fit.link.push(here.logits, here.jvp(moves[-1]))
        errors.append(error[fresh[:, None] & (fit.precision > 0)])
    bound = float(np.sqrt(np.mean(np.square(errors))))
    layers = zip(scale.left, scale.right, zip(*moves, strict=True), strict=True)
    return bound, [_bars(left, right, np.stack(drawn)) for left, right, drawn in layers]


def _bars(left: Array, right: Array, drawn: Array) -> Array:
    """Error bars of a layer (out, in + 1), from P_g, P_a and the draws (draws, out, in + 1)."""
    pattern = np.outer(np.linalg.norm(left, axis=1), np.linalg.norm(right, axis=1))
    with np.errstate(invalid="ignore"):  # of a neuron that is never on nothing is known
        size = np.sqrt(np.mean((drawn / pattern) ** 2, axis=(0, 2)))
    return size[:, None] * pattern


def seldom_on(fit: Fit, here: DensePass) -> list[np.ndarray]:
    """Of each hidden layer, (out,) bool: is the neuron on in too few rows to tell its weights?

    That is in rows with fewer than SURPLUS answered numbers for each of its in + 1 weights.
    """
    numbers = np.count_nonzero(fit.precision, axis=1)  # (n,) answered
    layers = zip(here.slopes, here.weights, strict=False)
    return [numbers @ (slope != 0) < SURPLUS * matrix.shape[1] for slope, matrix in layers]


def without(seldom: list[np.ndarray], bars: Weights) -> Weights:
    """The bars, infinite for the weights into and out of neurons that are seldom on."""
    bars = [bar.copy() for bar in bars]
    for few, before, after in zip(seldom, bars[:-1], bars[1:], strict=True):
        before[few] = np.inf
        after[:, :-1][:, few] = np.inf
    return bars


def named(model: Network, bars: Weights) -> dict[str, Array]:
    """Matrices [W b] under the names of `Network.parameters()`."""
    places = [i for i, layer in enumerate(model.layers) if isinstance(layer, Dense)]
    pairs = zip(places, bars, strict=True)
    return {f"{i}.{k}": p for i, bar in pairs for k, p in (("W", bar[:, :-1]), ("b", bar[:, -1]))}
