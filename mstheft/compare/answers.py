"""What two networks answer on the same rows, checked: scores, labels, differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mstheft.compare.parameters import same_ends
from mstheft.nn.network import Network
from mstheft.typing import Array

Answers = Network | Callable[[Any], Any]


def both(f: Answers, g: Answers, x: Any, labels: bool = False) -> tuple[Array, Array]:
    """Scores of both on rows x, (n, K) each; for labels one score is as good as two."""
    binary = False
    if isinstance(f, Network) and isinstance(g, Network):
        binary = labels and {f.outputs, g.outputs} == {1, 2} and f.inputs == g.inputs
        if not binary:
            same_ends(f, g)
    x = np.asarray(x)
    if x.ndim < 2 or len(x) == 0:
        raise ValueError(
            f"expected rows (n, d) with n >= 1, got shape {x.shape}; a single input goes in as "
            "x[None]"
        )
    first, second = _scores(f, x), _scores(g, x)
    if first.shape != second.shape and not binary:
        raise ValueError(
            f"expected answers of one shape, got {first.shape} and {second.shape}; "
            "compare networks of the same classes"
        )
    return first, second


def _scores(f: Answers, x: Any) -> Array:
    if isinstance(f, Network):
        scores = f.logits(x.reshape(len(x), -1))
    elif callable(f):
        scores = np.asarray(f(x))
    else:
        raise ValueError(
            f"expected a Network or a callable (n, d) -> (n, K), got {type(f).__name__}; "
            "wrap it in a function"
        )
    if scores.ndim != 2 or len(scores) != len(x) or scores.dtype.kind not in "fiu":
        raise ValueError(
            f"expected ({len(x)}, K) real scores for {len(x)} rows, got shape {scores.shape} of "
            f"{scores.dtype}; return one row of scores per input"
        )
    if np.isnan(scores).any():
        raise ValueError("expected scores without NaN, got NaN; check the rows and the network")
    return scores.astype(np.float64)


def labels(scores: Array) -> np.ndarray:
    """The class of each row of scores (n, K), (n,); with K = 1, 1 where the score is above 0."""
    return (scores[:, 0] > 0).astype(np.int64) if scores.shape[1] == 1 else scores.argmax(axis=1)


def right(labels: Any, n: int) -> np.ndarray:
    """The right classes of n rows, (n,). Raises `ValueError` for anything else."""
    labels = np.asarray(labels)
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"expected labels as ({n},) whole numbers, got shape {labels.shape} of "
            f"{labels.dtype}; give one class per row"
        )
    return labels


def apart(first: Array, second: Array, gauge: bool = False) -> Array:
    """|Δlogit|, (n, K)."""
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("expected finite logits, got infinite ones; compare labels instead")
    if gauge:
        if first.shape[1] < 2:
            raise ValueError("expected two or more classes with gauge=True, got 1; leave it out")
        first, second = (z - z.mean(axis=1, keepdims=True) for z in (first, second))
    return np.abs(first - second)
