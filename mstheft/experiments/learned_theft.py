"""One theft by a learned copy, from its settings: victim, pool, attack, and how it is judged.

    cell = SETTINGS | {"data": "mnist", "strategy": "k-center", "budget": 2000}

A `cell` is a dictionary of the settings below. The grid computes many of them, `mstheft steal
active` one.
"""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mstheft import adversarial
from mstheft.data import pools, synthetic, text
from mstheft.defend.prada import Detector
from mstheft.experiments import tasks as victims
from mstheft.learning import active, jacobian, strategies
from mstheft.learning.stolen import Stolen
from mstheft.nn import Network
from mstheft.nn.fit import accuracy
from mstheft.oracle import Oracle
from mstheft.typing import Rng

Cell = dict[str, Any]
SETTINGS: Cell = {
    "data": "glyphs",  # one of victims.TASKS
    "victim": "usual",  # as in victims.USUAL; or tiny, small, mlp, cnn-1 … cnn-4, text-cnn, …
    "victim_epochs": 5,  # for those others
    "copy": "small",
    "pool": "letters",  # as in data.pools; for texts wikitext-2, topics, spam; or programs
    "pool_size": 5000,
    "strategy": "random",  # one of learning.strategies, or noise, jbda, traffic
    "budget": 500,
    "rounds": 5,
    "output": "probs",
    "epochs": 30,
    "patience": 5,
    "batch": 50,
    "candidates": 2000,  # rows that DFAL looks at in a round, those of least margin; 0 for all
    "test": 2000,  # test rows on which copy and victim are compared
    "transfer": False,  # also: how many adversarial examples of the copy fool the victim
    "delta": 0.9,  # PRADA's threshold
    "seed": 0,
}
OTHERS = ("noise", "jbda", "traffic")  # what may be asked beside the strategies
LAM = 0.1  # of Jacobian augmentation
SHARES = 0.7, 0.85  # of the test part: what judges ends, what is attacked ends, the rest seeds


def steal(cell: Cell, scratch: Path) -> dict[str, Any]:
    """One cell: {'curve': [{round, queries, agreement, accuracy, …}], 'agreement': …, 'prada': …}.

    scratch : a folder beside which `victims/` lies; the attack keeps its checkpoint in it
    """
    task, network = victim(cell, scratch.parent / "victims")
    values: dict[str, Any] = {"victim": accuracy(network, task.x_test, task.y_test)}
    if cell["strategy"] == "traffic":
        order = np.random.default_rng(cell["seed"]).permutation(len(task.x_test))
        asked = task.x_test[order[: cell["budget"]]]
    else:
        pool = thief_rows(cell, task)
        judge = judged_by(task, network, cell["test"])
        oracle = Oracle(network, cell["output"])
        result = attack(cell, oracle, task, pool, judge, scratch, about=mark(network))
        asked = asked_rows(result, pool)
        values |= judge(result.model)
        values["curve"] = [
            {"round": p.round, "queries": p.queries, "validation": _number(p.validation)}
            | {name: _number(value) for name, value in p.evaluated.items()}
            for p in result.curve
        ]
        if cell["transfer"]:
            values["transfer"] = _transfer(network, result.model, task)
    return values | {"queries": len(asked), "prada": _seen(asked, network, cell["delta"])}


def attack(
    cell: Cell,
    oracle: Oracle,
    task: victims.Task,
    pool: np.ndarray,
    judge: Callable[[Network], dict[str, float]],
    checkpoint: Path | None,
    about: dict[str, Any],
) -> Stolen:
    """The attack that a cell names, as it would run against any oracle of that task's shape.

    about : what tells this victim from another in a checkpoint
    """

    def new_copy() -> Network:
        return architecture(cell["copy"], task, [cell["seed"], 1])

    training = {name: cell[name] for name in ("epochs", "batch")}
    rng = np.random.default_rng([cell["seed"], 2])
    if cell["strategy"] == "jbda":
        options = {"rounds": cell["rounds"], "lam": LAM, "bounds": (0.0, 1.0)}
        limits = {"budget": cell["budget"], "evaluate": judge}
        start = few_of_each(task, cell["budget"], cell["rounds"], rng)
        return jacobian.augment(oracle, start, new_copy, rng=rng, **options, **limits, **training)
    name = "random" if cell["strategy"] == "noise" else cell["strategy"]
    dear = name.startswith("dfal") and cell["candidates"]
    return active.steal(
        oracle,
        pool,
        new_copy,
        strategy=strategies.shortlisted(name, cell["candidates"]) if dear else name,
        budget=cell["budget"],
        rounds=cell["rounds"],
        rng=int(rng.integers(2**32)),
        checkpoint=checkpoint,
        about=about,
        evaluate=judge,
        patience=cell["patience"],
        **training,
    )


