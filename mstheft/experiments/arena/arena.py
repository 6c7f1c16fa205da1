"""Attacks × defences × detectors on one victim, described in a TOML file (see `config`).

Each combination is a match, a cell of a grid, and each cell a file. After the first alarm of its
detector the service answers nothing, and the thief has what it learned before that batch.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mstheft.experiments.arena import match
from mstheft.experiments.arena.adaptive import Adaptation
from mstheft.experiments.arena.config import arena_settings
from mstheft.experiments.experiment import Experiment, to_csv
from mstheft.experiments.experiment import compute as compute
from mstheft.experiments.grid import Cell, Grid, Outcome
from mstheft.experiments.settings import located
from mstheft.files import read_toml

AXES = ("attack", "defence", "detector", "seed")
FIGURES = ("agreement", "apart", "queries", "noticed", "honest", "l1", "false_alarm", "ended")


class MatchGrid(Grid):
    """A grid whose cells hold what their attack, defence and detector are, and nothing of others.

    So a cell whose tables have not changed is not computed again when others are added.
    """

    def cells(self) -> Iterator[Cell]:
        """Every combination, with the tables of its own attack, defence and detector."""
        for cell in super().cells():
            tables = cell.pop("tables")
            own = {axis: tables[axis][cell[axis]] for axis in AXES[:3]}
            adaptation = Adaptation(**own["attack"].get("adapt", {}))
            if adaptation == Adaptation() or adaptation.concerns(own["defence"], own["detector"]):
                yield cell | {"victim": tables["victim"], "own": own}


def read(path: str | os.PathLike[str]) -> Experiment:
    """An arena out of a TOML file: an experiment whose cells are matches.

    Raises `DataError` where it is no TOML, ValueError where its settings cannot be.
    """
    path = Path(path)
    described = read_toml(path)
    with located(path):
        settings = arena_settings(described)
        tables: dict[str, Any] = {axis: getattr(settings, f"{axis}s") for axis in AXES[:3]}
        axes = {axis: list(tables[axis]) for axis in AXES[:3]} | {"seed": settings.seeds}
        grid = MatchGrid(axes, {"tables": tables | {"victim": asdict(settings.victim)}})
    title = settings.title or path.stem
    return Experiment(path.stem, title, "", grid, match.run_cell, match.victim_settings)


def table(outcome: Outcome) -> str:
    """CSV: a line for each cell."""
    rows = ([*map(cell.get, AXES), *map(values.get, FIGURES)] for cell, values in outcome.done)
    return to_csv([*AXES, *FIGURES], rows)


def overview(outcome: Outcome) -> tuple[Sequence[str], list[list[str]]]:
    """Head and rows of a table: a line for each attack, defence and detector, means over seeds."""
    head, rows = [*AXES[:3], "agreement", "queries", "noticed after", "honest", "L1"], []
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
    """Mean agreement of the copies, and how many seeds have none; 'no copy' if all have none."""
    shares = [each["agreement"] for each in values if each["agreement"] is not None]
    if not shares:
        return "no copy"
    none = len(values) - len(shares)
    return f"{np.mean(shares):.1%}" + (f", {none} of {len(values)} without" if none else "")


def noticed(values: Sequence[Mapping[str, Any]]) -> str:
    """Queries until the alarm, mean over the seeds with one; '-' without any."""
    after = [each["noticed"] for each in values if each["noticed"] is not None]
    if not after:
        return "-"
    some = f", {len(after)} of {len(values)}" if len(after) < len(values) else ""
    return f"{np.mean(after):,.0f}{some}"
