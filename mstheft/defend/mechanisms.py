"""How teachers announce their winner so that no vote shows, and what that costs in privacy.

Each mechanism draws new noise for every answer and computes what it costs; the accountant adds up.
Source: Papernot et al. 2017 (arXiv 1610.05755) and 2018 (arXiv 1802.08908).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mstheft.defend import rdp
from mstheft.typing import Array, Rng

NO_ANSWER = -1  # of ConfidentGNMax, below its threshold
PART = 2048  # questions accounted for at a time, to bound memory
SEARCHES, FINER = 2, 33  # finer searches between two orders, and the orders of each


def _positive(**settings: float) -> None:
    """Raise ValueError for noise of size 0 or infinite, whose bill would be a lie."""
    for name, value in settings.items():
        if not 0 < value < np.inf:
            raise ValueError(f"expected {name}= as a finite number above 0, got {value}; change it")


@dataclass(frozen=True)
class LNMax:
    """argmax_j n_j + Lap(1/γ).

    gamma : γ > 0, in 1 / votes; a smaller one is more noise and less cost
    Source: Papernot et al. 2017, equation 1.
    """

    gamma: float

    def __post_init__(self) -> None:
        _positive(gamma=self.gamma)

    def answer(self, counts: Array, *, rng: Rng) -> np.ndarray:
        """Votes (n, K) -> labels (n,)."""
        noise = np.random.default_rng(rng).laplace(0, 1 / self.gamma, np.shape(counts))
        return (counts + noise).argmax(axis=1)

    def log_q(self, counts: ArrayLike) -> Array:
        """ln of a bound on the chance that noise makes another class win. (n, K) -> (n,)."""
        return rdp.log_q_laplace(counts, self.gamma)

    def cost(self, counts: Array, answers: Array, orders: Array, by_data: bool) -> Array:
        """RDP of each answer, (n, M), by the votes or by the noise alone."""
        log_q = self.log_q(counts) if by_data else np.zeros(len(counts))
        return rdp.laplace(log_q, self.gamma, orders)


@dataclass(frozen=True)
class GNMax:
    """argmax_j n_j + N(0, σ²).

    sigma : σ > 0, in votes
    Source: Papernot et al. 2018, section 3.2.
    """

    sigma: float

    def __post_init__(self) -> None:
        _positive(sigma=self.sigma)

    def answer(self, counts: Array, *, rng: Rng) -> np.ndarray:
        """Votes (n, K) -> labels (n,)."""
        noise = np.random.default_rng(rng).normal(0, self.sigma, np.shape(counts))
        return (counts + noise).argmax(axis=1)

    def log_q(self, counts: ArrayLike) -> Array:
        """ln of a bound on the chance that noise makes another class win. (n, K) -> (n,)."""
        return rdp.log_q_gaussian(counts, self.sigma)

    def cost(self, counts: Array, answers: Array, orders: Array, by_data: bool) -> Array:
        """RDP of each answer, (n, M), by the votes or by the noise alone."""
        log_q = self.log_q(counts) if by_data else np.zeros(len(counts))
        return rdp.gaussian(log_q, self.sigma, orders)


@dataclass(frozen=True)
class ConfidentGNMax:
    """argmax_j n_j + N(0, σ2²), only if max_j n_j + N(0, σ1²) ≥ T; else `NO_ANSWER`.

    The test is paid for by every question, the answer by those that pass. Questions on which the
    teachers disagree are the dear ones, and they mostly fail the test.

    threshold : T, in votes;  sigma1, sigma2 : σ1 > σ2 > 0 as a rule, in votes
    Source: Papernot et al. 2018, algorithm 1.
    """

    threshold: float
    sigma1: float
    sigma2: float

    def __post_init__(self) -> None:
        if not np.isfinite(self.threshold):
            raise ValueError(f"expected a finite threshold=, got {self.threshold}; change it")
        _positive(sigma1=self.sigma1, sigma2=self.sigma2)

    def answer(self, counts: Array, *, rng: Rng) -> np.ndarray:
        """Votes (n, K) -> labels (n,), -1 for no answer."""
        rng = np.random.default_rng(rng)
        sure = np.max(counts, axis=1) + rng.normal(0, self.sigma1, len(counts)) >= self.threshold
        return np.where(sure, GNMax(self.sigma2).answer(counts, rng=rng), NO_ANSWER)

    def log_q(self, counts: ArrayLike) -> Array:
        """ln of a bound on the chance that noise makes another class win. (n, K) -> (n,)."""
        return GNMax(self.sigma2).log_q(counts)

    def cost(self, counts: Array, answers: Array, orders: Array, by_data: bool) -> Array:
        """RDP of each test and, where there was one, answer. (n, M)."""
        log_q: Array = np.zeros(len(counts))
        if by_data:
            log_q = rdp.log_q_threshold(counts, self.threshold, self.sigma1)
        costs = rdp.gaussian(log_q, np.sqrt(2) * self.sigma1, orders)  # (n, M)
        passed = answers != NO_ANSWER  # (n,)
        if passed.any():
            winner = GNMax(self.sigma2)
            costs[passed] += winner.cost(counts[passed], answers[passed], orders, by_data)
        return costs


Mechanism = LNMax | GNMax | ConfidentGNMax


class Accountant:
    """Adds up the costs of answers by both bounds, order by order, and searches the best order.

    The costs of all orders are added up as questions come. The best of them is then the middle of
    a finer search, for which the votes are kept: the bound by the votes jumps from one order to
    the next, and no orders that are chosen beforehand meet its lowest place.

    orders : (M,) the λ > 1 of the costs
    count : questions accounted for;  answered : those that got an answer
    """

    def __init__(self, orders: ArrayLike = rdp.ORDERS):
        self.orders = np.array(orders, float)
        self.count = self.answered = 0
        self._questions: list[tuple[Mechanism, Array, Array]] = []
        self._spent = {by_data: np.zeros(len(self.orders)) for by_data in (True, False)}

    def spend(self, mechanism: Mechanism, counts: ArrayLike, answers: ArrayLike) -> None:
        """Take in questions with votes (n, K) and what the mechanism answered, (n,)."""
        counts, answers = np.asarray(counts), np.asarray(answers)
        for start in range(0, len(counts), PART):
            part = slice(start, start + PART)  # the costs are (PART, M) numbers
            self._keep(mechanism, counts[part], answers[part])
            for by_data, spent in self._spent.items():
                spent += mechanism.cost(counts[part], answers[part], self.orders, by_data).sum(0)
        self.count += len(counts)
        self.answered += int((answers != NO_ANSWER).sum())

    def _keep(self, mechanism: Mechanism, counts: Array, answers: Array) -> None:
        """Together with those before, up to so many as are accounted for at a time."""
        if self._questions:
            before, votes, gave = self._questions[-1]
            if before == mechanism and len(votes) + len(counts) <= PART:
                self._questions.pop()
                counts = np.concatenate([votes, counts])
                answers = np.concatenate([gave, answers])
        self._questions.append((mechanism, counts, answers))

    def epsilon(self, delta: float, *, by_data: bool = True) -> rdp.Epsilon:
        """ε(δ) of everything so far, and the order that gives it; 0 before the first answer.

        by_data : by the votes, which are private themselves; else by the noise alone
        """
        bound = rdp.epsilon(self._spent[by_data], delta, self.orders)
        if not self.count:
            return rdp.Epsilon(0.0, bound.order)
        orders = self.orders
        for _ in range(SEARCHES):
            i = int(np.searchsorted(orders, bound.order))
            between = orders[max(i - 1, 0)], orders[min(i + 1, len(orders) - 1)]
            orders = np.sort(np.append(np.linspace(*between, FINER), bound.order))
            spent = [
                c.cost(votes, gave, orders, by_data).sum(0) for c, votes, gave in self._questions
            ]
            bound = min(bound, rdp.epsilon(np.sum(spent, axis=0), delta, orders))
        return bound
