"""Experiments on learned copies: a file that describes a grid of thefts, and its table.

    title, claim        what is tried, and what the lecture says of it
    [axes]              lists: every combination is a cell
    [fixed]             the same for every cell; `learned_theft.Settings` has all, with defaults

A cell trains or loads its victim, steals it, shows the queries to PRADA, and compares. Victims
lie beside the results, so that each is trained once.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path

from mstheft.experiments import learned_theft
from mstheft.experiments.grid import Grid, Outcome, missing, run
from mstheft.experiments.settings import checked, read_toml
from mstheft.experiments.tasks import victim_file


@dataclass(frozen=True)
class Experiment:
    """A described experiment: its words and its cells."""

    name: str
    title: str
    claim: str
    grid: Grid


def read(path: str | os.PathLike[str]) -> Experiment:
    """An experiment out of a TOML file.

    Raises `DataError` where it is no TOML, ValueError where its settings cannot be.
    """
    path = Path(path)
    described = read_toml(path)
    try:
        grid = _grid(described.get("axes"), described.get("fixed", {}))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    title, claim = described.get("title", path.stem), described.get("claim", "")
    return Experiment(path.stem, title, claim, grid)


def _grid(axes: object, fixed: object) -> Grid:
    """The cells of [axes] and [fixed], every value checked before hours of work."""
    if not isinstance(axes, dict) or not isinstance(fixed, dict) or not axes:
        raise ValueError("expected the tables [axes] and [fixed], got no axes; write them so")
    defaults = asdict(learned_theft.Settings())
    others = {name: value for name, value in defaults.items() if name not in axes}
    grid = Grid(axes, others | fixed)
    for cell in grid.cells():
        checked(learned_theft.Settings, cell)
    return grid


def compute(
    experiment: Experiment, folder: str | Path, *, executor: Executor | None = None
) -> Outcome:
    """All cells that are not there yet; their victims first, one after the other."""
    folder = Path(folder)
    needed = {
        victim_file(cell["victim"], cell["data"], cell["victim_epochs"]): cell
        for cell in missing(experiment.grid, folder)
    }
    for cell in needed.values():
        with contextlib.suppress(Exception):  # each of its cells fails too, and is reported
            learned_theft.victim_of(learned_theft.Settings(**cell), folder / "victims")
    return run(experiment.grid, learned_theft.run_cell, folder, executor=executor)


ROUND = ("round", "queries", "agreement", "accuracy", "validation")
PRADA = ("w", "lowest", "alarm")
TRANSFER = {"copied": "transfer", "white_box": "white_box", "noise": "noise"}  # value: column


def table(outcome: Outcome, axes: Sequence[str]) -> str:
    """CSV: a line for each round of each cell, with the axes before the figures.

    agreement : of the round's copy; final : of the copy that the attack returned, which validation
    chose, and of which the transfer is too
    """
    prada = [f"prada_{name}" for name in PRADA]
    rows = []
    for cell, values in outcome.done:
        transfer = values.get("transfer") or {}
        ends = [values.get("agreement"), values["victim"]]
        ends += [values["prada"][name] for name in PRADA]
        ends += [transfer.get(name) for name in TRANSFER]
        for point in values.get("curve") or [{"queries": values["queries"]}]:
            curve = [point.get(name) for name in ROUND]
            rows.append([cell[axis] for axis in axes] + curve + ends)
    head = [*axes, *ROUND, "final", "victim_accuracy", *prada, *TRANSFER.values()]
    return to_csv(head, rows)


def to_csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV text: numbers with four decimals, nothing for None."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_short(value) for value in row] for row in rows)
    return text.getvalue()


def overview(outcome: Outcome, axes: Sequence[str]) -> tuple[Sequence[str], list[list[str]]]:
    """Head and rows of a table with a line for each cell: its axes, queries, agreement, W."""
    rows = []
    for cell, values in outcome.done:
        prada = values["prada"]
        figures = values["queries"], values.get("agreement"), prada["w"], prada["alarm"]
        rows.append([str(cell[axis]) for axis in axes] + [_short(value) for value in figures])
    return [*axes, "queries", "agreement", "W", "alarm at"], rows


def _short(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else "" if value is None else str(value)
