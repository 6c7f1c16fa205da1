"""What the commands share: how they speak, and how what goes wrong is said."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mstheft.nn import Network


@dataclass(frozen=True)
class Desk:
    """Where a command speaks: `say` for what it found, `fail(status, sentence) -> status`."""

    say: Callable[[str], None]
    fail: Callable[[int, object], int]


class Wrong(Exception):
    """The user has asked for something that cannot be: status 2."""


@contextlib.contextmanager
def arguments_of_user() -> Iterator[None]:
    """What goes wrong inside was a wrong argument."""
    try:
        yield
    except (ValueError, OSError, MemoryError) as error:
        raise Wrong(str(error) or "not enough memory; choose a smaller victim") from error


@contextlib.contextmanager
def noted(problems: list[object], option: str) -> Iterator[None]:
    """What cannot be written is told at the end and stops nothing else."""
    try:
        yield
    except (OSError, ValueError) as error:
        problems.append(f"{option}: {error}")


def check_places(args: argparse.Namespace) -> None:
    """Before anything is spent: can everything that is asked for be written?"""
    named = {
        f"--{name}": getattr(args, name, None) for name in ("model", "json", "save", "journal")
    }
    places = [path.resolve() for path in named.values() if path]
    if len(set(places)) < len(places):
        raise Wrong(
            "--model, --json, --save and --journal name one file twice; choose different names"
        )
    for option, path in named.items():
        if option == "--model":
            continue
        if path and (not path.parent.is_dir() or path.is_dir()):
            raise Wrong(f"{option} {path}: expected a file in a folder that exists; create it")
        if path and not os.access(path.parent, os.W_OK):
            raise Wrong(f"{option} {path}: the folder cannot be written to; choose another")
    if args.plot:
        args.plot.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def journal_of(path: Path | None, victim: Network, about: dict[str, Any]) -> Iterator[Any]:
    """The journal at `path`, or None without one.

    about : what tells this run from others; the victim's parameters are added to it
    """
    if path is None:
        yield None
        return
    from mstheft.oracle.journal import Journal

    content = hashlib.sha256()
    for name, values in victim.parameters().items():
        content.update(name.encode() + values.tobytes())
    with arguments_of_user():
        journal = Journal(path, {**about, "victim": content.hexdigest()[:16]})
    with journal:
        yield journal


def journal_line(journal: Any) -> str:
    """What a journal saved."""
    return f"journal: {journal.replayed:,} rows told again at no cost, {journal.paid:,} asked\n"
