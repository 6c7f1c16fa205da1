"""The file format of a network: an `.npz` with a JSON description and plain arrays, no pickle."""

from __future__ import annotations

import io
import json
import math
import os
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np

from mstheft.errors import DataError

FORMAT = 1
HEADER = "mstheft"
T = TypeVar("T")


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


def write(path: str | os.PathLike[str], spec: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Write `spec` (JSON values) and the arrays, all finite; the inverse of `read`."""
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(
                f"expected finite numbers in {name} to save, got NaN or infinity; "
                "train again with a smaller rate"
            )
    header = np.array(json.dumps({"format": FORMAT, **spec}))
    entries: dict[str, Any] = {HEADER: header, **arrays}
    replace_file(path, lambda file: np.savez(file, **entries))


def read(
    path: str | os.PathLike[str],
    expected: Callable[[dict[str, Any]], dict[str, tuple[int, ...]]],
    build: Callable[[dict[str, Any], dict[str, Any]], T],
) -> T:
    """Read what `write` wrote. Sizes are checked in the headers, before anything is allocated.

    expected : spec -> {array name: shape}
    build : spec, {array name: array} -> the object
    Raises `DataError` with what is wrong; nothing in the file is ever executed.
    """
    path = Path(path)
    if not path.is_file():
        there = "that is a folder" if path.is_dir() else "that is no ordinary file"
        what = there if path.exists() else "there is no such file"
        raise DataError(
            f"expected a saved network at {path}, but {what}; name one that was written by "
            "Network.save"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            spec = _spec(archive)
            shapes = expected(spec)
            _check_entries(archive, set(shapes) | {HEADER})
            _check_size(path, shapes, np.dtype(spec["dtype"]))
            arrays = {n: _array(archive, n, s, spec["dtype"]) for n, s in shapes.items()}
        return build(spec, arrays)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except (
        zipfile.BadZipFile,
        struct.error,
        EOFError,
        OSError,
        RuntimeError,
        MemoryError,
    ) as error:
        raise DataError(
            f"{path}: expected an .npz file written by Network.save, but it is damaged or "
            f"something else ({error}); save it again"
        ) from error
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise DataError(
            f"{path}: expected what Network.save writes, got content that makes no sense "
            f"({type(error).__name__}: {error}); save it again"
        ) from error


def _check_entries(archive: zipfile.ZipFile, expected: set[str]) -> None:
    found = {name.removesuffix(".npy") for name in archive.namelist()}
    if found != expected:
        raise DataError(
            "expected the described parameters and nothing else, got "
            f"{sorted(found - expected)[:5]} too many and {sorted(expected - found)[:5]} too few; "
            "save it again with Network.save"
        )


def _check_size(path: Path, shapes: dict[str, tuple[int, ...]], dtype: np.dtype) -> None:
    """All arrays lie in the file uncompressed: it cannot hold more numbers than it has bytes."""
    promised = sum(math.prod(shape) for shape in shapes.values()) * dtype.itemsize
    size = path.stat().st_size
    if not 0 <= promised <= size:
        raise DataError(
            "expected a description of parameters that fit into the file, got one of more than "
            f"its {size:,} bytes; truncated or made up, save it again"
        )


def _spec(archive: zipfile.ZipFile) -> dict[str, Any]:
    if f"{HEADER}.npy" not in archive.namelist():
        raise DataError(
            f"expected an entry '{HEADER}', got none; load a file that Network.save has written"
        )
    spec = json.loads(str(_entry(archive, HEADER, (), None, limit=4_000_000)))
    if not isinstance(spec, dict):
        raise DataError(
            f"expected a JSON object as description, got {type(spec).__name__}; save again"
        )
    if spec.get("format") != FORMAT:
        raise DataError(
            f"expected file format {FORMAT}, got {spec.get('format')!r}; "
            "use the version that wrote it"
        )
    if spec.get("dtype") not in ("float64", "float32"):
        raise DataError(
            f"expected dtype float64 or float32, got {spec.get('dtype')!r}; save it again"
        )
    return spec


def _array(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: str) -> Any:
    kind = np.dtype(dtype)
    array = _entry(archive, name, shape, kind, limit=math.prod(shape) * kind.itemsize + 4096)
    if not np.isfinite(array).all():
        raise DataError(
            f"expected finite numbers in {name}, got NaN or infinity; train and save again"
        )
    return array


def _entry(
    archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], kind: np.dtype | None, limit: int
) -> Any:
    """One `.npy` entry of at most `limit` bytes, its header judged before anything is allocated.

    kind : the dtype, or None for one string of any length
    """
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type != zipfile.ZIP_STORED or info.file_size > limit:
        raise DataError(
            f"expected {name} uncompressed and of at most {limit:,} bytes, got {info.file_size:,} "
            f"bytes with compression {info.compress_type}; save it again with Network.save"
        )
    data = io.BytesIO(archive.read(info))
    version = np.lib.format.read_magic(data)
    if version != (1, 0):
        raise DataError(f"expected {name} in version (1, 0) of .npy, got {version}; save it again")
    found, _, found_kind = np.lib.format.read_array_header_1_0(data)
    if found != shape or (found_kind != kind if kind else found_kind.kind != "U"):
        raise DataError(
            f"expected {name} as {kind or 'text'} of shape {shape}, got {found_kind} of shape "
            f"{found}; save it again"
        )
    left = info.file_size - data.tell()
    if left != math.prod(shape) * found_kind.itemsize:
        raise DataError(
            f"expected {math.prod(shape) * found_kind.itemsize:,} bytes in {name}, got {left:,}; "
            "truncated, save it again"
        )
    data.seek(0)
    return np.lib.format.read_array(data, allow_pickle=False)
