"""The straight pieces of a line, seen through noise, and the kinks where they meet. No queries.

A decision is made against σ, the noise of each answer: samples belong to one piece if all of them
lie on one line within it, and two pieces meet in one kink if their lines cross between them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from mstheft.typing import Array

SURE = 5.0  # σ beyond √K by which the K answers at one t may miss
BESIDE = 2.0  # times what can be told apart: how far from a kink it is looked for
FINEST = 1e-11  # relative distance from a kink below which nothing is asked


@dataclass
class Samples:
    """Answers on a line, sorted by t: positions (m,), answers and their σ (m, K) each.

    fitted : pieces by their first t, their last, and their number of samples; no fit is done twice
    """

    t: Array
    answers: Array
    sigma: Array
    fitted: dict[tuple[float, float, int], Piece] = field(default_factory=dict)

    def part(self, first: int, last: int) -> Samples:
        """Samples first ≤ i < last."""
        return Samples(self.t[first:last], self.answers[first:last], self.sigma[first:last])

    def with_more(self, other: Samples) -> Samples:
        """Both, sorted; of two answers at one t the first."""
        t, order = np.unique(np.concatenate([self.t, other.t]), return_index=True)
        pairs = (self.answers, other.answers), (self.sigma, other.sigma)
        answers, sigma = (np.concatenate(pair)[order] for pair in pairs)
        return Samples(t, answers, sigma, self.fitted)


@dataclass
class Piece:
    """Samples first ≤ i < last, and the line through them, fitted output by output.

        f(t) = height + slope (t - centre),    variance of it:  v0 + v1 (t - centre)²

    centre, height, slope, v0, v1 : (K,) each; slope 0 and v1 infinite for a single sample
    is_straight : do all samples lie on it, up to their noise?
    """

    first: int
    last: int
    centre: Array
    height: Array
    slope: Array
    v0: Array
    v1: Array
    is_straight: bool = True

    def __len__(self) -> int:
        return self.last - self.first

    def at(self, t: float) -> Array:
        """f(t), (K,)."""
        return self.height + self.slope * (t - self.centre)

    def variance(self, t: float) -> Array:
        """How uncertain that is, (K,)."""
        return self.v0 + self.v1 * (t - self.centre) ** 2


def level(outputs: int) -> float:
    """|r/σ| up to which K numbers r are noise: √K is its size, and SURE more never happen."""
    return float(np.sqrt(outputs) + SURE)


def fit_piece(samples: Samples, first: int, last: int) -> Piece:
    """The line through some samples by least squares, each weighed by 1/σ²."""
    key = float(samples.t[first]), float(samples.t[last - 1]), last - first
    if key not in samples.fitted:
        samples.fitted[key] = _fit(samples.part(first, last))
    return replace(samples.fitted[key], first=first, last=last)


def _fit(part: Samples) -> Piece:
    weight = part.sigma**-2.0  # (m, K)
    total = weight.sum(axis=0)
    centre = (weight * part.t[:, None]).sum(axis=0) / total
    height = (weight * part.answers).sum(axis=0) / total
    if len(part.t) == 1:
        return Piece(0, 1, centre, height, np.zeros_like(height), 1 / total, np.inf / total)
    away = part.t[:, None] - centre
    spread = (weight * away**2).sum(axis=0)
    slope = (weight * away * (part.answers - height)).sum(axis=0) / spread
    off = np.linalg.norm((part.answers - height - slope * away) / part.sigma, axis=1)
    straight = bool((off <= level(len(height))).all())
    return Piece(0, len(part.t), centre, height, slope, 1 / total, 1 / spread, straight)


def straight_pieces(samples: Samples) -> list[Piece]:
    """From left to right, each as long as its samples lie on one line.

    Two samples always do. Where the second of a pair lies on a line with the two behind it, it is
    theirs, and the first stands alone.
    """
    pieces, first, n = [], 0, len(samples.t)
    while first < n:
        last = min(first + 2, n)
        while last < n and fit_piece(samples, first, last + 1).is_straight:
            last += 1
        pair = last == first + 2 and last + 2 <= n
        if pair and fit_piece(samples, first + 1, last + 2).is_straight:
            last -= 1
        pieces.append(fit_piece(samples, first, last))
        first = last
    return pieces


@dataclass
class Meeting:
    """Where the lines of two pieces cross.

    t : Σ over the outputs, each weighed by its variance; error : its standard deviation
    jump : (K,) change of slope
    miss : |Δ| / its σ at t, over the K outputs: about √K if the two meet in one kink
    visible : the distance at which a jump of this size is one σ of an answer
    """

    t: float
    error: float
    jump: Array
    miss: float
    visible: float

    @property
    def beside(self) -> float:
        """So far from the kink an answer tells on which side of it it lies."""
        least = BESIDE * level(len(self.jump)) * self.visible + 3 * self.error
        return max(least, FINEST * (1 + abs(self.t)))

    @property
    def is_sharp(self) -> bool:
        """Are both lines known well enough here to place a kink?"""
        return 3 * self.error <= 2 * BESIDE * level(len(self.jump)) * self.visible


def meet(samples: Samples, left: Piece, right: Piece) -> Meeting | None:
    """Where two neighbouring pieces meet; None for parallel lines, or those of single samples."""
    low, high = samples.t[left.last - 1], samples.t[right.first]
    jump, middle = right.slope - left.slope, (low + high) / 2
    if min(len(left), len(right)) < 2 or not jump.any():
        return None
    variance = left.variance(middle) + right.variance(middle)
    apart = right.at(middle) - left.at(middle)
    t = middle - float((jump * apart / variance).sum() / (jump**2 / variance).sum())
    variance = left.variance(t) + right.variance(t)
    sigma = np.maximum(samples.sigma[left.last - 1], samples.sigma[right.first])
    return Meeting(
        t,
        error=float(1 / np.linalg.norm(jump / np.sqrt(variance))),
        jump=jump,
        miss=float(np.linalg.norm((right.at(t) - left.at(t)) / np.sqrt(variance))),
        visible=float(1 / np.linalg.norm(jump / sigma)),
    )


def two_kinks(
    samples: Samples, left: Piece, single: Piece, right: Piece
) -> tuple[Meeting, Meeting] | None:
    """Two kinks with one sample between them, found from that one answer.

        the middle line through (x, f) has slope  s_l + (f - l(x)) α  =  s_r - (f - r(x)) β
        (f - l(x)) α + (f - r(x)) β  =  s_r - s_l,      t_1 = x - 1/α,  t_2 = x + 1/β

    K equations for two unknowns: from four outputs on, those left over tell whether it is so.
    l, r : the lines of the pieces left and right of the sample
    """
    x, f, sigma = (each[single.first] for each in (samples.t, samples.answers, samples.sigma))
    above = np.stack([f - left.at(x), f - right.at(x)])  # (2, K)
    turn, blur = right.slope - left.slope, np.sqrt(left.v1 + right.v1)
    shares = np.linalg.lstsq((above / blur).T, turn / blur, rcond=None)[0]
    with np.errstate(divide="ignore"):
        t = x + np.array([-1, 1]) / shares
    if not samples.t[left.last - 1] < t[0] < x < t[1] < samples.t[right.first]:
        return None
    lines = [left, right]
    variance = [piece.variance(x) + sigma**2 for piece in lines]
    off = turn - shares @ above
    miss = float(np.linalg.norm(off / np.sqrt(blur**2 + shares**2 @ np.array(variance))))
    if miss > level(len(f)):
        return None
    meetings = []
    for piece, at, jump in zip(lines, t, shares[:, None] * above, strict=True):
        error = 1 / np.linalg.norm(jump / np.sqrt(piece.variance(at) + sigma**2))
        visible = 1 / np.linalg.norm(jump / sigma)
        meetings.append(Meeting(float(at), float(error), jump, miss, float(visible)))
    return meetings[0], meetings[1]
