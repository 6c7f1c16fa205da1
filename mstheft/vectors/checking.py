"""Compares a function of any origin and framework with the known answers."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mstheft.vectors.cases import Build, Case, cases, decode
from mstheft.vectors.victim import Victim

Miss = tuple[str, str] | None  # (what was expected, what came), in words; None where all is right


@dataclass(frozen=True)
class Failure:
    """A case with a wrong result: `str()` gives the expected answer and the result in one line."""

    case: Case
    expected: str  # in words, with the place in the array if it has one
    got: str
    valued: bool = True  # did the function return a value? Only then can it have made the slip

    def __str__(self) -> str:
        line = f"{self.case.id}: expected {self.expected}, got {self.got}"
        if self.valued:
            line += f" (a case for this slip: {self.case.catches})"
        return " ".join(line.split())


def check(
    function: Callable[..., object],
    name: str | None = None,
    *,
    network: Build = Victim,
    seconds: float | None = None,
) -> list[Failure]:
    """Call a function on every known case of a formula; returns the failures, [] if there is none.

        assert vectors.check(my_softmax, "softmax") == []

    The function gets the arguments of the case in their order, numbers as NumPy arrays. Its
    results go through `np.asarray`, so tensors and lists will do. Several results come as a tuple
    in the order of the case, as a mapping, or as attributes. An exception is a failure; so is an
    argument that the function has changed in place.

    function : anybody's
    name : of the formula, such as 'activations/softmax' or 'softmax', or of one case; the
        function's own name by default
    network : (weights, activation) -> a network, for formulas that take one: `Victim` by default,
        `mstheft.nn.zoo.given` for a `mstheft.Network`, or a builder of your framework
    seconds : how long to wait for one case; a function that takes longer is left running in its
        thread and not called again
    Raises ValueError for a name without known answers.
    """
    failures: list[Failure] = []
    for case in cases(getattr(function, "__name__", "") if name is None else name):
        try:
            failure = _failure(function, case, network, seconds)
        except TimeoutError:
            late = f"none within {seconds:g} s; the cases from here on were not tried"
            return [*failures, Failure(case, "an answer", late, valued=False)]
        failures += [failure] if failure else []
    return failures


def _failure(
    function: Callable[..., object], case: Case, network: Build, seconds: float | None
) -> Failure | None:
    arguments, options = case.decoded(network)
    before = copy.deepcopy(arguments)
    got, error = _within(seconds, lambda: function(*arguments, **options))
    if error:
        return Failure(case, "an answer", f"{type(error).__name__}: {error}", valued=False)
    for argument, now, then in zip(case.arguments, arguments, before, strict=True):
        if isinstance(now, np.ndarray) and not np.array_equal(now, then, equal_nan=True):
            unchanged = f"{argument} left as it was"
            return Failure(case, unchanged, "it changed in place", valued=False)
    miss = compare(got, case.expected, case.relative, case.absolute)
    return Failure(case, *miss, valued=got is not None) if miss else None


def _within(
    seconds: float | None, call: Callable[[], object]
) -> tuple[object, BaseException | None]:
    """The value of a call and its exception. Raises `TimeoutError` if the call takes too long."""
    outcome: list[tuple[object, BaseException | None]] = []

    def work() -> None:
        try:
            outcome.append((call(), None))
        except (Exception, SystemExit) as error:  # anybody's code may raise anything
            outcome.append((None, error))

    if seconds is None:
        work()
        return outcome[0]
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise TimeoutError
    return outcome[0]


def compare(got: object, expected: object, relative: float, absolute: float) -> Miss:
    """How a result misses what was expected, in words (expected, got), or None if it does not.

    expected : as in the file; {name: answer} for several results, {'network': …} for a network
    """
    if not isinstance(expected, dict):
        return _array(got, expected, relative, absolute)
    if "network" in expected:
        return _network(got, expected["network"]["weights"], relative, absolute)
    for place, (name, answer) in enumerate(expected.items()):
        is_there, part = _part(got, name, place, len(expected))
        if not is_there:
            return f"{len(expected)} results ({', '.join(expected)})", _kind(got)
        miss = compare(part, answer, relative, absolute)
        if miss:
            return (miss[0] if len(expected) == 1 else f"{name} {miss[0]}"), miss[1]
    return None


def _part(got: object, name: str, place: int, count: int) -> tuple[bool, object]:
    """Result `name`, or the result at `place` of `count`: (is it there, the result)."""
    if isinstance(got, Mapping):
        return name in got, got.get(name)
    row = got if isinstance(got, tuple | list | np.ndarray) else None
    if hasattr(got, name) and (row is None or hasattr(row, "_fields")):  # an array has a max, too
        return True, getattr(got, name)
    if count == 1:
        return True, got
    return (True, row[place]) if row is not None and len(row) == count else (False, None)


def _network(got: Any, weights: list[Any], relative: float, absolute: float) -> Miss:
    """Compares networks by their numbers: `.dense()`, or the pairs (A, b) themselves."""
    pairs = got.dense() if hasattr(got, "dense") else got
    try:
        layers = [tuple(pair) for pair in pairs]
    except TypeError:
        return f"a network of {len(weights)} layers, or their [(A, b), …]", _kind(got)
    if [len(pair) for pair in layers] != [2] * len(weights):
        return f"{len(weights)} pairs (A, b)", _kind(got)
    names = [f"{letter}{depth}" for depth in range(len(weights)) for letter in "Ab"]
    want = dict(zip(names, (each for pair in weights for each in pair), strict=True))
    return compare([each for pair in layers for each in pair], want, relative, absolute)


def _array(got: object, expected: object, relative: float, absolute: float) -> Miss:
    if expected is None or got is None:
        return None if expected is got else (_number(expected), _number(got))
    want = np.asarray(decode(expected))
    try:
        values = np.asarray(got)
    except Exception as error:  # a tensor that still carries its gradient, for instance
        return f"numbers of shape {want.shape}", f"{_kind(got)}: {error}"
    if values.dtype.kind not in "fiub":
        return f"real numbers of shape {want.shape}", _kind(got)
    if values.shape != want.shape:
        return f"shape {want.shape}", f"shape {values.shape}"
    values, want = values.astype(float), want.astype(float)
    with np.errstate(invalid="ignore"):
        near = np.abs(values - want) <= absolute + relative * np.abs(want)
    same = (values == want) | (np.isnan(values) & np.isnan(want))
    near = np.where(np.isfinite(want), near, same)  # inf - inf is no difference
    if near.all():
        return None
    place = np.unravel_index(int(near.argmin()), near.shape)
    at = f" at {[int(i) for i in place]}" if place else ""
    return f"{_number(want[place])}{at}", _number(values[place])


def _number(value: object) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.17g}"
    return "None" if value is None else "a result"


def _kind(got: object) -> str:
    name = type(got).__name__
    return f"a {name} of {len(got)}" if isinstance(got, tuple | list) else name