def asked_rows(result: Stolen, pool: np.ndarray) -> np.ndarray:
    """Everything the victim was asked, in order of purchase: (queries, d)."""
    trace = result.trace
    if hasattr(trace, "held"):
        return pool[np.concatenate([trace.held, trace.rows])]
    return np.asarray(getattr(trace, "rows", pool[:0]))


# ---- victims and pools


def usual(task: victims.Task) -> dict[str, str]:
    """A small copy and a pool made on the spot that suit a task."""
    if task.vocabulary is not None:
        return {"copy": "text-cnn", "pool": "topics"}
    images = len(task.shape) == 3
    return {"copy": "small", "pool": "letters"} if images else {"copy": "mlp", "pool": "programs"}


def thief_rows(cell: Cell, task: victims.Task) -> np.ndarray:
    """The attacker's pool, (n, d) as the victim sees it; texts in the words that it knows."""
    rng, noise = np.random.default_rng([cell["seed"], 3]), cell["strategy"] == "noise"
    if task.vocabulary is None:
        name = "noise" if noise else cell["pool"]
        return number_rows(name, task.shape, cell["pool_size"], cell["seed"])
    if noise:
        words = len(task.vocabulary)
        return jacobian.noise_pool(task.shape, cell["pool_size"], rng, words=words)
    if cell["pool"] in ("topics", "spam"):
        sentences = synthetic.texts(cell["pool_size"], task=cell["pool"], rng=rng)[0]
    elif cell["pool"] == "wikitext-2":
        sentences = text.wikitext2(n_words=task.shape[0])
    else:
        raise ValueError(
            f"expected pool as topics, spam or wikitext-2 for texts, got {cell['pool']!r}; pick one"
        )
    chosen = rng.permutation(len(sentences))[: cell["pool_size"]]
    return task.vocabulary.encode([sentences[i] for i in chosen], task.shape[0])


def number_rows(name: str, shape: tuple[int, ...], size: int, seed: int) -> np.ndarray:
    """A pool for victims that read no words, (size, d): images by `data.pools`, or programs."""
    rng = np.random.default_rng([seed, 3])
    if name == "programs":
        return synthetic.programs(size, rng=rng)[0]
    return pools.pool(name, shape, size, rng).reshape(size, -1)


load = functools.cache(victims.load)


def victim(cell: Cell, folder: Path) -> tuple[victims.Task, Network]:
    """Task and trained victim of a cell; from the folder where it is there, kept there if not."""
    task, path = load(cell["data"]), folder / f"{victim_name(cell)}.npz"
    if path.exists():
        return task, Network.load(path)
    network = trained(cell, task, rng=0)
    folder.mkdir(parents=True, exist_ok=True)
    network.save(path)
    return task, network


def victim_name(cell: Cell) -> str:
    """A file name for the victim of a cell: cells of one victim share it."""
    usual = cell["victim"] == "usual" and cell["data"] in victims.USUAL
    epochs = "" if usual else f"-{cell['victim_epochs']}"
    return f"{cell['data']}-{cell['victim']}{epochs}"


def trained(cell: Cell, task: victims.Task, *, rng: Rng) -> Network:
    """A victim as the cell wants it; for a task without a usual one the small of its kind.

    Ctrl-C ends it with KeyboardInterrupt: a half-trained victim would serve all later cells.
    """
    if cell["victim"] == "usual" and cell["data"] in victims.USUAL:
        kind, options, how = victims.USUAL[cell["data"]]
        network = victims.build(kind, task, **options, rng=rng)
    else:
        small = usual(task)["copy"]
        network = architecture(small if cell["victim"] == "usual" else cell["victim"], task, rng)
        how = {"epochs": cell["victim_epochs"]}
    if victims.train(network, task, **how, rng=rng).interrupted:
        raise KeyboardInterrupt("during the training of the victim, before any query")
    return network


