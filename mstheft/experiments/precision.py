"""How much rounding stops which attack: the same victims behind coarser and coarser answers.

Every attack measures the noise in the answers and chooses its steps by it, without an option.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from mstheft import compare, progress
from mstheft.direct import linear, relu, smooth, sweep
from mstheft.errors import ExtractionError, VictimError
from mstheft.nn import Network, zoo
from mstheft.oracle import Oracle
from mstheft.result import Result
from mstheft.typing import Array

FORMATS = ("float64", "float32", "float16")
DECIMALS = tuple(range(12, 0, -1))
Make = Callable[..., Network]
Attack = Callable[..., Result]
Form = tuple[str | None, int | None]  # a float format, or None and decimals
ROWS = 2000  # fresh inputs on which copy and victim are compared


@dataclass(frozen=True)
class Run:
    """One attack on one victim."""

    attack: str
    answers: str
    digits: float  # behind the point of the answers, for float formats of answers of size 1
    seed: int
    verified: bool
    error: float | None  # largest |Δlogit| on fresh N(0, I) rows; None without a copy
    agreement: float | None
    queries: int
    stage: str  # in which the attack failed, or ""


def attacks(shape: list[int]) -> dict[str, tuple[Make, Attack]]:
    """{name: (a victim's maker, the attack)} for a shape d-h-K."""
    linear_shape = [shape[0], shape[-1]]
    tanh = partial(smooth.extract, activation="tanh")
    return {
        "linear": (partial(zoo.mlp, linear_shape, bias=0.1), linear.extract),
        "four steps": (partial(zoo.mlp, shape, bias=0.1), relu.extract),
        "sweep": (partial(zoo.mlp, shape, bias=0.1), sweep.extract),
        "smooth (tanh)": (partial(zoo.mlp, shape, activation="tanh", bias=0.1), tanh),
    }


def study(shape: list[int], *, seeds: int = 3, rng: int = 0) -> Iterator[Run]:
    """Every attack behind every kind of answer, on `seeds` random victims each."""
    forms: list[Form] = [*((name, None) for name in FORMATS), *((None, n) for n in DECIMALS)]
    cases = list(itertools.product(attacks(shape).items(), forms, range(seeds)))
    with progress.bar("attacks", len(cases), "run") as bar:
        for (name, (make, attack)), form, seed in cases:
            yield one(name, make(rng=[rng, seed, 0]), attack, form, [rng, seed, 1])
            bar.update(1)


def one(name: str, victim: Network, attack: Attack, form: Form, rng: Sequence[int]) -> Run:
    """One attack; a failure is a result too."""
    oracle, stage, result = behind(victim, *form), "", Result()
    try:
        result = attack(oracle, rng=rng)
    except (ExtractionError, VictimError) as failure:  # far out float16 answers infinity
        partial_result = getattr(failure, "partial", None)
        if isinstance(partial_result, Result):
            result = partial_result
        stage = getattr(failure, "stage", "") or result.stopped or "answers"
    copy, error, agreement = result.model, None, None
    if copy is not None:
        x = np.random.default_rng([*rng, 7]).normal(size=(ROWS, victim.inputs))
        judged = compare.summary(victim, copy, x)
        error, agreement = float(judged.difference.max), float(judged.agreement)
    answers, verified = form[0] or f"{form[1]} decimals", bool(result.verified) and not stage
    measures = verified, error, agreement, oracle.count, stage
    return Run(name, answers, digits(*form), int(rng[1]), *measures)


def behind(victim: Network, kind: str | None, decimals: int | None) -> Oracle:
    """The victim's logits in a float format, or rounded to decimals."""
    if kind is None:
        return Oracle(victim, output="logits", decimals=decimals)

    def answer(x: Array) -> Array:
        with np.errstate(over="ignore"):  # float16 ends at 65,504
            return victim.logits(x).astype(kind).astype(np.float64)

    return Oracle(answer, output="logits", gives="logits", inputs=victim.inputs)


def digits(kind: str | None, decimals: int | None) -> float:
    """Decimal digits behind the point, for answers of size 1."""
    return float(decimals or 0) if kind is None else float(-np.log10(np.finfo(kind).eps / 2))


def table(runs: list[Run]) -> list[list[str]]:
    """A line for each kind of answer: per attack the median error, and how many were verified."""
    names = list(dict.fromkeys(run.attack for run in runs))
    rows = [["answers", *names]]
    for answers in dict.fromkeys(run.answers for run in runs):
        row = [answers]
        for name in names:
            mine = [run for run in runs if (run.attack, run.answers) == (name, answers)]
            errors = [run.error for run in mine if run.verified and run.error is not None]
            count = f"{len(errors)} of {len(mine)}"
            row.append(f"{np.median(errors):.0e} ({count})" if errors else f"- ({count})")
        rows.append(row)
    return rows
