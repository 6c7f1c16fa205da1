"""Reading `.tar.gz` and `.zip` archives from strangers, into memory and in order.

Nothing is written to disk, so a hostile archive can neither place a file nor follow a link.
How many members there are, how large each is, and how large they are together is bounded
before their content is unpacked.
"""

import gzip
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from mstheft.data.loaded import damaged
from mstheft.errors import DataError

# The largest: Tiny ImageNet has 120,000 members, IMDB 0.5 GB in all, CIFAR-10 31 MB in one.
MOST_MEMBERS = 250_000
MOST_IN_ALL = 1 << 30  # bytes
MOST_IN_ONE = 1 << 26
_CHUNK = 1 << 20
_UNREADABLE = (
    *(OSError, EOFError, zlib.error),
    *(tarfile.TarError, zipfile.BadZipFile),
    *(ValueError, RuntimeError, NotImplementedError),  # zipfile, of what it does not know
)


class _Gzip(gzip.GzipFile):
    """A gzip file that never unpacks more in one go than a member may have."""

    def read(self, size: int | None = -1) -> bytes:
        """Read `size` bytes. `tarfile` would read a long name of any length."""
        if size is None or not 0 <= size <= MOST_IN_ONE:
            raise ValueError(f"a part of {size} bytes")
        return super().read(size)


def members(
    path: Path, wanted: Callable[[str], bool] = lambda name: True
) -> Iterator[tuple[str, bytes]]:
    """Go through the files in a `.tar.gz` or `.zip` archive, in the order in which they lie there.

    path : the archive; its first bytes decide its kind, not its name
    wanted : name -> bool, which files to return. The others are checked all the same.
    Yields (name, content); names have forward slashes and no leading ``./``.
    Raises DataError, at the member where it is noticed, if the archive is missing, damaged or
    beyond the limits, if a name leads outside (``..``, absolute, with a drive), or if a member
    is anything but a plain file or folder (a link, a device, encrypted).
    """
    try:
        with path.open("rb") as file:
            is_zip = file.read(2) == b"PK"
        yield from _zip(path, wanted) if is_zip else _tar(path, wanted)
    except DataError:
        raise
    except _UNREADABLE as error:
        raise damaged(path, "a whole .tar.gz or .zip archive", str(error)) from error


def _zip(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Go through a zip archive, by its directory."""
    total = 0
    with zipfile.ZipFile(path) as archive:
        for count, info in enumerate(archive.infolist(), 1):
            total += info.file_size
            mode = stat.S_IFMT(info.external_attr >> 16)
            # zipfile bounds the unpacked bytes of stored and deflated members alone
            is_plain = mode in (0, stat.S_IFREG, stat.S_IFDIR) and not info.flag_bits & 1
            is_plain &= info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            name = _checked(path, info.filename, is_plain, count, info.file_size, total)
            if not info.is_dir() and wanted(name):
                yield name, archive.read(info)


def _tar(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Go through a tar.gz archive, and on to the checksum behind its last member."""
    with _Gzip(path, "rb") as unpacked:
        with tarfile.open(fileobj=unpacked, mode="r:") as archive:
            for count, info in enumerate(archive, 1):
                is_plain = info.isdir() or (info.isreg() and not info.issparse())
                total = info.offset_data + info.size
                name = _checked(path, info.name, is_plain, count, info.size, total)
                content = archive.extractfile(info) if info.isreg() and wanted(name) else None
                if content:
                    yield name, content.read()
        # `tarfile` takes a damaged header for the end: only zeros may follow.
        while chunk := unpacked.read(_CHUNK):
            if chunk.strip(b"\0") or unpacked.tell() > MOST_IN_ALL:
                raise ValueError("more behind its last member")


def _checked(path: Path, name: str, is_plain: bool, count: int, size: int, total: int) -> str:
    """Judge a member before it is read, and return its name without a leading ``./``."""
    limits = f"{MOST_MEMBERS:,} plain files of {MOST_IN_ONE:,} bytes, {MOST_IN_ALL:,} in all"
    if not is_plain or count > MOST_MEMBERS or total > MOST_IN_ALL or not 0 <= size <= MOST_IN_ONE:
        raise damaged(path, f"at most {limits}", f"{name!r} of {size:,} bytes or of another kind")
    parts = re.split(r"[\\/]", name)
    if parts[0] == "" or ".." in parts or re.match("[A-Za-z]:", name):
        raise damaged(path, "names that stay inside the archive", repr(name))
    return "/".join(part for part in parts if part not in ("", "."))
