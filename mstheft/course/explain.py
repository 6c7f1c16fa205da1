"""The likeliest cause of a wrong answer, from what was expected and what was got.

Known mistakes of the exercise come first, each with the answer that it gives on the same input:
"your answer equals what you get if you divide by c² instead of c". Then the slips that everyone
makes, from the coarse to the fine: kind, shape, NaN, whole numbers, sign, factor, order.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mstheft.course.messages import cause, say


@dataclass(frozen=True)
class Found:
    """A cause: its key, and its sentence (None if the exercise itself has the sentence)."""

    key: str
    text: str | None = None


def _found(key: str, sentence: str = "", **facts: Any) -> Found:
    text = cause(sentence or key)
    return Found(key, text.format(**facts) if text else None)


def _kinds(expected: Any, got: Any) -> Found:
    return _found("type", expected=_kind(expected), got=_kind(got))


def _kind(thing: Any) -> str:
    """What sort of thing it is, in the words of messages.toml."""
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


def same(expected: Any, got: Any, rtol: float, atol: float) -> bool:
    """Is `got` what was expected? Kinds and shapes must agree, numbers up to

    |got - expected| ≤ atol + rtol · |expected|
    """
    if isinstance(expected, (tuple, list)):
        if not isinstance(got, (tuple, list)) or len(got) != len(expected):
            return False
        return all(same(e, g, rtol, atol) for e, g in zip(expected, got, strict=True))
    if isinstance(expected, dict):
        if not isinstance(got, dict) or set(got) != set(expected):
            return False
        return all(same(expected[k], got[k], rtol, atol) for k in expected)
    if expected is None or isinstance(expected, str):
        return got is None if expected is None else isinstance(got, str) and got == expected
    if not _numeric(got):
        words = isinstance(got, np.ndarray) and got.dtype.kind in "US"
        return words and np.array_equal(np.asarray(expected), got)
    e, g = np.asarray(expected), np.asarray(got)
    if e.dtype.kind in "US" or e.shape != g.shape:
        return False
    return bool(np.allclose(g, e, rtol=rtol, atol=atol, equal_nan=True))


def _numeric(thing: Any) -> bool:
    if isinstance(thing, (bool, int, float, np.generic, np.ndarray)):
        return np.asarray(thing).dtype.kind in "biuf"
    return False


def likeliest(
    expected: Any,
    got: Any,
    mistakes: dict[str, Any],
    args: tuple[Any, ...],
    rtol: float = 1e-6,
    atol: float = 1e-9,
) -> Found:
    """The likeliest cause of `got` where `expected` belongs.

    mistakes : key -> the answer which that mistake gives on this input; a second answer of the
        same mistake is called key__2
    args : what the function was called with; lengths of its arrays are likely factors
    """
    for key, value in mistakes.items():
        if same(value, got, rtol, atol) and not same(expected, value, rtol, atol):
            return Found(re.sub(r"__\d+$", "", key))
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
        return _found("negated") if np.array_equal(g, ~e) else _some(e, g == e)
    return next(_of_values(e, g, _lengths(args), rtol, atol))


def _of_parts(expected: Any, got: Any, args: tuple[Any, ...], rtol: float, atol: float) -> Found:
    if isinstance(expected, dict):
        if not isinstance(got, dict):
            return _kinds(expected, got)
        if set(got) != set(expected):
            return _found(
                "keys", expected=", ".join(expected), got=", ".join(map(str, got)) or "none"
            )
        pairs = [(expected[k], got[k]) for k in expected]
    else:
        if not isinstance(got, (tuple, list)):
            return _kinds(expected, got)
        if len(got) != len(expected):
            return _found("length", expected=len(expected), got=len(got))
        pairs = list(zip(expected, got, strict=True))
    if len(pairs) == 2 and all(
        same(e, pairs[1 - i][1], rtol, atol) for i, (e, _) in enumerate(pairs)
    ):
        return _found("reversed")
    if all(isinstance(part, str) for pair in pairs for part in pair):
        return _of_words([e for e, _ in pairs], [g for _, g in pairs])
    e, g = next((e, g) for e, g in pairs if not same(e, g, rtol, atol))
    return likeliest(e, g, {}, args, rtol, atol)


def _of_words(expected: list[str], got: list[str]) -> Found:
    if got == expected[::-1]:
        return _found("reversed")
    if sorted(got) == sorted(expected):
        return _found("permuted")
    e, g = np.array(expected), np.array(got)
    return _some(e, e == g)


def _of_shape(
    e: np.ndarray, g: np.ndarray, args: tuple[Any, ...], rtol: float, atol: float
) -> Found:
    facts: dict[str, Any] = {"expected": e.shape, "got": g.shape}
    if e.ndim == 2 and g.shape == e.shape[::-1]:
        return _found(
            "transpose" if np.allclose(g.T, e, rtol, atol) else "shape", "shape_transpose"
        )
    if e.size == g.size:
        return _found("shape", "shape_column" if e.ndim else "shape_one")
    if e.ndim == 1 and g.shape == (len(e), len(e)):
        return _found("shape", "shape_outer")
    turned = {s[::-1] for s in _shapes(args) if len(s) == 2} | set(_shapes(args))
    if e.ndim == 1 and g.ndim == 1 and {(len(e), len(g)), (len(g), len(e))} & turned:
        return _found("wrong_axis", "shape_axis")
    if g.ndim == 0:
        return _found("shape", "shape_scalar")
    if abs(e.ndim - g.ndim) == 1:
        return _found("shape", "shape_axis")
    if e.ndim == g.ndim and sum(abs(a - b) for a, b in zip(e.shape, g.shape, strict=True)) == 1:
        return _found("off_by_one", "shape_short")
    return _found("shape", **facts)


def _of_values(
    e: np.ndarray, g: np.ndarray, lengths: list[int], rtol: float, atol: float
) -> Iterator[Found]:
    """Every cause that fits, the likeliest first."""

    def equal(a: Any, b: Any = g) -> bool:
        return bool(np.allclose(b, a, rtol=rtol, atol=atol))

    if np.any(~np.isfinite(g) & np.isfinite(e)):
        yield _found("nan")
    rounded = [cut(e) for cut in (np.trunc, np.floor, np.round)]
    if g.dtype.kind in "iu" and e.dtype.kind == "f" and any(map(equal, rounded)):
        yield _found("integer")
    e, g = e.astype(float), g.astype(float)
    if np.isfinite(e).all() and np.isfinite(g).all():
        if equal(-e):
            yield _found("sign")
        if equal(abs(e), abs(g)):
            alike = e.size > 1 and equal(abs(e), abs(e).max())
            yield _found("some_signs" if alike else "missing_abs")
        if e.ndim == 2 and e.shape[0] == e.shape[1] and equal(e.T):
            yield _found("transpose")
        yield from _of_factor(e, g, lengths, equal)
        yield from _of_order(e, g, equal)
        size = np.abs(e).max(initial=0)
        if size and np.abs(g - e).max() < 0.01 * size:
            yield _found("precision", error=np.abs(g - e).max() / size)
    right = np.isclose(g, e, rtol=rtol, atol=atol)
    yield _some(e, right) if 0 < right.sum() < right.size else _found("unknown")


def _of_factor(e: np.ndarray, g: np.ndarray, lengths: list[int], equal: Any) -> Iterator[Found]:
    power = float((e * e).sum())
    factor = float((e * g).sum()) / power if power else 0.0
    if factor and equal(factor * e):
        names = {
            2.0: "factor_2",
            0.5: "half",
            math.log(2): "factor_ln2",
            1 / math.log(2): "divided_by_ln2",
            math.log(10): "factor_ln10",
            1 / math.log(10): "divided_by_ln10",
        }
        for value, key in names.items():
            if math.isclose(factor, value, rel_tol=1e-5):
                yield _found(key)
        for n in lengths:
            if math.isclose(abs(factor), n, rel_tol=1e-5):
                yield _found("factor_n", n=n)
            if math.isclose(abs(factor) * n, 1, rel_tol=1e-5):
                yield _found("divided_by_n", n=n)
    if equal(e * e):
        yield _found("squared")
    if equal(e, g * g):
        yield _found("root")
    if e.size > 1 and factor and equal(factor * e):
        yield _found("scale", factor=factor)


def _of_order(e: np.ndarray, g: np.ndarray, equal: Any) -> Iterator[Found]:
    whole = bool(np.all(e == np.round(e)))
    if whole and (np.all(g == e + 1) or np.all(g == e - 1)):
        yield _found("off_by_one")
    moves = e.ndim > 0 and len(e) > 2 and not equal(e[0], e[1:])
    if moves and (equal(e[1:], g[:-1]) or equal(e[:-1], g[1:])):
        yield _found("off_by_one")
    if e.ndim and e.size > 1:
        if equal(e[::-1]):
            yield _found("reversed")
        if equal(np.sort(e, axis=None), np.sort(g, axis=None)):
            ordered = e.ndim == 1 and bool(np.all(np.diff(e) >= 0))
            yield _found("unsorted" if ordered else "permuted")
        difference = float((g - e).mean())
        if equal(e + difference):
            yield _found("constant_off", difference=difference)


def _some(e: np.ndarray, right: np.ndarray) -> Found:
    if e.ndim == 0 or not right.any():
        return _found("unknown")
    index = tuple(int(i) for i in np.argwhere(~right)[0])
    where = index[0] if len(index) == 1 else index
    return _found("some_wrong", wrong=int((~right).sum()), all=right.size, index=where)


def _shapes(args: tuple[Any, ...]) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    for arg in args:
        if isinstance(arg, np.ndarray):
            found.append(arg.shape)
        elif isinstance(arg, (tuple, list)):
            found += _shapes(tuple(arg))
    return found


def _lengths(args: tuple[Any, ...]) -> list[int]:
    """Lengths that a forgotten or doubled mean would bring in, longest first."""
    return sorted({n for shape in _shapes(args) for n in shape if n > 2}, reverse=True)
