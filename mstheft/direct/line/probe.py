"""A line and what is asked on it: answers, how exact each of them is, and what they show."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mstheft.direct.answers.reader import Reader, read
from mstheft.direct.line.pieces import Samples
from mstheft.errors import ExtractionError
from mstheft.typing import Array

OPEN = 4096  # pieces that mean: this is not piecewise linear
SAFE = 12, 4  # times a rounding that σ is at least, for answers that are exact, and others
TINY = 1e-100  # noise of answers that are all 0


@dataclass
class Line:
    """What is known about the answers along x(t) = start + t direction.

    start, direction : (d,) u and v
    t, answers : (m,) and (m, K), everything asked on the line, sorted by t
    kinks : (n,) positions t_i, sorted
    slopes : (n+1, K) slope of each piece, from left to right
    jumps : (n, K) g_i |a_i·v|, the change of slope at each kink
    unresolved : intervals in which something bends but no single kink could be made out
    noise : size of the noise in an answer at t = 0: three σ of the least exact output
    blurs : (m,) the same of every answer
    """

    start: Array
    direction: Array
    t: Array
    answers: Array
    kinks: Array
    slopes: Array
    jumps: Array
    unresolved: list[tuple[float, float]]
    noise: float
    blurs: Array

    def points(self, t: Array) -> Array:
        """x(t) as rows, (n,) -> (n, d)."""
        return self.start + np.multiply.outer(t, self.direction)


@dataclass
class Probe:
    """Asks on one line; `scale` is the size of the answers per unit of 1 + |t|, as far as seen."""

    oracle: Reader
    start: Array
    direction: Array
    scale: float = 0.0
    holes: list[float] = field(default_factory=list)

    def ask(self, t: Array) -> Samples:
        """Answers at positions t (n,); where they are no finite numbers there is no sample."""
        answers = read(self.oracle, self.start + np.multiply.outer(t, self.direction))
        finite = np.isfinite(answers).all(axis=1)
        self.holes += list(t[~finite])
        t, answers = t[finite], answers[finite]
        sizes = np.abs(answers).max(axis=1, initial=0.0) / (1 + np.abs(t))
        self.scale = max(self.scale, float(sizes.max(initial=0.0)))
        return Samples(t, answers.astype(float), self.sigma(t, answers))

    def is_noise(self, answers: Array) -> bool:
        """Do answers all along the line vary less than two beside each other?"""
        rounding = 100 * self.oracle.ulp * np.abs(answers).max() + 1e3 * TINY
        return bool(self.oracle.noise > max(np.ptp(answers, axis=0).max(), rounding))

    def sigma(self, t: Array, answers: Array) -> Array:
        """σ of answers at t, (m, K): of each, and what rounding of numbers of this size costs."""
        reach = 1 + np.abs(t)
        safe = SAFE[0] if self.oracle.is_exact else SAFE[1]
        least = safe * self.oracle.ulp * self.scale * reach[:, None] + TINY
        return np.maximum(self.oracle.sigma(answers, reach), least)


def bends_everywhere(noise: float) -> ExtractionError:
    """The error for a victim that is not piecewise linear."""
    return ExtractionError(
        "critical points",
        "expected answers that are piecewise linear along a line, up to rounding of about "
        f"{noise:.1g}, but they bend everywhere",
        "check that the victim is a ReLU network: a smooth one has no critical points",
    )
