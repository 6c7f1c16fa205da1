"""Where speed comes from: arrays that are used again, and work in pieces that fit the cache.

A large array costs more to get from the operating system than to fill. Inside `with reused():` a
layer gets the same memory at each call, so that a training step allocates nothing; outside, every
call gets arrays of its own. Each thread has its own memory: several may ask one network at a time.
"""

import contextlib
import math
import threading
from collections.abc import Iterator

import numpy as np
from numpy.typing import DTypeLike

from mstheft.typing import Array

PIECE = 1 << 18  # numbers in a piece: a megabyte of float32; threads that share the interpreter
# wait for one another at each call, so that smaller pieces, though faster alone, cost more
_active = threading.local()


@contextlib.contextmanager
def reused() -> Iterator[None]:
    """While the `with` block runs in this thread, `Buffers` hand out the same memory again."""
    before = reusing()
    _active.on = True
    try:
        yield
    finally:
        _active.on = before


def reusing() -> bool:
    """Is memory used again in this thread, so that a layer may also overwrite what it is given?"""
    return getattr(_active, "on", False)


class Buffers(threading.local):
    """Named arrays of one layer. Inside `reused()` a name gives the same memory at each call."""

    def __init__(self) -> None:
        self._arrays: dict[str, Array] = {}

    def empty(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array of arbitrary content; the last one of that name is overwritten if reused."""
        if not reusing():
            return np.empty(shape, dtype)
        size = math.prod(shape)
        array = self._arrays.get(name)
        if array is None or array.size < size or array.dtype != dtype:
            array = self._arrays[name] = np.empty(size, dtype)
        return array[:size].reshape(shape)

    def __reduce__(self) -> tuple[type["Buffers"], tuple[()]]:
        return Buffers, ()


def pieces(n: int, size: int, most: int = PIECE) -> Iterator[slice]:
    """Slices that cover range(n), each with about `most` of the `size` numbers in n rows.

    Work that goes over an array more than once goes over one piece after the other, so that the
    second pass finds its numbers still in the processor's cache.
    """
    step = max(1, n * most // max(size, 1))
    for start in range(0, n, step):
        yield slice(start, start + step)
