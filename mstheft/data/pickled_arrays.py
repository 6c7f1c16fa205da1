"""NumPy arrays as they stand in pickles: rebuilt here, by no function of NumPy's that they name.

An array is written in two steps, and so is a type of numbers:

    REDUCE _reconstruct(ndarray, (0,), b"b")               an empty array,
    BUILD  (1, shape, dtype, columns first or not, bytes)  then all of what is in it
    REDUCE dtype("u1")                                     a type of numbers,
    BUILD  (3, "|", None, None, None, -1, -1, 0)           then its byte order
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from mstheft.errors import DataError

__all__ = ["PLAIN", "Unfinished", "build", "finished", "number_type", "scalar", "text", "wrong"]

PLAIN = "plain containers and NumPy arrays"
_MOST_AXES = 32
_LONGEST_AXIS = 1 << 40


def wrong(expected: str, got: str) -> DataError:
    """Build the error for a pickle that is refused."""
    return DataError(f"expected {expected} in a pickle, got {got}; do not trust it, get it again")


class Unfinished:
    """An array or number type between its REDUCE and its BUILD."""

    def __init__(self, value: Any = None):
        self.value = value  # of an array None until BUILD; of a type its native byte order
        self.done = False


def build(unfinished: Any, state: Any) -> Any:
    """Finish an array or a number type by what `__reduce__` of NumPy wrote about it."""
    if not isinstance(unfinished, Unfinished) or unfinished.done:
        raise wrong(PLAIN, "the state of something else")
    if unfinished.value is None:
        _, shape, kind, columns_first, content = state
        unfinished.value = _array(shape, _type_of(kind), bool(columns_first), content)
    else:  # (version, byte order, subarray, names, fields, size, alignment, flags, ...)
        if any(part is not None for part in state[2:5]):
            raise wrong("a type of plain numbers", "a record")
        unfinished.value = unfinished.value.newbyteorder(text(state[1]))
    unfinished.done = True
    # A type stays wrapped: it is an ingredient and never a result.
    return unfinished if isinstance(unfinished.value, np.dtype) else unfinished.value


def _array(shape: Any, kind: np.dtype, columns_first: bool, content: Any) -> np.ndarray:
    """See bytes as an array, if there are exactly as many as it needs."""
    if not isinstance(shape, tuple) or len(shape) > _MOST_AXES or not isinstance(content, bytes):
        raise wrong(f"a shape of at most {_MOST_AXES} axes and bytes", "something else")
    if not all(type(n) is int and 0 <= n <= _LONGEST_AXIS for n in shape):
        raise wrong(f"axes of 0 to {_LONGEST_AXIS:,}", "another shape")
    if math.prod(shape) * kind.itemsize != len(content):
        raise wrong(f"as many bytes as {shape} of {kind} needs", f"{len(content):,}")
    return np.frombuffer(content, kind).reshape(shape, order="F" if columns_first else "C")


def number_type(name: str) -> np.dtype:
    """Understand the name of a type of numbers, for instance 'u1' or '<f8'."""
    if not re.fullmatch("[|<>=]?(b1|[iu][1248]|f[248]|c8|c16)", name):
        raise wrong("a type of plain numbers such as 'u1'", f"{name[:80]!r}")
    return np.dtype(name)


def _type_of(value: Any) -> np.dtype:
    """Unwrap a number type."""
    if not isinstance(value, Unfinished) or not isinstance(value.value, np.dtype):
        raise wrong("a number type", type(value).__name__)
    return value.value


def scalar(kind: Any, content: Any) -> Any:
    """See bytes as one number, if there are exactly as many as it needs."""
    return _array((), _type_of(kind), False, content)[()]


def text(value: str | bytes) -> str:
    """Python 2 wrote the names of types as bytes, Python 3 as text."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def finished(value: Any) -> Any:
    """Replace an unfinished array that was remembered by what became of it since."""
    if isinstance(value, Unfinished) and value.done and isinstance(value.value, np.ndarray):
        return value.value
    return value
