"""The last stage of every direct attack: does the copy answer fresh rows like the victim?"""

from __future__ import annotations

from typing import Any

import numpy as np

from mstheft.direct.answers import read
from mstheft.nn import functions as F
from mstheft.nn.functions import Array
from mstheft.result import Result


def verify(
    result: Result,
    oracle: Any,
    *,
    rng: Any,
    points: int = 100,
    tolerance: float = 1e-6,
    scale: float = 1.0,
    noise: float = 0.0,
    rows: Array | None = None,
    size: float | None = None,
) -> bool:
    """Ask fresh random rows and hold the copy's logits against the answers.

        x ~ N(0, scale² I),   Δ = answers - logits of the copy (both with mean 0 over the
        classes where the victim tells probabilities),   error = max |Δ|,
        verified  <=>  |Δ| ≤ blur + size · max(tolerance, min(1e-2, 1000 noise / size))

    No stage has seen these rows, so that a wrong copy has nothing to hide behind. What the
    rounding of an answer explains (`blur`) is not held against the copy. Rows with a probability of
    exactly 0 or 1 cannot be compared; when they are more than half, or when the answers vary by
    less than they are blurred, the rows tell nothing and the copy is not verified.

    result : its `model` is judged; `error`, `verified` and `found['verify']` are set
    points : rows asked; tolerance : relative to size
    scale : standard deviation of the rows, input units; noise : of an answer, logit units
    rows : (points, d) to be asked instead, where N(0, scale² I) would only meet saturated answers
    size : of the logits, unless given the largest standard deviation of an output over the answers
    Returns `result.verified`. Costs `points` queries, booked under 'verify'.
    Raises ValueError for less than two points, `BudgetExhausted` if they are too many.
    """
    if points < 2:
        raise ValueError(
            f"expected points= of at least 2, got {points}; a copy is never returned unverified"
        )
    with result.stage("verify", oracle):
        draw = np.random.default_rng(rng).normal(size=(points, oracle.inputs))
        x = scale * draw if rows is None else rows
        answers = read(oracle, x)
        logits = result.model.logits(x)
        if oracle.output != "logits" and answers.shape[1] > 1:
            logits = logits - logits.mean(axis=1, keepdims=True)
        seen = np.isfinite(answers).all(axis=1)
        result.error, result.verified = float("inf"), False
        if 2 * seen.sum() >= points:
            answers, misses = answers[seen], np.abs(answers - logits)[seen]
            size = float(answers.std(axis=0, dtype=float).max()) if size is None else size
            allowed = max(tolerance * size, min(1e-2 * size, 1000 * noise))
            rounding = blur(oracle, answers)
            telling = size > np.median(rounding)
            result.error = float(misses.max())
            result.verified = bool(telling and (misses <= allowed + rounding).all())
        verdict = "answers like the victim" if result.verified else "does not answer alike"
        result.found["verify"] = (
            f"the copy {verdict} on {seen.sum()} fresh rows: max |Δ| {result.error:.1e}"
        )
    return result.verified


def blur(oracle: Any, answers: Array) -> Array:
    """How far rounding may have moved each number that `answers.read` has returned.

        logits, log_probs   δ + ε (1 + |z|),               δ = ½ 10^-k for k decimals, or 0
        probs, softmax      -ln(1 - δ / p_k), and its mean over the classes, which the gauge adds
        probs, sigmoid      -ln(1 - δ / p) - ln(1 - (δ + ε p) / (1 - p)):  for small δ this is
                            δ / (p (1 - p)), and 1 - p has no more digits than p

    ε is the step of the answers' dtype. A probability near 0 or 1 is a poor witness of its logit,
    and one of exactly 0 or 1 is none: infinity. Costs no query.

    answers : (n, K) logits -> (n, K), logit units
    """
    kind = np.finfo(np.result_type(answers.dtype, np.float16))
    half = 0.0 if oracle.decimals is None else 0.5 * 10.0**-oracle.decimals
    known = np.isfinite(answers).all(axis=1, keepdims=True)
    z = np.where(known, answers, 0).astype(float)
    spread = 2 * kind.eps * (1 + np.abs(z))
    if oracle.output == "probs":
        lost = half + float(kind.smallest_subnormal)
        if z.shape[1] == 1:
            up, down = F.sigmoid(z), F.sigmoid(-z)
            spread += _log_loss(lost / up) + _log_loss((lost + kind.eps * up) / down)
        else:
            logs = _log_loss(lost / F.softmax(z))
            spread += logs + logs.mean(axis=1, keepdims=True)
    else:
        spread += half * (1 if oracle.output == "logits" else 2)
    return np.where(known, spread, np.inf)


def _log_loss(share: Array) -> Array:
    """-ln(1 - share), infinite from a share of 1: what a relative error does to a logarithm."""
    with np.errstate(divide="ignore"):
        return -np.log1p(-np.minimum(share, 1))
