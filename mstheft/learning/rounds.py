"""The stages of a round: buy rows, train a copy on all that is labelled, choose the next rows.

Each reads the checkpoint first: a purchase or a copy of an earlier run is not made again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mstheft.errors import DataError
from mstheft.learning import defaults, strategies
from mstheft.learning.checkpoint import Checkpoint
from mstheft.learning.result import Evaluate, LearnedResult, Round, evaluation
from mstheft.learning.targets import macro_f1, targets
from mstheft.nn import augment
from mstheft.nn.fit import fit, minus_loss
from mstheft.nn.network import Network
from mstheft.typing import Array, Oracle

RESTLESS = 1.5  # nats: a run of format 1 restarts patience while the loss is above it
DRAW, CHOOSE, TRAIN = range(3)  # the purposes of random numbers
STAGES = {"validation": "validation", "00": "seed"}  # of these purchases; 'query' of all others


@dataclass
class Trace:
    """Rows as indices into the pool, in order of purchase, and the oracle's answers."""

    held: np.ndarray  # (m,) the validation rows
    rows: np.ndarray  # (n,) all others
    labels: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))  # (m,)
    answers: Array | None = None  # (n, K), or (n,) labels
    held_answers: Array | None = None  # (m, K), or (m,)


@dataclass
class Run:
    """What all stages of one run need: the arguments of `extract`, and the checkpoint.

    distinct : (m,) rising places of the pool, one for each content: no others are ever chosen
    candidates : (m, …) the rows there
    """

    oracle: Oracle
    pool: Array
    distinct: np.ndarray
    new_copy: Callable[[], Network]
    select: strategies.Select
    root: int
    training: dict[str, Any]
    augment: str
    warm: bool
    evaluate: Evaluate | None
    checkpoint: Checkpoint
    candidates: Array = field(init=False)

    def __post_init__(self) -> None:
        all_differ = len(self.distinct) == len(self.pool)
        self.candidates = self.pool if all_differ else self.pool[self.distinct]

    def generator(self, purpose: int, turn: int = 0) -> np.random.Generator:
        """A generator that depends on nothing but the seed, the purpose and the round."""
        return np.random.default_rng([self.root, purpose, turn])


def purchase(run: Run, result: LearnedResult, name: str, rows: np.ndarray) -> Array:
    """The oracle's answers to these rows of the pool, on disk before anything else is done.

    A purchase of an earlier run in the checkpoint is booked and not queried again.
    Returns (m, K) or (m,) answers. Costs m queries, or none.
    """
    if bought := run.checkpoint.bought(name):
        if not np.array_equal(bought[0], rows):
            wanted = f"the {len(rows)} rows that this run chose in bought-{name}.npz"
            raise DataError(f"expected {wanted}, got {len(bought[0])} others")
        stage = STAGES.get(name, "query")
        result.queries[stage] = result.queries.get(stage, 0) + len(rows)
        return bought[1]
    answers = run.oracle.query(run.pool[rows])
    try:
        run.checkpoint.save_bought(name, rows, answers)
    except KeyboardInterrupt:  # they are paid for: written all the same
        run.checkpoint.save_bought(name, rows, answers)
        raise
    return answers


def add_purchase(result: LearnedResult, rows: np.ndarray, answers: Array) -> None:
    """Add rows and their answers to the labelled ones."""
    trace = result.trace
    result.chosen.append(rows)
    trace.rows = np.concatenate([trace.rows, rows])
    trace.answers = answers if trace.answers is None else np.concatenate([trace.answers, answers])


def learn(run: Run, result: LearnedResult, turn: int) -> Network | None:
    """Train a fresh copy on all that is labelled, put it on the curve, and save it.

    The result's model is the copy of the last round so far, which knows the most.
    Returns the copy; None for one that the checkpoint dropped, since a later one exists.
    Raises KeyboardInterrupt when Ctrl-C ended the training: half a round is not on the curve.
    """
    copy: Network | None
    saved = run.checkpoint.trained(turn)
    if saved is None:
        copy = run.new_copy()
        point = _train(run, result, turn, copy)
        run.checkpoint.save_trained(copy, point)
    else:
        copy, point = run.checkpoint.copy(turn), saved
    result.curve.append(point)
    if copy is not None:
        result.model = copy
    result.notes["train"] = f"{turn + 1} copies, the last on {point.queries:,} queries"
    result.notes["verify"] = (
        f"not verified, as no learned copy is: it agrees on {point.agreement:.1%} of the "
        f"{len(result.trace.held):,} validation rows, which chose its epoch"
    )
    return copy


def _train(run: Run, result: LearnedResult, turn: int, copy: Network) -> Round:
    trace, output = result.trace, run.oracle.output
    held, soft = run.pool[trace.held], targets(trace.held_answers, output, copy.outputs)
    how: dict[str, Any] = {"score": minus_loss, "validation": (held, soft)}  # pick the epoch
    how |= {"cuts": defaults.CUTS, "least": defaults.LEAST}
    if run.checkpoint.format == 1:
        how = {"score": macro_f1, "validation": (held, trace.labels), "restless": RESTLESS}
    if run.warm and result.model is not None:
        before = result.model.parameters()
        for name, value in copy.parameters().items():
            value[...] = before[name]
    history = fit(
        copy,
        run.pool[trace.rows],
        targets(trace.answers, output, copy.outputs),
        **run.training,
        **how,
        augment=augment.named(run.augment, copy.shape),
        rng=run.generator(TRAIN, turn),
    )
    if history.interrupted:
        raise KeyboardInterrupt
    return Round(
        round=turn,
        queries=len(trace.held) + len(trace.rows),
        epochs=len(history.loss),
        kept=history.best + 1,
        loss=history.loss[-1],
        validation=macro_f1(copy, held, trace.labels),
        agreement=float((copy.labels(held) == trace.labels).mean()),
        held_loss=-minus_loss(copy, held, soft),
        evaluated=evaluation(run.evaluate, copy),
    )


def choose(run: Run, result: LearnedResult, copy: Network | None, k: int, turn: int) -> np.ndarray:
    """The k rows that the strategy buys for this round: neither labelled nor held out, nor of the
    content of one that is.

    k-center starts from all labelled rows, with the validation rows.
    """
    if bought := run.checkpoint.bought(f"{turn:02d}"):
        return bought[0]
    if copy is None:
        raise DataError(f"expected copy-{turn - 1:02d}.npz in the checkpoint, but it is gone")
    places = np.concatenate([result.trace.rows, result.trace.held])
    labelled = np.searchsorted(run.distinct, places)  # among the candidates
    rows = np.asarray(run.select(copy, labelled, run.candidates, k, run.generator(CHOOSE, turn)))
    fresh = np.setdiff1d(rows, labelled)
    if rows.shape != (k,) or len(fresh) != k:
        wanted = f"strategy= to choose {k} distinct rows that are not labelled"
        raise ValueError(f"expected {wanted}, got {len(fresh)} such among {rows.size}")
    return run.distinct[rows]
