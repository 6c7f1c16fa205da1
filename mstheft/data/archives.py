"""Reading `.tar.gz` and `.zip` archives from strangers, into memory and in order.

Nothing is ever written to disk, so a hostile archive can neither place a file nor follow a
link. What remains is to believe no number in it: how many members there are, how large each
is, and how large they are together is bounded before a byte is unpacked.
"""

from __future__ import annotations

import gzip
import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from mstheft.errors import DataError

__all__ = ["Limits", "members"]

_BLOCK = 512  # a tar archive is a sequence of blocks of this size
_MOST_NOTE = 1 << 16  # bytes of a long name or of extended headers
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What an archive may hold at most; the largest known ones stay far below.

    members : entries, folders included (IMDB has 100,000, Tiny ImageNet 120,000)
    each : unpacked bytes of one member (a CIFAR-10 batch has 31 MB)
    total : unpacked bytes of all members (IMDB has 0.5 GB)
    """

    members: int = 250_000
    each: int = 1 << 26
    total: int = 1 << 30


def members(
    path: str | os.PathLike[str],
    wanted: Callable[[str], bool] | None = None,
    *,
    limits: Limits | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Go through the files in a `.tar.gz` or `.zip` archive, in the order in which they lie there.

    path : the archive; its first bytes tell which kind it is, not its name
    wanted : name -> bool, which files to return; all unless given. The others are passed over
        but checked and counted all the same.
    limits : see `Limits`
    Yields (name, content); names have forward slashes and no leading ``./``.
    Raises DataError, at the member where it is noticed, if the archive is missing, damaged, cut
    short or beyond the limits, if a name leads outside (``..``, absolute, with a drive), or if a
    member is anything but a plain file or folder (a link, a device, encrypted).
    """
    path = Path(path)
    wanted = wanted or (lambda name: True)
    if not os.path.isfile(path):
        raise DataError(f"expected an archive at {path}, where there is no file; check the path")
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            file.seek(0)
            if magic[:2] == b"\x1f\x8b":
                with gzip.open(file) as unpacked:
                    yield from _tar(
                        cast(IO[bytes], unpacked), wanted, _Gate(path, limits or Limits())
                    )
            elif magic[:2] == b"PK":
                yield from _zip(file, wanted, _Gate(path, limits or Limits()))
            else:
                got = magic.hex(" ") or "an empty file"
                raise _wrong(path, "a .tar.gz (1f 8b) or .zip (50 4b) archive", got)
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, struct.error) as error:
        raise _wrong(path, "a whole archive", f"damaged data ({error})") from error
    except (RuntimeError, NotImplementedError) as error:  # zipfile's words for unknown features
        raise _wrong(path, "an ordinary archive", str(error)) from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def _wrong(path: Path, expected: str, got: str) -> DataError:
    """Build the error for an archive that is not what it should be."""
    return DataError(f"{path}: expected {expected}, got {got}; get the archive again")


class _Gate:
    """Judges each member before it is read, and keeps count."""

    def __init__(self, path: Path, limits: Limits):
        self.path, self.limits = path, limits
        self.count = self.total = 0

    def let_in(self, name: str, size: int) -> str:
        """Return the member's clean name, or raise DataError."""
        self.count += 1
        self.total += size
        limits = self.limits
        if self.count > limits.members:
            raise _wrong(self.path, f"at most {limits.members:,} members", "more")
        if not 0 <= size <= limits.each:
            raise _wrong(
                self.path, f"at most {limits.each:,} bytes a member", f"{size:,} in {name!r}"
            )
        if self.total > limits.total:
            raise _wrong(self.path, f"at most {limits.total:,} bytes in all", "more")
        parts = name.replace("\\", "/").split("/")
        if name[:1] in ("", "/", "\\") or ".." in parts or re.match("[A-Za-z]:|.*\0", name, re.S):
            raise _wrong(self.path, "names that stay inside the archive", repr(name))
        return "/".join(part for part in parts if part not in ("", "."))

    def refuse(self, name: str, kind: str) -> DataError:
        """Build the error for a member that is no plain file."""
        return _wrong(self.path, "plain files and folders only", f"{kind} called {name!r}")


