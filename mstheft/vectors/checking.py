"""Holding a function against the known answers: whose it is and what it is written in is free."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mstheft.vectors.cases import Build, Case, cases, decode
from mstheft.vectors.victim import Victim


@dataclass(frozen=True)
class Failure:
    """A case that came out wrong: `str()` says in one line what was expected, got, and missed.

    expected, got : in words, with the place in the array where it has one
    valued : is it a value that is wrong, so that the slip for which the case is there may be it?
    """

    case: Case
    expected: str
    got: str
    valued: bool = True

    def __str__(self) -> str:
        line = f"{self.case.id}: expected {self.expected}, got {self.got}"
        if self.valued:
            line += f" (a case for this slip: {self.case.catches})"
        return " ".join(line.split())


def check(
    function: Callable[..., Any],
    name: str | None = None,
    *,
    network: Build = Victim,
    seconds: float | None = None,
) -> list[Failure]:
    """Call a function on every known case of a formula; what failed comes back, [] if nothing did.

        assert vectors.check(my_softmax, "softmax") == []

    The arguments are those of the case in their order, numbers in NumPy arrays; the results go
    through `np.asarray`, so that tensors and lists are as good. A function with several results
    gives them as a tuple in the order of the case, as a mapping, or as attributes. Arrays among the
    arguments that were changed in place count as a failure, as does an exception.

    function : anybody's
    name : of the formula, such as 'activations/softmax' or 'softmax', or of one case; unless
        given, the function's own name
    network : (weights, activation) -> a network, for formulas that take one; a `Victim` unless
        given, `mstheft.nn.zoo.given` for a `mstheft.Network`, or a builder of your framework
    seconds : how long to wait for a case; a function that takes longer is not called again, but
        left running in its thread
    Raises ValueError for a name without known answers.
    """
    found = cases(getattr(function, "__name__", "") if name is None else name)
    failures: list[Failure] = []
    for case in found:
        try:
            failure = _failure(function, case, network, seconds)
        except TimeoutError:
            late = f"none within {seconds:g} s; the cases from here on were not tried"
            return [*failures, Failure(case, "an answer", late, valued=False)]
        failures += [failure] if failure else []
    return failures


def _failure(
    function: Callable[..., Any], case: Case, network: Build, seconds: float | None
) -> Failure | None:
    given, options = case.decoded(network)
    before = copy.deepcopy(given)
    got, error = _within(seconds, lambda: function(*given, **options))
    if error:  # anybody's may raise anything: the other cases are still tried
        return Failure(case, "an answer", f"{type(error).__name__}: {error}", valued=False)
    for argument, now, then in zip(case.arguments, given, before, strict=True):
        if isinstance(now, np.ndarray) and not np.array_equal(now, then, equal_nan=True):
            left = f"{argument} left as it was"
            return Failure(case, left, "it changed in place", valued=False)
    wrong = compare(got, case.expected, case.relative, case.absolute)
    return Failure(case, *wrong, valued=got is not None) if wrong else None


def _within(seconds: float | None, call: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """What a call gave, and what it raised. Raises `TimeoutError` where it does not end in time."""
    told: list[tuple[Any, BaseException | None]] = []

    def work() -> None:
        try:
            told.append((call(), None))
        except (Exception, SystemExit) as error:
            told.append((None, error))

    if seconds is None:
        work()
    else:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(seconds)
    if not told:
        raise TimeoutError
    return told[0]


def compare(got: Any, expected: Any, relative: float, absolute: float) -> tuple[str, str] | None:
    """How a result misses what was expected, in words (expected, got), or None where it does not.

    expected : as in the file; {name: answer} for several results, {'network': …} for a network
    """
    if isinstance(expected, dict) and "network" in expected:
        return _network(got, expected["network"]["weights"], relative, absolute)
    if not isinstance(expected, dict):
        return _array(got, expected, relative, absolute)
    for place, (name, answer) in enumerate(expected.items()):
        found, part = _part(got, name, place, len(expected))
        if not found:
            every = ", ".join(expected)
            return f"{len(expected)} results ({every})", _kind(got)
        wrong = compare(part, answer, relative, absolute)
        if wrong:
            return (wrong[0] if len(expected) == 1 else f"{name} {wrong[0]}"), wrong[1]
    return None


def _part(got: Any, name: str, place: int, count: int) -> tuple[bool, Any]:
    """Result `name`, or the one at this place of so many: (is it there, what it is)."""
    if isinstance(got, Mapping):
        return name in got, got.get(name)
    row = isinstance(got, tuple | list | np.ndarray)  # arrays have attributes such as max
    if hasattr(got, name) and (not row or hasattr(got, "_fields")):
        return True, getattr(got, name)
    if count == 1:
        return True, got
    there = row and len(got) == count
    return there, got[place] if there else None


def _network(
    got: Any, weights: list[Any], relative: float, absolute: float
) -> tuple[str, str] | None:
    """Networks are compared by their numbers: `.dense()`, or the pairs (A, b) themselves."""
    pairs = got.dense() if hasattr(got, "dense") else got
    try:
        layers = [tuple(pair) for pair in pairs]
    except TypeError:
        return f"a network of {len(weights)} layers, or their [(A, b), …]", _kind(got)
    if [len(pair) for pair in layers] != [2] * len(weights):
        return f"{len(weights)} pairs (A, b)", _kind(got)
    for depth, (pair, want) in enumerate(zip(layers, weights, strict=True)):
        for letter, mine, right in zip("Ab", pair, want, strict=True):
            wrong = _array(mine, right, relative, absolute)
            if wrong:
                return f"{letter}{depth} {wrong[0]}", wrong[1]
    return None


def _array(got: Any, expected: Any, relative: float, absolute: float) -> tuple[str, str] | None:
    if expected is None or got is None:
        return None if expected is got else (_number(expected), _number(got))
    want = np.asarray(decode(expected))
    try:
        told = np.asarray(got)
    except Exception as error:  # a tensor that still carries its gradient, for instance
        return f"numbers of shape {want.shape}", f"{_kind(got)}: {error}"
    if told.dtype.kind not in "fiub":
        return f"real numbers of shape {want.shape}", _kind(got)
    if told.shape != want.shape:
        return f"shape {want.shape}", f"shape {told.shape}"
    told, want = told.astype(float), want.astype(float)
    with np.errstate(invalid="ignore"):
        near = np.abs(told - want) <= absolute + relative * np.abs(want)
    near = np.where(np.isfinite(want), near, (told == want) | (np.isnan(told) & np.isnan(want)))
    if near.all():
        return None
    place = np.unravel_index(int(near.argmin()), near.shape)
    at = f" at {[int(i) for i in place]}" if place else ""
    return f"{_number(want[place])}{at}", _number(told[place])


def _number(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.17g}"
    return "None" if value is None else "a result"


def _kind(got: Any) -> str:
    if isinstance(got, tuple | list):
        return f"a {type(got).__name__} of {len(got)}"
    return f"{type(got).__name__}"
