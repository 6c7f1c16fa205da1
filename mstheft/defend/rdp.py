"""The privacy that an answer of a teacher ensemble costs: Rényi differential privacy, added up.

RDP(λ) bounds the Rényi divergence of order λ between the answers of two ensembles that differ in
one person's data, in nats. Costs of several answers add up order by order, and at the end the
cheapest order bounds all of them together:

    ε(δ) = min_λ  Σ RDP(λ) + ln(1/δ) / (λ - 1)

There are two bounds for each answer. The data-independent one depends on the noise alone. The
data-dependent one is lower where the teachers agree: q, the probability that the noise makes
another class than theirs win, is then tiny. It depends on the private votes: to publish its ε needs
noise of its own (smooth sensitivity, section 5.3 of the source), which is not added here.

Votes are (n, K) numbers of teachers, one row per question. Source: Papernot et al. 2018 ('Scalable
private learning with PATE', arXiv 1802.08908), appendices A and B; for Laplace noise Papernot et
al. 2017 (arXiv 1610.05755), section 4.1.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mstheft.typing import Array

# Orders λ of the costs, from those that suit very many answers to those that suit hardly any: the
# best λ - 1 of n answers by GNMax is √(σ² ln(1/δ) / n). Half a step beside it ε is 0.1 % too large.
ORDERS = 1 + np.geomspace(1e-3, 1e6, 256)


class Epsilon(NamedTuple):
    """epsilon: the bound ε, in nats; order: the λ that gives it."""

    epsilon: Any
    order: Any


def epsilon(spent: ArrayLike, delta: float, orders: ArrayLike = ORDERS) -> Epsilon:
    """Turn RDP into (ε, δ) differential privacy:  ε = min_λ RDP(λ) + ln(1/δ) / (λ - 1).

    spent : (M,) RDP at each order, or (..., M), for instance a cumulative sum over answers
    delta : δ, 0 < δ < 1, well below one over the number of people in the data
    Returns ε and the best λ, numbers or (...). Raises ValueError for a δ outside (0, 1).
    """
    if not 0 < delta < 1:
        raise ValueError(f"expected 0 < delta < 1, got {delta}; 1e-5 is usual")
    spent, orders = np.asarray(spent, float), np.asarray(orders, float)
    totals = spent - math.log(delta) / (orders - 1)
    best = totals.argmin(axis=-1)
    return Epsilon(np.take_along_axis(totals, best[..., None], -1)[..., 0][()], orders[best][()])


# ---- the probability of another answer than the teachers'


def log_q_laplace(votes: ArrayLike, gamma: float) -> Array:
    """Upper bound on ln P(another class than j* wins) with Laplace noise of scale 1/γ.

        q ≤ Σ_{j≠j*} (2 + γ Δ_j) / (4 e^{γ Δ_j}),   Δ_j = n_{j*} - n_j,   and q ≤ 1 - 1/K

    votes : (n, K);  gamma : γ > 0, in 1 / votes
    Returns (n,), -inf for K = 1. Source: Papernot et al. 2017, lemma 4.
    """
    scaled = gamma * _gaps(votes)
    return _union(np.log(2 + scaled) - math.log(4) - scaled)


def log_q_gaussian(votes: ArrayLike, sigma: float) -> Array:
    """Upper bound on ln P(another class than j* wins) with noise N(0, σ²) on every count.

        q ≤ Σ_{j≠j*} ½ erfc((n_{j*} - n_j) / (2 σ)),   and q ≤ 1 - 1/K

    The difference of two noises is N(0, 2 σ²), and a sum bounds the chance that any wins.

    votes : (n, K);  sigma : σ > 0, in votes
    Returns (n,), -inf for K = 1. Source: Papernot et al. 2018, proposition 7.
    """
    from scipy.special import log_ndtr

    return _union(log_ndtr(-_gaps(votes) / (math.sqrt(2) * sigma)))


def log_q_threshold(votes: ArrayLike, threshold: float, sigma: float) -> Array:
    """ln P of the less likely outcome of the test  max_j n_j + N(0, σ1²) ≥ T.

    votes : (n, K);  threshold : T, in votes;  sigma : σ1 > 0, in votes
    Returns (n,), at most ln ½. Source: Papernot et al. 2018, section 3.3 and appendix A.
    """
    from scipy.special import log_ndtr

    over = _votes(votes).max(axis=1) - threshold
    return log_ndtr(-np.abs(over) / sigma)


# ---- the cost of an answer


def laplace(log_q: Array, gamma: float, orders: ArrayLike = ORDERS) -> Array:
    """RDP of LNMax, the lowest of three bounds. With ε₀ = 2 γ:

        ½ ε₀² λ,   ε₀,   ln[(1-q) ((1-q) / (1 - e^{ε₀} q))^{λ-1} + q e^{ε₀ (λ-1)}] / (λ-1)

    the last one only if q ≤ 1 / (e^{ε₀} + 1). One person changes one vote: two counts by one each.

    log_q : (n,) from `log_q_laplace`; 0 (q = 1) leaves the data-independent bound
    Returns (n, M) for M orders. Source: Papernot et al. 2017, theorems 2 and 3.
    """
    pure, orders = 2 * gamma, np.asarray(orders, float)
    costs = np.repeat(np.minimum(pure**2 * orders / 2, pure)[None], len(log_q), axis=0)  # (n, M)
    valid = log_q <= -np.logaddexp(pure, 0)
    log_q = log_q[valid]
    # (1-q) / (1 - e^{ε₀} q) = 1 + q (e^{ε₀} - 1) / (1 - e^{ε₀} q), which loses no digits
    a = np.log1p(np.exp(log_q + pure) * np.expm1(-pure) / np.expm1(log_q + pure))
    costs[valid] = np.minimum(costs[valid], _mixture(log_q, a, np.full(len(log_q), pure), orders))
    return costs


def gaussian(log_q: Array, sigma: float, orders: ArrayLike = ORDERS) -> Array:
    """RDP of GNMax: λ/σ², or if lower and valid the data-dependent bound.

        μ2 = σ √(-ln q),  μ1 = μ2 + 1,  ε_i = μ_i / σ²
        A = (1-q) / (1 - (q e^{ε2})^{(μ2-1)/μ2}),   B = e^{ε1} / q^{1/(μ1-1)}
        RDP(λ) = ln[(1-q) A^{λ-1} + q B^{λ-1}] / (λ-1)

    valid if λ < μ1, μ2 > 1, -ln q > ε2 and
    ln q ≤ (μ2-1) ε2 - μ2 [ln(1 + 1/(μ1-1)) + ln(1 + 1/(μ2-1))].

    log_q : (n,) from `log_q_gaussian`; 0 (q = 1) leaves the data-independent bound
    Returns (n, M) for M orders. A threshold test with noise σ1 costs this with σ = √2 σ1.
    Source: Papernot et al. 2018, theorem 6 and propositions 8 to 10.
    """
    variance, orders = sigma**2, np.asarray(orders, float)
    costs = np.repeat(orders[None] / variance, len(log_q), axis=0)  # (n, M)
    costs[np.isneginf(log_q)] = 0
    valid = _increasing(log_q, sigma)
    log_q = log_q[valid]
    root = np.sqrt(-log_q) / sigma
    # (q e^{ε2})^{(μ2-1)/μ2} = q e^{2 ε2 - 1/σ²} = r, and A = 1 + (r - q) / (1 - r)
    more = 2 * root - 1 / variance
    a = np.log1p(np.exp(log_q + more) * np.expm1(-more) / np.expm1(log_q + more))
    by_votes = _mixture(log_q, a, 2 * root + 1 / variance, orders)
    below = orders < sigma * np.sqrt(-log_q)[:, None] + 1  # λ < μ1
    costs[valid] = np.where(below, np.minimum(costs[valid], by_votes), costs[valid])
    return costs


def _increasing(log_q: Array, sigma: float) -> np.ndarray:
    """Where the data-dependent bound of `gaussian` holds and grows with q. (n,) -> (n,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mu = sigma * np.sqrt(-log_q)
        least = mu / sigma**2
        most = (mu - 1) * least - mu * (np.log1p(1 / mu) + np.log1p(1 / (mu - 1)))
        return np.isfinite(log_q) & (mu > 1) & (-log_q > least) & (log_q <= most)


def _mixture(log_q: Array, a: Array, b: Array, orders: Array) -> Array:
    """ln[(1-q) e^{(λ-1) a} + q e^{(λ-1) b}] / (λ-1) for a, b ≥ 0. (n,) each -> (n, M).

    Where the bracket is near 1 its excess is added up instead, so that tiny costs keep all digits.
    """
    log_q, power = log_q[:, None], orders - 1  # (n, 1), (M,)
    first, second = power * a[:, None], power * b[:, None]  # (n, M)
    # exponents beyond 1 are cut, and the logarithmic form is taken instead
    heavy = log_q + second
    excess = -np.expm1(log_q) * np.expm1(np.minimum(first, 2))
    excess -= np.exp(np.minimum(heavy, 2)) * np.expm1(-second)
    costs = np.log1p(excess)
    large = (heavy > 1) | (first > 1)
    if large.any():
        light = np.log(-np.expm1(log_q)) + first
        costs = np.where(large, np.logaddexp(light, heavy), costs)
    return costs / power


# ---- votes


def _gaps(votes: ArrayLike) -> Array:
    """n_{j*} - n_j of all classes but j*, the first of the largest. (n, K) -> (n, K-1)."""
    votes = np.sort(_votes(votes), axis=1)
    return votes[:, -1:] - votes[:, :-1]


def _votes(votes: ArrayLike) -> Array:
    votes = np.asarray(votes, float)
    if votes.ndim != 2 or not (votes >= 0).all():
        got = f"shape {votes.shape}; give one row per question"
        raise ValueError(f"expected votes as (n, K) counts of at least 0, got {got}")
    return votes


def _union(logs: Array) -> Array:
    """ln min(Σ_j e^{logs_j}, 1 - 1/K) per row; K - 1 columns."""
    others = logs.shape[1]
    if others == 0:
        return np.full(len(logs), -np.inf)
    return np.minimum(np.logaddexp.reduce(logs, axis=1), math.log(others / (others + 1)))
