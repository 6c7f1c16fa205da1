"""The file of an arena, checked before any match.

title, seeds                what it is; [0, 1, 2]
[victim]                    as `VictimSettings`
[attacks.NAME]              attack = "sweep", relu, linear, labels: `DirectSettings`; one of
                            learning.strategies, or jbda: `CopySettings`, and
                            adapt = {…}: `adaptive.Adaptation`. It meets what it is made for
[defences.NAME]             as `DefenceSettings`. Empty: none
[detectors.NAME]            as `DetectorSettings`. Empty: none
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import numpy as np

from mstheft.experiments import learned_theft, tasks
from mstheft.experiments.arena import match
from mstheft.experiments.arena.adaptive import Adaptation
from mstheft.experiments.grid import Cell
from mstheft.experiments.settings import checked, located
from mstheft.learning import active, strategies
from mstheft.oracle import Oracle

LEARNED = (*strategies.STRATEGIES, "jbda")


@dataclass(frozen=True)
class ArenaSettings:
    """A checked arena. Its tables are those of the file, since they alone name a cell."""

    title: str
    seeds: list[int]
    victim: learned_theft.VictimSettings
    attacks: dict[str, Cell]
    defences: dict[str, Cell]
    detectors: dict[str, Cell]


def arena_settings(described: Mapping[str, Any]) -> ArenaSettings:
    """The settings of an arena out of {'title': …, 'victim': …, 'attacks': …, …}.

    Each attack and each defence is tried as far as is possible without a query, so that settings
    that cannot work are refused before any victim is trained.
    Raises ValueError that names the table.
    """
    names = [each.name for each in fields(ArenaSettings)]
    if unknown := sorted(described.keys() - names):
        raise ValueError(f"expected {', '.join(names)} in an arena, got {unknown[0]}; take it out")
    seeds = described.get("seeds", [0])
    if type(seeds) is not list or not all(type(n) is int and n >= 0 for n in seeds):
        raise ValueError(f"expected seeds as a list of whole numbers, got {seeds}; correct it")
    with located("[victim]"):
        victim = checked(learned_theft.VictimSettings, described.get("victim", {}))
        task = tasks.cached(victim.data)
        name = tasks.usual(task) if victim.victim == "usual" else victim.victim
        network = tasks.build(name, task, rng=0)

    def defence(table: Cell) -> None:
        checked(match.DefenceSettings, table)
        row = task.x_test[:1].reshape(1, -1)
        Oracle(network, **match.oracle_options(table, task, 0)).query(row)

    tables = {
        "attacks": _tables(described, "attacks", partial(_check_attack, task)),
        "defences": _tables(described, "defences", defence),
        "detectors": _tables(described, "detectors", partial(checked, match.DetectorSettings)),
    }
    return ArenaSettings(str(described.get("title", "")), seeds, victim, **tables)


def _tables(
    described: Mapping[str, Any], name: str, check: Callable[[Cell], object]
) -> dict[str, Cell]:
    tables = described.get(name)
    if not isinstance(tables, dict) or not all(isinstance(each, dict) for each in tables.values()):
        raise ValueError(f"expected at least one table [{name}.NAME], got {tables!r}; add one")
    for word, table in tables.items():
        with located(f"[{name}.{word}]"):
            check(table)
    return tables


def _check_attack(task: tasks.Task, table: Cell) -> None:
    word = table.get("attack")
    others = {k: v for k, v in table.items() if k not in ("attack", "adapt")}
    words = (*match.DIRECT, *LEARNED)
    if word not in words:
        raise ValueError(f"expected attack as one of {', '.join(words)}, got {word!r}")
    if word in match.DIRECT:
        checked(match.DirectSettings, {k: v for k, v in table.items() if k != "attack"})
        return
    checked(learned_theft.CopySettings, others)
    with located("adapt"):
        checked(Adaptation, table.get("adapt", {}))
    settings = match.learned_settings(table, task, 0)
    tasks.build(settings.copy, task, rng=0)
    if word == "jbda":
        rng = np.random.default_rng(0)
        learned_theft.seed_rows(task, settings.budget, settings.rounds, rng)
        return
    active.shares(settings.budget, settings.rounds)
    rows, wanted = learned_theft.thief_pool(replace(settings, pool_size=1), task), task.shape
    if rows.shape[1] != math.prod(wanted):
        got = f"{rows.shape[1]} in {settings.pool!r}"
        raise ValueError(f"expected a pool of rows with {math.prod(wanted)} numbers, got {got}")
