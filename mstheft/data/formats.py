"""The file formats of images: IDX and PPM read here, JPEG, PNG and the rest by Pillow."""

from __future__ import annotations

import gzip
import io
import math
import os
import re
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mstheft.errors import DataError

__all__ = ["decode", "read_idx", "read_ppm"]

# Third byte of an IDX file -> what its numbers are; all of them are big-endian.
_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_AXES = 8  # images in colour over time would need 5
_MOST_BYTES = 1 << 30  # MNIST has 47 MB, the largest relative of it 640 MB
_MOST_PIXELS = 1 << 26  # 64 million: more than cameras take


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


# P6, width, height, largest value: separated by white space and comments, then one white space.
_BLANK = rb"(?:\s|#[^\r\n]*[\r\n])+"
_PPM = re.compile(rb"P6" + (_BLANK + rb"(\d{1,9})") * 3 + rb"\s")


def read_ppm(content: bytes, name: str) -> np.ndarray:
    """Read a binary PPM image, of which `content` has to be the whole.

        P6 <width> <height> <largest value> | R G B  R G B ...  row by row, a byte each

    name : what to call it in an error
    Returns (height, width, 3) uint8, a read-only view of `content`.
    Raises DataError if it is no such image, or longer or shorter than it announces.
    Source: netpbm, 'PPM format specification'; values above 255, of two bytes each, are refused.
    """
    header = _PPM.match(content)
    if header is None:
        raise DataError(
            f"{name}: expected a binary PPM image (P6, width, height, 255), got "
            f"{content[:20]!r}; get the file again"
        )
    width, height, largest = (int(number) for number in header.groups())
    if not (0 < width * height <= _MOST_PIXELS and largest == 255):
        raise DataError(
            f"{name}: expected an image of 1 to {_MOST_PIXELS:,} pixels with values up to 255, "
            f"got {width} x {height} with values up to {largest}; convert it or get it again"
        )
    got = len(content) - header.end()
    if got != width * height * 3:
        raise DataError(
            f"{name}: expected {width * height * 3:,} bytes for {width} x {height} pixels, got "
            f"{got:,}; get the file again"
        )
    return np.frombuffer(content, np.uint8, offset=header.end()).reshape(height, width, 3)


def decode(content: bytes, name: str) -> np.ndarray:
    """Read a JPEG, PNG or other image that Pillow knows, upright and in RGB.

    name : what to call it in an error
    Returns (height, width, 3) uint8. Transparency is dropped.
    Raises DataError if Pillow cannot read it, or it is larger than 64 million pixels.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.width * image.height > _MOST_PIXELS:
                size = f"{image.width} x {image.height}"
                raise ValueError(f"{size} pixels are more than {_MOST_PIXELS:,}")
            return np.array(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise DataError(
            f"{name}: expected an image that Pillow can read, got {error}; replace or remove it"
        ) from error
