"""The likeliest cause of a wrong answer, from the expected answer and the learner's.

The mistakes listed in the exercise come first, each with the answer that it gives on the same
input: "your answer equals what you get if you divide by c² instead of c". Then come general slips,
from the coarse to the fine: kind, shape, NaN, whole numbers, sign, factor, order.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mstheft.course.messages import cause, say
from mstheft.typing import Array

Args = tuple[object, ...]  # of the call that is judged
Equal = Callable[..., bool]  # (a, b) -> equal within the tolerance; b is the answer by default


@dataclass(frozen=True)
class Cause:
    """A cause: its key, and its sentence (None if the exercise itself has the sentence)."""

    key: str
    text: str | None = None


def _cause(key: str, sentence: str = "", **facts: object) -> Cause:
    text = cause(sentence or key)
    return Cause(key, text.format(**facts) if text else None)


def _kinds(expected: object, got: object) -> Cause:
    return _cause("type", expected=_kind(expected), got=_kind(got))


def _kind(thing: object) -> str:
    """The kind of a thing, in the words of messages.toml."""
    if thing is None:
        return "None"
    if isinstance(thing, np.ndarray) and thing.ndim:
        letter = "words" if thing.dtype.kind in "US" else "numbers"
        return say(f"kind_array_{letter}")
    if isinstance(thing, (tuple, list, dict)):
        return say(f"kind_{type(thing).__name__}", count=len(thing))
    if isinstance(thing, (bool, np.bool_)):
        return say("kind_bool")
    return say("kind_str" if isinstance(thing, str) else "kind_number")


def same(expected: object, got: Any, rtol: float, atol: float) -> bool:
    """Does `got` equal the expected answer? Kinds and shapes must agree, numbers up to

    |got - expected| ≤ atol + rtol · |expected|
    """
    if isinstance(expected, (tuple, list)):
        fits = isinstance(got, (tuple, list)) and len(got) == len(expected)
        return fits and all(same(e, g, rtol, atol) for e, g in zip(expected, got, strict=True))
    if isinstance(expected, dict):
        fits = isinstance(got, dict) and set(got) == set(expected)
        return fits and all(same(expected[k], got[k], rtol, atol) for k in expected)
    if expected is None or isinstance(expected, str):
        return got is None if expected is None else isinstance(got, str) and got == expected
    if not _numeric(got):
        words = isinstance(got, np.ndarray) and got.dtype.kind in "US"
        return words and np.array_equal(np.asarray(expected), got)
    e, g = np.asarray(expected), np.asarray(got)
    if e.dtype.kind in "US" or e.shape != g.shape:
        return False
    return bool(np.allclose(g, e, rtol=rtol, atol=atol, equal_nan=True))


def _numeric(thing: object) -> bool:
    if isinstance(thing, (bool, int, float, np.generic, np.ndarray)):
        return np.asarray(thing).dtype.kind in "biuf"
    return False


def likeliest(
    expected: object,
    got: Any,
    mistakes: dict[str, object],
    args: Args,
    rtol: float = 1e-6,
    atol: float = 1e-9,
) -> Cause:
    """The likeliest cause of `got` where `expected` belongs.

    mistakes : {key: the answer which that mistake gives on this input}; a second answer of the
        same mistake is called key__2
    args : of the call; the lengths of its arrays are likely factors
    """
    for key, value in mistakes.items():
        if same(value, got, rtol, atol) and not same(expected, value, rtol, atol):
            return Cause(re.sub(r"__\d+$", "", key))
    if isinstance(expected, (tuple, list, dict)):
        return _of_parts(expected, got, args, rtol, atol)
    if isinstance(expected, str) or expected is None or not _numeric(got):
        return _kinds(expected, got)
    e, g = np.asarray(expected), np.asarray(got)
    if e.dtype.kind in "US":
        return _kinds(expected, got)
    if e.shape != g.shape:
        return _of_shape(e, g, args, rtol, atol)
    if e.dtype.kind == "b":
        return _cause("negated") if np.array_equal(g, ~e) else _some(e, g == e)  # masks
    # lengths that a forgotten or doubled mean would bring in, longest first
    lengths = sorted({n for shape in _shapes(args) for n in shape if n > 2}, reverse=True)
    return next(_of_values(e, g, lengths, rtol, atol))


def _of_parts(expected: Any, got: Any, args: Args, rtol: float, atol: float) -> Cause:
    if not isinstance(got, dict if isinstance(expected, dict) else (tuple, list)):
        return _kinds(expected, got)
    if isinstance(expected, dict):
        if set(got) != set(expected):
            names = ", ".join(map(str, got)) or "none"
            return _cause("keys", expected=", ".join(expected), got=names)
        expected, got = list(expected.values()), [got[k] for k in expected]
    if len(got) != len(expected):
        return _cause("length", expected=len(expected), got=len(got))
    if len(got) == 2 and same(expected, got[::-1], rtol, atol):
        return _cause("reversed")
    pairs = list(zip(expected, got, strict=True))
    if all(isinstance(part, str) for pair in pairs for part in pair):
        return _of_words([e for e, _ in pairs], [g for _, g in pairs])
    e, g = next((e, g) for e, g in pairs if not same(e, g, rtol, atol))
    return likeliest(e, g, {}, args, rtol, atol)


def _of_words(expected: list[str], got: list[str]) -> Cause:
    if got == expected[::-1]:
        return _cause("reversed")
    if sorted(got) == sorted(expected):
        return _cause("permuted")
    e, g = np.array(expected), np.array(got)
    return _some(e, e == g)


def _of_shape(e: Array, g: Array, args: Args, rtol: float, atol: float) -> Cause:
    if e.ndim == 2 and g.shape == e.shape[::-1]:
        key = "transpose" if np.allclose(g.T, e, rtol, atol) else "shape"
        return _cause(key, "shape_transpose")
    if e.size == g.size:
        return _cause("shape", "shape_column" if e.ndim else "shape_one")
    if e.ndim == 1 and g.shape == (len(e), len(e)):
        return _cause("shape", "shape_outer")
    turned = {s[::-1] for s in _shapes(args) if len(s) == 2} | set(_shapes(args))
    if e.ndim == 1 and g.ndim == 1 and {(len(e), len(g)), (len(g), len(e))} & turned:
        return _cause("wrong_axis", "shape_axis")
    if g.ndim == 0:
        return _cause("shape", "shape_scalar")
    if abs(e.ndim - g.ndim) == 1:
        return _cause("shape", "shape_axis")
    if e.ndim == g.ndim and sum(abs(a - b) for a, b in zip(e.shape, g.shape, strict=True)) == 1:
        return _cause("off_by_one", "shape_short")
    return _cause("shape", expected=e.shape, got=g.shape)


def _of_values(e: Array, g: Array, lengths: list[int], rtol: float, atol: float) -> Iterator[Cause]:
    """Every cause that fits, the likeliest first."""

    def equal(a: Array, b: Array = g) -> bool:
        return bool(np.allclose(b, a, rtol=rtol, atol=atol))

    if np.any(~np.isfinite(g) & np.isfinite(e)):
        yield _cause("nan")
    rounded = [cut(e) for cut in (np.trunc, np.floor, np.round)]
    if g.dtype.kind in "iu" and e.dtype.kind == "f" and any(map(equal, rounded)):
        yield _cause("integer")
    counted = e.dtype.kind in "iu"  # what is nearly a count, or twice a count, tells nothing
    e, g = e.astype(float), g.astype(float)
    if np.isfinite(e).all() and np.isfinite(g).all():
        if equal(-e):
            yield _cause("sign")
        if equal(abs(e), abs(g)):
            alike = e.size > 1 and equal(abs(e), abs(e).max())
            yield _cause("some_signs" if alike else "missing_abs")
        if e.ndim == 2 and e.shape[0] == e.shape[1] and equal(e.T):
            yield _cause("transpose")
        if not (counted and e.ndim == 0):
            yield from _of_factor(e, g, lengths, equal)
        yield from _of_order(e, g, equal)
        size = np.abs(e).max(initial=0)
        if size and not counted and np.abs(g - e).max() < 0.01 * size:
            yield _cause("precision", error=np.abs(g - e).max() / size)
    right = np.isclose(g, e, rtol=rtol, atol=atol)
    yield _some(e, right) if 0 < right.sum() < right.size else _cause("unknown")


def _of_factor(e: Array, g: Array, lengths: list[int], equal: Equal) -> Iterator[Cause]:
    power = float((e * e).sum())
    factor = float((e * g).sum()) / power if power else 0.0  # the best fit of g = factor e
    if factor and equal(factor * e):
        names = ("factor_2", "half", "factor_ln2", "divided_by_ln2", "factor_ln10")
        ln2, ln10 = math.log(2), math.log(10)
        values = (2.0, 0.5, ln2, 1 / ln2, ln10, 1 / ln10)
        for value, key in zip(values, (*names, "divided_by_ln10"), strict=True):
            if math.isclose(factor, value, rel_tol=1e-5):
                yield _cause(key)
        for n in lengths:
            if math.isclose(abs(factor), n, rel_tol=1e-5):
                yield _cause("factor_n", n=n)
            if math.isclose(abs(factor) * n, 1, rel_tol=1e-5):
                yield _cause("divided_by_n", n=n)
    if equal(e * e):
        yield _cause("squared")
    if equal(e, g * g):
        yield _cause("root")
    if e.size > 1 and factor and equal(factor * e):
        yield _cause("scale", factor=factor)


def _of_order(e: Array, g: Array, equal: Equal) -> Iterator[Cause]:
    whole = bool(np.all(e == np.round(e)))
    if whole and (np.all(g == e + 1) or np.all(g == e - 1)):
        yield _cause("off_by_one")
    moves = e.ndim > 0 and len(e) > 2 and not equal(e[0], e[1:])
    if moves and (equal(e[1:], g[:-1]) or equal(e[:-1], g[1:])):
        yield _cause("off_by_one")
    if e.ndim and e.size > 1:
        if equal(e[::-1]):
            yield _cause("reversed")
        if equal(np.sort(e, axis=None), np.sort(g, axis=None)):
            ordered = e.ndim == 1 and bool(np.all(np.diff(e) >= 0))
            yield _cause("unsorted" if ordered else "permuted")
        difference = float((g - e).mean())
        if equal(e + difference):
            yield _cause("constant_off", difference=difference)


def _some(e: Array, right: np.ndarray) -> Cause:
    if e.ndim == 0 or not right.any():
        return _cause("unknown")
    index = tuple(int(i) for i in np.argwhere(~right)[0])
    where = index[0] if len(index) == 1 else index
    return _cause("some_wrong", wrong=int((~right).sum()), all=right.size, index=where)


def _shapes(args: Args) -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = []
    for arg in args:
        if isinstance(arg, np.ndarray):
            shapes.append(arg.shape)
        elif isinstance(arg, (tuple, list)):
            shapes += _shapes(tuple(arg))
    return shapes
