"""One colour for one thing, through the whole course; and small helpers for every picture.

The main colours are those of Okabe and Ito (2008), and the ones for classes are of Paul Tol's
muted scheme: both can be told apart with every common kind of colour vision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

VICTIM = "#1a1a1a"  # the black box, and everything true of it
COPY = "#e69f00"  # what was recovered
QUERY = "#009e73"  # a point that was asked, or its answer
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
# Linear regions, by how many neurons are on: that differs by one between neighbours.
REGIONS = ("#f6efdc", "#dcebf5", "#f7e3e6", "#e3f0e2", "#ece4f3", "#f3f3f3")
# One line style for each hidden layer, the first being solid.
LAYERS = ("-", "--", ":", "-.")
# And one colour, where kinks of several layers stand side by side.
DEPTHS = (KINK, "#005560", "#a06a2c")


def axes(ax: Axes | None = None, size: tuple[float, float] = (6.4, 4.0)) -> Axes:
    """`ax` itself, or the only Axes of a new figure of `size` inches that nobody else knows of."""
    if ax is not None:
        return ax
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained").add_subplot()


def of_class(k: int) -> str:
    """The colour of class k and of its logit; they begin anew after ten."""
    return CLASSES[k % len(CLASSES)]


def of_layer(n: int) -> str:
    """The colour of the kinks of hidden layer n, from 1."""
    return DEPTHS[(int(n) - 1) % len(DEPTHS)]


def signed() -> Colormap:
    """Numbers by sign and size: NEGATIVE over white to POSITIVE."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", [NEGATIVE, "#ffffff", POSITIVE])


def graded(n: int) -> list[Any]:
    """`n` colours from dark to light for a quantity that grows, such as decimals kept."""
    from matplotlib import colormaps

    return [colormaps["cividis"](v) for v in np.linspace(0, 0.75, n)]


def end_labels(ax: Axes, heights: Any, texts: Sequence[str], colours: Sequence[Any]) -> None:
    """Name curves at the right edge, each at the height where it ends, moved apart if need be.

    heights : (n,) where the curves end, in data units; call this when all data is drawn
    """
    ax.get_ylim()  # settles the limits, which matplotlib puts off
    ends = np.stack([np.zeros(len(texts)), np.asarray(heights, float)], axis=1)
    wanted = ax.transAxes.inverted().transform(ax.transData.transform(ends))[:, 1]
    places = spread(wanted.clip(0, 1), gap=min(0.065, 1 / max(len(texts) - 1, 1)))
    for place, text, colour in zip(places, texts, colours, strict=True):
        ax.text(
            *(1.015, place, text), transform=ax.transAxes, color=colour, va="center", fontsize=9
        )


def spread(wanted: Any, gap: float) -> np.ndarray:
    """Places in [0, 1] at least `gap` apart, near the wanted ones and in their order."""
    wanted = np.asarray(wanted, float)
    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))
    lowest = np.maximum.accumulate(wanted[order] - steps)
    lowest = np.minimum(lowest, 1 - steps[-1]) if len(steps) else lowest
    places = np.empty_like(wanted)
    places[order] = lowest + steps
    return places


def note(ax: Axes, x: float, y: float, text: str, **kwargs: Any) -> None:
    """A remark at a place given as shares of the axes, (0, 0) bottom left, (1, 1) top right."""
    kwargs = {"color": QUIET, "fontsize": 9, "va": "top", **kwargs}
    ax.text(x, y, text, transform=ax.transAxes, **kwargs)


def bare(ax: Axes) -> Axes:
    """Without the frame's right and top side, which carry nothing."""
    ax.spines[["right", "top"]].set_visible(False)
    return ax
