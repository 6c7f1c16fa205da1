"""What is an answer, and what is a fault of the victim: judged once, before anybody pays."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mstheft.errors import VictimError
from mstheft.oracle.view import View
from mstheft.typing import Array

CLOSE = 0.02  # bfloat16 holds each number to 0.4 %, so its rows add up to 1 only nearly
SEVERAL = 4  # different rows whose numbers add up to 1 by more than chance
ASSUMED = (
    "expected logits, since gives= was not said, got rows from 0 to 1 that add up to 1: say "
    "gives='probs', or gives='logits' if that is what they are; nothing is charged"
)
PROMISES = {
    "logits": "logits, finite or -inf",
    "scores": "decision values, finite or -inf",
    "log_probs": "log-probabilities whose exponentials add up to 1",
    "probs": "probabilities from 0 to 1 that add up to 1",
    "top_k": "probabilities from 0 to 1",
}


def checking(view: View) -> Callable[..., Array]:
    """A function (rows, name) -> answers of the view's victim (n, K), or (n,) for labels.

    It raises `VictimError` for what is no answer, and for a K that is not that of the answers
    before.
    """
    pair = view.gives == "log_probs" and view.outputs == 1  # ln(1-p), ln p
    width = 2 if pair else view.outputs

    def ask(x: Array, name: str | None = None) -> Array:
        nonlocal width
        with np.errstate(divide="ignore"):  # ln 0 = -inf is an answer: estimators take it of p = 0
            answers = view.answer(x, name) if view.named else view.answer(x)
        values = np.array(answers)  # a copy: nobody writes into the victim's memory
        _check_form(values, view.gives, len(x))
        if view.gives != "labels":
            _check_numbers(values, view)
            width = width or values.shape[1]
            if values.shape[1] != width:
                got = f"K = {values.shape[1]}"
                raise VictimError(f"expected answers of K = {width} numbers as before, got {got}")
        return values

    return ask


def _check_form(values: Array, gives: str, rows: int) -> None:
    labels = gives == "labels"
    kinds, form = ("iu", "(n,) whole numbers") if labels else ("fiu", "(n, K) real numbers")
    got = f"shape {values.shape} of {values.dtype}"
    if values.dtype.kind not in kinds or values.ndim != 2 - labels or len(values) != rows:
        wrong = f"the victim to answer {rows} rows with {form}"
    elif gives == "log_probs" and values.shape[1] < 2:
        wrong = "log-probabilities of two classes or more"
    else:
        return
    raise VictimError(f"expected {wrong}, got {got}; wrap the victim, or say what it gives=")


def _check_numbers(values: Array, view: View) -> None:
    """`VictimError` for the first row that is not what the view promises."""
    faulty: NDArray[np.bool_] = ~(values < np.inf)  # NaN too
    if view.gives in ("probs", "top_k"):
        faulty |= (values < 0) | (values > 1)
    rows = faulty.any(axis=1)
    if view.gives in ("probs", "log_probs"):
        if view.adds_up and values.shape[1] > 1:
            rows |= ~adds_up(values, view.gives == "log_probs")
    elif view.gives == "logits" and values.shape[1] > 1:
        rows |= values.max(axis=1) == -np.inf  # no softmax has such logits
        if view.is_assumed and are_probabilities(values):
            raise VictimError(ASSUMED)
    if rows.any():
        i = int(rows.argmax())
        numbers = values[i, faulty[i]] if faulty[i].any() else values[i, :3]
        got = ", ".join(f"{number:.4g}" for number in numbers[:3])
        what = f"expected the victim to answer {PROMISES[view.gives]}"
        raise VictimError(f"{what}, got {got} in row {i} of {len(values)}; nothing is charged")


def are_probabilities(values: Array) -> bool:
    """Is each of several rows (n, K) a distribution? The logits of a victim are not."""
    several = len(np.unique(values, axis=0)) >= SEVERAL
    return bool(several and values.min() >= 0 and values.max() <= 1 and adds_up(values).all())


def adds_up(values: Array, logs: bool = False) -> NDArray[np.bool_]:
    """Is each row (n, K) a distribution, as far as the rounding of its numbers lets it? (n,).

        |Σ p_k - 1| ≤ ½ K 10^-k,   |ln Σ e^a_k| ≤ ½ 10^-k    for numbers of k decimals

    logs : are they log-probabilities?
    """
    numbers = values.astype(np.float64)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        excess = np.log(np.exp(numbers).sum(axis=1)) if logs else numbers.sum(axis=1) - 1
    slack = CLOSE
    if not (np.abs(excess) <= slack).all():
        parts = 1 if logs else values.shape[1]
        slack = max(slack, 0.5 * parts * 10.0 ** -lattice(values, 1 - logs))
    return np.abs(excess) <= slack


def lattice(values: Array, least: int) -> int:
    """The number of decimals, from `least` to 6, that all finite numbers have; 6 if they have more.

    Whole numbers among probabilities are no sign of rounding, so `least` is 1 for them.
    """
    step = np.finfo(values.dtype).eps if values.dtype.kind == "f" else 0
    finite = values[np.isfinite(values)].astype(np.float64)
    rounded = (np.abs(finite - np.round(finite, k)) <= step * np.abs(finite) for k in range(6))
    return next((k for k, same in enumerate(rounded) if k >= least and same.all()), 6)


def rounded(answers: Array, decimals: int | None) -> Array:
    """Answers to so many decimals; None for all of them.

    NumPy multiplies by 10^decimals: what would overflow then has no such decimals.
    """
    if decimals is None:
        return answers
    half = answers.dtype == np.float16  # 10^5 overflows in it
    with np.errstate(over="ignore", invalid="ignore"):
        near = np.round(answers.astype(np.float64) if half else answers, decimals)
    return np.where(np.isfinite(near), near, answers).astype(answers.dtype, copy=False)
