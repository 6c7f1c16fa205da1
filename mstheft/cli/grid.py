"""`mstheft grid`: an experiment of many cells, here or on a cluster."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import Any

from mstheft.cli import files, options
from mstheft.cli.console import Console, UsageError, usage_errors
from mstheft.cli.values import path
from mstheft.experiments import experiment as experiments
from mstheft.experiments.experiment import Experiment
from mstheft.experiments.grid import Outcome
from mstheft.report import tables


def add_arguments(parser: Any) -> None:
    """FILE."""
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("experiment", type=path, metavar="FILE", help="TOML: title, claim, [axes], [fixed]")
    options.add_out(parser, "mstheft-grid")
    options.add_workers(parser)
    add("--scheduler", metavar="ADDRESS", help="a Dask cluster's")
    options.add_results(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    """Compute what is missing; write the table; name every cell that failed."""
    files.check_places(args)
    with usage_errors():
        experiment = experiments.read(args.experiment)
        files.make_folder("--out", args.out)
    introduce(args, experiment, console)
    with _executor(args) as executor:
        outcome = experiments.compute(experiment, args.out, executor=executor)
    axes, table = list(experiment.grid.axes), args.out / f"{experiment.name}.csv"
    with console.attempt("--out"):
        tables.write(table, experiments.table(outcome, axes))
        console.say(f"{outcome.computed:,} computed now, {len(outcome.done):,} in {table}")
    console.say(tables.table(*experiments.overview(outcome, axes)))
    return finish(args, experiment, outcome, console)


def introduce(args: argparse.Namespace, experiment: Experiment, console: Console) -> None:
    """The title, and how many cells there are."""
    cells = len(list(experiment.grid.cells()))
    console.say(f"{experiment.title}: {cells:,} cells, results in {args.out}")


def finish(
    args: argparse.Namespace, experiment: Experiment, outcome: Outcome, console: Console
) -> int:
    """The cells for --json, and every one that failed by its name."""
    failed = [{"cell": experiment.grid.name(cell), "problem": why} for cell, why in outcome.failed]
    done = [{"cell": cell, "values": values} for cell, values in outcome.done]
    values = {"title": experiment.title, "computed": outcome.computed}
    files.write_json(args, console, values | {"cells": done, "failed": failed})
    console.problems += [f"{each['cell']}: {each['problem']}" for each in failed]
    return console.end()


@contextlib.contextmanager
def _executor(args: argparse.Namespace) -> Iterator[Executor | None]:
    """One cell after the other; or so many processes; or a Dask cluster."""
    if args.scheduler:
        with _cluster(args.scheduler) as client:
            yield client.get_executor()
    else:
        with processes(args.workers) as executor:
            yield executor


def processes(workers: int) -> contextlib.AbstractContextManager[Executor | None]:
    """So many processes; for one nothing at all, the cells are computed here."""
    return ProcessPoolExecutor(workers) if workers > 1 else contextlib.nullcontext()


def _cluster(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError(
            "--scheduler needs Dask, which is not installed; pip install 'mstheft[cluster]'"
        ) from error
    try:
        return Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--scheduler {address}: nobody answers there ({error}); start one"
        ) from error
