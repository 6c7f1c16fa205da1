"""How uncertain is one answer of a linear victim? σ, and three of them: its blur."""

from __future__ import annotations

import numpy as np

from mstheft.direct.answers.reader import SURE, Reader
from mstheft.nn import functions as F
from mstheft.typing import Array

FLAT = 200.0  # |logit| at which a probability is 0 or 1, whatever the format
TINY = 1e-100  # σ of answers that are all 0


def sigma(oracle: Reader, logits: Array, reach: Array | float = 1.0) -> Array:
    """σ of answers (n, K) -> (n,): that of the least exact output.

    Arithmetic inside a victim grows with |x|, chance does not; but where chance moves the
    probabilities themselves, a logit suffers 1 / (p (1 - p)) as much. A logit that happens to be 0
    is no more exact than the other answers.
    reach : (n,) |x| over that of a usual equation
    """
    if oracle.is_stochastic:
        reach = 1.0
    if oracle.output == "log_probs" and logits.shape[1] == 1:
        size = of_log_odds(oracle, logits[:, 0], reach)
    else:
        size = oracle.sigma(logits, reach).max(axis=1)
    if oracle.is_stochastic and oracle.output == "probs":
        of_probability = oracle.jitter / gain(oracle.first[:1]).mean()
        size = np.maximum(size, of_probability * gain(logits).max(axis=1))
    values = np.abs(logits[np.isfinite(logits) & (logits != 0)])
    least = oracle.ulp * float(np.median(values)) if values.size else 0.0
    return np.maximum(size, max(least, TINY))


def of_log_odds(oracle: Reader, z: Array, reach: Array | float) -> Array:
    """σ of z = ln p - ln (1 - p), both as answered: rounding of the two, and jitter."""
    finite = np.isfinite(z)
    z = np.where(finite, z, 0.0).astype(float)
    rounding = [oracle.grid.of(-np.logaddexp(0, side)) for side in (-z, z)]
    jitter = np.maximum(oracle.jitter * reach, oracle.ulp * np.abs(z))
    return np.where(finite, np.hypot(np.hypot(*rounding), jitter), np.inf)


def gain(logits: Array) -> Array:
    """How far the logits of `read` move where each probability moves by 1: (n, K) -> (n, K)."""
    z = np.where(np.isfinite(logits), logits, 0.0).astype(float)
    if z.shape[1] == 1:
        return 2 + 2 * np.cosh(np.clip(z, -FLAT, FLAT))  # 1 / p (1 - p)
    one = np.exp(np.minimum(-F.log_softmax(z), FLAT))
    return np.hypot(one, np.linalg.norm(one, axis=1, keepdims=True) / z.shape[1])


def blur(oracle: Reader, logits: Array) -> Array:
    """How far noise may have moved answers (n, K) -> (n,): three σ."""
    return SURE * sigma(oracle, logits)


def absolute(oracle: Reader) -> float:
    """σ of a logit that stays the same however large it is: of decimals, and of chance."""
    by_chance = oracle.jitter if oracle.is_stochastic else 0.0
    if oracle.grid.is_relative:
        return by_chance
    return float(np.hypot(by_chance, oracle.grid.of(np.zeros(1))[0]))
