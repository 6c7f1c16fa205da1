"""MNIST and CIFAR-10: sound files are read exactly, damaged and hostile ones are refused."""

import gzip
import pickle
import struct
import subprocess
import sys

import numpy as np
import pytest
from archive_files import tgz

from mstheft.data import images, registry
from mstheft.data.loaded import Loaded, how_many
from mstheft.errors import DataError


def test_loaded_is_a_pair_that_says_more():
    x, y = loaded = Loaded([1, 2], np.array([3, 4]), "2 of 9 things: the first")
    assert loaded.x is x
    assert loaded.y is y
    assert len(loaded) == 2
    again = pickle.loads(pickle.dumps(loaded))
    assert again.extent == "2 of 9 things: the first"
    assert again.x == [1, 2]
    assert how_many(9, 9, "things", "the first") == "all 9 things"
    assert how_many(2000, 9000, "things", "the first") == "2,000 of 9,000 things: the first"


def idx(array):
    """Bytes (n, ...) in the IDX format."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def digits(n, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, 28, 28), np.uint8), rng.integers(0, 10, n, np.uint8)


@pytest.fixture
def small_mnist(put):
    """An MNIST of 6 + 4 images."""
    for prefix, n in (("train", 6), ("t10k", 4)):
        pixels, labels = digits(n, n)
        put(f"mnist/{prefix}-images-idx3-ubyte.gz", gzip.compress(idx(pixels)))
        put(f"mnist/{prefix}-labels-idx1-ubyte.gz", gzip.compress(idx(labels)))


@pytest.mark.parametrize(("split", "n"), [("train", 6), ("test", 4)])
def test_mnist_is_scaled_and_flattened(small_mnist, split, n):
    pixels, labels = digits(n, n)
    x, y = images.mnist(split)
    assert x.shape == (n, 784)
    assert x.dtype == np.float64
    np.testing.assert_array_equal(x, pixels.reshape(n, 784) / 255)
    assert y.dtype == np.int64
    np.testing.assert_array_equal(y, labels)
    x32, _ = images.mnist(split, flat=False, dtype=np.float32)
    assert x32.shape == (n, 28, 28)
    assert x32.dtype == np.float32
    np.testing.assert_allclose(x32.reshape(n, -1), x, rtol=6e-8)  # half a unit of float32


def test_mnist_as_torchvision_unpacks_it(put):
    pixels, labels = digits(3, 0)
    put("mnist/t10k-images-idx3-ubyte", idx(pixels), at="MNIST/raw/t10k-images-idx3-ubyte")
    put("mnist/t10k-labels-idx1-ubyte", idx(labels), at="mnist/t10k-labels.idx1-ubyte")
    loaded = images.mnist("test")
    np.testing.assert_array_equal(loaded.x, pixels.reshape(3, 784) / 255)
    assert loaded.y.tolist() == labels.tolist()
    assert loaded.extent == "3 of 10,000 test images: not the original file"


def batch(n, seed, **changes):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (n, 3072), dtype=np.uint8)
    labels = [int(k) for k in rng.integers(0, 10, n)]
    return {"data": pixels, "labels": labels, "filenames": ["a.png"] * n, **changes}


FULL, SUBSET, UNPACKED = images._CIFAR10, images._SUBSET, "cifar10/cifar-10-batches-py/"


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
    says = "12 of 50,000 training images: data_batch_1 data_batch_2 data_batch_3 only"
    assert loaded.extent == says
    flat = images.cifar10("test", flat=True, dtype=np.float64)
    assert flat.x.shape == (4, 3072)
    assert flat.x.dtype == np.float64
    assert flat.extent == "4 of 10,000 test images: test_batch only"


def test_the_complete_cifar10_is_preferred_then_the_unpacked_one(put):
    put(SUBSET, tgz({"b/data_batch_1": pickle.dumps(batch(1, 0), 2)}))
    assert len(images.cifar10("train").y) == 1
    for k in (4, 2):  # as torchvision leaves them
        name = f"data_batch_{k}"
        put(UNPACKED + name, pickle.dumps(batch(k, k), 2), at=f"cifar-10-batches-py/{name}")
    unpacked = images.cifar10("train")
    assert unpacked.y.tolist() == batch(2, 2)["labels"] + batch(4, 4)["labels"]
    assert unpacked.extent == "6 of 50,000 training images: data_batch_2 data_batch_4 only"
    put(FULL, tgz({f"b/data_batch_{k}": pickle.dumps(batch(3, 0), 2) for k in range(1, 6)}))
    assert len(images.cifar10("train").y) == 15


def test_the_checksum_is_compared_before_a_pickle_is_looked_at(put, monkeypatch):
    monkeypatch.setattr(images.pickles, "load", lambda *_: pytest.fail("it was looked at"))
    for name in (SUBSET, UNPACKED + "data_batch_1"):
        put(name, tgz({"b/data_batch_1": b"."})).write_bytes(b"another")
        with pytest.raises(DataError, match="expected sha256"):
            images.cifar10("train")


class Call:
    def __reduce__(self):
        return (open, ("ran", "w"))


def test_a_hostile_batch_is_refused_and_not_run(put, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(SUBSET, tgz({"b/data_batch_1": pickle.dumps(Call(), 2)}))
    with pytest.raises(DataError, match=r"io open"):
        images.cifar10("train")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("load", [images.mnist, images.cifar10, images.gtsrb, images.tiny_imagenet])
def test_unknown_splits(load):
    with pytest.raises(ValueError, match=r"split must be one of train, .*; got 'valid'"):
        load("valid")


def test_the_data_room_loads_numpy_only():
    code = "import sys, mstheft.data, mstheft.data.pools; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    top = {name.split(".")[0] for name in loaded.stdout.split()}
    assert not top & {"scipy", "matplotlib", "PIL", "tqdm", "pooch", "requests", "sklearn"}


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("split", "counts"),
    [
        ("train", [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
        ("test", [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
    ],
)
def test_real_mnist(split, counts):
    """Class counts as published; mean grey 33.3 and 33.8 of 255 as everyone knows it."""
    x, y = images.mnist(split, dtype=np.float32)
    assert np.bincount(y).tolist() == counts
    assert x.shape == (sum(counts), 784)
    assert x.min() == 0
    assert x.max() == 1
    mean = x.mean(dtype=np.float64)
    assert mean == pytest.approx({"train": 0.13066, "test": 0.13251}[split], abs=1e-5)


@pytest.mark.realdata
def test_real_mnist_unpacked(monkeypatch, tmp_path):
    """The checksums of the unpacked files are those of what torchvision leaves behind."""
    packed = [
        registry.find(f"mnist/t10k-{part}-ubyte.gz") for part in ("images-idx3", "labels-idx1")
    ]
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    for path in packed:
        (tmp_path / "MNIST" / "raw" / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    monkeypatch.setenv("MSTHEFT_DATA", str(tmp_path))
    assert images.mnist("test").extent == "all 10,000 test images"


CIFAR_COUNTS = {
    "train": [1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981],
    "test": [1000] * 10,
}


@pytest.mark.realdata
@pytest.mark.parametrize("split", ["train", "test"])
def test_real_cifar10(split):
    """Class counts as published; means of the channels as everyone normalises with."""
    if registry.locate(FULL):
        pytest.skip("the figures are those of data_batch_1")
    loaded = images.cifar10(split)
    assert np.bincount(loaded.y).tolist() == CIFAR_COUNTS[split]
    assert loaded.x.shape == (10_000, 32, 32, 3)
    assert (loaded.x.min(), loaded.x.max()) == (0, 1)
    mean = loaded.x.mean(axis=(0, 1, 2), dtype=np.float64)
    # Of all 50,000: 0.4914, 0.4822, 0.4465. A sample of 10,000 images is within 0.004 of it.
    np.testing.assert_allclose(mean, [0.4914, 0.4822, 0.4465], atol=0.007)
    found = {"train": "10,000 of 50,000 training images: data_batch_1 only"}
    assert loaded.extent == found.get(split, "all 10,000 test images")


@pytest.mark.realdata
def test_real_cifar10_unpacked(monkeypatch, tmp_path):
    for name, content in images.archives.members(registry.find(FULL, SUBSET)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    packed = images.cifar10("test")
    monkeypatch.setenv("MSTHEFT_DATA", str(tmp_path))
    unpacked = images.cifar10("test")
    assert unpacked.extent == "all 10,000 test images"
    np.testing.assert_array_equal(unpacked.y, packed.y)
