"""The black box: it answers rows, counts every one of them, and shows nothing else."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mstheft.errors import BudgetExhausted, WrongRows
from mstheft.nn import functions as F
from mstheft.oracle import fingerprint
from mstheft.oracle.adapters import View, view
from mstheft.oracle.defended import defended, largest, probabilities

OUTPUTS = ("logits", "log_probs", "probs", "top_k", "label")


class Oracle:
    """A model behind an API: what an attack gets instead of the victim.

    victim : a Network, a fitted scikit-learn estimator, or a callable (n, d) -> (n, K)
    output : what it tells
        'logits'     (n, K) the numbers before the softmax
        'log_probs'  (n, K) log-softmax; (n, 2) ln(1-p), ln p for a victim with one sigmoid output
        'probs'      (n, K) softmax; (n, 1) the probability of class 1 for one sigmoid output
        'top_k'      (n, K) the `top` largest probabilities, 0 for the others
        'label'      (n,) the most likely class, counted from 0 in the order of the logits
                     (for scikit-learn: its place in `classes_`)
    gives, inputs : for a callable only: what its answers are ('logits', 'log_probs', 'probs' or
        'labels'), and the width d, or shape, of the inputs that it is given
    budget : rows it answers in all; more raise `BudgetExhausted` before anything is spent
    decimals : answers are rounded to so many decimals; a service that rounds has said so itself
    top : how many probabilities 'top_k' tells
    defences : each changes the probabilities, in their order, before any is told or rounded:
        callables (probs (n, K), rows (n, d)) -> probs, such as of `defend.responses.option`.
        Monitors see the classes that are told
    monitors : each sees every batch that was answered, in order, as `observe(x, labels)`: rows
        (n, d) and the victim's most likely classes (n,), whatever the output tells; for instance
        a `defend.prada.Detector`. Whoever asks does not see them
    journal : a `journal.Journal`, which keeps every answer on disk and tells it again, at no cost
        to the victim, to a run that was killed and started again. Not of a victim that bills its
        answers, a `defend.pate.Ensemble`: its bill would forget those of the killed run, and the
        noise of its seed would be drawn twice

    Public: `query`, `count`, `left`, `budget`, `output`, `decimals`, `inputs` (d), `shape`,
    `outputs` (K, the number of logits, once known). The model itself is kept in a closure.
    """

    __slots__ = (
        *("_ask", "_dtype", "_lock", "_monitors"),
        *("budget", "count", "decimals", "inputs", "output", "outputs", "shape", "top"),
    )

    def __init__(
        self,
        victim: Any,
        output: str = "logits",
        *,
        gives: str | None = None,
        inputs: int | tuple[int, ...] | None = None,
        budget: int | None = None,
        decimals: int | None = None,
        top: int | None = None,
        defences: Sequence[Any] = (),
        monitors: Sequence[Any] = (),
        journal: Any = None,
    ):
        if output not in OUTPUTS:
            raise ValueError(f"expected output= to be one of {OUTPUTS}, got {output!r}; pick one")
        _whole("budget", budget, 0)
        _whole("decimals", decimals, 0, 17)
        _whole("top", top, 1)
        if decimals is not None and output == "label":
            raise ValueError(
                f"expected numbers to round, got output='label', {decimals=}; leave one out"
            )
        if (top is None) == (output == "top_k"):
            raise ValueError(
                f"expected top= with output='top_k' and only there, got {top=}, {output=}; "
                "change one of them"
            )
        listed = isinstance(monitors, Sequence)
        if not listed or not all(callable(getattr(each, "observe", None)) for each in monitors):
            raise ValueError(
                f"expected monitors= with a method observe(x, labels), got {monitors!r}; give a "
                "list, for instance [defend.prada.Detector()]"
            )
        seen = view(victim, gives, inputs)
        seen = defended(seen, output, defences) if defences else seen
        if output == "top_k" and seen.outputs is not None:
            _enough(top, seen.outputs)
        self._ask: Callable[..., Any] = _converter(seen, output, top, decimals)
        known = seen.decimals if output == seen.gives else None
        self.output, self.top = output, top
        self.decimals = known if decimals is None else decimals
        self.budget = None if budget is None else int(budget)
        self.shape, self.inputs, self.outputs = seen.shape, math.prod(seen.shape), seen.outputs
        self.count = 0
        self._dtype, self._lock = seen.dtype, threading.Lock()
        self._monitors = tuple(monitors)
        if journal is not None:
            self._ask = journal.around(self._ask, self._settings(victim, seen.gives, defences))

    def __repr__(self) -> str:
        asked = f"count={self.count}, left={self.left}"
        return f"Oracle(output={self.output!r}, inputs={self.inputs}, {asked})"

    @property
    def left(self) -> int | None:
        """Rows that may still be asked; None without a budget."""
        return None if self.budget is None else self.budget - self.count

    def query(self, x: Any) -> np.ndarray:
        """Answers for rows x, (n, d) or (n, *shape) -> (n, K), or (n,) for labels. Costs n queries.

        Raises `WrongRows` for rows it does not take and `BudgetExhausted` for a batch that is too
        large for what is left, both before anything is asked or counted.
        """
        x = self._checked(x)
        with self._lock:  # several threads may ask: the budget is a wall for all of them
            if self.left is not None and len(x) > self.left:
                raise BudgetExhausted(len(x), self.left, self.budget or 0)
            rows = x.reshape(len(x), -1)
            asked = rows.copy() if self._monitors else rows  # a victim may write into its input
            answers, self.outputs, labels = self._ask(asked.reshape(len(x), *self.shape))
            self.count += len(x)
            for monitor in self._monitors:
                monitor.observe(rows.copy(), labels.copy())
        return answers

    def _settings(self, victim: Any, gives: str, defences: Sequence[Any]) -> dict[str, Any]:
        """By what a journal knows this run again."""
        if hasattr(victim, "bill"):
            raise ValueError(
                "expected a victim that keeps no bill with journal=, got one of type "
                f"{type(victim).__name__}, whose bill and noise start anew with the process; leave "
                "journal= out and ask everything in one run"
            )
        told = {"output": self.output, "decimals": self.decimals, "top": self.top, "gives": gives}
        changed = [fingerprint.described(each) for each in defences]
        known = fingerprint.victim(victim)
        about = {"shape": [*self.shape], "defences": changed}
        return told | about | ({} if known is None else {"victim": known})

    def _checked(self, x: Any) -> np.ndarray:
        x = np.asarray(x)
        if not (np.issubdtype(x.dtype, np.floating) or np.issubdtype(x.dtype, np.integer)):
            raise WrongRows(f"expected rows of real numbers, got dtype {x.dtype}; convert to float")
        if x.shape[1:] not in ((self.inputs,), self.shape):
            raise WrongRows(
                f"expected rows of {self.inputs} numbers, shape (n, {self.inputs}), got shape "
                f"{x.shape}; a single input goes in as x[None]"
            )
        if len(x) == 0:
            raise WrongRows("expected at least one row, got none; leave out empty batches")
        with np.errstate(over="ignore"):
            x = x.astype(self._dtype or x.dtype)  # a copy: no victim writes into the caller's
        if not np.isfinite(x).all():
            kind = f" as {self._dtype}" if self._dtype else ""
            raise WrongRows(
                f"expected finite numbers{kind}, got NaN or infinity; clean the rows first"
            )
        return x


def _whole(name: str, value: Any, low: int, high: int | None = None) -> None:
    if value is None:
        return
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < low or (high is not None and value > high):
        limits = f"from {low} to {high}" if high is not None else f"of at least {low}"
        raise ValueError(f"expected {name}= as a whole number {limits}, got {value!r}; change it")


def _enough(top: int | None, outputs: int) -> None:
    if outputs == 1 or top is None or top > outputs:
        raise ValueError(
            f"expected top={top} to be at most the number of classes of a softmax, got a victim "
            f"with {outputs} output(s); lower top= or ask for 'probs'"
        )


def _converter(
    seen: View, output: str, top: int | None, decimals: int | None
) -> Callable[..., Any]:
    """A function rows -> (`output` rounded, K, labels), from what the victim gives.

    The model stays inside it. Labels are from the victim's own answer, the finest there is. A
    journal gives it a name for each purchase, for victims that take one.
    """
    finer = {"logits": 0, "log_probs": 1, "probs": 2, "labels": 4}
    wanted = {"logits": 0, "log_probs": 1, "probs": 2, "top_k": 3, "label": 4}
    if finer[seen.gives] > wanted[output]:
        raise ValueError(
            f"expected a victim that gives what {output!r} needs, got one that gives {seen.gives}; "
            f"ask for one of {[name for name in OUTPUTS if wanted[name] >= finer[seen.gives]]}"
        )

    def ask(x: Any, name: str | None = None) -> tuple[np.ndarray, int | None, np.ndarray]:
        values = _answers(seen, x, name)
        if seen.gives == "labels":
            return values, seen.outputs, values
        outputs, labels = seen.outputs or values.shape[1], _label(values, seen.gives)
        if output == "top_k":
            _enough(top, outputs)
        told = _told(values, seen.gives, output, outputs, labels, top)
        return told if decimals is None else np.round(told, decimals), outputs, labels

    return ask


def _told(
    values: np.ndarray, gives: str, output: str, outputs: int, labels: np.ndarray, top: int | None
) -> np.ndarray:
    """The victim's answer in the form of `output`."""
    if output == "label":
        return labels
    if output == gives:
        return values
    if output == "log_probs":
        pair = np.hstack([np.zeros_like(values), values]) if outputs == 1 else values
        return F.log_softmax(pair)
    probs = probabilities(values, gives, outputs == 1)
    return largest(probs, top) if output == "top_k" else probs


