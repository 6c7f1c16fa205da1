"""Critical points on a line: where does a piecewise linear function bend?

Along x(t) = u + t v a ReLU network is piecewise linear in t, and each bend (*kink*) is a critical
point: neuron i changes sides where a_i·x + c_i = 0, at t_i = -(a_i·u + c_i) / (a_i·v). Two ways to
find them all: `bisect`, slow and obvious, and `search`, which lets the lines through both ends of
an interval meet and asks whether the kink is really there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mstheft.direct.line.intervals import (
    OPEN,
    Interval,
    Probe,
    bends_everywhere,
    endpoints,
    measure,
    resolve,
    usable_interval,
)
from mstheft.typing import Array, Oracle

REPAIRS = 3  # times that pieces which do not fit their answers are searched again
FAR = 1e6  # |t| up to which a line is searched; beyond it lies a kink in 1.6 million

GOLDEN = (1 + 5**0.5) / 2
ROUNDING = 8 * np.finfo(float).eps


@dataclass
class Line:
    """What is known about the answers along x(t) = start + t direction.

    start, direction : (d,) u and v
    t, answers : (m,) and (m, K), everything asked on the line, sorted by t
    kinks : (n,) positions t_i, sorted
    slopes : (n+1, K) slope of each piece, from left to right
    jumps : (n, K) g_i |a_i·v|, the change of slope at each kink
    unresolved : intervals in which something bends but no single kink could be made out
    noise : standard size of the rounding in an answer at t = 0; it grows like 1 + |t|
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

    def points(self, t: Array) -> Array:
        """x(t) as rows, (n,) -> (n, d)."""
        return self.start + np.multiply.outer(t, self.direction)


def measure_noise(oracle: Oracle, start: Array, direction: Array) -> float:
    """Size of the rounding in the answers near x = start. Costs 6 queries.

    Six points 1e-7 apart along the line lie on one linear piece almost surely, so their second
    differences should vanish: what is left is rounding. It is never believed to be below 8 units in
    the last place of the answers, nor below half a unit of the oracle's decimals.
    """
    return measure(Probe(oracle, start, direction))


def search(
    oracle: Oracle,
    start: Array,
    direction: Array,
    *,
    low: float | None = None,
    high: float | None = None,
) -> Line:
    """All kinks for low < t < high, by letting the end lines of an interval meet.

        f(t)        .                 slope s_l at l and s_r at r; where the two lines meet,
            \\     /      (r - t*) (s_r - s_l) = f_r - f_l - s_l (r - l),
             \\___/       there is the kink, if the interval holds only one. With K outputs
            l  t*  r      these are K equations for one t*: most false meetings show at once.

    The others are caught by two queries beside t*: both must lie on their end's line, at a distance
    at which a wrong line would be seen above the rounding. Otherwise the interval is halved, in
    arctan t, since kinks on a random line are Cauchy distributed. Afterwards every piece is fitted
    again to all answers that lie on it, at no further cost.

    start, direction : (d,) arrays u and v
    low, high : ±1e6 unless given, and less where the answers are coarse
    Costs about 5 queries per kink for K > 1 and 8 for K = 1. Never loops: an interval that cannot
    be resolved after 60 halvings is reported in `unresolved`.
    Source: Jagielski et al. 2020, section 4.3; the checks are ours, see the tests.
    """
    probe = Probe(oracle, np.asarray(start, float), np.asarray(direction, float))
    probe.noise = measure(probe)
    far = float(np.clip(1e-4 / probe.noise, 20, FAR))
    low, high = -far if low is None else low, far if high is None else high
    first = usable_interval(probe, low, high)
    kinks, given_up = resolve(probe, [first])
    for _ in range(REPAIRS):
        line = _fit(probe, kinks)
        if not line.unresolved:
            break
        again = _neighbourhoods(line, first)
        kinks = kinks[[not any(a < t < b for a, b in again) for t in kinks]]
        more, still_open = resolve(probe, [endpoints(probe, a, b) for a, b in again])
        kinks = np.sort(np.concatenate([kinks, more]))
        elsewhere = [(c, d) for c, d in given_up if not any(a <= c and d <= b for a, b in again)]
        given_up = elsewhere + still_open
    line = _fit(probe, kinks)
    line.unresolved += given_up
    return line


