"""`mstheft tour`: all chapters, and the page."""

from __future__ import annotations

import argparse
import time
from typing import Any

from mstheft.cli import files, options
from mstheft.cli.console import Console
from mstheft.report import tour


def add_arguments(parser: Any) -> None:
    """[--out DIR]."""
    parser.set_defaults(run=run)
    options.add_out(parser, "mstheft-tour")
    options.add_results(parser, seed=True)


def run(args: argparse.Namespace, console: Console) -> int:
    """All chapters, and the page."""
    files.check_places(args)
    files.make_folder("--out", args.out)
    began = time.perf_counter()
    chapters = tour.chapters(tour.Setting(seed=args.seed), console.say)
    page = tour.write(args.out, chapters)
    took = time.perf_counter() - began
    console.say(f"\n{page} written after {took:.0f} s; open it in a browser")
    told = [{"title": each.title, "numbers": dict(each.numbers)} for each in chapters]
    files.write_json(args, console, {"page": str(page), "chapters": told})
    return console.end()
