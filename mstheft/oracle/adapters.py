"""One view on every kind of victim: a function from rows to answers, and what the answers are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mstheft.nn import functions as F
from mstheft.nn.network import Network
from mstheft.typing import Array

GIVES = ("logits", "log_probs", "probs", "labels")


@dataclass(frozen=True)
class View:
    """How the oracle sees its victim.

    answer : (n, *shape) rows -> (n, K) array of what `gives` says, or (n,) for labels
    gives : 'logits', 'log_probs', 'probs' or 'labels'; an oracle cannot answer with more
    shape : shape of one input
    outputs : number of logits K, or None before the first answer; 1 means one sigmoid
    dtype : of the numbers that the victim computes with, or None if it is not known
    named : does `answer` also take a name for the purchase, so that a purchase that is repeated
        under its name is paid once?
    decimals : to how many the victim rounds its answers, if it says so
    """

    answer: Callable[..., ArrayLike]
    gives: str
    shape: tuple[int, ...]
    outputs: int | None
    dtype: np.dtype | None = None
    named: bool = False
    decimals: int | None = None


def view(victim: object, gives: str | None, inputs: int | tuple[int, ...] | None) -> View:
    """The view on a Network, a fitted scikit-learn estimator, or a callable (n, d) -> (n, K).

    gives, inputs : of a callable only: what its answers are ('logits' by default), and the width
        or shape of its inputs. A victim that knows both, such as a `client.HttpVictim`, has a
        method `seen() -> View`
    """
    own = _own_view(victim)
    if own is not None:
        if gives is not None or inputs is not None:
            kind = type(victim).__name__
            raise ValueError(
                f"expected gives=, inputs= of a callable only, got a {kind}; omit them"
            )
        return own
    if not callable(victim):
        raise ValueError(
            "expected a victim that is a Network, a fitted scikit-learn estimator or a callable "
            f"(n, d) -> (n, K), got {type(victim).__name__}; wrap it in a function"
        )
    if gives is not None and gives not in GIVES:
        raise ValueError(f"expected gives= to be one of {GIVES}, got {gives!r}; pick one")
    shape = inputs if isinstance(inputs, tuple) else (inputs,)
    if not shape or any(not isinstance(n, int | np.integer) or n < 1 for n in shape):
        raise ValueError(
            f"expected inputs= as positive whole numbers, got {inputs!r}; give inputs=d"
        )
    return View(victim, gives or "logits", tuple(int(n) for n in shape if n), None)


def _own_view(victim: object) -> View | None:
    """The view on a victim that needs no further words."""
    if isinstance(victim, Network):
        return View(victim.logits, "logits", victim.shape, victim.outputs, victim.dtype)
    if hasattr(victim, "predict") and hasattr(victim, "get_params"):
        return _estimator(victim)
    seen: View | None = victim.seen() if hasattr(victim, "seen") else None
    return seen


def _estimator(model: Any) -> View:
    """scikit-learn: the finest answer that the estimator offers in public."""
    from sklearn.base import is_regressor

    if not hasattr(model, "n_features_in_"):
        raise ValueError(f"expected a fitted estimator, got {model!r}; call its fit(X, y) first")
    shape, classes = (int(model.n_features_in_),), getattr(model, "classes_", None)
    if classes is None and is_regressor(model):
        return View(lambda x: _columns(model.predict(x)), "logits", shape, None)
    if classes is None or len(classes) < 2 or _has_many_labels(model):
        raise ValueError(
            f"expected a regressor, or one label per row of two classes or more, got {model!r}"
        )
    binary = len(classes) == 2
    outputs = 1 if binary else len(classes)
    if _decides_by_logits(model, shape[0], binary):
        return View(lambda x: _columns(model.decision_function(x)), "logits", shape, outputs)
    if hasattr(model, "predict_log_proba") and not binary:  # of two classes one is 1 - p
        return View(model.predict_log_proba, "log_probs", shape, outputs)
    if hasattr(model, "predict_proba"):
        return View(lambda x: model.predict_proba(x)[:, binary:], "probs", shape, outputs)
    return View(lambda x: np.searchsorted(classes, model.predict(x)), "labels", shape, outputs)


def _has_many_labels(model: Any) -> bool:
    """Several labels per row: one list of classes for each, or one sigmoid for each class."""
    one_by_one = getattr(model, "out_activation_", "") == "logistic" and len(model.classes_) > 2
    return isinstance(model.classes_, list) or one_by_one


def _decides_by_logits(model: Any, d: int, binary: bool) -> bool:
    """Are the decision values logits? Yes if their softmax is the answer of `predict_proba`.

    They are with logistic regression, but not with one that is fitted one class against the rest,
    and not with a support vector machine.
    """
    if not (hasattr(model, "decision_function") and hasattr(model, "predict_proba")):
        return False
    x = np.random.default_rng(0).normal(size=(8, d))
    logits = _columns(model.decision_function(x))
    probs = F.sigmoid(logits) if binary else F.softmax(logits)
    return np.allclose(probs, model.predict_proba(x)[:, binary:], rtol=1e-6, atol=0)


def _columns(values: Array) -> Array:
    return values[:, None] if values.ndim == 1 else values  # (n,) -> (n, 1)
