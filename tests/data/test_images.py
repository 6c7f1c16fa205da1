"""Image data: sound files are read exactly, damaged and hostile ones named in a sentence."""

import gzip
import io
import pickle
import struct
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mstheft.data import formats, images, photographs, store, traffic_signs
from mstheft.data.loaded import Loaded, how_many
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
def put(tmp_path, monkeypatch):
    """Put files into a data folder; their checksums are known."""
    known = {}
    monkeypatch.setattr(store, "KNOWN", known)
    monkeypatch.setenv("MSTHEFT_DATA", str(tmp_path))

    def add(name, content):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        digests = store._digests(path, ["md5", "sha256"])
        known[name] = store.KnownFile(name, None, path.stat().st_size, **digests)
        return path

    for files in store.SETS.values():
        known.update({file.name: file for file in files})
    return add


@pytest.fixture
def small_mnist(put, tmp_path):
    """An MNIST of 6 + 4 images."""
    rng = np.random.default_rng(0)
    for prefix, n in (("train", 6), ("t10k", 4)):
        parts = {
            "images-idx3": rng.integers(0, 256, (n, 28, 28), dtype=np.uint8),
            "labels-idx1": rng.integers(0, 10, n, dtype=np.uint8),
        }
        for part, array in parts.items():
            put(f"mnist/{prefix}-{part}-ubyte.gz", gzip.compress(idx(array)))
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


def test_loaded_is_a_pair_that_knows_more():
    x, y = loaded = Loaded([1, 2], np.array([3, 4]), "2 of 9 things: the first")
    assert loaded.x is x
    assert loaded.y is y
    assert len(loaded) == 2
    again = pickle.loads(pickle.dumps(loaded))
    assert again.found == "2 of 9 things: the first"
    assert again.x == [1, 2]
    assert how_many(9, 9, "things", "the first") == "all 9 things"
    assert how_many(2000, 9000, "things", "the first") == "2,000 of 9,000 things: the first"


def tgz(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def batch(n, seed, **changes):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (n, 3072), dtype=np.uint8)
    labels = [int(k) for k in rng.integers(0, 10, n)]
    return {"data": pixels, "labels": labels, "filenames": ["a.png"] * n, **changes}


FULL, SUBSET = images._CIFAR10


@pytest.mark.parametrize("as_bytes", [False, True])
def test_cifar10(put, as_bytes):
    """Batches in any order in the archive come in their own; pixels by hand."""
    batches = {f"data_batch_{k}": batch(k + 2, k) for k in (2, 1, 3)} | {"test_batch": batch(4, 9)}
    files = {}
    for name, content in batches.items():
        as_written = {k.encode(): v for k, v in content.items()} if as_bytes else content
        files[f"cifar-10-batches-py/{name}"] = pickle.dumps(as_written, 2)
    files["cifar-10-batches-py/readme.html"] = b"not a pickle"
    put(SUBSET, tgz(files))
    loaded = images.cifar10("train")
    x, y = loaded
    assert x.shape == (12, 32, 32, 3)
    assert x.dtype == np.float32
    assert x.flags.c_contiguous
    assert y.dtype == np.int64
    assert y.tolist() == [k for name in sorted(batches)[:3] for k in batches[name]["labels"]]
    first = batches["data_batch_1"]["data"]
    for channel in range(3):  # the planes of R, G and B one after the other, row by row
        for row, column in ((0, 0), (3, 30), (31, 5)):
            byte = first[2, channel * 1024 + row * 32 + column]
            assert x[2, row, column, channel] == np.float32(byte) / np.float32(255)
    second = batches["data_batch_2"]["data"].reshape(4, 3, 32, 32)
    np.testing.assert_array_equal(np.rint(x[3:7] * 255), np.moveaxis(second, 1, 3))
    says = "12 of 50,000 training images: data_batch_1 data_batch_2 data_batch_3 only"
    assert loaded.found == says
    flat = images.cifar10("test", flat=True, dtype=np.float64)
    assert flat.x.shape == (4, 3072)
    assert flat.x.dtype == np.float64
    np.testing.assert_allclose(
        flat.x, images.cifar10("test").x.reshape(4, -1), rtol=6e-8
    )  # half a unit of float32
    assert flat.found == "4 of 10,000 test images: test_batch only"


