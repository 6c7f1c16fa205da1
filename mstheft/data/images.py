"""Image data sets in the format in which they were published."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import DTypeLike

from mstheft.data import store
from mstheft.errors import DataError

__all__ = ["mnist", "read_idx"]

# Third byte of an IDX file -> what its numbers are; all of them are big-endian.
_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_AXES = 8  # images in colour over time would need 5
_MOST_BYTES = 1 << 30  # MNIST has 47 MB, the largest relative of it 640 MB


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Read an IDX file, plain or compressed with gzip.

        00 00 type axes | size of axis 1 | ... | size of the last axis | numbers
         one byte each  |      4 bytes each, big-endian                | last axis fastest

    At most as many bytes are unpacked as the header announces, and it may announce 1 GiB,
    so that neither a damaged header nor a decompression bomb fills the memory.

    Returns an array of the file's own shape and number type, in this machine's byte order.
    Raises DataError if the file is missing, cut short, too long, or not IDX.
    Source: Y. LeCun, C. Cortes and C. Burges, The MNIST database, 'The IDX file format'.
    """
    path = Path(path)
    if not os.path.isfile(path):
        raise DataError(f"expected an IDX file at {path}, where there is no file; check the path")
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not packed:
                return _read_idx(raw, path)
            with gzip.open(raw) as unpacked:
                return _read_idx(unpacked, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, "a whole gzip file", f"damaged data ({error})") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def _read_idx(file: BinaryIO | gzip.GzipFile, path: Path) -> np.ndarray:
    """Read header and numbers from an open, unpacked file."""
    shape, kind = _idx_header(file, path)
    size = math.prod(shape) * kind.itemsize
    if size > _MOST_BYTES:
        announced = f"{' x '.join(map(str, shape))} numbers, which are {size:,} bytes"
        raise _damaged(path, f"at most {_MOST_BYTES:,} bytes of numbers", announced)
    # One byte more than announced shows what is too long, and makes gzip check its sum.
    body = _read_at_most(file, size + 1)
    if len(body) != size:
        got = "more" if len(body) > size else f"only {len(body):,}"
        raise _damaged(path, f"{size:,} bytes of numbers, as its header announces", got)
    return np.frombuffer(body, kind).reshape(shape).astype(kind.newbyteorder("="), copy=False)


def _read_at_most(file: BinaryIO | gzip.GzipFile, most: int) -> bytearray:
    """Read up to `most` bytes, taking memory only for what the file really holds.

    ``file.read(most)`` would set all of it aside first, on the word of the header.
    """
    body = bytearray()
    while chunk := file.read(min(most - len(body), 1 << 20)):
        body += chunk
    return body


def _idx_header(file: BinaryIO | gzip.GzipFile, path: Path) -> tuple[tuple[int, ...], np.dtype]:
    """Read the shape and the type of number that an IDX file announces."""
    magic = file.read(4)
    known = len(magic) == 4 and magic[:2] == b"\0\0" and magic[2] in _IDX_TYPES
    if not known or not 1 <= magic[3] <= _MOST_AXES:
        types = " ".join(f"{code:02x}" for code in _IDX_TYPES)
        expected = f"IDX, which begins with 00 00, a type ({types}) and 1 to {_MOST_AXES} axes"
        raise _damaged(path, expected, magic.hex(" ") or "an empty file")
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise _damaged(path, f"the sizes of {magic[3]} axes", f"{len(sizes)} bytes of them")
    shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
    if 0 in shape:
        raise _damaged(path, "axes of at least 1", f"the shape {shape}")
    return shape, np.dtype(_IDX_TYPES[magic[2]])


def _damaged(path: Path, expected: str, got: str) -> DataError:
    """Build the error for a file that is not what it should be."""
    return DataError(f"{path}: expected {expected}, got {got}; get the file again")


def mnist(
    split: str = "train", *, flat: bool = True, dtype: DTypeLike = np.float64
) -> tuple[np.ndarray, np.ndarray]:
    """Read the MNIST digits from the data folder (see `store.folder`).

    split : "train" (n = 60,000) or "test" (n = 10,000)
    flat : rows of 784 numbers, else images
    dtype : float64 (376 MB for "train") or float32 (188 MB)
    Returns x (n, 784) or (n, 28, 28), grey levels / 255 in [0, 1] where 1 is ink, and the
    digits y (n,) int64.
    Raises ValueError for another split or dtype, DataError if a file is missing or differs.
    Source: LeCun, Bottou, Bengio and Haffner 1998, 'Gradient-based learning applied to
    document recognition'.
    """
    prefixes = {"train": "train", "test": "t10k"}
    if split not in prefixes:
        raise ValueError(f"split must be 'train' or 'test'; got {split!r}")
    if np.dtype(dtype) not in (np.float64, np.float32):
        raise ValueError(f"dtype must be float64 or float32; got {np.dtype(dtype)}")
    images = read_idx(store.find(f"mnist/{prefixes[split]}-images-idx3-ubyte.gz"))
    labels = read_idx(store.find(f"mnist/{prefixes[split]}-labels-idx1-ubyte.gz"))
    x = np.divide(images, 255, dtype=dtype)
    return x.reshape(len(x), -1) if flat else x, labels.astype(np.int64)
