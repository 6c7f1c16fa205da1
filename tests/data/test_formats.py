"""IDX and PPM files: sound ones are read exactly, damaged ones are named in a sentence."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest

from mstheft.data import formats
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
        return formats.read_idx(path)

    return write_and_read


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("shape", [(5,), (2, 3, 4)])
def test_every_kind_of_number_comes_back(read, kind, pack, shape):
    array = np.random.default_rng(0).normal(0, 50, shape).astype("i1").astype(kind)
    got = read(pack(idx(array)))
    np.testing.assert_array_equal(got, array)
    assert got.dtype == np.dtype(kind)
    assert got.dtype.isnative
    assert got.flags.writeable


def test_bytes_by_hand(read):
    """Big-endian by the definition: 01 00 is 256, and the last axis runs fastest."""
    got = read(bytes.fromhex("00000b02 00000001 00000002 0100 ffff"))
    assert got.tolist() == [[256, -1]]


WRONG = {
    "empty": b"",
    "zeros": b"\0\0",
    "short magic": b"\0\0\x08",
    "second byte": b"\0\1" + SMALL[2:],
    "unknown type": b"\0\0\x0a" + SMALL[3:],
    "255 axes": b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"\0",
    "HTML": b"<html><body>404",
    "cut in the sizes": SMALL[:11],
    "cut in the numbers": SMALL[:-1],
    "trailing": SMALL + b"\0",
    # A product that wraps around to 0 in 64 bits, as fixed-width arithmetic would have it.
    "wraps around": header(8, 2**31, 2**31, 4),
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("name", WRONG)
def test_damaged_files_are_named(read, name, pack):
    with pytest.raises(DataError, match=r"file-idx: expected an IDX file.*; get the file again"):
        read(pack(WRONG[name]))


def test_every_truncation_and_flipped_byte_of_a_gzip_file_is_noticed(read):
    packed = gzip.compress(SMALL)
    for at in range(len(packed)):
        bad = bytearray(packed)
        bad[at] ^= 0x55
        # Nothing covers the 10 bytes of gzip's own header.
        for content in (packed[:at], bytes(bad))[: 1 if at < 10 else 2]:
            with pytest.raises(DataError, match=r"file-idx: expected .*get the file again"):
                read(content)


def test_a_decompression_bomb_is_not_unpacked(read):
    """100 MB of zeros behind 24 honest bytes: 25 bytes and gzip's buffer are unpacked."""
    bomb = gzip.compress(SMALL + bytes(100_000_000), compresslevel=1)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"expected an IDX file"):
            read(bomb)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_missing_files_and_folders(tmp_path):
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(DataError, match=r"expected an IDX file.*(No such|directory)"):
            formats.read_idx(path)


IMAGE = np.arange(45, dtype=np.uint8).reshape(3, 5, 3)


def ppm(image, header="P6\n{w} {h}\n255\n"):
    h, w, _ = image.shape
    return header.format(w=w, h=h).encode() + image.tobytes()


@pytest.mark.parametrize(
    "header",
    [
        "P6\n{w} {h}\n255\n",
        "P6 {w} {h} 255 ",
        "P6\t\r\n{w}\n\n{h} 255\r",
        "P6#a\n#b\n{w} # \n{h}\n255\n",
    ],
)
def test_ppm(header):
    np.testing.assert_array_equal(formats.read_ppm(ppm(IMAGE, header), "x"), IMAGE)


WRONG_PPM = {
    "empty": (b"", "expected a binary PPM image .* got b''"),
    "grey": (b"P5\n1 1\n255\n1", "expected a binary PPM image"),
    "no width": (b"P6 0 1 255 ", "got 0 for 0 x 1"),
    "huge": (b"P6 99999 99999 255 123", "got 3 for 99999 x 99999"),
    "16 bits": (b"P6 1 1 65535 123456", "with values up to 65535"),
    "short": (ppm(IMAGE)[:-1], "got 44 for 5 x 3"),
    "long": (ppm(IMAGE) + b"\n", "got 46 for 5 x 3"),
    "an endless comment": (b"P6#" + b"a" * 100_000, "expected a binary PPM image"),
}


@pytest.mark.parametrize("name", WRONG_PPM)
def test_wrong_ppm(name):
    content, says = WRONG_PPM[name]
    with pytest.raises(DataError, match=f"^some.ppm: .*{says}"):
        formats.read_ppm(content, "some.ppm")
