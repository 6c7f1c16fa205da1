r"""Images in colour made on the spot: signs for a victim to read, textures for a thief's queries.

How a sign is made:

    board     symbol                   texture behind       light, haze
    _____        5                     ~~~~~~~~~             \\\\\\\\\\
   / red \  +        ->  [ / 5 \ ] ->  ~~/ 5 \~~  ->  blur   \\\\\\\\\\  ->  noise
   \_____/                 turned      ~~\___/~~             darker here
"""

from __future__ import annotations

import numpy as np

from mstheft.data.synthetic.clouds import Cloud, labels, require
from mstheft.data.synthetic.glyphs import affine, master, pixels, warp
from mstheft.typing import Rng

_BLOCK = 256  # images worked on at a time, which keeps them in the processor's cache

# Outlines: the directions (degrees) of a polygon's sides and their distance from its centre,
# then the height of that centre, all in sides of an unscaled character.
_SHAPES = {
    "circle": (np.arange(0, 360, 10), 0.57, 0.0),
    "triangle": (np.array([-90, 30, 150]), 0.36, -0.1),
    "diamond": (np.array([45, 135, 225, 315]), 0.47, 0.0),
    "octagon": (np.arange(0, 360, 45), 0.55, 0.0),
}
# Red, green and blue of rim, face and symbol.
_COLOURS = {
    "red": ((0.78, 0.08, 0.10), (0.95, 0.95, 0.93), (0.08, 0.08, 0.08)),
    "blue": ((0.92, 0.93, 0.95), (0.05, 0.25, 0.65), (0.95, 0.95, 0.95)),
    "yellow": ((0.10, 0.10, 0.10), (0.97, 0.78, 0.10), (0.10, 0.10, 0.10)),
}
_SYMBOLS = ("3", "5", "8", "!", "\N{LEFTWARDS ARROW}", "\N{RIGHTWARDS ARROW}")
_RIM = 0.09  # width of the rim
_ALL = [(shape, colour, symbol) for shape in _SHAPES for colour in _COLOURS for symbol in _SYMBOLS]
# Steps of 29 through the 72 combinations, so that the first classes already share parts.
SIGNS = tuple(_ALL[29 * k % len(_ALL)] for k in range(len(_ALL)))


def signs(n: int, *, classes: int = 12, rng: Rng, size: int = 32, noise: float = 0.03) -> Cloud:
    """Draw coloured signs: class k has the board, the colours and the symbol of `SIGNS[k]`.

        x = blur(cover * sign(B (p - t)) + (1 - cover) * texture) * light(p) + haze + noise

    Classes share boards, colours and symbols, so that none of these alone gives the class.
    B is the inverse of a random rotation, shear and scale, t a shift; light differs between
    images by a factor of 3, falls off across each of them, and has a random tint.

    n : number of signs; every class occurs n / classes times, rounded up or down
    classes : 2 to 72
    size : side of the square image in pixels, at least 16
    noise : standard deviation of the noise, where white in full light is 1
    Returns x (n, size, size, 3) float64 in [0, 1] (red, green, blue), y (n,) int64.
    Raises ValueError for an argument outside its range, DataError without matplotlib's fonts.
    """
    require(2 <= classes <= len(SIGNS), f"classes must be 2 to {len(SIGNS)}; got {classes}")
    require(size >= 16, f"size must be at least 16 pixels, or symbols blur; got {size}")
    require(noise >= 0, f"noise is a standard deviation, at least 0; got {noise}")
    rng = np.random.default_rng(rng)
    y = labels(n, classes, rng)
    x = textures(n, rng=rng, size=size, channels=3)
    for start in range(0, n, _BLOCK):
        s = slice(start, start + _BLOCK)
        _put_signs_on(x[s], y[s], rng)  # (m, size, size, 3)
        haze = rng.uniform(0, 0.1, (len(y[s]), 1, 1, 1))
        lit = _blur(x[s], rng) * _light(len(y[s]), size, rng) + haze
        np.clip(lit + noise * rng.standard_normal(lit.shape), 0, 1, out=x[s])
    return x, y