def _neighbourhoods(line: Line, whole: Interval) -> list[tuple[float, float]]:
    """Each piece that its answers do not fit, with half of the pieces on both sides of it."""
    marks = np.concatenate([[whole[0].t], line.kinks, [whole[1].t]])
    middles = np.concatenate([[whole[0].t], (marks[:-1] + marks[1:]) / 2, [whole[1].t]])
    merged: list[tuple[float, float]] = []
    for i in np.unique(np.searchsorted(line.kinks, [(a + b) / 2 for a, b in line.unresolved])):
        low, high = float(middles[i]), float(middles[i + 2])
        if merged and low < merged[-1][1]:
            low = merged.pop()[0]
        merged.append((low, high))
    return merged


def _fit(probe: Probe, kinks: Array) -> Line:
    """Fit a line to the answers of each piece; consecutive lines meet at the sharpened kinks."""
    t, order = np.unique(np.concatenate(probe.t), return_index=True)
    answers = np.concatenate(probe.answers)[order].astype(float)
    finite = np.isfinite(answers).all(axis=1)
    t, answers = t[finite], answers[finite]
    noise = probe.noise_of(t, answers)
    kinks = _apart(kinks, t)
    piece = np.searchsorted(kinks, t)
    pieces = [piece == i for i in range(len(kinks) + 1)]
    fits = [_least_squares(t[mine], answers[mine], noise[mine]) for mine in pieces]
    heights, slopes = (np.array(part) for part in zip(*fits, strict=True))  # (n+1, K) each
    unresolved = []
    for mine, (height, slope) in zip(pieces, fits, strict=True):
        miss = np.abs(height + np.multiply.outer(t[mine], slope) - answers[mine]).max(axis=1)
        if (miss > 100 * noise[mine]).any():
            unresolved.append((float(t[mine].min()), float(t[mine].max())))
    jumps, steps = np.diff(slopes, axis=0), -np.diff(heights, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        sharp = (jumps * steps).sum(axis=1) / (jumps**2).sum(axis=1)
        slack = 100 * probe.noise * (1 + np.abs(kinks)) / np.linalg.norm(jumps, axis=1)
    after = np.searchsorted(t, kinks)
    parted = ~((sharp >= t[after - 1] - slack) & (sharp <= t[after] + slack))
    unresolved += [] if unresolved else [(float(t[i - 1]), float(t[i])) for i in after[parted]]
    sharp[parted] = kinks[parted]  # lines that do not meet at the kink between them
    return Line(
        probe.start, probe.direction, t, answers, sharp, slopes, jumps, unresolved, probe.noise
    )


def _apart(kinks: Array, t: Array) -> Array:
    """Kinks with two answers or more between them: with fewer, it is one kink seen twice."""
    apart: list[float] = []
    for kink in kinks:
        if np.sum((t > (apart[-1] if apart else -np.inf)) & (t < kink)) >= 2:
            apart.append(float(kink))
    while apart and np.sum(t > apart[-1]) < 2:
        apart.pop()
    return np.array(apart)


def _least_squares(t: Array, answers: Array, noise: Array) -> tuple[Array, Array]:
    """Height at t = 0 and slope of the line through answers (m, K), weighed by their noise (m,)."""
    weight = noise.min() / noise
    centre = np.average(t, weights=weight**2)
    middle = np.average(answers, axis=0, weights=weight**2)
    spread = (weight**2 * (t - centre)) @ (answers - middle)
    slope = spread / (weight**2 * (t - centre) ** 2).sum()
    return middle - slope * centre, slope


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
    probe = Probe(oracle, np.asarray(start, float), np.asarray(direction, float))
    probe.noise = measure(probe)
    kinks: list[float] = []
    stack = [(float(low), float(high))]
    while stack:
        left, right = stack.pop()
        t = [left + share * (right - left) for share in (0, 0.25, 0.5, 0.75, 1)]
        f = probe.ask(t)
        chord = f[0] + np.multiply.outer([0.25, 0.5, 0.75], f[4] - f[0])
        far = max(abs(left), abs(right))
        steep = np.abs(f[4] - f[0]).max() / (right - left) * far  # what the rounding of t does
        rounding = max(probe.noise_at(far), ROUNDING * float(np.abs(f).max() + steep))
        if np.abs(f[1:4] - chord).max() <= 4 * rounding:
            continue
        middle = left + (right - left) / GOLDEN
        if right - left < width or not left < middle < right:
            kinks.append(middle)
        else:
            stack += [(left, middle), (middle, right)]
        if len(kinks) > OPEN:
            raise bends_everywhere(probe)
    return np.sort(np.array(kinks))