def test_the_complete_cifar10_is_preferred(put):
    put(SUBSET, tgz({"b/data_batch_1": pickle.dumps(batch(1, 0), 2)}))
    assert len(images.cifar10("train").y) == 1
    put(FULL, tgz({f"b/data_batch_{k}": pickle.dumps(batch(3, 0), 2) for k in range(1, 6)}))
    assert len(images.cifar10("train").y) == 15


class Call:
    def __reduce__(self):
        return (open, ("ran", "w"))


BATCHES = {
    "hostile": (Call(), "got the name '(io|_io) open'"),
    "a list": ([1], "expected 'data'"),
    "without data": ({"labels": [1]}, "expected 'data'"),
    "data as text": (batch(2, 0, data=b"0" * 6144), "expected 'data'"),
    "data as images": (batch(2, 0, data=np.zeros((2, 32, 32, 3), np.uint8)), "expected 'data'"),
    "data as floats": (batch(2, 0, data=np.zeros((2, 3072))), "expected 'data'"),
    "grey": (batch(2, 0, data=np.zeros((2, 1024), np.uint8)), "expected 'data'"),
    "without labels": ({"data": np.zeros((2, 3072), np.uint8)}, "expected a label from 0 to 9"),
    "too few labels": (batch(2, 0, labels=[1]), "expected a label from 0 to 9"),
    "a label too high": (batch(2, 0, labels=[1, 10]), "expected a label from 0 to 9"),
    "a label too low": (batch(2, 0, labels=[1, -1]), "expected a label from 0 to 9"),
    "labels as text": (batch(2, 0, labels=["1", "2"]), "expected a label from 0 to 9"),
}


