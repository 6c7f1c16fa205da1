"""Data drawn on the spot: digits from bundled fonts, and toy clouds of points.

Nothing here is downloaded and nothing is kept on disk. The same seed gives the same
data, so lessons and tests can quote numbers.

How a glyph is made:

    outline of '4'  ->  signed distance d(p)  ->  d at the pixels,  ->  ink where  ->  contrast
    (font file)         < 0 inside the ink        mapped by B (p - t)   d < width      and noise

The distance is what makes the stroke width free to choose: moving the threshold thickens
or thins every stroke evenly, and a threshold with a slope gives smooth edges.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from mstheft.errors import DataError

__all__ = ["blobs", "glyphs", "linear", "moons", "spirals"]

Rng = np.random.Generator | int
Cloud = tuple[np.ndarray, np.ndarray]

# Only fonts that matplotlib has shipped since 3.8, so that digits are the same everywhere.
_FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique"),
    *("DejaVuSansMono", "DejaVuSansMono-Oblique", "DejaVuSansMono-BoldOblique"),
    *("DejaVuSerif", "DejaVuSerif-Bold"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    *("cmr10", "cmb10", "cmss10", "cmtt10"),
)
_GRID = 64  # samples across a master glyph, each way
_REACH = 0.75  # a master covers [-0.75, 0.75]^2; its digit is 1 high and centred
_SIDE = 1.5  # side of the drawn image, in heights of an unscaled digit
_BLOCK = 256  # glyphs warped at a time: enough for NumPy, and still in the processor's cache


def glyphs(n: int, *, rng: Rng, size: int = 28, classes: int = 10, noise: float = 0.1) -> Cloud:
    """Draw digits from matplotlib's fonts, each bent, thickened and speckled at random.

        ink(p) = clip(1/2 + (width - d(B (p - t))) / edge, 0, 1)
        x(p)   = clip(contrast * ink(p) + noise * N(0, 1), 0, 1)

    d is the signed distance to the outline of the digit in one of 16 fonts, B the inverse
    of a random rotation, shear and scale, t a random shift, and edge the side of a pixel.

    n : number of glyphs; every class occurs n / classes times, rounded up or down
    rng : Generator or int seed
    size : side of the square image in pixels, at least 8
    classes : the digits 0 ... classes - 1 are drawn, 2 to 10 of them
    noise : standard deviation of the noise, in grey levels where full ink is 1
    Returns x (n, size * size) float64 in [0, 1], image rows one after the other, and the
    digits y (n,) int64.
    Raises ValueError for an argument outside its range, DataError if matplotlib's fonts
    are not where it installs them.
    """
    _require(size >= 8, f"size must be at least 8 pixels, or digits blur; got {size}")
    _require(2 <= classes <= 10, f"classes must be 2 to 10, as there are ten digits; got {classes}")
    _require(noise >= 0, f"noise is a standard deviation, at least 0; got {noise}")
    rng = np.random.default_rng(rng)
    y = _labels(n, classes, rng)
    font = rng.integers(len(_FONTS), size=n)
    inverse, shift = _affine(n, rng)
    width = rng.uniform(0.0, 0.05, n)
    contrast = rng.uniform(0.7, 1.0, n)
    x = np.empty((n, size * size))
    for start in range(0, n, _BLOCK):
        s = slice(start, start + _BLOCK)
        distance = _warp(_masters()[font[s], y[s]], inverse[s], shift[s], size)
        ink = np.clip(0.5 + (width[s, None] - distance) * (size / _SIDE), 0, 1)
        speckle = noise * rng.standard_normal(ink.shape)
        np.clip(contrast[s, None] * ink + speckle, 0, 1, out=x[s])
    return x, y


def _affine(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw n random maps: the inverse matrices B (n, 2, 2) and the shifts t (n, 2)."""
    angle = rng.normal(0, 0.17, n)  # radians: 10 degrees
    shear = rng.normal(0, 0.18, n)
    scale = rng.uniform(0.85, 1.1, (n, 2))
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.stack([cos, -sin, sin, cos], axis=1).reshape(n, 2, 2)
    slant = np.stack([np.ones(n), shear, np.zeros(n), np.ones(n)], axis=1).reshape(n, 2, 2)
    inverse = np.linalg.inv(turn @ slant * scale[:, None, :])
    return inverse, rng.uniform(-0.06, 0.06, (n, 2))


