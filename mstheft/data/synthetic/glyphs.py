"""Digits and letters from the fonts that matplotlib brings, each one drawn differently.

How a glyph is made:

    outline of '4'  ->  signed distance d(p)  ->  d at the pixels,  ->  ink where  ->  contrast
    (font file)         < 0 inside the ink        mapped by B (p - t)   d < width      and noise

The distance is what makes the stroke width free to choose: moving the threshold thickens
or thins every stroke evenly, and a threshold with a slope gives smooth edges.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from mstheft.data.synthetic.clouds import Cloud, labels, require
from mstheft.errors import DataError
from mstheft.typing import Rng

LETTERS = string.ascii_uppercase + string.ascii_lowercase
# Only fonts that matplotlib has shipped since 3.8, so that glyphs are the same everywhere.
FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique"),
    *("DejaVuSansMono", "DejaVuSansMono-Oblique", "DejaVuSansMono-BoldOblique"),
    *("DejaVuSerif", "DejaVuSerif-Bold"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    *("cmr10", "cmb10", "cmss10", "cmtt10"),
)
_FEWER = FONTS[::2]  # for letters: five times as many characters would take five times as long
GRID = 64  # samples across a master glyph, each way
REACH = 0.75  # a master covers [-0.75, 0.75]^2; its character has side 1 and is centred
_SIDE = 1.5  # side of the drawn image, in sides of an unscaled character
_BLOCK = 256  # glyphs warped at a time: enough for NumPy, and still in the processor's cache


def glyphs(n: int, *, rng: Rng, size: int = 28, classes: int = 10, noise: float = 0.1) -> Cloud:
    """Draw digits from matplotlib's fonts, each bent, thickened and speckled at random.

        ink(p) = clip(1/2 + (width - d(B (p - t))) / edge, 0, 1)
        x(p)   = clip(contrast * ink(p) + noise * N(0, 1), 0, 1)

    d is the signed distance to the outline of the digit in one of 16 fonts, B the inverse
    of a random rotation, shear and scale, t a random shift, and edge the side of a pixel.

    n : number of glyphs; every class occurs n / classes times, rounded up or down
    size : side of the square image in pixels, at least 8
    classes : the digits 0 ... classes - 1 are drawn, 2 to 10 of them
    noise : standard deviation of the noise, in grey levels where full ink is 1
    Returns x (n, size * size) float64 in [0, 1], image rows one after the other, and the
    digits y (n,) int64.
    Raises ValueError for an argument outside its range, DataError if matplotlib's fonts
    are not where it installs them.
    """
    require(2 <= classes <= 10, f"classes must be 2 to 10, as there are ten digits; got {classes}")
    return _draw(n, string.digits[:classes], FONTS, size, noise, np.random.default_rng(rng))


def letters(n: int, *, rng: Rng, size: int = 28, noise: float = 0.1) -> Cloud:
    """Draw the letters A-Z and a-z as `glyphs` draws digits: a pool that resembles its victim's.

    Each is scaled until the longer of its height and width is 1, in one of 8 fonts.

    n : number of letters; each of the 52 occurs n / 52 times, rounded up or down
    size, noise : as of `glyphs`, and so are the errors
    Returns x (n, size * size) float64 in [0, 1] and y (n,) int64, indices into `LETTERS`.
    The first 2,000 letters of a process also draw the 416 masters, which takes about 2 s.
    """
    return _draw(n, LETTERS, _FEWER, size, noise, np.random.default_rng(rng))


def _draw(
    n: int, alphabet: str, fonts: Sequence[str], size: int, noise: float, rng: np.random.Generator
) -> Cloud:
    """Draw n characters of an alphabet, equally often, by the equations of `glyphs`."""
    require(size >= 8, f"size must be at least 8 pixels, or characters blur; got {size}")
    require(noise >= 0, f"noise is a standard deviation, at least 0; got {noise}")
    y = labels(n, len(alphabet), rng)
    font = rng.integers(len(fonts), size=n)
    inverse, shift = affine(n, rng)
    width = rng.uniform(0.0, 0.05, n)
    contrast = rng.uniform(0.7, 1.0, n)
    x = np.empty((n, size * size))
    for start in range(0, n, _BLOCK):
        s = slice(start, start + _BLOCK)
        masters = np.stack(
            [master(fonts[f], alphabet[k]) for f, k in zip(font[s], y[s], strict=True)]
        )
        # (m, G, G) -> (m, size^2)
        distance = warp(masters, *pixels(inverse[s], shift[s], size))
        ink = np.clip(0.5 + (width[s, None] - distance) * (size / _SIDE), 0, 1)
        speckle = noise * rng.standard_normal(ink.shape)
        np.clip(contrast[s, None] * ink + speckle, 0, 1, out=x[s])
    return x, y


def affine(
    n: int,
    rng: np.random.Generator,
    *,
    angle: float = 0.17,
    shear: float = 0.18,
    scale: tuple[float, float] = (0.85, 1.1),
    shift: float = 0.06,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw n random maps: the inverse matrices B (n, 2, 2) and the shifts t (n, 2).

    angle : standard deviation in radians (0.17 is 10 degrees);  shear : standard deviation
    scale : least and greatest, of each axis alone;  shift : greatest, in sides of a character
    """
    angles = rng.normal(0, angle, n)
    shears = rng.normal(0, shear, n)
    scales = rng.uniform(*scale, (n, 2))
    cos, sin = np.cos(angles), np.sin(angles)
    turn = np.stack([cos, -sin, sin, cos], axis=1).reshape(n, 2, 2)
    slant = np.stack([np.ones(n), shears, np.zeros(n), np.ones(n)], axis=1).reshape(n, 2, 2)
    inverse = np.linalg.inv(turn @ slant * scales[:, None, :])
    return inverse, rng.uniform(-shift, shift, (n, 2))


