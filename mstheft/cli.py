"""The command line: reads arguments, runs a command, prints. No mathematics.

Exit status: 0 a verified copy (or what else was asked for), 1 an attack that failed or a result
that could not be written, 2 wrong arguments, 130 Ctrl-C. Each failure is one sentence.

A command is a function `(args, desk) -> status` in `COMMANDS`; its words stand in `arguments`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from mstheft import arguments, progress
from mstheft.commands import (
    detecting,
    evading,
    fighting,
    gridding,
    learned,
    learning,
    serving,
    steal,
    studying,
    touring,
    training,
    vectors,
)
from mstheft.commands.shared import Desk, Wrong
from mstheft.errors import MstheftError


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mstheft ARGUMENTS` and return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without Δ shows ? in its place
    try:
        args = arguments.build().parse_args(argv)
        watched = sys.stderr is not None and sys.stderr.isatty()
        with progress.shown(watched and not args.quiet):
            return COMMANDS[args.command](args, Desk(_teller(args), _fail, _hear))
    except SystemExit as end:
        return int(end.code or 0)
    except Wrong as error:
        return _fail(2, error)
    except KeyboardInterrupt as error:
        return _fail(130, f"stopped by Ctrl-C {error}")
    except (MstheftError, OSError, MemoryError) as error:
        return _fail(1, error)


def _fail(status: int, sentence: object) -> int:
    text = " ".join(str(sentence).split()) or type(sentence).__name__
    print(f"mstheft: {text}", file=sys.stderr)
    return status


def _say(text: str) -> None:
    """Print now. That nobody reads any more is no reason to lose what was paid for."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _hear() -> str:
    try:
        return input()
    except EOFError:
        return ""


def _teller(args: argparse.Namespace) -> Callable[[str], None]:
    return (lambda text: None) if args.quiet else _say


def _help(args: argparse.Namespace, desk: Desk) -> int:
    print(args.usage(), end="")
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace, Desk], int]] = {
    "arena": fighting.run,
    "course": learning.run,
    "data": training.data,
    "detect": detecting.run,
    "evade": evading.run,
    "grid": gridding.run,
    "help": _help,
    "learn": learned.run,
    "serve": serving.run,
    "steal": steal.run,
    "study": studying.run,
    "tour": touring.run,
    "train": training.train,
    "vectors": vectors.run,
}
