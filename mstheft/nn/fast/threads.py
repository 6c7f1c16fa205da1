"""Both cores on one batch: its rows are split among threads that run the network side by side.

    rows 0 … n/2    thread 1:  forward, loss, backward ┐
                                                       ├ sums of the parts: loss, gradients
    rows n/2 … n    thread 2:  forward, loss, backward ┘

What needs the whole batch meanwhile, as batch normalisation does, adds it up with `summed`.
A matrix product then runs on the core whose cache holds its numbers, which needs BLAS held to
one thread: without the package `threadpoolctl`, and for small work, all runs in the caller's
thread. The results are the same up to rounding; but rounding decides which of two nearly equal
numbers is the largest, so float32 gradients of a network with max-pools may differ in a place.
"""

import functools
import itertools
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

from mstheft.typing import Array

Answer = TypeVar("Answer")
MOST = 64  # parts at most
WORTHWHILE = 1 << 20  # numbers in a layer's output below which threads cost more than they save
_here = threading.local()
_busy = threading.Lock()  # one batch at a time is split: parts that wait for one another all run


class _Team:
    """The threads that share a batch, and the values that they add up."""

    def __init__(self, parts: int):
        self.values: dict[int, Array] = {}  # by part
        self.barrier = threading.Barrier(parts)

    def run(self, part: int, work: Callable[..., Answer], rows: tuple[np.ndarray, ...]) -> Answer:
        """The work of one part; an error ends the others too, or they would wait for ever."""
        _here.team, _here.part = self, part
        try:
            return work(*rows)
        except BaseException:
            self.barrier.abort()
            raise
        finally:
            _here.team, _here.part = None, 0

    def run_all(
        self, work: Callable[..., Answer], cut: list[tuple[np.ndarray, ...]]
    ) -> list[Answer]:
        """The answers of all parts; the caller's thread works on the first."""
        others: list[Future[Answer]] = []
        try:
            for i in range(1, len(cut)):
                others.append(_helpers().submit(self.run, i, work, cut[i]))
            first = [self.run(0, work, cut[0])]
        except threading.BrokenBarrierError:
            first = []  # another part failed: its own error follows
        except BaseException:
            self.barrier.abort()
            raise
        finally:
            errors = [other.exception() for other in others]
        for error in errors:
            if error and not isinstance(error, threading.BrokenBarrierError):
                raise error
        return first + [other.result() for other in others]

    def summed(self, value: Array) -> Array:
        """The sum of all parts' values of one shape, added in the same order by each.

        Every part must come here equally often: each waits for the others.
        """
        self.values[_here.part] = value
        self.barrier.wait()
        total = functools.reduce(np.add, [self.values[i] for i in range(self.barrier.parties)])
        self.barrier.wait()
        return total


def part() -> int:
    """Which part of the batch this thread works on, counted from 0."""
    return getattr(_here, "part", 0)


def summed(value: Array) -> Array:
    """The sum of `value` over all parts of the batch; `value` itself where it is not split."""
    team = getattr(_here, "team", None)
    return value if team is None else team.summed(value)


def in_parts(work: Callable[..., Answer], *rows: np.ndarray, numbers: int) -> list[Answer]:
    """work(*rows), or the answers of work on each part of the rows, in order.

    rows : arrays with the same number of rows, (n, ...)
    numbers : size of the largest array in the work; little work is not worth a thread
    """
    blas = _blas() if numbers >= WORTHWHILE else None
    parts = min(len(rows[0]), _threads()) if blas else 1
    split = parts >= 2 and getattr(_here, "team", None) is None
    if blas is None or not split or not _busy.acquire(blocking=False):
        return [work(*rows)]
    try:
        team, bounds = _Team(parts), np.linspace(0, len(rows[0]), parts + 1).astype(int)
        cut = [tuple(array[a:b] for array in rows) for a, b in itertools.pairwise(bounds)]
        with blas.limit(limits=1, user_api="blas"):
            return team.run_all(work, cut)
    finally:
        _busy.release()


@functools.cache
def _blas() -> Any:
    """The controller that holds BLAS to one thread; None without threadpoolctl."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()


def _threads() -> int:
    """As many as BLAS uses, so that OPENBLAS_NUM_THREADS and the like hold here too."""
    counts = [lib["num_threads"] for lib in _blas().info() if lib["user_api"] == "blas"]
    return min(max(counts, default=1), MOST)


@functools.cache
def _helpers() -> ThreadPoolExecutor:
    """A thread for every part but the caller's, started when first needed: with fewer threads
    the parts would wait for one another."""
    return ThreadPoolExecutor(MOST - 1, thread_name_prefix="mstheft")


if hasattr(os, "register_at_fork"):  # threads do not survive a fork; the child starts its own
    os.register_at_fork(after_in_child=_helpers.cache_clear)
