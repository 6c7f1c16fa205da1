"""Texts and files, which have no small changes, changed one edit at a time.

    x_0 = x,     x_{t+1} = argmin { s(x') :  x' one edit away from x_t }

s is the score of a guide, usually a copy of the attacked filter: high where the guide sees harm.
Random edits are the control: they show how much the choice of the edits matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from mstheft import progress
from mstheft.nn.network import Network
from mstheft.typing import Array, Rng

Score = Callable[[Array], Array]  # (m, d) -> (m,)
ROWS = 20_000  # candidates scored together


class Edits(Protocol):
    """The edits that are allowed."""

    def candidates(self, row: Array) -> Array:
        """Every row that is one edit away: (d,) -> (m, d), m = 0 where no edit is possible."""

    def draw(self, row: Array, rng: np.random.Generator) -> Array:
        """One of the candidates at random; the row itself where there are none."""


class Additions:
    """Features of 0 and 1 of which any may be added and none removed: x_j from 0 to 1.

    A program keeps working when it gets an import that it never calls, or a section or a string
    that it never reads.
    """

    def candidates(self, row: Array) -> Array:
        """One row for each feature that is not there yet."""
        absent = np.flatnonzero(row == 0)
        rows = np.repeat(row[None], len(absent), axis=0)
        rows[np.arange(len(absent)), absent] = 1
        return rows

    def draw(self, row: Array, rng: np.random.Generator) -> Array:
        """One feature more."""
        absent, row = np.flatnonzero(row == 0), row.copy()
        if len(absent):
            row[rng.choice(absent)] = 1
        return row


class Words:
    """A word put in the place of another, or after the last one where the text has room.

    words : (w,) the word numbers that may be used. Rows are texts (length,) of word numbers,
        filled with 0 at their ends
    """

    def __init__(self, words: ArrayLike):
        self.words = np.unique(np.asarray(words, np.int64))
        if not len(self.words) or self.words[0] < 1:
            raise ValueError(f"expected word numbers above 0, one at least, got {self.words[:3]}")

    def candidates(self, row: Array) -> Array:
        """One row for each place and each word other than the one there."""
        places, new = np.meshgrid(np.arange(_places(row)), self.words, indexing="ij")  # (p, w)
        rows = np.repeat(row[None], places.size, axis=0)
        rows[np.arange(places.size), places.ravel()] = new.ravel()
        return rows[(rows != row).any(axis=1)]  # without the row itself

    def draw(self, row: Array, rng: np.random.Generator) -> Array:
        """A random place, and a random word other than the one there."""
        row, place = row.copy(), rng.integers(_places(row))
        others = self.words[self.words != row[place]]
        if len(others):
            row[place] = rng.choice(others)
        return row


def _places(row: Array) -> int:
    """Places of a text that may get a word: those of its words, and the one after the last."""
    taken = np.flatnonzero(row)
    return min(int(taken[-1]) + 2 if len(taken) else 1, len(row))


@dataclass(frozen=True)
class Path:
    """Rows after 0, 1, 2, … edits.

    rows : (edits + 1, n, d); scores : (edits + 1, n) by the guide, NaN where there was none
    """

    rows: Array
    scores: Array

    def until(self, passed: Array) -> tuple[np.ndarray, Array]:
        """Stop each row as soon as it passes: its number of edits (n,), and the rows (n, d).

        passed : (edits + 1, n) bool; a row that never passes gets all edits
        """
        steps = np.where(passed.any(axis=0), passed.argmax(axis=0), len(passed) - 1)
        return steps, self.after(steps)

    def after(self, steps: np.ndarray) -> Array:
        """Each row after a number of edits of its own: (n,) -> (n, d)."""
        return self.rows[steps, np.arange(self.rows.shape[1])]


def margin(network: Network, harmful: int) -> Score:
    """The score z_harmful - max of the other logits, or ± z for one logit: above 0 for harm."""

    def score(x: Array) -> Array:
        logits = network.logits(x)
        if logits.shape[1] == 1:
            return logits[:, 0] if harmful == 1 else -logits[:, 0]
        others = np.delete(logits, harmful, axis=1)
        return logits[:, harmful] - others.max(axis=1)

    return score


def greedy(score: Score, x: Array, edits: Edits, count: int) -> Path:
    """Up to `count` edits of each row, each the edit that lowers the score most.

    A row stays as it is if no edit lowers its score. For a linear score the result is the best set
    of additions; in general it need not be.

    score : (m, d) -> (m,); x : (n, d)
    Costs a score for every candidate of every row and edit, and no query.
    Source: for words Papernot et al. 2016 ('Crafting adversarial input sequences') and Ebrahimi
    et al. 2018; for files Grosse et al. 2017, who choose by the gradient.
    """
    rows = [np.array(x)]
    scores = [np.asarray(score(rows[0]), float)]
    with progress.bar("edits", count * len(x), "edit") as bar:
        for _ in range(count):
            now, best = rows[-1].copy(), scores[-1].copy()
            for batch in _batches(now, edits):
                _improve(score, now, best, batch)
                bar.update(len(batch))
            rows.append(now)
            scores.append(best)
    return Path(np.stack(rows), np.stack(scores))


def at_random(x: Array, edits: Edits, count: int, rng: Rng) -> Path:
    """The control: `count` random edits of each row."""
    rng, rows = np.random.default_rng(rng), [np.array(x)]
    for _ in range(count):
        rows.append(np.array([edits.draw(row, rng) for row in rows[-1]]))
    return Path(np.stack(rows), np.full((count + 1, len(x)), np.nan))


def harmless(score: Score, texts: Array, words: ArrayLike, count: int) -> np.ndarray:
    """The `count` words that lower the score most, on average, when added at the end of a text.

    A first choice of words for `greedy`, which tries each of them at every place. For a bag of
    words with a linear score they are the words of least weight, if no text has them yet.

    texts : (n, length) some that are to be changed; words : (w,) to choose from
    Returns (count,) word numbers, the lowest score first. Costs n w scores.
    """
    words = np.asarray(words)
    last = np.array([_places(row) - 1 for row in texts])
    means = np.empty(len(words))
    step = max(1, ROWS // len(texts))
    for start in range(0, len(words), step):
        part = words[start : start + step]
        rows = np.repeat(texts[None], len(part), axis=0)  # (words, n, length)
        rows[:, np.arange(len(texts)), last] = part[:, None]
        scores = score(rows.reshape(-1, texts.shape[1])).reshape(len(part), -1)  # (words, n)
        means[start : start + step] = scores.mean(axis=1)
    return words[np.argsort(means, kind="stable")[:count]]


Batch = list[tuple[int, Array]]


def _batches(rows: Array, edits: Edits) -> Iterator[Batch]:
    """Rows by number, with their candidates, as many together as can be scored at once."""
    batch: Batch = []
    size = 0
    for i, row in enumerate(rows):
        batch.append((i, edits.candidates(row)))
        size += len(batch[-1][1])
        if size >= ROWS:
            yield batch
            batch, size = [], 0
    yield batch


def _improve(score: Score, rows: Array, best: Array, batch: Batch) -> None:
    """Put each row's best candidate in its place, if it is better."""
    sizes = [len(each) for _, each in batch]
    if not sum(sizes):
        return
    scores = np.asarray(score(np.concatenate([each for _, each in batch])), float)
    parts = np.split(scores, np.cumsum(sizes)[:-1])  # one array of scores per row
    for (i, candidates), values in zip(batch, parts, strict=True):
        if len(values) and values.min() < best[i]:
            best[i] = values.min()
            rows[i] = candidates[values.argmin()]
