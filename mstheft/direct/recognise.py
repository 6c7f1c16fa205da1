"""What kind of victim is this? A few lines tell, and the attack that fits is run.

    straight everywhere              linear     equations
    straight pieces, with kinks      relu       sweep, then deep
    bent everywhere                  smooth     smooth
    constant pieces, with steps      stepwise   none: trees have no weights to solve for
    the same everywhere              constant   none

The name of the whole is `mstheft.steal`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from mstheft.direct import deep, linear, smooth, sweep
from mstheft.direct.answers.diagnosis import diagnosis
from mstheft.direct.answers.reader import SURE, TINY, Reader, read, reader
from mstheft.direct.line.pieces import Samples, level, straight_pieces
from mstheft.direct.linear import boundary
from mstheft.errors import ExtractionError
from mstheft.result import Result
from mstheft.typing import Array, Oracle, Rng

PLACES = 9  # at which the answers are looked at closely
WIDE = np.linspace(-3, 3, 33)  # of a line, for the view from afar
CLOSE = np.linspace(-1, 1, 7)  # of a line, times a width, for a close look
WIDTH, WIDEST = 0.005, 0.5  # that width, and where noise hides what happens there
WIDER = 4.0  # times that width, where all places seem straight
VISIBLE = 20  # times the noise that the answers shall change in a close look
HALVINGS = 20  # of an interval, to tell a step from a slope
SLOPE = 1 / 64  # of a change: what is left of it when halved so often is no step
ONE_STEP = 1.5  # units of the answers' grid: rounding alone makes no larger step
DECIMALS, HELD = 6, 1e-7  # to which answers may be rounded, and how exactly float32 holds them
LOWEST = -1e9  # in place of ln 0
ASIDE, INPUTS = 1e-4, 20  # a row is moved so far along so many inputs: a tree's steps stay
SAFE = 24  # roundings that σ is at least: nothing fine is looked for here
ROWS = 20  # whose labels tell the number of classes, or that nothing changes
FARTHEST = 6  # powers of ten: how far out those rows lie that show that nothing changes
CLEAR, BENT = 5.0, 3  # what a line misses, over noise, at so many places, to tell bends from kinks
MOST = 0.7  # share of the bent places that a cubic fits
LONG, SEEN = 5, 0.1  # answers from afar side by side that lie on one line, and the share of these
WIDE_PIECES = 0.08  # from which there are straight pieces so wide, in which noise hides less
CUBIC = 0.1  # of what a line misses: a cubic misses less where the answers bend, not at a kink
FLOAT32 = 1e-4  # precision at which the labels of a float32 victim follow a hyperplane
RETRIED = 1e-3  # labels that miss their hyperplane by more are not those of a float32 victim
STEPS = "the answers change in steps, as those of trees do"
NEVER = "the answers never change, however far from each other the rows are"
LEARN = "learn a copy with learning.active"
ADVICE = f"{LEARN}; or ask for logits, or scale the inputs"


@dataclass
class Recognised:
    """kind : 'labels', 'linear', 'relu', 'smooth', 'stepwise' or 'constant'; why : one sentence"""

    kind: str
    why: str


def recognise(oracle: Oracle, *, rng: Rng = None) -> Recognised:
    """Look at a line from afar and, at nine places, closely. Costs about 110 queries; 20 for
    labels; up to 190 more where noise hides bends.

    From afar a linear victim is one straight piece. Closely a ReLU network is straight at most
    places and has kinks at the others, a smooth one bends everywhere, and a forest of trees does
    not change but in steps, which stay however close one comes.
    Raises `ExtractionError` where answers are no numbers.
    """
    rng = np.random.default_rng(rng)
    if oracle.output == "label":
        oracle.query(rng.normal(size=(ROWS, oracle.inputs)))  # tells K
        return Recognised("labels", "the oracle answers labels only")
    start, direction = rng.normal(size=(2, oracle.inputs))
    try:
        box = reader(oracle)
        far = samples(box, start, direction, WIDE)
    except ExtractionError as error:
        return unreadable(oracle, start, direction, error)
    if not np.ptp(far.answers, axis=0).any() and differing(oracle, rng) is None:
        return Recognised("constant", NEVER)
    at = int(np.abs(np.diff(far.answers, axis=0)).max(axis=1).argmax())
    pair = [start + t * direction for t in far.t[at : at + 2]]
    is_line = len(straight_pieces(far)) == 1
    if not (is_line and box.grid.is_relative) and is_step(box, *pair):  # decimals hide small steps
        return Recognised("stepwise", STEPS)
    if is_line:
        seen = Recognised("linear", "the answers lie on one straight line")
    else:
        seen = closely(box, start, direction, far, rng)
    chance = "; the victim is stochastic: two answers to one row differ"
    return replace(seen, why=seen.why + chance) if box.is_stochastic else seen


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
        places = [samples(oracle, start + t * direction, direction, width * CLOSE) for t in where]
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


def unreadable(
    oracle: Oracle, start: Array, direction: Array, error: ExtractionError
) -> Recognised:
    """The kind of a victim most of whose probabilities are exactly 0 or 1. Costs up to 95 queries.

    Raises the error of such answers, with advice, unless they are those of trees or of a constant.
    """
    if oracle.output not in ("probs", "log_probs"):
        raise error
    box, x = Reader(oracle), start + np.multiply.outer(WIDE, direction)
    change = np.abs(np.diff(raw(box, x), axis=0)).max(axis=1)
    at = int(change.argmax())
    pair = (x[at], x[at + 1]) if change.any() else differing(oracle, np.random.default_rng(0))
    if pair is None:
        return Recognised("constant", NEVER)
    if is_step(box, *pair):
        return Recognised("stepwise", STEPS)
    raise ExtractionError(error.stage, error.assumption, ADVICE) from None


def differing(oracle: Oracle, rng: Generator) -> tuple[Array, Array] | None:
    """Two rows of different answers, near or far; None if all are equal. Costs 20 queries."""
    far = 10 ** rng.uniform(0, FARTHEST, (ROWS, 1))
    x = far * rng.normal(size=(ROWS, oracle.inputs))
    answers = oracle.query(x)
    others = np.flatnonzero((answers != answers[0]).any(axis=1))
    return (x[0], x[others[0]]) if len(others) else None


def is_step(oracle: Reader, low: Array, high: Array) -> bool:
    """Does a change between two rows stay when they come closer? Costs 8 queries, 22 at a step,
    62 at one that rounding alone may make.

    A step of one unit of the grid on which the answers lie is also one of rounding. Such a step
    moves with every input, a tree's only with the one that it compares.
    """
    f_low, f_high = raw(oracle, np.stack([low, high]))
    seen, change = [f_low, f_high], np.abs(f_high - f_low)
    least = max(SLOPE * change.max(), 4 * oracle.jitter)
    apart = np.linalg.norm(high - low) / np.sqrt(oracle.inputs)
    for _ in range(HALVINGS + max(0, int(np.log2(apart)))):
        middle = (low + high) / 2
        f = raw(oracle, middle[None])[0]
        seen.append(f)
        if np.abs(f - f_low).max() >= np.abs(f_high - f).max():
            high, f_high = middle, f
        else:
            low, f_low = middle, f
        change = np.abs(f_high - f_low)
        if change.max() <= least:
            return False
    unit = step_of_rounding(np.array(seen))
    if unit is None or change.max() > ONE_STEP * unit:
        return True
    inputs = np.arange(min(oracle.inputs, INPUTS))
    aside = np.zeros((len(inputs), oracle.inputs))
    aside[inputs, inputs] = ASIDE
    same = [(raw(oracle, x + aside) == f).all(axis=1) for x, f in ((low, f_low), (high, f_high))]
    return bool(np.mean(same[0] & same[1]) > 0.5)


def step_of_rounding(answers: Array) -> float | None:
    """The unit of the few decimals to which all answers may have been rounded, if there is one."""
    for k in range(DECIMALS + 1):
        if np.allclose(answers, np.round(answers, k), rtol=HELD, atol=0):
            return 10.0**-k
    return None


def raw(oracle: Reader, x: Array) -> Array:
    """The answers as they come, (n, K), but no infinity."""
    return np.nan_to_num(oracle.query(x).astype(float), neginf=LOWEST)


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


def extract(oracle: Oracle, *, rng: Rng = None, tolerance: float = 1e-6) -> Result:
    """Steal what is behind an oracle, whatever it is: recognise it, then run the attack that fits.

    rng, tolerance : of the attacks
    Costs about 115 queries, and those of the attacks that were tried, in their order; all of them
    are booked in the result. Returns a verified `Result`. Raises the `ExtractionError` of the last
    attack tried, or one that says why there is none; `BudgetExhausted`.
    """
    rng, result = np.random.default_rng(rng), Result()
    try:
        with result.stage("recognise", oracle):
            seen = recognise(oracle, rng=rng)
            result.notes["recognise"] = f"{seen.kind}: {seen.why}"
    except ExtractionError as error:
        better = diagnosis(oracle, error)
        if better is None:
            raise
        raise better from error
    failure = ExtractionError(
        "recognise",
        f"{seen.why}, and no weights are there to be solved for",
        "check what the oracle asks" if seen.kind == "constant" else LEARN,
        partial=result,
    )
    for attack in attacks(seen.kind, oracle, rng, tolerance):
        try:
            return added(result, attack())
        except ExtractionError as error:
            failure = error
            is_far = getattr(error.partial, "error", 0) > RETRIED or error.stage == "witnesses"
            if isinstance(error.partial, Result):
                failure.partial = result = added(result, error.partial)
            if seen.kind == "labels" and is_far:
                break
        except BaseException as error:  # a spent budget, Ctrl-C: what was paid for is kept
            if isinstance(getattr(error, "partial", None), Result):
                error.partial = added(result, error.partial)  # type: ignore[attr-defined]
            raise
    if seen.kind == "stepwise":  # chance makes steps too, and votes look like few decimals
        other = diagnosis(oracle, failure)
        if other is not None and other.assumption != failure.assumption:
            failure = other
    raise in_other_words(seen.kind, failure) from failure.__cause__


def attacks(
    kind: str, oracle: Oracle, rng: Generator, tolerance: float
) -> Iterator[Callable[[], Result]]:
    """The attacks on that kind, the most likely one first."""
    if kind == "labels":
        yield lambda: boundary.extract(oracle, rng=rng)
        yield lambda: boundary.extract(oracle, rng=rng, precision=FLOAT32)
    if kind == "linear":
        yield lambda: linear.extract(oracle, rng=rng, tolerance=tolerance)
    if kind in ("linear", "relu"):
        yield lambda: sweep.extract(oracle, rng=rng, tolerance=tolerance)
        yield lambda: deep.extract(oracle, rng=rng, tolerance=tolerance)
    if kind == "smooth":
        yield lambda: smooth.extract(oracle, activation="tanh", rng=rng, tolerance=tolerance)
        yield lambda: smooth.extract(oracle, activation="softplus", rng=rng, tolerance=tolerance)


def in_other_words(kind: str, failure: ExtractionError) -> ExtractionError:
    """The error of the last attack, where it speaks of one attempt and not of the victim."""
    why, advice = failure.assumption, failure.advice
    if failure.__cause__ is not None:  # of `diagnosis`, and about the victim
        return failure
    if kind == "labels" and failure.stage in ("signs", "hyperplane", "verify"):
        why = "the classes are not linear: no hyperplanes part the labels"
        advice = LEARN
    if kind == "smooth" and failure.stage in ("hessians", "lines", "fit", "verify"):
        why = "the victim is smooth, but no layer of tanh, sigmoid or softplus neurons explains it"
        advice = f"{LEARN}, as of GELU, SiLU, ELU, or more layers; or ask for more digits"
    return ExtractionError(failure.stage, why, advice, partial=failure.partial)


def added(before: Result, result: Result) -> Result:
    """A result with the stages of what was tried before it, in their order."""
    sums = Result(queries=dict(before.queries), seconds=dict(before.seconds))
    sums.book(result)
    result.queries, result.seconds = sums.queries, sums.seconds
    result.notes = {**before.notes, **result.notes}
    return result


steal = extract
