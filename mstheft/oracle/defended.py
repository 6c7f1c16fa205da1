"""A victim behind its defences: they change its probabilities before anybody gets an answer.

The defences themselves are in `mstheft.defend`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from mstheft.errors import VictimError
from mstheft.nn import functions as F
from mstheft.oracle.answers import adds_up, checking
from mstheft.oracle.view import View
from mstheft.typing import Array

Defence = Callable[[Array, Array], ArrayLike]  # (probs (n, K), rows (n, d)) -> probs (n, K)


def largest(rows: Array, k: int | None) -> Array:
    """The k largest numbers of each row (n, K), 0 for the others; of equal numbers the first."""
    places = np.argsort(-rows, axis=1, kind="stable")[:, :k]  # (n, k)
    top = np.zeros_like(rows)
    np.put_along_axis(top, places, np.take_along_axis(rows, places, axis=1), axis=1)
    return top


def defended(view: View, output: str, defences: Sequence[Defence]) -> View:
    """The view on a victim whose probabilities pass through each defence, in their order.

    defences : callables (probs (n, K), rows (n, d)) -> probs (n, K), such as `responses.option`
        makes; a sigmoid's answer p goes in as (1 - p, p)
    output : of the oracle; probabilities cannot give 'logits'
    """
    if output == "logits" or view.gives in ("labels", "scores"):
        got = f"{output=} of a victim that gives {view.gives}"
        how = "ask for output='probs' of a victim that gives probabilities"
        raise ValueError(f"expected probabilities to defend, got {got}; {how}")
    logs, ask = output == "log_probs", checking(view)

    def answer(x: Array, *name: str | None) -> Array:
        values = ask(x.copy(), *name)  # a victim may write into its input
        sigmoid = values.shape[1] == 1 or view.outputs == 1
        probs = probabilities(values, view.gives, sigmoid)
        probs = np.hstack([1 - probs, probs]) if sigmoid else probs  # (n, 1) -> (n, 2)
        for defence in defences:
            probs = _checked(defence(probs, x.reshape(len(x), -1)), probs)
        if logs:
            with np.errstate(divide="ignore"):  # ln 0 = -inf is an answer
                return np.log(probs)
        return probs[:, 1:] if sigmoid else probs

    gives = "log_probs" if logs else "probs"
    return replace(view, answer=answer, gives=gives, decimals=None, adds_up=False)


def probabilities(values: Array, gives: str, sigmoid: bool) -> Array:
    """A victim's answers as probabilities (n, K); (n, 1), of class 1, for one sigmoid output."""
    if gives == "logits":
        return F.sigmoid(values) if sigmoid else F.softmax(values)
    if gives == "log_probs":
        return np.exp(values[:, 1:] if sigmoid else values)
    return values


def _checked(answers: ArrayLike, before: Array) -> Array:
    """A defence may be anybody's function: its answers are probabilities, or a `VictimError`.

    They add up to 1, unless it leaves some out, or one before it did.
    """
    probs = np.asarray(answers)
    outside = probs[~((probs >= 0) & (probs <= 1))]
    what = f"{before.shape} probabilities from 0 to 1"
    if probs.shape != before.shape or len(outside):
        got = f"{outside[0]} among them" if len(outside) else f"shape {probs.shape}"
    else:
        some = ((probs == before) | (probs == 0)).all(axis=1)
        rows = some | adds_up(probs) | ~adds_up(before)
        if rows.all():
            return probs
        i = int(rows.argmin())
        what, got = "rows that add up to 1", f"{probs[i].sum():.4g} as the sum of row {i}"
    raise VictimError(f"expected a defence to give {what}, got {got}; correct the defence")
