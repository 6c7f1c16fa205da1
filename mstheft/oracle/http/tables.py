"""One SQLite file, one owner: how the journal and the accounts are opened."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from mstheft.errors import DataError


def connect(path: str | os.PathLike[str], kind: str, schema: str) -> sqlite3.Connection:
    """Open or create the file at `path`, for this process alone.

    kind : what the file is, 'journal' or 'accounts'; kept in it, so that no other one is taken
    schema : SQL that creates its tables if they are missing

    A transaction that was committed survives the death of the process (SIGKILL); after a power
    cut the last few may be missing, but what is there is whole (write-ahead log, synchronous
    NORMAL). Raises `DataError` if the file is something else, damaged, or in use.
    """
    path = Path(path)
    if not path.parent.is_dir() or path.is_dir():
        raise DataError(
            f"expected a file in a folder that exists, got {path}; create the folder, or name a "
            "file in it"
        )
    base = None
    try:
        base = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
        base.execute("PRAGMA locking_mode=EXCLUSIVE")
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=NORMAL")
        base.execute("BEGIN EXCLUSIVE")
        base.execute("CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT)")
        base.execute("INSERT OR IGNORE INTO about VALUES ('mstheft', ?)", (kind,))
        (found,) = base.execute("SELECT value FROM about WHERE name = 'mstheft'").fetchone()
        if found != kind:
            raise DataError(
                f"expected {path} to hold {kind}, but it holds {found}; name another file"
            )
        for statement in schema.split(";"):
            base.execute(statement)
        base.execute("COMMIT")
        return base
    except sqlite3.Error as error:
        if base is not None:
            base.close()
        if "locked" in str(error):
            why = "another process uses it; end that process or name another file"
        else:
            why = f"it cannot be read or written: {error}; make room or name another file"
        raise DataError(f"expected {path} to hold {kind}, but {why}") from error
    except DataError:
        if base is not None:
            base.close()
        raise
