"""Arrays as bytes: `.npy` and JSON bodies, read without trust.

What comes from outside is measured before it is allocated, and nothing in it is ever executed.
"""

from __future__ import annotations

import functools
import io
import json
import math
from typing import Any, NoReturn

import numpy as np
from numpy.lib import format

NPY, JSON = "application/x-npy", "application/json"


def pack(array: Any) -> bytes:
    """Numbers as the bytes of an `.npy` file of format 1.0: every bit of a float64 survives."""
    array = np.asarray(array, order="C")
    return _head(array.dtype, array.shape) + array.tobytes()


def unpack(body: bytes) -> np.ndarray:
    """The array in an `.npy` body: real numbers, row after row, and not a byte more or less.

    Raises ValueError for everything else; the size that the header claims is checked against the
    bytes that are there, before anything is allocated.
    """
    size = 10 + int.from_bytes(body[8:10], "little")
    try:
        shape, fortran, dtype = _promise(body[:size])
    except Exception as error:  # a header is text that NumPy parses: it can fail in many ways
        raise ValueError(
            "expected an .npy body of format 1.0, got something else; send what numpy.save writes"
        ) from error
    if dtype.kind not in "fiu" or dtype.hasobject or dtype.itemsize > 8 or fortran:
        raise ValueError(
            f"expected real numbers of at most 64 bits in C order, got {dtype}, {fortran=}; "
            "send numpy.ascontiguousarray(x, dtype=float)"
        )
    left = len(body) - size
    if any(n < 0 for n in shape) or math.prod(shape) * dtype.itemsize != left:
        raise ValueError(
            f"expected the numbers that the header promises, shape {shape} of {dtype}, got "
            f"{left:,} bytes; the body is cut off or has a wrong header"
        )
    try:
        return np.frombuffer(body, dtype, offset=size).reshape(shape)
    except OverflowError as error:  # (0, 10**30)
        raise ValueError(f"expected a shape that can be, got {shape}; send fewer rows") from error


# NumPy reads and writes a header as Python source, which takes longer than a small answer does.
# An attack sends the same few headers over and over.


@functools.lru_cache(256)
def _head(dtype: np.dtype, shape: tuple[int, ...]) -> bytes:
    head = io.BytesIO()
    told = {"descr": format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    format.write_array_header_1_0(head, told)
    return head.getvalue()


@functools.lru_cache(256)
def _promise(head: bytes) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, Fortran order and dtype of a header; nothing may follow it."""
    file = io.BytesIO(head)
    if format.read_magic(file) != (1, 0):
        raise ValueError("another version of the format")
    return format.read_array_header_1_0(file)


def read_json(body: bytes) -> np.ndarray:
    """The rows of a body {"inputs": [[...], ...]}; raises ValueError for everything else."""
    try:
        values = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:  # bad UTF-8 is a ValueError as well
        raise ValueError(
            f"expected a JSON body, got something else ({type(error).__name__}); "
            'send {"inputs": [[...], ...]}'
        ) from error
    if not isinstance(values, dict) or set(values) != {"inputs"}:
        raise ValueError(
            'expected a JSON object with "inputs" and nothing else; send {"inputs": [[...], ...]}'
        )
    try:
        numbers = isinstance(values["inputs"], list) and _numbers(values["inputs"])
        rows = np.array(values["inputs"] if numbers else "")  # text would cost its longest entry
    except (ValueError, OverflowError, RecursionError) as error:
        raise ValueError(
            "expected rows of one length, got a ragged list; make them equal"
        ) from error
    if rows.dtype.kind not in "fiu":
        raise ValueError('expected lists of real numbers in "inputs"; send [[...], ...]')
    return rows


def write_json(answers: np.ndarray) -> bytes:
    """{"outputs": [...]}, digits enough for every bit; what is not finite becomes null."""
    outputs = answers.tolist()
    if not np.isfinite(answers).all():
        outputs = [[v if math.isfinite(v) else None for v in row] for row in outputs]
    return json.dumps({"outputs": outputs}, allow_nan=False).encode()


def _numbers(values: list[Any]) -> bool:
    kinds = set(map(type, values))
    return kinds <= {int, float} or (kinds == {list} and all(map(_numbers, values)))


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
