"""Images moved and mirrored at random, so that a network sees each of them in many places.

A thief need not buy the answers to them again: what the victim says of an image it is taken to say
of the moved one too. Mirror images are for photographs; a mirrored digit or road sign is another.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from mstheft.typing import Array

SHIFT = 2  # pixels, at most


def flipped(images: Array, rng: np.random.Generator) -> Array:
    """Each image left to right with probability ½. (n, h, w, c)."""
    mirrored = rng.random(len(images)) < 0.5
    return np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)


def cropped(images: Array, rng: np.random.Generator) -> Array:
    """Each image moved by -2 … 2 pixels along both axes; its edge is repeated. (n, h, w, c)."""
    n, height, width, _ = images.shape
    across = [(0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)]
    wide = np.pad(images, across, mode="edge")
    top, left = rng.integers(0, 2 * SHIFT + 1, (2, n, 1))
    rows, columns = top + np.arange(height), left + np.arange(width)  # (n, h), (n, w)
    return wide[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None]]


KINDS = {
    "none": (),
    "crops": (cropped,),
    "flips": (flipped,),
    "flips+crops": (flipped, cropped),
}


def named(
    kind: str, shape: tuple[int, ...]
) -> Callable[[Array, np.random.Generator], Array] | None:
    """The `augment` of `fit.fit` by its name in `KINDS`; None for 'none'.

    shape : of one image, (h, w, c); rows may come flat, (n, h·w·c), and leave so
    Raises ValueError for another name, and for rows that are no images.
    """
    if kind not in KINDS:
        raise ValueError(f"expected augment= as one of {', '.join(KINDS)}, got {kind!r}")
    if not KINDS[kind]:
        return None
    if len(shape) != 3:
        raise ValueError(f"expected images (h, w, c) for augment={kind!r}, got {shape}; take none")
    return partial(_changed, kind, shape)


def _changed(kind: str, shape: tuple[int, ...], x: Array, rng: np.random.Generator) -> Array:
    images = x.reshape(len(x), *shape)
    for change in KINDS[kind]:
        images = change(images, rng)
    return images.reshape(x.shape)
