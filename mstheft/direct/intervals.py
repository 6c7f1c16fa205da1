"""The workings of `line.search`: intervals with a line at both ends, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mstheft.direct.answers import read
from mstheft.errors import ExtractionError
from mstheft.nn.functions import Array

DEPTH = 60  # halvings after which an interval is given up: 2^-60 of a turn is below rounding
STENCIL = 1e-3  # share of an interval over which the slope at its end is measured
OUTER = 1e-3  # meeting points this close to an end are not believed: an end may lie on a kink
OPEN = 50_000  # open intervals that mean: this is no piecewise linear function


@dataclass
class End:
    """One end of an interval: position, answer, and the slope seen over `reach`."""

    t: float
    answer: Array
    slope: Array
    reach: float


@dataclass
class Probe:
    """Asks the oracle on one line and keeps every answer."""

    oracle: object
    start: Array
    direction: Array
    t: list[Array] = field(default_factory=list)
    answers: list[Array] = field(default_factory=list)
    noise: float = 0.0

    @property
    def stencil(self) -> float:
        """Share of an interval over which a slope is measured: larger where answers are coarse."""
        return STENCIL * float(np.clip((self.noise / 1e-14) ** 0.25, 1, 100))

    def ask(self, t: list[float]) -> Array:
        """Answers (n, K) at positions t; all are kept."""
        rows = self.start + np.multiply.outer(np.asarray(t), self.direction)
        answers = read(self.oracle, rows)
        self.t.append(np.asarray(t))
        self.answers.append(answers)
        return answers

    def noise_at(self, t: float) -> float:
        """Rounding at t: it grows with the size of the input."""
        return self.noise * (1 + abs(t))


def measure(probe: Probe) -> float:
    """Size of the rounding in the answers near t = 0; see `line.measure_noise`. Costs 6 queries."""
    answers = probe.ask([1e-7 * i for i in range(6)])
    bends = np.abs(answers[:-2] - 2 * answers[1:-1] + answers[2:]).max() / 2
    rounding = 8 * np.finfo(answers.dtype).eps * np.abs(answers).max()
    decimals = getattr(probe.oracle, "decimals", None)
    return float(max(bends, rounding, 1e-300 if decimals is None else 0.5 * 10.0**-decimals))


Interval = tuple[End, End]


def width_at(left: float, right: float, at: float) -> float:
    """A length natural at `at`: the interval's angle in arctan t, turned back into t."""
    angle = np.arctan(right) - np.arctan(left)
    return min(right - left, (1 + at * at) * angle)


def whole(probe: Probe, low: float, high: float) -> Interval:
    """The whole line as one interval, drawn in until the answers at its ends are finite numbers."""
    left, right = ends(probe, low, high)
    while not np.isfinite([left.slope, right.slope]).all() and high - low > 1e-3:
        probe.t.pop(), probe.answers.pop()
        low, high = low / 4, high / 4
        left, right = ends(probe, low, high)
    for end in (left, right):
        rounding = 8 * np.finfo(end.answer.dtype).eps * np.abs(end.answer).max()
        probe.noise = max(probe.noise, float(rounding) / (1 + abs(end.t)))
    return left, right


def ends(probe: Probe, low: float, high: float) -> Interval:
    """An interval with a fresh look at the slopes at its two ends. Costs 4 queries."""
    reach_l, reach_r = (probe.stencil * width_at(low, high, at) for at in (low, high))
    a, b, c, d = probe.ask([low, low + reach_l, high - reach_r, high])
    with np.errstate(invalid="ignore"):  # a probability may have underflowed to log 0
        left, right = (b - a) / reach_l, (d - c) / reach_r
    return End(low, a, left, reach_l), End(high, d, right, reach_r)


def resolve(probe: Probe, intervals: list[Interval]) -> tuple[Array, list[tuple[float, float]]]:
    """The kinks inside some intervals, sorted, and what is left after `DEPTH` halvings."""
    kinks: list[float] = []
    for _ in range(DEPTH):
        if not intervals:
            break
        intervals = _round(probe, intervals, kinks)
        if len(intervals) > OPEN:
            raise ExtractionError(
                "critical points",
                "expected answers that are piecewise linear along a line, up to rounding of about "
                f"{probe.noise:.1g}, but they bend everywhere",
                "check that the victim is a ReLU network; for tanh or sigmoid use direct.smooth",
            )
    return np.sort(np.array(kinks)), [(left.t, right.t) for left, right in intervals]


