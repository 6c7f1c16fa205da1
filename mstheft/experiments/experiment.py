"""Experiments on learned copies: a file that describes a grid of thefts, and its table.

    title, claim        the question, and the lecture's answer
    [axes]              lists: every combination is a cell
    [fixed]             the same for every cell; `learned_theft.Settings` has all, with defaults

A cell trains or loads its victim, steals it, shows the queries to PRADA, and compares. Victims
lie beside the results, so that each is trained once.
"""

import contextlib
import csv
import io
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path

from mstheft.experiments import learned_theft
from mstheft.experiments.grid import Cell, Grid, Outcome, Work, missing, run
from mstheft.experiments.settings import checked, located
from mstheft.files import read_toml


def victim_settings(cell: Cell) -> learned_theft.VictimSettings:
    """The victim of a cell."""
    return learned_theft.VictimSettings(cell["data"], cell["victim"], cell["victim_epochs"])


@dataclass(frozen=True)
class Experiment:
    """A described experiment: its words, its cells, and the work and the victim of a cell."""

    name: str
    title: str
    claim: str
    grid: Grid
    work: Work = learned_theft.run_cell
    victim: Callable[[Cell], learned_theft.VictimSettings] = victim_settings


def read(path: str | os.PathLike[str]) -> Experiment:
    """An experiment out of a TOML file.

    Raises `DataError` where it is no TOML, ValueError where its settings cannot be.
    """
    path = Path(path)
    described = read_toml(path)
    with located(path):
        grid = _grid(described.get("axes"), described.get("fixed", {}))
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
    """All cells that have no file yet; their victims first, one after the other."""
    folder = Path(folder)
    for victim in dict.fromkeys(map(experiment.victim, missing(experiment.grid, folder))):
        with contextlib.suppress(Exception):  # each of its cells fails too, and is reported
            learned_theft.victim_of(victim, folder / "victims")
    return run(experiment.grid, experiment.work, folder, executor=executor)


ROUND = ("round", "queries", "agreement", "accuracy", "validation")
PRADA = ("w", "lowest", "alarm")
TRANSFER = {"copied": "transfer", "white_box": "white_box", "noise": "noise"}  # value: column


def table(outcome: Outcome, axes: Sequence[str]) -> str:
    """CSV: a line for each round of each cell, with the axes before the figures.

    agreement : of the round's copy; final, transfer : of the copy that the attack returned
    """
    prada = [f"prada_{name}" for name in PRADA]
    rows = []
    for cell, values in outcome.done:
        transfer = values.get("transfer") or {}
        cell_figures = [values.get("agreement"), values["victim"]]
        cell_figures += [values["prada"][name] for name in PRADA]
        cell_figures += [transfer.get(name) for name in TRANSFER]
        for point in values.get("curve") or [{"queries": values["queries"]}]:
            curve = [point.get(name) for name in ROUND]
            rows.append([cell[axis] for axis in axes] + curve + cell_figures)
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
