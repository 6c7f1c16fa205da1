"""Experiments on learned copies: what one cell of a grid computes, and a file that describes it.

    title, claim        what is tried, and what the lecture says of it
    [axes]              lists: every combination is a cell
    [fixed]             the same for every cell; `SETTINGS` names all, with what is taken unsaid

A cell trains or loads its victim, puts it behind an oracle that PRADA watches, steals it, and
compares. Victims are kept beside the results, so that each is trained once.
"""

from __future__ import annotations

import csv
import io
import math
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mstheft import adversarial, victims
from mstheft.data import pools, synthetic, text
from mstheft.defend.prada import Detector
from mstheft.errors import DataError
from mstheft.learning import active, jacobian, strategies
from mstheft.learning.grid import Cell, Grid, Outcome, run
from mstheft.nn import Network
from mstheft.nn.fit import accuracy
from mstheft.oracle import Oracle

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SETTINGS: dict[str, Any] = {
    "data": "glyphs",  # one of victims.TASKS
    "victim": "usual",  # as in victims.USUAL; or tiny, small, mlp, cnn-1 … cnn-4, text-cnn, …
    "victim_epochs": 5,  # for those others
    "copy": "small",
    "pool": "letters",  # as in data.pools; for texts wikitext-2
    "pool_size": 5000,
    "strategy": "random",  # one of learning.strategies, or noise, jbda, traffic
    "budget": 500,
    "rounds": 5,
    "output": "probs",
    "epochs": 30,
    "patience": 5,
    "batch": 50,
    "candidates": 2000,  # rows that DFAL looks at in a round, drawn at random; 0 for all
    "test": 2000,  # test rows on which copy and victim are compared
    "transfer": False,  # also: how many adversarial examples of the copy fool the victim
    "delta": 0.9,  # PRADA's threshold
    "seed": 0,
}
OTHERS = ("noise", "jbda", "traffic")  # what may be asked beside the strategies
LAM = 0.1  # of Jacobian augmentation


@dataclass(frozen=True)
class Experiment:
    """A described experiment: its words and its cells."""

    name: str
    title: str
    claim: str
    grid: Grid


def read(path: str | os.PathLike[str]) -> Experiment:
    """An experiment out of a TOML file.

    Raises `DataError` where it is no TOML, ValueError where it says what cannot be.
    """
    path = Path(path)
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: expected TOML, but {error}; correct that line") from error
    axes, fixed = said.get("axes", {}), said.get("fixed", {})
    if not isinstance(axes, dict) or not isinstance(fixed, dict):
        raise ValueError(f"{path}: expected the tables [axes] and [fixed]; write them so")
    unknown = sorted((axes.keys() | fixed.keys()) - SETTINGS.keys())
    if unknown or not axes:
        raise ValueError(
            f"{path}: expected [axes] and [fixed] to name {', '.join(SETTINGS)}, got "
            f"{', '.join(unknown) or 'no axes'}; correct them"
        )
    unsaid = {name: value for name, value in SETTINGS.items() if name not in axes}
    grid = Grid(axes, unsaid | fixed)
    for each in grid.cells():
        _check(each, path)
    return Experiment(path.stem, said.get("title", path.stem), said.get("claim", ""), grid)


def _check(cell: Cell, path: Path) -> None:
    known = (*strategies.STRATEGIES, *OTHERS)
    if cell["strategy"] not in known:
        raise ValueError(
            f"{path}: expected strategy as one of {', '.join(known)}, got {cell['strategy']!r}"
        )
    if cell["data"] not in victims.TASKS:
        raise ValueError(
            f"{path}: expected data as one of {', '.join(victims.TASKS)}, got {cell['data']!r}"
        )
    for name, usual in SETTINGS.items():
        if type(cell[name]) is not type(usual):
            raise ValueError(
                f"{path}: expected {name} as a {type(usual).__name__}, got {cell[name]!r}"
            )


def compute(
    experiment: Experiment, folder: str | Path, *, executor: Executor | None = None
) -> Outcome:
    """All cells that are not there yet; the victims first, one after the other."""
    folder = Path(folder)
    for cell in experiment.grid.cells():
        victim(cell, folder / "victims")
    return run(experiment.grid, steal, folder, executor=executor)


