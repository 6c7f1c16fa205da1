"""What kind of victim is this? A few lines tell.

    straight everywhere              linear
    straight pieces, with kinks      relu
    bent everywhere                  smooth
    constant pieces, with steps      stepwise
    the same everywhere              constant
    no line of readable answers      unknown

`mstheft.steal` runs the attack that fits.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.clipping import walls
from mstheft.direct.answers.reader import SURE, TINY, Reader, read, reader
from mstheft.direct.answers.steps import LEARN, STEPS, is_step, raw
from mstheft.direct.answers.view import readable_view
from mstheft.direct.box import Box, anywhere, is_whole, limits, middle
from mstheft.direct.line.pieces import Samples, level, straight_pieces
from mstheft.direct.pictures import pictures
from mstheft.errors import ExtractionError
from mstheft.typing import Array, Oracle, Rng

PLACES = 9  # at which the answers are looked at closely
WIDE = np.linspace(-3, 3, 33)  # of a line, for the view from afar
CLOSE = np.linspace(-1, 1, 7)  # of a line, times a width, for a close look
WIDTH, WIDEST = 0.005, 0.5  # that width, and where noise hides what happens there
WIDER = 4.0  # times that width, where all places seem straight
VISIBLE = 20  # times the noise that the answers shall change in a close look
SAFE = 24  # roundings that σ is at least: nothing fine is looked for here
ROWS = 20  # whose labels tell the number of classes, or that nothing changes
FARTHEST = 6  # powers of ten: how far out those rows lie that show that nothing changes
CLEAR, BENT = 5.0, 3  # what a line misses, over noise, at so many places, to tell bends from kinks
MOST = 0.7  # share of the bent places that a cubic fits
LONG, SEEN = 5, 0.1  # answers from afar side by side that lie on one line, and the share of these
WIDE_PIECES = 0.08  # from which there are straight pieces so wide, in which noise hides less
FLAT = 0.5  # share of whole steps that change nothing, from which the answers are steps
CUBIC = 0.1  # of what a line misses: a cubic misses less where the answers bend, not at a kink
SHORT = "float16", "bfloat16"  # formats whose noise no row outruns, as rows far out do decimals
NEVER = "the answers never change, however far from each other the rows are"
ADVICE = f"{LEARN}; or ask for logits, or scale the inputs"


@dataclass
class Recognised:
    """What kind of victim it is.

    kind : 'labels', 'linear', 'relu', 'smooth', 'stepwise', 'constant' or 'unknown'
    why : one sentence
    is_coarse : have the answers so few digits that an exact attack may see nothing in them?
    walls : (low, high), (d,) each, between which the victim clips its inputs
    """

    kind: str
    why: str
    is_coarse: bool = False
    walls: tuple[Array, Array] | None = None


def recognise(oracle: Oracle, *, rng: Rng = None) -> Recognised:
    """Look at a line from afar and, at nine places, closely. Costs about 110 queries; 20 for
    labels; up to 190 more where noise hides bends.

    From afar a linear victim is one straight piece. Closely a ReLU network is straight at most
    places and has kinks at the others, a smooth one bends everywhere, and a forest of trees does
    not change but in steps, which stay however close one comes. Probabilities that are 0 or 1
    nearly everywhere are looked at where they tell most, for 50 queries more.
    Raises `ExtractionError` where answers are no numbers.
    """
    rng = np.random.default_rng(rng)
    box = limits(oracle, None, None)
    if oracle.output == "label":
        few = rng.normal(size=(ROWS, oracle.inputs)) if box is None else anywhere(rng, box, ROWS)
        oracle.query(few)  # tells K
        return Recognised("labels", "the oracle answers labels only", walls=box)
    if box is not None:
        look = in_whole_steps if is_whole(oracle) else inside
        return replace(look(oracle, box, rng), walls=box)
    start, direction = rng.normal(size=(2, oracle.inputs))
    try:
        return looked_at(reader(oracle), start, direction, rng)
    except ExtractionError as error:
        if error.stage == "answers" or oracle.output not in ("probs", "log_probs"):
            raise
        seen = saturated(oracle, start, direction)
        if seen is None:
            try:
                seen = looked_at(readable_view(oracle, rng=rng)[0], start, direction, rng)
            except ExtractionError:
                seen = Recognised("unknown", error.assumption, is_coarse=True)
        return seen


def looked_at(
    oracle: Reader, start: Array, direction: Array, rng: Generator, is_inside: bool = False
) -> Recognised:
    """The kind of a victim whose answers can be read along start + t direction, -3 ≤ t ≤ 3.

    is_inside : are the inputs clipped, and the line between the walls?
    """
    far = samples(oracle, start, direction, WIDE)
    is_flat = not np.ptp(far.answers, axis=0).any()
    if is_flat and (is_inside or differing(oracle, rng) is None):
        return Recognised("constant", NEVER)
    at = int(np.abs(np.diff(far.answers, axis=0)).max(axis=1).argmax())
    pair = [start + t * direction for t in far.t[at : at + 2]]
    is_line = len(straight_pieces(far)) == 1
    hidden = is_line and oracle.grid.is_relative  # behind decimals a line may be steps
    if not (hidden or oracle.is_stochastic) and is_step(oracle, *pair):  # chance makes steps, too
        return Recognised("stepwise", STEPS)
    if is_line:
        seen = Recognised("linear", "the answers lie on one straight line")
    else:
        seen = closely(oracle, start, direction, far, rng)
    if seen.kind == "relu" and not is_inside and not oracle.is_stochastic:
        with np.errstate(over="ignore"):  # in a victim that computes with NumPy
            box = walls(oracle, rng=rng)
        if box is not None:
            return between_walls(oracle, box, rng)
    why = f"{seen.why}; {oracle.chance}" if oracle.is_stochastic else seen.why
    is_coarse = oracle.output != "logits" and not oracle.is_exact
    return Recognised(seen.kind, why, is_coarse or oracle.grid.kind in SHORT)


def between_walls(oracle: Reader, box: tuple[Array, Array], rng: Generator) -> Recognised:
    """The kind of what lies behind clipped inputs. Costs another 110 queries."""
    low, high = box
    seen = inside(oracle, box, rng)
    between = f"{low.min():.4g} to {high.max():.4g}"
    return replace(seen, why=f"{seen.why}; inputs are clipped, {between}", walls=box)


def inside(oracle: Oracle, box: Box, rng: Generator) -> Recognised:
    """The kind of what lies between walls, from a line through the middle."""
    start, width = (box[0] + box[1]) / 2, box[1] - box[0]
    direction = rng.uniform(-1, 1, len(start)) * width / 6
    return looked_at(reader(oracle, start, direction), start, direction, rng, True)


def in_whole_steps(oracle: Oracle, box: Box, rng: Generator) -> Recognised:
    """The kind of a victim of whole numbers, from one line in whole steps between two pictures.

    Costs 257 queries of pixels, and 9 to 25 for the noise.
    """
    x = pictures(rng, 2, box, oracle.shape, grey=0.0)
    steps = int((box[1] - box[0]).max())
    seen = samples(reader(oracle, *middle(box)), x[0], x[1] - x[0], np.arange(steps + 1) / steps)
    pieces = straight_pieces(seen)
    if not np.ptp(seen.answers, axis=0).any():
        return Recognised("constant", NEVER)
    if len(pieces) == 1:
        return Recognised("linear", "the answers lie on one straight line")
    if (np.diff(seen.answers, axis=0) == 0).all(axis=1).mean() > FLAT:
        return Recognised("stepwise", STEPS)
    if len(pieces) * LONG > steps:
        return Recognised("smooth", "the answers bend everywhere")
    return Recognised("relu", "the answers are straight pieces with kinks between them")


def closely(
    oracle: Reader, start: Array, direction: Array, far: Samples, rng: Generator
) -> Recognised:
    """Straight pieces with kinks, or bends? Costs 63 queries for each width that is needed.

    Noise hides a bend in a short piece, and a long one has kinks in it: the width grows until some
    places are no longer straight, and these are looked at.
    """
    slope = float(np.ptp(far.answers, axis=0).max() / np.ptp(far.t))
    width = float(np.clip(VISIBLE * oracle.noise / slope, WIDTH, WIDEST))
    windows = range(len(far.t) - LONG + 1)
    straight = np.mean([misfit(far.part(i, i + LONG), 1) <= 1 for i in windows])
    if straight > SEEN and not oracle.is_exact:
        width = max(width, WIDE_PIECES)
    where = rng.uniform(-2, 2, PLACES)
    while True:
        places = []
        for t in where:
            with contextlib.suppress(ExtractionError):  # saturated there
                places.append(samples(oracle, start + t * direction, direction, width * CLOSE))
        bends = [is_smooth(each) for each in places if misfit(each, 1) > CLEAR]
        decided = len(bends) >= BENT or (bends and not any(bends))
        if decided or oracle.is_exact or width == WIDEST:
            break
        width = min(WIDER * width, WIDEST)
    if bends and np.mean(bends) > MOST:
        return Recognised("smooth", "the answers bend everywhere")
    return Recognised("relu", "the answers are straight pieces with kinks between them")


def is_smooth(place: Samples) -> bool:
    """Does a cubic fit what no line does? One kink is as bad for the one as for the other."""
    line, cubic = (misfit(place, degree) for degree in (1, 3))
    return cubic <= max(1.0, CUBIC * line)


def misfit(place: Samples, degree: int) -> float:
    """The largest miss of the polynomial of that degree, over what noise explains."""
    away = place.t - place.t.mean()
    powers = np.vander(away / np.abs(away).max(), degree + 1)
    with np.errstate(over="ignore"):
        off = place.answers - powers @ np.linalg.lstsq(powers, place.answers, rcond=None)[0]
    return float(np.abs(off / place.sigma).max() / level(off.shape[1]))


def saturated(oracle: Oracle, start: Array, direction: Array) -> Recognised | None:
    """Trees or a constant, told from probabilities most of which are exactly 0 or 1; else None.

    Costs up to 95 queries.
    """
    box, x = Reader(oracle), start + np.multiply.outer(WIDE, direction)
    change = np.abs(np.diff(raw(box, x), axis=0)).max(axis=1)
    at = int(change.argmax())
    pair = (x[at], x[at + 1]) if change.any() else differing(oracle, np.random.default_rng(0))
    if pair is None:
        return Recognised("constant", NEVER)
    return Recognised("stepwise", STEPS) if is_step(box, *pair) else None


def differing(oracle: Oracle, rng: Generator) -> tuple[Array, Array] | None:
    """Two rows of different answers, near or far; None if all are equal. Costs 20 queries."""
    far = 10 ** rng.uniform(0, FARTHEST, (ROWS, 1))
    x = far * rng.normal(size=(ROWS, oracle.inputs))
    answers = oracle.query(x)
    others = np.flatnonzero((answers != answers[0]).any(axis=1))
    return (x[0], x[others[0]]) if len(others) else None


def samples(oracle: Reader, start: Array, direction: Array, t: Array) -> Samples:
    """Answers at start + t direction, those that are finite."""
    answers = read(oracle, start + np.multiply.outer(t, direction))
    finite = np.isfinite(answers).all(axis=1)
    if finite.sum() < 5:
        raise ExtractionError(
            "recognise", "needs finite answers to rows of N(0, I), but nearly none are", ADVICE
        )
    t, answers = t[finite], answers[finite].astype(float)
    least = max(oracle.noise / SURE, SAFE * oracle.ulp * float(np.abs(answers).max()))
    return Samples(t, answers, np.maximum(oracle.sigma(answers, 1 + np.abs(t)), least) + TINY)
