"""One theft by a learned copy, from its settings: victim, pool, attack, and how it is judged.

    settings = Settings(data="mnist", strategy="k-center", budget=2000)

A `cell` of a grid is `asdict(settings)`. The grid computes many, `mstheft steal active` one.
"""

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mstheft import adversarial
from mstheft.data import pools, synthetic, text
from mstheft.defend.prada import Detector
from mstheft.experiments import tasks
from mstheft.experiments.grid import Cell
from mstheft.experiments.settings import setting
from mstheft.learning import active, defaults, jacobian, strategies
from mstheft.learning.result import LearnedResult
from mstheft.nn import Network, augment
from mstheft.nn.fit import accuracy
from mstheft.oracle import Oracle
from mstheft.oracle.oracle import OUTPUTS
from mstheft.typing import Array

Judge = Callable[[Network], dict[str, float]]
SHARES = 0.7, 0.85  # of the test part: what judges ends, what is attacked ends, the rest seeds


@dataclass(frozen=True)
class VictimSettings:
    """What is stolen from."""

    data: str = setting("glyphs", choices=tuple(tasks.TASKS))
    victim: str = setting("usual", check=lambda name: name == "usual" or tasks.architecture(name))
    victim_epochs: int = setting(5, low=1)  # 'usual' victims of real data have their own


@dataclass(frozen=True)
class CopySettings:
    """How a copy is learned."""

    copy: str = setting("small", check=tasks.architecture)
    pool: str = "letters"  # as in data.pools; for texts wikitext-2, topics, spam; or programs
    pool_size: int = setting(5000, low=1)
    budget: int = setting(defaults.BUDGET, low=1)
    rounds: int = setting(defaults.ROUNDS, low=1)
    epochs: int = setting(defaults.EPOCHS, low=1)
    patience: int = setting(defaults.PATIENCE, low=1)
    batch: int = setting(defaults.BATCH, low=1)
    augment: str = setting(defaults.AUGMENT, choices=tuple(augment.KINDS))
    warm: bool = defaults.WARM  # each round goes on from the copy of the round before
    candidates: int = setting(2000, low=0)  # rows of least margin that DFAL searches; 0 for all
    test: int = setting(2000, low=1)  # test rows on which copy and victim are compared


@dataclass(frozen=True)
class Settings(VictimSettings, CopySettings):
    """One theft. Three strategies are not of `learning.strategies`: noise queries random rows of
    noise, jbda is Jacobian augmentation, and traffic is the queries of ordinary users."""

    strategy: str = setting(
        defaults.STRATEGY, choices=(*strategies.STRATEGIES, "noise", "jbda", "traffic")
    )
    output: str = setting("probs", choices=OUTPUTS)
    transfer: bool = False  # also: how many adversarial examples of the copy fool the victim
    delta: float = setting(0.9, check=Detector)
    seed: int = setting(0, low=0)


def run_cell(cell: Cell, scratch: Path) -> dict[str, Any]:
    """One cell: {'curve': [{round, queries, agreement, accuracy, …}], 'agreement': …, 'prada': …}.

    scratch : a folder beside which `victims/` lies; the attack keeps its checkpoint in it
    """
    settings = Settings(**cell)
    task, network = victim_of(settings, scratch.parent / "victims")
    values: dict[str, Any] = {"victim": accuracy(network, task.x_test, task.y_test)}
    if settings.strategy == "traffic":
        order = np.random.default_rng(settings.seed).permutation(len(task.x_test))
        rows = task.x_test[order[: settings.budget]]  # (queries, …)
    else:
        pool = thief_pool(settings, task)
        judge = judge_of(task, network, settings.test)
        oracle = Oracle(network, settings.output)
        about = victim_checksum(network)
        result = extract(settings, oracle, task, pool, judge, checkpoint=scratch, about=about)
        rows = rows_queried(result, pool)
        values |= judge(result.model)
        values["curve"] = [
            {"round": p.round, "queries": p.queries, "validation": _finite(p.validation)}
            | {name: _finite(value) for name, value in p.evaluated.items()}
            for p in result.curve
        ]
        if settings.transfer:
            values["transfer"] = _transfer(network, result.model, task)
    return values | {"queries": len(rows), "prada": _prada(rows, network, settings.delta)}