@pytest.mark.parametrize("name", BATCHES)
def test_cifar10_refuses_other_batches(put, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content, says = BATCHES[name]
    put(SUBSET, tgz({"b/data_batch_1": pickle.dumps(content, 2)}))
    with pytest.raises(DataError, match=says):
        images.cifar10("train")
    assert not Path("ran").exists()
    with pytest.raises(DataError, match="expected batches for 'test' in it, got none"):
        images.cifar10("test")


@pytest.mark.parametrize("load", [images.cifar10, images.gtsrb])
def test_arguments(load):
    with pytest.raises(ValueError, match=r"split must be .*; got 'valid'"):
        load("valid")
    with pytest.raises(ValueError, match="dtype must be float64 or float32; got uint8"):
        load("test", dtype=np.uint8)


def ppm(image, header="P6\n{w} {h}\n255\n"):
    h, w, _ = image.shape
    return header.format(w=w, h=h).encode() + image.tobytes()


IMAGE = np.random.default_rng(0).integers(0, 256, (3, 5, 3), dtype=np.uint8)


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


def test_ppm_pixels_that_look_like_a_header():
    """Only one white space follows the header: the pixels may begin with more of it."""
    blank = np.full((1, 1, 3), ord("\n"), np.uint8)
    np.testing.assert_array_equal(formats.read_ppm(ppm(blank), "x"), blank)


WRONG_PPM = {
    "empty": (b"", "expected a binary PPM image .* got b''"),
    "text": (b"P3\n1 1\n255\n1 2 3", "expected a binary PPM image"),
    "grey": (b"P5\n1 1\n255\n1", "expected a binary PPM image"),
    "no space": (b"P61 1 255 123", "expected a binary PPM image"),
    "negative": (b"P6 -1 1 255 123", "expected a binary PPM image"),
    "too many digits": (b"P6 1000000000 1 255 123", "expected a binary PPM image"),
    "no width": (b"P6 0 1 255 ", "got 0 x 1"),
    "huge": (b"P6 99999 99999 255 123", "got 99999 x 99999 with values up to 255"),
    "16 bits": (b"P6 1 1 65535 123456", "with values up to 65535"),
    "dark": (b"P6 1 1 1 123", "with values up to 1"),
    "short": (ppm(IMAGE)[:-1], "expected 45 bytes for 5 x 3 pixels, got 44"),
    "long": (ppm(IMAGE) + b"\n", "expected 45 bytes for 5 x 3 pixels, got 46"),
    "an endless comment": (b"P6#" + b"a" * 100_000, "expected a binary PPM image"),
}


@pytest.mark.parametrize("name", WRONG_PPM)
def test_wrong_ppm(name):
    content, says = WRONG_PPM[name]
    with pytest.raises(DataError, match=f"^some.ppm: .*{says}"):
        formats.read_ppm(content, "some.ppm")


COLUMNS = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n"
TRAINING = "GTSRB/Final_Training/Images"


def signs(tracks, frames=2, top=TRAINING, seed=0):
    """Make the files of an archive: {class: number of tracks}, and the images by short name."""
    rng = np.random.default_rng(seed)
    files, pictures = {}, {}
    for k, n in tracks.items():
        table = COLUMNS
        for track in range(n):
            for frame in range(frames):
                image = rng.integers(0, 256, (40, 36, 3), dtype=np.uint8)
                name = f"{track:05d}_{frame:05d}.ppm"
                files[f"{top}/{k:05d}/{name}"] = ppm(image)
                table += f"{name};36;40;2;5;34;37;{k}\n"
                pictures[f"{k:05d}/{name}"] = image
        files[f"{top}/{k:05d}/GT-{k:05d}.csv"] = table.encode()
    return files, pictures


TRAINING_ZIP, TRAINING_SUBSET = traffic_signs._TRAINING
FULL_TEST, FULL_LABELS = traffic_signs._OFFICIAL


@pytest.mark.parametrize("form", ["tar.gz", "zip"])
def test_gtsrb_is_cut_out_and_split_by_track(put, form):
    files, pictures = signs({0: 4, 7: 8, 42: 2})
    if form == "zip":
        renamed = {name.replace(TRAINING, "GTSRB/Training"): c for name, c in files.items()}
        put(TRAINING_ZIP, zipped(renamed))
    else:
        put(TRAINING_SUBSET, tgz(files))
    train, test = images.gtsrb("train"), images.gtsrb("test")
    assert test.y.tolist() == [0, 0, 7, 7, 7, 7]
    assert train.y.tolist() == [0] * 6 + [7] * 12 + [42] * 4
    assert train.found == (
        "22 images for 'train', of 28 of 26,640 training images: some of every track"
    )
    # 32 x 32 pixels are cut out, [2, 34) x [5, 37), so nothing is scaled.
    expected = {name: image[5:37, 2:34] / 255 for name, image in pictures.items()}
    chosen = ["00000/00002", "00007/00002", "00007/00006"]
    names = [n for n in pictures if n[:11] in chosen]
    np.testing.assert_allclose(test.x, [expected[n] for n in names], atol=1e-7)
    names = [n for n in pictures if n[:11] not in chosen]
    np.testing.assert_allclose(train.x, [expected[n] for n in names], atol=1e-7)
    assert images.gtsrb("test", flat=True, dtype=np.float64).x.shape == (6, 3072)


def test_gtsrb_official_test_images(put):
    image = np.random.default_rng(0).integers(0, 256, (16, 64, 3), dtype=np.uint8)
    folder = "GTSRB/Final_Test/Images"
    no_labels = COLUMNS.replace(";ClassId", "") + "00000.ppm;64;16;0;0;64;16\n"
    test = {
        f"{folder}/GT-final_test.test.csv": no_labels.encode(),
        f"{folder}/00000.ppm": ppm(image),
    }
    put(FULL_TEST, zipped(test))
    put(
        FULL_LABELS,
        zipped({"GT-final_test.csv": (COLUMNS + "00000.ppm;64;16;0;0;64;16;9\n").encode()}),
    )
    loaded = images.gtsrb("official")
    assert loaded.y.tolist() == [9]
    assert loaded.found == "1 of 12,630 official test images: not the original"
    halves = image.reshape(16, 32, 2, 3).mean(axis=2) / 255
    # Interpolated between rows at 1/4 and 3/4, and averaged over pairs of columns.
    np.testing.assert_allclose(loaded.x[0, 0], halves[0], atol=1e-6)
    np.testing.assert_allclose(loaded.x[0, 1], 0.75 * halves[0] + 0.25 * halves[1], atol=1e-6)


def test_the_split_is_by_track_deterministic_and_of_a_quarter():
    names = [
        f"{k:05d}/{t:05d}_{f:05d}.ppm" for k in range(43) for t in range(5 + k) for f in range(3)
    ]
    chosen = traffic_signs.test_tracks(names)
    assert chosen == traffic_signs.test_tracks(names[::-1])
    assert chosen == traffic_signs.test_tracks(names[::3])  # a subset with some of each track
    for k in range(43):
        share = sum(track.startswith(f"{k:05d}/") for track in chosen) / (5 + k)
        assert 1 / 6 <= share <= 2 / 7
    assert 0.23 < len(chosen) / sum(range(5, 48)) < 0.27
    assert traffic_signs.test_tracks(["00001/00000_00000.ppm"]) == set()


WRONG_SIGNS = {
    "without tables": (lambda f: {n: c for n, c in f.items() if "csv" not in n}, "expected GT-"),
    "an image missing": (
        lambda f: {n: c for n, c in f.items() if "00002_00001" not in n},
        "expected an image for every row .* got none for 1, for instance 00003/00002_00001.ppm",
    ),
    "not a PPM": (lambda f: {n: c if "csv" in n else b"P5" for n, c in f.items()}, "binary PPM"),
    "outside": (
        lambda f: {n: c.replace(b";34;", b";37;") for n, c in f.items()},
        "inside the image",
    ),
    "below": (
        lambda f: {n: c.replace(b";37;3", b";41;3") for n, c in f.items()},
        "inside the image",
    ),
    "turned": (
        lambda f: {n: c.replace(b";2;5;34;", b";34;5;2;") for n, c in f.items()},
        "a region",
    ),
    "negative": (lambda f: {n: c.replace(b";2;5;", b";-2;5;") for n, c in f.items()}, "a region"),
    "no number": (
        lambda f: {n: c.replace(b";2;5;", b";x;5;") for n, c in f.items()},
        "got other text",
    ),
    "cut short": (lambda f: {n: c.replace(b";37;3\n", b"\n") for n, c in f.items()}, "other text"),
    "class 43": (
        lambda f: {n: c.replace(b";37;3\n", b";37;43\n") for n, c in f.items()},
        "below 43",
    ),
}


@pytest.mark.parametrize("name", WRONG_SIGNS)
def test_gtsrb_refuses_what_makes_no_sense(put, name):
    damage, says = WRONG_SIGNS[name]
    put(TRAINING_SUBSET, tgz(damage(signs({3: 4})[0])))
    with pytest.raises(DataError, match=says):
        images.gtsrb("test")


def npz(**arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def jpeg(image, form="JPEG"):
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(image).save(out, form)
    return out.getvalue()


def tiny(n_val, train=()):
    """Make a Tiny ImageNet of flat colours: 16 k is the grey of image k."""
    top = "tiny-imagenet-200/"
    files = {top + "wnids.txt": b"n02\nn01\n", top + "words.txt": b""}
    for wnid, k in train:
        grey = np.full((64, 64), 16 * k, np.uint8)
        files[f"{top}train/{wnid}/images/{wnid}_{k}.JPEG"] = jpeg(grey)
        files[f"{top}train/{wnid}/{wnid}_boxes.txt"] = b""
    table = ""
    for k in range(n_val):
        files[f"{top}val/images/val_{k}.JPEG"] = jpeg(np.full((64, 64, 3), 16 * k, np.uint8))
        table += f"val_{k}.JPEG\tn0{k % 2 + 1}\t0\t0\t62\t62\n"
    return {**files, top + "val/val_annotations.txt": table.encode()}


def test_tiny_imagenet_in_its_three_forms(put):
    small = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    put(photographs._TINY_SOME, tgz(tiny(6)))
    some = images.tiny_imagenet()
    assert some.x.shape == (6, 32, 32, 3)
    assert some.x.dtype == np.uint8
    assert some.x[:, 3, 4, 1].tolist() == [0, 16, 32, 48, 64, 80]
    assert some.y.tolist() == [1, 0, 1, 0, 1, 0]  # val_0 is n01, the second of wnids.txt
    assert some.found == "6 of 10,000 validation images: the first of each class of Tiny ImageNet"
    put(photographs._TINY_SMALL, npz(images=small, labels=np.arange(4, dtype=np.int16)))
    np.testing.assert_array_equal(images.tiny_imagenet().x, small)
    with pytest.raises(DataError, match="mstheft data fetch tiny-imagenet"):
        images.tiny_imagenet("train")
    put(photographs._TINY, zipped(tiny(3, [("n02", 1), ("n01", 2), ("n02", 3)])))
    assert images.tiny_imagenet().x[:, 0, 0, 0].tolist() == [0, 16, 32]
    train = images.tiny_imagenet("train")
    assert train.x[:, 9, 9, 2].tolist() == [16, 32, 48]
    assert train.y.tolist() == [0, 1, 0]
    with pytest.raises(ValueError, match="split must be 'train' or 'val'; got 'test'"):
        images.tiny_imagenet("test")


WRONG_TINY = {
    "no tables": (lambda f: {n: c for n, c in f.items() if "txt" not in n}, "wnids.txt and"),
    "no images": (lambda f: {n: c for n, c in f.items() if "JPEG" not in n}, "got none"),
    "no class": (
        lambda f: {n: c.replace(b"val_1", b"val_9") for n, c in f.items()},
        "expected a known class for .*val_1.JPEG, got None",
    ),
    "no JPEG": (
        lambda f: {n: c[:300] if "val_1" in n else c for n, c in f.items()},
        "val_1.JPEG: expected an image that Pillow can read",
    ),
}


@pytest.mark.parametrize("name", WRONG_TINY)
def test_tiny_imagenet_refuses_what_makes_no_sense(put, name):
    damage, says = WRONG_TINY[name]
    put(photographs._TINY_SOME, tgz(damage(tiny(3))))
    with pytest.raises(DataError, match=says):
        images.tiny_imagenet()


def test_the_sample_of_imagenet(put):
    pictures = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    put(photographs._SAMPLE, npz(images=pictures, labels=np.arange(3, dtype=np.int16)))
    loaded = images.imagenet_sample()
    np.testing.assert_array_equal(loaded.x, pictures)
    assert loaded.y.dtype == np.int64
    assert loaded.found == "3 of 1,281,167 images of ImageNet: one a class"
    y = np.arange(3)
    for content, says in (
        (b"rubbish", "expected images and labels in an .npz"),
        (npz(images=pictures), "expected images and labels in an .npz"),
        (npz(images=np.array([None]), labels=y), "expected images and labels in an .npz"),
        (npz(images=pictures[:, :32], labels=y), r"expected images \(n, 64, 64, 3\) uint8"),
        (npz(images=pictures / 255, labels=y), r"expected images .* float64 and \(3,\)"),
        (npz(images=pictures, labels=y[:2]), r"expected images .* and \(2,\)"),
    ):
        put(photographs._SAMPLE, content)
        with pytest.raises(DataError, match=says):
            images.imagenet_sample()


def test_a_folder_of_images(tmp_path):
    from PIL import Image

    left = np.zeros((40, 80, 3), np.uint8)
    left[:, 20:60] = (255, 128, 0)  # what remains when the middle is cut out
    (tmp_path / "cats").mkdir()
    (tmp_path / "ants" / "deep").mkdir(parents=True)
    (tmp_path / "cats" / "b.PNG").write_bytes(jpeg(left, "PNG"))
    (tmp_path / "cats" / "a.ppm").write_bytes(ppm(left.transpose(1, 0, 2)))
    (tmp_path / "ants" / "deep" / "c.png").write_bytes(jpeg(left[..., 0], "PNG"))
    (tmp_path / "ants" / ".hidden.png").write_bytes(b"")
    (tmp_path / "ants" / "notes.txt").write_text("no image")
    rotated = Image.Exif()
    rotated[0x0112] = 6  # to be turned by 90 degrees to be upright
    half = np.zeros((64, 64, 3), np.uint8)
    half[32:] = 255
    Image.fromarray(half).save(tmp_path / "cats" / "c.jpeg", exif=rotated, quality=100)
    loaded = images.folder(tmp_path, (20, 20))
    assert loaded.x.shape == (4, 20, 20, 3)
    assert loaded.x.dtype == np.uint8
    assert loaded.y.tolist() == [0, 1, 1, 1]
    assert loaded.found == f"4 images in 2 classes in {tmp_path}"
    assert (loaded.x[0] == 255).all()  # grey becomes three channels
    assert (loaded.x[1:3] == (255, 128, 0)).all()
    assert loaded.x[3, :, :9].mean() > 250 > 5 > loaded.x[3, :, 11:].mean()
    mixed = np.array([[[255], [0]], [[255], [255]]], np.uint8).repeat(3, axis=2)
    assert (photographs._fit(mixed, (1, 1)) == 191).all()  # 191.25
    assert (photographs._fit(255 - mixed, (1, 1)) == 64).all()  # 63.75
    flat = images.folder(tmp_path / "cats")
    assert flat.y.tolist() == [0, 0, 0]
    assert flat.x.shape == (3, 32, 32, 3)
    assert images.folder(tmp_path, (10, 40)).x.shape == (4, 10, 40, 3)


def test_a_folder_that_does_not_do(tmp_path, monkeypatch):
    with pytest.raises(
        DataError, match=r"expected a folder of images at .*nothing, where there is"
    ):
        images.folder(tmp_path / "nothing")
    with pytest.raises(DataError, match=r"expected images \(.bmp .*\) in .*, got none"):
        images.folder(tmp_path)
    (tmp_path / "bad.jpg").write_bytes(b"rubbish")
    with pytest.raises(DataError, match=r"bad.jpg: expected an image that Pillow can read, got"):
        images.folder(tmp_path)
    (tmp_path / "bad.jpg").write_bytes(jpeg(IMAGE))
    monkeypatch.setattr(formats, "_MOST_PIXELS", 14)
    with pytest.raises(DataError, match=r"bad.jpg: .* got 5 x 3 pixels are more than 14"):
        images.folder(tmp_path)
    (tmp_path / "bad.jpg").unlink()
    (tmp_path / "bad.jpg").symlink_to(tmp_path / "gone")
    with pytest.raises(DataError, match=r"cannot read .*bad.jpg: No such file"):
        images.folder(tmp_path)


def test_the_data_room_loads_numpy_only():
    code = "import sys; from mstheft.data import fetch, images, pools, store; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    top = {name.split(".")[0] for name in loaded.stdout.split()}
    assert not top & {"scipy", "matplotlib", "PIL", "tqdm", "sklearn", "pandas"}


CIFAR_COUNTS = {
    "train": [1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981],
    "test": [1000] * 10,
}


@pytest.mark.realdata
@pytest.mark.parametrize("split", ["train", "test"])
def test_real_cifar10(split):
    """Class counts as published; means of the channels as everyone normalises with."""
    if (store.folder() / FULL).exists():
        pytest.skip("the figures are those of data_batch_1")
    loaded = images.cifar10(split)
    assert np.bincount(loaded.y).tolist() == CIFAR_COUNTS[split]
    assert loaded.x.shape == (10_000, 32, 32, 3)
    assert (loaded.x.min(), loaded.x.max()) == (0, 1)
    mean = loaded.x.mean(axis=(0, 1, 2), dtype=np.float64)
    # Of all 50,000: 0.4914, 0.4822, 0.4465. A sample of 10,000 images is within 0.004 of it.
    np.testing.assert_allclose(mean, [0.4914, 0.4822, 0.4465], atol=0.007)
    found = {"train": "10,000 of 50,000 training images: data_batch_1 only"}
    assert loaded.found == found.get(split, "all 10,000 test images")


@pytest.mark.realdata
def test_real_gtsrb():
    train, test = images.gtsrb("train"), images.gtsrb("test")
    assert len(train.y) + len(test.y) in (3_651, 26_640)
    assert 0.2 < len(test.y) / (len(train.y) + len(test.y)) < 0.25
    counts = np.bincount(train.y), np.bincount(test.y)
    assert len(counts[0]) == len(counts[1]) == 43
    assert min(counts[1]) >= 10
    for x in (train.x, test.x):
        assert x.shape[1:] == (32, 32, 3)
        assert 0 <= x.min() < 0.1 < 0.9 < x.max() <= 1
    # No track is on both sides: its frames are nearly the same picture, others are not.
    a, b = (x[y == 0].reshape(-1, 3072) for x, y in (train, test))
    assert np.abs(a[:, None] - b).mean(axis=2).min() > 0.02


@pytest.mark.realdata
def test_the_small_form_of_tiny_imagenet_is_what_its_jpegs_reduce_to(monkeypatch):
    """The shipped array was made from the same JPEGs by 2 x 2 averages, with another rounding."""
    small = images.tiny_imagenet()
    assert small.found == "all 10,000 validation images of Tiny ImageNet"
    assert np.bincount(small.y).tolist() == [50] * 200
    monkeypatch.setattr(photographs, "_TINY_SMALL", photographs._TINY_SOME)
    some = images.tiny_imagenet()
    assert np.bincount(some.y).tolist() == [10] * 200
    assert len(some.x) == 2000
    first = {k: np.flatnonzero(small.y == k)[:10] for k in range(200)}
    for k in range(0, 200, 20):
        ours = {x.tobytes(): x for x in some.x[some.y == k]}
        theirs = small.x[first[k]].astype(int)
        for x in ours.values():
            assert np.abs(theirs - x).max(axis=(1, 2, 3)).min() <= 1


@pytest.mark.realdata
def test_real_sample_of_imagenet():
    loaded = images.imagenet_sample()
    assert loaded.x.shape == (1000, 64, 64, 3)
    assert loaded.y.tolist() == list(range(1000))