def _read(file: IO[bytes], size: int, path: Path) -> bytes:
    """Read exactly `size` bytes, taking memory only for what is really there."""
    content = bytearray()
    while len(content) < size:
        chunk = file.read(min(size - len(content), _CHUNK))
        if not chunk:
            raise _wrong(path, f"{size:,} more bytes", f"only {len(content):,} before its end")
        content += chunk
    return bytes(content)


def _zip(
    file: IO[bytes], wanted: Callable[[str], bool], gate: _Gate
) -> Iterator[tuple[str, bytes]]:
    """Go through a zip archive, by its directory."""
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            name = gate.let_in(info.filename, info.file_size)
            mode = stat.S_IFMT(info.external_attr >> 16)
            if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise gate.refuse(name, "a link or device")
            if info.flag_bits & 1:
                raise gate.refuse(name, "an encrypted file")
            # Only these two are unpacked by no more than is asked for.
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise gate.refuse(name, f"a file with compression {info.compress_type}")
            if not info.is_dir() and wanted(name):
                with archive.open(info) as member:
                    content = _read(member, info.file_size, gate.path)
                    member.read(1)  # reaching the end is what compares the checksum
                yield name, content


def _tar(
    file: IO[bytes], wanted: Callable[[str], bool], gate: _Gate
) -> Iterator[tuple[str, bytes]]:
    """Go through an unpacked tar archive, block by block.

        header (512 bytes: name, size, kind, checksum) | content, filled up to 512 | header ...

    `tarfile` alone takes a damaged header in the middle for the end, and reads a long name of
    any length; here only its understanding of a single header is used.
    """
    notes: dict[str, str] = {}  # what extended headers say about the next member
    while (block := _read(file, _BLOCK, gate.path)).strip(b"\0"):
        info = _header(block, gate.path)
        if info.type in (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, b"x", b"g"):
            gate.let_in(info.name, info.size)
            notes |= _note(file, info, gate.path)
            continue
        size = int(notes.get("size", info.size))
        name = gate.let_in(notes.get("path", info.name), size)
        notes = {}
        if info.isdir():
            size = 0
        elif info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise gate.refuse(name, "a link, device or special file")
        if not info.isdir() and wanted(name):
            content = _read(file, size, gate.path)
            _skip(file, -size % _BLOCK, gate.path)
            yield name, content
        else:
            _skip(file, size + -size % _BLOCK, gate.path)
    tail = 0
    while chunk := file.read(_CHUNK):  # zeros up to a whole record, then gzip's own checksum
        tail += len(chunk)
        if tail > _CHUNK or chunk.strip(b"\0"):
            raise _wrong(gate.path, "zeros behind the last member", "something else")


def _header(block: bytes, path: Path) -> tarfile.TarInfo:
    """Understand one header block, whose checksum has to agree."""
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError) as error:
        raise _wrong(path, "the header of a member", f"damaged data ({error})") from error


def _note(file: IO[bytes], info: tarfile.TarInfo, path: Path) -> dict[str, str]:
    """Read an extended header: {"path": ..., "size": ...} of the next member, as far as said."""
    if not 0 <= info.size <= _MOST_NOTE:
        raise _wrong(path, f"extended headers of {_MOST_NOTE:,} bytes", f"{info.size:,}")
    content = _read(file, info.size, path)
    _skip(file, -info.size % _BLOCK, path)
    if info.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": content.rstrip(b"\0").decode("utf-8", "surrogateescape")}
    if info.type != b"x":  # the name of a link's target, or a comment on the whole archive
        return {}
    found: dict[str, str] = {}
    while content:  # "27 path=some/where/file.txt\n", the number counting itself
        match = re.match(rb"(\d{1,6}) ([^=]+)=", content)
        length = int(match[1]) if match else 0
        if match is None or length <= match.end() or content[length - 1 : length] != b"\n":
            raise _wrong(path, "extended headers 'length key=value'", repr(content[:20]))
        key = match[2].decode("utf-8", "replace")
        found[key] = content[match.end() : length - 1].decode("utf-8", "surrogateescape")
        content = content[length:]
    if any(key.startswith("GNU.sparse") for key in found) or not found.get("size", "0").isdecimal():
        raise _wrong(path, "plain files", "a sparse file or a size that is no number")
    return {key: found[key] for key in ("path", "size") if key in found}


def _skip(file: IO[bytes], size: int, path: Path) -> None:
    """Pass over `size` bytes, which have to be there."""
    while size:
        size -= len(_read(file, min(size, _CHUNK), path))
