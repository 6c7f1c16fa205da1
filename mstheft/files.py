"""Files: written whole or not at all, and TOML read."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from mstheft.errors import DataError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def replace_file(path: str | os.PathLike[str], fill: Callable[[IO[bytes]], object]) -> None:
    """Write a file whole or not at all: fill a neighbour, flush it to disk, rename it.

    Ctrl-C, a crash or a full disk leave the old file as it was.
    """
    path = Path(os.path.realpath(path))  # behind a link, the file that it names
    if path.exists() and not path.is_file():
        with open(path, "wb") as file:  # a device or a pipe can only be written through
            fill(file)
        return
    if not path.parent.is_dir():
        raise DataError(f"expected a folder {path.parent} to save {path.name} in; create it first")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write bytes, or text as UTF-8, by `replace_file`."""
    data = content.encode() if isinstance(content, str) else content
    replace_file(path, lambda file: file.write(data))


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file. Raises `DataError` where there is none, or it is damaged."""
    try:
        return dict(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise DataError(f"{path}: expected a TOML file, but there is none; name one") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: expected TOML, but {error}; correct that line") from error
