"""ActiveThief: learn a copy from a pool of unrelated rows, asking those that teach the most.

        pool ---> choose k rows ---> oracle ---> train a fresh copy ---+
                      ^                                                |
                      +------------ look at the pool with it <---------+     N rounds

`steal` is the story: buy the validation rows, buy the first rows, then in each round train,
choose, buy; and train once more on all of it.
Source: Pal et al. 2020 (ActiveThief), arXiv 1905.09165.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from mstheft import progress
from mstheft.learning import fingerprints, strategies
from mstheft.learning.answers import labels_of, targets
from mstheft.learning.checkpoint import Checkpoint
from mstheft.learning.rounds import DRAW, Run, choose, enter, learn, purchase
from mstheft.learning.stolen import Evaluate, Stolen
from mstheft.nn.network import Network
from mstheft.typing import Array, Oracle, Rng

SEED, VALIDATION = 0.1, 0.2  # shares of the budget


def steal(
    oracle: Oracle,
    pool: Array,
    new_copy: Callable[[], Network],
    *,
    strategy: str | strategies.Select,
    budget: int,
    rounds: int,
    rng: Rng,
    checkpoint: str | os.PathLike[str] | None = None,
    about: Mapping[str, Any] | None = None,
    evaluate: Evaluate | None = None,
    epochs: int = 100,
    patience: int | None = 10,
    batch: int = 150,
    l2: float = 1e-3,
) -> Stolen:
    """Learn a copy of the oracle's model from `budget` rows of the pool, chosen in rounds.

        budget = validation (20 %) + first rows (10 %) + k_1 + … + k_N

    Every round trains a fresh copy on all that is labelled so far, N + 1 in all, with Adam. The
    epoch is kept whose macro-F1 on the validation rows is best; these are bought once and never
    trained on. The result's model is the copy with the best such F1, of equal ones the last.
    What the oracle tells is learned as it comes: soft labels from numbers, one-hot from labels.

    pool : (n, d) or (n, *shape), at least `budget` rows, given to oracle and copy as they are
    new_copy : builds an untrained Network with an output per class; with `checkpoint` it must build
        the same each time, so fix its rng
    strategy : one of `strategies.STRATEGIES`, or such a function
    rng : Generator or int seed; each round draws from a generator of its own
    checkpoint : folder in which everything is kept as soon as it is there. The same call goes on
        from it after any kind of end, to the same copy, and `queries` then counts the rows that
        were bought before too. A batch whose answer was under way when the process was
        killed never arrived, and is asked again
    about : JSON values that the checkpoint remembers and insists on, such as which victim it was
    evaluate : evaluate(copy) -> a number or a dict of them, for the curve; never used to choose
    epochs, patience, batch, l2 : of the training, see `nn.fit.fit`; patience starts anew while the
        mean loss is above 1.5 nats
    Returns `Stolen`; its trace holds `held` (the validation rows), `labels` (theirs), `rows` and
        `answers`, everything else in order of purchase.
    Costs `budget` queries exactly. Raises ValueError for arguments that cannot work and for the
    checkpoint of another run, before anything is asked; `ExtractionError` where the answers do not
    suit the copy, `BudgetExhausted`, `DataError` for a damaged checkpoint. The error, Ctrl-C too,
    holds the result so far as `partial`.
    Source: Pal et al. 2020, algorithm and section 'Experimental setup'; the authors' code.
    """
    select = strategies.named(strategy, budget)
    pool, copy = fingerprints.checked(oracle, pool, new_copy, budget)
    training = {"epochs": epochs, "patience": patience, "batch": batch, "l2": l2}
    fingerprints.check_training(training)
    sizes = shares(budget, rounds)
    root = int(np.random.default_rng(rng).integers(2**62))
    settings: dict[str, Any] = {}
    if checkpoint is not None:
        settings = {"strategy": fingerprints.name_of(strategy), "budget": int(budget)}
        settings |= {"rounds": int(rounds), "rng": root, "output": oracle.output, **training}
        settings |= {"pool": fingerprints.of_pool(pool), "decimals": oracle.decimals}
        settings |= {"about": dict(about or {})}
        settings |= {"new_copy": fingerprints.of_copies(copy, new_copy())}
    run = Run(
        oracle, pool, new_copy, select, root, training, evaluate, Checkpoint(checkpoint, settings)
    )
    result = Stolen()
    try:
        _story(run, result, sizes)
    except BaseException as error:  # whatever ends the attack, what it has is not lost
        with contextlib.suppress(AttributeError):
            error.partial = result  # type: ignore[attr-defined]
        raise
    finally:
        run.kept.close()
    return result


def shares(budget: int, rounds: int) -> tuple[int, int, list[int]]:
    """Rows for validation, for the first round, and for each of the N rounds: Σ = budget.

    20 % and 10 %, rounded; what is left is divided evenly, the first rounds taking one more where
    it does not go up.
    """
    if rounds < 1:
        raise ValueError(f"expected rounds= of at least 1, got {rounds}; raise it")
    held, first = round(VALIDATION * budget), round(SEED * budget)
    rest = budget - held - first
    if min(held, first) < 1 or rest < rounds:
        raise ValueError(
            f"expected budget= with a row at least for each of {rounds} rounds beside {held} for "
            f"validation and {first} to begin with, got {budget}; raise it or lower rounds="
        )
    return held, first, [rest // rounds + (i < rest % rounds) for i in range(rounds)]


def _story(run: Run, result: Stolen, sizes: tuple[int, int, list[int]]) -> None:
    held_size, first_size, later = sizes
    drawn = run.chance(DRAW).choice(len(run.pool), held_size + first_size, replace=False)
    held, first = drawn[:held_size], drawn[held_size:]
    trace = result.trace = SimpleNamespace(held=held, labels=None, rows=first[:0], answers=None)
    with progress.bar("rounds", len(later) + 1, "round") as bar:
        with result.stage("validation", run.oracle):
            _, answers = purchase(run, result, "validation", held)
            soft = targets(answers, run.oracle.output, run.new_copy().outputs)
            trace.labels = labels_of(soft)
        result.found["validation"] = f"{held_size:,} rows, which no copy is trained on"
        with result.stage("seed", run.oracle):
            enter(result, *purchase(run, result, "00", first))
        result.found["seed"] = f"{first_size:,} rows, drawn at random"
        for turn in range(len(later) + 1):
            with result.stage("train", run.oracle):
                copy = learn(run, result, turn)
            bar.update(1)
            if turn == len(later):
                break
            with result.stage("select", run.oracle):
                rows = choose(run, result, copy, later[turn], turn + 1)
            with result.stage("query", run.oracle):
                enter(result, *purchase(run, result, f"{turn + 1:02d}", rows))
            result.found["query"] = f"{len(trace.rows):,} labelled rows in {turn + 2} purchases"
