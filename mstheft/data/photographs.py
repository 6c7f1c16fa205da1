"""Photographs of all kinds of things, from which a thief draws queries, and your own files."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from mstheft import progress
from mstheft.data import archives, registry
from mstheft.data.formats import decode, read_ppm
from mstheft.data.loaded import Images, Loaded, check_split, how_many
from mstheft.data.scaling import convert
from mstheft.errors import DataError

_SAMPLE = "thief/imagenet-sample-1000-64px.npz"
_TINY = "thief/tiny-imagenet-200.zip"
_TINY_SMALL = "thief/tiny-imagenet-200-val-32px.npz"
_TINY_SOME = "thief/tiny-imagenet-200-val-jpeg-subset.tar.gz"
_TINY_SIZE = {"train": 100_000, "val": 10_000}
_SIDE = 32
_ENDINGS = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")


def tiny_imagenet(split: str = "val") -> Images:
    """Read Tiny ImageNet from the data folder: photographs of 200 kinds of things.

    split : "val" (n = 10,000, or 2,000 from the small archive of JPEGs) or "train"
        (n = 100,000), which only the complete archive has; JPEGs take about 0.2 s a thousand
    Returns x (n, 32, 32, 3) uint8, reduced from 64 x 64 by 2 x 2 averages, and y (n,) int64
    from 0 to 199, in the order of the publisher's `wnids.txt`.
    Raises ValueError for another split, DataError if no file is there or one differs.
    Source: Le and Yang 2015, 'Tiny ImageNet visual recognition challenge'.
    """
    check_split(split, _TINY_SIZE)
    names = (_TINY,) if split == "train" else (_TINY, _TINY_SMALL, _TINY_SOME)
    path = registry.find(*names)
    images, labels = _arrays(path) if path.suffix == ".npz" else _tiny_jpegs(path, split)
    what = {"train": "training images", "val": "validation images"}[split]
    extent = how_many(len(images), _TINY_SIZE[split], what, "the first of each class")
    return Loaded(images, labels, f"{extent} of Tiny ImageNet")


def imagenet_sample() -> Images:
    """Read one photograph of each of the 1,000 classes of ImageNet from the data folder.

    Returns x (1000, 64, 64, 3) uint8 and y (1000,) int64, the class.
    Raises DataError if the file is missing or differs.
    """
    images, labels = _arrays(registry.find(_SAMPLE))
    return Loaded(images, labels, f"{len(images):,} of 1,281,167 images of ImageNet: one a class")


def _arrays(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read `images` and `labels` from an .npz file without pickles."""
    with np.load(path, allow_pickle=False) as arrays:
        return arrays["images"], arrays["labels"].astype(np.int64)


def _tiny_jpegs(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Read one split of Tiny ImageNet from its JPEG files.

    wnids.txt   train/n01443537/images/n01443537_0.JPEG   val/images/val_0.JPEG
    n02124075   class in the path                         class in val/val_annotations.txt
    """
    top = "tiny-imagenet-200/"
    tables = (top + "wnids.txt", top + "val/val_annotations.txt")
    texts = {n: c.decode("utf-8") for n, c in archives.members(path, lambda n: n in tables)}
    classes = {wnid: k for k, wnid in enumerate(texts[tables[0]].split())}
    class_of = dict(line.split("\t")[:2] for line in texts[tables[1]].splitlines())
    pattern = re.compile(top + split + r"/(?:(n\d+)/)?images/([^/]+\.JPEG)")
    images, labels = [], []
    with progress.bar(path.name, None, unit="image") as bar:
        for name, content in archives.members(path, lambda n: bool(pattern.fullmatch(n))):
            wnid, file = pattern.fullmatch(name).groups()  # type: ignore[union-attr]
            images.append(_fit(decode(content, name), (_SIDE, _SIDE)))
            labels.append(classes[wnid or class_of[file]])
            bar.update(1)
    return np.stack(images), np.array(labels, np.int64)


def folder(path: str | os.PathLike[str], size: tuple[int, int] = (32, 32)) -> Images:
    """Read a folder of images of any sizes, with one subfolder a class if there are subfolders.

    Each image is cut to the proportions of `size` around its centre, then scaled.

    path : the folder; every image in it and below it is read, in the order of names
    size : (height, width) to bring them to
    Returns x (n, height, width, 3) uint8 and y (n,) int64: the number of the subfolder in the
    order of names, or 0 for all where none lies in a subfolder.
    Raises DataError if there is no folder, no image, or one that cannot be read.
    """
    files = image_files(path)
    above = [file.relative_to(path).parts[0] if file.parent != Path(path) else "" for file in files]
    classes = {name: k for k, name in enumerate(sorted(set(above)))}
    labels = np.array([classes[name] for name in above], np.int64)
    extent = f"{len(files):,} images in {len(classes):,} classes in {path}"
    return Loaded(read_images(files, size), labels, extent)


def image_files(path: str | os.PathLike[str]) -> list[Path]:
    """The images in a folder and below it by name, without links to folders; DataError for none."""
    files = sorted(
        Path(place, name)
        for place, _, names in os.walk(path)
        for name in names
        if name.lower().endswith(_ENDINGS) and not name.startswith(".")
    )
    if not files:
        raise DataError(f"expected images in a folder {path}, got none; check the path")
    return files


def read_images(files: list[Path], size: tuple[int, int]) -> np.ndarray:
    """Read image files, each cut around its centre to the proportions of `size`, and scaled to it.

    size : (height, width)
    Returns (n, height, width, 3) uint8.
    Raises DataError, which names the file, if one cannot be read.
    """
    images = np.empty((len(files), *size, 3), np.uint8)
    with progress.bar("images", len(files), unit="image") as bar:
        for i, file in enumerate(files):
            try:
                content = file.read_bytes()
            except OSError as error:
                raise DataError(f"cannot read {file}: {error.strerror or error}") from error
            read = read_ppm if content[:2] == b"P6" else decode
            images[i] = _fit(read(content, str(file)), size)
            bar.update(1)
    return images


def _fit(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Cut an image (h, w, 3) to the proportions of `size` around its centre, and scale: uint8."""
    (h, w, _), (height, width) = image.shape, size
    keep_h = max(1, min(h, round(w * height / width)))
    keep_w = max(1, min(w, round(h * width / height)))
    top, left = (h - keep_h) // 2, (w - keep_w) // 2
    cut = image[top : top + keep_h, left : left + keep_w]  # (keep_h, keep_w, 3)
    return np.rint(255 * convert(cut[None], (height, width, 3))[0]).astype(np.uint8)
