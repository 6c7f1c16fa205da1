"""What a stolen filter is good for: messages and programs changed on the copy until they pass.

    victim, a filter  ->  copy, in `budget` queries  ->  rows changed on the copy  ->  do they pass?

The filter is asked for the theft and, at the very end, whether the changed rows pass; the changing
itself costs no query. Beside the copy's edits stand as many chosen at random, and those chosen on
the filter itself, which a thief cannot have.

    spam       a mail filter; words are replaced and added. `data`: spam, or mr, reviews of films,
               as a stand-in for mail, in which negative ones are what is held back
    malware    a virus scanner; imports, sections, strings are added, none removed; labels only
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mstheft.adversarial import edits
from mstheft.experiments import learned_theft as thefts
from mstheft.experiments import tasks as victims
from mstheft.nn import Network
from mstheft.nn.fit import accuracy
from mstheft.oracle import Oracle
from mstheft.typing import Rng

SETTINGS: thefts.Cell = thefts.SETTINGS | {
    "kind": "spam",
    "strategy": "k-center",
    "budget": 500,
    "epochs": 60,
    "patience": 10,
    "edits": 10,  # of each message or program, at most
    "messages": 100,  # that are changed, at most
    "words": 12,  # the most harmless ones, tried at every place
}
KINDS: dict[str, thefts.Cell] = {
    "spam": {
        "data": "spam",
        "victim": "text-bag",
        "victim_epochs": 10,
        "copy": "text-bag",
        "pool": "spam",
        "output": "probs",
    },
    "malware": {
        "data": "programs",
        "victim": "mlp-64",
        "victim_epochs": 15,
        "copy": "mlp-64",
        "pool": "programs",
        "output": "label",
    },
}
HARMFUL = {"spam": 1, "mr": 0, "programs": 1}  # the label that is held back
SAMPLE = 20  # messages on which words are tried


@dataclass
class Evasion:
    """What came of it. Shares are of the changed rows, 0 … 1.

    accuracy : of the filter on its test part;  agreement : of copy and filter there
    queries : what the theft cost
    passed : {'copy', 'random', 'filter'}: (edits + 1,) share that the filter lets pass after so
        many edits chosen on the copy, at random, and on the filter itself
    believed : (edits + 1,) share that the copy lets pass, the thief's own forecast
    stopped : {'copy', 'random'}: the share that passes if each row is changed only until the copy
        lets it pass, and if as many edits of it are made at random
    made : mean number of edits until then
    before, after : (n, d) the rows, and as they were when they stopped
    """

    accuracy: float
    agreement: float
    queries: int
    passed: dict[str, np.ndarray]
    believed: np.ndarray
    stopped: dict[str, float]
    made: float
    before: np.ndarray
    after: np.ndarray


def settings(kind: str, **said: Any) -> thefts.Cell:
    """All settings of an evasion, those that were not said as is usual for its kind."""
    if kind not in KINDS:
        raise ValueError(f"expected kind as one of {', '.join(KINDS)}, got {kind!r}; pick one")
    cell = SETTINGS | KINDS[kind] | {"kind": kind} | said
    if cell["data"] not in HARMFUL or (cell["data"] == "programs") != (kind == "malware"):
        fitting = "programs" if kind == "malware" else "spam or mr"
        raise ValueError(f"expected data as {fitting} for {kind}, got {cell['data']!r}; pick that")
    if cell["data"] == "mr" and "pool" not in said:
        cell["pool"] = "wikitext-2"
    return cell


def run(
    cell: thefts.Cell, task: victims.Task, victim: Network, oracle: Oracle, rng: Rng = None
) -> Evasion:
    """Steal the filter from behind the oracle, change rows on the copy, and see what passes.

    cell : as `settings` makes it; victim : the filter, which only judges
    oracle : what the thief asks, an `Oracle` over the filter, or over an `HttpVictim`
    rng : for the random edits; the cell's seed unless given
    Costs the cell's budget. Raises what the theft raises, and ValueError where the filter holds
    nothing back that could be changed.
    """
    pool = thefts.thief_rows(cell, task)
    judge = thefts.judged_by(task, victim, cell["test"])
    copy = thefts.attack(cell, oracle, task, pool, judge, None, {}).model
    rows, harmful = held_back(cell, task, victim), HARMFUL[cell["data"]]
    spelled = words_of(pool) if task.vocabulary else None
    rng = np.random.default_rng([cell["seed"], 4] if rng is None else rng)
    mine = guided(copy, rows, spelled, cell)
    blind = edits.at_random(rows, _edits(spelled), cell["edits"], rng)
    ideal = guided(victim, rows, spelled, cell)
    steps, after = mine.until(passing(copy, mine.rows, harmful))
    return Evasion(
        accuracy(victim, task.x_test, task.y_test),
        judge(copy)["agreement"],
        oracle.count,
        {
            name: passing(victim, path.rows, harmful).mean(axis=1)
            for name, path in {"copy": mine, "random": blind, "filter": ideal}.items()
        },
        passing(copy, mine.rows, harmful).mean(axis=1),
        {
            "copy": float((victim.labels(after) != harmful).mean()),
            "random": float((victim.labels(blind.after(steps)) != harmful).mean()),
        },
        float(steps.mean()),
        rows,
        after,
    )


def evade(cell: thefts.Cell, folder: Path) -> tuple[victims.Task, Network, Evasion]:
    """`run` against a filter that is trained on the spot, or lies in the folder already."""
    task, victim = thefts.victim(cell, folder)
    return task, victim, run(cell, task, victim, Oracle(victim, cell["output"]))


# ---- stages


def held_back(cell: thefts.Cell, task: victims.Task, victim: Network) -> np.ndarray:
    """Harmful rows that the filter holds back, up to `messages` of them: (n, d).

    They are of the test part, and none of them judges the copy.
    """
    harmful, parts = HARMFUL[cell["data"]], thefts.split_test(task)
    spare = np.concatenate(parts[1:])
    x, y = task.x_test[spare], task.y_test[spare]
    found = x[(y == harmful) & (victim.labels(x) == harmful)][: cell["messages"]]
    if not len(found):
        raise ValueError(
            "expected harmful rows that the filter holds back, got none; train it for longer"
        )
    return found


def words_of(pool: np.ndarray) -> np.ndarray:
    """The words that the thief's own texts are written in, without padding and unknown ones."""
    found = np.unique(np.asarray(pool, np.int64))
    return found[found > 1]


def guided(guide: Network, rows: np.ndarray, spelled: Any, cell: thefts.Cell) -> edits.Path:
    """Edits chosen on a guide; of words only the most harmless in its eyes are tried."""
    score = edits.margin(guide, HARMFUL[cell["data"]])
    if spelled is not None:
        spelled = edits.harmless(score, rows[:SAMPLE], spelled, cell["words"])
    return edits.greedy(score, rows, _edits(spelled), cell["edits"])


def passing(victim: Network, rows: np.ndarray, harmful: int) -> np.ndarray:
    """Which rows a filter lets pass: (steps, n, d) -> (steps, n)."""
    return np.stack([victim.labels(part) != harmful for part in rows])


def _edits(spelled: Any) -> edits.Edits:
    return edits.Additions() if spelled is None else edits.Words(spelled)
