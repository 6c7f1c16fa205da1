"""The command line: reads arguments, runs a command, prints. No mathematics.

Exit status: 0 a verified copy (or what else was asked for), 1 an attack that failed, an alarm, or a
result that could not be written, 2 wrong arguments, 130 Ctrl-C. Each failure is one sentence.

A command is a file of its own: `add_arguments(parser)` says what it takes, and what runs it. The
table of all commands stands in `commands`.
"""

import sys
from collections.abc import Sequence

from mstheft import progress
from mstheft.cli import commands
from mstheft.cli.console import Console, UsageError, usage_errors
from mstheft.errors import MstheftError


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mstheft ARGUMENTS` and return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without Δ shows ? in its place
    words = list(sys.argv[1:] if argv is None else argv)
    console = Console()
    try:
        args = commands.parser_for(words).parse_args(words)
        console = Console(args.quiet, args.json)
        watched = sys.stderr is not None and sys.stderr.isatty()
        with usage_errors():
            from mstheft.cli import files  # not before --help has been answered

            args.check(args)
            files.check_places(args)
        with progress.shown(watched and not args.quiet):
            return int(args.run(args, console))
    except SystemExit as end:
        return int(end.code or 0)
    except UsageError as error:
        return console.fail(2, error)
    except KeyboardInterrupt as error:
        return console.fail(130, f"stopped by Ctrl-C {error}")
    except (MstheftError, OSError, MemoryError) as error:
        return console.fail(1, error)
