"""PATE: answer with the noisy majority of teachers that never saw each other's data.

    1. cut the private data into disjoint parts        partition
    2. train one teacher on each                       teachers
    3. let them vote on every question                 votes
    4. tell the winner after noise                     LNMax, GNMax, ConfidentGNMax
    5. add up what the answers cost in privacy         Ensemble.epsilon
    6. train a student on questions without secrets    student

One person's data reaches one teacher only and so moves one vote: the noise hides it. Whoever steals
a model from the student, or from the answers, gets what anyone may know.

Source: Papernot et al. 2017 (arXiv 1610.05755) and 2018 (arXiv 1802.08908).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mstheft import progress
from mstheft.defend import rdp
from mstheft.nn.fit import fit
from mstheft.nn.functions import Array
from mstheft.nn.network import Network

NO_ANSWER = -1  # what ConfidentGNMax says where too few teachers agree
_PART = 2048  # questions accounted for at a time, to bound memory


# ---- teachers


def partition(n: int, parts: int, *, rng: Any) -> list[np.ndarray]:
    """Deal n rows at random into disjoint parts, whose sizes differ by one at most.

    Returns `parts` index arrays that together hold 0 … n-1 once each.
    Raises ValueError for fewer rows than parts.
    """
    if not 1 <= parts <= n:
        raise ValueError(f"expected parts from 1 to n={n}, got {parts}; use fewer teachers")
    return np.array_split(np.random.default_rng(rng).permutation(n), parts)


def teachers(
    x: Array,
    y: np.ndarray,
    parts: Sequence[np.ndarray],
    new_teacher: Callable[[np.random.Generator], Network],
    *,
    rng: Any,
    **training: Any,
) -> list[Network]:
    """Train a teacher on each part of the private data, and on nothing else.

    x, y : (n, d), (n,);  parts : disjoint indices, such as of `partition`
    new_teacher : an untrained network, such as `lambda rng: zoo.softmax(784, 10, rng=rng)`
    training : for `nn.fit.fit`, such as epochs=30
    Raises ValueError for parts that share a row: one person would then have two votes.
    """
    rows = np.concatenate(parts)
    if len(np.unique(rows)) != len(rows):
        raise ValueError(
            "expected disjoint parts, got a row in two of them; use partition(len(x), parts)"
        )
    trained = []
    # Each has chance and an optimizer of its own: what one draws or remembers may depend on its
    # data, and must not show in the next.
    own = np.random.default_rng(rng).spawn(len(parts))
    optimizer = training.pop("optimizer", None)
    with progress.bar("teachers", len(parts), "teacher") as bar:
        for part, chance in zip(parts, own, strict=True):
            teacher = new_teacher(chance)
            given = {**training, "optimizer": copy.deepcopy(optimizer), "rng": chance}
            fit(teacher, x[part], y[part], **given)
            trained.append(teacher)
            bar.update(1)
    return trained


def votes(taught: Sequence[Network], x: Array, classes: int) -> np.ndarray:
    """How many teachers say each class:  n_j(x) = |{i : f_i(x) = j}|. (n, d) -> (n, classes)."""
    counts = np.zeros((len(x), classes), np.int64)
    for teacher in taught:
        counts[np.arange(len(x)), teacher.labels(x)] += 1
    return counts


# ---- ways to tell the winner: each draws new noise for every answer, and says what it costs


@dataclass(frozen=True)
class LNMax:
    """argmax_j n_j + Lap(1/γ).

    gamma : γ > 0, in 1 / votes; a smaller one is more noise and less cost
    Source: Papernot et al. 2017, equation 1.
    """

    gamma: float

    def answer(self, counts: Array, *, rng: Any) -> np.ndarray:
        """Votes (n, K) -> labels (n,)."""
        noise = np.random.default_rng(rng).laplace(0, 1 / self.gamma, np.shape(counts))
        return (counts + noise).argmax(axis=1)

    def cost(self, counts: Array, answers: Array, orders: Array, by_data: bool) -> Array:
        """RDP of each answer, (n, M), by the votes or by the noise alone."""
        log_q = rdp.log_q_laplace(counts, self.gamma) if by_data else np.zeros(len(counts))
        return rdp.laplace(log_q, self.gamma, orders)


@dataclass(frozen=True)
class GNMax:
    """argmax_j n_j + N(0, σ²).

    sigma : σ > 0, in votes
    Source: Papernot et al. 2018, section 3.2.
    """

    sigma: float

    def answer(self, counts: Array, *, rng: Any) -> np.ndarray:
        """Votes (n, K) -> labels (n,)."""
        noise = np.random.default_rng(rng).normal(0, self.sigma, np.shape(counts))
        return (counts + noise).argmax(axis=1)

    def cost(self, counts: Array, answers: Array, orders: Array, by_data: bool) -> Array:
        """RDP of each answer, (n, M), by the votes or by the noise alone."""
        log_q = rdp.log_q_gaussian(counts, self.sigma) if by_data else np.zeros(len(counts))
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

    def answer(self, counts: Array, *, rng: Any) -> np.ndarray:
        """Votes (n, K) -> labels (n,), -1 for no answer."""
        rng = np.random.default_rng(rng)
        sure = np.max(counts, axis=1) + rng.normal(0, self.sigma1, len(counts)) >= self.threshold
        return np.where(sure, GNMax(self.sigma2).answer(counts, rng=rng), NO_ANSWER)

    def cost(self, counts: Array, answers: Array, orders: Array, by_data: bool) -> Array:
        """RDP of each test and, where there was one, answer. (n, M)."""
        log_q: Array = np.zeros(len(counts))
        if by_data:
            log_q = rdp.log_q_threshold(counts, self.threshold, self.sigma1)
        costs = rdp.gaussian(log_q, np.sqrt(2) * self.sigma1, orders)
        told = answers != NO_ANSWER
        if told.any():
            costs[told] += GNMax(self.sigma2).cost(counts[told], answers[told], orders, by_data)
        return costs


Mechanism = LNMax | GNMax | ConfidentGNMax


# ---- the bill


class Accountant:
    """Adds up what answers cost. Both bounds are kept, order by order.

    orders : (M,) the λ > 1 at which costs are kept
    count : questions accounted for;  told : those that got an answer
    """

    def __init__(self, orders: Any = rdp.ORDERS):
        self.orders = np.array(orders, float)
        self.count = self.told = 0
        self._spent = {by_data: np.zeros(len(self.orders)) for by_data in (True, False)}

    def spend(self, mechanism: Mechanism, counts: Any, answers: Any) -> None:
        """Take in questions with votes (n, K) and what the mechanism answered, (n,)."""
        counts, answers = np.asarray(counts), np.asarray(answers)
        for start in range(0, len(counts), _PART):
            part = slice(start, start + _PART)
            for by_data, spent in self._spent.items():
                spent += mechanism.cost(counts[part], answers[part], self.orders, by_data).sum(0)
        self.count += len(counts)
        self.told += int((answers != NO_ANSWER).sum())

    def epsilon(self, delta: float, *, by_data: bool = True) -> rdp.Epsilon:
        """ε(δ) of everything so far, and the order that gives it; 0 before the first answer.

        by_data : with what the votes were, which itself is private; else by the noise alone
        """
        found = rdp.epsilon(self._spent[by_data], delta, self.orders)
        return found if self.count else rdp.Epsilon(0.0, found.order)


class Ensemble:
    """Teachers as a victim: rows in, noisy labels out, and a privacy bill that grows with each.

        oracle = mt.Oracle(ensemble, "label", gives="labels", inputs=784)

    A label of -1 is no answer (`ConfidentGNMax`). Asking again is answered with new noise, and
    paid for again. `asked` keeps (votes, answers) of each call, for plots of the bill's growth.

    taught : of `teachers`;  classes : K;  mechanism : LNMax, GNMax or ConfidentGNMax
    """

    def __init__(
        self, taught: Sequence[Network], classes: int, mechanism: Mechanism, *, rng: Any
    ) -> None:
        self.taught, self.classes, self.mechanism = list(taught), classes, mechanism
        self.accountant = Accountant()
        self.asked: list[tuple[np.ndarray, np.ndarray]] = []
        self._rng = np.random.default_rng(rng)

    def __call__(self, x: Array) -> np.ndarray:
        """Rows (n, d) -> labels (n,)."""
        counts = votes(self.taught, x, self.classes)
        answers = self.mechanism.answer(counts, rng=self._rng)
        self.accountant.spend(self.mechanism, counts, answers)
        self.asked.append((counts, answers))
        return answers

    def epsilon(self, delta: float, *, by_data: bool = True) -> float:
        """What all answers so far cost together: (ε, δ) differential privacy for each person."""
        return float(self.accountant.epsilon(delta, by_data=by_data).epsilon)

    def bill(self, delta: float, *, by_data: bool = True) -> np.ndarray:
        """ε(δ) after each question so far. (questions,)."""
        if not self.asked:
            return np.empty(0)
        counts, answers = (np.concatenate(part) for part in zip(*self.asked, strict=True))
        orders, spent, grown = self.accountant.orders, np.zeros(1), []
        for start in range(0, len(counts), _PART):
            part = slice(start, start + _PART)
            costs = self.mechanism.cost(counts[part], answers[part], orders, by_data)
            sums = spent + np.cumsum(costs, axis=0)
            spent = sums[-1]
            grown.append(rdp.epsilon(sums, delta, orders).epsilon)
        return np.concatenate(grown)


def student(network: Network, x: Array, answers: np.ndarray, **training: Any) -> Network:
    """Train a network in place on public rows that the ensemble answered; -1 is left out.

    x, answers : (n, d), (n,);  training : for `nn.fit.fit`, such as epochs=30, rng=0
    Returns it. Raises ValueError if no row was answered. Costs no privacy beyond the answers.
    """
    told = np.asarray(answers) != NO_ANSWER
    if not told.any():
        raise ValueError(
            "expected answers to learn from, got none; lower threshold= or ask about more rows"
        )
    fit(network, np.asarray(x)[told], np.asarray(answers)[told], **training)
    return network
