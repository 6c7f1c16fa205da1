"""HODA: thieves ask what the victim found hard to learn.

The network as it was after each epoch of its training is a *subclassifier*. People's questions are
like the training data: most were settled after the first epochs. Photographs of other things, noise
and rows that a strategy chose change their class until late. PRADA measures how far a question lies
from others; HODA how long the victim would have hesitated, so it can see an ActiveThief.

    1. keep the network of every epoch                      subclassifiers
    2. hardness of a row: from which epoch on its class stays   hardness
    3. compare 100 questions with honest ones               pearson_distance
    4. alarm beyond what honest users reach                 Detector

Source: Sadeghzadeh, Sobhanian, Dehghan and Jalili 2021, arXiv 2106.11424.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mstheft.defend.prada_distance import GrowingArray
from mstheft.nn.fit import fit
from mstheft.nn.network import Network
from mstheft.nn.optim import Adam
from mstheft.typing import Array, Rng

WINDOW = 100  # questions whose histogram is compared
DRAWN = 1000  # windows of honest rows that set the threshold
FALSE_ALARMS = 0.001  # share of honest windows that are flagged


def subclassifiers(
    network: Network, x: Array, y: np.ndarray, *, epochs: int, rng: Rng, **training: Any
) -> list[Network]:
    """Train a network in place, and keep a copy of it after every epoch.

    training : for `nn.fit.fit`, such as batch=50. Returns `epochs` networks, the last the victim.
    """
    training = {"optimizer": Adam(), **training, "rng": np.random.default_rng(rng)}
    saved = []
    for _ in range(epochs):
        fit(network, x, y, epochs=1, **training)
        saved.append(network.copy())
    return saved


def hardness(saved: Sequence[Network], x: Array) -> np.ndarray:
    """From which subclassifier on the class of each row stays the same. (n, d) -> (n,).

        φ(x) = min { i : argmax f_j(x) = argmax f_m(x) for all j ≥ i }

    saved : f_0 … f_m, the last being the victim; φ is 0 … m, m where f_{m-1} still said otherwise
    """
    labels = np.array([network.labels(x) for network in saved])  # (m + 1, n)
    differs = labels != labels[-1]
    last = len(saved) - np.argmax(differs[::-1], axis=0)  # one after the last that differs
    return np.where(differs.any(axis=0), last, 0)


def histogram(degrees: ArrayLike, size: int) -> Array:
    """Share of the rows of each hardness 0 … size-1. (n,) -> (size,)."""
    degrees = np.asarray(degrees)
    return np.bincount(degrees, minlength=size) / len(degrees)


def pearson_distance(a: Array, b: Array) -> float:
    """1 - correlation of two histograms, 0 … 2; a flat one has none, and is at distance 1."""
    a, b = a - a.mean(), b - b.mean()
    lengths = np.sqrt((a @ a) * (b @ b))
    return float(1 - a @ b / lengths) if lengths > 0 else 1.0


class Detector:
    """Raises an alarm when 100 questions are harder, or easier, than honest ones ever are.

    The threshold is the distance that one in 1,000 windows drawn from honest rows exceeds: the
    windows of a stream do not overlap, so a user of 10,000 questions has a tenth of a false alarm.

    saved : the subclassifiers, the last the victim; a few of them spread over training will do
    honest : (n, d) rows of the victim's kind that it was not trained on, some 1,000
    queries : rows seen;  distances : of each whole window so far
    alarm, first_alarm : has there been one, and after how many queries. It stays on

    A monitor of an `Oracle`, or used alone. Costs a pass through every subclassifier a query.
    """

    def __init__(
        self,
        saved: Sequence[Network],
        honest: Array,
        *,
        window: int = WINDOW,
        false_alarms: float = FALSE_ALARMS,
        rng: Rng = None,
    ):
        if len(saved) < 3:
            raise ValueError(f"expected 3 subclassifiers or more, got {len(saved)}; train longer")
        if len(honest) < window:
            raise ValueError(f"expected {window} honest rows or more, got {len(honest)}; add some")
        if not 0 < false_alarms < 1:
            raise ValueError(f"expected 0 < false_alarms < 1, got {false_alarms}; 0.001 is usual")
        self.saved, self.window, self.queries = list(saved), window, 0
        degrees = hardness(self.saved, honest)
        self.honest, rng = histogram(degrees, len(saved)), np.random.default_rng(rng)
        drawn = [self.distance(rng.choice(degrees, window)) for _ in range(DRAWN)]
        self.threshold = float(np.quantile(drawn, 1 - false_alarms))
        self._degrees, self._distances = np.empty(0, np.int64), GrowingArray()

    def distance(self, degrees: ArrayLike) -> float:
        """Between the histogram of these degrees of hardness and that of the honest rows."""
        return pearson_distance(histogram(degrees, len(self.saved)), self.honest)

    def observe(self, x: ArrayLike, labels: ArrayLike = ()) -> None:
        """See rows (n, d) or (n, …); the labels of the victim are found again here."""
        x = np.asarray(x)
        degrees = np.concatenate([self._degrees, hardness(self.saved, x.reshape(len(x), -1))])
        self.queries += len(x)
        whole = len(degrees) - len(degrees) % self.window
        windows = degrees[:whole].reshape(-1, self.window)
        self._distances.extend([self.distance(each) for each in windows])
        self._degrees = degrees[whole:]

    @property
    def distances(self) -> Array:
        """Of every whole window so far, in order."""
        return self._distances.values.copy()

    @property
    def first_alarm(self) -> int | None:
        """Number of queries after which an attack was first flagged."""
        flagged = np.flatnonzero(self._distances.values > self.threshold)
        return int((flagged[0] + 1) * self.window) if len(flagged) else None

    @property
    def alarm(self) -> bool:
        """Has an attack been flagged?"""
        return self.first_alarm is not None
