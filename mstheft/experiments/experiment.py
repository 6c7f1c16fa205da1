"""Experiments on learned copies: a file that describes a grid of thefts, and its table.

    title, claim        what is tried, and what the lecture says of it
    [axes]              lists: every combination is a cell
    [fixed]             the same for every cell; `thefts.SETTINGS` names all, with what is usual

A cell trains or loads its victim, steals it, shows the queries to PRADA, and compares. Victims are
kept beside the results, so that each is trained once.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import sys
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mstheft.errors import DataError
from mstheft.experiments import tasks as victims
from mstheft.experiments.grid import Cell, Grid, Outcome, missing, run
from mstheft.experiments.learned_theft import OTHERS, SETTINGS, steal, victim, victim_name
from mstheft.learning import strategies
from mstheft.oracle.oracle import OUTPUTS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ARCHITECTURES = ("usual", *victims.ARCHITECTURES, "cnn-1", "cnn-2", "cnn-3", "cnn-4")


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
    said = toml(path)
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
    try:
        grid = Grid(axes, unsaid | fixed)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    for each in grid.cells():
        _check(each, path)
    return Experiment(path.stem, said.get("title", path.stem), said.get("claim", ""), grid)


def toml(path: Path) -> dict[str, Any]:
    """What a TOML file says. Raises `DataError` where there is none, or it is damaged."""
    try:
        return dict(tomllib.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise DataError(f"{path}: expected a TOML file, but there is none; name one") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: expected TOML, but {error}; correct that line") from error


def _check(cell: Cell, path: Path) -> None:
    """Every value of the kind that it must be, before hours of work."""
    words = {
        "strategy": (*strategies.STRATEGIES, *OTHERS),
        "data": tuple(victims.TASKS),
        "victim": ARCHITECTURES,
        "copy": ARCHITECTURES[1:],
        "output": OUTPUTS,
    }
    for name, usual in SETTINGS.items():
        value = cell[name]
        if type(value) is not type(usual):
            kind = {int: "a whole number", str: "a word", bool: "true or false", float: "a number"}
            raise ValueError(
                f"{path}: expected {name} as {kind[type(usual)]}, got {value!r}; correct it"
            )
        if name in words and value not in words[name]:
            raise ValueError(
                f"{path}: expected {name} as one of {', '.join(words[name])}, got {value!r}; "
                "correct it"
            )
        if type(usual) is int and value < (name not in ("seed", "candidates")):
            raise ValueError(f"{path}: expected {name} of at least 1, got {value}; raise it")


def compute(
    experiment: Experiment, folder: str | Path, *, executor: Executor | None = None
) -> Outcome:
    """All cells that are not there yet; their victims first, one after the other."""
    folder = Path(folder)
    needed = {victim_name(cell): cell for cell in missing(experiment.grid, folder)}
    for cell in needed.values():
        with contextlib.suppress(Exception):  # the cell meets it again, and reports it
            victim(cell, folder / "victims")
    return run(experiment.grid, steal, folder, executor=executor)


def table(outcome: Outcome, axes: Sequence[str]) -> str:
    """CSV: a line for each round of each cell, with the axes before the figures.

    agreement : of the round's copy; final : of the copy that the attack returned, which validation
    chose, and of which the transfer is too
    """
    names = ("round", "queries", "agreement", "accuracy", "validation")
    ends = (
        "final",
        "victim_accuracy",
        "prada_w",
        "prada_lowest",
        "prada_alarm",
        "transfer",
        "white_box",
        "noise",
    )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*axes, *names, *ends])
    for cell, values in outcome.done:
        transfer, prada = values.get("transfer") or {}, values["prada"]
        last = [
            values.get("agreement"),
            values["victim"],
            prada["w"],
            prada["lowest"],
            prada["alarm"],
        ]
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
