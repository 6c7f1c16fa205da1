"""Pools of images from which a thief draws queries, each brought to the victim's shape.

A thief without the victim's data queries photographs of other things, drawings, or noise. How much
the answers teach depends on that choice (Pal et al. 2020, 'ActiveThief').
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import DTypeLike

from mstheft.data import photographs, synthetic
from mstheft.data.scaling import check_shape, convert, resize
from mstheft.typing import Rng

_PHOTOGRAPHS = {
    "tiny-imagenet": lambda: photographs.tiny_imagenet("val").x,
    "tiny-imagenet-train": lambda: photographs.tiny_imagenet("train").x,
    "imagenet-sample": lambda: photographs.imagenet_sample().x,
}
_DRAWN = ("letters", "textures", "noise")
NAMES = (*_PHOTOGRAPHS, *_DRAWN)
_SMALLEST = 0.6  # side of a crop, as a share of the image's
_CHUNK = 1000


def pool(
    name: str, shape: tuple[int, ...], n: int, rng: Rng, *, dtype: DTypeLike = np.float32
) -> np.ndarray:
    """Make a pool of n images in the victim's shape, in random order.

    name : one of `NAMES`; several sets of photographs joined by "+", for instance
        "tiny-imagenet+imagenet-sample"; or the path of a folder of images
    shape : (height, width, channels), or (height, width) for grey
    n : number of images. Photographs are taken once each, at random; beyond their number the rest
        are crops and mirror images of them (see `crops_and_flips`)
    dtype : float32 or float64
    Returns (n, *shape) in [0, 1].
    Raises ValueError for an unknown name or shape, DataError if files are missing or differ.
    """
    check_shape(shape, dtype)
    rng = np.random.default_rng(rng)
    if name in _DRAWN:
        return _drawn(name, shape, n, rng, dtype)
    if set(name.split("+")) <= set(_PHOTOGRAPHS):
        sets = [_PHOTOGRAPHS[part]() for part in dict.fromkeys(name.split("+"))]
    elif os.path.isdir(name):
        files = photographs.image_files(name)
        chosen = rng.permutation(len(files))[:n]
        sets = [photographs.read_images([files[i] for i in chosen], (shape[0], shape[1]))]
    else:
        kinds = f"{', '.join(NAMES)}, photographs joined by '+', or a folder of images"
        raise ValueError(f"name must be one of {kinds}; got {name!r}")
    return _photographs(sets, shape, n, rng, dtype)


def _drawn(
    name: str, shape: tuple[int, ...], n: int, rng: np.random.Generator, dtype: DTypeLike
) -> np.ndarray:
    """Draw a pool, a chunk at a time."""
    x = np.empty((n, *shape), dtype)
    size = max(shape[:2])  # drawings are square
    for start in range(0, n, _CHUNK):
        m = min(_CHUNK, n - start)
        if name == "letters":
            images = synthetic.letters(m, rng=rng, size=size)[0].reshape(m, size, size)
        elif name == "textures":
            images = synthetic.textures(m, rng=rng, size=size)
        else:
            images = rng.random((m, *shape), np.float32)
        x[start : start + m] = convert(images, shape, dtype=dtype)
    return x


def _photographs(
    sets: list[np.ndarray],
    shape: tuple[int, ...],
    n: int,
    rng: np.random.Generator,
    dtype: DTypeLike,
) -> np.ndarray:
    """Choose n of several sets of photographs (n_i, h_i, w_i, 3), with crops where n is more."""
    stops = np.cumsum([len(images) for images in sets])
    chosen = rng.permutation(stops[-1])[:n]
    order = rng.permutation(n)  # where each goes: originals and crops are mixed
    x = np.empty((n, *shape), dtype)
    for images, stop in zip(sets, stops, strict=True):
        start = stop - len(images)  # number of this set's first image, counted over all sets
        places = np.flatnonzero((chosen >= start) & (chosen < stop))
        for some in np.array_split(places, len(places) // _CHUNK + 1):
            x[order[some]] = convert(images[chosen[some] - start], shape, dtype=dtype)
    places = np.arange(len(chosen), n)
    set_of = np.searchsorted(stops, rng.integers(stops[-1], size=len(places)), side="right")
    for k, images in enumerate(sets):
        targets = order[places[set_of == k]]  # rows of x that get crops of this set
        which = np.resize(rng.permutation(len(images)), len(targets))
        for part in np.array_split(np.arange(len(targets)), len(targets) // _CHUNK + 1):
            if len(part):
                crops = crops_and_flips(images[which[part]], len(part), rng)
                x[targets[part]] = convert(crops, shape, dtype=dtype)
    return x


def crops_and_flips(images: np.ndarray, n: int, rng: Rng) -> np.ndarray:
    """Make n new images of m: random windows scaled to full size, half of them mirrored.

        side of the window = s * side of the image,   s uniform in [0.6, 1),   anywhere inside

    The window is at least one pixel smaller than the image, so none is the image itself.

    images : (m, h, w, c) uint8 or floats, m at least 1
    n : number of images to make; each image is used equally often, up to one
    Returns (n, h, w, c) of the same type, in random order.
    Source: the usual augmentation for ImageNet; Szegedy et al. 2015, 'Going deeper with
    convolutions', section 6, there with windows down to 8 % of the area.
    """
    rng = np.random.default_rng(rng)
    m, h, w, _ = images.shape
    # (n,) each: which image, and the window in it
    which = rng.permutation(np.resize(rng.permutation(m), n))
    share = rng.uniform(_SMALLEST, 1, n)
    height, width = (np.maximum(1, share * side).astype(int) for side in (h, w))
    top = (rng.random(n) * (h - height + 1)).astype(int)
    left = (rng.random(n) * (w - width + 1)).astype(int)
    mirrored = rng.random(n) < 0.5
    out = np.empty((n, h, w, images.shape[3]), images.dtype)
    for i in range(n):
        rows, columns = slice(top[i], top[i] + height[i]), slice(left[i], left[i] + width[i])
        window = resize(images[which[i] : which[i] + 1, rows, columns], h, w)[0]
        window = window[:, ::-1] if mirrored[i] else window
        out[i] = np.rint(window) if images.dtype == np.uint8 else window
    return out
