"""Fresh rows: does the copy of a linear victim answer them as exactly as the noise allows?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.reader import Reader, read
from mstheft.direct.linear.equations import READABLE, System
from mstheft.direct.linear.solve import Normal, residual
from mstheft.direct.linear.uncertainty import blur, sigma
from mstheft.direct.verify import equal_labels, expected, sentence
from mstheft.nn.network import Network
from mstheft.result import Result
from mstheft.typing import Array

LEVEL = 1e-6  # a right copy fails the test so often
ABSURD = 1e12  # residuals over σ that no noise leaves
UNKNOWN = 1e30  # σ of an answer that tells nothing
JITTER = 1e-9  # on the diagonal of a correlation, for its root to exist in float64
BLURRED = 50  # σ below which the slope of a victim does not show on N(0, I)
EXACT = 1e-10  # of the logits' size: misses that show answers without noise
CLEAR = 10  # times the noise of a usual row, and how far out it is, that a readable row may have
DETERMINED = 0.05  # error bar of a logit, over the spread of logits, below which weights are known


@dataclass
class Check:
    """What fresh rows showed.

    x, answers : rows with finite answers, (n, d) and (n, K)
    bar : standard deviation of the copy's logits on the rows near by; is_determined : is it small?
    passed : no miss is larger than tolerance, noise and bar explain, and the bar is small
    """

    x: Array
    answers: Array
    bar: float
    is_determined: bool
    passed: bool


def check(
    result: Result,
    oracle: Reader,
    system: System,
    rng: Generator,
    points: int,
    tolerance: float,
) -> Check:
    """Ask fresh random rows and hold the copy against the answers.

        Δ = answers - logits of the copy, what `tolerance` allows taken off
        S = σ² on the diagonal + X (Aᵀ W² A)⁻¹ Xᵀ,    z = L⁻¹ Δ,    L Lᵀ = S

    S is the covariance of the misses of a right copy: noise of the answers, and what noise of the
    equations made of its weights. Then z are independent of variance 1, and mean z² and max |z| are
    held against the F and t distributions, at a level of 1e-6 together. The residuals of the
    equations tell σ, where they leave it larger than measured.

    points : rows asked; tolerance : relative to the size of the logits
    Costs `points` queries, booked under 'verify', and sets `error`, `verified`, `notes['verify']`.
    """
    if points < 2:
        raise ValueError(f"expected points= of at least 2, got {points}; every copy is verified")
    with result.stage("verify", oracle):
        x, far, size = fresh_rows(result.model, oracle, system, rng, points)
        if size is not None:  # probabilities
            half = points - points // 2
            near = read(oracle, x[:half])
            if np.abs(near - expected(oracle, result.model, x[:half])).max() <= EXACT * size:
                far[half:] = farther(result.model, oracle, system, x, half, rng)
                x = far * x
            answers = np.concatenate([near, read(oracle, x[half:])])
        else:
            answers = read(oracle, x)
        finite = np.isfinite(answers).all(axis=1)
        if oracle.is_stochastic and oracle.output == "probs":
            finite &= blur(oracle, answers) <= READABLE  # chance may leave next to nothing of a p
        x, far, answers = x[finite], far[finite], answers[finite]
        own = expected(oracle, result.model, x)
        off = answers - own
        size = float((answers / far).std(axis=0).max(initial=0)) if size is None else size
        result.error = float(np.abs(off).max(initial=0)) if 2 * len(x) >= points else np.inf
        bar, passes = 0.0, bool((np.abs(off) <= tolerance * size * far).all())
        if not passes:
            noise = sigma(oracle, own, system.reach(x))
            bar, passes = noise_test(oracle, system, x, far, off, noise, tolerance * size)
        is_determined = bar <= max(DETERMINED, tolerance) * size
        result.verified = bool(passes and is_determined and np.isfinite(result.error))
        labels = equal_labels(answers[far[:, 0] == 1], own[far[:, 0] == 1])
        exact = f"; its own error bar is {bar:.1e}" if bar else ""
        result.notes["verify"] = sentence(result, len(x), labels) + exact
    return Check(x, answers, bar, is_determined, result.verified)


def noise_test(
    oracle: Reader,
    system: System,
    x: Array,
    far: Array,
    off: Array,
    noise: Array,
    allowed: float,
) -> tuple[float, bool]:
    """Error bar of a logit on the rows near by, and whether misses `off` (n, K) are noise.

    far : (n, 1) how far out a row lies; noise : (n,) σ of its answer; allowed : of a miss near by
    """
    from scipy.linalg import solve_triangular
    from scipy.stats import f, t

    sigmas = system.sigma(oracle)
    left = residual(system.A, system.rhs, 1 / sigmas)
    if not len(x) or left > ABSURD:
        return np.inf, False
    freedom = (len(system.A) - system.A.shape[1]) * off.shape[1]
    grown = left if left > 1 else 1.0
    rows = np.hstack([x, np.ones((len(x), 1))])
    covariance = Normal.of(system.A, 1 / sigmas).covariance(rows)
    bars = grown * np.sqrt(np.maximum(np.diag(covariance), 0))
    S = grown**2 * (covariance + np.diag(np.minimum(noise, UNKNOWN) ** 2))
    excess = np.sign(off) * np.maximum(np.abs(off) - allowed * far, 0)
    unit = np.sqrt(np.diag(S))  # S / unit unitᵀ is a correlation
    root = np.linalg.cholesky(S / np.outer(unit, unit) + JITTER * np.eye(len(x)))
    z = solve_triangular(root, excess / unit[:, None], lower=True)
    level, n = LEVEL / 2 / off.shape[1], len(x)
    freedom = freedom if grown > 1 else 10**9
    small = (z**2).mean(axis=0).max() <= f.isf(level, n, freedom)
    worst = np.abs(z).max() <= t.isf(level / n / 2, freedom)
    return float(np.sqrt(np.mean(bars[far[:, 0] == 1] ** 2))), bool(small and worst)


def fresh_rows(
    model: Network,
    oracle: Reader,
    system: System,
    rng: Generator,
    points: int,
) -> tuple[Array, Array, float | None]:
    """N(0, I) or wider, half of them 1 to 100 times as far; for probabilities readable rows.

    Returns x (n, d), how far out each lies (n, 1), and the size of the logits where it is known.
    """
    base, unit = system.A[0, :-1], system.step / np.sqrt(oracle.inputs)
    steepest = float(np.linalg.norm(model.dense()[0][0], axis=1).max())
    if oracle.output == "probs":
        scale = max(1.0, unit, float(np.linalg.norm(base)) / np.sqrt(oracle.inputs))
        rows = readable_rows(model, base, scale, system.spread, points, rng)
        return rows, np.ones((points, 1)), scale * steepest
    blurred = steepest < BLURRED * np.median(system.sigma(oracle))
    x = (unit if blurred else 1.0) * rng.normal(size=(points, oracle.inputs))
    far = np.ones((points, 1))
    far[points - points // 2 :] = 10 ** rng.uniform(0, 2, (points // 2, 1))
    return far * x, far, None


def farther(
    model: Network, oracle: Reader, system: System, x: Array, half: int, rng: Generator
) -> Array:
    """How much farther out the rows x (n, d) after `half` are asked, (n - half, 1).

    1 to 100 times, where the copy expects probabilities that lose no more digits than usual ones:
    those of many classes do not, until they are rounded to 0. A hidden layer that does not switch
    near the origin shows there. Costs no query.
    """
    far = 10 ** rng.uniform(0, 2, (len(x) - half, 1))
    lost, usual = (
        sigma(oracle, expected(oracle, model, rows), system.reach(rows))[:, None]
        for rows in (far * x[half:], x[:half])
    )
    return np.where(lost <= CLEAR * far * np.median(usual), far, 1.0)


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
