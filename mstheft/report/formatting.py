"""The record of an attack: as a table, as JSON, and as a chapter of an HTML page.

    Result  ->  stage_rows  ->  table (terminal), Chapter (page)
            ->  record      ->  JSON

Pure functions from data to text; nothing here prints or, but for `write`, touches the disk.
"""

import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mstheft.files import write as write
from mstheft.learning.result import LearnedResult
from mstheft.plots.style import Axes
from mstheft.result import Result

STAGES = ("stage", "queries", "seconds", "found")
NUMBERS = ("queries", "seconds")  # the columns of them that hold numbers
WIDE = 5.0, 3.4  # inches: small, so that words stay readable on a phone
Row = tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """A figure for a page or a folder."""

    name: str  # of its file, without the ending
    alt: str  # a description for those who cannot see it
    caption: str  # its meaning, in plain words
    png: bytes  # the file itself


@dataclass(frozen=True)
class Chapter:
    """One part of a page."""

    title: str
    text: Sequence[str]  # paragraphs
    figures: Sequence[Picture]  # in the order of the story
    numbers: Mapping[str, str]  # {name: value}, its line in the table of all chapters
    stages: Sequence[Row]  # of `stage_rows`


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str] = ()) -> str:
    """Text in columns, as wide as they need; the columns named in `right` end on one edge."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    lines.insert(1, ["-" * width for width in widths])
    pads = [str.rjust if name in right else str.ljust for name in head]
    columns = list(zip(pads, widths, strict=True))
    rows = ([pad(cell, n) for (pad, n), cell in zip(columns, line, strict=True)] for line in lines)
    return "\n".join("  ".join(row).rstrip() for row in rows)


def stage_rows(result: Result) -> list[Row]:
    """(stage, queries, seconds, outcome) for every stage, and the sum of them."""
    notes = findings(result)
    rows = [
        (name, f"{queries:,}", f"{result.seconds.get(name, 0):.2f}", notes.get(name, ""))
        for name, queries in result.queries.items()
    ]
    copy = "a verified copy" if result.verified else "no verified copy"
    if isinstance(result, LearnedResult) and result.model is not None:
        copy = "a learned copy"
    return [*rows, ("total", f"{result.total:,}", f"{sum(result.seconds.values()):.2f}", copy)]


def stage_table(rows: Iterable[Row]) -> str:
    """The rows of `stage_rows` as text."""
    return table(STAGES, rows, NUMBERS)


def findings(result: Result) -> dict[str, str]:
    """{stage: one line on its outcome}, in the attack's own words."""
    has_error = not math.isnan(result.error)
    error = {"verify": f"off by at most {result.error:.1e}"} if has_error else {}
    return error | {name: text for name, text in result.notes.items() if text}


def chapter_text(chapter: Chapter) -> str:
    """A chapter for the terminal: its title, its stages, its numbers."""
    numbers = "\n".join(f"{name:<24}{value}" for name, value in chapter.numbers.items())
    return f"{chapter.title}\n\n{stage_table(chapter.stages)}\n\n{numbers}"


def floor_line(result: Result) -> str:
    """How thrifty the attack was: queries / F."""
    total, floor = result.total, result.floor
    spent = total - result.queries.get("verify", 0)
    ratio = f"queries / F = {total:,} / {floor:,.1f} = {total / floor:.2f}"
    return f"{ratio}   ({spent / floor:.2f} without the check on fresh rows)"


def record(result: Result) -> dict[str, Any]:
    """The record of an attack as values for JSON."""
    notes, has_floor = findings(result), not math.isnan(result.floor)
    return {
        "verified": bool(result.verified),
        "error": result.error,
        "queries": result.total,
        "seconds": sum(result.seconds.values()),
        "floor": result.floor,
        "queries_per_floor": result.total / result.floor if has_floor else None,
        "stages": [
            {"stage": name, "queries": queries, "seconds": result.seconds.get(name, 0.0)}
            | {"found": notes.get(name, "")}
            for name, queries in result.queries.items()
        ],
    }


def to_json(values: Mapping[str, Any]) -> str:
    """JSON text that every reader takes: numbers that are not finite become null."""
    return json.dumps(_plain(values), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if hasattr(value, "item"):  # a NumPy number
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def picture(name: str, ax: Axes, alt: str, caption: str) -> Picture:
    """An Axes as a `Picture`."""
    file = io.BytesIO()
    ax.get_figure().savefig(file, format="png", dpi=160)  # type: ignore[union-attr]
    return Picture(name, alt, caption, file.getvalue())
