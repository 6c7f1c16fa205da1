"""Where speed comes from: arrays that are used again, and work that is split over threads.

A large array costs more to get from the operating system than to fill. Inside `with reused():` a
layer gets the same memory at each call, so that a training step allocates nothing; outside, every
call gets arrays of its own. Each thread has its own memory: several may ask one network at a time.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from mstheft.nn.functions import Array

_THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_SMALL = 1 << 16  # numbers below which splitting costs more than it saves
_active = threading.local()
_pool: ThreadPoolExecutor | None = None


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
        self._kept: dict[str, Array] = {}

    def empty(self, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        """An array of arbitrary content; the last one of that name is overwritten if reused."""
        if not reusing():
            return np.empty(shape, dtype)
        size = int(np.prod(shape))
        kept = self._kept.get(name)
        if kept is None or kept.size < size or kept.dtype != dtype:
            kept = self._kept[name] = np.empty(size, dtype)
        return kept[:size].reshape(shape)

    def padded(self, name: str, x: Array, before: int, after: int, step: int = 1) -> Array:
        """x (n, h, w, c) in a frame of zeros, with step - 1 zeros between its rows and columns."""
        n, h, w, c = x.shape
        shape = (
            n,
            before + (h - 1) * step + 1 + after,
            before + (w - 1) * step + 1 + after,
            c,
        )
        out = self.empty(name, shape, x.dtype)
        below, right = shape[1] - after, shape[2] - after

        def fill(rows: slice) -> None:
            out[rows, :before], out[rows, below:] = 0, 0
            out[rows, :, :before], out[rows, :, right:] = 0, 0
            if step > 1:
                out[rows] = 0
            out[rows, before:below:step, before:right:step] = x[rows]

        split(fill, n, out.size)
        return out

    def __reduce__(self) -> Any:
        return Buffers, ()


def split(work: Callable[[slice], Any], n: int, size: int) -> None:
    """Call work(rows) for slices that cover range(n), in parallel if `size` numbers are worth it.

    NumPy lets other threads run while it copies and computes, so plain threads are enough.
    """
    if _THREADS == 1 or size < _SMALL or n < 2:
        work(slice(0, n))
        return
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(_THREADS - 1, thread_name_prefix="mstheft")
    edges = np.linspace(0, n, min(_THREADS, n) + 1).astype(int)
    mine, *parts = itertools.starmap(slice, itertools.pairwise(edges))
    others = [_pool.submit(work, part) for part in parts]
    work(mine)
    for other in others:
        other.result()


def _forget_pool() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)  # a child process has none of the threads
