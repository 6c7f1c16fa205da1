"""Where the benchmarks write: the tables of RESULTS.md, each between two marks with its name.

    <!-- benchmark: NAME -->
    | victim | … |
    <!-- /benchmark -->

A script prints its table inside `recorded(NAME)`. If the run was a whole one and came to its end,
what was printed replaces what stood between the marks. What a table does not hold (a seed that
failed, how far a run is) is printed with `aside`, to standard error.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
FIGURES = Path(__file__).parents[2] / "tutorials" / "figures"


@dataclass
class Record:
    """What is being recorded. whole : False keeps the table that is there."""

    whole: bool


@contextlib.contextmanager
def recorded(name: str, *, whole: bool = True, path: Path = RESULTS) -> Iterator[Record]:
    """Print as ever, and put what was printed into the block NAME of RESULTS.md.

    whole : was everything measured that the table holds? If not, nothing is written
    Raises KeyError at once if there is no such block.
    """
    block(name, path)
    record, seen = Record(whole), _Both(sys.stdout)
    with contextlib.redirect_stdout(seen):
        yield record
    if record.whole:
        write(name, seen.getvalue(), path)
        aside(f"written: {name} in {path.name}")
    else:
        aside(f"not written, since this was not a whole run: {name} in {path.name}")


class _Both(io.StringIO):
    """Keeps what is printed, and shows it."""

    def __init__(self, screen: io.TextIOBase) -> None:
        super().__init__()
        self.screen = screen

    def write(self, text: str) -> int:
        self.screen.write(text)
        self.screen.flush()
        return super().write(text)


def block(name: str, path: Path = RESULTS) -> str:
    """What stands between the marks of this name."""
    return _find(name, path.read_text(encoding="utf-8"), path).group(2)


def write(name: str, text: str, path: Path = RESULTS) -> None:
    """Replace what stands between the marks of this name."""
    whole = path.read_text(encoding="utf-8")
    found = _find(name, whole, path)
    text = "\n".join(line.rstrip() for line in text.strip().splitlines())
    path.write_text(whole[: found.start(2)] + text + whole[found.end(2) :], encoding="utf-8")


def _find(name: str, text: str, path: Path) -> re.Match[str]:
    marks = rf"(<!-- benchmark: {re.escape(name)} -->\n)(.*?)(\n<!-- /benchmark -->)"
    found = re.search(marks, text, re.DOTALL)
    if found is None:
        raise KeyError(f"{path.name} has no <!-- benchmark: {name} --> … <!-- /benchmark -->")
    return found


def aside(text: str) -> None:
    """Tell whoever waits, not the table."""
    print(text, file=sys.stderr, flush=True)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    first, *others = (f"| {' | '.join(row)} |" for row in (head, *rows))
    return "\n".join([first, "|" + "---|" * len(head), *others])


def percent(shares: Sequence[float], digits: int = 1) -> str:
    """'62.0 % (55.0 to 70.1)': mean, lowest and highest; the mean alone where all are the same."""
    low, high, mean = (f"{100 * s:.{digits}f}" for s in (min(shares), max(shares), _mean(shares)))
    return f"{mean} %" if low == high else f"{mean} % ({low} to {high})"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