def victim_of(settings: VictimSettings, folder: Path | None = None) -> tuple[tasks.Task, Network]:
    """Task and trained victim of some settings; from the folder if it holds the victim."""
    task, epochs = tasks.cached(settings.data), settings.victim_epochs
    return task, tasks.victim(settings.victim, task, epochs=epochs, folder=folder)


def extract(
    settings: Settings,
    oracle: Oracle,
    task: tasks.Task,
    pool: Array,
    judge: Judge,
    *,
    checkpoint: Path | None = None,
    about: dict[str, Any] | None = None,
) -> LearnedResult:
    """The attack that the settings name, against any oracle of the task's shape.

    about : JSON values that identify the victim in a checkpoint
    """

    def new_copy() -> Network:
        return tasks.build(settings.copy, task, rng=[settings.seed, 1])

    rng = np.random.default_rng([settings.seed, 2])
    names = ("budget", "rounds", "epochs", "patience", "batch", "augment")
    common: dict[str, Any] = {name: getattr(settings, name) for name in names} | {"evaluate": judge}
    if settings.strategy == "jbda":
        start = seed_rows(task, settings.budget, settings.rounds, rng)
        common |= {"bounds": (0.0, 1.0)}
        return jacobian.extract(oracle, start, new_copy, rng=rng, **common)
    strategy: str | strategies.Select = settings.strategy
    if strategy == "noise":
        strategy = "random"
    elif settings.strategy.startswith("dfal") and settings.candidates:
        strategy = strategies.shortlisted(settings.strategy, settings.candidates)
    common |= {"rng": int(rng.integers(2**32)), "warm": settings.warm}
    common |= {"checkpoint": checkpoint, "about": about}
    return active.extract(oracle, pool, new_copy, strategy=strategy, **common)


def rows_queried(result: LearnedResult, pool: Array) -> Array:
    """Every row that the victim answered, in order of purchase: (queries, d)."""
    trace = result.trace
    if isinstance(trace, active.Trace):
        return pool[np.concatenate([trace.held, trace.rows])]
    return trace.rows if isinstance(trace, jacobian.Trace) else pool[:0]


def exchange(result: LearnedResult, pool: Array) -> tuple[Array, Array]:
    """The rows that were answered, in order of purchase, and their answers: (n, d), (n, K)."""
    trace = result.trace
    if isinstance(trace, active.Trace):
        bought = [(pool[trace.held], trace.held_answers), (pool[trace.rows], trace.answers)]
    else:
        bought = [(trace.rows, trace.answers)] if isinstance(trace, jacobian.Trace) else []
    paid = [(rows, answers) for rows, answers in bought if answers is not None]
    if not paid:
        return pool[:0], np.zeros((0, 1))
    rows, answers = zip(*paid, strict=True)
    return np.concatenate(rows), np.concatenate(answers)


# ---- pools


def thief_pool(settings: Settings, task: tasks.Task) -> np.ndarray:
    """The attacker's pool, (n, d) as the victim takes it; texts in the victim's vocabulary."""
    seed, size, noise = settings.seed, settings.pool_size, settings.strategy == "noise"
    if task.vocabulary is None:
        return numeric_pool("noise" if noise else settings.pool, task.shape, size, seed)
    rng = np.random.default_rng([seed, 3])
    if noise:
        return jacobian.noise_pool(task.shape, size, rng, words=len(task.vocabulary))
    if settings.pool in ("topics", "spam"):
        sentences = synthetic.texts(size, task=settings.pool, rng=rng)[0]
    elif settings.pool == "wikitext-2":
        sentences = text.wikitext2(n_words=task.shape[0])
    else:
        raise ValueError(f"expected pool as topics, spam or wikitext-2, got {settings.pool!r}")
    chosen = rng.permutation(len(sentences))[:size]
    return task.vocabulary.encode([sentences[i] for i in chosen], task.shape[0])


