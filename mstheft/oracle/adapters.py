"""One view on every kind of victim: a function from rows to answers, and what the answers are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mstheft.nn import functions as F
from mstheft.nn.network import Network

GIVES = ("logits", "log_probs", "probs", "labels")


@dataclass(frozen=True)
class View:
    """How the oracle sees its victim.

    answer : (n, *shape) array -> (n, K) array of what `gives` says, or (n,) for labels
    gives : 'logits', 'log_probs', 'probs' or 'labels'; the oracle can only ever tell less
    shape : shape of one input
    outputs : number of logits K, or None if only an answer will tell; 1 means one sigmoid
    dtype : of the numbers that it computes with, if known
    named : does `answer` take a name for the purchase as well, which makes it one, however often
        it is asked?
    decimals : to which what it gives is rounded already, if it says so
    """

    answer: Callable[..., Any]
    gives: str
    shape: tuple[int, ...]
    outputs: int | None
    dtype: Any = None
    named: bool = False
    decimals: int | None = None


def view(victim: Any, gives: str | None, inputs: int | tuple[int, ...] | None) -> View:
    """The view on a Network, a fitted scikit-learn estimator, or a callable (n, d) -> (n, K).

    A callable must say `inputs` and what it `gives` ('logits' unless said). One that knows what
    it is, as a `client.HttpVictim` does, has a method `seen() -> View` and says nothing else.
    """
    if gives is not None and gives not in GIVES:
        raise ValueError(f"expected gives= to be one of {GIVES}, got {gives!r}; pick one")
    if isinstance(victim, Network):
        _nothing_said(gives, inputs, "a Network")
        return View(victim.logits, "logits", victim.shape, victim.outputs, victim.dtype)
    if hasattr(victim, "predict") and hasattr(victim, "get_params"):
        _nothing_said(gives, inputs, "a scikit-learn estimator")
        return _estimator(victim)
    if hasattr(victim, "seen"):
        _nothing_said(gives, inputs, "a victim that knows what it is")
        found: View = victim.seen()
        return found
    if not callable(victim):
        raise ValueError(
            "expected a victim that is a Network, a fitted scikit-learn estimator or a callable "
            f"(n, d) -> (n, K), got {type(victim).__name__}; wrap it in a function"
        )
    if inputs is None:
        raise ValueError(
            "expected inputs= with a callable victim, got none; say how wide, inputs=d"
        )
    shape = inputs if isinstance(inputs, tuple) else (inputs,)
    if not shape or any(not isinstance(n, int | np.integer) or n < 1 for n in shape):
        raise ValueError(f"expected inputs= as positive whole numbers, got {inputs!r}; give d")
    return View(victim, gives or "logits", tuple(int(n) for n in shape), None)


def _nothing_said(gives: Any, inputs: Any, kind: str) -> None:
    if gives is not None or inputs is not None:
        raise ValueError(
            f"expected gives= and inputs= with a callable only, got {gives=}, {inputs=} with "
            f"{kind}; leave them out, it knows them"
        )


def _estimator(model: Any) -> View:
    """scikit-learn: the finest answer that the estimator offers in public."""
    if not hasattr(model, "n_features_in_"):
        raise ValueError(f"expected a fitted estimator, got {model!r}; call its fit(X, y) first")
    d = int(model.n_features_in_)
    classes = getattr(model, "classes_", None)
    if classes is None:
        return _regressor(model, d)
    if isinstance(classes, list) or _independent_sigmoids(model, classes) or len(classes) < 2:
        raise ValueError(
            f"expected an estimator of one label per row and two classes or more, got {model!r} "
            f"with {len(classes)} output(s) or classes; wrap it as a callable"
        )
    binary = len(classes) == 2
    outputs = 1 if binary else len(classes)
    if _decides_by_logits(model, d, binary):
        return View(lambda x: _columns(model.decision_function(x)), "logits", (d,), outputs)
    if hasattr(model, "predict_log_proba") and not binary:  # of two classes one is 1 - p
        return View(model.predict_log_proba, "log_probs", (d,), outputs)
    if hasattr(model, "predict_proba"):
        return View(lambda x: model.predict_proba(x)[:, binary:], "probs", (d,), outputs)
    return View(lambda x: np.searchsorted(classes, model.predict(x)), "labels", (d,), outputs)


def _regressor(model: Any, d: int) -> View:
    from sklearn.base import is_regressor

    if not is_regressor(model):
        raise ValueError(
            f"expected a classifier or a regressor, got {model!r}; wrap it as a callable"
        )
    return View(lambda x: _columns(model.predict(x)), "logits", (d,), None)


def _independent_sigmoids(model: Any, classes: Any) -> bool:
    return getattr(model, "out_activation_", "") == "logistic" and len(classes) > 2


def _decides_by_logits(model: Any, d: int, binary: bool) -> bool:
    """Are the decision values logits? Yes where their softmax is what `predict_proba` says.

    So it is with logistic regression, but not when it is fitted one class against the rest, and not
    with a support vector machine.
    """
    if not (hasattr(model, "decision_function") and hasattr(model, "predict_proba")):
        return False
    x = np.random.default_rng(0).normal(size=(8, d))
    logits = _columns(model.decision_function(x))
    probs = F.sigmoid(logits) if binary else F.softmax(logits)
    return np.allclose(probs, model.predict_proba(x)[:, binary:], rtol=1e-6, atol=0)


def _columns(answer: Any) -> Any:
    answer = np.asarray(answer)
    return answer[:, None] if answer.ndim == 1 else answer