def _warp(masters: np.ndarray, inverse: np.ndarray, shift: np.ndarray, size: int) -> np.ndarray:
    """Read each master at the places that B (p - t) gives for all pixels p, bilinearly.

    masters (m, G, G), inverse (m, 2, 2), shift (m, 2); returns distances (m, size * size).
    Beyond the master's border its outermost values go on, which are all far from ink.
    """
    along = ((np.arange(size) + 0.5) / size - 0.5) * _SIDE
    px, py = np.tile(along, size), np.repeat(-along, size)  # image rows run downwards
    px, py = px - shift[:, :1], py - shift[:, 1:]
    step = 2 * _REACH / (_GRID - 1)
    across = inverse[:, 0, :1] * px + inverse[:, 0, 1:] * py
    upward = inverse[:, 1, :1] * px + inverse[:, 1, 1:] * py
    column = np.clip((across + _REACH) / step, 0, _GRID - 1)
    row = np.clip((upward + _REACH) / step, 0, _GRID - 1)
    c, r = (np.minimum(v.astype(np.intp), _GRID - 2) for v in (column, row))
    column -= c
    row -= r
    flat = masters.ravel()
    at = np.arange(len(masters))[:, None] * _GRID**2 + r * _GRID + c
    below = flat[at] * (1 - column) + flat[at + 1] * column
    above = flat[at + _GRID] * (1 - column) + flat[at + _GRID + 1] * column
    return below * (1 - row) + above * row


@lru_cache(maxsize=1)
def _masters() -> np.ndarray:
    """Draw every digit of every font once: signed distances (fonts, 10, G, G)."""
    grid = np.linspace(-_REACH, _REACH, _GRID)
    points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    masters = [_signed_distance(*_outline(f, str(k)), points) for f in _FONTS for k in range(10)]
    return np.stack(masters).reshape(len(_FONTS), 10, _GRID, _GRID)


def _outline(font: str, digit: str) -> tuple[np.ndarray, np.ndarray]:
    """Trace a digit as straight pieces from a (m, 2) to b (m, 2), centred and 1 high."""
    import matplotlib
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    file = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{font}.ttf")
    if not file.is_file():
        raise DataError(
            f"expected matplotlib's own font file {file}, which is not there; "
            "install matplotlib again with pip, which brings its fonts"
        )
    path = TextPath((0, 0), digit, size=100, prop=FontProperties(fname=str(file)))
    polygons = [np.asarray(polygon) for polygon in path.to_polygons(closed_only=True)]
    a = np.concatenate([polygon[:-1] for polygon in polygons])
    b = np.concatenate([polygon[1:] for polygon in polygons])
    low, high = a.min(axis=0), a.max(axis=0)
    centre, height = (low + high) / 2, high[1] - low[1]
    return (a - centre) / height, (b - centre) / height