def numeric_pool(name: str, shape: tuple[int, ...], size: int, seed: int) -> np.ndarray:
    """A pool for victims that take numbers, (size, d): images by `data.pools`, or programs."""
    rng = np.random.default_rng([seed, 3])
    if name == "programs":
        return synthetic.programs(size, rng=rng)[0]
    return pools.pool(name, shape, size, rng).reshape(size, -1)


def seed_rows(task: tasks.Task, budget: int, rounds: int, rng: np.random.Generator) -> np.ndarray:
    """The victim's own kind of rows, budget / 2^rounds of them, the same number of each class.

    Papernot's thief has a handful of the victim's kind of input. (n, d)
    """
    spare = rng.permutation(split_test(task)[2])
    n = budget // 2**rounds
    if n < task.classes:
        least = f"{task.classes * 2**rounds} for {rounds} rounds and {task.classes} classes"
        raise ValueError(f"expected budget= of at least {least}, got {budget}; raise it")
    turns = np.empty(len(spare), np.int64)  # 0 for the first row of each class, 1 for the second
    for label in np.unique(task.y_test[spare]):
        same = np.flatnonzero(task.y_test[spare] == label)
        turns[same] = np.arange(len(same))
    chosen = spare[np.argsort(turns, kind="stable")[:n]]
    return task.x_test[chosen].reshape(len(chosen), -1)


def victim_checksum(network: Network) -> dict[str, Any]:
    """A check sum of a victim's parameters: a checkpoint refuses that of another victim."""
    sums = [zlib.crc32(value.tobytes()) for value in network.parameters().values()]
    return {"victim": zlib.crc32(np.array(sums, np.uint32).tobytes())}


# ---- judging


def split_test(task: tasks.Task) -> list[np.ndarray]:
    """Disjoint rows of the test part: to judge by, to attack, and to seed. (k,) indices each.

    In a fixed random order, since the files of some sets are sorted by class.
    """
    order = np.random.default_rng(0).permutation(len(task.x_test))
    return np.split(order, [int(share * len(order)) for share in SHARES])


def judge_of(task: tasks.Task, network: Network | None, most: int) -> Judge:
    """A function copy -> its agreement with the victim and its accuracy, on at most `most` rows.

    network : the victim; None for one behind a service, which leaves the accuracy alone
    """
    rows = split_test(task)[0][:most]
    x, y = task.x_test[rows], task.y_test[rows]
    victim_labels = None if network is None else network.labels(x)

    def judge(copy: Network) -> dict[str, float]:
        labels = copy.labels(x)
        right = {"accuracy": float((labels == y).mean())}
        if victim_labels is None:
            return right
        return {"agreement": float((labels == victim_labels).mean()), **right}

    return judge


def _transfer(network: Network, copy: Network, task: tasks.Task) -> dict[str, Any]:
    """Shares of fooled rows by PGD, on the rows of `split_test` to attack."""
    rows = split_test(task)[1][:500]
    x, y = task.x_test[rows], task.y_test[rows]
    shares = adversarial.transferability(
        network, copy, x, y, lambda f, x, y: adversarial.pgd(f, x, y, 0.1, rng=0), rng=0
    )
    return {name: getattr(shares, name) for name in ("copied", "white_box", "noise", "size")}


def _prada(rows: np.ndarray, network: Network, delta: float) -> dict[str, Any]:
    """PRADA's view of the queries: the last W, the lowest, the alarm, and W at every check."""
    detector = Detector(delta)
    detector.observe(rows.reshape(len(rows), -1), network.labels(rows))
    w = np.asarray(detector.history.w, float)
    finite = w[np.isfinite(w)]
    return {
        "w": _finite(finite[-1]) if len(finite) else None,
        "lowest": _finite(finite.min()) if len(finite) else None,
        "alarm": detector.first_alarm,
        "queries": [int(n) for n in detector.history.queries],
        "history": [_finite(value) for value in w],
        "distances": [round(float(d), 5) for d in detector.tested()],
    }


def _finite(value: float) -> float | None:
    """A number for JSON, which has no NaN."""
    return float(value) if math.isfinite(value) else None
