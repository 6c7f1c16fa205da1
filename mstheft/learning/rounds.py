"""The stages of a round: buy rows, train a copy on all that is labelled, choose the next rows.

Each asks the checkpoint first. What is there was paid for or trained before, and is not done again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mstheft.errors import DataError
from mstheft.learning import strategies
from mstheft.learning.answers import macro_f1, targets
from mstheft.learning.checkpoint import Checkpoint
from mstheft.learning.stolen import Evaluate, Point, Stolen, evaluated
from mstheft.nn.fit import fit
from mstheft.nn.network import Network
from mstheft.typing import Array, Oracle

RESTLESS = 1.5  # nats: while the loss is above it, patience starts anew
DRAW, CHOOSE, TRAIN = range(3)  # what a round needs chance for


@dataclass
class Run:
    """What all stages of one run need: the arguments of `steal`, and the checkpoint."""

    oracle: Oracle
    pool: Array
    new_copy: Callable[[], Network]
    select: strategies.Select
    root: int
    training: dict[str, Any]
    evaluate: Evaluate | None
    kept: Checkpoint

    def chance(self, what: int, turn: int = 0) -> np.random.Generator:
        """A generator that depends on nothing but the seed, the purpose and the round."""
        return np.random.default_rng([self.root, what, turn])


def purchase(run: Run, result: Stolen, name: str, rows: np.ndarray) -> tuple[np.ndarray, Array]:
    """The oracle's answers to these rows of the pool, kept before anything else is done.

    What the checkpoint has under this name was paid for in an earlier run: it is booked, not asked.
    Returns (m,) rows and (m, K) or (m,) answers. Costs m queries, or none.
    """
    found = run.kept.bought(name)
    if found is not None:
        if not np.array_equal(found[0], rows):
            raise DataError(
                f"expected bought-{name}.npz to hold the {len(rows)} rows that this run chose, got "
                f"{len(found[0])} others; name an empty folder"
            )
        stage = {"validation": "validation", "00": "seed"}.get(name, "query")
        result.queries[stage] = result.queries.get(stage, 0) + len(rows)
        return found
    answers = run.oracle.query(run.pool[rows])
    try:
        run.kept.keep_bought(name, rows, answers)
    except KeyboardInterrupt:  # they are paid for: written all the same
        run.kept.keep_bought(name, rows, answers)
        raise
    return rows, answers


def enter(result: Stolen, rows: np.ndarray, answers: Array) -> None:
    """Add a purchase to what is labelled."""
    trace = result.trace
    result.chosen.append(rows)
    trace.rows = np.concatenate([trace.rows, rows])
    trace.answers = answers if trace.answers is None else np.concatenate([trace.answers, answers])


def learn(run: Run, result: Stolen, turn: int) -> Network | None:
    """Train a fresh copy on all that is labelled, put it on the curve, and keep it.

    Returns the copy; None for one that the checkpoint dropped, since better and later ones exist.
    Raises KeyboardInterrupt when Ctrl-C ended the training: half a round is not on the curve.
    """
    known = run.kept.trained(turn)
    if known is None:
        fresh = run.new_copy()
        result.curve.append(_train(run, result, turn, fresh))
    else:
        result.curve.append(known)
    best = max(result.curve, key=lambda p: (p.validation, p.round))
    if known is None:
        run.kept.keep_trained(fresh, result.curve[-1], best.round)
    copy = fresh if known is None else run.kept.copy(turn)
    if best.round == turn and copy is not None:
        result.model = copy
    result.found["train"] = (
        f"{turn + 1} copies; the best by macro-F1 on the validation rows is of round {best.round}: "
        f"{best.validation:.3f}"
    )
    result.found["verify"] = (
        f"not verified, as no learned copy is: it agrees on {best.agreement:.1%} of the "
        f"{len(result.trace.held):,} validation rows, which chose round and epoch"
    )
    return copy


def _train(run: Run, result: Stolen, turn: int, copy: Network) -> Point:
    trace = result.trace
    held = run.pool[trace.held], trace.labels
    history = fit(
        copy,
        run.pool[trace.rows],
        targets(trace.answers, run.oracle.output, copy.outputs),
        **run.training,
        validation=held,
        score=macro_f1,
        restless=RESTLESS,
        rng=run.chance(TRAIN, turn),
    )
    if history.interrupted:
        raise KeyboardInterrupt
    return Point(
        round=turn,
        queries=len(trace.held) + len(trace.rows),
        epochs=len(history.loss),
        kept=history.best + 1,
        loss=history.loss[-1],
        validation=history.validation[history.best],
        agreement=float((copy.labels(held[0]) == held[1]).mean()),
        evaluated=evaluated(run.evaluate, copy),
    )


def choose(run: Run, result: Stolen, copy: Network | None, k: int, turn: int) -> np.ndarray:
    """The k rows to buy for this round, as the strategy says: neither labelled nor held out.

    k-center starts from all rows with a known label, the validation rows among them.
    """
    found = run.kept.bought(f"{turn:02d}")
    if found is not None:
        return found[0]
    if copy is None:
        raise DataError(
            f"expected copy-{turn - 1:02d}.npz in the checkpoint, since round {turn} begins with "
            "it, but it is gone; bring it back or name an empty folder"
        )
    known = np.concatenate([result.trace.rows, result.trace.held])
    rows = np.asarray(run.select(copy, known, run.pool, k, run.chance(CHOOSE, turn)), np.int64)
    if rows.shape != (k,) or len(np.setdiff1d(rows, known)) != k:
        raise ValueError(
            f"expected strategy= to choose {k} distinct rows that are not labelled, got "
            f"{len(np.setdiff1d(rows, known))} such among {rows.size}; correct it"
        )
    return rows