def architecture(name: str, task: victims.Task, rng: Rng) -> Network:
    """An untrained network by its word: small, cnn-2 (two blocks), mlp-32 (neurons), text-cnn, …"""
    kind, _, size = name.partition("-")
    if kind == "cnn" and size in ("1", "2", "3", "4"):
        return victims.build("cnn", task, blocks=int(size), rng=rng)
    if kind == "mlp" and size.isascii() and size.isdigit() and 0 < len(size) < 6:
        return victims.build("mlp", task, hidden=int(size), rng=rng)
    return victims.build(name, task, rng=rng)


def mark(network: Network) -> dict[str, Any]:
    """A check sum of a victim's parameters: a checkpoint of another is refused."""
    sums = [zlib.crc32(value.tobytes()) for value in network.parameters().values()]
    return {"victim": zlib.crc32(np.array(sums, np.uint32).tobytes())}


# ---- judging


def split_test(task: victims.Task) -> list[np.ndarray]:
    """Rows of the test part that judge, that are attacked, and that seed: never the same ones.

    In a fixed random order, since the files of some sets are sorted by class.
    """
    order = np.random.default_rng(0).permutation(len(task.x_test))
    return np.split(order, [int(share * len(order)) for share in SHARES])


def judged_by(
    task: victims.Task, network: Network | None, most: int
) -> Callable[[Network], dict[str, float]]:
    """A function copy -> its agreement with the victim and its accuracy, on at most `most` rows.

    network : the victim; without it (it is behind a service) the accuracy alone
    """
    rows = split_test(task)[0][:most]
    x, y = task.x_test[rows], task.y_test[rows]
    told = None if network is None else network.labels(x)

    def judge(copy: Network) -> dict[str, float]:
        labels = copy.labels(x)
        right = {"accuracy": float((labels == y).mean())}
        if told is None:
            return right
        return {"agreement": float((labels == told).mean()), **right}

    return judge


def few_of_each(
    task: victims.Task, budget: int, rounds: int, rng: np.random.Generator
) -> np.ndarray:
    """The victim's own kind of rows, budget / 2^rounds of them, the same number of each class.

    Papernot's thief has a handful of the victim's kind of input. (n, d)
    """
    mine = rng.permutation(split_test(task)[2])
    n = budget // 2**rounds
    if not task.classes <= n:
        raise ValueError(
            f"expected budget= of at least {task.classes * 2**rounds} for {rounds} rounds of "
            f"doubling from a row of each of {task.classes} classes, got {budget}; raise it or "
            "lower rounds="
        )
    turns = np.empty(len(mine), np.int64)
    for label in np.unique(task.y_test[mine]):
        same = np.flatnonzero(task.y_test[mine] == label)
        turns[same] = np.arange(len(same))
    chosen = mine[np.argsort(turns, kind="stable")[:n]]
    return task.x_test[chosen].reshape(len(chosen), -1)


def _transfer(network: Network, copy: Network, task: victims.Task) -> dict[str, Any]:
    """By PGD, on rows that judge nothing else."""
    rows = split_test(task)[1][:500]
    x, y = task.x_test[rows], task.y_test[rows]
    found = adversarial.transferability(
        network, copy, x, y, lambda f, x, y: adversarial.pgd(f, x, y, 0.1, rng=0), rng=0
    )
    return {name: getattr(found, name) for name in ("copied", "white_box", "noise", "size")}


def _seen(asked: np.ndarray, network: Network, delta: float) -> dict[str, Any]:
    """What PRADA makes of the queries: the last W, the lowest, the alarm; and W on the way."""
    detector = Detector(delta)
    detector.observe(asked.reshape(len(asked), -1), network.labels(asked))
    w = np.asarray(detector.history.w, float)
    known = w[np.isfinite(w)]
    return {
        "w": _number(known[-1]) if len(known) else None,
        "lowest": _number(known.min()) if len(known) else None,
        "alarm": detector.first_alarm,
        "queries": [int(n) for n in detector.history.queries],
        "history": [_number(value) for value in w],
        "distances": [round(float(d), 5) for d in detector.tested()],
    }


def _number(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
