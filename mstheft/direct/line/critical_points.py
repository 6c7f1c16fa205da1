"""Critical points on a line: where does a piecewise linear function bend?

Along x(t) = u + t v a ReLU network is piecewise linear in t, and each bend (*kink*) is a critical
point: neuron i changes sides where a_i·x + c_i = 0, at t_i = -(a_i·u + c_i) / (a_i·v). Two ways to
find them all: `bisect`, slow and obvious, and `search`, which lets the lines of neighbouring pieces
meet and asks whether the kink is really there.
"""

from __future__ import annotations

import itertools

import numpy as np

from mstheft.direct.answers.reader import SURE, reader, unreadable
from mstheft.direct.line.pieces import (
    Meeting,
    Piece,
    Samples,
    level,
    meet,
    straight_pieces,
    two_kinks,
)
from mstheft.direct.line.probe import OPEN, TINY, Line, Probe, bends_everywhere
from mstheft.typing import Array, Oracle

FIRST = 9  # answers from which a search begins
FAR = 1e6  # |t| up to which a line is searched; beyond it lies a kink in 1.6 million
SHRINKS = 20  # times that the line is shortened where the answers at its ends are useless
SHORTEST = 1e-12  # relative length at which a gap between two pieces is given up
FULL = 6  # samples from which a piece is known as well as it is going to be
INNER = 2.0  # times the gap beside it: a pair of samples so far apart gets one between them
MANY, RARE = 1024, 0.01  # and so do these, with so few kinks among them


def measure_noise(oracle: Oracle, start: Array, direction: Array) -> float:
    """Size of the noise in the answers near x = start, three σ of the least exact output.

    Costs 9 queries, see `answers.reader`.
    """
    return reader(oracle, start, direction, loudest=np.inf).noise


def search(
    oracle: Oracle,
    start: Array,
    direction: Array,
    *,
    low: float | None = None,
    high: float | None = None,
    grid: float = 0.0,
) -> Line:
    """All kinks for low < t < high, by letting the lines of neighbouring pieces meet.

        f(t)        .                 lines l(t) and r(t), fitted to all samples of a piece;
            \\     /      l(t*) = r(t*) there is the kink, if there is only one between them.
             \\___/       With K outputs these are K equations for one t*: most false meetings
            l  t*  r      show at once.

    The others are caught by two queries beside t*: each must lie on its own side's line, at a
    distance at which the other line would be seen above the noise. What does not fit is halved, in
    arctan t, since kinks on a random line are Cauchy distributed. Every decision is made against
    the measured noise of the answers, so that float32 or decimals only blur the kinks.

    oracle : an oracle, or a `Reader` of one, which knows its noise already
    start, direction : (d,) arrays u and v
    low, high : ±1e6 unless given, and less where the answers are coarse
    grid : ask at multiples of it only, if it is not 0. Kinks lie between them all the same, but
        several between the same two are not told apart
    Costs about 5 queries per kink for K > 3 and 6.5 for K = 1, and 9 for the noise. Never loops: a
    gap that cannot be resolved is reported in `unresolved`.
    Source: Jagielski et al. 2020, section 4.3; the pieces and their checks are ours, see the tests.
    """
    start, direction = np.asarray(start, float), np.asarray(direction, float)
    probe = Probe(reader(oracle, start, direction), start, direction)
    samples = first_samples(probe, low, high, grid)
    if probe.is_noise(samples.answers):
        raise bends_everywhere(probe.oracle.noise)
    confirmed: set[tuple[float, float]] = set()  # gaps at whose ends a kink has been checked
    while True:
        pieces = straight_pieces(samples)
        wanted, unresolved = next_samples(samples, pieces, confirmed)
        near = on_grid(np.array(wanted), grid)
        new = np.setdiff1d(near, np.concatenate([samples.t, probe.holes]))
        if not len(new):
            break
        if len(pieces) > OPEN or (len(pieces) > MANY and len(confirmed) < RARE * len(pieces)):
            raise bends_everywhere(probe.oracle.noise)
        samples = samples.with_more(probe.ask(new))
    return as_line(probe, samples, pieces, unresolved)


