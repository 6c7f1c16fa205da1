"""What gets past a filter after a number of edits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from mstheft.plots import style
from mstheft.plots.style import Axes

# name in the data: (its name in the picture, colour, line)
GUIDES = {
    "filter": ("chosen on the filter itself", style.VICTIM, "--"),
    "copy": ("chosen on the copy", style.COPY, "-"),
    "random": ("chosen at random", style.QUIET, "-"),
}


def passed(shares: Mapping[str, ArrayLike], ax: Axes | None = None) -> Axes:
    """The share of changed rows that a filter lets pass, against the number of edits.

    shares : {name: (edits + 1,) or (seeds, edits + 1)} from 0 to 1, first after no edit; 'copy',
        'random' and 'filter' have colours and names of their own. Several seeds give their mean
        and a band from lowest to highest
    """
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    ax = style.bare(style.axes(ax, (7.2, 4.2)))
    guides = [GUIDES.get(name, (name, style.of_class(i), "-")) for i, name in enumerate(shares)]
    heights = []
    for values, (_, colour, line) in zip(shares.values(), guides, strict=True):
        steps = np.arange(np.shape(values)[-1])
        options = {"marker": "o", "linewidth": 1.6}
        heights.append(style.mean_and_range(ax, steps, values, line, colour, **options))
    ax.set_ylim(-0.03, 1.03)
    ax.set(xlabel="edits of each message or program", ylabel="share that the filter lets pass")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    names, colours, _ = zip(*guides, strict=True)
    style.end_labels(ax, heights, names, colours)
    return ax
