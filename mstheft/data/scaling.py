"""Bringing images to a size and a number of channels, in NumPy alone."""

from functools import lru_cache

import numpy as np
from numpy.typing import DTypeLike

_LUMINANCE = (0.299, 0.587, 0.114)  # how bright red, green and blue look: ITU-R BT.601
_CHUNK = 256  # images at a time, so that the intermediate results stay small


@lru_cache(maxsize=512)
def weights(size_in: int, size_out: int) -> np.ndarray:
    """Weights of one axis, that take `size_in` pixels to `size_out`; every row sums to 1.

        smaller: out[i] is the mean of in over [i s, (i + 1) s],   s = size_in / size_out,
                 a pixel that lies partly inside counting by that part (area average)
        larger:  out[i] lies at c = (i + 1/2) s - 1/2 and is interpolated linearly between
                 the two pixels around it; beyond the outermost ones the image is constant

    size_in, size_out : pixels, at least 1
    Returns W (size_out, size_in) float32, non-negative, so that out = W @ in stays in range.
    """
    scale = size_in / size_out
    pixels = np.arange(size_in)
    if size_out <= size_in:
        left = np.arange(size_out)[:, None] * scale
        inside = np.minimum(left + scale, pixels + 1) - np.maximum(left, pixels)
        w = np.clip(inside, 0, None)
    else:
        centre = np.clip((np.arange(size_out) + 0.5) * scale - 0.5, 0, size_in - 1)
        w = np.clip(1 - np.abs(centre[:, None] - pixels), 0, None)
    w = (w / w.sum(axis=1, keepdims=True)).astype(np.float32)
    w.setflags(write=False)  # shared by all calls with the same sizes
    return w


def resize(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Scale images, each axis by itself: by area averages down, by linear interpolation up.

        out = W_rows  image  W_columns^T   for each image and channel (see `weights`)

    images : (n, h, w, c), any numbers
    Returns (n, height, width, c) float32.
    """
    n, h, w, c = images.shape
    images = images.astype(np.float32, copy=False)
    if h != height:  # rows: (height, h) @ (n, h, w c)
        images = (weights(h, height) @ images.reshape(n, h, w * c)).reshape(n, height, w, c)
    if w != width:  # columns: (width, w) @ (n, height, w, c)
        images = weights(w, width) @ images
    return images


def convert(
    images: np.ndarray, shape: tuple[int, ...], *, dtype: DTypeLike = np.float32
) -> np.ndarray:
    """Bring images of any size and number of channels to a victim's input shape.

    Sizes change as in `resize`. Colour becomes grey by luminance, 0.299 R + 0.587 G + 0.114 B
    (for other numbers of channels by their mean), and grey becomes colour by repetition. Where
    the number of channels has to change, the second of 2 and the fourth of 4 is transparency and
    is dropped. The sides are scaled independently: crop first if that would distort.

    images : (n, h, w) or (n, h, w, c), uint8 or floats in [0, 1]
    shape : (height, width, channels), or (height, width) for grey without a channel axis
    dtype : float32 or float64
    Returns (n, *shape) in [0, 1]; 0 stays 0 and the brightest stays 1.
    Raises ValueError for other shapes, numbers or types.
    """
    images = np.asarray(images)
    if images.ndim not in (3, 4) or (len(images) and not images.size):
        raise ValueError(f"images must be (n, h, w) or (n, h, w, c); got shape {images.shape}")
    check_shape(shape, dtype)
    images = images.reshape(*images.shape[:3], -1) if len(images) else np.zeros((0, 1, 1, 1))
    out = np.empty((len(images), *shape), dtype)
    height, width, channels = (*shape, 1)[:3]
    for start in range(0, len(images), _CHUNK):
        some = _in_unit_range(images[start : start + _CHUNK])
        # Fewer channels before the sizes change, more only after: that is less work.
        some = resize(_recolour(some, min(channels, some.shape[3])), height, width)
        some = np.clip(_recolour(some, channels), 0, 1)
        out[start : start + _CHUNK] = some.reshape(len(some), *shape)
    return out


def check_shape(shape: tuple[int, ...], dtype: DTypeLike) -> None:
    """Raise ValueError unless `convert` can bring images to this shape and type."""
    if len(shape) not in (2, 3) or any(size < 1 for size in shape):
        raise ValueError(f"shape must be (height, width) or (height, width, channels); got {shape}")
    if np.dtype(dtype).kind != "f":
        raise ValueError(f"dtype must be float32 or float64; got {np.dtype(dtype)}")


def _in_unit_range(images: np.ndarray) -> np.ndarray:
    """Scale uint8 to [0, 1], and let other numbers pass if they are there already: float32."""
    if images.dtype == np.uint8:
        return np.divide(images, 255, dtype=np.float32)
    low, high = images.min(), images.max()
    if not (low >= 0 and high <= 1):  # also if one is not a number
        raise ValueError(f"pixels must be in [0, 1]; got {low:.4g} to {high:.4g}; divide by 255?")
    return images.astype(np.float32, copy=False)


def _recolour(images: np.ndarray, channels: int) -> np.ndarray:
    """Change the number of channels: (n, h, w, c) -> (n, h, w, channels)."""
    got = images.shape[3]
    if got == channels:
        return images
    if got in (2, 4):  # the last one is transparency
        images, got = images[..., :-1], got - 1
    if got not in (1, channels):
        mix = np.array(_LUMINANCE if got == 3 else [1 / got] * got, np.float32)
        images = (images @ mix)[..., None]
    return images if images.shape[3] == channels else np.repeat(images, channels, axis=3)
