"""`mstheft tour`: all chapters, and the page."""

from __future__ import annotations

import argparse
import time

from mstheft.commands.shared import Desk, arguments_of_user
from mstheft.report import tour


def run(args: argparse.Namespace, desk: Desk) -> int:
    """All chapters, and the page."""
    with arguments_of_user():
        args.out.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    path = tour.run(args.out, tour.Setting(seed=args.seed), desk.say)
    desk.say(f"\n{path} written after {time.perf_counter() - began:.0f} s; open it in a browser")
    return 0
