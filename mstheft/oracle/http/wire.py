"""Arrays as bytes: `.npy` and JSON bodies, read without trust.

The size of a body is checked before anything is allocated, and nothing in it is ever executed.
"""

import functools
import io
import json
import math
from typing import NoReturn

import numpy as np
from numpy.lib import format
from numpy.typing import ArrayLike

from mstheft.typing import Array

NPY, JSON = "application/x-npy", "application/json"


def pack(array: ArrayLike) -> bytes:
    """Numbers as the bytes of an `.npy` file of format 1.0: every bit of a float64 survives."""
    array = np.asarray(array, order="C")
    return _head(array.dtype, array.shape) + array.tobytes()


def unpack(body: bytes) -> Array:
    """The array in an `.npy` body: real numbers, row after row, and not a byte more or less.

    Raises ValueError for everything else; the size that the header claims is checked against the
    bytes that are there, before anything is allocated.
    """
    size = 10 + int.from_bytes(body[8:10], "little")
    left = len(body) - size
    try:
        shape, fortran, dtype = _read_head(body[:size])
        fits = min(shape, default=0) >= 0 and math.prod(shape) * dtype.itemsize == left
        if fits and dtype.kind in "fiu" and dtype.itemsize <= 8 and not fortran:
            return np.frombuffer(body, dtype, offset=size).reshape(shape)
        got = f"{left:,} bytes of shape {shape}, {dtype}, {fortran=}"[:150]
    except Exception:  # a header is text that NumPy parses: it can fail in many ways
        got = "something else"
    what = "an .npy body of format 1.0, real numbers of at most 64 bits in C order"
    raise ValueError(f"expected {what}, got {got}; send what numpy.save writes")


# NumPy reads and writes a header as Python source, which takes longer than a small answer does.
# An attack sends the same few headers over and over.


@functools.lru_cache(256)
def _head(dtype: np.dtype, shape: tuple[int, ...]) -> bytes:
    head = io.BytesIO()
    fields = {"descr": format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    format.write_array_header_1_0(head, fields)
    return head.getvalue()


@functools.lru_cache(256)
def _read_head(head: bytes) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, Fortran order and dtype of a header; nothing may follow it."""
    file = io.BytesIO(head)
    if format.read_magic(file) != (1, 0):
        raise ValueError("another version of the format")
    return format.read_array_header_1_0(file)


def read_json(body: bytes) -> Array:
    """The rows of a body {"inputs": [[...], ...]}; raises ValueError for everything else."""
    what = 'JSON {"inputs": [[...], ...]}, real numbers in rows of one length'
    got = "something else"
    try:
        values = json.loads(body, parse_constant=_no_number)
        inputs = values["inputs"] if isinstance(values, dict) and len(values) == 1 else None
        if isinstance(inputs, list) and _numbers(inputs):  # text would cost its longest entry
            rows = np.array(inputs)
            if rows.dtype.kind in "fiu":
                return rows
    except (ValueError, KeyError, OverflowError, RecursionError) as error:
        got = f"{type(error).__name__} {error}"[:100]  # also bad UTF-8, and ragged rows
    raise ValueError(f"expected {what}, got {got}")


def write_json(answers: Array) -> bytes:
    """{"outputs": [...]}, digits enough for every bit; what is not finite becomes null."""
    outputs = answers.tolist()
    if not np.isfinite(answers).all():
        outputs = [[v if math.isfinite(v) else None for v in row] for row in outputs]
    return json.dumps({"outputs": outputs}, allow_nan=False).encode()


def _numbers(values: list[object]) -> bool:
    kinds = set(map(type, values))
    return kinds <= {int, float} or (
        kinds == {list} and all(_numbers(each) for each in values if isinstance(each, list))
    )


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
