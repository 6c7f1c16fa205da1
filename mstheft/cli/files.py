"""Places: are they free before anything is spent, and what is kept there afterwards."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mstheft.cli.commands import version
from mstheft.cli.console import STDOUT, Console, UsageError
from mstheft.cli.options import Args
from mstheft.errors import DataError
from mstheft.nn import Network
from mstheft.report import formatting
from mstheft.report.formatting import Picture

PLACES = ("victim", "json", "save", "log", "csv", "journal", "plot")


def check_places(args: Args) -> None:
    """Before anything is spent: can everything that is asked for be written?"""
    named = {f"--{name}": getattr(args, name, None) for name in PLACES}
    places = {name: at for name, at in named.items() if isinstance(at, Path) and at != STDOUT}
    if len({at.resolve() for at in places.values()}) < len(places):
        raise UsageError(f"{', '.join(places)} name one place twice; choose others")
    for option, at in places.items():
        if option not in ("--victim", "--plot") and not (option == "--log" and at.is_file()):
            _check_file(option, at)
    save = places.get("--save")
    if save and save.suffix != ".npz":
        what = "expected a name that ends in .npz"
        raise UsageError(f"--save {save}: {what}, got {save.name!r}; add it")
    if "--plot" in places:
        make_folder("--plot", places["--plot"])


def _check_file(option: str, at: Path) -> None:
    if at.is_dir():
        raise UsageError(f"{option} {at}: expected a file, got a folder; add a file name")
    if not at.parent.is_dir():
        raise UsageError(f"{option} {at}: there is no folder {at.parent}; create it")
    _check_access(option, at, at.parent)


def _check_access(option: str, at: Path, folder: Path) -> None:
    if not os.access(folder, os.W_OK):
        raise UsageError(f"{option} {at}: the folder cannot be written to; choose another")


def make_folder(option: str, at: Path) -> None:
    """Make a folder for results, or say why there can be none."""
    try:
        at.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(f"{option} {at}: expected a folder, got a file; name another") from error
    except OSError as error:
        why = "there can be no folder" if error.strerror is None else error.strerror.lower()
        raise UsageError(f"{option} {at}: cannot be made ({why}); choose another") from error
    _check_access(option, at, at)


def keep(network: Network | None, at: Path | None, console: Console) -> Path | None:
    """Save what was paid for: there, if need be in a temporary folder. Returns where."""
    if at is None or network is None:
        return None
    try:
        network.save(at)
        return at
    except (OSError, DataError) as error:
        other = Path(tempfile.mkdtemp(prefix="mstheft-")) / at.name
        network.save(other)
        console.problems.append(f"--save {at}: {error}; the network is at {other} instead")
        return other


def write_json(args: Args, console: Console, values: dict[str, Any]) -> None:
    """What --json asks for, in the form of `report.schema.json`."""
    if args.json is None:
        return
    text = formatting.to_json({"mstheft": version(), "command": args.command, **values})
    with console.attempt("--json"):
        if args.json == STDOUT:
            console.write_json(text)
        else:
            formatting.write(args.json, text)


def write_pictures(
    args: Args, console: Console, pictures: Iterable[Picture], space: str = "\n"
) -> None:
    """What --plot asks for, as PNG files; the line that names them begins with `space`."""
    with console.attempt("--plot"):
        if args.plot:
            names = ", ".join(_written(args.plot, pictures)) or "none"
            console.say(f"{space}figures in {args.plot}: {names}")


def _written(folder: Path, pictures: Iterable[Picture]) -> Iterator[str]:
    for picture in pictures:
        formatting.write(folder / f"{picture.name}.png", picture.png)
        yield picture.name
