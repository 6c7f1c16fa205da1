"""Where a command speaks: what it found, what went wrong, and the values of --json."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

STDOUT = Path("-")  # --json - is standard output


class UsageError(Exception):
    """The user has asked for something that cannot be: status 2."""


@contextlib.contextmanager
def usage_errors() -> Iterator[None]:
    """What goes wrong inside was a wrong argument."""
    try:
        yield
    except (ValueError, OSError, MemoryError) as error:
        short = isinstance(error, MemoryError)
        text = "not enough memory for that; choose less" if short else str(error)
        raise UsageError(text) from error


@dataclass
class Console:
    """A command's mouth and ear.

    quiet : say only what went wrong
    json : the place of --json; where that is standard output, text goes to standard error
    problems : what went wrong and stopped nothing; told at the end
    """

    quiet: bool = False
    json: Path | None = None
    problems: list[object] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Print now."""
        if not self.quiet:
            _print(text, sys.stderr if self.json == STDOUT else sys.stdout)

    def fail(self, status: int, sentence: object) -> int:
        """Tell what went wrong in one sentence; returns the status."""
        text = " ".join(str(sentence).split()) or type(sentence).__name__
        print(f"mstheft: {text}", file=sys.stderr)
        return status

    def answer(self) -> str:
        """The line that somebody types in answer, '' if nobody is there."""
        try:
            return input()
        except EOFError:
            return ""

    def write_json(self, text: str) -> None:
        """Print the text of --json on standard output."""
        _print(text.rstrip("\n"), sys.stdout)

    @contextlib.contextmanager
    def attempt(self, option: str) -> Iterator[None]:
        """What cannot be written is told at the end and stops nothing else."""
        try:
            yield
        except (OSError, ValueError) as error:
            self.problems.append(f"{option}: {error}")

    def end(self, status: int = 1) -> int:
        """Tell all problems; returns the status, 0 if there were none."""
        return max((self.fail(status, each) for each in self.problems), default=0)


def _print(text: str, stream: TextIO) -> None:
    """Print now. That nobody reads any more is no reason to lose what was paid for."""
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
