"""PRADA's test: are these distances normally distributed?"""

from functools import lru_cache

import numpy as np

from mstheft.typing import Array

ENOUGH = 100  # more distances than this, or there is no test
# Royston 1995: by how much the two largest weights differ from m / ‖m‖, in powers of 1/√n
LAST = 0.0, 0.221157, -0.147981, -2.071190, 4.434685, -2.706056
LAST_BUT_ONE = 0.0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633


def normality(distances: np.ndarray) -> float | None:
    """Shapiro-Wilk's W, or None for 100 distances or fewer, or if all of them are equal.

        W = (Σ_i a_i d_(i))² / Σ_i (d_i - mean)²

    d_(i) are the distances in order and a_i what a normal sample would have there, scaled so that
    W = 1 for a perfect fit. Source: Shapiro and Wilk 1965; Royston 1995 for n up to 5000.
    """
    if len(distances) <= ENOUGH or distances.min() == distances.max():
        return None
    ordered = np.sort(distances) / np.abs(distances).max()  # squares stay within range
    centred = ordered - ordered.mean()
    return float((weights(len(ordered)) @ centred) ** 2 / (centred @ centred))


@lru_cache(maxsize=64)
def weights(n: int) -> Array:
    """The a_i, (n,), n > 5, with Σ a_i² = 1 and a_i = -a_{n+1-i}.

        m_i = Φ⁻¹((i - 3/8) / (n + 1/4)),   a ∝ m but for the two at either end

    Source: Royston 1995, algorithm AS R94.
    """
    from scipy.special import ndtri

    half = ndtri((np.arange(1, n // 2 + 1) - 0.375) / (n + 0.25))
    m = np.concatenate([half, np.zeros(n % 2), -half[::-1]])
    unit = m / np.sqrt(m @ m)
    ends = [np.polynomial.polynomial.polyval(n**-0.5, c) for c in (LAST_BUT_ONE, LAST)]
    last = unit[-2:] + ends  # a_{n-1}, a_n
    rest = m[2:-2]
    a = np.concatenate([-last[::-1], rest * np.sqrt((1 - 2 * last @ last) / (rest @ rest)), last])
    a.setflags(write=False)
    return a


def without_outliers(distances: np.ndarray) -> np.ndarray:
    """Those at most 3 (population) standard deviations from the mean."""
    if len(distances) == 0:
        return distances
    shares = distances / (distances.max() or 1.0)  # squares stay within range
    return distances[np.abs(shares - shares.mean()) <= 3 * shares.std()]
