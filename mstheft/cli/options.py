"""Options that several commands have: where results go, and how chatty a command is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mstheft.cli.values import path, whole


def add_results(
    parser: Any, *, save: str = "", plot: str = "", seed: bool = False, json: bool = True
) -> None:
    """--save and --plot, where words say of what; --seed, --json, and -q."""
    add = parser.add_argument_group("results").add_argument
    if save:
        add("--save", type=path, metavar="FILE", help=f"{save}, .npz")
    if plot:
        add("--plot", type=path, metavar="DIR", help=f"{plot}, .png")
    if seed:
        add("--seed", type=whole(0), default=0, metavar="N", help="(default: 0)")
    if json:
        words = "everything that is printed, and more, as JSON; - for standard output"
        add("--json", type=path, metavar="FILE", help=words)
    add("-q", "--quiet", action="store_true", help="say only what went wrong")


def add_out(parser: Any, folder: str) -> None:
    """--out."""
    words = "(default: %(default)s)"
    parser.add_argument("--out", type=path, default=Path(folder), metavar="DIR", help=words)


def add_workers(parser: Any) -> None:
    """--workers."""
    words = "processes (default: 1)"
    parser.add_argument("--workers", type=whole(1), default=1, metavar="N", help=words)