def _answers(seen: View, x: Any, name: str | None) -> np.ndarray:
    """What the victim answers, or an error that says how the answer is not what was promised."""
    with np.errstate(divide="ignore"):  # ln 0 = -inf is an answer: scikit-learn takes it of p = 0
        given = seen.answer(x, name) if seen.named else seen.answer(x)
        values = np.array(given)  # a copy: nobody writes into the victim's memory
    labels = seen.gives == "labels"
    kinds, promise = ("iu", "(n,) whole numbers") if labels else ("fiu", "(n, K) real numbers")
    if values.dtype.kind not in kinds or values.ndim != 2 - labels or len(values) != len(x):
        raise ValueError(
            f"expected the victim to answer {len(x)} rows with {promise}, got shape {values.shape} "
            f"of {values.dtype}; wrap it so that it returns one row per input"
        )
    if seen.gives == "log_probs" and values.shape[1] < 2:
        raise ValueError(
            f"expected log-probabilities of two classes or more, got shape {values.shape}; "
            "wrap the victim so that it returns one column per class"
        )
    if seen.gives == "probs" and ((values < 0) | (values > 1)).any():
        raise ValueError(
            "expected probabilities from 0 to 1, got others; say what the victim gives="
        )
    return values


def _label(values: np.ndarray, gives: str) -> np.ndarray:
    """From the finest answer there is: logits differ where their probabilities round to equal."""
    if values.shape[1] == 1:
        return (values[:, 0] > (0 if gives == "logits" else 0.5)).astype(np.int64)
    return values.argmax(axis=1)
