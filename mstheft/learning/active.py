"""ActiveThief: learn a copy from a pool of unrelated rows, asking those that teach the most.

        pool ---> choose k rows ---> oracle ---> train a fresh copy ---+
                      ^                                                |
                      +------------- judge the pool by it <------------+     N rounds

`extract` is the story: buy the validation rows, buy the first rows, then in each round train,
choose, buy; and train once more on all of it.
Source: Pal et al. 2020 (ActiveThief), arXiv 1905.09165.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping

import numpy as np

from mstheft import progress
from mstheft.learning import arguments, defaults, strategies
from mstheft.learning.checkpoint import Checkpoint, settings_of
from mstheft.learning.distinct import first_places
from mstheft.learning.result import Evaluate, LearnedResult
from mstheft.learning.rounds import DRAW, Run, Trace, add_purchase, choose, learn, purchase
from mstheft.learning.targets import labels_of, targets
from mstheft.nn import augment as images
from mstheft.nn.network import Network
from mstheft.typing import Array, Oracle, Rng

SEED, VALIDATION = 0.1, 0.2  # shares of the budget


def extract(
    oracle: Oracle,
    pool: Array,
    new_copy: Callable[[], Network],
    *,
    strategy: str | strategies.Select = defaults.STRATEGY,
    budget: int = defaults.BUDGET,
    rounds: int = defaults.ROUNDS,
    rng: Rng = None,
    checkpoint: str | os.PathLike[str] | None = None,
    about: Mapping[str, object] | None = None,
    evaluate: Evaluate | None = None,
    epochs: int = defaults.EPOCHS,
    patience: int | None = defaults.PATIENCE,
    batch: int = defaults.BATCH,
    l2: float = 1e-3,
    augment: str = defaults.AUGMENT,
    warm: bool = defaults.WARM,
) -> LearnedResult:
    """Learn a copy of the oracle's model from `budget` rows of the pool, chosen in rounds.

        budget = validation (20 %) + first rows (10 %) + k_1 + … + k_N

    Every round trains a fresh copy on all that is labelled so far, N + 1 in all, with Adam, until
    it has learned: where the loss on the validation answers has not fallen for `patience` epochs
    and 300 steps, the learning rate falls to a fifth, and the second time training ends. The epoch
    of the lowest such loss counts. The validation rows are bought once and never trained on. The
    result's model is the copy of the last round, which knows every answer.
    Answers are learned as they come: soft labels from numbers, one-hot from labels.

    pool : (n, d) or (n, *shape), at least `budget` distinct rows, given to oracle and copy as they
        are. Of rows of equal content only the first is ever chosen
    new_copy : builds an untrained Network with an output per class; with `checkpoint` it must build
        the same each time, so fix its rng
    strategy : one of `strategies.STRATEGIES`, or such a function
    rng : Generator or int seed, which a checkpoint needs; each round draws from one of its own
    checkpoint : folder that receives everything at once. The same call goes on from it after any
        kind of end, to the same copy, and `queries` then includes the rows bought before. A batch
        without its answers when the process was killed is queried again
    about : JSON values that the checkpoint stores and insists on, such as the victim's name
    evaluate : evaluate(copy) -> a number or a dict of them, for the curve; never used to choose
    epochs, patience, batch, l2 : of the training, see `nn.fit.fit`; epochs at most
    augment : a name of `nn.augment.KINDS`: images are moved or mirrored at every step
    warm : each round goes on from the copy of the round before, in place of a fresh one
    Returns `LearnedResult`; its trace is a `Trace`.
    Costs `budget` queries exactly. Raises ValueError for arguments that cannot work and for the
    checkpoint of another run, before any query; `ExtractionError` where the answers do not
    suit the copy, `BudgetExhausted`, `DataError` for a damaged checkpoint. The error, Ctrl-C too,
    holds the result so far as `partial`.
    Source: Pal et al. 2020, algorithm and section 'Experimental setup'; the authors' code.
    """
    select = strategies.named(strategy, budget)
    pool, copy = np.asarray(pool), new_copy()
    distinct = first_places(pool)
    arguments.check(oracle, distinct, copy, budget, epochs, batch)
    sizes = shares(budget, rounds)
    training: dict[str, float | None] = {"epochs": epochs, "patience": patience}
    training |= {"batch": batch, "l2": l2}
    images.named(augment, copy.shape)  # a wrong word is refused before any query
    root = int(np.random.default_rng(rng).integers(2**62))
    settings: dict[str, object] = {}
    if checkpoint is not None:
        settings = {"budget": int(budget), "rounds": int(rounds), "rng": root, **training}
        settings |= {"augment": augment, "warm": warm}
        settings |= {"about": dict(about or {})}
        settings |= settings_of(oracle, pool, strategy, copy, new_copy())
    with contextlib.closing(Checkpoint(checkpoint, settings)) as folder:
        how = training, augment, warm, evaluate
        run = Run(oracle, pool, distinct, new_copy, select, root, *how, folder)
        return _story(run, *sizes)


steal = extract


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
        shares = f"{rounds} rounds, {held} validation rows and {first} at the start"
        raise ValueError(f"expected budget= for {shares}, got {budget}; raise it")
    return held, first, [rest // rounds + (i < rest % rounds) for i in range(rounds)]


def _story(run: Run, held_size: int, first_size: int, later: list[int]) -> LearnedResult:
    count = held_size + first_size
    drawn = run.distinct[run.generator(DRAW).choice(len(run.distinct), count, replace=False)]
    held, first = drawn[:held_size], drawn[held_size:]
    trace, oracle = Trace(held=held, rows=first[:0]), run.oracle
    result = LearnedResult(trace=trace)
    with progress.bar("rounds", len(later) + 1, "round") as bar:
        with result.stage("validation", oracle):
            answers = purchase(run, result, "validation", held)
            trace.held_answers = answers
            trace.labels = labels_of(targets(answers, oracle.output, run.new_copy().outputs))
        result.notes["validation"] = f"{held_size:,} rows, which no copy is trained on"
        with result.stage("seed", oracle):
            add_purchase(result, first, purchase(run, result, "00", first))
        result.notes["seed"] = f"{first_size:,} rows, drawn at random"
        for turn, k in enumerate(later, start=1):
            with result.stage("train", oracle):
                copy = learn(run, result, turn - 1)
            bar.update(1)
            with result.stage("select", oracle):
                rows = choose(run, result, copy, k, turn)
            with result.stage("query", oracle):
                add_purchase(result, rows, purchase(run, result, f"{turn:02d}", rows))
            result.notes["query"] = f"{len(trace.rows):,} labelled rows in {turn + 1} purchases"
        with result.stage("train", oracle):
            learn(run, result, len(later))
        bar.update(1)
    return result
