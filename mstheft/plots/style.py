"""One colour for one thing, through the whole course; and what several pictures share.

The main colours are those of Okabe and Ito (2008), the ones for classes are of Paul Tol's muted
scheme, distinct with any common kind of colour vision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from mstheft.typing import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
else:
    Axes = Colormap = Any  # the first picture imports matplotlib, not the package

Colour = str | tuple[float, ...]

VICTIM = "#1a1a1a"  # the black box, and everything true of it
COPY = "#e69f00"  # what was recovered
QUERY = "#009e73"  # a queried point, or its answer
KINK = "#aa4499"  # where a neuron changes sides
POSITIVE = "#0072b2"  # a number above zero, such as a weight
NEGATIVE = "#d55e00"  # a number below zero
ERROR = "#56b4e9"  # how far the copy is off
QUIET = "#777777"  # guides and remarks

# Class k, and the logit of class k.
CLASSES = (
    *("#332288", "#6fb7dd", "#999933", "#cc6677", "#44aa99"),
    *("#882255", "#c9b458", "#661100", "#6699cc", "#888888"),
)
# Linear regions, by how many neurons are on: the number differs by one between neighbours.
REGIONS = ("#f6efdc", "#dcebf5", "#f7e3e6", "#e3f0e2", "#ece4f3", "#f3f3f3")
# One line style for each hidden layer; the first layer is solid.
LAYERS = ("-", "--", ":", "-.")
# One colour for each hidden layer, for pictures that show kinks of several layers.
DEPTHS = (KINK, "#005560", "#a06a2c", "#5c7f00")


def axes(ax: Axes | None = None, size: tuple[float, float] = (6.4, 4.0)) -> Axes:
    """`ax` itself, or the only Axes of a new figure of `size` inches."""
    if ax is not None:
        return ax
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained").add_subplot()


def bare(ax: Axes) -> Axes:
    """Hide the frame's right and top side, which carry nothing."""
    ax.spines[["right", "top"]].set_visible(False)
    return ax


def of_class(k: int) -> str:
    """The colour of class k and of its logit; the colours begin anew after ten."""
    return CLASSES[k % len(CLASSES)]


def of_layer(n: int) -> str:
    """The colour of the kinks of hidden layer n, from 1."""
    return DEPTHS[(int(n) - 1) % len(DEPTHS)]


