"""Downloading the published files: what arrives is checked before it is believed.

A file grows beside its place, and is moved there when it is known to be sound:

    t10k-labels-idx1-ubyte.gz.part        grows; survives Ctrl-C and broken connections
    t10k-labels-idx1-ubyte.gz.part.tag    which version of the file those bytes are of
                    |
            checksums agree, rename
                    v
    t10k-labels-idx1-ubyte.gz             whole and checked, or not there at all
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

from mstheft import progress
from mstheft.data import http_get, store
from mstheft.data.http_get import Broken
from mstheft.data.sources import KNOWN, SETS
from mstheft.errors import DataError

__all__ = ["download", "fetch"]

_WAITS = (1.0, 2.0, 4.0, 8.0)  # seconds before each new try that follows one without progress
_CHUNK = 1 << 20
_MOST_BYTES = 1 << 32


def fetch(name: str) -> list[Path]:
    """Download a data set, or one file of it, into the data folder (see `store.folder`).

    name : a key of `sources.SETS`, or of `sources.KNOWN` for a single file
    Returns where the files lie. Those that are there and sound already are left as they are.
    Raises DataError if the name is unknown, nothing can be fetched under it, a file that is
    there differs, or a download fails (see `download`).
    """
    if name not in SETS and name not in KNOWN:
        raise DataError(
            f"expected a data set ({', '.join(SETS)}) or one of their files, got {name!r}"
        )
    files = SETS.get(name) or (KNOWN[name],)
    if not any(file.address for file in files):
        raise DataError(
            f"expected a data set with a public address, got {name!r}, which has none; put "
            f"{' and '.join(file.name for file in files)} into {store.folder()} by hand, or use a "
            "folder of your own images"
        )
    paths = []
    for file in files:
        if file.address is None:
            continue
        path = store.folder() / file.name
        if os.path.exists(path):
            store.find(file.name)
        else:
            download(file.address, path, size=file.size, sha256=file.sha256, md5=file.md5)
        paths.append(path)
    return paths


def download(
    address: str,
    path: str | os.PathLike[str],
    *,
    size: int | None = None,
    sha256: str | None = None,
    md5: str | None = None,
) -> Path:
    """Download one file, going on where an earlier download stopped, and install it if sound.

    address : http or https
    path : where it goes; folders on the way are made
    size, sha256, md5 : what it has to be, as far as that is known
    Returns `path`. On Ctrl-C and on errors that may pass, ``path.part`` stays for the next time.
    Raises DataError if the server cannot be reached, refuses, redirects in circles or to
    something else than http, sends other bytes than published, or the disk is full.
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with progress.bar(path.name, None, unit="MB") as bar:
            job = _Download(address, part, size, bool(sha256 or md5), bar)
            for last in (False, True):
                pieced_together = job.fill()
                difference = store.differs(part, size=size, sha256=sha256, md5=md5)
                if not difference:
                    break
                job.forget()
                if last or not pieced_together:  # else perhaps of two versions: again, in one go
                    raise DataError(
                        f"{address}: expected the published file, got another or a damaged one "
                        f"({difference}); nothing was installed, try again later"
                    )
        os.replace(part, path)
        job.tag.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(
            f"cannot write {part}: {error.strerror or error}; make room or set MSTHEFT_DATA to "
            "another folder, and fetch again: it goes on where it stopped"
        ) from error
    return path