def steal(cell: Cell, scratch: Path) -> dict[str, Any]:
    """One cell: {'curve': [{round, queries, agreement, accuracy, …}], 'agreement': …, 'prada': …}.

    scratch : a folder beside which `victims/` lies; the attack keeps its checkpoint in it
    """
    task, network = victim(cell, scratch.parent / "victims")
    detector = Detector(cell["delta"])
    oracle = Oracle(network, cell["output"], monitors=[detector])
    x, y = task.x_test[: cell["test"]], task.y_test[: cell["test"]]
    told = network.labels(x)

    def judge(copy: Network) -> dict[str, float]:
        labels = copy.labels(x)
        return {
            "agreement": _equal(labels, told),
            "accuracy": _equal(labels, y),
        }

    values: dict[str, Any] = {"victim": accuracy(network, task.x_test, task.y_test)}
    if cell["strategy"] == "traffic":
        rows = np.random.default_rng(cell["seed"]).permutation(len(task.x_test))[: cell["budget"]]
        oracle.query(task.x_test[rows].reshape(len(rows), -1))
    else:
        result = attack(cell, oracle, task, judge, scratch)
        values |= judge(result.model)
        values["curve"] = [
            {"round": p.round, "queries": p.queries, "validation": _number(p.validation)}
            | {name: _number(value) for name, value in p.evaluated.items()}
            for p in result.curve
        ]
        if cell["transfer"]:
            values["transfer"] = _transfer(network, result.model, task, cell)
    return values | {"queries": oracle.count, "prada": _seen(detector)}


