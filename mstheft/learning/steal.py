"""Steal what is behind an oracle, whatever it is: recognise it, then run the attacks that fit.

    linear               equations, then as relu
    clipped inputs       least squares, or the sweep, between the walls
    relu                 sweep, where answers are coarse a copy learned in a sketch, then deep
    smooth               smooth
    labels               boundary
    unknown              none of these
    stepwise, constant   none: trees have no weights to solve for

The unknown is learned in a sketch, too. The name of the whole is `mstheft.steal`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.random import Generator

from mstheft.direct import deep, linear, smooth, sweep
from mstheft.direct.answers.diagnosis import diagnosis
from mstheft.direct.answers.reader import read, reader
from mstheft.direct.answers.steps import LEARN
from mstheft.direct.box import Box, anywhere, is_whole, middle
from mstheft.direct.linear import boundary
from mstheft.direct.recognise import Recognised, recognise
from mstheft.direct.verify import verify
from mstheft.errors import ExtractionError
from mstheft.learning import sketched
from mstheft.nn import zoo
from mstheft.result import Result
from mstheft.typing import Oracle, Rng

CHECKED = 100  # rows all over the box
FLOAT32 = 1e-4  # precision at which the labels of a float32 victim follow a hyperplane
RETRIED = 1e-3  # labels that miss their hyperplane by more are not those of a float32 victim


def extract(oracle: Oracle, *, rng: Rng = None, tolerance: float = 1e-6) -> Result:
    """Steal what is behind an oracle, whatever it is: recognise it, then run the attacks that fit.

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
    held = seen.walls is not None and seen.kind in ("labels", "smooth", "unknown")
    none = "no weights are there to be solved for"
    why = "no attack on such stays between walls" if held else none
    failure = ExtractionError(
        "recognise",
        f"{seen.why}, and {why}",
        "check what the oracle asks" if seen.kind == "constant" else LEARN,
        partial=result,
    )
    for attack in attacks(seen, oracle, rng, tolerance):
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
            failure, result.notes["recognise"] = other, other.assumption
    raise in_other_words(seen.kind, failure) from failure.__cause__


def attacks(
    seen: Recognised, oracle: Oracle, rng: Generator, tolerance: float
) -> Iterator[Callable[[], Result]]:
    """The attacks on that kind, the most likely one first."""
    kind, walls = seen.kind, seen.walls
    if walls is not None and kind in ("linear", "relu"):
        if kind == "linear":
            yield lambda: inside(oracle, walls, rng, tolerance)
        low, high = walls
        yield lambda: sweep.extract(oracle, rng=rng, low=low, high=high, tolerance=tolerance)
        return
    if walls is not None:
        return
    if kind == "labels":
        yield lambda: boundary.extract(oracle, rng=rng)
        yield lambda: boundary.extract(oracle, rng=rng, precision=FLOAT32)
    if kind == "linear":
        yield lambda: linear.extract(oracle, rng=rng, tolerance=tolerance)
    if kind in ("linear", "relu"):
        yield lambda: sweep.extract(oracle, rng=rng, tolerance=tolerance)
    if kind in ("linear", "relu", "unknown") and seen.is_coarse:
        yield lambda: sketched.extract(oracle, rng=rng)
    if kind in ("linear", "relu"):
        yield lambda: deep.extract(oracle, rng=rng, tolerance=tolerance)
    if kind == "smooth":
        yield lambda: smooth.extract(oracle, activation="tanh", rng=rng, tolerance=tolerance)
        yield lambda: smooth.extract(oracle, activation="softplus", rng=rng, tolerance=tolerance)


def inside(oracle: Oracle, walls: Box, rng: Generator, tolerance: float) -> Result:
    """A linear victim between its walls: least squares on rows all over the box.

    Costs 2 (d + 1) queries, 9 for the noise and 100 for the check.
    """
    result = Result()
    with result.stage("equations", oracle):
        box = reader(oracle, *middle(walls))
        x, held = anywhere(rng, walls, 2 * (box.inputs + 1)), anywhere(rng, walls, CHECKED)
        if is_whole(oracle):
            x, held = np.round(x), np.round(held)
        rows = np.hstack([x, np.ones((len(x), 1))])
        weights = np.linalg.lstsq(rows, read(box, x), rcond=None)[0]
        result.model = zoo.given([(weights[:-1].T, weights[-1])])
    if not verify(result, box, rng=rng, tolerance=tolerance, noise=box.noise, rows=held):
        why = f"the answers are not linear between the walls: off by {result.error:.2g}"
        raise ExtractionError("verify", why, LEARN, partial=result)
    return result


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