def pixels(inverse: np.ndarray, shift: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Map the pixels p of a size x size image to the places B (p - t) that they show.

    inverse (m, 2, 2), shift (m, 2); returns the two coordinates, (m, size * size) each, to the
    right and upwards, where an unmapped image covers [-0.75, 0.75]^2.
    """
    along = ((np.arange(size) + 0.5) / size - 0.5) * _SIDE
    px, py = np.tile(along, size), np.repeat(-along, size)  # image rows run downwards
    px, py = px - shift[:, :1], py - shift[:, 1:]
    across = inverse[:, 0, :1] * px + inverse[:, 0, 1:] * py
    upward = inverse[:, 1, :1] * px + inverse[:, 1, 1:] * py
    return across, upward


def warp(masters: np.ndarray, across: np.ndarray, upward: np.ndarray) -> np.ndarray:
    """Read each master (m, G, G) at places (m, P), bilinearly; returns distances (m, P).

    Beyond the master's border its outermost values go on, which are all far from ink.
    """
    step = 2 * REACH / (GRID - 1)
    column = np.clip((across + REACH) / step, 0, GRID - 1)
    row = np.clip((upward + REACH) / step, 0, GRID - 1)
    c, r = (np.minimum(v.astype(np.intp), GRID - 2) for v in (column, row))
    column -= c
    row -= r
    flat = masters.ravel()
    at = np.arange(len(masters))[:, None] * GRID**2 + r * GRID + c
    below = flat[at] * (1 - column) + flat[at + 1] * column
    above = flat[at + GRID] * (1 - column) + flat[at + GRID + 1] * column
    return below * (1 - row) + above * row


@cache  # at most 16 x 10 + 8 x 52 of 32 kB: 18 MB
def master(font: str, character: str) -> np.ndarray:
    """Draw a character of a font once: signed distances (G, G), read-only."""
    grid = np.linspace(-REACH, REACH, GRID)
    points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    drawn = _signed_distance(*_outline(font, character), points).reshape(GRID, GRID)
    drawn.flags.writeable = False
    return drawn


def _outline(font: str, character: str) -> tuple[np.ndarray, np.ndarray]:
    """Trace a character as straight pieces from a (m, 2) to b (m, 2), centred in its box.

    The longer side of the box is 1: the height of every digit, the width of an m.
    """
    import matplotlib
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    file = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{font}.ttf")
    if not file.is_file():
        raise DataError(f"expected matplotlib's font file {file}; install matplotlib with pip")
    path = TextPath((0, 0), character, size=100, prop=FontProperties(fname=str(file)))
    polygons = [np.asarray(polygon) for polygon in path.to_polygons(closed_only=True)]
    a = np.concatenate([polygon[:-1] for polygon in polygons])
    b = np.concatenate([polygon[1:] for polygon in polygons])
    low, high = a.min(axis=0), a.max(axis=0)
    centre, side = (low + high) / 2, (high - low).max()
    return (a - centre) / side, (b - centre) / side


def _signed_distance(a: np.ndarray, b: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Distance from each point (P, 2) to the nearest piece a-b; negative inside the outline.

    A point is inside if a ray to its right crosses the outline an odd number of times.
    """
    ab = b - a
    along = ab / np.maximum((ab**2).sum(axis=1, keepdims=True), 1e-12)  # length 0: its own end
    run = ab[:, 0] / np.where(ab[:, 1] == 0, 1.0, ab[:, 1])  # a level piece is never crossed
    distance = np.empty(len(points))
    for start in range(0, len(points), _BLOCK):
        s = slice(start, start + _BLOCK)
        dx, dy = (points[s, None, i] - a[:, i] for i in (0, 1))
        t = np.clip(dx * along[:, 0] + dy * along[:, 1], 0, 1)
        nearest = np.sqrt(((dx - t * ab[:, 0]) ** 2 + (dy - t * ab[:, 1]) ** 2).min(axis=1))
        straddles = (dy < 0) != (dy < ab[:, 1])
        crossings = (straddles & (dx < dy * run)).sum(axis=1)
        distance[s] = np.where(crossings % 2 == 1, -nearest, nearest)
    return distance
