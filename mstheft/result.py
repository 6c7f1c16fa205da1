"""The result of an attack, with the cost of each of its stages."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mstheft.typing import Oracle


def floor(weights: int, outputs: int) -> float:
    """F = (number of weights + K) / K: queries below which no generic network can be determined.

    Rescaling and reordering hidden neurons change nothing, so a network of dense layers has as
    many free numbers as weights plus K; one query answers with K numbers. For d-h-K that is
    F = (hd + Kh + K) / K, and d + 1 for logistic and softmax regression.
    """
    return (weights + outputs) / outputs


def count(n: int, one: str, many: str = "") -> str:
    """'1 row', '2 rows', '1,000 biases'."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


@dataclass
class Result:
    """A copy, its cost, and the record of every stage.

    model : the copy, a Network
    queries : {stage: rows queried}
    seconds : {stage: wall time}
    notes : {stage: one line on the outcome of the stage}
    trace : the arrays that the stages worked on, in a dataclass of the attack: the input of the
        plots and of the lessons
    verified : True if the copy answered like the victim on fresh random points, near and far.
        This is evidence, no proof: `compare.certificate` bounds the difference of two networks
    error : largest |Δ| on those points, in logits (for labels: a relative distance)
    stopped : the stage in which the attack was ended, if it was; the error that ended it, be it a
        spent budget, a broken victim or Ctrl-C, holds this result as `partial`
    """

    model: Any = None
    queries: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    trace: Any = field(default=None, repr=False)
    verified: bool = False
    error: float = float("nan")
    stopped: str = ""

    @property
    def found(self) -> dict[str, str]:
        """The earlier name of `notes`."""
        return self.notes

    def book(self, other: Result) -> None:
        """Add the rows and the time that another attempt has spent, stage by stage."""
        for mine, theirs in ((self.queries, other.queries), (self.seconds, other.seconds)):
            for stage, spent in theirs.items():
                mine[stage] = mine.get(stage, 0) + spent  # type: ignore[assignment]

    @property
    def total(self) -> int:
        """Rows queried in all."""
        return sum(self.queries.values())

    @property
    def floor(self) -> float:
        """The floor F of the copy's shape; `total / floor` tells how thrifty the attack was.

        NaN while there is no model, as in the partial result of an attack that failed.
        """
        if self.model is None:
            return float("nan")
        dense = self.model.dense()
        return floor(sum(w.size for w, _ in dense), len(dense[-1][1]))

    @contextlib.contextmanager
    def stage(self, name: str, oracle: Oracle) -> Iterator[None]:
        """Book the rows and the time that the `with` block spends under `name`, however it ends."""
        if not hasattr(oracle, "count"):
            kind = type(oracle).__name__
            raise TypeError(f"expected an Oracle, got {kind}; wrap it: mt.Oracle(victim)")
        count, began = oracle.count, time.perf_counter()
        try:
            yield
        except BaseException as error:  # whatever ends the attack, its partial result is not lost
            self.stopped = name
            with contextlib.suppress(AttributeError):
                error.partial = self  # type: ignore[attr-defined]
            raise
        finally:
            self.queries[name] = self.queries.get(name, 0) + oracle.count - count
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began
