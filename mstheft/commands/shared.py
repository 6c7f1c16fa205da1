"""What the commands share: how they speak, and how what goes wrong is said."""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mstheft.defend import named
from mstheft.errors import DataError
from mstheft.nn import Network
from mstheft.typing import Rng


@dataclass(frozen=True)
class Desk:
    """Where a command speaks: `say` for what it found, `fail(status, sentence) -> status`.

    hear : the line that somebody types in answer, '' if nobody is there
    """

    say: Callable[[str], None]
    fail: Callable[[int, object], int]
    hear: Callable[[], str] = str


class Wrong(Exception):
    """The user has asked for something that cannot be: status 2."""


@contextlib.contextmanager
def arguments_of_user() -> Iterator[None]:
    """What goes wrong inside was a wrong argument."""
    try:
        yield
    except (ValueError, OSError, MemoryError) as error:
        short = isinstance(error, MemoryError)
        raise Wrong("not enough memory for that; choose less" if short else str(error)) from error


@contextlib.contextmanager
def noted(problems: list[object], option: str) -> Iterator[None]:
    """What cannot be written is told at the end and stops nothing else."""
    try:
        yield
    except (OSError, ValueError) as error:
        problems.append(f"{option}: {error}")


def keep(network: Network, path: Path | None, problems: list[object]) -> Path | None:
    """Save what was paid for: at `path`, if need be in a temporary folder. Returns where."""
    if path is None:
        return None
    try:
        network.save(path)
        return path
    except (OSError, DataError) as error:
        other = Path(tempfile.mkdtemp(prefix="mstheft-")) / path.name
        network.save(other)
        problems.append(f"--save {path}: {error}; the network is at {other} instead")
        return other


def check_places(args: argparse.Namespace) -> None:
    """Before anything is spent: can everything that is asked for be written?"""
    names = ("model", "victim_file", "json", "save", "log", "journal", "plot")
    said = {f"--{name.removesuffix('_file')}": getattr(args, name, None) for name in names}
    places = [path.resolve() for path in said.values() if isinstance(path, Path)]
    if len(set(places)) < len(places):
        raise Wrong(f"{', '.join(n for n in said if said[n])} name one place twice; choose others")
    for option in ("--json", "--save", "--log", "--journal"):
        path = said[option]
        if path is None or (option == "--log" and path.is_file()):
            continue
        if path.is_dir():
            raise Wrong(f"{option} {path}: expected a file, got a folder; add a file name")
        if not path.parent.is_dir():
            raise Wrong(f"{option} {path}: there is no folder {path.parent}; create it")
        if not os.access(path.parent, os.W_OK):
            raise Wrong(f"{option} {path}: the folder cannot be written to; choose another")
    save = said["--save"]
    if save and save.suffix != ".npz":
        raise Wrong(f"--save {save}: expected a name that ends in .npz, got {save.name!r}; add it")
    if plot := said["--plot"]:
        folder("--plot", plot)


def folder(option: str, path: Path) -> None:
    """Make a folder for results, or say why there can be none."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise Wrong(f"{option} {path}: expected a folder, got a file; name another") from error


@contextlib.contextmanager
def journal_of(path: Path | None, victim: Any, about: dict[str, Any]) -> Iterator[Any]:
    """The journal at `path`, or None without one.

    victim : a Network, or the client of a service
    about : what tells this run from others; the victim's fingerprint is added to it
    """
    if path is None:
        yield None
        return
    from mstheft.oracle import fingerprint
    from mstheft.oracle.http.journal import Journal

    known = fingerprint.victim(victim)
    with arguments_of_user():
        journal = Journal(path, {**about, "victim": known})
    with journal:
        yield journal


def defences_of(words: str | None, victim: Network, rng: Rng) -> list[Any]:
    """The defences that --defence names, for an oracle over this victim."""
    if words is None:
        return []
    return named.named(words, inputs=victim.inputs, classes=max(2, victim.outputs), rng=rng)


def journal_line(journal: Any) -> str:
    """What a journal saved."""
    return f"journal: {journal.replayed:,} rows told again at no cost, {journal.paid:,} asked\n"
