"""The file of a detector: an `.npz` of plain arrays, written whole or not at all, no pickle."""

import io
import math
import os
import struct
import zipfile
from pathlib import Path

import numpy as np

from mstheft.defend.prada_distance import Spread
from mstheft.errors import DataError
from mstheft.files import replace_file

# float64, int64, the float32 or float64 of the queries; then of each array the kind and the axes,
# where axes of the same letter have the same length
KINDS = {"f": (np.float64,), "i": (np.int64,), "r": (np.float32, np.float64)}
_TABLE = """delta f, every i, queries i, distances fd, classes id, checked ic, ws fc, labels il,
    thresholds fl, sizes il, members rmw, spreads fls"""
ENTRIES = {name: (kind[0], kind[1:]) for name, kind in map(str.split, _TABLE.split(","))}
BEFORE = "member_distances"  # (m,), which earlier files have in place of `every` and `spreads`


def write(path: str | os.PathLike[str], arrays: dict[str, np.ndarray]) -> None:
    """Write the arrays of `ENTRIES`."""
    replace_file(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]


def read(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays that `write` wrote. Raises `DataError` with the difference."""
    path = Path(path)
    if not path.is_file():
        raise DataError(f"expected a saved detector at {path}, but there is no such file; save one")
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = _arrays(archive)
    except DAMAGE as error:
        raise DataError(
            f"{path}: expected a file of Detector.save, got a damaged one ({error})"
        ) from error
    if missing := _missing(arrays):
        raise DataError(f"{path}: expected {missing}, got something else; save it again")
    return arrays


DAMAGE = OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, struct.error


def _arrays(archive: zipfile.ZipFile) -> dict[str, np.ndarray]:
    """The entries; those of an earlier file are turned into today's."""
    if f"{BEFORE}.npy" not in archive.namelist():
        return {name: _array(archive, name) for name in ENTRIES}
    names = ENTRIES.keys() - {"every", "spreads"}
    arrays = {name: _array(archive, name) for name in names} | {"every": np.array(0)}
    states, distances = [], _array(archive, BEFORE)
    if len(distances) != arrays["sizes"].sum() or not (distances >= 0).all():
        raise ValueError(f"{BEFORE} are not those of the members")
    for own in np.split(distances, np.cumsum(arrays["sizes"])[:-1]) if len(distances) else ():
        spread = Spread()
        for d in own.tolist():
            spread.add(d)
        states.append(spread.state)
    return arrays | {"spreads": np.array(states, np.float64).reshape(-1, 4)}


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """One entry; its header is judged before anything is allocated."""
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} is compressed")
    data = io.BytesIO(archive.read(info))
    if np.lib.format.read_magic(data) != (1, 0):
        raise ValueError(f"{name} is in another version of .npy")
    shape, _, dtype = np.lib.format.read_array_header_1_0(data)
    if dtype.kind not in "fi" or math.prod(shape) * dtype.itemsize != info.file_size - data.tell():
        raise ValueError(f"{name} holds other numbers than its header announces")
    data.seek(0)
    return np.lib.format.read_array(data, allow_pickle=False)


def _missing(arrays: dict[str, np.ndarray]) -> str:
    """A condition that the arrays do not meet, or ''."""
    lengths: dict[str, int] = {}
    for name, (kind, axes) in ENTRIES.items():
        array = arrays[name]
        if array.dtype not in KINDS[kind] or array.ndim != len(axes):
            return f"{name} with {len(axes)} axes of the kind {kind!r}"
        if not np.isfinite(array).all():
            return f"finite numbers in {name}"
        for axis, length in zip(axes, array.shape, strict=True):
            if lengths.setdefault(axis, length) != length:
                return f"as many {name} as there are others of their kind"
    if not 0 < arrays["delta"] < 1:
        return "0 < delta < 1"
    sizes = arrays["sizes"]
    if not (sizes > 0).all() or sizes.sum() != lengths["m"] or arrays["queries"] < lengths["d"]:
        return "sizes that add up"
    spreads = arrays["spreads"]
    if lengths["s"] != 4 or not ((spreads >= 0).all() and (spreads[:, 0] > 0).all()):
        return "spreads of 4 numbers of at least 0"
    labels = arrays["labels"]
    if len(np.unique(labels)) != lengths["l"] or not np.isin(arrays["classes"], labels).all():
        return "each class once"
    return ""
