"""All kinks of a line, the slow and obvious way."""

from __future__ import annotations

import numpy as np

from mstheft.direct.answers.reader import read, reader
from mstheft.direct.line.probe import OPEN, bends_everywhere
from mstheft.typing import Array, Oracle

ROUNDING = 8 * np.finfo(float).eps
GOLDEN = (1 + 5**0.5) / 2


def bisect(
    oracle: Oracle, start: Array, direction: Array, *, low: float, high: float, width: float = 1e-9
) -> Array:
    """All kinks for low < t < high, the slow and obvious way: divide whatever is not straight.

    An interval is straight when the answers at a quarter, a half and three quarters of it lie on
    the chord. What is not is divided until it is shorter than `width`, in the golden ratio, so that
    no simple number lies on an edge. Costs 5 queries per division: 250 per kink between ±20.
    Returns (n,) sorted positions, exact to `width`.
    Raises `ExtractionError` where the answers bend everywhere.
    """
    start, direction = np.asarray(start, float), np.asarray(direction, float)
    oracle = reader(oracle, start, direction)
    kinks: list[float] = []
    stack = [(float(low), float(high))]
    while stack:
        left, right = stack.pop()
        t = left + np.array([0, 0.25, 0.5, 0.75, 1]) * (right - left)
        f = read(oracle, start + np.multiply.outer(t, direction))
        chord = f[0] + np.multiply.outer([0.25, 0.5, 0.75], f[4] - f[0])
        far = max(abs(left), abs(right))
        steep = np.abs(f[4] - f[0]).max() / (right - left) * far  # what the rounding of t does
        rounding = max(oracle.noise * (1 + far), ROUNDING * float(np.abs(f).max() + steep))
        if np.abs(f[1:4] - chord).max() <= 4 * rounding:
            continue
        middle = left + (right - left) / GOLDEN
        if right - left < width or not left < middle < right:
            kinks.append(middle)
        else:
            stack += [(left, middle), (middle, right)]
        if len(kinks) > OPEN:
            raise bends_everywhere(oracle.noise)
    return np.sort(np.array(kinks))
