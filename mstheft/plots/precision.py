"""How far a copy is off, by the digits of the answers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from mstheft.plots import style
from mstheft.plots.style import Axes

LEAST = 1e-16  # a smaller error is drawn here


def error_against_digits(
    errors: Mapping[str, tuple[ArrayLike, ArrayLike]], ax: Axes | None = None
) -> Axes:
    """Largest error of verified copies against the digits of an answer.

    errors : {attack: (digits (n,), errors (n,) in logits)}, a dot for each copy; a line through
        the medians. An attack without a dot ended in an error.
    """
    ax = style.bare(style.axes(ax, (6.6, 4.2)))
    heights, names, colours = [], [], []
    for i, (name, (digits, values)) in enumerate(errors.items()):
        digits, values = np.asarray(digits, float), np.asarray(values, float)
        if len(digits) == 0:
            continue
        places, colour = np.unique(digits), style.of_class(i)
        medians = [max(float(np.median(values[digits == place])), LEAST) for place in places]
        ax.plot(digits, np.maximum(values, LEAST), "o", color=colour, markersize=3, alpha=0.5)
        ax.plot(places, medians, color=colour, linewidth=1.4)
        heights.append(medians[-1])
        names.append(name)
        colours.append(colour)
    ax.set_yscale("log")
    ax.set_xticks(range(0, 17, 2))
    ax.set_xlabel("decimal digits of an answer behind the point")
    ax.set_ylabel("largest error of the copy (logits)")
    style.end_labels(ax, heights, names, colours)
    return ax
