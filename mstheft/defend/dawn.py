"""DAWN: a few answers are wrong by a secret key, and a copy that learned them gives itself away.

    1. a keyed hash of the question says whether its answer is changed, and how    Watermark.marked
    2. the same question always gets the same answer                               Watermark
    3. the owner asks a suspect those questions again                              Watermark.test

The service loses the changed share of its accuracy. A model that never saw an answer of it gives a
changed label no more often than the key does by chance: the test's p-value needs no assumption on
how that model was made.

Source: Szyller, Atli, Marchal and Asokan 2021, arXiv 1906.00830.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mstheft.typing import Array

SHARE = 0.005  # of the questions, in the paper
DECIMALS = 3  # of a question, before it is hashed: 0.5 and 0.5000001 are the same question
WHOLE = 2**64


class Verdict(NamedTuple):
    """What the owner's test says of a suspect.

    asked : marked questions;  matches : those on which the suspect gives the changed label
    p : chance of so many matches, or more, of a model that never saw an answer
    """

    asked: int
    matches: int
    p: float


class Watermark:
    """Changes a keyed share of the answers; an entry of an Oracle's `defences=`.

        u = hash(key, x) / 2⁶⁴ < share        the answer is changed
        ỹ_k = y_{(k - s) mod K}               s = 1 … K-1 from the hash as well: another label

    One watermark a client tells the owner whose answers a copy was made of. Keeps the simplex; the
    label of all but the share. A thief who asks neighbours of a row sees that it differs from them.

    key : secret bytes, 16 or more;  share : 0 … 1;  decimals : of the question that is hashed
    rows, labels : every marked question so far (n, d), and the label that was told (n,)
    """

    def __init__(self, key: bytes, share: float = SHARE, decimals: int = DECIMALS):
        if len(key) < 16:
            raise ValueError(f"expected a key of 16 bytes or more, got {len(key)}; secrets has one")
        if not 0 < share < 1:
            raise ValueError(f"expected 0 < share < 1, got {share}; 0.005 is usual")
        self.key, self.share, self.decimals = bytes(key), float(share), decimals
        self._marked: dict[bytes, tuple[Array, int]] = {}

    def __call__(self, probs: Array, x: Array) -> Array:
        """Probabilities (n, K) of rows (n, d) -> those that are told, (n, K)."""
        probs, classes = np.array(probs), np.shape(probs)[1]
        if classes < 3:
            raise ValueError(f"expected 3 classes or more, got {classes}; a test needs a choice")
        marked, shifts = self.marked(x, classes)
        for i in np.flatnonzero(marked):
            probs[i] = np.roll(probs[i], shifts[i])
            self._marked[self._hash(x[i])] = np.array(x[i]), int(probs[i].argmax())
        return probs

    def marked(self, x: Array, classes: int) -> tuple[np.ndarray, np.ndarray]:
        """Whose answers are changed (n,), and by how many classes s they are shifted (n,)."""
        hashes = [self._hash(row) for row in np.asarray(x)]
        u = np.array([int.from_bytes(each[:8], "big") / WHOLE for each in hashes])
        shifts = [1 + int.from_bytes(each[8:16], "big") % (classes - 1) for each in hashes]
        return u < self.share, np.array(shifts, np.int64)

    @property
    def rows(self) -> Array:
        """Every marked question that was answered, each once. (n, d)."""
        return np.array([row for row, _ in self._marked.values()])

    @property
    def labels(self) -> np.ndarray:
        """The changed label of each. (n,)."""
        return np.array([label for _, label in self._marked.values()], np.int64)

    def test(self, suspect: Callable[[Array], ArrayLike], classes: int) -> Verdict:
        """Ask a suspect the marked questions. suspect : rows (n, d) -> labels (n,)."""
        if not self._marked:
            raise ValueError("expected marked questions to ask, got none; the client asked too few")
        matches = int((np.asarray(suspect(self.rows)) == self.labels).sum())
        return Verdict(len(self.labels), matches, p_value(matches, len(self.labels), classes))

    def _hash(self, row: Array) -> bytes:
        rounded = np.round(np.asarray(row, np.float64).ravel(), self.decimals) + 0.0  # no -0.0
        return hmac.digest(self.key, rounded.astype("<f8").tobytes(), "sha256")


def p_value(matches: int, asked: int, classes: int) -> float:
    """P(X ≥ matches) for X ~ Binomial(asked, 1/(K-1)).

    The key draws the changed label from the K-1 other ones alike. A label that does not depend on
    the key therefore matches with probability 1/(K-1) at most: it may be the victim's own, and then
    it never matches. The paper has 1/K, for a label that is drawn from all.
    """
    from scipy.special import betainc

    return 1.0 if matches == 0 else float(betainc(matches, asked - matches + 1, 1 / (classes - 1)))