def _put_signs_on(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> None:
    """Draw the sign of class y[i] over image x[i], in place."""
    m, size = x.shape[:2]
    inverse, shift = affine(m, rng, angle=0.1, shear=0.07, scale=(0.75, 1.08), shift=0.09)
    across, upward = pixels(inverse, shift, size)
    edge = 1.5 / size
    for k in np.unique(y):
        shape, colour, symbol = SIGNS[k]
        chosen = y == k
        u, v = across[chosen], upward[chosen]  # (images of class k, size^2) each
        board = _polygon(shape, u, v)
        reach = 0.5 if shape == "triangle" else 0.62  # side of the symbol
        character = np.broadcast_to(master("DejaVuSans-Bold", symbol), (len(u), 64, 64))
        height = _SHAPES[shape][2]
        figure = warp(character, u / reach, (v - height) / reach) * reach
        layers = (board, board + _RIM, figure)
        image = x[chosen]
        for distance, paint in zip(layers, _COLOURS[colour], strict=True):
            cover = np.clip(0.5 - distance / edge, 0, 1).reshape(*image.shape[:3], 1)
            image += cover * (np.array(paint) - image)
        x[chosen] = image


def _polygon(shape: str, across: np.ndarray, upward: np.ndarray) -> np.ndarray:
    """Distance to a board's outline: the greatest of <p, side direction> - side distance.

    Negative inside; exact except beyond the corners. Shapes as of `across`.
    """
    degrees, apothem, height = _SHAPES[shape]
    sides = np.deg2rad(degrees)
    distance = np.full(across.shape, -np.inf)
    for cos, sin in zip(np.cos(sides), np.sin(sides), strict=True):
        np.maximum(distance, cos * across + sin * (upward - height) - apothem, out=distance)
    return distance


def _blur(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur each image (m, size, size, 3) with a Gaussian of 0.2 to 1.1 pixels (at size 32).

    The Gaussian is a product of one along rows and one along columns, so both are matrices
    G (size, size), whose rows sum to 1 and therefore leave even light even at the border.
    """
    m, size = x.shape[:2]
    sigma = rng.uniform(0.2, 1.1, (m, 1, 1)) * size / 32
    apart = np.subtract.outer(np.arange(size), np.arange(size))  # (size, size), in pixels
    g = np.exp(-0.5 * (apart / sigma) ** 2)
    g /= g.sum(axis=2, keepdims=True)
    columns = (g @ x.reshape(m, size, -1)).reshape(x.shape)
    return g[:, None] @ columns


def _light(m: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw how bright each place of each image is lit: factors (m, size, size, 3)."""
    along = np.linspace(-0.5, 0.5, size)
    slope = rng.normal(0, 0.25, (m, 2, 1, 1))
    fall = 1 + slope[:, 0] * along + slope[:, 1] * along[:, None]
    level = rng.uniform(0.35, 1.05, (m, 1)) * rng.uniform(0.9, 1.1, (m, 3))
    return np.maximum(fall[..., None], 0.2) * level[:, None, None, :]


def textures(n: int, *, rng: Rng, size: int = 32, channels: int = 3) -> np.ndarray:
    """Draw clouds, stripes, cells and mosaics: images of nothing, a pool unrelated to any victim.

        x(p) = A + (B - A) f(p) + 0.08 c(p)

    A, B are random colours, c is a cloud and f in [0, 1] one of the four kinds, bent by a cloud.
    Unlike noise they have edges, areas and several scales, as natural images do.

    n : number of images;  size : side in pixels, at least 4;  channels : 1 grey, 3 colours
    Returns x (n, size, size, channels) float64 in [0, 1].
    Raises ValueError for an argument outside its range.
    """
    require(n >= 1, f"n must be at least 1 image; got {n}")
    require(size >= 4, f"size must be at least 4 pixels; got {size}")
    require(channels >= 1, f"channels must be at least 1; got {channels}")
    rng = np.random.default_rng(rng)
    x = np.empty((n, size, size, channels))
    for start in range(0, n, _BLOCK):
        part = x[start : start + _BLOCK]
        m = len(part)
        f = _fields(m, size, rng)[..., None]
        a, b = rng.uniform(0, 1, (2, m, 1, 1, channels))
        grain = 0.08 * _clouds(m, size, rng)[..., None]
        np.clip(a + (b - a) * f + grain, 0, 1, out=part)
    return x


def _fields(m: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw grey fields (m, size, size) in [0, 1], each of a random kind."""
    cloud = _clouds(m, size, rng)
    bent = 0.06 * _clouds(2 * m, size, rng, steep=(2, 3)).reshape(2, m, size, size)
    along = np.linspace(0, 1, size)
    across, down = along + bent[0], along[:, None] + bent[1]
    soft = np.clip(0.5 + cloud / 4, 0, 1)
    # (4, m, size, size): every kind of every image, of which one each is taken
    kinds = np.stack([soft, _stripes(across, down, rng), *_cells(across, down, rng)])
    return kinds[rng.integers(len(kinds), size=m), np.arange(m)]


def _clouds(
    m: int, size: int, rng: np.random.Generator, steep: tuple[float, float] = (0.8, 2)
) -> np.ndarray:
    """Draw noise whose amplitude falls with frequency as 1 / f^s, as in nature.

    steep : least and greatest s, where 0 is white noise and 3 has hardly any detail
    Returns (m, size, size), each of mean 0 and standard deviation 1.
    Source: Field 1987, 'Relations between the statistics of natural images', where s is near 1.
    """
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    frequency[0, 0] = np.inf  # no mean
    fall = frequency ** -rng.uniform(*steep, (m, 1, 1))
    noise = np.fft.rfft2(rng.standard_normal((m, size, size)))
    cloud = np.fft.irfft2(noise * fall, (size, size))
    return cloud / cloud.std(axis=(1, 2), keepdims=True)


def _stripes(across: np.ndarray, down: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw 1 to 8 waves across each image, from soft to hard-edged: (m, size, size) in [0, 1]."""
    m = len(across)
    waves = rng.uniform(1, 8, (m, 1, 1))
    turn, phase = rng.uniform(0, 2 * np.pi, (2, m, 1, 1))
    along = np.cos(turn) * across + np.sin(turn) * down
    wave = np.sin(2 * np.pi * waves * along + phase)
    return 0.5 + 0.5 * np.clip(wave * rng.uniform(0.7, 4, (m, 1, 1)), -1, 1)


def _cells(
    across: np.ndarray, down: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw cells around 12 random points: the distance to the nearest, and a mosaic of greys.

    Returns two arrays (m, size, size) in [0, 1].
    """
    m = len(across)
    nearest = np.full(across.shape, np.inf)
    mosaic = np.empty(across.shape)
    for _ in range(12):
        u, v, grey = rng.uniform(0, 1, (3, m, 1, 1))
        distance = np.hypot(across - u, down - v)
        mosaic = np.where(distance < nearest, grey, mosaic)
        np.minimum(nearest, distance, out=nearest)
    return np.clip(3 * nearest, 0, 1), mosaic
