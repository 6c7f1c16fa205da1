"""IDX and MNIST: sound files are read exactly, damaged and hostile ones named in a sentence."""

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from mstheft.data import images, store
from mstheft.errors import DataError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def header(code, *shape):
    return struct.pack(f">HBB{len(shape)}I", 0, code, len(shape), *shape)


def idx(array):
    big = array.astype(array.dtype.newbyteorder(">"))
    return header(CODES[array.dtype.str[1:]], *array.shape) + big.tobytes()


SMALL = idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))


@pytest.fixture
def read(tmp_path):
    """Write bytes to a file and read them as IDX."""

    def write_and_read(content):
        path = tmp_path / "file-idx"
        path.write_bytes(content)
        return images.read_idx(path)

    return write_and_read


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4), (1, 1, 1, 1, 1, 1, 1, 2)])
def test_every_kind_of_number_comes_back(read, kind, pack, shape):
    array = (np.random.default_rng(0).normal(0, 50, shape)).astype(kind.replace("u1", "i1"))
    array = array.astype(kind)
    got = read(pack(idx(array)))
    np.testing.assert_array_equal(got, array)
    assert got.dtype == np.dtype(kind)
    assert got.dtype.isnative
    assert got.flags.writeable


def test_bytes_by_hand(read):
    """Big-endian by the definition: 01 00 is 256, and the last axis runs fastest."""
    got = read(bytes.fromhex("00000b02 00000001 00000002 0100 ffff"))
    assert got.tolist() == [[256, -1]]


def test_members_of_gzip_may_follow_each_other(read):
    """The gzip format allows it: RFC 1952, section 2.2."""
    assert read(gzip.compress(SMALL[:10]) + gzip.compress(SMALL[10:])).shape == (2, 3, 4)


WRONG = {
    "empty": (b"", "expected IDX, .* got an empty file"),
    "short magic": (b"\0\0\x08", "expected IDX, .* got 00 00 08"),
    "first byte": (b"\1" + SMALL[1:], "expected IDX, .* got 01 00 08 03"),
    "second byte": (b"\0\1" + SMALL[2:], "expected IDX, .* got 00 01 08 03"),
    "unknown type": (b"\0\0\x0a" + SMALL[3:], r"a type \(08 09 0b 0c 0d 0e\).* got 00 00 0a 03"),
    "no axes": (b"\0\0\x08\0", "1 to 8 axes, got 00 00 08 00"),
    "nine axes": (header(8, *[1] * 9) + b"\0", "1 to 8 axes, got 00 00 08 09"),
    "255 axes": (b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"\0", "1 to 8 axes"),
    "PNG": (b"\x89PNG\r\n\x1a\n", "got 89 50 4e 47"),
    "HTML": (b"<html><body>404", "got 3c 68 74 6d"),
    "cut in the sizes": (SMALL[:11], "expected the sizes of 3 axes, got 7 bytes"),
    "cut in the numbers": (SMALL[:-1], "expected 24 bytes of numbers, .* got only 23"),
    "no numbers": (SMALL[:16], "expected 24 bytes of numbers, .* got only 0"),
    "trailing": (SMALL + b"\0", "expected 24 bytes of numbers, .* got more"),
    "an empty axis": (header(8, 3, 0, 5), r"axes of at least 1, got the shape \(3, 0, 5\)"),
    "absurd": (
        header(8, 2**32 - 1, 2**32 - 1),
        "at most 1,073,741,824 bytes of numbers, got 4294967295 x 4294967295 numbers",
    ),
    # A product that wraps around to 0 in 64 bits, as fixed-width arithmetic would have it.
    "wraps around": (header(8, 2**31, 2**31, 4), "which are 18,446,744,073,709,551,616 bytes"),
    "too wide": (header(0x0E, 2**27 + 1), "which are 1,073,741,832 bytes"),
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("name", WRONG)
def test_damaged_files_are_named(read, name, pack):
    content, says = WRONG[name]
    with pytest.raises(DataError, match=f"file-idx: .*{says}.*; get the file again"):
        read(pack(content))


def test_every_truncation_of_a_gzip_file_is_noticed(read):
    packed = gzip.compress(SMALL)
    for length in range(len(packed)):
        with pytest.raises(DataError, match=r"file-idx: expected .*get the file again"):
            read(packed[:length])


def test_every_flipped_byte_of_the_packed_numbers_is_noticed(read):
    """Behind the 10 bytes of gzip's own header, its checksum covers everything."""
    packed = gzip.compress(SMALL)
    for at in range(10, len(packed)):
        bad = bytearray(packed)
        bad[at] ^= 0x55
        with pytest.raises(DataError, match=r"file-idx: expected .*get the file again"):
            read(bytes(bad))


def test_rubbish_behind_a_gzip_file(read):
    with pytest.raises(DataError, match="expected a whole gzip file, got damaged data"):
        read(gzip.compress(SMALL) + b"rubbish")


def peak_bytes(action):
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_decompression_bomb_is_not_unpacked(read):
    """100 MB of zeros behind 24 honest bytes: 25 bytes and gzip's buffer are unpacked."""
    bomb = gzip.compress(SMALL + bytes(100_000_000), compresslevel=1)

    def refused():
        with pytest.raises(DataError, match=r"expected 24 bytes .* got more"):
            read(bomb)

    assert peak_bytes(refused) < 4_000_000


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_header_that_lies_takes_no_memory(read, pack):
    """1 GiB announced, 10 bytes there."""

    def refused():
        with pytest.raises(DataError, match=r"expected 1,073,741,824 bytes .* got only 10"):
            read(pack(header(8, 2**15, 2**15) + bytes(10)))

    assert peak_bytes(refused) < 4_000_000


def test_missing_and_unreadable(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"expected an IDX file at .*nothing, .*check the path"):
        images.read_idx(tmp_path / "nothing")
    with pytest.raises(DataError, match="no file"):
        images.read_idx(tmp_path)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "file").write_bytes(SMALL)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"cannot read .*file: Permission denied"):
        images.read_idx(tmp_path / "file")


