"""CIFAR-10 batches are read without running their pickles: sound ones in full, others refused."""

import contextlib
import os
import pickle
import subprocess
import warnings
from collections import OrderedDict

import numpy as np
import pytest

from mstheft.data import pickles
from mstheft.errors import DataError


def load(content):
    return pickles.load(content, "some batch")


@pytest.mark.parametrize("protocol", range(2, 5))
def test_a_batch_that_python_3_wrote_anew(protocol):
    batch = {
        "data": np.arange(24, dtype=np.uint8).reshape(2, 12),
        "labels": [3, 9],
        "filenames": ["a.png", "é.png"],
        b"batch_label": b"1 of 5\xff",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # NumPy warns who looks up its old names
        got = load(pickle.dumps(batch, protocol))
    np.testing.assert_array_equal(got.pop("data"), batch.pop("data"))
    assert got == {**{k: batch[k] for k in ("labels", "filenames")}, "batch_label": b"1 of 5\xff"}


def py2(text):
    """How Python 2 wrote a str in protocol 2."""
    if len(text) < 256:
        return b"U" + bytes([len(text)]) + text
    return b"T" + len(text).to_bytes(4, "little") + text


# Written by hand from the instructions in a CIFAR-10 batch of 2 images.
PIXELS = bytes(i % 256 for i in range(2 * 3072))
TYPE = b"cnumpy\ndtype\n" + py2(b"u1") + b"K\0K\1\x87R(K\3" + py2(b"|") + b"NNNJ\xff\xff\xff\xff"
TYPE += b"J\xff\xff\xff\xffK\0tb"
BATCH = (
    b"\x80\2}q\1("
    + (py2(b"batch_label") + py2(b"training batch 1 of 5"))
    + (py2(b"labels") + b"]q\2(K\6K\x09e")
    + py2(b"data")
    + b"cnumpy.core.multiarray\n_reconstruct\nq\3cnumpy\nndarray\nK\0\x85"
    + (py2(b"b") + b"\x87Rq\4(K\1K\2M\0\x0c\x86" + TYPE + b"\x89" + py2(PIXELS) + b"tb")
    + b"u."
)


def test_a_batch_as_python_2_wrote_it():
    got = load(BATCH)
    np.testing.assert_array_equal(got.pop("data"), np.frombuffer(PIXELS, np.uint8).reshape(2, -1))
    assert got == {"batch_label": b"training batch 1 of 5", "labels": [6, 9]}


class Call:
    """Pickled as the call of a function."""

    def __init__(self, function, *arguments, state=None):
        self.parts = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.parts


HOSTILE = {
    "os.system": lambda file: Call(os.system, f"touch '{file}'"),
    "eval": lambda file: Call(eval, f"open({file!r}, 'w')"),
    "open": lambda file: Call(open, file, "w"),
    "subprocess": lambda file: Call(subprocess.call, ["touch", file]),
    "a chain of getattr": lambda file: Call(getattr, Call(__import__, "os"), "system"),
    "getattr of an array": lambda file: Call(getattr, np.zeros(1), "tofile"),
    "ordered dict": lambda file: OrderedDict(a=1),
    "a class": lambda file: Call,
    "numpy.load": lambda file: Call(np.load, file),
    "a real ndarray call": lambda file: Call(np.ndarray, (1 << 40,)),
    "a subclass of ndarray": lambda file: np.ma.zeros(3),
    "objects in an array": lambda file: np.array([Call(os.system, f"touch '{file}'")], object),
    "records": lambda file: np.zeros(2, [("a", "u1")]),
    "floats": lambda file: np.zeros(2),
    "columns first": lambda file: np.zeros((2, 3), np.uint8, order="F"),
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_refused_and_not_run(name, protocol, tmp_path):
    file = tmp_path / "it ran"
    content = pickle.dumps({"labels": [1], "data": HOSTILE[name](str(file))}, protocol)
    with pytest.raises(DataError, match=r"^some batch: expected a pickled dict of .*, got .*"):
        load(content)
    assert not file.exists()


RAW = {
    "os.system": b"cos\nsystem\n(S'true'\ntR.",
    "os.system by INST": b"(S'true'\nios\nsystem\n.",
    "os.system by OBJ": b"(cos\nsystem\nS'true'\no.",
    "os.system by STACK_GLOBAL": b"\x80\4\x8c\2os\x8c\6system\x93\x8c\4true\x85R.",
    "a dotted name": b"\x80\4\x8c\5numpy\x8c\x0cndarray.dump\x93.",
    "the builtins by another way": b"c__builtin__\neval\n(S'1'\ntR.",
    "NEWOBJ": b"\x80\2cnumpy\nndarray\nK\1\x85\x81.",
    "a call of ndarray": b"cnumpy\nndarray\n(K\1\x85tR.",
    "a persistent object": b"K\1Q.",
    "an extension": b"\x80\2\x82\1.",
    "a buffer from elsewhere": b"\x80\5\x97.",
    "no dict": b"K\1.",
    "no end": b"}",
    "nothing": b"",
    "an unknown instruction": b"\xff.",
    "text of 2 GB": b"T\xff\xff\xff\x7fabc.",
    "bytes of 16 EB": b"\x80\4\x8e" + b"\xff" * 7 + b"\x7fabc.",
}


@pytest.mark.parametrize("name", RAW)
def test_hostile_instructions_are_refused(name):
    with pytest.raises(DataError, match=r"expected a pickled dict of .*, got .*"):
        load(RAW[name])


@pytest.mark.parametrize("name", ["cnumpy.core.multiarray\n_reconstruct\n", "c_codecs\nencode\n"])
def test_what_a_name_stands_for_cannot_be_altered(name):
    """BUILD would set attributes of a class or a function, and spoil it for later batches."""
    with pytest.raises(DataError):
        load(name.encode() + b"N}S'__code__'\nS'x'\ns\x86b.")
    with contextlib.suppress(DataError):
        load(name.encode() + b"}S'__code__'\nS'x'\nsb.")
    assert load(BATCH)["labels"] == [6, 9]
