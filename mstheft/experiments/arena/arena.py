"""Attacks × defences × detectors on one victim, described in a TOML file.

    title, seeds                what it is; [0, 1, 2]
    [victim]                    data, victim, victim_epochs of `thefts.SETTINGS`
    [attacks.NAME]              attack: sweep, relu, linear, one of learning.strategies, or jbda;
                                and what `thefts.SETTINGS` has for it, such as budget and rounds
    [defences.NAME]             output, decimals, top: of the Oracle; noise, reverse_sigmoid, mad:
                                tables of the settings of `defend.responses`. Empty: none
    [detectors.NAME]            delta of PRADA. Empty: none

Each combination is a cell of a grid, and each cell a file. A detector acts: at its first alarm the
door is shut, and the thief has what was learned from the answers before that batch.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mstheft.experiments import experiment as experiments
from mstheft.experiments import learned_theft as thefts
from mstheft.experiments.arena import config as allowed
from mstheft.experiments.arena import match as fight
from mstheft.experiments.grid import Cell, Grid, Outcome, missing, run

AXES = ("attack", "defence", "detector", "seed")
FIGURES = ("agreement", "queries", "noticed", "honest", "l1", "false_alarm", "ended")


class Fights(Grid):
    """A grid whose cells hold what their attack, defence and detector are, and nothing of others.

    So that a cell whose words have not changed is not computed again when others are added.
    """

    def cells(self) -> Iterator[Cell]:
        """Every combination, with the settings of its own parts."""
        for cell in super().cells():
            parts = cell.pop("parts")
            own = {axis: parts[axis][cell[axis]] for axis in AXES[:3]}
            yield cell | {"victim": parts["victim"], "own": own}


@dataclass(frozen=True)
class Arena:
    """A described arena: its words and its cells."""

    name: str
    title: str
    grid: Fights


def read(path: str | os.PathLike[str]) -> Arena:
    """An arena out of a TOML file.

    Raises `DataError` where it is no TOML, ValueError where it says what cannot be.
    """
    path = Path(path)
    said = experiments.toml(path)
    try:
        parts = allowed.parts(said)
        seeds = said.get("seeds", [0])
        if type(seeds) is not list or not all(type(n) is int and n >= 0 for n in seeds):
            raise ValueError(f"expected seeds as a list of whole numbers, got {seeds}; correct it")
        axes = {axis: list(parts[axis]) for axis in AXES[:3]} | {"seed": seeds}
        unknown = said.keys() - {"title", "seeds", "victim", "attacks", "defences", "detectors"}
        if unknown:
            raise ValueError(f"expected no {', '.join(sorted(unknown))} in an arena; take it out")
        grid = Fights(axes, {"parts": parts})
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from error
    return Arena(path.stem, str(said.get("title", path.stem)), grid)


def compute(arena: Arena, folder: str | Path, *, executor: Executor | None = None) -> Outcome:
    """All cells that are not there yet; their victim first."""
    folder = Path(folder)
    for cell in missing(arena.grid, folder)[:1]:
        with contextlib.suppress(Exception):  # the cell meets it again, and reports it
            thefts.victim(thefts.SETTINGS | cell["victim"], folder / "victims")
    return run(arena.grid, fight.fight, folder, executor=executor)


# ---- what came of it


def table(outcome: Outcome) -> str:
    """CSV: a line for each cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*AXES, *FIGURES])
    for cell, values in outcome.done:
        row = [cell[axis] for axis in AXES] + [values[name] for name in FIGURES]
        writer.writerow([f"{v:.4f}" if isinstance(v, float) else v for v in row])
    return text.getvalue()


def overview(outcome: Outcome) -> tuple[Sequence[str], list[list[str]]]:
    """Head and rows of a table: a line for each attack, defence and detector, means over seeds."""
    head = [
        "attack",
        "defence",
        "detector",
        "agreement",
        "queries",
        "noticed after",
        "honest",
        "L1",
    ]
    rows = []
    for key, values in grouped(outcome).items():
        honest = np.mean([each["honest"] for each in values])
        asked = np.mean([each["queries"] for each in values])
        changed = np.mean([each["l1"] for each in values])
        told = [agreed(values), f"{asked:,.0f}", noticed(values), f"{honest:.1%}", f"{changed:.2f}"]
        rows.append([*key, *told])
    return head, rows


def grouped(outcome: Outcome) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    """The values of all seeds, by (attack, defence, detector), in the order of the file."""
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for cell, values in outcome.done:
        key = str(cell["attack"]), str(cell["defence"]), str(cell["detector"])
        found.setdefault(key, []).append(values)
    return found


def agreed(values: Sequence[Mapping[str, Any]]) -> str:
    """Mean agreement of the copies; 'no copy' where no seed has one, and how many have not."""
    shares = [each["agreement"] for each in values if each["agreement"] is not None]
    if not shares:
        return "no copy"
    none = len(values) - len(shares)
    return f"{np.mean(shares):.1%}" + (f", {none} of {len(values)} without" if none else "")


def noticed(values: Sequence[Mapping[str, Any]]) -> str:
    """Queries until the alarm, mean of the seeds with one; '-' where nobody noticed."""
    after = [each["noticed"] for each in values if each["noticed"] is not None]
    if not after:
        return "-"
    some = f", {len(after)} of {len(values)}" if len(after) < len(values) else ""
    return f"{np.mean(after):,.0f}{some}"
