"""Image data sets in the formats in which they were published.

    loader           shape        in
    mnist            28 x 28      [0, 1]   complete
    cifar10          32 x 32 x 3  [0, 1]   complete, or some of the training batches
    gtsrb            32 x 32 x 3  [0, 1]   cut out and scaled; complete, or some of every track
    tiny_imagenet    32 x 32 x 3  0...255  photographs for a thief; see `pools`
    imagenet_sample  64 x 64 x 3  0...255  the same, one a class
    folder           as asked     0...255  your own files

Each returns a `Loaded`: a pair (x, y) whose `.found` says how much of the set it is.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import DTypeLike

from mstheft.data import archives, pickles, store
from mstheft.data.formats import read_idx
from mstheft.data.loaded import Loaded, how_many
from mstheft.data.photographs import folder, imagenet_sample, tiny_imagenet
from mstheft.data.traffic_signs import gtsrb
from mstheft.errors import DataError

__all__ = [
    "Loaded",
    "cifar10",
    "folder",
    "gtsrb",
    "imagenet_sample",
    "mnist",
    "read_idx",
    "tiny_imagenet",
]

_CIFAR10 = ("cifar10/cifar-10-python.tar.gz", "cifar10/cifar-10-python-subset.tar.gz")


def mnist(split: str = "train", *, flat: bool = True, dtype: DTypeLike = np.float64) -> Loaded:
    """Read the MNIST digits from the data folder (see `store.folder`).

    split : "train" (n = 60,000) or "test" (n = 10,000)
    flat : rows of 784 numbers, else images
    dtype : float64 (376 MB for "train") or float32 (188 MB)
    Returns x (n, 784) or (n, 28, 28), grey levels / 255 in [0, 1] where 1 is ink, and the
    digits y (n,) int64.
    Raises ValueError for another split or dtype, DataError if a file is missing or differs.
    Source: LeCun, Bottou, Bengio and Haffner 1998, 'Gradient-based learning applied to
    document recognition'.
    """
    _check_arguments(split, dtype)
    prefix, of, what = {
        "train": ("train", 60_000, "training images"),
        "test": ("t10k", 10_000, "test images"),
    }[split]
    images = read_idx(store.find(f"mnist/{prefix}-images-idx3-ubyte.gz"))
    labels = read_idx(store.find(f"mnist/{prefix}-labels-idx1-ubyte.gz"))
    x = np.divide(images, 255, dtype=dtype)
    x = x.reshape(len(x), -1) if flat else x
    return Loaded(x, labels.astype(np.int64), how_many(len(x), of, what, "not the original file"))


def cifar10(split: str = "train", *, flat: bool = False, dtype: DTypeLike = np.float32) -> Loaded:
    """Read the CIFAR-10 photographs from the data folder, complete or in part.

    classes : airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck
    split : "train" (n = 50,000, or 10,000 for each batch that is there) or "test" (n = 10,000)
    flat : rows of 3072 numbers (pixel by pixel, R G B together), else images
    dtype : float32 (614 MB for the complete "train") or float64 (twice that)
    Returns x (n, 32, 32, 3) or (n, 3072) in [0, 1], y (n,) int64, and in `.found` how many.
    Raises ValueError for another split or dtype, DataError if the archive is missing or differs.
    Source: Krizhevsky 2009, 'Learning multiple layers of features from tiny images'; the
    'python version', whose batches are Python 2 pickles (see `pickles`).
    """
    _check_arguments(split, dtype)
    path = store.find_any(*_CIFAR10)
    pattern = {"train": r"(?:.*/)?(data_batch_[1-5])", "test": r"(?:.*/)?(test_batch)"}[split]
    batches = {}
    for name, content in archives.members(path, lambda name: bool(re.fullmatch(pattern, name))):
        batch = re.fullmatch(pattern, name)[1]  # type: ignore[index]
        batches[batch] = _cifar_batch(pickles.load(content), f"{path}, {name}")
    if not batches:
        raise DataError(f"{path}: expected batches for {split!r} in it, got none; get it again")
    names = sorted(batches)  # data_batch_1 first, wherever it lies in the archive
    y = np.concatenate([batches[name][1] for name in names])
    x = np.empty((len(y), 32, 32, 3), dtype)
    start = 0
    for name in names:
        pixels = batches.pop(name)[0]
        np.divide(pixels, 255, out=x[start : start + len(pixels)], dtype=dtype)
        start += len(pixels)
    of, what = (50_000, "training images") if split == "train" else (10_000, "test images")
    found = how_many(len(x), of, what, f"{' '.join(names)} only")
    return Loaded(x.reshape(len(x), -1) if flat else x, y, found)


def _check_arguments(split: str, dtype: DTypeLike) -> None:
    """Judge the arguments before anything is read."""
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test'; got {split!r}")
    if np.dtype(dtype) not in (np.float64, np.float32):
        raise ValueError(f"dtype must be float64 or float32; got {np.dtype(dtype)}")


def _cifar_batch(batch: object, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Understand a batch: a dict with the pixels, plane by plane, and a list of labels.

    Returns (n, 32, 32, 3) uint8, a view, and (n,) int64.
    """
    # Python 2's text comes as bytes; a batch that was written anew by Python 3 has str.
    by_name = {_str(key): value for key, value in batch.items()} if isinstance(batch, dict) else {}
    pixels, labels = by_name.get("data"), by_name.get("labels")
    sound = isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8 and pixels.ndim == 2
    if not sound or pixels.shape[1] != 3 * 32 * 32:  # type: ignore[union-attr]
        raise DataError(f"{name}: expected 'data' (n, 3072) uint8, got other data; get it again")
    sound = isinstance(labels, list) and len(labels) == len(pixels)  # type: ignore[arg-type]
    if not sound or not all(type(k) is int and 0 <= k < 10 for k in labels):  # type: ignore
        raise DataError(
            f"{name}: expected a label from 0 to 9 for each image, got others; get it again"
        )
    planes = pixels.reshape(-1, 3, 32, 32)  # type: ignore[union-attr]
    return planes.transpose(0, 2, 3, 1), np.array(labels, np.int64)


def _str(key: object) -> object:
    return key.decode("latin-1") if isinstance(key, bytes) else key
