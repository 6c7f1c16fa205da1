"""`mstheft grid`: an experiment of many cells, here or on a cluster."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import Any

from mstheft.cli import files, options
from mstheft.cli.console import Console, UsageError, usage_errors
from mstheft.cli.options import Args, Parser, add, path
from mstheft.experiments import experiment as experiments
from mstheft.experiments.experiment import Experiment
from mstheft.experiments.grid import Outcome
from mstheft.report import formatting


def add_arguments(parser: Parser) -> None:
    """FILE."""
    parser.set_defaults(run=run)
    add(parser, "experiment FILE", path, "TOML: title, claim, [axes], [fixed]")
    options.add_out(parser, "mstheft-grid")
    options.add_workers(parser)
    add(parser, "--scheduler ADDRESS", str, "a Dask cluster's")
    options.add_results(parser)


def run(args: Args, console: Console) -> int:
    """Compute what is missing; write the table; name every cell that failed."""
    with usage_errors():
        experiment = experiments.read(args.experiment)
        files.make_folder("--out", args.out)
    introduce(args, experiment, console)
    with executor(args) as workers:
        outcome = experiments.compute(experiment, args.out, executor=workers)
    axes, table = list(experiment.grid.axes), args.out / f"{experiment.name}.csv"
    with console.attempt("--out"):
        formatting.write(table, experiments.table(outcome, axes))
        console.say(f"{outcome.computed:,} computed now, {len(outcome.done):,} in {table}")
    console.say(formatting.table(*experiments.overview(outcome, axes)))
    return finish(args, experiment, outcome, console)


def introduce(args: Args, experiment: Experiment, console: Console) -> None:
    """The title, and how many cells there are."""
    cells = len(list(experiment.grid.cells()))
    console.say(f"{experiment.title}: {cells:,} cells, results in {args.out}")


def finish(args: Args, experiment: Experiment, outcome: Outcome, console: Console) -> int:
    """The cells for --json, and every one that failed by its name."""
    failed = [{"cell": experiment.grid.name(cell), "problem": why} for cell, why in outcome.failed]
    done = [{"cell": cell, "values": values} for cell, values in outcome.done]
    values = {"title": experiment.title, "computed": outcome.computed}
    files.write_json(args, console, values | {"cells": done, "failed": failed})
    console.problems += [f"{each['cell']}: {each['problem']}" for each in failed]
    return console.end()


@contextlib.contextmanager
def executor(args: Args) -> Iterator[Executor | None]:
    """One cell after the other; or so many processes; or a Dask cluster."""
    if getattr(args, "scheduler", None):
        with _cluster(args.scheduler) as client:
            yield client.get_executor()
    elif args.workers > 1:
        with ProcessPoolExecutor(args.workers) as processes:
            yield processes
    else:
        yield None


def _cluster(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError("--scheduler needs Dask; pip install 'mstheft[cluster]'") from error
    try:
        return Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        why = f"nobody answers there ({error})"
        raise UsageError(f"--scheduler {address}: {why}; start one") from error