class _Download:
    """A file on its way: what is there of it, and how to get the rest.

    part, tag : the bytes so far, and the server's name (ETag or date) for this version of them
    size : bytes as published, if known
    checked : whether a checksum will be compared in the end
    """

    def __init__(self, address: str, part: Path, size: int | None, checked: bool, bar: Any):
        self.address, self.part, self.size, self.checked = address, part, size, checked
        self.tag = part.with_name(part.name + ".tag")
        self.bar = bar
        self.shown = 0  # megabytes that the bar shows

    def length(self) -> int:
        """Count the bytes that are there."""
        return self.part.stat().st_size if self.part.exists() else 0

    def forget(self) -> None:
        """Remove what is there."""
        self.part.unlink(missing_ok=True)
        self.tag.unlink(missing_ok=True)

    def fill(self) -> bool:
        """Connect as often as it takes to get the whole file.

        A try that brings a megabyte is worth another at once; one without progress costs one of
        a few waits. So it ends, however the server behaves.
        Returns whether the file was put together from several answers.
        """
        best, waits = self.length(), list(_WAITS)
        while True:
            try:
                return self.connect()
            except Broken as error:
                if self.length() >= best + _CHUNK:
                    best = self.length()
                    continue
                if not waits:
                    raise DataError(
                        f"{self.address}: expected the file, got {error}, {len(_WAITS) + 1} times; "
                        "check the network and fetch again: it goes on where it stopped"
                    ) from error
                self.bar.set_postfix_str(f"{error}, trying again")
                time.sleep(waits.pop(0))

    def connect(self) -> bool:
        """Ask once for what is missing, and write what comes. Returns whether it was appended."""
        tag = self.tag.read_text("utf-8") if self.tag.exists() else ""
        if not (tag or self.checked):
            self.forget()  # nobody would notice if the rest were of another version
        start = self.length()
        headers = {"Range": f"bytes={start}-"} if start else {}
        if start and tag:
            headers["If-Range"] = tag  # all of it is sent if it has changed since
        with http_get.ask(self.address, headers) as answer:
            if answer.status == 416:
                return self.nothing_left(answer, start)
            appended, total = self.place(answer, start)
            if self.size is not None and total not in (None, self.size):
                self.forget()
                raise DataError(
                    f"{self.address}: expected {self.size:,} bytes as published, got an "
                    f"announcement of {total:,}; nothing was installed, try again later"
                )
            self.write(answer, start if appended else 0, total if total is not None else self.size)
        return appended

    def nothing_left(self, answer: Any, start: int) -> bool:
        """Understand HTTP 416: nothing follows byte `start`, or the file is shorter than that."""
        complete = re.fullmatch(r"bytes \*/(\d+)", answer.headers.get("Content-Range", ""))
        if complete and int(complete[1]) == start:
            return True
        self.forget()
        raise Broken("a shorter file than before")

    def place(self, answer: Any, start: int) -> tuple[bool, int | None]:
        """Understand where the bytes of an answer belong.

        Returns whether they go behind the `start` bytes that are there, and how many there will
        be in all, if the server says so.
        """
        length = answer.headers.get("Content-Length", "")
        if answer.status == 206:
            given = re.fullmatch(
                r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range", "")
            )
            if given is None or int(given[1]) != start or not start:
                self.forget()
                raise Broken("another part of the file than was asked for")
            return True, int(given[2]) + 1 if given[3] == "*" else int(given[3])
        self.forget()
        tag = answer.headers.get("ETag", "")
        tag = answer.headers.get("Last-Modified", "") if tag.startswith("W/") or not tag else tag
        if tag:
            self.tag.write_text(tag, "utf-8")
        return False, int(length) if length.isdecimal() else None

    def write(self, answer: Any, done: int, total: int | None) -> None:
        """Write an answer to disk as it comes, and make sure that it ends where it should.

        done : bytes that are there and stay;  total : bytes in the end, if known
        """
        most = _MOST_BYTES if total is None else total
        self.bar.total = None if total is None else round(total / 1e6)
        with self.part.open("ab" if done else "wb") as file:
            while done <= most and (chunk := http_get.read(answer, _CHUNK)):
                file.write(chunk)
                done += len(chunk)
                self.bar.update(round(done / 1e6) - self.shown)
                self.shown = round(done / 1e6)
            file.flush()
            os.fsync(file.fileno())
        if done > most:
            self.forget()
            raise Broken("more bytes than announced")
        if total is not None and done < total:
            raise Broken(f"only {done:,} of {total:,} bytes")
