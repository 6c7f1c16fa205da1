"""What the makers of synthetic data share: types, labels, and the words for a wrong argument."""

from __future__ import annotations

import numpy as np

Cloud = tuple[np.ndarray, np.ndarray]


def labels(n: int, classes: int, rng: np.random.Generator) -> np.ndarray:
    """Labels 0 ... classes - 1 in random order, equally frequent up to rounding: (n,) int64."""
    require(n >= 1, f"n must be at least 1 point; got {n}")
    require(classes >= 2, f"classes must be at least 2; got {classes}")
    return rng.permutation(np.arange(n, dtype=np.int64) % classes)


def require(holds: bool, sentence: str) -> None:
    """Turn a broken condition on an argument into a ValueError."""
    if not holds:
        raise ValueError(sentence)
