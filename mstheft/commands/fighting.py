"""`mstheft arena`: attacks against defences and detectors, as a table and a heat map."""

from __future__ import annotations

import argparse
import contextlib
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager

from mstheft.commands.shared import Desk, arguments_of_user, folder, noted
from mstheft.experiments.arena import arena
from mstheft.report import pictures as figures
from mstheft.report import tables as report


def run(args: argparse.Namespace, desk: Desk) -> int:
    """Compute what is missing; write table and picture; name every cell that failed."""
    with arguments_of_user():
        described = arena.read(args.arena)
        folder("--out", args.out)
    cells = len(list(described.grid.cells()))
    desk.say(f"{described.title}: {cells:,} cells, results in {args.out}")
    executor: AbstractContextManager[Executor | None] = contextlib.nullcontext()
    if args.workers > 1:
        executor = ProcessPoolExecutor(args.workers)
    with executor as workers:
        outcome = arena.compute(described, args.out, executor=workers)
    problems: list[object] = []
    path = args.out / f"{described.name}.csv"
    with noted(problems, "--out"):
        report.write(path, arena.table(outcome))
        found = arena.grouped(outcome)
        for picture in figures.arena_pictures(found) if found else ():
            report.write(args.out / f"{described.name}-{picture.name}.png", picture.png)
        desk.say(f"{outcome.computed:,} computed now, {len(outcome.done):,} in {path}\n")
    head, rows = arena.overview(outcome)
    desk.say(report.table(head, rows, right=head[3:]))
    for cell, why in outcome.failed:
        problems.append(f"{described.grid.name(cell)}: {why}")
    return max((desk.fail(1, each) for each in problems), default=0)
