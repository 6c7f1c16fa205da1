"""A victim behind its defences: what it would say is changed before anybody is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mstheft.nn import functions as F
from mstheft.oracle.adapters import View

Defence = Callable[[np.ndarray, np.ndarray], Any]


def largest(rows: np.ndarray, k: int | None) -> np.ndarray:
    """The k largest numbers of each row (n, K), 0 for the others; of equal ones the first."""
    kept = np.argsort(-rows, axis=1, kind="stable")[:, :k]
    told = np.zeros_like(rows)
    np.put_along_axis(told, kept, np.take_along_axis(rows, kept, axis=1), axis=1)
    return told


def defended(seen: View, output: str, defences: Sequence[Defence]) -> View:
    """The view on a victim whose probabilities pass through each defence, in their order.

    defences : callables (probs (n, K), rows (n, d)) -> probs (n, K), such as `responses.option`
        makes; a sigmoid's answer p goes in as (1 - p, p)
    output : of the oracle; 'logits' cannot be had of probabilities
    """
    if not all(map(callable, defences)):
        raise ValueError(
            f"expected defences= as callables (probs, rows) -> probs, got {defences!r}; use "
            "defend.responses.option"
        )
    if output == "logits" or seen.gives == "labels":
        raise ValueError(
            f"expected probabilities to defend, got {output=} of a victim that gives {seen.gives}; "
            "ask for output='probs' of a victim that gives more than labels, or leave defences out"
        )
    logs = output == "log_probs"

    def answer(x: Any, *name: Any) -> np.ndarray:
        values = np.array(seen.answer(x.copy(), *name))  # a victim may write into its input
        sigmoid = values.shape[1] == 1 or seen.outputs == 1
        probs = probabilities(values, seen.gives, sigmoid)
        probs = np.hstack([1 - probs, probs]) if sigmoid else probs
        for defence in defences:
            probs = _checked(defence(probs, x.reshape(len(x), -1)), probs.shape)
        if logs:
            with np.errstate(divide="ignore"):  # ln 0 = -inf is an answer
                return np.log(probs)
        return probs[:, 1:] if sigmoid else probs

    gives = "log_probs" if logs else "probs"
    return replace(seen, answer=answer, gives=gives, decimals=None)


def probabilities(values: np.ndarray, gives: str, sigmoid: bool) -> np.ndarray:
    """What a victim gives as probabilities (n, K); (n, 1), of class 1, for one sigmoid output."""
    if gives == "logits":
        return F.sigmoid(values) if sigmoid else F.softmax(values)
    if gives == "log_probs":
        return np.exp(values[:, 1:] if sigmoid else values)
    return values


def _checked(probs: Any, shape: tuple[int, ...]) -> np.ndarray:
    probs = np.asarray(probs)
    wrong = f"shape {probs.shape}" if probs.shape != shape else ""
    if not wrong:
        outside = probs[~((probs >= 0) & (probs <= 1))]
        wrong = f"{outside[0]} among them" if len(outside) else ""
    if wrong:
        raise ValueError(
            f"expected a defence to give probabilities from 0 to 1 of shape {shape}, got {wrong}; "
            "change what it returns"
        )
    return probs
