"""Image data sets in the formats in which they were published.

    loader           shape        in
    mnist            28 x 28      [0, 1]   complete
    cifar10          32 x 32 x 3  [0, 1]   complete, or some of the training batches
    gtsrb            32 x 32 x 3  [0, 1]   cut out and scaled; complete, or some of every track
    tiny_imagenet    32 x 32 x 3  0...255  photographs for a thief; see `pools`
    imagenet_sample  64 x 64 x 3  0...255  the same, one a class
    folder           as asked     0...255  your own files

Each returns a `Loaded`: a pair (x, y), and in `.extent` how much of the set it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from mstheft.data import archives, pickles, registry
from mstheft.data.formats import read_idx
from mstheft.data.loaded import Images, Loaded, check_split, how_many
from mstheft.data.photographs import folder, imagenet_sample, tiny_imagenet
from mstheft.data.traffic_signs import gtsrb

__all__ = ["Loaded", "cifar10", "folder", "gtsrb", "imagenet_sample", "mnist", "read_idx"]
__all__ += ["tiny_imagenet"]

_MNIST = {
    "train": ("mnist/train", 60_000, "training images"),
    "test": ("mnist/t10k", 10_000, "test images"),
}
_CIFAR10, _SUBSET = "cifar10/cifar-10-python.tar.gz", "cifar10/cifar-10-python-subset.tar.gz"
_UNPACKED = "cifar10/cifar-10-batches-py/"
_BATCHES = {"train": [f"data_batch_{k}" for k in range(1, 6)], "test": ["test_batch"]}


def mnist(split: str = "train", *, flat: bool = True, dtype: DTypeLike = np.float64) -> Images:
    """Read the MNIST digits from the data folder (see `registry.locate`), packed or unpacked.

    split : "train" (n = 60,000) or "test" (n = 10,000)
    flat : rows of 784 numbers, else images
    dtype : float64 (376 MB for "train") or float32 (188 MB)
    Returns x (n, 784) or (n, 28, 28), grey levels / 255 in [0, 1] where 1 is ink, and the
    digits y (n,) int64.
    Raises ValueError for another split, DataError if a file is missing or differs.
    Source: LeCun, Bottou, Bengio and Haffner 1998, 'Gradient-based learning applied to
    document recognition'.
    """
    check_split(split, _MNIST)
    prefix, of, what = _MNIST[split]
    names = (f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte")
    images, labels = (read_idx(registry.find(name + ".gz", name)) for name in names)
    x = np.divide(images, 255, dtype=dtype)  # (n, 28, 28)
    x = x.reshape(len(x), -1) if flat else x
    return Loaded(x, labels.astype(np.int64), how_many(len(x), of, what, "not the original file"))


def cifar10(split: str = "train", *, flat: bool = False, dtype: DTypeLike = np.float32) -> Images:
    """Read the CIFAR-10 photographs from the data folder: an archive, or its batches unpacked.

    classes : airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck
    split : "train" (n = 50,000, or 10,000 for each batch that is there) or "test" (n = 10,000)
    flat : rows of 3072 numbers (pixel by pixel, R G B together), else images
    dtype : float32 (614 MB for the complete "train") or float64 (twice that)
    Returns x (n, 32, 32, 3) or (n, 3072) in [0, 1], y (n,) int64, and in `.extent` how many.
    Raises ValueError for another split, DataError if the files are missing or differ.
    Source: Krizhevsky 2009, 'Learning multiple layers of features from tiny images'; the
    'python version', whose batches are Python 2 pickles (see `pickles`).
    """
    check_split(split, _BATCHES)
    batches = _cifar_batches(_BATCHES[split])
    y = np.concatenate([labels for _, labels in batches.values()])
    x = np.empty((len(y), 32, 32, 3), dtype)
    start, names = 0, " ".join(batches)
    for name in list(batches):
        pixels, _ = batches.pop(name)
        np.divide(pixels, 255, out=x[start : start + len(pixels)], dtype=dtype)
        start += len(pixels)
    of, what = (50_000, "training images") if split == "train" else (10_000, "test images")
    extent = how_many(len(x), of, what, f"{names} only")
    return Loaded(x.reshape(len(x), -1) if flat else x, y, extent)


def _cifar_batches(names: list[str]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Read the batches that are there, in the order of their names."""
    path = registry.find(_CIFAR10, *(_UNPACKED + name for name in names), _SUBSET)
    if path.suffix == ".gz":
        packed = archives.members(path, lambda name: name.split("/")[-1] in names)
        contents = {name.split("/")[-1]: content for name, content in packed}
    else:
        present = [name for name in names if registry.locate(_UNPACKED + name)]
        contents = {name: registry.find(_UNPACKED + name).read_bytes() for name in present}
    return {name: _cifar_batch(contents.pop(name), name) for name in sorted(contents)}


def _cifar_batch(content: bytes, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (n, 32, 32, 3) uint8, a view, and labels (n,) int64 of a pickled batch."""
    batch = pickles.load(content, name)
    pixels, labels = np.asarray(batch["data"]), np.array(batch["labels"], np.int64)
    # (n, 3072) -> (n, 3, 32, 32) -> (n, 32, 32, 3)
    return pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels
