"""The workings of `line.search`: intervals with a line at both ends, until each holds one kink."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

from mstheft.direct.answers import read, unreadable
from mstheft.direct.verify import blur
from mstheft.errors import ExtractionError
from mstheft.typing import Array, Oracle

DEPTH = 60  # halvings after which an interval is given up: 2^-60 of a turn is below rounding
STENCIL = 1e-3  # share of an interval over which the slope at its end is measured
OUTER = 1e-3  # meeting points this close to an end are not believed: an end may lie on a kink
SHORTEST = 1e-12  # relative length at which an interval is given up
SHARP = 100  # times noise / stencil: an end line that is blurred more cannot place a kink
SHRINKS = 20  # times that the line is shortened where the answers at its ends are useless
COARSE = 1e-4  # noise, in logits, from which answers are too coarse to end a line on
OPEN = 4096  # open intervals that mean, without kinks between them: this is not piecewise linear


@dataclass
class End:
    """One end of an interval: position, answer and its noise, and the slope seen over `reach`."""

    t: float
    answer: Array
    noise: float
    slope: Array
    reach: float


@dataclass
class Probe:
    """Asks the oracle on one line and keeps every answer."""

    oracle: Oracle
    start: Array
    direction: Array
    t: list[Array] = field(default_factory=list)
    answers: list[Array] = field(default_factory=list)
    noise: float = 0.0
    scale: float = 1.0

    @property
    def stencil(self) -> float:
        """Share of an interval over which a slope is measured: larger where answers are coarse."""
        return STENCIL * float(np.clip((self.noise / self.scale / 1e-14) ** 0.25, 1, 100))

    def ask(self, t: list[float]) -> Array:
        """Answers (n, K) at positions t; all stay in `answers`."""
        rows = self.start + np.multiply.outer(np.asarray(t), self.direction)
        answers = read(self.oracle, rows)
        self.t.append(np.asarray(t))
        self.answers.append(answers)
        return answers

    def noise_at(self, t: float) -> float:
        """Rounding at t: it grows with the size of the input."""
        return self.noise * (1 + abs(t))

    def noise_of(self, t: Array, answers: Array) -> Array:
        """Rounding of answers (n, K) at t (n,): more where a probability is near 0 or 1. (n,)"""
        noise = self.noise * (1 + np.abs(t))
        if self.oracle.output != "logits":
            noise = np.maximum(noise, blur(self.oracle, answers).max(axis=1))
        return np.where(np.isfinite(answers).all(axis=1), noise, np.inf)

    def end(self, t: float, answer: Array, t2: float, answer2: Array) -> End:
        """An end at t whose slope is seen between t and t2."""
        noise = float(self.noise_of(np.array([t, t2]), np.array([answer, answer2])).max())
        with np.errstate(invalid="ignore"):  # a probability may have underflowed to log 0
            return End(t, answer, noise, (answer2 - answer) / (t2 - t), abs(t2 - t))


def measure(probe: Probe) -> float:
    """Size of the rounding in the answers near t = 0; see `line.measure_noise`. Costs 6 queries.

    Raises `ExtractionError` where the answers are no finite numbers.
    """
    answers = probe.ask([1e-7 * i for i in range(6)])
    if not np.isfinite(answers).all():
        raise unreadable(probe.oracle, "critical points", "at the start of a line ")
    bends = np.abs(answers[:-2] - 2 * answers[1:-1] + answers[2:]).max() / 2
    rounding = 8 * np.finfo(answers.dtype).eps * np.abs(answers).max()
    decimals = probe.oracle.decimals
    admitted = 1e-300 if decimals is None else 0.5 * 10.0**-decimals
    probe.noise = float(max(bends, rounding, admitted))
    return float(probe.noise_of(np.zeros(len(answers)), answers).max())


def bends_everywhere(probe: Probe) -> ExtractionError:
    """The error for a victim that is not piecewise linear."""
    return ExtractionError(
        "critical points",
        "expected answers that are piecewise linear along a line, up to rounding of about "
        f"{probe.noise:.1g}, but they bend everywhere",
        "check that the victim is a ReLU network: a smooth one has no critical points",
    )


Interval = tuple[End, End]


def width_at(left: float, right: float, at: float) -> float:
    """A length natural at `at`: the interval's angle in arctan t, turned back into t."""
    angle = np.arctan(right) - np.arctan(left)
    return min(right - left, (1 + at * at) * angle)