def attack(
    cell: Cell, oracle: Oracle, task: victims.Task, judge: Callable[..., Any], scratch: Path
) -> Any:
    """The attack that a cell names, as it would run against any oracle of that task's shape."""

    def new_copy() -> Network:
        return architecture(cell["copy"], task, [cell["seed"], 1])

    training = {name: cell[name] for name in ("epochs", "batch")}
    rng = np.random.default_rng([cell["seed"], 2])
    if cell["strategy"] == "jbda":
        start = _few_of_each(task, max(1, cell["budget"] // 2 ** cell["rounds"]), rng)
        options = {"rounds": cell["rounds"], "lam": LAM, "bounds": (0.0, 1.0)}
        limits = {"budget": cell["budget"], "evaluate": judge}
        return jacobian.augment(oracle, start, new_copy, rng=rng, **options, **limits, **training)
    strategy = cell["strategy"]
    rows = thief_rows(cell, task, noise=strategy == "noise")
    return active.steal(
        oracle,
        rows,
        new_copy,
        strategy=chooser(strategy, cell["budget"], cell["candidates"]),
        budget=cell["budget"],
        rounds=cell["rounds"],
        rng=int(rng.integers(2**32)),
        checkpoint=scratch,
        evaluate=judge,
        patience=cell["patience"],
        **training,
    )


def chooser(strategy: str, budget: int, candidates: int) -> str | strategies.Select:
    """The strategy; DFAL, whose price is a DeepFool search a row, on so many candidates only."""
    if strategy == "noise":
        return "random"
    if not strategy.startswith("dfal") or candidates == 0:
        return strategy
    chosen = strategies.named(strategy, budget)

    def select(copy: Network, labelled: Any, pool: Any, k: int, rng: Any) -> np.ndarray:
        rng = np.random.default_rng(rng)
        free = strategies.unlabelled(labelled, len(pool), k)
        some = np.sort(rng.choice(free, min(len(free), max(candidates, k)), replace=False))
        rows = np.concatenate([np.asarray(labelled, np.int64), some])
        return rows[chosen(copy, np.arange(len(labelled)), pool[rows], k, rng)]

    select.__name__ = f"{strategy} of {candidates}"
    return select


def thief_rows(cell: Cell, task: victims.Task, *, noise: bool = False) -> np.ndarray:
    """The attacker's pool, (n, d) as the victim sees it; texts in the words that it knows."""
    rng = np.random.default_rng([cell["seed"], 3])
    if task.vocabulary is None:
        name = "noise" if noise else cell["pool"]
        images = pools.pool(name, task.shape, cell["pool_size"], rng)
        return images.reshape(len(images), -1)
    if noise:
        words = len(task.vocabulary)
        return jacobian.noise_pool(task.shape, cell["pool_size"], rng, words=words)
    if cell["pool"] in ("topics", "spam"):
        sentences = synthetic.texts(cell["pool_size"], task=cell["pool"], rng=rng)[0]
    else:
        sentences = text.wikitext2(n_words=task.shape[0])
    chosen = rng.permutation(len(sentences))[: cell["pool_size"]]
    return task.vocabulary.encode([sentences[i] for i in chosen], task.shape[0])


def victim(cell: Cell, folder: Path) -> tuple[victims.Task, Network]:
    """Task and trained victim of a cell; from the folder where it is there, kept there if not."""
    task = victims.load(cell["data"])
    usual = cell["victim"] == "usual" and cell["data"] in victims.USUAL
    epochs = "" if usual else f"-{cell['victim_epochs']}"
    path = folder / f"{cell['data']}-{cell['victim']}{epochs}.npz"
    if path.exists():
        return task, Network.load(path)
    folder.mkdir(parents=True, exist_ok=True)
    network = trained(cell, task, rng=0)
    network.save(path)
    return task, network


def trained(cell: Cell, task: victims.Task, *, rng: Any) -> Network:
    """A victim as the cell wants it; for a task without a usual one the small of its kind."""
    if cell["victim"] == "usual" and cell["data"] in victims.USUAL:
        kind, options, how = victims.USUAL[cell["data"]]
        network = victims.build(kind, task, **options, rng=rng)
    else:
        texts = task.vocabulary is not None
        small = "text-cnn" if texts else "small"
        network = architecture(small if cell["victim"] == "usual" else cell["victim"], task, rng)
        how = {"epochs": cell["victim_epochs"]}
    victims.train(network, task, **how, rng=rng)
    return network


def architecture(name: str, task: victims.Task, rng: Any) -> Network:
    """An untrained network by its word: small, mlp, cnn-2 (two blocks), text-cnn, text-gru."""
    kind, _, blocks = name.partition("-")
    if kind == "cnn" and blocks in ("1", "2", "3", "4"):
        return victims.build("cnn", task, blocks=int(blocks), rng=rng)
    return victims.build(name, task, rng=rng)


def _few_of_each(task: victims.Task, n: int, rng: np.random.Generator) -> np.ndarray:
    """n rows of the victim's own test data, the same number of every class as far as it goes.

    Papernot's thief has a handful of the victim's kind of input.
    """
    order = rng.permutation(len(task.y_test))
    turns = np.empty(len(order), np.int64)
    for label in np.unique(task.y_test):
        mine = np.flatnonzero(task.y_test[order] == label)
        turns[mine] = np.arange(len(mine))
    return task.x_test[order[np.argsort(turns, kind="stable")][:n]].reshape(n, -1)


def _transfer(network: Network, copy: Network, task: victims.Task, cell: Cell) -> dict[str, Any]:
    """By PGD on the last 500 test rows: `judge` looks at the first."""
    x, y = task.x_test[-500:], task.y_test[-500:]
    found = adversarial.transferability(
        network, copy, x, y, lambda f, x, y: adversarial.pgd(f, x, y, 0.1, rng=0), rng=0
    )
    return {name: getattr(found, name) for name in ("copied", "white_box", "noise", "size")}


def _seen(detector: Detector) -> dict[str, Any]:
    """What PRADA made of it: the smallest W, the last one, and when it gave the alarm."""
    w = np.asarray(detector.history.w, float)
    w = w[np.isfinite(w)]
    return {
        "w": _number(w[-1]) if len(w) else None,
        "lowest": _number(w.min()) if len(w) else None,
        "alarm": detector.first_alarm,
    }


def _equal(a: np.ndarray, b: np.ndarray) -> float:
    return float((a == b).mean())


def _number(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None


def table(outcome: Outcome, axes: Sequence[str]) -> str:
    """CSV: a line for each round of each cell, with the axes before the figures."""
    names = ("round", "queries", "agreement", "accuracy", "validation")
    ends = ("victim", "prada_w", "prada_lowest", "prada_alarm", "transfer", "white_box", "noise")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*axes, *names, *ends])
    for cell, values in outcome.done:
        transfer, prada = values.get("transfer") or {}, values["prada"]
        last = [values["victim"], prada["w"], prada["lowest"], prada["alarm"]]
        last += [transfer.get(name) for name in ("copied", "white_box", "noise")]
        for point in values.get("curve") or [{"round": None, "queries": values["queries"]}]:
            row = [cell[axis] for axis in axes] + [point.get(name) for name in names] + last
            writer.writerow([_short(value) for value in row])
    return text.getvalue()


def overview(outcome: Outcome, axes: Sequence[str]) -> tuple[Sequence[str], list[list[str]]]:
    """Head and rows of a table with a line for each cell: its axes, queries, agreement, W."""
    head = [*axes, "queries", "agreement", "W", "alarm at"]
    rows = []
    for cell, values in outcome.done:
        figures = values["queries"], values.get("agreement"), *_w_and_alarm(values)
        rows.append([str(cell[axis]) for axis in axes] + [str(_short(v)) for v in figures])
    return head, rows


def _w_and_alarm(values: dict[str, Any]) -> tuple[Any, Any]:
    return values["prada"]["w"], values["prada"]["alarm"]


def _short(value: Any) -> Any:
    return f"{value:.4f}" if isinstance(value, float) else "" if value is None else value
