"""`mstheft detect`: would a service have noticed these queries?"""

from __future__ import annotations

import argparse
import zipfile

import numpy as np

from mstheft.commands.shared import Desk, Wrong, arguments_of_user, check_places, noted
from mstheft.defend.prada import ENOUGH, Detector
from mstheft.plots import detection
from mstheft.report import tables as report


def run(args: argparse.Namespace, desk: Desk) -> int:
    """Replay logged queries past PRADA, and say when it gave the alarm."""
    check_places(args)
    queries, labels = _logged(args)
    detector = Detector(args.delta)
    with arguments_of_user():
        detector.observe(queries, labels)
    few = f"no verdict: a test takes more than {ENOUGH} distances that are not all equal"
    w = few if detector.w is None else f"W = {detector.w:.3f}"
    desk.say(f"{len(queries):,} queries, {len(detector.distances):,} distances, {w}")
    if detector.first_alarm is None and detector.w is not None:
        desk.say(f"no alarm: W stayed at {args.delta} or above")
    elif detector.first_alarm is not None:
        desk.say(f"alarm after {detector.first_alarm:,} queries: W fell below {args.delta}")
    problems: list[object] = []
    with noted(problems, "--plot"):
        if args.plot:
            history = detector.history
            drawn = {
                "distances": detection.distances(detector.tested(), w=detector.w),
                "over_queries": detection.over_queries(
                    {"these queries": (history.queries, history.w)}, delta=args.delta
                ),
            }
            for name, ax in drawn.items():
                picture = report.picture(name, ax, "", "")
                report.write(args.plot / f"{name}.png", picture.png)
            desk.say(f"figures in {args.plot}: {', '.join(drawn)}")
    return max((desk.fail(1, each) for each in problems), default=0)


def _logged(args: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Rows and labels of `mstheft steal … --log`, or of anybody's own npz file."""
    try:
        with np.load(args.log, allow_pickle=False) as file:
            return file["queries"], file["labels"]
    except (TypeError, OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise Wrong(
            f"--log {args.log}: expected an .npz file with the arrays queries (n, d) and labels "
            f"(n,), got {type(error).__name__}; write one with mstheft steal active --log or "
            "steal jacobian --log"
        ) from error
