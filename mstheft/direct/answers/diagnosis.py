"""Is the oracle the reason why an attack stopped? And, for users, the noise of its answers.

    diagnosed       wraps an attack: its errors name a stochastic, constant or stepwise victim, and
                    few decimals
    measure_noise   the noise of an oracle's answers, for `polish`

A stage sees only that its own assumption does not hold: 'no kink on any line'. Behind a victim with
dropout left on that error misleads its reader, so that every attack asks some rows twice.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import ParamSpec

import numpy as np

from mstheft.direct.answers.noise import Noise, lattice, rms
from mstheft.direct.answers.reader import AVERAGE, Reader, reader, stochastic
from mstheft.direct.answers.steps import LEARN, STEPS, is_step
from mstheft.errors import ExtractionError, MstheftError
from mstheft.result import Result
from mstheft.typing import Array, Oracle, Rng

ROWS = 16  # random rows, each asked twice
SURE = "answers", "witnesses"  # stages whose errors are already about the oracle
FEW = 6  # decimals of probabilities up to which they are to blame
Rest = ParamSpec("Rest")


def diagnosed(extract: Callable[Rest, Result]) -> Callable[Rest, Result]:
    """The attack, with an error that says what is wrong with its victim, or its few decimals."""

    @functools.wraps(extract)
    def attack(*args: Rest.args, **settings: Rest.kwargs) -> Result:
        oracle = args[0] if args else settings["oracle"]
        try:
            return extract(*args, **settings)
        except ExtractionError as error:
            better = diagnosis(oracle, error)  # type: ignore[arg-type]
            if better is None:
                raise
            raise better from error
        except np.linalg.LinAlgError as error:
            failure = unsolvable(error)
            raise diagnosis(oracle, failure) or failure from error  # type: ignore[arg-type]

    return attack


def unsolvable(error: np.linalg.LinAlgError) -> ExtractionError:
    """The error of equations that hold NaN or infinities.

    Such equations arise where, for example, a row of zeros is taken for the weights of a neuron.
    error : has the partial result, as every error that leaves a stage
    """
    partial = getattr(error, "partial", None)
    return ExtractionError(
        partial.stopped if isinstance(partial, Result) else "solve",
        "expected equations that can be solved, but their numbers are not finite",
        "the victim is not what this attack expects, or its answers are too coarse",
        partial=partial,
    )


def diagnosis(oracle: Oracle, error: ExtractionError) -> ExtractionError | None:
    """The error in other words where the oracle is to blame, else None.

    Costs 40 to 94 queries, if so many are left; they are booked under 'diagnosis' in the partial
    result. Raises nothing.
    """
    if error.stage in SURE:
        return None
    x = np.random.default_rng(0).normal(size=(ROWS, oracle.inputs))
    result = error.partial if isinstance(error.partial, Result) else Result()
    stopped = result.stopped
    try:
        with result.stage("diagnosis", oracle):
            answers = oracle.query(np.repeat(x, 2, axis=0))
            why, advice = blame(answers, oracle.output, oracle.decimals)
            if not why and steps_somewhere(oracle, x, answers[::2]):
                why, advice = STEPS, LEARN
    except (MstheftError, ConnectionError):  # the attack's own error tells more than this one
        result.stopped = stopped
        return None
    if not advice:
        return None
    return ExtractionError(error.stage, why or error.assumption, advice, partial=result)


def steps_somewhere(oracle: Oracle, x: Array, answers: Array) -> bool:
    """Does the largest change between two rows of x (n, d) stay a step, however close they come?"""
    if oracle.output not in ("logits", "log_probs", "probs"):
        return False
    change = np.abs(np.diff(np.nan_to_num(answers.astype(float)), axis=0)).max(axis=1)
    at = int(change.argmax())
    return is_step(Reader(oracle), x[at], x[at + 1])


def blame(answers: Array, output: str, decimals: int | None) -> tuple[str, str]:
    """What is wrong with the answers, and what to do; both empty where nothing is wrong.

    Where decimals are few only the advice is new, and the first is empty.
    answers : (2 n, K) or (2 n,), each row twice
    """
    with np.errstate(invalid="ignore"):
        apart = np.abs(answers[::2].astype(float) - answers[1::2])
    if not np.array_equal(answers[::2], answers[1::2]):
        off = float(np.nanmax(apart))
        return stochastic(off), AVERAGE
    if output == "label":
        return "", ""
    is_hidden = not np.isfinite(answers).all() or (
        output == "probs" and np.isin(answers, (0, 1)).all()
    )
    if (answers == answers[0]).all() and not is_hidden:
        return (
            f"the answers never change: {len(answers) // 2} random rows all have the same",
            "is the victim constant? check the oracle, the size of its inputs, and its decimals",
        )
    grid = lattice(answers)
    few = grid.decimals if decimals is None else decimals
    if output == "probs" and few is not None and few <= FEW:
        unit = f"{few} decimal" if few == 1 else f"{few} decimals"
        return "", (
            f"{unit} of probabilities hide logits: ask for log_probs, logits or more decimals, or "
            "learn a copy with learning.sketched"
        )
    return "", ""


def measure_noise(oracle: Oracle, *, row: Array | None = None, rng: Rng = None) -> Noise:
    """The noise of an oracle's answers as `answers.reader` measures it, for `polish(noise=…)`.

    row : (d,) where to ask; N(0, 1) numbers unless given
    Costs 9 queries, 16 of a stochastic victim, 25 where answers hardly change. Raises ValueError
    for labels, `ExtractionError` for answers that are no finite numbers, `BudgetExhausted`.
    """
    if oracle.output == "label":
        raise ValueError("expected numbers, got an oracle of labels; their noise has no size")
    start, direction = np.random.default_rng(rng).normal(size=(2, oracle.inputs))
    place = start if row is None else np.asarray(row, float)
    measured = reader(oracle, place, direction, loudest=np.inf)
    jitter = max(measured.jitter, measured.ulp * rms(measured.first))  # of a logit
    if oracle.output == "probs":
        jitter *= rms(measured.sample.astype(float) * (1 - measured.sample.astype(float)))
    if measured.is_stochastic:
        return Noise("stochastic", jitter=jitter)
    return replace(measured.grid, jitter=jitter)
