"""The black box: it answers rows, counts every one of them, and shows nothing else."""

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from mstheft.errors import BudgetExhausted, WrongRows
from mstheft.nn import functions as F
from mstheft.oracle import fingerprint
from mstheft.oracle.adapters import view_of
from mstheft.oracle.allowed import Allowed, allowed
from mstheft.oracle.answers import checking, rounded
from mstheft.oracle.defended import Defence, defended, largest, probabilities
from mstheft.oracle.view import View
from mstheft.typing import Array

if TYPE_CHECKING:
    from mstheft.oracle.http.journal import Journal

OUTPUTS = ("logits", "log_probs", "probs", "top_k", "label")
COARSER = {  # what can be answered by a victim that gives this
    "logits": OUTPUTS,
    "scores": ("logits", "label"),
    "log_probs": OUTPUTS[1:],
    "probs": OUTPUTS[2:],
    "top_k": OUTPUTS[3:],
    "labels": OUTPUTS[4:],
}

Ask = Callable[..., "tuple[Array, int | None, Array]"]  # (rows, name) -> answers, K, labels
Settings = dict[str, object]  # JSON values


class Monitor(Protocol):
    """Sees every batch that was answered, such as a `defend.prada.Detector`."""

    def observe(self, x: Array, labels: Array) -> object:
        """Rows (n, d), and the victim's most likely classes (n,)."""


