"""`mstheft study`: the attacks under changed conditions."""

from collections.abc import Iterator
from dataclasses import asdict

from mstheft.cli import files, options
from mstheft.cli.console import Console
from mstheft.cli.options import USUAL, Args, Parser, add, whole, widths
from mstheft.experiments import precision
from mstheft.plots.precision import error_against_digits
from mstheft.report import formatting

WRONG = 10  # times the least possible error, which no study should call verified


def add_arguments(parser: Parser) -> None:
    """Precision."""
    kinds = parser.add_subparsers(metavar="KIND", dest="kind", required=True)
    words = "trained victims behind coarser and coarser answers"
    kind = kinds.add_parser("precision", help=words, description=f"Study {words}.")
    kind.set_defaults(run=run)
    add(kind, "--shape D-H-K", widths("784-64-10"), "(default: 64-32-10)", default=[64, 32, 10])
    add(kind, "--seeds N", whole(1), f"victims {USUAL}", default=3)
    some = "some of them (default: all)"
    for name, all_names in (("--attacks", precision.ATTACKS), ("--answers", precision.FORMS)):
        add(kind, name, list(all_names), some, nargs="+", default=list(all_names))
    options.add_results(kind, plot="error against digits", seed=True)


def run(args: Args, console: Console) -> int:
    """What coarse answers leave of each attack."""
    shape = "-".join(map(str, args.shape))
    console.say(f"trained victims of shape {shape}, {args.seeds} for each attack\n")
    chosen = {"attacks": args.attacks, "answers": args.answers}
    runs = list(precision.study(args.shape, seeds=args.seeds, rng=args.seed, **chosen))
    head, *rows = precision.table(runs)
    console.say(formatting.table(head, rows))
    what = "and after the point its rms error of an answer over the least possible (Cramér-Rao)"
    console.say("\nmedians of the copies that were verified (how many): largest |Δlogit| on fresh")
    console.say(f"rows, {what}")
    wrong = [run for run in runs if run.verified and (run.ratio or 0) > WRONG]
    console.say(f"copies that were verified and are off by over {WRONG} times that: {len(wrong)}")
    files.write_json(args, console, {"runs": [asdict(run) for run in runs]})
    files.write_pictures(args, console, _pictures(runs), space="")
    return console.end()


def _pictures(runs: list[precision.Run]) -> Iterator[formatting.Picture]:
    for output in ("logits", "probs"):
        drawn = precision.by_digits(runs, output)
        if any(errors for _, errors in drawn.values()):
            yield formatting.picture(f"precision-{output}", error_against_digits(drawn), "", "")