def first_samples(
    probe: Probe, low: float | None, high: float | None, grid: float = 0.0
) -> Samples:
    """A few samples, equally far apart in arctan t, on as much of the line as can be read.

    Both ends are drawn in by four until their answers are finite, and half of the last step is
    taken back if it can be: most of what is readable shall be searched.
    """
    far = float(np.clip(1e-4 / (probe.oracle.noise + TINY), 20, FAR))
    low, high = -far if low is None else low, far if high is None else high
    centre = min(max(low, 0.0), high)
    ends = np.array([low, high])
    samples = probe.ask(ends)
    for _ in range(SHRINKS):
        poor = ~np.isin(ends, samples.t)
        if not poor.any():
            break
        ends = np.where(poor, centre + (ends - centre) / 4, ends)
        samples = samples.with_more(probe.ask(ends[poor]))
    else:
        raise unreadable(probe.oracle, "critical points", "all along a line ")
    drawn_in = ends != [low, high]
    if drawn_in.any():
        samples = samples.with_more(probe.ask((centre + 2 * (ends - centre))[drawn_in]))
    low, high = samples.t[0], samples.t[-1]
    inside = np.tan(np.linspace(np.arctan(low), np.arctan(high), FIRST))[1:-1]
    samples = samples.with_more(probe.ask(np.unique(on_grid(inside, grid))))
    inside = (samples.t >= low) & (samples.t <= high)
    t, answers = samples.t[inside], samples.answers[inside]
    return Samples(t, answers, probe.sigma(t, answers))


def on_grid(t: Array, grid: float) -> Array:
    """The nearest multiples of `grid`; t itself where it is 0."""
    return np.round(t / grid) * grid if grid else t


def next_samples(
    samples: Samples, pieces: list[Piece], confirmed: set[tuple[float, float]]
) -> tuple[list[float], list[tuple[float, float]]]:
    """Where to ask next, and the gaps that are given up. Adds to `confirmed` what it asks about."""
    wanted: list[float] = []
    unresolved: list[tuple[float, float]] = []
    paired: set[int] = set()  # gaps beside a single sample that explains both
    if samples.answers.shape[1] > 3:
        for i, three in enumerate(zip(pieces, pieces[1:], pieces[2:], strict=False)):
            if i not in paired:
                beside = around_single(samples, *three)
                if beside and not confirmed.issuperset(beside):
                    confirmed.update(beside)
                    wanted += itertools.chain(*beside)
                    paired |= {i, i + 1}
    for i, (left, right) in enumerate(itertools.pairwise(pieces)):
        if i not in paired:
            more = in_gap(samples, left, right, confirmed)
            if more is None:
                unresolved.append((float(samples.t[left.last - 1]), float(samples.t[right.first])))
            wanted += more or []
    return wanted, unresolved


def around_single(
    samples: Samples, left: Piece, single: Piece, right: Piece
) -> list[tuple[float, float]] | None:
    """Where to ask beside the two kinks that a single sample shows; None if it shows none."""
    if len(single) != 1 or min(len(left), len(right)) < 2:
        return None
    meetings = two_kinks(samples, left, single, right)
    if meetings is None:
        return None
    edges = samples.t[[left.last - 1, single.first, right.first]]
    for meeting, low, high in zip(meetings, edges[:-1], edges[1:], strict=True):
        if 2 * meeting.beside > min(meeting.t - low, high - meeting.t):
            return None
    return [(meeting.t - meeting.beside, meeting.t + meeting.beside) for meeting in meetings]


def in_gap(
    samples: Samples, left: Piece, right: Piece, confirmed: set[tuple[float, float]]
) -> list[float] | None:
    """Where to ask between two pieces: nowhere if there is one kink; None to give up."""
    low, high = float(samples.t[left.last - 1]), float(samples.t[right.first])
    known = min(len(left), len(right)) >= 3
    if known and (low, high) in confirmed:
        return []
    if high - low <= SHORTEST * (1 + min(abs(low), abs(high))):
        return None
    outputs = samples.answers.shape[1]
    meeting = meet(samples, left, right)
    if meeting is None or (outputs < 2 and not known):
        return halves(samples, left, right)
    slack = 4 * meeting.error
    if meeting.miss > level(outputs) or not low - slack <= meeting.t <= high + slack:
        return None if high - low < meeting.visible / 4 else halves(samples, left, right)
    if not meeting.is_sharp and min(meeting.t - low, high - meeting.t) <= 4 * meeting.beside:
        return sharper(samples, left, right, meeting)
    return beside(samples, left, right, meeting, confirmed)


