"""`mstheft study`: the attacks under changed conditions."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from mstheft.cli import files, options
from mstheft.cli.console import Console
from mstheft.cli.options import USUAL, Args, Parser, add, whole, widths
from mstheft.experiments import precision
from mstheft.plots.precision import error_against_digits
from mstheft.report import tables

WRONG = 0.05  # of logits of size 1, an error that no study should call verified


def add_arguments(parser: Parser) -> None:
    """Precision."""
    kinds = parser.add_subparsers(metavar="KIND", dest="kind", required=True)
    words = "the same victims behind coarser and coarser answers"
    kind = kinds.add_parser("precision", help=words, description=f"Study {words}.")
    kind.set_defaults(run=run)
    add(kind, "--shape D-H-K", widths("784-64-10"), "(default: 30-8-4)", default=[30, 8, 4])
    add(kind, "--seeds N", whole(1), f"victims {USUAL}", default=3)
    options.add_results(kind, plot="error against digits", seed=True)


def run(args: Args, console: Console) -> int:
    """How much rounding stops which attack."""
    shape = "-".join(map(str, args.shape))
    console.say(f"victims of shape {shape}, {args.seeds} for each kind of answer\n")
    runs = list(precision.study(args.shape, seeds=args.seeds, rng=args.seed))
    head, *rows = precision.table(runs)
    console.say(tables.table(head, rows))
    what = "the median of the copies that were verified (how many)"
    console.say(f"\nlargest |Δlogit| on fresh rows, {what}")
    wrong = [run for run in runs if run.verified and not (run.error or 0) < WRONG]
    console.say(f"copies that were verified and are off by more than {WRONG}: {len(wrong)}")
    files.write_json(args, console, {"runs": [asdict(run) for run in runs]})
    files.write_pictures(args, console, _pictures(runs, head[1:]), space="")
    return console.end()


def _pictures(runs: list[precision.Run], attacks: Sequence[str]) -> Iterator[tables.Picture]:
    drawn: dict[str, Any] = {name: ([], []) for name in attacks}
    for each in runs:
        if each.verified:
            drawn[each.attack][0].append(each.digits)
            drawn[each.attack][1].append(each.error)
    yield tables.picture("precision", error_against_digits(drawn), "", "")
