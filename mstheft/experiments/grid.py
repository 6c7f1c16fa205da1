"""Many runs at once: every combination of some settings is a cell, and each cell is a file.

    grid = Grid({"strategy": ["random", "k-center"], "seed": [0, 1, 2]}, {"budget": 2000})
    outcome = run(grid, work, "results/")      # work(cell, folder) -> {name: number, …}

A cell that has its file is not computed again, so a run that was ended at any moment goes on where
it was. A cell that fails is reported and stops no other. The caller chooses what a cell computes,
and by the executor where: processes, threads, or a cluster.
"""

import contextlib
import hashlib
import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mstheft import progress
from mstheft.errors import DataError
from mstheft.files import write

Cell = dict[str, Any]
Work = Callable[[Cell, Path], Mapping[str, Any]]


@dataclass(frozen=True)
class Grid:
    """Settings of which some have several values.

    axes : {name: values}; the cells are all combinations, the last axis changing fastest
    fixed : {name: value}, the same for every cell
    All values are JSON values: they name the cell.
    """

    axes: Mapping[str, Sequence[Any]]
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, values in self.axes.items():
            if isinstance(values, str) or not isinstance(values, Sequence) or not values:
                raise ValueError(f"expected a list of values for {name}, got {values!r}")
            if len({json.dumps(value) for value in values}) < len(values):
                raise ValueError(f"expected different values for {name}, got {values!r}")
        if both := sorted(self.axes.keys() & self.fixed.keys()):
            raise ValueError(f"expected each setting once, got {both} in both axes and fixed")

    def cells(self) -> Iterator[Cell]:
        """Every combination: {name: value}."""
        for values in itertools.product(*self.axes.values()):
            yield dict(self.fixed) | dict(zip(self.axes, values, strict=True))

    def name(self, cell: Cell) -> str:
        """A file name for a cell: its axes in words, and a digest of all of its settings."""
        words = (re.sub(r"[^A-Za-z0-9.]+", "_", str(cell[axis])).strip("_") for axis in self.axes)
        settings = json.dumps(cell, sort_keys=True).encode()
        digest = hashlib.sha256(settings).hexdigest()[:10]
        return f"{'-'.join(word or '_' for word in words)[:80]}-{digest}"


@dataclass
class Outcome:
    """The cells of a grid: `done` with their values, `failed` with the error in words."""

    done: list[tuple[Cell, dict[str, Any]]] = field(default_factory=list)
    failed: list[tuple[Cell, str]] = field(default_factory=list)
    computed: int = 0  # of the done ones, in this run


def missing(grid: Grid, folder: str | Path) -> list[Cell]:
    """The cells that have no file yet."""
    folder = Path(folder)
    return [cell for cell in grid.cells() if not (folder / f"{grid.name(cell)}.json").exists()]


def run(grid: Grid, work: Work, folder: str | Path, *, executor: Executor | None = None) -> Outcome:
    """Compute what is missing and return all of it, in the order of `grid.cells()`.

    work : work(cell, scratch) -> {name: JSON value}; scratch is a folder of the cell alone, which
        stays until the cell is done. Other processes need a picklable function of a module
    folder : made if missing; one JSON file per cell, written whole or not at all. Workers on other
        machines must see the same folder
    executor : any `concurrent.futures.Executor`; without it one cell follows the other
    Raises `DataError` for a damaged file. Ctrl-C ends the run; all cells done have their files.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    cells = {grid.name(cell): cell for cell in grid.cells()}
    values = {name: _read(folder / f"{name}.json", cell) for name, cell in cells.items()}
    todo = {name: cells[name] for name, result in values.items() if result is None}
    failures: dict[str, str] = {}
    with progress.bar("cells", len(todo), "cell") as bar:
        for name, result, failure in _results(todo, work, folder, executor):
            if result is None:
                failures[name] = failure
            else:
                content = {"cell": cells[name], "values": result}
                write(folder / f"{name}.json", json.dumps(content, indent=1))
                values[name] = result
                shutil.rmtree(_scratch(folder, name), ignore_errors=True)
            bar.update(1)
    outcome = Outcome(computed=len(todo) - len(failures))
    for name, result in values.items():
        if result is None:
            outcome.failed.append((cells[name], failures[name]))
        else:
            outcome.done.append((cells[name], result))
    return outcome


def _results(
    todo: dict[str, Cell], work: Work, folder: Path, executor: Executor | None
) -> Iterator[tuple[str, dict[str, Any] | None, str]]:
    """Each cell as it is ready: its name, its values or None, and the error in words."""
    if executor is None:
        for name, cell in todo.items():
            yield name, *_attempt(work, cell, _scratch(folder, name))
        return
    started: dict[Future[Any], str] = {}
    try:
        for name, cell in todo.items():
            started[executor.submit(_attempt, work, cell, _scratch(folder, name))] = name
        for future in as_completed(started):
            error = future.exception()  # of the executor, such as a worker that died
            yield started[future], *((None, _in_words(error)) if error else future.result())
    finally:
        for future in started:
            future.cancel()


def _attempt(work: Work, cell: Cell, scratch: Path) -> tuple[dict[str, Any] | None, str]:
    """One cell, where the executor runs it. An error is a result too: it stops no other cell."""
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        values = dict(work(dict(cell), scratch))
        json.dumps(values, allow_nan=False)
        return values, ""
    except Exception as error:
        with contextlib.suppress(OSError):
            scratch.rmdir()  # one that holds anything stays, for the next attempt
        return None, _in_words(error)


def _in_words(error: BaseException) -> str:
    """An exception itself may not travel between processes."""
    return f"{type(error).__name__}: {error}"


def _scratch(folder: Path, name: str) -> Path:
    return (folder / f"{name}.run").resolve()


def _read(file: Path, cell: Cell) -> dict[str, Any] | None:
    if not file.exists():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["cell"] != json.loads(json.dumps(cell)):
            raise ValueError("it belongs to another cell")
        return dict(content["values"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file}: expected a cell, got damage ({error}); delete it") from error
