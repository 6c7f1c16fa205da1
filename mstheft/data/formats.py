"""The file formats of images: IDX and PPM read here, JPEG, PNG and the rest by Pillow."""

import gzip
import io
import math
import os
import re
import zlib

import numpy as np

from mstheft.data.loaded import damaged

# Third byte of an IDX file -> what its numbers are; all of them are big-endian.
_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_BYTES = 1 << 30  # MNIST has 47 MB, the largest relative of it 640 MB
_MOST_PIXELS = 1 << 26  # 64 million: more than cameras take
# P6, width, height, largest value: separated by white space and comments, then one white space.
_BLANK = rb"(?:\s|#[^\r\n]*[\r\n])+"
_PPM = re.compile(rb"P6" + (_BLANK + rb"(\d{1,9})") * 3 + rb"\s")


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Read an IDX file, plain or compressed with gzip.

        00 00 type axes | size of axis 1 | ... | size of the last axis | numbers
         one byte each  |      4 bytes each, big-endian                | last axis fastest

    At most as many bytes are unpacked as the header announces, and it may announce 1 GiB.

    Returns an array of the file's own shape and number type, in this machine's byte order.
    Raises DataError if the file is missing, cut short, too long, or not IDX.
    Source: Y. LeCun, C. Cortes and C. Burges, The MNIST database, 'The IDX file format'.
    """
    try:
        with open(path, "rb") as raw:
            is_packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            with gzip.open(raw) if is_packed else raw as file:
                magic = file.read(4)
                if magic[:2] != b"\0\0":
                    raise ValueError(f"it begins with {magic.hex(' ')}")
                dtype = np.dtype(_IDX_TYPES[magic[2]])
                shape = tuple(np.frombuffer(file.read(4 * magic[3]), ">u4").tolist())
                size = math.prod(shape) * dtype.itemsize
                # One byte more than announced shows what is too long: gzip then checks its sum.
                body = file.read(min(size, _MOST_BYTES) + 1)
        # (size,) bytes -> the announced shape
        numbers = np.frombuffer(body, dtype).reshape(shape)
    except (OSError, EOFError, zlib.error, ValueError, IndexError, KeyError) as error:
        raise damaged(path, "an IDX file, plain or packed by gzip", repr(error)) from error
    return numbers.astype(dtype.newbyteorder("="))


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
        raise damaged(name, "a binary PPM image (P6, width, height, 255)", repr(content[:20]))
    width, height, largest = map(int, header.groups())
    got = len(content) - header.end()
    if got != width * height * 3 or got == 0 or largest != 255:
        announced = f"{got:,} for {width} x {height} with values up to {largest}"
        raise damaged(name, "3 bytes up to 255 for each pixel", announced)
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
                raise ValueError(f"{image.width} x {image.height} pixels, too many")
            return np.array(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise damaged(name, "an image that Pillow can read", str(error)) from error
