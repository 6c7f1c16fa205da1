"""`mstheft grid`: an experiment of many cells, here or on a cluster."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import Any

from mstheft.commands.shared import Desk, Wrong, arguments_of_user, folder, noted
from mstheft.experiments import experiment as experiments
from mstheft.report import tables as report


def run(args: argparse.Namespace, desk: Desk) -> int:
    """Compute what is missing; write the table; name every cell that failed."""
    with arguments_of_user():
        experiment = experiments.read(args.experiment)
        folder("--out", args.out)
    cells = list(experiment.grid.cells())
    desk.say(f"{experiment.title}: {len(cells):,} cells, results in {args.out}")
    with _executor(args) as executor:
        outcome = experiments.compute(experiment, args.out, executor=executor)
    problems: list[object] = []
    path = args.out / f"{experiment.name}.csv"
    with noted(problems, "--out"):
        report.write(path, experiments.table(outcome, list(experiment.grid.axes)))
        desk.say(f"{outcome.computed:,} computed now, {len(outcome.done):,} in {path}")
    desk.say(report.table(*experiments.overview(outcome, list(experiment.grid.axes))))
    for cell, why in outcome.failed:
        problems.append(f"{experiment.grid.name(cell)}: {why}")
    return max((desk.fail(1, each) for each in problems), default=0)


@contextlib.contextmanager
def _executor(args: argparse.Namespace) -> Iterator[Executor | None]:
    """One cell after the other; or so many processes; or a Dask cluster."""
    if args.scheduler:
        with _cluster(args.scheduler) as client:
            yield client.get_executor()
    elif args.workers > 1:
        with ProcessPoolExecutor(args.workers) as executor:
            yield executor
    else:
        yield None


def _cluster(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise Wrong(
            "--scheduler needs Dask, which is not installed; pip install 'mstheft[cluster]'"
        ) from error
    try:
        return Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise Wrong(f"--scheduler {address}: nobody answers there ({error}); start one") from error
