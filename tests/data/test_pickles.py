"""Pickles are read without running them: plain ones in full, all others refused unrun."""

import builtins
import contextlib
import os
import pickle
import pickletools
import re
import subprocess
import time
import tracemalloc
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mstheft.data import pickles
from mstheft.errors import DataError

PLAIN = {
    "text": ["", "é", "a" * 300, "\u4e00"],
    "bytes": [b"", b"\xff\0", bytes(300)],
    "numbers": [0, 1, -1, 255, 256, 65_536, -(2**31), 2**31, 2**70, -(2**2100), 0.5, -1e300],
    "constants": [None, True, False],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((),)],
    "nested": {1: {"a": [[], {}]}, None: [()], 2.5: {}},
}


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize("name", PLAIN)
def test_plain_values_come_back(name, protocol):
    value = PLAIN[name]
    if protocol < 3 and name == "bytes":
        value = value[1:]  # Python 3 writes b"" for these as a call of bytes()
    assert pickles.load(pickle.dumps(value, protocol)) == value


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.tuples(inner, inner)
    ),
    max_leaves=20,
)


@given(plain, st.integers(0, 4))
def test_any_plain_value_comes_back(value, protocol):
    assert pickles.load(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize("kind", ["u1", "<i2", ">i4", "i8", "u8", "f2", ">f4", "f8", "b1", "c16"])
def test_arrays_come_back(kind, protocol):
    array = (np.arange(24).reshape(2, 3, 4) % 100).astype(kind)
    for value in (
        array,
        np.asfortranarray(array),
        array[:, ::2],
        array[0, 0, 0],
        np.array(3, kind),
    ):
        got = pickles.load(pickle.dumps(value, protocol))
        np.testing.assert_array_equal(got, value)
        assert got.dtype == value.dtype
        assert np.shape(got) == np.shape(value)
    if protocol > 2:  # before, Python 3 writes b"" as a call of bytes()
        empty = pickles.load(pickle.dumps(np.zeros((0, 3072), kind), protocol))
        assert empty.shape == (0, 3072)


def test_values_that_stand_twice_are_the_same():
    array, part = np.arange(3), [1]
    got = pickles.load(pickle.dumps({"a": [array, array], "b": [part, part]}, 2))
    assert got["a"][0] is got["a"][1]
    assert got["b"][0] is got["b"][1]
    itself = []
    itself.append(itself)
    got = pickles.load(pickle.dumps(itself))
    assert got[0] is got


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
    + (py2(b"filenames") + b"](" + py2(b"a.png") + py2(b"b.png") + b"e")
    + b"u."
)


def test_a_batch_as_python_2_wrote_it():
    reference = pickle.loads(BATCH, encoding="bytes")  # the fixture itself is sound
    got = pickles.load(BATCH)
    assert got.keys() == reference.keys()
    np.testing.assert_array_equal(got.pop(b"data"), reference[b"data"])
    assert got == {
        b"batch_label": b"training batch 1 of 5",
        b"labels": [6, 9],
        b"filenames": [b"a.png", b"b.png"],
    }


class Call:
    """Pickled as the call of a function."""

    def __init__(self, function, *arguments, state=None):
        self.parts = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.parts


def marker(tmp_path):
    return str(tmp_path / "it ran")