def beside(
    samples: Samples,
    left: Piece,
    right: Piece,
    meeting: Meeting,
    confirmed: set[tuple[float, float]],
) -> list[float]:
    """Positions on both sides of a meeting, but none where a sample is near enough already."""
    low, high = float(samples.t[left.last - 1]), float(samples.t[right.first])
    ask_left = meeting.t - low > 1.5 * meeting.beside
    ask_right = high - meeting.t > 1.5 * meeting.beside
    if not ask_left and not ask_right and min(len(left), len(right)) >= 3:
        confirmed.add((low, high))
        return []
    pair = (
        meeting.t - meeting.beside if ask_left else low,
        meeting.t + meeting.beside if ask_right else high,
    )
    if pair in confirmed or not (ask_left or ask_right):
        return halves(samples, left, right)
    confirmed.add(pair)
    return [t for t, ask in zip(pair, (ask_left, ask_right), strict=True) if ask]


def halves(samples: Samples, left: Piece, right: Piece) -> list[float]:
    """The middle of the gap, and of pairs beside it that are farther apart than it is wide."""
    t = samples.t
    low, high = t[left.last - 1], t[right.first]
    wanted, wide = [middle(low, high)], INNER * (np.arctan(high) - np.arctan(low))
    for piece in (left, right):
        a, b = t[piece.first], t[piece.last - 1]
        if len(piece) == 2 and np.arctan(b) - np.arctan(a) > wide:
            wanted.append(middle(a, b))
    return wanted


def sharper(samples: Samples, left: Piece, right: Piece, meeting: Meeting) -> list[float]:
    """More samples for lines that do not place their kink: in a wide gap, or inside the pieces."""
    low, high = samples.t[left.last - 1], samples.t[right.first]
    poor = [piece for piece in (left, right) if len(piece) < FULL]
    if high - low > meeting.beside or len(poor) == 0:
        return halves(samples, left, right)
    wanted = []
    for piece in poor:
        t = samples.t[piece.first : piece.last]
        widest = int(np.diff(np.arctan(t)).argmax())
        wanted.append(middle(t[widest], t[widest + 1]))
    return wanted


def middle(low: float, high: float) -> float:
    """Halfway in arctan t."""
    t = float(np.tan((np.arctan(low) + np.arctan(high)) / 2))
    return t if low < t < high else float(low + high) / 2


def as_line(
    probe: Probe, samples: Samples, pieces: list[Piece], unresolved: list[tuple[float, float]]
) -> Line:
    """The kinks where neighbouring pieces meet, and what else the samples show."""
    kinks, jumps, slopes = [], [], [pieces[0].slope]
    for left, right in itertools.pairwise(pieces):
        low, high = float(samples.t[left.last - 1]), float(samples.t[right.first])
        if (left.slope == right.slope).all():  # a step between two pieces of one slope: no kink
            unresolved = [*unresolved, (low, high)]
            continue
        meeting = meet(samples, left, right)
        kinks.append((low + high) / 2 if meeting is None else float(np.clip(meeting.t, low, high)))
        jumps.append(right.slope - left.slope)
        slopes.append(right.slope)
    return Line(
        start=probe.start,
        direction=probe.direction,
        t=samples.t,
        answers=samples.answers,
        kinks=np.array(kinks),
        slopes=np.array(slopes),
        jumps=np.array(jumps).reshape(len(kinks), samples.answers.shape[1]),
        unresolved=unresolved + around_holes(samples, probe.holes),
        noise=probe.oracle.noise,
        blurs=SURE * samples.sigma.max(axis=1),
    )


def around_holes(samples: Samples, holes: list[float]) -> list[tuple[float, float]]:
    """The gaps between samples in which an answer was no finite number."""
    t = samples.t
    behind = {int(i) for i in np.searchsorted(t, holes) if 0 < i < len(t)}
    return [(float(t[i - 1]), float(t[i])) for i in sorted(behind)]
