"""`mstheft tour`: all chapters, and the page."""

import time

from mstheft.cli import files, options
from mstheft.cli.console import Console
from mstheft.cli.options import Args, Parser
from mstheft.report import tour


def add_arguments(parser: Parser) -> None:
    """[--out DIR]."""
    parser.set_defaults(run=run)
    options.add_out(parser, "mstheft-tour")
    options.add_results(parser, seed=True)


def run(args: Args, console: Console) -> int:
    """All chapters, and the page."""
    files.make_folder("--out", args.out)
    began = time.perf_counter()
    chapters = tour.chapters(tour.Setting(seed=args.seed), console.say)
    page = tour.write(args.out, chapters)
    took = time.perf_counter() - began
    console.say(f"\n{page} written after {took:.0f} s; open it in a browser")
    record = [{"title": each.title, "numbers": dict(each.numbers)} for each in chapters]
    files.write_json(args, console, {"page": str(page), "chapters": record})
    return console.end()
