"""What kind of victim is this? A few lines tell, and the attack that fits is run.

    straight everywhere              linear     equations
    straight pieces, with kinks      relu       sweep, then deep
    bent everywhere                  smooth     smooth
    constant pieces, with steps      stepwise   none: trees have no weights to solve for

The name of the whole is `mstheft.steal`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from mstheft.direct import deep, linear, smooth, sweep
from mstheft.direct.answers import SURE, TINY, Reader, read, reader
from mstheft.direct.line.pieces import Samples, fit_piece, straight_pieces
from mstheft.direct.linear import boundary
from mstheft.errors import ExtractionError
from mstheft.result import Result
from mstheft.typing import Array, Oracle, Rng

PLACES = 9  # at which the answers are looked at closely
WIDE = np.linspace(-3, 3, 33)  # of a line, for the view from afar
CLOSE = np.linspace(-1, 1, 7)  # of a line, times a width, for a close look
WIDTH, WIDEST = 0.005, 0.5  # that width, and where noise hides what happens there
VISIBLE = 20  # times the noise that the answers shall change in a close look
HALVINGS = 20  # of an interval, to tell a step from a slope
SAFE = 24  # roundings that σ is at least: nothing fine is looked for here
ROWS = 20  # whose labels tell the number of classes
STILL = 0.7  # share of the places at which the answers of trees do not change
STRAIGHT = 0.4, 0.2  # share of straight places: of ReLU networks at least, of smooth ones at most


ADVICE = "learn a copy with learning.active, as of trees; or ask for logits, or scale the inputs"


@dataclass
class Recognised:
    """kind : 'labels', 'linear', 'relu', 'smooth' or 'stepwise'; why : one sentence"""

    kind: str
    why: str


def recognise(oracle: Oracle, *, rng: Rng = None) -> Recognised:
    """Look at a line from afar and, at nine places, closely. Costs about 105 queries; 20 for
    labels.

    From afar a linear victim is one straight piece. Closely a ReLU network is straight at nearly
    every place, a smooth one at none, and a forest of trees does not change at all.
    Raises `ExtractionError` where answers are no numbers, or where it cannot tell.
    """
    rng = np.random.default_rng(rng)
    if oracle.output == "label":
        oracle.query(rng.normal(size=(ROWS, oracle.inputs)))  # tells K
        return Recognised("labels", "the oracle answers labels only")
    box = readable(oracle)
    start, direction = rng.normal(size=(2, oracle.inputs))
    far = samples(box, start, direction, WIDE)
    if len(straight_pieces(far)) == 1:
        return Recognised("linear", "the answers lie on one straight line")
    slope = float(np.ptp(far.answers, axis=0).max() / np.ptp(far.t))
    width = float(np.clip(VISIBLE * box.noise / slope, WIDTH, WIDEST))
    places = [
        samples(box, start + t * direction, direction, width * CLOSE)
        for t in rng.uniform(-2, 2, PLACES)
    ]
    still = np.mean([np.ptp(each.answers, axis=0).max() <= 2 * box.noise for each in places])
    straight = np.mean([fit_piece(each, 0, len(each.t)).is_straight for each in places])
    if still >= STILL:
        if steps(box, start, direction, far):
            return Recognised("stepwise", "the answers change in steps, as those of trees do")
        return Recognised("relu", "the answers are still at most places, and change without steps")
    if straight >= STRAIGHT[0]:
        return Recognised("relu", "the answers are straight pieces with kinks between them")
    if straight <= STRAIGHT[1]:
        return Recognised("smooth", "the answers bend everywhere")
    raise ExtractionError(
        "recognise",
        f"the answers are straight at {straight:.0%} of {PLACES} places, which tells neither kinks "
        "nor a smooth victim",
        "run direct.sweep or direct.smooth by name",
    )


def readable(oracle: Oracle) -> Reader:
    """The oracle with its noise. Raises `ExtractionError` where most answers are 0 or 1."""
    try:
        return reader(oracle)
    except ExtractionError as error:
        raise ExtractionError(error.stage, error.assumption, ADVICE) from None


def steps(oracle: Reader, start: Array, direction: Array, far: Samples) -> bool:
    """Does the largest change between neighbours stay when they come closer? Costs 20 queries."""
    at = int(np.abs(np.diff(far.answers, axis=0)).max(axis=1).argmax())
    low, high = far.t[at], far.t[at + 1]
    f_low, f_high = far.answers[at], far.answers[at + 1]
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        f = read(oracle, (start + middle * direction)[None])[0].astype(float)
        if not np.isfinite(f).all():
            return False
        if np.abs(f - f_low).max() >= np.abs(f_high - f).max():
            high, f_high = middle, f
        else:
            low, f_low = middle, f
    return bool(np.abs(f_high - f_low).max() > 4 * oracle.noise)


def samples(oracle: Reader, start: Array, direction: Array, t: Array) -> Samples:
    """Answers at start + t direction, those that are finite."""
    answers = read(oracle, start + np.multiply.outer(t, direction))
    finite = np.isfinite(answers).all(axis=1)
    if finite.sum() < 5:
        raise ExtractionError(
            "recognise",
            "needs finite answers to rows of N(0, I), but nearly none are",
            ADVICE,
        )
    t, answers = t[finite], answers[finite].astype(float)
    least = max(oracle.noise / SURE, SAFE * oracle.ulp * float(np.abs(answers).max()))
    return Samples(t, answers, np.maximum(oracle.sigma(answers, 1 + np.abs(t)), least) + TINY)


def extract(oracle: Oracle, *, rng: Rng = None, tolerance: float = 1e-6) -> Result:
    """Steal what is behind an oracle, whatever it is: recognise it, then run the attack that fits.

    rng, tolerance : of the attacks
    Costs about 105 queries, and those of the attacks that were tried, in their order; all of them
    are booked in the result. Returns a verified `Result`. Raises the `ExtractionError` of the last
    attack tried, or one that says why there is none; `BudgetExhausted`.
    """
    rng, result = np.random.default_rng(rng), Result()
    with result.stage("recognise", oracle):
        seen = recognise(oracle, rng=rng)
        result.notes["recognise"] = f"{seen.kind}: {seen.why}"
    failure = ExtractionError(
        "recognise",
        f"{seen.why}, and no weights are there to be solved for",
        "learn a copy with learning.active",
        partial=result,
    )
    for attack in attacks(seen.kind, oracle, rng, tolerance):
        try:
            return added(result, attack())
        except ExtractionError as error:
            failure = error
            if isinstance(error.partial, Result):
                failure.partial = result = added(result, error.partial)
        except BaseException as error:  # a spent budget, Ctrl-C: what was paid for is kept
            if isinstance(getattr(error, "partial", None), Result):
                error.partial = added(result, error.partial)  # type: ignore[attr-defined]
            raise
    raise failure


def attacks(
    kind: str, oracle: Oracle, rng: Generator, tolerance: float
) -> Iterator[Callable[[], Result]]:
    """The attacks on that kind, the most likely one first."""
    if kind == "labels":
        yield lambda: boundary.extract(oracle, rng=rng)
    if kind == "linear":
        yield lambda: linear.extract(oracle, rng=rng, tolerance=tolerance)
    if kind in ("linear", "relu"):
        yield lambda: sweep.extract(oracle, rng=rng, tolerance=tolerance)
        yield lambda: deep.extract(oracle, rng=rng, tolerance=tolerance)
    if kind == "smooth":
        yield lambda: smooth.extract(oracle, activation="tanh", rng=rng, tolerance=tolerance)
        yield lambda: smooth.extract(oracle, activation="softplus", rng=rng, tolerance=tolerance)


def added(before: Result, result: Result) -> Result:
    """A result with the stages of what was tried before it, in their order."""
    sums = Result(queries=dict(before.queries), seconds=dict(before.seconds))
    sums.book(result)
    result.queries, result.seconds = sums.queries, sums.seconds
    result.notes = {**before.notes, **result.notes}
    return result


steal = extract
