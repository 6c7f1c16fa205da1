"""Equation solving: logistic and softmax regression from d + 1 answers.

A linear victim hides nothing but numbers: every answer is one equation in its weights and its bias.
`extract` is the story: `base_point`, `equations`, `solve`, `check`; where the check fails, the
noise of the answers is measured, and more equations are asked.
Source: Tramèr et al., USENIX Security 2016, section 4.1; lecture 'direct extraction'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.diagnosis import diagnosed
from mstheft.direct.answers.reader import Reader
from mstheft.direct.linear import top_k
from mstheft.direct.linear.check import Check, check
from mstheft.direct.linear.equations import (
    Base,
    System,
    base_point,
    equations,
    measure,
    rows_wanted,
)
from mstheft.direct.linear.solve import residual, solve
from mstheft.direct.verify import checked
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.nn.network import Network
from mstheft.result import Result
from mstheft.typing import Array, Oracle, Rng

MOST = 1024  # equations for each unknown at which the attack gives up
ROUNDS = 12  # checks, at the most: ten doublings reach MOST
OF_DECIMALS, OF_OTHERS = 1.3, 3.0  # residuals over σ up to which they are decimals, other noise


@dataclass
class Trace:
    """The equations A θ = rhs, (n, d+1) and (n, K), their solution θ, the base point, the step."""

    A: Array
    rhs: Array
    solution: Array
    base: Array
    step: float


@diagnosed
def extract(
    oracle: Oracle,
    *,
    rng: Rng = None,
    oversample: int | None = None,
    points: int = 100,
    tolerance: float = 1e-6,
) -> Result:
    """Copy a victim whose logits are linear in the input, one equation per query.

        w·x + β = logit p                       (one sigmoid)
        w_k·x + b_k = ln p_k - mean_j ln p_j    (softmax of K classes, K equations per query)

    Each input x gives an equation in d + 1 unknowns per class, so d + 1 affinely independent inputs
    give them all. Adding one vector to the weights of all classes changes no probability (gauge):
    from probabilities or log-probabilities the copy is the one whose weights and biases have mean 0
    over the classes; from logits it is the victim itself.

    With noise, of whatever kind and however much, more equations are asked, at most 1,024 for each
    unknown, until the error bar of a logit is less than a twentieth of the logits' spread. The copy
    is then verified to the noise: fresh answers miss it by no more than σ and that bar explain, in
    a test which a right copy fails once in a million times. `notes['verify']` says how exact it is.

    oversample : equations per unknown to begin with; 1 unless answers are coarse, then 4 to 64
    points, tolerance : fresh rows of the verification, and its relative tolerance
    Returns a verified `Result`, its model a float64 `zoo.logistic` or `zoo.softmax`.
    Costs d + 1 queries (oversample · d + 1 with noise), a few more when the first step or the
    bias saturates, and `points` to verify.
    Of top-k answers, k ≥ 2, see `linear.top_k`: about (K - 1) / (k - 1) times as many queries.
    Raises `ExtractionError` when the answers are not enough (label), saturated, constant or not
    linear; `BudgetExhausted`.
    Source: Tramèr et al. 2016, section 4.1.
    """
    rng, result, tolerance = np.random.default_rng(rng), Result(), checked(tolerance)
    _check_oversample(oversample)
    if oracle.output == "top_k":
        return top_k.from_largest(oracle, result, rng, oversample or 1, points, tolerance)
    oracle = Reader(oracle)
    with result.stage("base", oracle):
        base = base_point(oracle, rng=rng)
    away = np.linalg.norm(base.x)
    result.notes["base"] = f"readable answers around a point {away:.2g} from the origin"
    with result.stage("equations", oracle):
        system = equations(oracle, base, rng=rng, factor=oversample or 1)
        if oversample is None:
            system = grown(oracle, base, system, rng)
    for _ in range(ROUNDS):
        judged = _judge(oracle, base, system, result, rng, points, tolerance)
        if judged.passed:
            return result
        system = system.joined(judged.x, judged.answers)  # fresh rows no longer: equations
        with result.stage("equations", oracle):
            if not len(oracle.first):
                measure(oracle, base, system, result.model, rng=rng)
                oracle.warn(result)
            _is_linear(oracle, system, result)
            system = grown(oracle, base, system, rng, judged)
    raise _not_linear(result, "fresh answers miss it by more than noise")


def _check_oversample(oversample: int | None) -> None:
    if oversample is not None and (oversample != int(oversample) or oversample < 1):
        raise ValueError(f"expected oversample= as a positive whole number, got {oversample!r}")


def _judge(
    oracle: Reader,
    base: Base,
    system: System,
    result: Result,
    rng: Generator,
    points: int,
    tolerance: float,
) -> Check:
    """Solve the equations, and hold the copy against fresh rows."""
    result.notes["equations"] = f"{len(system.A):,} equations, steps of {system.step:.2g}"
    with result.stage("solve", oracle):
        solution = solve(system.A, system.rhs, 1 / system.sigma(oracle))
        if oracle.output != "logits" and solution.shape[1] > 1:
            solution -= solution.mean(axis=1, keepdims=True)  # the gauge, free of rounding
        result.model = copy(solution)
    result.notes["solve"] = f"{solution.size:,} numbers"
    result.trace = Trace(system.A, system.rhs, solution, base.x, system.step)
    return check(result, oracle, system, rng, points, tolerance)


def copy(solution: Array) -> Network:
    """A logistic (K = 1) or softmax Network with these weights. (d+1, K) -> Network."""
    return zoo.given([(solution[:-1].T, solution[-1])])


# ---- where one equation for each unknown is not enough


def grown(
    oracle: Reader, base: Base, system: System, rng: Generator, judged: Check | None = None
) -> System:
    """The system with as many more equations as the noise asks for, twice as many after a check.

    After a check that has only shown the noise, none are needed if the error bar is small.
    Raises `ExtractionError` where that would be more than MOST for each unknown.
    """
    d = oracle.inputs
    have = (len(system.A) - 1) / d
    want: float = rows_wanted(oracle, base)
    if judged is not None and not judged.is_determined:
        want = max(want, 2 * have)
    if want > MOST and judged is not None:
        raise ExtractionError(
            "verify",
            f"needs answers that tell the weights, but {len(system.A):,} of them leave a logit "
            f"uncertain by {judged.bar:.2g}",
            f"use answers of less noise; or raise tolerance= or oversample= (over {MOST:,})",
        )
    more = int(np.ceil(want - have))
    if more < 1:
        return system
    further = equations(oracle, base, rng=rng, factor=more)
    joined = system.joined(further.A[1:, :-1], further.rhs[1:])
    return System(joined.A, joined.rhs, further.step, further.spread)


def _is_linear(oracle: Reader, system: System, result: Result) -> None:
    """Raises `ExtractionError` if the equations contradict one another by more than their noise."""
    left = residual(system.A, system.rhs, 1 / system.sigma(oracle))
    is_rounded = oracle.grid.kind == "decimals" and not oracle.is_stochastic
    if not left < (OF_DECIMALS if is_rounded else OF_OTHERS):
        raise _not_linear(result, f"the equations are by {left:.2g} times their noise")


def _not_linear(result: Result, why: str) -> ExtractionError:
    return ExtractionError(
        "verify",
        f"needs logits that are linear in the input, but the copy is off by {result.error:.2g}, "
        f"and {why}",
        "use direct.relu; or the rounding is too coarse: raise oversample= or tolerance=",
        partial=result,
    )
