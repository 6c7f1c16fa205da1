"""Figures on rounding: how far a copy is off when answers tell fewer digits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mstheft.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def error_against_digits(errors: Mapping[str, tuple[Any, Any]], ax: Axes | None = None) -> Axes:
    """Largest error of verified copies against the digits that an answer tells.

    errors : {attack: (digits (n,), errors (n,) in logits)}, a dot for each copy; a line through
        the medians. Where an attack has no dot it failed, and said so.
    """
    ax = style.bare(style.axes(ax, (6.6, 4.2)))
    ends: list[float] = []
    names: list[str] = []
    colours: list[str] = []
    for i, (name, (digits, values)) in enumerate(errors.items()):
        digits, values = np.asarray(digits, float), np.asarray(values, float)
        if len(digits) == 0:
            continue
        places = np.unique(digits)
        medians = [np.median(values[digits == place]) for place in places]
        colour = style.of_class(i)
        ax.plot(digits, np.maximum(values, 1e-16), "o", color=colour, markersize=3, alpha=0.5)
        ax.plot(places, np.maximum(medians, 1e-16), color=colour, linewidth=1.4)
        ends.append(max(medians[-1], 1e-16))
        names.append(name)
        colours.append(colour)
    ax.set_yscale("log")
    ax.set_xticks(range(0, 17, 2))
    ax.set_xlabel("decimal digits behind the point that an answer tells")
    ax.set_ylabel("largest error of the copy (logits)")
    style.end_labels(ax, ends, names, colours)
    return ax
