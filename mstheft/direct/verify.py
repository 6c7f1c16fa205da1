"""The last stage of every direct attack: does the copy answer fresh rows like the victim?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mstheft.direct.answers.reader import SURE, Reader, read
from mstheft.direct.polishing.polish import Polished
from mstheft.nn.network import Network
from mstheft.result import Result
from mstheft.typing import Array, Oracle, Rng

RATIO, WORST = 2.0, 8.0  # of what a polished copy misses, over what noise explains
VAGUE = 0.5  # of the spread of the answers: a copy that is less exact is not verified
UNITS = {"logits": "logits", "log_probs": "log-probabilities", "probs": "probabilities"}
SHARP = 1e-4  # of the tolerance: so exact must the answers to rows be that are asked far out


def verify(
    result: Result,
    oracle: Oracle,
    *,
    rng: Rng,
    points: int = 100,
    tolerance: float = 1e-6,
    scale: float = 1.0,
    noise: float = 0.0,
    rows: Array | None = None,
    size: float | None = None,
) -> bool:
    """Ask fresh random rows and hold the copy's logits against the answers.

        x ~ N(0, (r scale)² I),   r = 1 for every other row and log-uniform in 1 … 100 for the rest
        Δ = answers - logits of the copy (both with mean 0 over the
        classes where the victim answers probabilities),   error = max |Δ|,
        verified  <=>  |Δ| ≤ blur + r size · max(tolerance, min(1e-2, 1000 noise / size))

    No stage has seen these rows, so that a wrong copy has nothing to hide behind; far out, neurons
    are on that seldom are near the origin. Where the copy expects probabilities next to 0 or 1,
    which hide their logits, a row is moved back, at most to r = 1. What the rounding of an answer
    explains (`blur`) is not held against the copy; an answer of NaN is. Rows where one is exactly
    0 or 1 cannot be compared; when they are more than half, or when the answers vary by less than
    they are blurred, the rows decide nothing and the copy is not verified.

    result : its `model` is judged; `error`, `verified` and `found['verify']` are set
    points : rows asked; tolerance : relative to size
    scale : standard deviation of the rows, input units; noise : of an answer, logit units
    rows : (points, d) to be asked instead, where N(0, scale² I) would only meet saturated answers
    size : of the logits, unless given the largest standard deviation of an output over the answers
    Returns `result.verified`. Costs `points` queries, booked under 'verify'.
    Raises ValueError for less than two points, `BudgetExhausted` if they are too many.
    """
    if points < 2:
        raise ValueError(f"expected points= of at least 2, got {points}; every copy is verified")
    with result.stage("verify", oracle):
        rng = np.random.default_rng(rng)
        if rows is None:
            x: Array = scale * rng.normal(size=(points, oracle.inputs))
            near, x = np.split(x, [points - points // 2])
            answers: Array = read(oracle, near)
            far: Array = 10 ** rng.uniform(0, 2, (len(x), 1))
            far = readable(oracle, result.model, lambda r: r * x, far, answers, tolerance)
            answers = np.concatenate([answers, read(oracle, far * x)])
            x, reach = np.concatenate([near, far * x]), np.vstack([np.ones((len(near), 1)), far])
        else:
            x, reach, answers = rows, np.ones((points, 1)), read(oracle, rows)
        judge(result, oracle, x, reach, answers, tolerance=tolerance, noise=noise, size=size)
    return result.verified


def judge(
    result: Result,
    oracle: Oracle,
    x: Array,
    reach: Array,
    answers: Array,
    *,
    tolerance: float,
    noise: float,
    size: float | None = None,
    drawn: int | None = None,
) -> None:
    """Hold the copy against answers that are there, as in `verify`. No queries.

    x : (n, d) rows that the copy has not been made from; reach : (n, 1) their r; answers : (n, K)
    drawn : how many of them are like the rows on which the copy is to be right, all unless given
    """
    logits = expected(oracle, result.model, x)
    finite = ~np.isinf(answers).any(axis=1)  # NaN stays: it is a miss
    result.error, result.verified = float("inf"), False
    answers, logits, reach = answers[finite], logits[finite], reach[finite]
    if 2 * len(answers) >= len(x):
        misses = np.abs(answers - logits)
        size = float((answers / reach).std(axis=0, dtype=float).max()) if size is None else size
        allowed = reach * max(tolerance * size, min(1e-2 * size, 1000 * noise))
        rounding = blur(oracle, answers)
        result.error = float(np.where(np.isnan(misses), np.inf, misses).max())
        result.verified = bool(size > np.median(rounding) and (misses <= allowed + rounding).all())
    near = reach[:, 0] == 1  # farther out, labels are easier
    labels = equal_labels(answers[near], logits[near])
    result.notes["verify"] = sentence(result, len(answers), labels, drawn=drawn)


def verify_to_noise(result: Result, oracle: Oracle, x: Array, polished: Polished) -> bool:
    """Ask fresh rows and hold what a polished copy misses against the noise.

        e² = σ² + bound²,    verified  <=>  rms(Δ / e) ≤ 2,  max |Δ| / e ≤ 8  and  rms e ≤ s / 2

    σ of an answer, the Cramér-Rao bound of what is left of the copy's own error, and s, the spread
    of the answers: a copy that knows nothing is not verified by knowing it. A neuron that
    n rows have not seen wrong is wrong on at most 3 / n of such rows, with 95 % confidence.
    x : (n, d) rows that no stage has asked. Costs n queries, booked under 'verify'.
    """
    with result.stage("verify", oracle):
        answers = oracle.query(x)
        off, size = polished.against(x, answers)
        result.error = float(np.abs(off).max(initial=0.0))
        ratio = float(np.sqrt(np.mean((off / size) ** 2)))
        worst = float(np.abs(off / size).max())
        blurred = float(np.sqrt(np.mean(size**2))) > VAGUE * polished.spread(answers)
        result.verified = polished.converged and ratio <= RATIO and worst <= WORST and not blurred
        labels = equal_labels(answers, result.model.logits(x), oracle.output)
        noise = f"own error {polished.bound:.1e}, {ratio:.2f} of what it and noise explain"
        unit = UNITS[polished.output]
        result.notes["verify"] = f"{sentence(result, len(x), labels, unit)}; {noise}"
    return result.verified


def sentence(
    result: Result,
    rows: int,
    labels: str,
    unit: str = UNITS["logits"],
    drawn: int | None = None,
) -> str:
    """How exact the copy is: a verdict alone would be read as 'the same labels everywhere'."""
    verdict = "answers like the victim" if result.verified else "does not answer alike"
    wrong = f"; up to {min(1.0, 3 / max(drawn or rows, 1)):.1%} of such inputs may be wrong"
    return (
        f"the copy {verdict} on {rows} fresh rows: max |Δ| {result.error:.1e} in {unit}, "
        f"{labels}{wrong if result.verified else ''}"
    )


def equal_labels(answers: Array, logits: Array, output: str = "logits") -> str:
    """'same label on 98 of 100, 1 undecided': what answers (n, ≥ 1) and copy's logits (n, K) say.

    Undecided are rows whose rounded answer has two largest numbers.
    """
    if answers.shape[1] == 1:
        answers = np.hstack([np.zeros_like(answers), answers])
        answers[:, 0] = 0.5 if output == "probs" else 0.0
    own = (logits[:, 0] > 0).astype(int) if logits.shape[1] == 1 else logits.argmax(axis=1)
    decided = (answers == answers.max(axis=1, keepdims=True)).sum(axis=1) == 1
    equal = int((answers.argmax(axis=1) == own)[decided].sum())
    open_ = f", {np.sum(~decided)} undecided" if not decided.all() else ""
    return f"same label on {equal} of {len(answers)}{open_}"


def checked(tolerance: float) -> float:
    """The tolerance; ValueError before the first query if no copy could be judged by it."""
    if not 0 <= tolerance < np.inf:
        raise ValueError(
            f"expected tolerance= as a number of at least 0, got {tolerance}; raise it"
        )
    return tolerance


def expected(oracle: Oracle, model: Network, x: Array) -> Array:
    """What `answers.read` would return if the model answered: (n, K) logits, up to the gauge."""
    logits: Array = model.logits(x)
    if oracle.output != "logits" and logits.shape[1] > 1:
        logits = logits - logits.mean(axis=1, keepdims=True)
    return logits


def readable(
    oracle: Oracle,
    model: Network,
    place: Callable[[Array], Array],
    far: Array,
    answers: Array,
    tolerance: float,
) -> Array:
    """How far out rows can be asked, (n, 1): `far`, halved where the answers would be too blurred.

    place : the rows (n, d) that lie so far out; model : what is expected there
    answers : to other rows, nearer. Costs no query.
    """
    if oracle.output == "logits":
        return far
    near = answers[np.isfinite(answers).all(axis=1)]
    if len(near) < 2:
        return np.ones_like(far)
    size = near.std(axis=0, dtype=float).max()
    enough = SHARP * tolerance * size + np.median(blur(oracle, near))
    while True:
        blurs = blur(oracle, expected(oracle, model, place(far)).astype(answers.dtype))
        dull = (blurs.max(axis=1, keepdims=True) > enough * far) & (far > 1)
        if not dull.any():
            return far
        far = np.where(dull, np.maximum(1, far / 2), far)


def blur(oracle: Oracle, answers: Array) -> Array:
    """How far noise may have moved each number that `answers.read` has returned: three σ.

    answers : (n, K) logits -> (n, K), logit units. Costs no query.
    """
    read_by = oracle if hasattr(oracle, "sigma") else Reader(oracle, first=answers)
    return SURE * read_by.sigma(answers)
