"""`mstheft arena`: attacks against defences and detectors, as a table and a heat map."""

from __future__ import annotations

import argparse
from typing import Any

from mstheft.cli import files, grid, options
from mstheft.cli.console import Console, usage_errors
from mstheft.cli.values import path
from mstheft.experiments.arena import arena
from mstheft.report import pictures, tables


def add_arguments(parser: Any) -> None:
    """FILE."""
    parser.set_defaults(run=run)
    words = "TOML: victim, attacks, defences, detectors"
    parser.add_argument("arena", type=path, metavar="FILE", help=words)
    options.add_out(parser, "mstheft-arena")
    options.add_workers(parser)
    options.add_results(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    """Compute what is missing; write table and picture; name every cell that failed."""
    files.check_places(args)
    with usage_errors():
        described = arena.read(args.arena)
        files.make_folder("--out", args.out)
    grid.introduce(args, described, console)
    with grid.processes(args.workers) as workers:
        outcome = arena.compute(described, args.out, executor=workers)
    table = args.out / f"{described.name}.csv"
    with console.attempt("--out"):
        tables.write(table, arena.table(outcome))
        found = arena.grouped(outcome)
        for picture in pictures.arena_pictures(found) if found else ():
            tables.write(args.out / f"{described.name}-{picture.name}.png", picture.png)
        console.say(f"{outcome.computed:,} computed now, {len(outcome.done):,} in {table}\n")
    head, rows = arena.overview(outcome)
    console.say(tables.table(head, rows, right=head[3:]))
    return grid.finish(args, described, outcome, console)
