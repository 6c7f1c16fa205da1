"""Where real data lies, and whether it is what its name says.

A folder holds the files under the relative names of `KNOWN`, for instance
``mnist/train-images-idx3-ubyte.gz``. It is ``$MSTHEFT_DATA``, or without that variable
the user's cache folder. No file is believed before its size and checksums agree.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from mstheft.errors import DataError

__all__ = ["KNOWN", "KnownFile", "check", "find", "folder"]


@dataclass(frozen=True)
class KnownFile:
    """A published file: where it lies in the folder, where it came from, what is in it.

    name : path below the data folder, with forward slashes
    address : canonical address of the original
    size : bytes
    md5, sha256 : hexadecimal checksums
    """

    name: str
    address: str
    size: int
    md5: str
    sha256: str


_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_FILES = (
    KnownFile(
        "mnist/train-images-idx3-ubyte.gz",
        _MNIST + "train-images-idx3-ubyte.gz",
        9_912_422,
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    KnownFile(
        "mnist/train-labels-idx1-ubyte.gz",
        _MNIST + "train-labels-idx1-ubyte.gz",
        28_881,
        "d53e105ee54ea40749a09fcbcd1e9432",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    KnownFile(
        "mnist/t10k-images-idx3-ubyte.gz",
        _MNIST + "t10k-images-idx3-ubyte.gz",
        1_648_877,
        "9fb629c4189551a2d022fa330f9573f3",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    KnownFile(
        "mnist/t10k-labels-idx1-ubyte.gz",
        _MNIST + "t10k-labels-idx1-ubyte.gz",
        4_542,
        "ec29112dd5afa0611ce80d1b7f02629c",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
)
KNOWN = {file.name: file for file in _FILES}

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
    if name not in KNOWN:
        raise DataError(f"no known data file is called {name!r}; known are {', '.join(KNOWN)}")
    known = KNOWN[name]
    path = folder() / name
    if not os.path.isfile(path):
        chosen = "is set to that folder" if os.environ.get("MSTHEFT_DATA") else "is not set"
        raise DataError(
            f"expected {name} in {folder()} (MSTHEFT_DATA {chosen}), but it is not there; set "
            f"MSTHEFT_DATA to a folder that holds {name}, or put {known.address} at {path}"
        )
    check(path, size=known.size, sha256=known.sha256, md5=known.md5)
    return path


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
        if size is not None and status.st_size != size:
            raise _differs(path, "size in bytes", f"{size:,}", f"{status.st_size:,}")
        key = (path.resolve(), status.st_mtime_ns, status.st_size, sha256, md5)
        if key in _checked:
            return
        expected = {k: v.lower() for k, v in (("sha256", sha256), ("md5", md5)) if v is not None}
        for kind, digest in _digests(path, list(expected)).items():
            if digest != expected[kind]:
                raise _differs(path, kind, expected[kind], digest)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    _checked.add(key)


def _digests(path: Path, kinds: list[str]) -> dict[str, str]:
    """Compute several checksums in one pass, a megabyte at a time."""
    # They tell damage from soundness and guard no secret: FIPS machines refuse MD5 otherwise.
    hashes = {kind: hashlib.new(kind, usedforsecurity=False) for kind in kinds}
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            for hash_ in hashes.values():
                hash_.update(chunk)
    return {kind: hash_.hexdigest() for kind, hash_ in hashes.items()}


def _differs(path: Path, what: str, expected: str, got: str) -> DataError:
    """Build the error for a file that is not the published one."""
    return DataError(
        f"{path} is not the published file: expected {what} {expected}, got {got}; "
        "delete it and get it again, as an interrupted download looks like this"
    )