def usable_interval(probe: Probe, low: float, high: float) -> Interval:
    """The whole line as one interval, drawn in until the answers at its ends are worth having.

    After answers that were lost altogether one step more is taken: just before a probability is
    rounded to 0 it is a subnormal number with few digits.
    """
    centre, lost_l, lost_r = min(max(low, 0.0), high), False, False
    for _ in range(SHRINKS):
        left, right = endpoints(probe, low, high)
        poor = max(COARSE, 25 * probe.noise)
        keep_l, keep_r = left.noise <= poor and not lost_l, right.noise <= poor and not lost_r
        if keep_l and keep_r:
            break
        lost_l, lost_r = bool(np.isinf(left.noise)), bool(np.isinf(right.noise))
        probe.t.pop(), probe.answers.pop()
        low = low if keep_l else centre + (low - centre) / 4
        high = high if keep_r else centre + (high - centre) / 4
    else:
        raise unreadable(probe.oracle, "critical points", "all along a line ")
    for end in (left, right):
        rounding = 8 * np.finfo(end.answer.dtype).eps * np.abs(end.answer).max()
        probe.noise = max(probe.noise, float(rounding) / (1 + abs(end.t)))
    for end in (left, right):
        end.noise = max(end.noise, probe.noise_at(end.t))  # near a dead start it is underrated
    probe.scale = max(np.abs(left.slope).max(), np.abs(right.slope).max()) or 1.0
    return left, right


def endpoints(probe: Probe, low: float, high: float) -> Interval:
    """An interval whose slopes are measured at both ends. Costs 4 queries."""
    reach_l, reach_r = (probe.stencil * width_at(low, high, at) for at in (low, high))
    t = [low, low + reach_l, high - reach_r, high]
    a, b, c, d = probe.ask(t)
    return probe.end(t[0], a, t[1], b), probe.end(t[3], d, t[2], c)


def resolve(probe: Probe, intervals: list[Interval]) -> tuple[Array, list[tuple[float, float]]]:
    """The kinks inside some intervals, sorted, and the intervals that had to be given up."""
    kinks: list[float] = []
    given_up: list[Interval] = []
    closed: list[Interval] = []
    for _ in range(DEPTH):
        given_up += [each for each in intervals if _hopeless(*each)]
        intervals = _round(
            probe, [each for each in intervals if not _hopeless(*each)], kinks, closed
        )
        if not intervals:
            break
        if len(intervals) > max(OPEN, 8 * len(kinks)):
            raise bends_everywhere(probe)
    kinks += _on_nodes(closed)
    return np.sort(np.array(kinks)), [(a.t, b.t) for a, b in given_up + intervals]


def _on_nodes(closed: list[Interval]) -> list[float]:
    """Kinks that no interval holds: at an end that two of them share, with two slopes there."""
    closed.sort(key=lambda interval: interval[0].t)
    return [
        here.t
        for (_, end), (here, _) in itertools.pairwise(closed)
        if end.t == here.t
        and np.abs(end.slope - here.slope).max() > 2 * (_slope_noise(end) + _slope_noise(here))
    ]


def _hopeless(left: End, right: End) -> bool:
    """Too short to be halved again, or with an end at which the answers are no finite numbers."""
    short = right.t - left.t <= SHORTEST * (1 + min(abs(left.t), abs(right.t)))
    return bool(short or not np.isfinite([left.noise, right.noise]).all())