class Oracle:
    """A model behind an API: what an attack gets instead of the victim.

    victim : one of
        a `Network`
        a fitted scikit-learn estimator, or one that behaves so: a regressor, or a classifier with
            one label a row, alone or in a pipeline, a search, one against the rest
        a PyTorch module, asked in eval mode, without gradients, in its dtype and on its device
        an ONNX Runtime session of one input
        an `HttpVictim`: a model behind `mstheft serve`
        any callable (n, d) -> (n, K) or, of labels, (n,)
    output : the form of its answers
        'logits'     (n, K) the numbers before the softmax; the decision values of an estimator
                     that has no probabilities
        'log_probs'  (n, K) log-softmax; (n, 2) ln(1-p), ln p for a victim with one sigmoid output
        'probs'      (n, K) softmax; (n, 1) the probability of class 1 for one sigmoid output
        'top_k'      (n, K) the `top` largest probabilities, 0 for the others
        'label'      (n,) the most likely class, counted from 0 in the order of the logits. Of an
                     estimator without defences what its `predict` says, as a place in `classes_`
    gives : of a module, session or callable: what its answers are, 'logits' unless it is said, or
        'log_probs', 'probs', 'top_k' (probabilities, 0 for all but the largest), 'labels'
    inputs : of the same: the width d, or shape, of one input. A module says it by a first layer
        that is Linear, a session by its input, unless it is given here. Or, of any victim, which
        rows it takes: 'pixels', whole numbers from 0 to 255, to which rows are rounded before the
        victim sees them; or walls (low, high), low ≤ 0. Rows outside are refused
    shape : the width or shape, where `inputs` says which rows are taken
    batch : most rows in one call of the victim
    retries : how often a call that raises ConnectionError or TimeoutError (Python's own, of
        requests or of httpx) is repeated, after 0.1 s, 0.2 s, 0.4 s, ...
    budget : rows that it answers in all; more raise `BudgetExhausted` before anything is spent
    decimals : answers are rounded to so many decimals; a service that rounds says so itself
    top : the number of probabilities in a 'top_k' answer
    defences : each changes the probabilities, in their order, before they are answered or rounded:
        callables (probs (n, K), rows (n, d)) -> probs, such as of `defend.responses.option`.
        Monitors see the classes of the changed probabilities
    monitors : each sees every batch that was answered, in order, whatever the output is. An attack
        does not see them
    journal : a `journal.Journal`, which writes every answer to disk. A run that was killed and
        started again gets the same answers from it at no cost. It takes no victim that bills its
        answers, a `defend.pate.Ensemble`: the bill would forget the answers of the killed run, and
        the noise of its seed would be drawn twice

    Public: `query`, `count`, `left`, `budget`, `output`, `decimals`, `inputs` (d), `shape`,
    `allowed`, `outputs` (K, the number of logits, once known). The model itself is in a closure.
    """

    __slots__ = (
        *("_ask", "_dtype", "_lock", "_monitors"),
        *("allowed", "budget", "count", "decimals", "inputs", "output", "outputs", "shape", "top"),
    )

    def __init__(
        self,
        victim: object,
        output: str = "logits",
        *,
        gives: str | None = None,
        inputs: int | tuple[float, ...] | str | None = None,
        shape: int | tuple[int, ...] | None = None,
        batch: int | None = None,
        retries: int = 0,
        budget: int | None = None,
        decimals: int | None = None,
        top: int | None = None,
        defences: Sequence[Defence] = (),
        monitors: Sequence[Monitor] = (),
        journal: "Journal | None" = None,
    ):
        if output not in OUTPUTS:
            raise ValueError(f"expected output= to be one of {OUTPUTS}, got {output!r}; pick one")
        _check_whole("budget", budget, 0)
        _check_whole("decimals", decimals, 0, 17)
        _check_whole("top", top, 1)
        if (top is None) == (output == "top_k"):
            what = "expected top= with output='top_k' and only there"
            raise ValueError(f"{what}, got {top=}, {output=}")
        _check_whole("batch", batch, 1)
        _check_whole("retries", retries, 0, 100)
        self.allowed: Allowed | None = allowed(inputs)
        if self.allowed is None and shape is not None:
            raise ValueError("expected shape= only with inputs='pixels' or walls; give inputs=")
        width: Any = inputs if self.allowed is None else shape
        view = view_of(victim, gives, width, batch, retries)
        if defences:
            view = defended(view, output, defences)
        elif output == "label" and view.labels is not None:
            view = replace(view, answer=view.labels, gives="labels")
        _check_top(top, view.outputs)
        self._ask: Ask = _converter(view, output, top, decimals)
        own_decimals = view.decimals if output == view.gives else None
        self.output, self.top = output, top
        self.decimals = own_decimals if decimals is None else decimals
        self.budget = None if budget is None else int(budget)
        self.shape, self.inputs, self.outputs = view.shape, math.prod(view.shape), view.outputs
        self.count = 0
        self._dtype, self._lock = view.dtype, threading.Lock()
        self._monitors = tuple(monitors)
        if journal is not None:
            self._ask = journal.around(self._ask, self._settings(victim, view.gives, defences))

    def __repr__(self) -> str:
        rows = f"count={self.count}, left={self.left}"
        return f"Oracle(output={self.output!r}, inputs={self.inputs}, {rows})"

    @property
    def left(self) -> int | None:
        """Rows that it still answers; None without a budget."""
        return None if self.budget is None else self.budget - self.count

    def query(self, x: ArrayLike) -> Array:
        """Answers for rows x, (n, d) or (n, *shape) -> (n, K), or (n,) for labels. Costs n queries.

        Raises, without a cost: `WrongRows` for rows that it does not take and `BudgetExhausted` for
        a batch that is too large for what is left, both before the victim sees a row;
        `VictimError` for NaN, +inf, rows that are no distribution, another K than before; and
        `Unreachable` for a connection that stays broken after `retries`.
        """
        x = self._checked(np.asarray(x))
        with self._lock:  # several threads may query: the budget is a wall for all of them
            if self.left is not None and len(x) > self.left:
                raise BudgetExhausted(len(x), self.left, self.budget or 0)
            rows = x.reshape(len(x), -1)  # (n, d)
            own = rows.copy() if self._monitors else rows  # a victim may write into its input
            answers, self.outputs, labels = self._ask(own.reshape(len(x), *self.shape))
            self.count += len(x)
            for monitor in self._monitors:
                monitor.observe(rows.copy(), labels.copy())
        return answers

    def _settings(self, victim: object, gives: str, defences: Sequence[Defence]) -> Settings:
        """What tells this run from others, for its journal."""
        if hasattr(victim, "bill"):
            kind = type(victim).__name__
            raise ValueError(f"expected a victim that keeps no bill with journal=, got a {kind}")
        form: Settings = {name: getattr(self, name) for name in ("output", "decimals", "top")}
        changed = [fingerprint.described(each) for each in defences]
        about = {"gives": gives, "shape": [*self.shape], "defences": changed}
        digest = fingerprint.victim(victim)
        return form | about | ({} if digest is None else {"victim": digest})

    def _checked(self, x: Array) -> Array:
        """A copy of the rows in the victim's dtype: no victim writes into the caller's."""
        with np.errstate(over="ignore"):
            real = np.issubdtype(x.dtype, np.floating) or np.issubdtype(x.dtype, np.integer)
            rows = x if self.allowed is None or not real else self.allowed.rounded(x)
            rows = rows.astype(self._dtype or x.dtype) if real else x
        if not real:
            wrong = f"rows of real numbers, got dtype {x.dtype}; convert to float"
        elif x.shape[1:] not in ((self.inputs,), self.shape):
            wrong = (
                f"rows of {self.inputs} numbers, shape (n, {self.inputs}), got shape {x.shape}; "
                "a single input goes in as x[None]"
            )
        elif len(x) == 0:
            wrong = "at least one row, got none; leave out empty batches"
        elif not np.isfinite(rows).all():
            kind = f" as {self._dtype}" if self._dtype else ""
            wrong = f"finite numbers{kind}, got NaN or infinity; clean the rows first"
        elif self.allowed is not None and not self.allowed.takes(rows):
            wrong = f"{self.allowed}, got {rows.min():g} to {rows.max():g}; ask nothing outside"
        else:
            return rows
        raise WrongRows(f"expected {wrong}")


