"""Which rows an oracle takes: any, those between two walls, or pictures of whole numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mstheft.typing import Array

PIXELS = "pixels"
BRIGHTEST = 255


class Allowed(NamedTuple):
    """Numbers from low to high; whole: only whole ones, to which rows are rounded."""

    low: float
    high: float
    whole: bool = False

    def __str__(self) -> str:
        kind = "whole numbers" if self.whole else "numbers"
        return f"{kind} from {self.low:g} to {self.high:g}"

    def rounded(self, rows: Array) -> Array:
        """As the victim sees them."""
        return np.round(rows) if self.whole else rows

    def takes(self, rows: Array) -> bool:
        """Are all of them between the walls?"""
        return bool(((rows >= self.low) & (rows <= self.high)).all())


def allowed(inputs: Any) -> Allowed | None:
    """What `inputs=` says of the numbers, None where it is a width or a shape.

    A shape has no number below 1, so that a pair which begins at 0 or below is two walls.
    """
    if isinstance(inputs, str):
        if inputs != PIXELS:
            raise ValueError(f"expected inputs= as {PIXELS!r}, walls or a shape, got {inputs!r}")
        return Allowed(0.0, float(BRIGHTEST), whole=True)
    if isinstance(inputs, tuple) and len(inputs) == 2 and is_below(inputs[0]):
        low, high = (float(each) for each in inputs)
        if not (np.isfinite([low, high]).all() and low < high):
            raise ValueError(f"expected walls inputs=(low, high), finite, low < high, got {inputs}")
        return Allowed(low, high)
    return None


def is_below(number: Any) -> bool:
    """A number that no shape has?"""
    return isinstance(number, int | float | np.number) and bool(number <= 0)
