"""Equation solving: logistic and softmax regression from d + 1 answers.

A linear victim hides nothing but numbers: every answer is one equation in its weights and its bias.
`extract` is the story: `base_point`, `equations`, `solve`, `verify`.
Source: Tramèr et al., USENIX Security 2016, section 4.1; lecture 'direct extraction'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from mstheft.direct.linear.equations import System, base_point, equations
from mstheft.direct.verify import checked, verify
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.nn.network import Network
from mstheft.result import Result
from mstheft.typing import Array, Oracle, Rng

BATCH = 4096  # equations added to the normal equations at once


@dataclass
class Trace:
    """The equations A θ = rhs, (n, d+1) and (n, K), their solution θ, the base point, the step."""

    A: Array
    rhs: Array
    solution: Array
    base: Array
    step: float


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

    oversample : equations per unknown; 1 unless answers are rounded, then 4 to 64 by the decimals
    points, tolerance : fresh rows of the verification, and its relative tolerance
    Returns a verified `Result`, its model a float64 `zoo.logistic` or `zoo.softmax`.
    Costs d + 1 queries (oversample · d + 1 when rounded), a few more when the first step or the
    bias saturates, and `points` to verify.
    Raises `ExtractionError` when the answers are not enough (label, top-k), saturated, constant or
    not linear; `BudgetExhausted`.
    Source: Tramèr et al. 2016, section 4.1.
    """
    rng, result, tolerance = np.random.default_rng(rng), Result(), checked(tolerance)
    factor = _factor(oversample, oracle.decimals)
    with result.stage("base", oracle):
        base = base_point(oracle, rng=rng)
    away = np.linalg.norm(base.x)
    result.notes["base"] = f"readable answers around a point {away:.2g} from the origin"
    with result.stage("equations", oracle):
        system = equations(oracle, base, rng=rng, factor=factor)
    result.notes["equations"] = f"{len(system.A):,} equations, steps of {system.step:.2g}"
    with result.stage("solve", oracle):
        solution = solve(system.A, system.rhs, 1 / system.blur)
        if oracle.output != "logits" and solution.shape[1] > 1:
            solution -= solution.mean(axis=1, keepdims=True)  # the gauge, free of rounding
    result.notes["solve"] = f"{solution.size:,} numbers"
    result.model = copy(solution)
    result.trace = Trace(system.A, system.rhs, solution, base.x, system.step)
    if not _judge(result, oracle, system, rng, points, tolerance):
        raise ExtractionError(
            "verify",
            f"needs logits that are linear in the input, but the copy is off by {result.error:.2g}",
            "use direct.relu; or the rounding is too coarse: raise oversample= or tolerance=",
            partial=result,
        )
    return result


def _factor(oversample: int | None, decimals: int | None) -> int:
    """Equations per unknown: the coarser the answers, the more; from 15 decimals on one will do."""
    if oversample is None:
        return 1 if decimals is None or decimals >= 15 else max(4, 2 ** (7 - max(decimals, 1)))
    if oversample != int(oversample) or oversample < 1:
        raise ValueError(f"expected oversample= as a positive whole number, got {oversample!r}")
    return int(oversample)


# ---- stage 3: the linear system


def solve(A: Array, rhs: Array, weights: Array) -> Array:
    """The unknowns of A θ = rhs: exactly if there are as many as equations, else by least squares.

        min_θ Σ_i weights_i² ‖A_i θ - rhs_i‖²,      weights = 1 / δ logit ∝ p (1 - p)

    An equation counts for what it is worth: the error of a logit is δp / (p (1 - p)). Least squares
    goes through the normal equations, which is safe here, since `equations` asks along orthogonal
    directions: centred and scaled, their matrix is close to a multiple of the identity.

    A : (n, d+1), n ≥ d + 1; rhs : (n, K) logits; weights : (n,)
    Returns θ (d+1, K), the biases in the last row. Costs no query.
    Raises `ExtractionError` if the inputs are not affinely independent.
    """
    n, unknowns = A.shape
    try:
        if n == unknowns:
            return np.linalg.solve(A, rhs)
        return _least_squares(A, rhs, weights / weights.max())
    except np.linalg.LinAlgError:
        raise ExtractionError(
            "solve",
            f"needs {unknowns:,} affinely independent inputs, but the {n:,} asked are not",
            "ask other inputs: another rng= or a larger oversample=",
        ) from None


def _least_squares(A: Array, rhs: Array, weights: Array) -> Array:
    centre, scale = A[:, :-1].mean(axis=0), A[:, :-1].std()
    gram, right = np.zeros((A.shape[1],) * 2), np.zeros((A.shape[1], rhs.shape[1]))
    for i in range(0, len(A), BATCH):
        weight = weights[i : i + BATCH, None]
        local = A[i : i + BATCH].copy()
        local[:, :-1] = (local[:, :-1] - centre) / scale
        local *= weight
        gram += local.T @ local  # (d+1, d+1)
        right += local.T @ (weight * rhs[i : i + BATCH])
    theta = np.linalg.solve(gram, right)
    theta[:-1] /= scale
    theta[-1] -= centre @ theta[:-1]  # back from centred inputs
    return theta


def copy(solution: Array) -> Network:
    """A logistic (K = 1) or softmax Network with these weights. (d+1, K) -> Network."""
    return zoo.given([(solution[:-1].T, solution[-1])])


# ---- stage 4: fresh rows


def readable_rows(
    model: Network, base: Array, scale: float, spread: float, n: int, rng: Generator
) -> Array:
    """Random rows all over N(0, scale² I), moved to where the copy's probabilities are readable.

        x ~ N(0, scale² I),   z ~ N(z(base), spread² I),   x ← x + W⁺ (z - W x - b)

    The right copy has the logits z there, and no answer is saturated; a victim that is linear only
    around the base point, such as a ReLU network, answers something else.

    base : (d,); n : rows; spread : logit units, scale : input units
    Returns (n, d). Costs no query.
    """
    W, _ = model.dense()[0]
    x = scale * rng.normal(size=(n, len(base)))
    wanted = model.logits(base[None]) + spread * rng.normal(size=(n, len(W)))
    return x + (wanted - model.logits(x)) @ np.linalg.pinv(W, rcond=1e-9).T


def _judge(
    result: Result, oracle: Oracle, system: System, rng: Generator, points: int, tolerance: float
) -> bool:
    """Verify on N(0, I) or wider; for probabilities on rows that are spread alike, but readable."""
    base, unit = system.A[0, :-1], system.step / np.sqrt(oracle.inputs)
    steepest = float(np.linalg.norm(result.model.dense()[0][0], axis=1).max())
    scale, rows, size = 1.0, None, None
    if oracle.output == "probs":
        scale = max(1.0, unit, float(np.linalg.norm(base)) / np.sqrt(oracle.inputs))
        rows = readable_rows(result.model, base, scale, system.spread, points, rng)
        size = scale * steepest
    elif steepest < 30 * np.median(system.blur):
        scale = unit  # on N(0, I) nothing but rounding would be seen
    noise = float(np.median(system.blur)) * max(1.0, scale / unit)  # extrapolation enlarges it
    return verify(
        result, oracle, rng=rng, points=points, tolerance=tolerance, scale=scale, noise=noise,
        rows=rows, size=size,
    )  # fmt: skip
