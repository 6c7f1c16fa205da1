"""The result of an attack that learns: a `Result` with the curve on the way to its copy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mstheft.nn.network import Network
from mstheft.result import Result

Evaluate = Callable[[Network], "float | dict[str, float]"]


@dataclass
class Round:
    """The copy of one round.

    round : 0 for the copy that knows the first rows only
    queries : rows paid for by then, validation included
    epochs, kept : epochs trained, and the one with the copy's parameters, from 1
    loss : mean training loss of the last epoch, nats
    held_loss : cross-entropy on the held-out answers, nats, which chose the epoch; NaN without them
    validation : macro-F1 on the validation rows, 0 … 1; NaN without such rows
    agreement : share of the validation rows whose label the copy gives; NaN without such rows
    evaluated : the result of the caller's `evaluate(copy)`; a bare number is named 'agreement'
    """

    round: int
    queries: int
    epochs: int
    kept: int
    loss: float
    validation: float = math.nan
    agreement: float = math.nan
    held_loss: float = math.nan
    evaluated: dict[str, float] = field(default_factory=dict)


@dataclass
class LearnedResult(Result):
    """A learned copy and how it came about.

    curve : one `Round` per round
    chosen : rows bought for each round, in order of choice: of `active.extract` indices into the
        pool, chosen[0] being the first, random ones; of `jacobian.extract` into `trace.rows`

    `verified` stays False: a learned copy agrees and is never equal. The evidence is in
    `notes["verify"]`, on rows that the copy was not trained on.
    """

    curve: list[Round] = field(default_factory=list)
    chosen: list[np.ndarray] = field(default_factory=list)

    def of(self, name: str) -> np.ndarray:
        """One number per round, by the name of `Round`'s field or of what `evaluate` returned."""
        return np.array(
            [p.evaluated[name] if name in p.evaluated else getattr(p, name) for p in self.curve]
        )


def evaluation(evaluate: Evaluate | None, copy: Network) -> dict[str, float]:
    """The values of the caller's `evaluate` for a copy, by name."""
    values = evaluate(copy) if evaluate else {}
    named = values if isinstance(values, dict) else {"agreement": values}
    return {str(name): float(value) for name, value in named.items()}
