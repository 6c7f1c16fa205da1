"""PATE: answer with the noisy majority of teachers that never saw each other's data.

    1. cut the private data into disjoint parts        partition
    2. train one teacher on each                       teachers
    3. let them vote on every question                 votes
    4. answer with the winner after noise              LNMax, GNMax, ConfidentGNMax
    5. add up what the answers cost in privacy         Ensemble.epsilon
    6. train a student on questions without secrets    student

One person's data reaches one teacher only and so moves one vote: the noise hides it. A thief of the
student, or of the answers, gets public knowledge only.

Source: Papernot et al. 2017 (arXiv 1610.05755) and 2018 (arXiv 1802.08908).
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mstheft import progress
from mstheft.defend import rdp
from mstheft.defend.mechanisms import NO_ANSWER, PART, Accountant, Mechanism
from mstheft.defend.mechanisms import ConfidentGNMax as ConfidentGNMax
from mstheft.defend.mechanisms import GNMax as GNMax
from mstheft.defend.mechanisms import LNMax as LNMax
from mstheft.nn.fit import fit
from mstheft.nn.network import Network
from mstheft.typing import Array, Rng

MOST_LOST = 0.5  # share of the unanimous votes that noise may overrule before there is a warning


def partition(n: int, parts: int, *, rng: Rng) -> list[np.ndarray]:
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
    rng: Rng,
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
        raise ValueError("expected disjoint parts, got a row in two of them; use partition")
    trained = []
    # Each has a generator and an optimizer of its own: the state of one depends on its data, and
    # must not show in the next.
    generators = np.random.default_rng(rng).spawn(len(parts))
    optimizer = training.pop("optimizer", None)
    with progress.bar("teachers", len(parts), "teacher") as bar:
        for part, generator in zip(parts, generators, strict=True):
            teacher = new_teacher(generator)
            own = {**training, "optimizer": copy.deepcopy(optimizer), "rng": generator}
            fit(teacher, x[part], y[part], **own)
            trained.append(teacher)
            bar.update(1)
    return trained


def votes(taught: Sequence[Network], x: Array, classes: int) -> np.ndarray:
    """Votes of the teachers for each class: n_j(x) = |{i : f_i(x) = j}|. (n, d) -> (n, classes)."""
    counts = np.zeros((len(x), classes), np.int64)
    for teacher in taught:
        counts[np.arange(len(x)), teacher.labels(x)] += 1
    return counts


class Ensemble:
    """Teachers as a victim: rows in, noisy labels out, and a privacy bill that grows with each.

        oracle = mt.Oracle(ensemble, "label", gives="labels", inputs=784)

    A label of -1 is no answer (`ConfidentGNMax`). Asking again is answered with new noise, and
    paid for again. `calls` holds (votes, answers) of each call, for plots of the bill's growth.

    taught : of `teachers`;  classes : K;  mechanism : LNMax, GNMax or ConfidentGNMax
    """

    def __init__(
        self, taught: Sequence[Network], classes: int, mechanism: Mechanism, *, rng: Rng
    ) -> None:
        self.taught, self.classes, self.mechanism = list(taught), classes, mechanism
        unanimous = len(self.taught) * np.eye(classes)[:1]  # (1, K) votes
        if (lost := float(np.exp(mechanism.log_q(unanimous)[0]))) > MOST_LOST:
            advice = "train more teachers or take less noise"
            warnings.warn(
                f"{mechanism} drowns {len(self.taught)} teachers: even where all of them agree, "
                f"another class may win {lost:.0%} of the time; {advice}",
                stacklevel=2,
            )
        self.accountant = Accountant()
        self.calls: list[tuple[np.ndarray, np.ndarray]] = []
        self._rng = np.random.default_rng(rng)

    def __call__(self, x: Array) -> np.ndarray:
        """Rows (n, d) -> labels (n,)."""
        counts = votes(self.taught, x, self.classes)
        answers = self.mechanism.answer(counts, rng=self._rng)
        self.accountant.spend(self.mechanism, counts, answers)
        self.calls.append((counts, answers))
        return answers

    def epsilon(self, delta: float, *, by_data: bool = True) -> float:
        """The cost of all answers so far: (ε, δ) differential privacy for each person."""
        return float(self.accountant.epsilon(delta, by_data=by_data).epsilon)

    def bill(self, delta: float, *, by_data: bool = True) -> np.ndarray:
        """ε(δ) after each question so far, the earlier ones up to 1 % too large. (questions,).

        The last is `epsilon`; only for it the best order is searched.
        """
        if not self.calls:
            return np.empty(0)
        counts, answers = (np.concatenate(part) for part in zip(*self.calls, strict=True))
        best = self.accountant.epsilon(delta, by_data=by_data).order
        orders, spent, grown = np.append(self.accountant.orders, best), np.zeros(1), []
        for start in range(0, len(counts), PART):
            part = slice(start, start + PART)
            costs = self.mechanism.cost(counts[part], answers[part], orders, by_data)  # (n, M)
            sums = spent + np.cumsum(costs, axis=0)
            spent = sums[-1]
            grown.append(rdp.epsilon(sums, delta, orders).epsilon)
        return np.concatenate(grown)


def student(network: Network, x: Array, answers: np.ndarray, **training: Any) -> Network:
    """Train a network in place on public rows that the ensemble answered; -1 is left out.

    x, answers : (n, d), (n,);  training : for `nn.fit.fit`, such as epochs=30, rng=0
    Returns it. Raises ValueError if no row was answered. Costs no privacy beyond the answers.
    """
    answered = np.asarray(answers) != NO_ANSWER
    fit(network, np.asarray(x)[answered], np.asarray(answers)[answered], **training)
    return network
