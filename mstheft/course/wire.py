"""Messages between the checker and the learner's process: plain data, and names of callables.

A message is a tree of JSON and the raw bytes of its arrays. Nothing that arrives is ever executed:
that is why it is not pickle. This file is loaded by the learner's process too, without `mstheft`.
"""

import json
import struct
from collections.abc import Callable
from typing import IO, Any

import numpy as np

LARGEST = 64 * 2**20  # bytes of one message
MOST_PARTS = 10**6  # commas and brackets of its JSON: read, each takes a hundred bytes
_HEADER = struct.Struct(">QQ")
_KINDS = "biufUS"  # dtypes that are nothing but numbers or letters


class NotPlain(TypeError):
    """A value that cannot cross; the message names its type."""


class Ended(Exception):
    """The other side is gone, or has sent what is no message."""


def send(stream: IO[bytes], value: object, name_of: Callable[[Any], Any] | None = None) -> None:
    """Write one value. `name_of(thing)` gives the name to send for a callable, or None."""
    blobs: list[bytes] = []
    tree = json.dumps(_pack(value, blobs, name_of)).encode()
    if (size := len(tree) + sum(map(len, blobs))) > LARGEST:
        most = LARGEST // 2**20
        raise NotPlain(f"an answer of {size / 2**20:.0f} MB; at most {most} MB may cross")
    if _parts(tree) > MOST_PARTS:
        raise NotPlain(f"an answer of more than {MOST_PARTS:,} parts; give numbers as an array")
    stream.write(_HEADER.pack(len(tree), sum(map(len, blobs))) + tree)
    for blob in blobs:
        stream.write(blob)
    stream.flush()


def receive(stream: IO[bytes], thing_of: Callable[[Any], Any] | None = None) -> Any:
    """Read one value; `thing_of(name)` gives the callable of a name. Raises `Ended`."""
    tree, blob = _HEADER.unpack(_exactly(stream, _HEADER.size))
    if tree + blob > LARGEST:
        raise Ended(f"a message of {tree + blob:,} bytes; at most {LARGEST:,} may cross")
    text = _exactly(stream, tree)
    if _parts(text) > MOST_PARTS:
        raise Ended(f"a message of more than {MOST_PARTS:,} parts")
    try:
        return _unpack(json.loads(text), _exactly(stream, blob), thing_of)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise Ended(f"a message that cannot be read: {error}") from error


def _parts(text: bytes) -> int:
    return sum(text.count(mark) for mark in (b",", b"[", b"{"))


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise Ended("the process has ended")
    return data


def _pack(value: object, blobs: list[bytes], name_of: Callable[[Any], Any] | None) -> Any:
    if value is None or isinstance(value, (bool, str)) or type(value) in (int, float):
        return value
    if isinstance(value, (np.ndarray, np.generic)):
        return _pack_array(value, blobs)
    if isinstance(value, (tuple, list)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_pack(v, blobs, name_of) for v in value]}
    if isinstance(value, dict):
        if not all(isinstance(k, str) for k in value):
            raise NotPlain("a dict whose keys are not all strings")
        return {"dict": [[k, _pack(v, blobs, name_of)] for k, v in value.items()]}
    if isinstance(value, np.random.Generator):
        return {"rng": value.bit_generator.state}
    name = name_of(value) if name_of else None
    if name is None:
        raise NotPlain(f"an object of type {type(value).__name__}")
    return {"name": name}


def _pack_array(value: np.ndarray | np.generic, blobs: list[bytes]) -> dict[str, list[Any]]:
    array = np.asarray(value)
    if array.dtype.kind not in _KINDS:
        raise NotPlain(f"an array of dtype {array.dtype}")
    blobs.append(array.tobytes())
    start = sum(map(len, blobs[:-1]))
    kind = "array" if isinstance(value, np.ndarray) else "scalar"
    return {kind: [array.dtype.str, array.shape, start, len(blobs[-1])]}


def _unpack(tree: Any, blob: bytes, thing_of: Callable[[Any], Any] | None) -> Any:
    if not isinstance(tree, dict):
        return tree
    ((kind, content),) = tree.items()
    if kind in ("array", "scalar"):
        dtype, shape, start, size = content
        if np.dtype(dtype).kind not in _KINDS:
            raise ValueError(f"dtype {dtype}")
        array = np.frombuffer(blob[start : start + size], dtype).reshape(shape).copy()
        return array if kind == "array" else array[()]
    if kind == "rng":
        rng = np.random.default_rng(0)
        rng.bit_generator.state = content
        return rng
    if kind == "name":
        if thing_of is None:
            raise ValueError("a name where none may be")
        return thing_of(content)
    parts = [_unpack(v[1] if kind == "dict" else v, blob, thing_of) for v in content]
    if kind == "dict":
        return dict(zip((k for k, _ in content), parts, strict=True))
    return tuple(parts) if kind == "tuple" else parts
