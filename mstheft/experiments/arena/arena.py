"""Attacks × defences × detectors on one victim, described in a TOML file (see `config`).

Each combination is a match, a cell of a grid, and each cell a file. A detector acts: from its
first alarm on nothing is answered, and the thief has what was learned before that batch.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mstheft.experiments import learned_theft
from mstheft.experiments.arena import match
from mstheft.experiments.arena.config import arena_settings
from mstheft.experiments.experiment import Experiment, to_csv
from mstheft.experiments.grid import Cell, Grid, Outcome, missing, run
from mstheft.experiments.settings import read_toml

AXES = ("attack", "defence", "detector", "seed")
FIGURES = ("agreement", "queries", "noticed", "honest", "l1", "false_alarm", "ended")


class MatchGrid(Grid):
    """A grid whose cells hold what their attack, defence and detector are, and nothing of others.

    So a cell whose tables have not changed is not computed again when others are added.
    """

    def cells(self) -> Iterator[Cell]:
        """Every combination, with the tables of its own attack, defence and detector."""
        for cell in super().cells():
            tables = cell.pop("tables")
            own = {axis: tables[axis][cell[axis]] for axis in AXES[:3]}
            yield cell | {"victim": tables["victim"], "own": own}


def read(path: str | os.PathLike[str]) -> Experiment:
    """An arena out of a TOML file: an experiment whose cells are matches.

    Raises `DataError` where it is no TOML, ValueError where its settings cannot be.
    """
    path = Path(path)
    described = read_toml(path)
    try:
        settings = arena_settings(described)
        tables: dict[str, Any] = {axis: getattr(settings, f"{axis}s") for axis in AXES[:3]}
        axes = {axis: list(tables[axis]) for axis in AXES[:3]} | {"seed": settings.seeds}
        grid = MatchGrid(axes, {"tables": tables | {"victim": asdict(settings.victim)}})
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return Experiment(path.stem, settings.title or path.stem, "", grid)


def compute(arena: Experiment, folder: str | Path, *, executor: Executor | None = None) -> Outcome:
    """All cells that are not there yet; their victim first."""
    folder = Path(folder)
    for cell in missing(arena.grid, folder)[:1]:
        with contextlib.suppress(Exception):  # the cell fails too, and is reported
            settings = learned_theft.VictimSettings(**cell["victim"])
            learned_theft.victim_of(settings, folder / "victims")
    return run(arena.grid, match.run_cell, folder, executor=executor)


# ---- what came of it


def table(outcome: Outcome) -> str:
    """CSV: a line for each cell."""
    return to_csv(
        [*AXES, *FIGURES],
        (
            [cell[axis] for axis in AXES] + [values[name] for name in FIGURES]
            for cell, values in outcome.done
        ),
    )


def overview(outcome: Outcome) -> tuple[Sequence[str], list[list[str]]]:
    """Head and rows of a table: a line for each attack, defence and detector, means over seeds."""
    words = ["attack", "defence", "detector"]
    head = [*words, "agreement", "queries", "noticed after", "honest", "L1"]
    rows = []
    for key, values in grouped(outcome).items():
        queries, honest, l1 = (
            np.mean([each[name] for each in values]) for name in ("queries", "honest", "l1")
        )
        shares = f"{queries:,.0f}", noticed(values), f"{honest:.1%}", f"{l1:.2f}"
        rows.append([*key, agreement(values), *shares])
    return head, rows


def grouped(outcome: Outcome) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    """The values of all seeds, by (attack, defence, detector), in the order of the file."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for cell, values in outcome.done:
        groups.setdefault((cell["attack"], cell["defence"], cell["detector"]), []).append(values)
    return groups


def agreement(values: Sequence[Mapping[str, Any]]) -> str:
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