def _check_whole(name: str, value: int | None, low: int, high: float = math.inf) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if value is not None and not (whole and low <= value <= high):
        limits = f"of at least {low}" if high == math.inf else f"from {low} to {high}"
        raise ValueError(f"expected {name}= as a whole number {limits}, got {value!r}; change it")


def _check_top(top: int | None, outputs: int | None) -> None:
    if top is not None and outputs is not None and (outputs == 1 or top > outputs):
        what = "expected top= up to the softmax's classes"
        raise ValueError(f"{what}, got {top=}, {outputs=}; lower it")


def _converter(view: View, output: str, top: int | None, decimals: int | None) -> Ask:
    """A function rows -> (`output` rounded, K, labels), from what the victim gives.

    The model stays inside it. Labels are from the victim's own answer, the finest there is. A
    journal gives it a name for each purchase, for victims that take one.
    """
    if output not in COARSER[view.gives]:
        got = f"got one that gives {view.gives}; ask for one of {[*COARSER[view.gives]]}"
        raise ValueError(f"expected a victim that gives what {output!r} needs, {got}")
    checked = checking(view)

    def ask(x: Array, name: str | None = None) -> tuple[Array, int | None, Array]:
        values = checked(x, name)
        if view.gives == "labels":
            return values, view.outputs, values
        outputs, labels = view.outputs or values.shape[1], _labels(values, view.gives)
        _check_top(top, outputs)
        answers = (
            labels if output == "label" else _in_form(output, values, view.gives, outputs, top)
        )
        return rounded(answers, decimals), outputs, labels

    return ask


def _in_form(output: str, values: Array, gives: str, outputs: int, top: int | None) -> Array:
    """The victim's answers (n, K) in the form of `output`."""
    if output == gives != "top_k" or gives == "scores":
        return values
    if output == "log_probs":
        pair = np.hstack([np.zeros_like(values), values]) if outputs == 1 else values
        return F.log_softmax(pair)  # σ(z) is the softmax of (0, z)
    probs = probabilities(values, gives, outputs == 1)
    return largest(probs, top) if output == "top_k" else probs


def _labels(values: Array, gives: str) -> Array:
    """From the finest answer there is: logits differ where their probabilities round to equal."""
    if values.shape[1] == 1:
        return (values[:, 0] > (0 if gives in ("logits", "scores") else 0.5)).astype(np.int64)
    return values.argmax(axis=1)
