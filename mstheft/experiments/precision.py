"""How much rounding stops which attack: the same victims behind coarser and coarser answers.

Every attack chooses its steps by the noise that it sees in the answers; here nothing is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mstheft import compare, progress
from mstheft.direct import linear, relu, smooth, sweep
from mstheft.errors import ExtractionError
from mstheft.nn import Network, zoo
from mstheft.oracle import Oracle
from mstheft.typing import Rng

FORMATS = ("float64", "float32", "float16")
DECIMALS = tuple(range(12, 0, -1))
ROWS = 2000  # fresh inputs on which copy and victim are compared


@dataclass(frozen=True)
class Run:
    """One attack on one victim.

    digits : decimal digits behind the point that the answers tell, about; float formats by their
        relative precision
    error : largest |Δlogit| on fresh N(0, I) rows, less the mean over classes; None without a copy
    stage : the stage in which it failed, or ""
    """

    attack: str
    answers: str
    digits: float
    seed: int
    verified: bool
    error: float | None
    agreement: float | None
    queries: int
    stage: str


def attacks(shape: list[int]) -> dict[str, tuple[Callable[..., Network], Callable[..., Any]]]:
    """{name: (a victim's maker, the attack)} for a shape d-h-K."""
    d, _, classes = shape

    def dense(activation: str) -> Callable[..., Network]:
        return lambda rng: zoo.mlp(shape, activation=activation, bias=0.1, rng=rng)

    def bent(oracle: Oracle, rng: Rng) -> Any:
        return smooth.extract(oracle, activation="tanh", rng=rng)

    return {
        "linear": (lambda rng: zoo.mlp([d, classes], bias=0.1, rng=rng), linear.extract),
        "four steps": (dense("relu"), relu.extract),
        "sweep": (dense("relu"), sweep.extract),
        "smooth (tanh)": (dense("tanh"), bent),
    }


def study(shape: list[int], *, seeds: int = 3, rng: int = 0) -> Iterator[Run]:
    """Every attack behind every kind of answer, on `seeds` random victims each."""
    told = [*((name, None) for name in FORMATS), *((None, n) for n in DECIMALS)]
    chosen = attacks(shape)
    with progress.bar("attacks", len(chosen) * len(told) * seeds, "run") as bar:
        for name, (make, attack) in chosen.items():
            for kind, decimals in told:
                for seed in range(seeds):
                    yield one(name, make([rng, seed, 0]), attack, kind, decimals, [rng, seed, 1])
                    bar.update(1)


def one(
    name: str,
    victim: Network,
    attack: Callable[..., Any],
    kind: str | None,
    decimals: int | None,
    rng: Sequence[int],
) -> Run:
    """One run; a failure is a result too."""
    oracle, stage, result = behind(victim, kind, decimals), "", None
    try:
        result = attack(oracle, rng=rng)
    except ExtractionError as failure:
        stage, result = failure.stage, failure.partial
    copy = getattr(result, "model", None)
    verified = bool(getattr(result, "verified", False)) and not stage
    error = agreement = None
    if copy is not None:
        x = np.random.default_rng([*rng, 7]).normal(size=(ROWS, victim.inputs))
        judged = compare.summary(victim, copy, x)
        error, agreement = float(judged.difference.max), float(judged.agreement)
    answers = kind or f"{decimals} decimals"
    seed = int(rng[1])
    count = oracle.count
    return Run(
        name, answers, digits(kind, decimals), seed, verified, error, agreement, count, stage
    )


def behind(victim: Network, kind: str | None, decimals: int | None) -> Oracle:
    """The victim's logits in a float format, or rounded to decimals."""
    if kind is None:
        return Oracle(victim, output="logits", decimals=decimals)

    def answer(x: Any) -> Any:
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
