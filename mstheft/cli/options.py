"""Options that several commands have: where results go, and how chatty a command is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mstheft.cli.values import path, whole


def add_quiet(parser: Any) -> None:
    """-q."""
    parser.set_defaults(json=None)
    parser.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")


def add_json(parser: Any) -> None:
    """--json, and -q."""
    add_quiet(parser)
    words = "everything that is printed, and more, as JSON; - for standard output"
    parser.add_argument("--json", type=path, metavar="FILE", help=words)


def add_seed(parser: Any) -> None:
    """--seed."""
    parser.add_argument("--seed", type=whole(0), default=0, metavar="N", help="(default: 0)")


def add_plot(parser: Any, words: str) -> None:
    """--plot."""
    parser.add_argument("--plot", type=path, metavar="DIR", help=f"{words}, .png")


def add_save(parser: Any, words: str) -> None:
    """--save."""
    parser.add_argument("--save", type=path, metavar="FILE", help=f"{words}, .npz")


def add_out(parser: Any, folder: str) -> None:
    """--out."""
    out, words = Path(folder), "(default: %(default)s)"
    parser.add_argument("--out", type=path, default=out, metavar="DIR", help=words)


def add_workers(parser: Any) -> None:
    """--workers."""
    words = "processes (default: 1)"
    parser.add_argument("--workers", type=whole(1), default=1, metavar="N", help=words)