def _signed_distance(a: np.ndarray, b: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Distance from each point (P, 2) to the nearest piece a-b; negative inside the outline.

    A point is inside if a ray to its right crosses the outline an odd number of times.
    """
    ab = b - a
    length2 = np.maximum((ab**2).sum(axis=1), 1e-12)  # a piece of length 0 is its own end
    dx, dy = (points[:, None, i] - a[:, i] for i in (0, 1))
    t = np.clip((dx * ab[:, 0] + dy * ab[:, 1]) / length2, 0, 1)
    distance = np.sqrt(((dx - t * ab[:, 0]) ** 2 + (dy - t * ab[:, 1]) ** 2).min(axis=1))
    straddles = (dy < 0) != (dy < ab[:, 1])
    rise = np.where(ab[:, 1] == 0, 1.0, ab[:, 1])  # a level piece straddles nothing
    crossings = (straddles & (dx < dy * ab[:, 0] / rise)).sum(axis=1)
    return np.where(crossings % 2 == 1, -distance, distance)


def blobs(n: int, *, classes: int = 3, rng: Rng) -> Cloud:
    """Draw round clouds N(m_k, I) whose centres m_k stand on a circle, 4 apart.

        m_k = r (cos a_k, sin a_k),   a_k = a_0 + 2 pi k / classes,   r = 2 / sin(pi / classes)

    Neighbours are 4 standard deviations apart for any number of classes, so that about
    2 % of the points lie nearer to a neighbour's centre than to their own, per neighbour.

    n : number of points;  classes : at least 2;  rng : Generator or int seed
    Returns x (n, 2) float64 and y (n,) int64, classes equally frequent.
    """
    rng = np.random.default_rng(rng)
    y = _labels(n, classes, rng)
    angle = rng.uniform(0, 2 * np.pi) + 2 * np.pi * y / classes
    centre = 2 / np.sin(np.pi / classes) * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return centre + rng.standard_normal((n, 2)), y


def moons(n: int, *, noise: float = 0.1, rng: Rng) -> Cloud:
    """Draw two half circles that reach into each other, which no straight line separates.

        class 0: (cos a, sin a),   class 1: (1 - cos a, 1/2 - sin a),   0 <= a <= pi

    n : number of points;  noise : standard deviation, where the radius is 1
    rng : Generator or int seed
    Returns x (n, 2) float64 and y (n,) int64, classes equally frequent.
    """
    _require(noise >= 0, f"noise is a standard deviation, at least 0; got {noise}")
    rng = np.random.default_rng(rng)
    y = _labels(n, 2, rng)
    angle = rng.uniform(0, np.pi, n)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    x = np.where(y[:, None] == 0, upper, np.array([1.0, 0.5]) - upper)
    return x + noise * rng.standard_normal((n, 2)), y


def spirals(n: int, *, classes: int = 2, noise: float = 0.05, rng: Rng) -> Cloud:
    """Draw arms of a spiral, one a class, each wound around the others.

        (s cos a, s sin a),   a = 3 pi s + 2 pi k / classes,   0.1 <= s <= 1

    n : number of points;  classes : at least 2;  noise : standard deviation, where the
    longest radius is 1;  rng : Generator or int seed
    Returns x (n, 2) float64 and y (n,) int64, classes equally frequent.
    """
    _require(noise >= 0, f"noise is a standard deviation, at least 0; got {noise}")
    rng = np.random.default_rng(rng)
    y = _labels(n, classes, rng)
    radius = np.sqrt(rng.uniform(0.01, 1, n))  # the root spreads points evenly along an arm
    angle = 3 * np.pi * radius + 2 * np.pi * y / classes
    x = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return x + noise * rng.standard_normal((n, 2)), y


def linear(n: int, d: int, *, rng: Rng) -> Cloud:
    """Draw two clouds on either side of a hyperplane, which separates them almost.

        x ~ N(0, I) + (c ± 2) w,   |w| = 1,   y = 1 on the + side

    The best rule is <w, x> > c; the share of points it gets right is Phi(2) = 97.7 %.

    n : number of points;  d : inputs, at least 1;  rng : Generator or int seed
    Returns x (n, d) float64 and y (n,) int64, classes equally frequent.
    """
    _require(d >= 1, f"d must be at least 1 input; got {d}")
    rng = np.random.default_rng(rng)
    w = rng.standard_normal(d)
    w /= np.linalg.norm(w)
    offset = rng.standard_normal()  # so that the bias of a model is worth stealing
    y = _labels(n, 2, rng)
    return rng.standard_normal((n, d)) + (offset + 4 * y - 2)[:, None] * w, y


def _labels(n: int, classes: int, rng: np.random.Generator) -> np.ndarray:
    """Labels 0 ... classes - 1 in random order, equally frequent up to rounding: (n,) int64."""
    _require(n >= 1, f"n must be at least 1 point; got {n}")
    _require(classes >= 2, f"classes must be at least 2; got {classes}")
    return rng.permutation(np.arange(n, dtype=np.int64) % classes)


def _require(holds: bool, sentence: str) -> None:
    """Turn a broken condition on an argument into a ValueError."""
    if not holds:
        raise ValueError(sentence)
