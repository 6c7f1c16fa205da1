"""Reading CIFAR-10 batches, which are pickles, without running what a pickle may name.

A pickle is a program for a small stack machine. Two of its instructions are dangerous, because
together they call any function of any module:

    GLOBAL 'os system'      push the function os.system
    'rm -rf ~'  TUPLE1      push its arguments
    REDUCE                  call it

Here GLOBAL has five names, each with a method of this file behind it: no function is imported. The
memory of a pickle is not bounded, so a loader compares the checksum of a batch first.
"""

import io
import pickle
from collections.abc import Callable

import numpy as np

from mstheft.data.loaded import damaged


class _NumberType:
    """In place of `numpy.dtype`. Its state, a byte order, means nothing for single bytes."""

    def __init__(self, name: str | bytes, *_: object):
        self.name = name.decode() if isinstance(name, bytes) else name

    def __setstate__(self, state: object) -> None:
        pass


class _Bytes:
    """In place of an array of bytes: empty at first, then filled from the state that follows."""

    values: np.ndarray | None = None

    def __setstate__(self, state: tuple[int, tuple[int, ...], _NumberType, bool, bytes]) -> None:
        _version, shape, kind, columns_first, content = state
        if kind.name != "u1" or columns_first:
            raise ValueError("an array that is not of bytes, row by row")
        self.values = np.frombuffer(content, np.uint8).reshape(shape)


class _Unpickler(pickle.Unpickler):
    """An unpickler that knows five names."""

    def find_class(self, module: str, name: str) -> Callable[..., object] | None:
        """The meaning of a name: a bound method, since a pickle could alter a class."""
        meanings = {
            "numpy.core.multiarray _reconstruct": self._array,  # in the published batches
            "numpy._core.multiarray _reconstruct": self._array,  # its name since NumPy 2
            "numpy ndarray": None,  # an argument of _reconstruct, which is not called
            "numpy dtype": self._number_type,
            "_codecs encode": self._encode,  # how Python 3 writes bytes in protocol 2
        }
        return meanings[f"{module} {name}"]

    def _array(self, *_: object) -> _Bytes:
        return _Bytes()

    def _number_type(self, *arguments: str | bytes) -> _NumberType:
        return _NumberType(*arguments)

    def _encode(self, text: str, _encoding: object) -> bytes:
        return text.encode("latin-1")


def load(content: bytes, name: str) -> dict[object, object]:
    """Read a batch: a dict of plain values and arrays (n, d) uint8, which are read-only.

    content : the whole pickle;  name : what to call it in an error
    Returns the dict with its keys as text, as Python 2 wrote them and Python 3 does.
    Raises DataError for anything else, whether damaged or hostile; nothing of it is run.
    Source: Lib/pickletools.py, which documents every instruction.
    """
    try:
        batch = _Unpickler(io.BytesIO(content), encoding="bytes").load()
        keys = [key.decode("latin-1") if isinstance(key, bytes) else key for key in batch]
        values = [each.values if isinstance(each, _Bytes) else each for each in batch.values()]
        return dict(zip(keys, values, strict=True))
    except Exception as error:  # the manual of `pickle` lists some and says that there are more
        got = f"{type(error).__name__} ({error})"
        raise damaged(name, "a pickled dict of plain values and bytes", got) from error
