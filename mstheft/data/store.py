"""Where real data lies, and whether it is what its name says.

A folder holds the files under the relative names of `sources.KNOWN`, for instance
``mnist/train-images-idx3-ubyte.gz``. It is ``$MSTHEFT_DATA``, or without that variable
the user's cache folder. No file is believed before its size and checksums agree.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mstheft import progress
from mstheft.data.sources import KNOWN, SETS, KnownFile
from mstheft.errors import DataError

__all__ = [
    *("KNOWN", "SETS", "KnownFile", "Row"),
    *("check", "differs", "find", "find_any", "folder", "listing", "verify"),
]

# Files that this process has already read through, by what would change if they did.
_checked: set[tuple] = set()


def folder() -> Path:
    """Name the folder that holds the data: ``$MSTHEFT_DATA``, else the user's cache folder.

    The cache folder is ``%LOCALAPPDATA%\\mstheft\\Cache`` on Windows,
    ``~/Library/Caches/mstheft`` on macOS, and ``$XDG_CACHE_HOME/mstheft`` or
    ``~/.cache/mstheft`` elsewhere. It need not exist.
    """
    chosen = os.environ.get("MSTHEFT_DATA")
    if chosen:
        return Path(os.path.expanduser(chosen))
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local or home / "AppData" / "Local") / "mstheft" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "mstheft"
    cache = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification says that a relative path there is to be ignored.
    return (Path(cache) if os.path.isabs(cache) else home / ".cache") / "mstheft"


def find(name: str) -> Path:
    """Find a known file in the data folder and make sure that it is the published one.

    name : a key of `KNOWN`
    Returns its path.
    Raises DataError if the name is unknown, or the file is missing or differs.
    """
    return find_any(name)


def find_any(*names: str) -> Path:
    """Find the first of several known files that is there: the complete set, else its subset.

    names : keys of `KNOWN`, the preferred one first
    Returns its path, checked. A file that is there and differs is an error, even if a later
    one would do.
    Raises DataError if a name is unknown, or all are missing, or the file differs.
    """
    for name in names:
        if name not in KNOWN:
            raise DataError(f"no known data file is called {name!r}; known are {', '.join(KNOWN)}")
    for name in names:
        path = folder() / name
        if os.path.isfile(path):
            _check_known(KNOWN[name], path)
            return path
    chosen = "is set to that folder" if os.environ.get("MSTHEFT_DATA") else "is not set"
    if not os.path.isdir(folder()):
        chosen += ", but there is no such folder"
    advice = f"set MSTHEFT_DATA to a folder that holds {names[-1]}"
    for known in (KNOWN[name] for name in names if KNOWN[name].address):
        advice += f", or put {known.address} at {folder() / known.name}"
        advice += f" (`mstheft data fetch {_belongs_to(known)}` does that)"
    raise DataError(
        f"expected {' or '.join(names)} in {folder()} (MSTHEFT_DATA {chosen}), but it is not "
        f"there; {advice}"
    )


def _belongs_to(known: KnownFile) -> str:
    """Name the data set of a file."""
    return next((name for name, files in SETS.items() if known in files), known.name)


def _check_known(known: KnownFile, path: Path) -> None:
    """Compare with everything that is known about a file, which of some is nothing."""
    if known.sha256 or known.md5:
        check(path, size=known.size, sha256=known.sha256, md5=known.md5)


@dataclass(frozen=True)
class Row:
    """A line of the listing.

    belongs_to : name of the data set, for `mstheft data fetch`
    file : what is known about the file
    path : where it lies or would lie
    here : whether there is a file
    checked : whether its checksum was compared, which `verify` does where one was published
    problem : what was wrong with it then; None if nothing was
    """

    belongs_to: str
    file: KnownFile
    path: Path
    here: bool
    checked: bool = False
    problem: str | None = None


def listing() -> list[Row]:
    """List every known file and whether it is in the folder. Looks at names only, not inside."""
    return [
        Row(name, file, folder() / file.name, os.path.isfile(folder() / file.name))
        for name, files in SETS.items()
        for file in files
    ]


def verify() -> Iterator[Row]:
    """Compare every known file in the folder with its checksums, anew, with a progress bar.

    Yields a row for each file that is there, with `.problem` set where it is not the published
    one or cannot be read.
    """
    rows = [row for row in listing() if row.here]
    with progress.bar("verify", len(rows), unit="file") as bar:
        for row in rows:
            _checked.clear()
            problem = None
            try:
                _check_known(row.file, row.path)
            except DataError as error:
                problem = str(error)
            bar.update(1)
            yield replace(row, checked=bool(row.file.sha256 or row.file.md5), problem=problem)


def check(
    path: str | os.PathLike[str],
    *,
    size: int | None = None,
    sha256: str | None = None,
    md5: str | None = None,
) -> None:
    """Compare a file with its published size and checksums, as far as they are given.

    size : bytes;  sha256, md5 : hexadecimal
    A file that was found good is not read again in this process unless its time of change
    or its size differ.
    Raises ValueError if neither checksum is given, DataError if the file cannot be read or
    differs.
    """
    if sha256 is None and md5 is None:
        raise ValueError("nothing to compare with: give sha256= or md5=")
    path = Path(path)
    try:
        status = path.stat()
        key = (path.resolve(), status.st_mtime_ns, status.st_size, sha256, md5)
        known = key in _checked and size in (None, status.st_size)
        difference = None if known else differs(path, size=size, sha256=sha256, md5=md5)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    if difference:
        raise DataError(
            f"{path} is not the published file: {difference}; delete it and get it again, as an "
            "interrupted download looks like this"
        )
    _checked.add(key)


def differs(path: Path, *, size: int | None, sha256: str | None, md5: str | None) -> str | None:
    """Say in what a file differs from what is known about it, reading all of it if need be.

    Returns 'expected ..., got ...', or None if it differs in nothing. Raises OSError.
    """
    got = path.stat().st_size
    if size is not None and got != size:
        return f"expected size in bytes {size:,}, got {got:,}"
    expected = {k: v.lower() for k, v in (("sha256", sha256), ("md5", md5)) if v is not None}
    for kind, digest in _digests(path, list(expected)).items():
        if digest != expected[kind]:
            return f"expected {kind} {expected[kind]}, got {digest}"
    return None


def _digests(path: Path, kinds: list[str]) -> dict[str, str]:
    """Compute several checksums in one pass, a megabyte at a time."""
    # They tell damage from soundness and guard no secret: FIPS machines refuse MD5 otherwise.
    hashes = {kind: hashlib.new(kind, usedforsecurity=False) for kind in kinds}
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            for hash_ in hashes.values():
                hash_.update(chunk)
    return {kind: hash_.hexdigest() for kind, hash_ in hashes.items()}
