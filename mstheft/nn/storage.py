"""The file format of a network: an `.npz` with a JSON description and plain arrays, no pickle."""

import io
import json
import math
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mstheft.errors import DataError
from mstheft.files import replace_file
from mstheft.nn.layers import Shape
from mstheft.typing import Array

FORMAT = 1
HEADER = "mstheft"
T = TypeVar("T")


def write(path: str | os.PathLike[str], spec: dict[str, Any], arrays: dict[str, Array]) -> None:
    """Write `spec` (JSON values) and the arrays, all finite; the inverse of `read`."""
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"expected finite numbers in {name} to save, got NaN or infinity")
    header = np.array(json.dumps({"format": FORMAT, **spec}))
    entries: dict[str, Any] = {HEADER: header, **arrays}
    replace_file(path, lambda file: np.savez(file, **entries))


def read(
    path: str | os.PathLike[str],
    expected: Callable[[dict[str, Any]], dict[str, Shape]],
    build: Callable[[dict[str, Any], dict[str, Array]], T],
) -> T:
    """Read what `write` wrote. Sizes are checked in the headers, before anything is allocated.

    expected : spec -> {array name: shape}
    build : spec, {array name: array} -> the object
    Raises `DataError` with the difference; nothing in the file is ever executed.
    """
    path = Path(path)
    if not path.is_file():
        there = "that is a folder" if path.is_dir() else "that is no ordinary file"
        what = there if path.exists() else "there is no such file"
        raise DataError(f"expected a saved network at {path}, but {what}")
    if path.suffix.lower() in FOREIGN:
        what = "expected what Network.save writes, got a model of another library"
        raise DataError(f"{path}: {what}; load it in Python, ask it there by mstheft.Oracle(model)")
    try:
        with zipfile.ZipFile(path) as archive:
            spec = _spec(archive)
            shapes = expected(spec)
            dtype = np.dtype(spec["dtype"])
            _check_entries(archive, set(shapes) | {HEADER})
            # all arrays lie in the file uncompressed: it has at least as many bytes
            size = path.stat().st_size
            promised = sum(math.prod(shape) for shape in shapes.values()) * dtype.itemsize
            wanted = f"parameters that fit into the file of {size:,} bytes"
            _require(0 <= promised <= size, wanted, "a description of more")
            arrays = {n: _array(archive, n, shape, dtype) for n, shape in shapes.items()}
        return build(spec, arrays)
    except DataError as error:
        raise DataError(f"{path}: {error}; save it again with Network.save") from None
    except DAMAGE as error:
        wanted = "expected an .npz file written by Network.save"
        raise DataError(f"{path}: {wanted}, got a damaged or another file ({error})") from error
    except NONSENSE as error:
        what = f"content that makes no sense ({type(error).__name__}: {error})"
        raise DataError(f"{path}: expected what Network.save writes, got {what}") from error


FOREIGN = {".pt", ".pth", ".safetensors", ".onnx", ".h5", ".keras", ".pkl", ".pickle", ".joblib"}
DAMAGE = (zipfile.BadZipFile, struct.error, EOFError, OSError, RuntimeError, MemoryError)
NONSENSE = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)


def _require(fits: bool, wanted: str, got: object) -> None:
    if not fits:
        raise DataError(f"expected {wanted}, got {got}")


def _check_entries(archive: zipfile.ZipFile, expected: set[str]) -> None:
    names = {name.removesuffix(".npy") for name in archive.namelist()}
    extra, missing = sorted(names - expected)[:5], sorted(expected - names)[:5]
    wanted = "the described parameters and nothing else"
    _require(names == expected, wanted, f"{extra} too many and {missing} too few")


def _spec(archive: zipfile.ZipFile) -> dict[str, Any]:
    names = archive.namelist()
    _require(f"{HEADER}.npy" in names, f"an entry '{HEADER}'", "none")
    spec = json.loads(str(_entry(archive, HEADER, (), None, limit=4_000_000)))
    _require(isinstance(spec, dict), "a JSON object as description", type(spec).__name__)
    version, dtype = spec.get("format"), spec.get("dtype")
    _require(version == FORMAT, f"file format {FORMAT}", repr(version))
    _require(dtype in ("float64", "float32"), "dtype float64 or float32", repr(dtype))
    return spec


def _array(archive: zipfile.ZipFile, name: str, shape: Shape, dtype: np.dtype) -> Array:
    array = _entry(archive, name, shape, dtype, limit=math.prod(shape) * dtype.itemsize + 4096)
    _require(bool(np.isfinite(array).all()), f"finite numbers in {name}", "NaN or infinity")
    return array


def _entry(
    archive: zipfile.ZipFile, name: str, shape: Shape, dtype: np.dtype | None, limit: int
) -> np.ndarray:
    """One `.npy` entry of at most `limit` bytes, its header checked before anything is allocated.

    dtype : None for one string of any length
    """
    info = archive.getinfo(f"{name}.npy")
    fits = info.compress_type == zipfile.ZIP_STORED and info.file_size <= limit
    got = f"{info.file_size:,} bytes with compression {info.compress_type}"
    _require(fits, f"{name} uncompressed and of at most {limit:,} bytes", got)
    data = io.BytesIO(archive.read(info))
    version = np.lib.format.read_magic(data)
    _require(version == (1, 0), f"{name} in version (1, 0) of .npy", version)
    own_shape, _, own_dtype = np.lib.format.read_array_header_1_0(data)
    fits = own_shape == shape and (own_dtype == dtype if dtype else own_dtype.kind == "U")
    wanted = f"{name} as {dtype or 'text'} of shape {shape}"
    _require(fits, wanted, f"{own_dtype} of shape {own_shape}")
    size, left = math.prod(shape) * own_dtype.itemsize, info.file_size - data.tell()
    _require(left == size, f"{size:,} bytes in {name}", f"{left:,}")
    data.seek(0)
    return np.lib.format.read_array(data, allow_pickle=False)
