"""What an attack returns, and the book-keeping of what each of its stages cost."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
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
    """A copy, what it cost, and what every stage saw.

    model : the copy, a Network
    queries : {stage: rows asked}
    seconds : {stage: wall time}
    found : {stage: one line on what the stage found}
    trace : what the stages saw: the input of the plots and of the lessons
    verified : True when the copy answered like the victim on fresh random points, near and
        far: evidence, no proof: `compare.certificate` bounds the difference where both are known
    error : largest |Δ| on those points, in logits (for labels: a relative distance)
    stopped : the stage in which the attack was ended, if it was; the error that ended it, be it a
        spent budget, a broken victim or Ctrl-C, holds this result as `partial`
    """

    model: Any = None
    queries: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)
    trace: Any = field(default_factory=SimpleNamespace, repr=False)
    verified: bool = False
    error: float = float("nan")
    stopped: str = ""

    @property
    def total(self) -> int:
        """Rows asked in all."""
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
            raise TypeError(
                f"expected an Oracle, got {type(oracle).__name__}; wrap it: mt.Oracle(victim)"
            )
        asked, began = oracle.count, time.perf_counter()
        try:
            yield
        except BaseException as error:  # whatever ends the attack, what it has is not lost
            self.stopped = name
            with contextlib.suppress(AttributeError):
                error.partial = self  # type: ignore[attr-defined]
            raise
        finally:
            self.queries[name] = self.queries.get(name, 0) + oracle.count - asked
            took = time.perf_counter() - began
            self.seconds[name] = self.seconds.get(name, 0.0) + took