def _round(probe: Probe, intervals: list[Interval], kinks: list[float]) -> list[Interval]:
    """One look at every open interval: straight, one kink (asked), or halved (asked)."""
    candidates, halves = [], []
    for left, right in intervals:
        if _straight(probe, left, right):
            continue
        meeting = _meeting(probe, left, right)
        if meeting is None:
            halves.append((left, right))
        else:
            candidates.append((left, right, *meeting))
    beside = [t + side * gap for _, _, t, gap in candidates for side in (-1, 1)]
    answers: Any = probe.ask(beside).reshape(len(candidates), 2, -1) if candidates else []
    for (left, right, t, gap), (before, after) in zip(candidates, answers, strict=True):
        if _on(probe, left, t - gap, before) and _on(probe, right, t + gap, after):
            kinks.append(t)
        else:
            halves.append((left, right))
    return _halve(probe, halves)


def _slope_noise(probe: Probe, end: End) -> float:
    return 2 * probe.noise_at(abs(end.t) + end.reach) / end.reach


def _straight(probe: Probe, left: End, right: End) -> bool:
    """No kink inside: equal slopes, and the right end lies on the left end's line."""
    width = right.t - left.t
    slope_noise = _slope_noise(probe, left) + _slope_noise(probe, right)
    if np.abs(right.slope - left.slope).max() > 2 * slope_noise:
        return False
    mean = (left.slope + right.slope) / 2
    miss = np.abs(left.answer + mean * width - right.answer).max()
    worst = max(probe.noise_at(left.t), probe.noise_at(right.t))
    return bool(miss <= 2 * (worst + slope_noise * width))


def _on(probe: Probe, end: End, t: float, answer: Array) -> bool:
    """Does an answer at t lie on the line through this end?"""
    return bool(np.abs(end.answer + end.slope * (t - end.t) - answer).max() <= _blur(probe, end, t))


def _blur(probe: Probe, end: End, t: float) -> float:
    """How far off the line through an end may be at t, by rounding alone."""
    return 4 * (probe.noise_at(max(abs(t), abs(end.t))) + _slope_noise(probe, end) * abs(t - end.t))


def _meeting(probe: Probe, left: End, right: End) -> tuple[float, float] | None:
    """Where the two end lines meet and how far beside it to look; None: halve without asking."""
    bend = right.slope - left.slope
    rise = right.answer - left.answer - left.slope * (right.t - left.t)
    size = float(bend @ bend)
    if size == 0:
        return None
    t = right.t - float(bend @ rise) / size
    low, high = left.t + 2 * left.reach, right.t - 2 * right.reach
    outer = OUTER * width_at(left.t, right.t, t)
    if not low + outer < t < high - outer:
        return None
    blur = max(_blur(probe, left, t), _blur(probe, right, t))
    if np.abs(rise - bend * (right.t - t)).max() > 2 * blur + _slope_noise(probe, right) * (
        right.t - t
    ):
        return None
    gap = max(20 * blur / np.sqrt(size), 1e-11 * (1 + abs(t)))
    return (t, gap) if gap < min(t - left.t, right.t - t) / 4 else None


def _halve(probe: Probe, intervals: list[Interval]) -> list[Interval]:
    """Split at the middle of arctan t; a slope that was seen over too long a way is redone."""
    asked: list[float] = []
    for left, right in intervals:
        middle = float(np.tan((np.arctan(left.t) + np.arctan(right.t)) / 2))
        asked += [middle, middle + probe.stencil * width_at(left.t, right.t, middle)]
        for end, side in ((left, 1), (right, -1)):
            asked.append(end.t + side * probe.stencil * width_at(left.t, right.t, end.t))
    needed = [i for i in range(len(asked)) if i % 4 < 2 or _too_long(intervals[i // 4], i % 4 - 2)]
    known = dict(zip(needed, probe.ask([asked[i] for i in needed]) if needed else [], strict=True))
    result: list[Interval] = []
    for n, (left, right) in enumerate(intervals):
        (m, m2), (a, b) = asked[4 * n : 4 * n + 2], (known[4 * n], known[4 * n + 1])
        ends = [left, right]
        for side in (0, 1):
            if 4 * n + 2 + side in known:
                at, end = asked[4 * n + 2 + side], ends[side]
                slope = (known[4 * n + 2 + side] - end.answer) / (at - end.t)
                ends[side] = End(end.t, end.answer, slope, abs(at - end.t))
        middle_end = End(m, a, (b - a) / (m2 - m), m2 - m)
        result += [(ends[0], middle_end), (middle_end, ends[1])]
    return result


def _too_long(interval: Interval, side: int) -> bool:
    end = interval[side]
    return end.reach > width_at(interval[0].t, interval[1].t, end.t) / 16