def signed() -> Colormap:
    """Numbers by sign and size: NEGATIVE over white to POSITIVE."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", [NEGATIVE, "#ffffff", POSITIVE])


def graded(n: int) -> list[Colour]:
    """`n` colours from dark to light, for a quantity that grows, such as the number of decimals."""
    from matplotlib import colormaps

    return [colormaps["cividis"](v) for v in np.linspace(0, 0.75, n)]


# ---- words in a picture


def note(ax: Axes, x: float, y: float, text: str, **kwargs: Any) -> None:
    """A remark at a place given as shares of the axes, (0, 0) bottom left, (1, 1) top right."""
    kwargs = {"color": QUIET, "fontsize": 9, "va": "top", **kwargs}
    ax.text(x, y, text, transform=ax.transAxes, **kwargs)


def above(ax: Axes, x: float, text: str, colour: Colour = QUIET, ha: str = "left") -> None:
    """A remark above the axes, in the colour of the thing that it names; x is a share."""
    note(ax, x, 1.02, text, color=colour, va="bottom", ha=ha)


def beside(
    ax: Axes, at: tuple[float, float], text: str, away: tuple[float, float], **kwargs: Any
) -> None:
    """A remark `away` (right, up) points from the point `at`, in data units."""
    ax.annotate(text, at, xytext=away, textcoords="offset points", fontsize=9, **kwargs)


def count(n: int, thing: str) -> str:
    """'1 kink', '2 kinks', '1,000 kinks'."""
    return f"{n:,} {thing}{'s' if n != 1 else ''}"


def end_labels(
    ax: Axes, heights: ArrayLike, texts: Sequence[str], colours: Sequence[Colour]
) -> None:
    """Name curves at the right edge, each at the height where it ends, moved apart if need be.

    heights : (n,) where the curves end, in data units; call this after all data is drawn
    """
    ax.get_ylim()  # settles the limits, which matplotlib puts off
    last = np.stack([np.zeros(len(texts)), np.asarray(heights, float)], axis=1)  # (n, 2)
    wanted = ax.transAxes.inverted().transform(ax.transData.transform(last))[:, 1]
    places = spread(wanted.clip(0, 1), gap=min(0.065, 1 / max(len(texts) - 1, 1)))
    for place, text, colour in zip(places, texts, colours, strict=True):
        note(ax, 1.015, place, text, color=colour, va="center")


def spread(wanted: ArrayLike, gap: float) -> Array:
    """Places in [0, 1] at least `gap` apart, near the wanted places and in their order."""
    wanted = np.asarray(wanted, float)
    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))
    lowest = np.maximum.accumulate(wanted[order] - steps)  # as far right as the one before
    lowest = np.minimum(lowest, 1 - steps[-1]) if len(steps) else lowest
    places = np.empty_like(wanted)
    places[order] = lowest + steps
    return places


# ---- parts of a picture


def mean_and_range(
    ax: Axes, x: ArrayLike, values: ArrayLike, style: str, colour: Colour, **kwargs: Any
) -> float:
    """The mean over seeds as a curve, a band from lowest to highest; returns where it ends.

    x : (m,); values : (m,) or (seeds, m)
    """
    values = np.atleast_2d(np.asarray(values, float))
    middle = values.mean(axis=0)  # (m,)
    ax.plot(x, middle, style, color=colour, markersize=3.5, **kwargs)
    if len(values) > 1:
        band = values.min(axis=0), values.max(axis=0)
        ax.fill_between(x, *band, color=colour, alpha=0.2, linewidth=0)
    return float(middle[-1])


def signed_cells(
    ax: Axes, cells: Array, size: float, extent: tuple[float, float, float, float]
) -> None:
    """Numbers as cells coloured by sign and size; ±size has the full colour.

    extent : left, right, bottom, top in data units
    """
    ax.imshow(cells, signed(), vmin=-size, vmax=size, interpolation="nearest", extent=extent)


def share_cells(
    ax: Axes,
    shares: Array,
    texts: Sequence[str],
    colours: Sequence[Colour],
    names: tuple[Sequence[str], Sequence[str]],
    darkest: str = POSITIVE,
) -> None:
    """A grid of shares from white to `darkest`, each with its text.

    shares : (rows, columns) from 0 to 1; texts, colours : of its cells, row after row
    names : of the rows, and of the columns
    """
    from matplotlib.colors import LinearSegmentedColormap

    colours_of = LinearSegmentedColormap.from_list("share", ["#ffffff", darkest])
    ax.imshow(np.ma.masked_invalid(shares), colours_of, vmin=0, vmax=1, aspect="auto")
    for place, (text, colour) in enumerate(zip(texts, colours, strict=True)):
        row, column = divmod(place, shares.shape[1])
        ax.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
    ax.set_yticks(range(len(names[0])), list(names[0]))
    ax.set_xticks(range(len(names[1])), list(names[1]))


def arrows(ax: Axes, at: Array, steps: Array, **kwargs: Any) -> None:
    """Arrows in data units. at, steps : (n, 2) their feet, and where they go."""
    ax.quiver(*at.T, *steps.T, angles="xy", scale_units="xy", **kwargs)


def unit_circle(ax: Axes, names: Sequence[str]) -> None:
    """A circle for the directions of slope jumps, and its axes: the shares in `names`."""
    turn = np.linspace(0, 2 * np.pi, 200)
    ax.plot(np.cos(turn), np.sin(turn), color=QUIET, linewidth=0.8)
    ax.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal")
    ax.set_xlabel(f"share of the slope jump in {names[0]}")
    ax.set_ylabel(f"share of the slope jump in {names[1]}")
