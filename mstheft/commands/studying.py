"""`mstheft study`: the attacks under changed conditions."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from mstheft.commands.shared import Desk, check_places, noted
from mstheft.experiments import precision
from mstheft.plots.precision import error_against_digits
from mstheft.report import tables as report

WRONG = 0.05  # of logits of size 1, an error that no study should call verified


def run(args: argparse.Namespace, desk: Desk) -> int:
    """How much rounding stops which attack."""
    check_places(args)
    shape = "-".join(map(str, args.shape))
    desk.say(f"victims of shape {shape}, {args.seeds} for each kind of answer\n")
    runs = list(precision.study(args.shape, seeds=args.seeds, rng=args.seed))
    head, *rows = precision.table(runs)
    desk.say(report.table(head, rows))
    desk.say(
        "\nlargest |Δlogit| on fresh rows, the median of the copies that were verified (how many)"
    )
    wrong = [run for run in runs if run.verified and not (run.error or 0) < WRONG]
    desk.say(f"copies that were verified and are off by more than {WRONG}: {len(wrong)}")
    problems: list[object] = []
    with noted(problems, "--json"):
        if args.json:
            report.write(args.json, report.to_json({"runs": [asdict(run) for run in runs]}))
    with noted(problems, "--plot"):
        if args.plot:
            drawn = {name: ([], []) for name in head[1:]}  # type: ignore[var-annotated]
            for each in runs:
                if each.verified:
                    drawn[each.attack][0].append(each.digits)
                    drawn[each.attack][1].append(each.error)
            picture = report.picture("precision", error_against_digits(drawn), "", "")
            report.write(args.plot / "precision.png", picture.png)
            desk.say(f"figure in {args.plot}: precision")
    return max((desk.fail(1, each) for each in problems), default=0)
