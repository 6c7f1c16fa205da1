"""Toy clouds of points in the plane, and a linear task in any dimension."""

from __future__ import annotations

import numpy as np

from mstheft.typing import Rng

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


def blobs(n: int, *, classes: int = 3, rng: Rng) -> Cloud:
    """Draw round clouds N(m_k, I) whose centres m_k lie on a circle, 4 apart.

        m_k = r (cos a_k, sin a_k),   a_k = a_0 + 2 pi k / classes,   r = 2 / sin(pi / classes)

    Neighbours are 4 standard deviations apart for any number of classes, so that about
    2 % of the points lie nearer to a neighbour's centre than to their own, per neighbour.

    n : number of points;  classes : at least 2;  rng : Generator or int seed
    Returns x (n, 2) float64 and y (n,) int64, classes equally frequent.
    """
    rng = np.random.default_rng(rng)
    y = labels(n, classes, rng)
    angle = rng.uniform(0, 2 * np.pi) + 2 * np.pi * y / classes
    centre = 2 / np.sin(np.pi / classes) * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return centre + rng.standard_normal((n, 2)), y


def moons(n: int, *, noise: float = 0.1, rng: Rng) -> Cloud:
    """Draw two half circles that reach into each other, which no straight line separates.

        class 0: (cos a, sin a),   class 1: (1 - cos a, 1/2 - sin a),   0 <= a <= pi

    n : number of points;  noise : standard deviation, where the radius is 1
    Returns x (n, 2) float64 and y (n,) int64, classes equally frequent.
    """
    require(noise >= 0, f"noise is a standard deviation, at least 0; got {noise}")
    rng = np.random.default_rng(rng)
    y = labels(n, 2, rng)
    angle = rng.uniform(0, np.pi, n)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    x = np.where(y[:, None] == 0, upper, np.array([1.0, 0.5]) - upper)
    return x + noise * rng.standard_normal((n, 2)), y


def spirals(n: int, *, classes: int = 2, noise: float = 0.05, rng: Rng) -> Cloud:
    """Draw arms of a spiral, one a class, each wound around the others.

        (s cos a, s sin a),   a = 3 pi s + 2 pi k / classes,   0.1 <= s <= 1

    n : number of points;  classes : at least 2;  noise : standard deviation, where the
    longest radius is 1;  rng : Generator or int seed
    Returns x (n, 2) float64 and y (n,) int64, classes equally frequent.
    """
    require(noise >= 0, f"noise is a standard deviation, at least 0; got {noise}")
    rng = np.random.default_rng(rng)
    y = labels(n, classes, rng)
    radius = np.sqrt(rng.uniform(0.01, 1, n))  # the root spreads points evenly along an arm
    angle = 3 * np.pi * radius + 2 * np.pi * y / classes
    x = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return x + noise * rng.standard_normal((n, 2)), y


def linear(n: int, d: int, *, rng: Rng) -> Cloud:
    """Draw two clouds on either side of a hyperplane, which separates them almost.

        x ~ N(0, I) + (c ± 2) w,   |w| = 1,   y = 1 on the + side

    The best rule is <w, x> > c; the share of points it gets right is Phi(2) = 97.7 %.

    n : number of points;  d : inputs, at least 1;  rng : Generator or int seed
    Returns x (n, d) float64 and y (n,) int64, classes equally frequent.
    """
    require(d >= 1, f"d must be at least 1 input; got {d}")
    rng = np.random.default_rng(rng)
    w = rng.standard_normal(d)
    w /= np.linalg.norm(w)
    offset = rng.standard_normal()  # so that the bias of a model is worth stealing
    y = labels(n, 2, rng)
    return rng.standard_normal((n, d)) + (offset + 4 * y - 2)[:, None] * w, y
