"""Which files the loaders read, where they lie, whether they are sound, and how to get them.

The data folder is ``$MSTHEFT_DATA`` or the user's cache folder. Many data sets have a complete file
from the publisher, which `fetch` downloads, and a subset. The complete file comes first in the
table and is preferred. No loader reads a file before its checksum agrees.
"""

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import shorten

from mstheft import progress
from mstheft.errors import DataError
from mstheft.files import read_toml

_RETRIES = 3


@dataclass(frozen=True)
class DataFile:
    """A file that a loader can read."""

    name: str  # path below the data folder, with forward slashes
    size: int | None  # bytes; None if the publisher does not give it
    holds: str  # its content, and how much
    checksum: str | None = None  # 'sha256:…' or 'md5:…'; None if none was published
    address: str | None = None  # of the publisher's file; None if it cannot be downloaded


_TABLE = read_toml(Path(__file__).with_name("registry.toml"))
SETS = {
    name: tuple(DataFile(**{"size": None, **row}) for row in rows) for name, rows in _TABLE.items()
}
FILES = {file.name: file for files in SETS.values() for file in files}
# Files that this process has checked, with what would change if they did.
_checked: set[tuple[Path, int, int, str]] = set()


@dataclass(frozen=True)
class Row:
    """A line of the listing."""

    data_set: str  # its name, for `mstheft data fetch`
    file: DataFile  # its row in the table
    path: Path  # its place, whether it is there or not
    is_present: bool
    is_checked: bool = False  # has `verify` compared its checksum?
    problem: str | None = None  # the difference that `verify` noticed


def folder() -> Path:
    """The folder of the data, which need not exist: ``$MSTHEFT_DATA``, or the user's cache folder.

    ``%LOCALAPPDATA%\\mstheft\\Cache`` on Windows, ``~/Library/Caches/mstheft`` on macOS, and
    ``$XDG_CACHE_HOME/mstheft`` or ``~/.cache/mstheft`` elsewhere.
    """
    if chosen := os.environ.get("MSTHEFT_DATA"):
        return Path(os.path.expanduser(chosen))
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local or home / "AppData" / "Local") / "mstheft" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "mstheft"
    cache = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification ignores a relative path there.
    return (Path(cache) if os.path.isabs(cache) else home / ".cache") / "mstheft"


def locate(name: str) -> Path | None:
    """Find a file under its own name, or where torchvision and others put it, unchecked.

        mnist/train-images-idx3-ubyte            or mnist/train-images.idx3-ubyte
        MNIST/raw/train-images-idx3-ubyte        or MNIST/raw/train-images.idx3-ubyte
        cifar10/cifar-10-batches-py/test_batch   or cifar-10-batches-py/test_batch

    name : a key of `FILES`
    """
    names = [name, name.replace("-idx", ".idx")]
    names += [re.sub("^mnist/", "MNIST/raw/", each) for each in names]
    names += [re.sub("^cifar10/", "", name)]
    return next((path for each in names if (path := folder() / each).is_file()), None)


def find(*names: str) -> Path:
    """Find the first of several files that is there, and check it.

    names : keys of `FILES`, the preferred one first. A file that is there and differs from the
        published one is an error, even if a later one would do.
    Raises DataError if all are missing, or the first one that is there differs.
    """
    for name in names:
        if path := locate(name):
            check(path, FILES[name].checksum)
            return path
    data_set = next(row.data_set for row in listing() if row.file.name == names[0])
    advice = f"run `mstheft data fetch {data_set}`, or " if FILES[names[0]].address else ""
    wanted = f"{' or '.join(dict.fromkeys((names[0], names[-1])))} in {folder()}"
    raise DataError(f"expected {wanted}, got none; {advice}set MSTHEFT_DATA to its folder")


def listing() -> list[Row]:
    """List every file of the table and whether it is in the folder, without reading it."""
    return [
        Row(data_set, file, path or folder() / file.name, path is not None)
        for data_set, files in SETS.items()
        for file in files
        for path in [locate(file.name)]
    ]


def verify() -> Iterator[Row]:
    """Compare every file that is there with its checksum, anew, with a progress bar.

    Yields a row for each of them, with `.problem` set where it differs or cannot be read.
    """
    _checked.clear()
    rows = [row for row in listing() if row.is_present]
    with progress.bar("verify", len(rows), unit="file") as bar:
        for row in rows:
            problem = None
            try:
                check(row.path, row.file.checksum)
            except DataError as error:
                problem = str(error)
            bar.update(1)
            yield replace(row, is_checked=row.file.checksum is not None, problem=problem)


def check(path: Path, checksum: str | None) -> None:
    """Compare a file with its checksum; None if none was published.

    A process reads a file once, unless its time of change or its size differ.
    Raises DataError if the file differs or cannot be read.
    """
    if checksum is None:
        return
    try:
        status = path.stat()
        key = (path, status.st_mtime_ns, status.st_size, checksum)
        got = checksum if key in _checked else _checksum(path, checksum.split(":")[0])
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    if got != checksum:
        both = f"expected {checksum[:23]}…, got {got[:23]}…"
        raise DataError(f"{path}: {both}; delete the file and get it again")
    _checked.add(key)


def _checksum(path: Path, kind: str) -> str:
    """Compute a checksum, a megabyte at a time."""
    # It tells damage from soundness and guards no secret: FIPS machines refuse MD5 otherwise.
    digest = hashlib.new(kind, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return f"{kind}:{digest.hexdigest()}"


def fetch(name: str) -> list[Path]:
    """Download a data set, or one file of it, into the data folder.

    name : a key of `SETS` or of `FILES`
    Returns where the files lie. A file that is there and sound is not downloaded again.
    Raises DataError if the name is unknown, has no address, a file that is there differs, or
    a download fails.
    """
    files = SETS.get(name) or tuple(filter(None, [FILES.get(name)]))
    if not files:
        raise DataError(f"expected a data set ({', '.join(SETS)}), got {name!r}")
    if not any(file.address for file in files):
        raise DataError(f"{name} has no public address; put {files[0].name} into {folder()}")
    return [
        find(file.name) if locate(file.name) else _download(file, file.address)
        for file in files
        if file.address
    ]


def _download(file: DataFile, address: str) -> Path:
    """Download a file with pooch, which moves it to its place when its checksum agrees."""
    try:
        import pooch
    except ImportError as error:
        raise DataError("downloads need the package pooch: pip install 'mstheft[data]'") from error
    pooch.get_logger().setLevel("WARNING")
    what = {"registry": {file.name: file.checksum}, "urls": {file.name: address}}
    downloads = pooch.create(folder(), "", retry_if_failed=_RETRIES, **what)
    as_it_is = {"Accept-Encoding": "identity"}  # some servers would unpack .gz files on the way
    get = pooch.HTTPDownloader(progress.is_shown(), chunk_size=1 << 16, headers=as_it_is)
    try:
        return Path(downloads.fetch(file.name, downloader=get))
    except (OSError, ValueError) as error:  # requests' errors are OSErrors
        reason = shorten(str(error), 100)
        raise DataError(f"cannot download {address}: {reason}; nothing was installed") from error
