"""Two networks on given rows: how often the labels are equal, how far the logits are apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mstheft.nn.network import Network
from mstheft.typing import Array

Answers = Network | Callable[[Array], ArrayLike]


def agreement(f: Answers, g: Answers, x: ArrayLike) -> float:
    """Share of rows on which the labels agree: (1/n) Σ_i [argmax f(x_i) = argmax g(x_i)].

    f, g : Networks, or callables (n, d) -> (n, K) scores; with K = 1 a score above 0 is class 1
    x : (n, d)
    """
    first, second = scores_of(f, g, x, labels=True)
    return float((labels_of(first) == labels_of(second)).mean())


def control(victim: Answers, independent: Answers, x: ArrayLike) -> float:
    """Agreement that is reached without theft: of the victim and a network trained without it.

    Two networks that solve one task well agree on most of its inputs. The copy has learned from
    the victim's answers only the part of its agreement that is above this number.

    independent : trained on the task's own labels, with the copy's architecture and as many
        samples; this function cannot check that
    x : (n, d) the rows on which the copy is judged
    """
    if independent is victim:
        raise ValueError("expected a network trained without the victim, got the victim")
    return agreement(victim, independent, x)


class Difference(NamedTuple):
    """max and mean of |Δlogit| over rows and classes, in logits."""

    max: float
    mean: float


def logit_difference(f: Answers, g: Answers, x: ArrayLike, *, gauge: bool = False) -> Difference:
    """How far the logits of f and g are apart on rows x, (n, d).

    gauge : subtract the mean over classes from both first (K ≥ 2). Probabilities do not depend on
        it, so a copy stolen from probabilities cannot know it
    """
    apart = differences(*scores_of(f, g, x), gauge=gauge)
    return Difference(float(apart.max()), float(apart.mean()))


def scores_of(f: Answers, g: Answers, x: ArrayLike, labels: bool = False) -> tuple[Array, Array]:
    """Scores of both on rows x (n, d): (n, K) each.

    labels : True if only labels are compared; then one of them may have K = 1 and the other K = 2
    Raises ValueError for answers that cannot be compared.
    """
    x = np.asarray(x)
    if x.ndim < 2 or len(x) == 0:
        raise ValueError(f"expected rows (n, d) with n >= 1, got shape {x.shape}; try x[None]")
    first, second = _scores(f, x), _scores(g, x)
    binary = labels and {first.shape[1], second.shape[1]} == {1, 2}
    if first.shape != second.shape and not binary:
        raise ValueError(f"expected answers of one shape, got {first.shape} and {second.shape}")
    return first, second


def _scores(f: Answers, x: Array) -> Array:
    scores = f.logits(x.reshape(len(x), -1)) if isinstance(f, Network) else np.asarray(f(x))
    if scores.ndim != 2 or len(scores) != len(x) or scores.dtype.kind not in "fiu":
        got = f"shape {scores.shape} of {scores.dtype}"
        raise ValueError(f"expected ({len(x)}, K) real scores for {len(x)} rows, got {got}")
    if np.isnan(scores).any():
        raise ValueError("expected scores without NaN, got NaN; check the rows and the network")
    return scores.astype(np.float64)


def labels_of(scores: Array) -> np.ndarray:
    """The class of each row of scores (n, K), (n,); with K = 1, 1 where the score is above 0."""
    return (scores[:, 0] > 0).astype(np.int64) if scores.shape[1] == 1 else scores.argmax(axis=1)


def differences(first: Array, second: Array, gauge: bool = False) -> Array:
    """|Δlogit|, (n, K); with `gauge` after the mean over classes is subtracted from both."""
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("expected finite logits, got infinite ones; compare labels instead")
    if gauge and first.shape[1] < 2:
        raise ValueError("expected two or more classes with gauge=True, got 1; leave it out")
    if gauge:
        first, second = (z - z.mean(axis=1, keepdims=True) for z in (first, second))
    return np.abs(first - second)
