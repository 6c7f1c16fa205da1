"""What gets past a filter after so many edits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mstheft.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# name in the data: (what the picture calls it, colour, line)
GUIDES = {
    "filter": ("chosen on the filter itself", style.VICTIM, "--"),
    "copy": ("chosen on the copy", style.COPY, "-"),
    "random": ("chosen at random", style.QUIET, "-"),
}


def passed(shares: Mapping[str, Any], ax: Axes | None = None) -> Axes:
    """The share of changed rows that a filter lets pass, against the number of edits.

    shares : {name: (edits + 1,) or (seeds, edits + 1)} from 0 to 1, first after no edit; 'copy',
        'random' and 'filter' have colours and words of their own. Of several seeds the mean is
        drawn, and a band from lowest to highest
    """
    ax = style.bare(style.axes(ax, (7.2, 4.2)))
    ends, words, colours = [], [], []
    for i, (name, values) in enumerate(shares.items()):
        values = np.atleast_2d(np.asarray(values, float))
        text, colour, line = GUIDES.get(name, (name, style.of_class(i), "-"))
        steps, middle = np.arange(values.shape[1]), values.mean(axis=0)
        ax.plot(steps, middle, line, color=colour, marker="o", markersize=3.5, linewidth=1.6)
        if len(values) > 1:
            band = values.min(axis=0), values.max(axis=0)
            ax.fill_between(steps, *band, color=colour, alpha=0.2, linewidth=0)
        ends.append(middle[-1])
        words.append(text)
        colours.append(colour)
    ax.set_ylim(-0.03, 1.03)
    ax.set_xlabel("edits of each message or program")
    ax.set_ylabel("share that the filter lets pass")
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    style.end_labels(ax, ends, words, colours)
    return ax