def _round(
    probe: Probe, intervals: list[Interval], kinks: list[float], closed: list[Interval]
) -> list[Interval]:
    """Every open interval once: it is straight, or has one kink (asked), or is halved (asked)."""
    candidates, halves = [], []
    for left, right in intervals:
        if _straight(left, right):
            closed.append((left, right))
            continue
        meeting = _meeting(probe, left, right)
        if meeting is None:
            halves.append((left, right))
        else:
            candidates.append((left, right, *meeting))
    beside = [t + side * gap for _, _, t, gap in candidates for side in (-1, 1)]
    answers: Array = np.zeros((0, 2, 1))
    if candidates:
        answers = probe.ask(beside).reshape(len(candidates), 2, -1)
    for (left, right, t, gap), (before, after) in zip(candidates, answers, strict=True):
        if _on(probe, left, t - gap, before) and _on(probe, right, t + gap, after):
            kinks.append(t)
            closed.append((left, right))
        else:
            halves.append((left, right))
    return _halve(probe, halves)


def _slope_noise(end: End) -> float:
    return 2 * end.noise / end.reach


def _straight(left: End, right: End) -> bool:
    """No kink inside: equal slopes, and the right end lies on the left end's line."""
    width = right.t - left.t
    slope_noise = _slope_noise(left) + _slope_noise(right)
    if np.abs(right.slope - left.slope).max() > 2 * slope_noise:
        return False
    mean = (left.slope + right.slope) / 2
    miss = np.abs(left.answer + mean * width - right.answer).max()
    return bool(miss <= 2 * (max(left.noise, right.noise) + slope_noise * width))


def _on(probe: Probe, end: End, t: float, answer: Array) -> bool:
    """Does an answer at t lie on the line through this end?"""
    miss = np.abs(end.answer + end.slope * (t - end.t) - answer).max()
    return bool(miss <= _blur(probe, end, t))


def _blur(probe: Probe, end: End, t: float) -> float:
    """How far off the line through an end may be at t, by rounding alone."""
    return 4 * (max(probe.noise_at(t), end.noise) + _slope_noise(end) * abs(t - end.t))


def _meeting(probe: Probe, left: End, right: End) -> tuple[float, float] | None:
    """Where the two end lines meet and how far beside it to ask; None: halve without asking."""
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
    miss = max(_blur(probe, left, t), _blur(probe, right, t))
    if miss > SHARP * probe.noise_at(t) / probe.stencil:
        return None  # an end so far away that two kinks would look like one
    if np.abs(rise - bend * (right.t - t)).max() > 2 * miss + _slope_noise(right) * (right.t - t):
        return None
    gap = max(5 * miss / np.sqrt(size), 1e-11 * (1 + abs(t)))
    return (t, gap) if gap < min(t - left.t, right.t - t) / 4 else None


def _halve(probe: Probe, intervals: list[Interval]) -> list[Interval]:
    """Split at the middle of arctan t; a slope measured over too long a way is measured again."""
    wanted: list[float] = []  # four for each interval: the middle, and beside it and both ends
    for left, right in intervals:
        middle = float(np.tan((np.arctan(left.t) + np.arctan(right.t)) / 2))
        wanted += [middle, middle + probe.stencil * width_at(left.t, right.t, middle)]
        for end, side in ((left, 1), (right, -1)):
            wanted.append(end.t + side * probe.stencil * width_at(left.t, right.t, end.t))
    asked = [i for i in range(len(wanted)) if i % 4 < 2 or _too_long(intervals[i // 4], i % 4 - 2)]
    answers = dict(zip(asked, probe.ask([wanted[i] for i in asked]) if asked else [], strict=True))
    halves: list[Interval] = []
    for n, interval in enumerate(intervals):
        at, beside = 4 * n, 4 * n + 1
        middle_end = probe.end(wanted[at], answers[at], wanted[beside], answers[beside])
        left, right = (
            probe.end(end.t, end.answer, wanted[i], answers[i]) if i in answers else end
            for end, i in zip(interval, (4 * n + 2, 4 * n + 3), strict=True)
        )
        halves += [(left, middle_end), (middle_end, right)]
    return halves


def _too_long(interval: Interval, side: int) -> bool:
    end = interval[side]
    return end.reach > width_at(interval[0].t, interval[1].t, end.t) / 16
