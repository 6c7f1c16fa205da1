"""The adaptive thief: knows how the service defends itself, and spends the same budget otherwise.

    noise               asks every row r times and averages
    reverse sigmoid     inverts it where it can be inverted, else takes the Bayes estimate
    noise, rounding,    polishes what it has learned on all answers, of which the unknown ones count
    top-k               for nothing
    rounded logits      asks far out as well, where the rounding is smaller than the answer
    poison (MAD)        keeps nothing but the label
    a detector          asks through several keys, and hides among ordinary rows

An adaptation is an oracle around the oracle: the attack behind it is the naive thief's own.
Source of the premise, that a defence must hold against who knows it: Kerckhoffs 1883; of adaptive
attacks: Tramèr, Carlini, Brendel and Madry 2020.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.spatial import KDTree

from mstheft.defend import responses
from mstheft.defend.prada import DELTA, Detector
from mstheft.direct import polish
from mstheft.direct.answers.noise import rms
from mstheft.experiments.settings import setting
from mstheft.nn import Network
from mstheft.nn import functions as F
from mstheft.nn.losses import one_hot
from mstheft.oracle import Oracle
from mstheft.typing import Array, Rng

ESTIMATES = ("", "inverse", "bayes", "label")
DRAWS, NEAREST = 40_000, 20  # answers that are simulated, and those that an estimate is a mean of
SHARPNESS = 0.3, 30.0  # of the simulated answers: unsure to very sure
GRID = np.linspace(-60, 60, 48_001)  # logits at which the reverse sigmoid is tabulated
HALVINGS = 60
SIGMA = 0.01  # of an answer without noise: all probabilities count alike, small ones no more
STEPS = 20  # of Gauss-Newton
HELD = 10  # one row in so many is kept from the polishing, to judge it


@dataclass(frozen=True)
class Adaptation:
    """How a thief adapts. The defaults are the naive thief.

    repeats : how often each row is asked; the mean of its answers counts
    estimate : of the probabilities behind an answer: 'inverse' (of the reverse sigmoid), 'bayes',
        or 'label' for the largest class alone; '' takes the answer as it comes
    polish : the learned copy is polished on all answers
    far : R; half of the queries are f(Rx), for the polishing of logits
    keys : accounts among which the rows are dealt in turn, each with a detector of its own
    cover : ordinary rows asked beside each row, at the thief's cost
    """

    repeats: int = setting(1, low=1)
    estimate: str = setting("", choices=ESTIMATES)
    polish: bool = False
    far: float = setting(1.0, low=1)
    keys: int = setting(1, low=1)
    cover: int = setting(0, low=0)

    @property
    def price(self) -> int:
        """Queries for each row that the attack asks."""
        return self.repeats * (1 + self.cover) * (1 + (self.far > 1))

    def concerns(self, defence: dict[str, Any], detector: dict[str, Any]) -> bool:
        """Is it made for this defence and detector? Its undefended control counts too."""
        defences = defence.keys() - {"output"}
        if self.keys > 1 or self.cover:
            return not defences
        if defence.get("output") == "label":  # nothing to average, to invert or to polish on
            return False
        if detector or (self.far > 1 and defence.get("output") != "logits"):
            return False
        if (self.estimate and not defences) or (self.repeats > 1 and defence.get("output")):
            return False
        made_for = {
            "inverse": {"reverse_sigmoid"} if is_invertible(**_reversing(defence)) else set(),
            "bayes": {"reverse_sigmoid"},
            "label": {"mad"},
            "": {"noise"} if self.repeats > 1 else {"noise", "decimals", "top"},
        }
        return defences <= made_for[self.estimate]


def _reversing(defence: dict[str, Any]) -> dict[str, float]:
    return defence.get("reverse_sigmoid", {"beta": 0.0, "gamma": 1.0})


# ---- what stood behind an answer


def is_invertible(beta: float, gamma: float) -> bool:
    """Does the reverse sigmoid grow everywhere?  γ ≥ 1 and β γ < 1: its slope is at least 1 - β γ.

    With γ < 1 it falls where y is near 0 or 1, and several y have one answer.
    """
    return gamma >= 1 and beta * gamma < 1


def unreversed(answers: Array, beta: float, gamma: float) -> Array:
    """The probabilities behind a reverse sigmoid, exactly. (n, K) -> (n, K).

        ỹ_k = g(y_k) / S,   g(y) = y - β (σ(γ logit y) - ½),   S = Σ g(y_k) unknown

    g grows, so y_k = g⁻¹(S ỹ_k), and Σ_k g⁻¹(S ỹ_k) grows with S: bisect S until the sum is 1.
    Raises ValueError where g does not grow: take `bayes` there.
    Source: inverts Lee et al. 2019, equations 3 and 4.
    """
    if not is_invertible(beta, gamma):
        raise ValueError(f"expected gamma >= 1 and beta gamma < 1, got {beta}, {gamma}; use bayes")
    y = F.sigmoid(GRID)
    g = y - beta * (F.sigmoid(gamma * GRID) - 0.5)
    low = np.zeros((len(answers), 1))
    high = np.full_like(low, 1.0 + answers.shape[1])
    for _ in range(HALVINGS):
        scale = (low + high) / 2
        above = np.interp(scale * answers, g, y).sum(axis=1, keepdims=True) > 1
        low, high = np.where(above, low, scale), np.where(above, scale, high)
    probs = np.interp(scale * answers, g, y)
    return probs / probs.sum(axis=1, keepdims=True)


def bayes(answers: Array, defend: Callable[[Array], Array], rng: Rng) -> Array:
    """The mean of the probabilities that may stand behind each answer. (n, K) -> (n, K).

        E[y | ỹ]  ≈  mean of y_j over the 20 simulated answers D(y_j) that are nearest to ỹ
        y_j = softmax(s_j z_j),   z_j ~ N(0, I),   s_j log-uniform: some unsure, some very sure

    D treats all classes alike, so that both sides are sorted by the answer first: one simulation
    serves all orders. Asks nothing. It needs no inverse, and takes noise and rounding as they are.
    Source: regression on simulations, Beaumont, Zhang and Balding 2002.
    """
    rng, classes = np.random.default_rng(rng), answers.shape[1]
    sharp = np.exp(rng.uniform(math.log(SHARPNESS[0]), math.log(SHARPNESS[1]), (DRAWS, 1)))
    y = F.softmax(sharp * rng.normal(size=(DRAWS, classes)))
    simulated = defend(y)
    order = np.argsort(-simulated, axis=1)
    tree = KDTree(np.take_along_axis(simulated, order, axis=1))
    y = np.take_along_axis(y, order, axis=1)
    order = np.argsort(-answers, axis=1, kind="stable")
    _, nearest = tree.query(np.take_along_axis(answers, order, axis=1), NEAREST)
    estimates = np.empty(answers.shape)
    np.put_along_axis(estimates, order, y[nearest].mean(axis=1), axis=1)
    return estimates


def estimator(
    adaptation: Adaptation, defence: dict[str, Any], rng: Rng
) -> Callable[[Array], Array] | None:
    """answers (n, K) -> estimated probabilities, for a defence; None to take them as they come."""
    if not adaptation.estimate or not defence.keys() - {"output"}:
        return None
    if adaptation.estimate == "label":
        return lambda answers: one_hot(answers.argmax(axis=1), answers.shape[1])
    numbers = defence["reverse_sigmoid"]
    if adaptation.estimate == "inverse":
        return lambda answers: unreversed(answers, **numbers)
    return lambda answers: bayes(answers, partial(responses.reverse_sigmoid, **numbers), rng)


# ---- asking


class AdaptedOracle:
    """An oracle as the adapted thief reads it. It counts all queries, those of the cover too.

    estimate : of `estimator`; cover : (m, d) ordinary rows, taken in turn
    rows, answers : what was asked, (n, d), and came back, (n, K), without the cover
    """

    def __init__(
        self,
        oracle: Oracle,
        adaptation: Adaptation,
        estimate: Callable[[Array], Array] | None,
        cover: Array,
    ):
        self.oracle, self.adaptation, self.estimate = oracle, adaptation, estimate
        self.cover, self.covered = cover, 0
        self.output = oracle.output if estimate is None else "probs"
        self.asked: list[tuple[Array, Array]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.oracle, name)

    def query(self, x: Array) -> Array:
        """Answers to rows x (n, d), averaged and estimated. Costs n · repeats · (1 + cover)."""
        repeats, beside = self.adaptation.repeats, self.adaptation.cover
        x = np.asarray(x).reshape(len(x), -1)
        stream = np.repeat(x, repeats, axis=0)[:, None]  # (n r, 1, d)
        if beside:
            places = (self.covered + np.arange(len(stream) * beside)) % len(self.cover)
            self.covered += len(places)
            others = self.cover[places].reshape(len(stream), beside, -1).astype(x.dtype)
            stream = np.concatenate([stream, others], axis=1)  # (n r, 1 + cover, d)
        answers = self.oracle.query(stream.reshape(-1, x.shape[1]))[:: 1 + beside]  # (n r, K)
        if self.output == "label":
            answers = answers[::repeats]
        elif repeats > 1:
            answers = answers.reshape(len(x), repeats, -1).mean(axis=1)
        self.asked.append((x, answers))
        return answers if self.estimate is None else self.estimate(answers)


class Keys:
    """Several accounts, each with a detector of its own; row i is asked through key i mod k.

    alarm, first_alarm, queries : as of a `Detector`, in queries of all keys together. The thief is
        taken to be blocked at the first alarm of any key
    """

    def __init__(self, keys: int, delta: float = DELTA):
        self.detectors, self.queries = [Detector(delta) for _ in range(keys)], 0

    def observe(self, x: Array, labels: np.ndarray) -> None:
        """See a batch of rows (n, d) and classes (n,)."""
        key = (self.queries + np.arange(len(x))) % len(self.detectors)
        self.queries += len(x)
        for i, detector in enumerate(self.detectors):
            if (key == i).any():
                detector.observe(x[key == i], labels[key == i])

    @property
    def first_alarm(self) -> int | None:
        """Queries of all keys when the first of them was noticed: m of key i are k (m - 1) + i."""
        keys = len(self.detectors)
        alarms = [
            keys * (detector.first_alarm - 1) + i + 1
            for i, detector in enumerate(self.detectors)
            if detector.first_alarm is not None
        ]
        return min(alarms, default=None)

    @property
    def alarm(self) -> bool:
        """Was any key noticed?"""
        return self.first_alarm is not None


# ---- polishing


def polished(copy: Network, oracle: AdaptedOracle, defence: dict[str, Any], rng: Rng) -> Network:
    """The copy, polished on nine tenths of the answers, if that fits the last tenth better.

    Estimates take the place of answers where there are any; noise of N(0, s²) averaged over r
    answers counts as s / √r; what rounding does, and which of the top-k are unknown, `polish` reads
    off the answers. With `far` as many rows are asked R times as far out, at the same noise.
    A copy that has more weights than there are numbers stays as it is.
    """
    x, answers = (np.concatenate(parts) for parts in zip(*oracle.asked, strict=True))
    far = oracle.adaptation.far
    if far > 1:
        x = np.concatenate([x, far * x])
        answers = np.concatenate([answers, oracle.oracle.query(far * x[: len(answers)])])
    output = oracle.output
    if oracle.estimate is not None:
        answers = oracle.estimate(answers)
    noise = SIGMA
    if "noise" in defence:
        noise = defence["noise"]["scale"] / math.sqrt(oracle.adaptation.repeats)
    held = np.arange(len(x)) % HELD == 0
    try:
        better = polish(
            copy, x[~held], answers[~held], output=output, noise=noise, steps=STEPS, rng=rng
        ).model
    except ValueError:  # fewer numbers than weights
        return copy
    return min((copy, better), key=lambda each: misfit(each, x[held], answers[held], output))


def misfit(copy: Network, x: Array, answers: Array, output: str) -> float:
    """Root mean square of answers - copy's answers; zeros of top-k are unknown and left out."""
    own = copy.logits(x) if output == "logits" else copy.probs(x)
    seen = answers > 0 if output == "top_k" else np.isfinite(answers)
    return rms((answers - own)[seen])
