"""`mstheft steal exact`: an exact copy learned from rows of N(0, I) that nobody chose."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np

from mstheft.cli.parser import Parser
from mstheft.cli.values import whole
from mstheft.learning import exact
from mstheft.nn import Network
from mstheft.report.pictures.exact import aligned_pictures
from mstheft.report.tables import Picture
from mstheft.result import Result
from mstheft.typing import Oracle


def add_options(parser: Parser) -> None:
    """--rows and --guess."""
    words = f"of N(0, I), 200 of them for the check (default: {exact.TIMES} F, and those)"
    parser.add_argument("--rows", type=whole(5), metavar="N", help=words)
    words = f"neurons that the thief expects (default: {exact.GUESS})"
    parser.add_argument("--guess", type=whole(1), metavar="N", help=words)
    parser.set_defaults(options=_options)


def _options(args: argparse.Namespace) -> dict[str, Any]:
    return {"rows": args.rows, "guess": args.guess}


def extract(
    oracle: Oracle, *, rows: int | None, guess: int | None, rng: np.random.Generator
) -> Result:
    """`learning.exact.extract` from so many rows of N(0, I)."""
    drawn = None if rows is None else rng.normal(size=(rows, oracle.inputs))
    return exact.extract(oracle, rows=drawn, hidden=guess, rng=rng)


def pictures(victim: Network, result: Result, side: int | None = None) -> Iterator[Picture]:
    """The weights of a verified copy beside the victim's."""
    if result.verified:
        yield from aligned_pictures(victim, result, side)
