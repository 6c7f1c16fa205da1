"""`mstheft detect`: would a service have noticed these queries?"""

from collections.abc import Iterator
from typing import Any

from mstheft.cli import files, logs, options
from mstheft.cli.console import Console, usage_errors
from mstheft.cli.options import USUAL, Args, Parser, add, path, share
from mstheft.defend.prada import ENOUGH, Detector
from mstheft.plots import detection
from mstheft.report import formatting


def add_arguments(parser: Parser) -> None:
    """Prada --log FILE."""
    kinds = parser.add_subparsers(metavar="KIND", dest="kind", required=True)
    words = "by the distances between queries; status 1 is an alarm"
    prada = kinds.add_parser("prada", help=words, description=f"PRADA, {words}.")
    prada.set_defaults(run=run)
    add(prada, "--log FILE", path, "by mstheft steal KIND --log", required=True)
    add(prada, "--delta D", share, f"alarm below {USUAL}", default=0.9)
    words = "the distances to all earlier queries, not to a growing set of them"
    prada.add_argument("--every", action="store_true", help=words)
    options.add_results(prada, plot="histogram and W over time")


def run(args: Args, console: Console) -> int:
    """Replay logged queries past PRADA, and say when it gave the alarm: then the status is 1."""
    log = logs.read(args, "queries", "labels")
    queries, labels = log["queries"], log["labels"]
    detector = Detector(args.delta, args.every)
    with usage_errors():
        detector.observe(queries, labels)
    few = f"no verdict, which is no acquittal: a test takes more than {ENOUGH} distances"
    w = few if detector.w is None else f"W = {detector.w:.3f}"
    console.say(f"{len(queries):,} queries, {len(detector.distances):,} distances, {w}")
    alarm = detector.first_alarm
    if alarm is not None:
        equal = detector.reason == "equal distances"
        why = "their distances are equal" if equal else f"W fell below {args.delta}"
        console.say(f"alarm after {alarm:,} queries: {why}")
    elif detector.w is not None:
        console.say(f"no alarm: W stayed at {args.delta} or above")
    values: dict[str, Any] = {"queries": len(queries), "distances": len(detector.distances)}
    values |= {"w": detector.w, "delta": args.delta, "every": args.every, "reason": detector.reason}
    files.write_json(args, console, values | {"alarm": alarm})
    files.write_pictures(args, console, _pictures(args, detector), space="")
    return max(console.end(), int(alarm is not None))


def _pictures(args: Args, detector: Detector) -> Iterator[formatting.Picture]:
    ax = detection.distances(detector.tested(), w=detector.w)
    yield formatting.picture("distances", ax, "", "")
    history = {"these queries": (detector.history.queries, detector.history.w)}
    ax = detection.over_queries(history, delta=args.delta)
    yield formatting.picture("over_queries", ax, "", "")