HOSTILE = {
    "os.system": lambda file: Call(os.system, f"touch '{file}'"),
    "eval": lambda file: Call(eval, f"open({file!r}, 'w')"),
    "exec": lambda file: Call(exec, f"open({file!r}, 'w')"),
    "open": lambda file: Call(open, file, "w"),
    "subprocess": lambda file: Call(subprocess.call, ["touch", file]),
    "getattr": lambda file: Call(getattr, Call(__import__, "os"), "system"),
    "getattr of an array": lambda file: Call(getattr, np.zeros(1), "tofile"),
    "import": lambda file: Call(__import__, "antigravity"),
    "bytearray": lambda file: Call(bytearray, 10),
    "set": lambda file: {1, 2},
    "frozenset": lambda file: frozenset([1]),
    "complex": lambda file: 1j,
    "ordered dict": lambda file: OrderedDict(a=1),
    "a class": lambda file: Call,
    "an object": lambda file: pytest.approx(1),
    "a function of the package": lambda file: pickles.load,
    "numpy.load": lambda file: Call(np.load, file),
    "numpy.save": lambda file: Call(np.save, file, np.zeros(1)),
    "numpy.fromfile": lambda file: Call(np.fromfile, "/etc/passwd"),
    "numpy.zeros": lambda file: Call(np.zeros, 1 << 40),
    "numpy.frombuffer": lambda file: Call(np.frombuffer, b"1"),
    "a real ndarray call": lambda file: Call(np.ndarray, (1 << 40,)),
    "a subclass of ndarray": lambda file: np.ma.zeros(3),
    "objects in an array": lambda file: np.array([Call(os.system, f"touch '{file}'")], object),
    "plain objects in an array": lambda file: np.array([None]),
    "records": lambda file: np.zeros(2, [("a", "u1")]),
    "text in an array": lambda file: np.array(["a"]),
    "dates": lambda file: np.array(["2020-01-01"], "M8[D]"),
    "a number type alone": lambda file: np.dtype("u1"),
    "the type ndarray": lambda file: [np.ndarray],
    "an encoding": lambda file: Call(__import__("_codecs").encode, "1", "rot13"),
    "a random generator": lambda file: np.random.default_rng(0),
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_refused_and_not_run(name, protocol, tmp_path):
    content = pickle.dumps({"labels": [1], "data": HOSTILE[name](marker(tmp_path))}, protocol)
    with pytest.raises(DataError, match=r"in a pickle, got .*; do not trust it, get it again"):
        pickles.load(content)
    assert not os.path.exists(marker(tmp_path))


RAW = {
    "os.system": b"cos\nsystem\n(S'true'\ntR.",
    "os.system by INST": b"(S'true'\nios\nsystem\n.",
    "os.system by OBJ": b"(cos\nsystem\nS'true'\no.",
    "os.system by STACK_GLOBAL": b"\x80\4\x8c\2os\x8c\6system\x93\x8c\4true\x85R.",
    "a name that is not called": b"cos\nsystem\n.",
    "a name that is dropped": b"cos\nsystem\n0N.",
    "a dotted name": b"\x80\4\x8c\5numpy\x8c\x0cndarray.dump\x93.",
    "the builtins by another way": b"c__builtin__\neval\n(S'1'\ntR.",
    "a name with a space": b"cnumpy.core\nmultiarray _reconstruct\n.",
    "NEWOBJ": b"\x80\2cnumpy\nndarray\nK\1\x85\x81.",
    "NEWOBJ_EX": b"\x80\4cnumpy\nndarray\nK\1\x85}\x92.",
    "a call of ndarray": b"cnumpy\nndarray\n(K\1\x85tR.",
    "a call of text": b"S'os'\n(K\1tR.",
    "a persistent number": b"Pfile\n.",
    "a persistent object": b"K\1Q.",
    "an extension": b"\x80\2\x82\1.",
    "a buffer from elsewhere": b"\x80\5\x97.",
    "the state of a function": b"cnumpy.core.multiarray\n_reconstruct\n}S'__code__'\nK\1sb.",
    "the state of a list": b"]}S'a'\nK\1sb.",
    "_reconstruct of another class": b"cnumpy.core.multiarray\n_reconstruct\n(NK\0\x85S'b'\ntR.",
    "an array that is never finished": b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n"
    b"K\0\x85S'b'\ntR.",
    "the same inside": b"]cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n"
    b"K\0\x85S'b'\ntRa.",
    "a mark alone": b"(.",
    "two values": b"K\1K\2.",
    "no value": b"\x80\2.",
    "something behind it": b"K\1.K\2.",
    "no end": b"K\1",
    "nothing": b"",
    "an unknown instruction": b"\xff.",
    "a memo that is empty": b"h\1.",
    "a tuple to append to": b")K\1a.",
    "a list as key": b"}]K\1s.",
    "a tuple as key": b"})K\1s.",
    "an odd number of values": b"}(K\1u.",
    "more taken than there is": b"\x86.",
    "through a mark": b"K\1(K\2\x86.",
    "no mark": b"K\1t.",
    "a number that is text": b"Iabc\n.",
}


@pytest.mark.parametrize("name", RAW)
def test_hostile_instructions_are_refused(name):
    with pytest.raises(DataError, match=r"expected .* in a pickle, got .*"):
        pickles.load(RAW[name])


def test_nothing_is_imported_or_looked_up(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("something was called")

    content = pickle.dumps(Call(os.system, "true"), 2)
    batch = pickle.dumps({"a": np.arange(3)}, 2)
    pickles.load(batch)
    with monkeypatch.context() as patch:
        patch.setattr(pickle, "loads", refuse)
        patch.setattr(pickle, "Unpickler", refuse)
        patch.setattr(builtins, "__import__", refuse)
        try:
            pickles.load(content)
        except DataError as error:
            says = str(error)
        got = pickles.load(batch)
    assert re.search("got the name '(posix|nt) system'", says)
    assert got["a"].tolist() == [0, 1, 2]


def array(shape, type_=TYPE, content=b"123456", fortran=b"\x89"):
    return b"\x80\2cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85" + (
        py2(b"b") + b"\x87R(K\1" + shape + type_ + fortran + py2(content) + b"tb."
    )


def longs(*numbers):
    """A tuple of numbers of any size."""
    parts = [b"\x8a\x10" + number.to_bytes(16, "little", signed=True) for number in numbers]
    return b"(" + b"".join(parts) + b"t"


def test_an_array_has_exactly_its_bytes():
    assert pickles.load(array(longs(2, 3))).tolist() == [[49, 50, 51], [52, 53, 54]]
    assert pickles.load(array(longs(2, 3), fortran=b"\x88")).tolist() == [
        [49, 51, 53],
        [50, 52, 54],
    ]
    for shape in (longs(5), longs(7), longs(1 << 38), longs(), longs(2, 2), longs(0)):
        with pytest.raises(
            DataError, match=r"expected as many bytes as .* of uint8 needs .*, got 6"
        ):
            pickles.load(array(shape))
    for shape in (longs(-6), longs(-2, -3), longs(1 << 64, 0), b"(\x88t", b"(G?\xf0\0\0\0\0\0\0t"):
        with pytest.raises(DataError, match="expected axes of 0 to 1,099,511,627,776"):
            pickles.load(array(shape))
    for shape in (longs(*[1] * 33), b"N", b"]", b"K\6"):
        with pytest.raises(DataError, match="expected a shape of at most 32 axes and bytes"):
            pickles.load(array(shape))
    with pytest.raises(DataError, match="expected a number type"):
        pickles.load(array(longs(6), type_=py2(b"u1")))
    for fields in (b"NN}", b"N)N", b"K\1NN"):
        with pytest.raises(DataError, match=r"expected a type of plain numbers in .* a record"):
            pickles.load(array(longs(6), type_=TYPE.replace(b"NNN", fields)))
    for name in (b"O", b"V6", b"u3", b"(6,)u1", b"u1,u1", b"M8", b"S6", b"O8", b"<f16", b"u1\n"):
        type_ = TYPE.replace(py2(b"u1"), py2(name))
        with pytest.raises(DataError, match="expected a type of plain numbers"):
            pickles.load(array(longs(6), type_=type_))


def test_a_type_or_an_array_is_built_once():
    with pytest.raises(DataError, match="got the state of something else"):
        pickles.load(array(longs(6), type_=TYPE + b"(K\3" + py2(b"<") + b"NNNK\0K\0K\0tb"))
    with pytest.raises(DataError, match="got the state of something else"):
        pickles.load(
            array(longs(6))[:-1] + b"(K\1" + longs(6) + TYPE + b"\x89" + py2(b"12") + b"tb."
        )


def within(megabytes, seconds, content, says="in a pickle"):
    tracemalloc.start()
    start = time.perf_counter()
    try:
        with pytest.raises(DataError, match=says):
            pickles.load(content)
        assert tracemalloc.get_traced_memory()[1] < megabytes * 1e6
        assert time.perf_counter() - start < seconds
    finally:
        tracemalloc.stop()


GREEDY = {
    "text of 2 GB": b"T\xff\xff\xff\x7fabc.",
    "bytes of 4 GB": b"B\xff\xff\xff\xffabc.",
    "bytes of 16 EB": b"\x80\4\x8e" + b"\xff" * 7 + b"\x7fabc.",
    "text of 16 EB": b"\x80\4\x8d" + b"\xff" * 7 + b"\x7fabc.",
    "a frame of 16 EB": b"\x80\4\x95" + b"\xff" * 7 + b"\x7f.",
    "a number of 2 GB": b"\x8b\xff\xff\xff\x7fabc.",
    "a memo of 32 GB": b"Nr\xff\xff\xff\xff0.",
}


@pytest.mark.parametrize("name", GREEDY)
def test_sizes_are_believed_only_if_the_bytes_are_there(name):
    within(1, 2, GREEDY[name])


def test_a_memo_may_have_holes():
    assert pickles.load(b"Nr\xff\xff\xff\xff.") is None


def test_containers_that_double_take_no_time():
    """60 lists, each holding the one before twice: 10^18 leaves, if each were visited."""
    double = b"]q\0" + b"".join(
        b"](h" + bytes([k]) + b"h" + bytes([k]) + b"eq" + bytes([k + 1]) for k in range(60)
    )
    start = time.perf_counter()
    assert len(pickles.load(b"(" + double + b"l.")[-1]) == 2
    assert time.perf_counter() - start < 1
    # Printed in an error they would take forever too.
    within(2, 1, b"(" + double + b"l" + b"S'system'\n\x93.")
    within(2, 1, array(b"(" + double + b"t"))


def test_text_is_not_copied_without_end():
    """A megabyte, encoded again and again by 5 bytes each."""
    text = b"X" + (1 << 20).to_bytes(4, "little") + b"a" * (1 << 20) + b"q\0"
    again = b"c_codecs\nencode\nh\0X\6\0\0\0latin1\x86R"
    assert len(pickles.load(b"(" + text + again + b"t.")[1]) == 1 << 20
    within(
        20,
        5,
        b"(" + text + again * 2000 + b"t.",
        "expected at most 1,1.* bytes of text in a pickle, got m",
    )


def test_every_truncation_and_many_a_flipped_byte_of_a_batch():
    """Cut short is always refused; changed it is refused or still plain."""
    for length in range(0, len(BATCH), 1 if len(BATCH) < 500 else 13):
        with pytest.raises(DataError, match="in a pickle"):
            pickles.load(BATCH[:length])
    for at in [*range(300), *range(len(BATCH) - 60, len(BATCH))]:
        for flip in (1, 0x20, 0xFF):
            bad = bytearray(BATCH)
            bad[at] ^= flip
            with contextlib.suppress(DataError):
                assert isinstance(pickles.load(bytes(bad)), (dict, list, tuple, bytes, int))


@given(st.binary(max_size=60))
def test_rubbish(content):
    with contextlib.suppress(DataError):
        pickles.load(content)


@given(
    st.lists(st.sampled_from([o.code.encode("latin-1") for o in pickletools.opcodes]), max_size=30)
)
def test_any_sequence_of_instructions(codes):
    with contextlib.suppress(DataError):
        pickles.load(b"(K\1\x8c\2os" + b"".join(codes) + b".")