@pytest.fixture
def small_mnist(tmp_path, monkeypatch):
    """A data folder with an MNIST of 6 + 4 images, whose checksums are known."""
    rng = np.random.default_rng(0)
    known = {}
    for prefix, n in (("train", 6), ("t10k", 4)):
        parts = {
            "images-idx3": rng.integers(0, 256, (n, 28, 28), dtype=np.uint8),
            "labels-idx1": rng.integers(0, 10, n, dtype=np.uint8),
        }
        for part, array in parts.items():
            name = f"mnist/{prefix}-{part}-ubyte.gz"
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(gzip.compress(idx(array)))
            digests = store._digests(path, ["md5", "sha256"])
            known[name] = store.KnownFile(name, "", path.stat().st_size, **digests)
    monkeypatch.setattr(store, "KNOWN", known)
    monkeypatch.setenv("MSTHEFT_DATA", str(tmp_path))
    return tmp_path / "mnist"


@pytest.mark.parametrize(("split", "prefix", "n"), [("train", "train", 6), ("test", "t10k", 4)])
def test_mnist_is_scaled_and_flattened(small_mnist, split, prefix, n):
    raw = images.read_idx(small_mnist / f"{prefix}-images-idx3-ubyte.gz")
    digits = images.read_idx(small_mnist / f"{prefix}-labels-idx1-ubyte.gz")
    x, y = images.mnist(split)
    assert x.shape == (n, 784)
    assert x.dtype == np.float64
    np.testing.assert_array_equal(x, raw.reshape(n, 784) / 255)
    assert y.dtype == np.int64
    np.testing.assert_array_equal(y, digits)
    x32, _ = images.mnist(split, flat=False, dtype=np.float32)
    assert x32.shape == (n, 28, 28)
    assert x32.dtype == np.float32
    np.testing.assert_allclose(x32.reshape(n, -1), x, rtol=6e-8)  # half a unit of float32


def test_mnist_refuses_a_damaged_file(small_mnist):
    path = small_mnist / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte.gz is not the published file"):
        images.mnist("train")
    path.unlink()
    with pytest.raises(DataError, match=r"expected mnist/train-labels.*MSTHEFT_DATA"):
        images.mnist("train")
    assert len(images.mnist("test")[0]) == 4


def test_mnist_arguments():
    with pytest.raises(ValueError, match="split must be 'train' or 'test'; got 'valid'"):
        images.mnist("valid")
    with pytest.raises(ValueError, match="dtype must be float64 or float32; got uint8"):
        images.mnist("test", dtype=np.uint8)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("split", "counts"),
    [
        ("train", [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
        ("test", [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
    ],
)
def test_real_mnist(split, counts):
    """Class counts as published; mean grey 33.3 and 33.8 of 255 as known to everyone."""
    x, y = images.mnist(split, dtype=np.float32)
    assert np.bincount(y).tolist() == counts
    assert x.shape == (sum(counts), 784)
    assert x.min() == 0
    assert x.max() == 1
    mean = x.mean(dtype=np.float64)
    assert mean == pytest.approx({"train": 0.13066, "test": 0.13251}[split], abs=1e-5)
