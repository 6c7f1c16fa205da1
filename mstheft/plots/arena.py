"""Who gets how much of a victim: attacks against defences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mstheft.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def heat(
    agreement: Any,
    attacks: Sequence[str],
    defences: Sequence[str],
    ax: Axes | None = None,
    *,
    noticed: Sequence[Sequence[str]] | None = None,
    honest: Sequence[float] | None = None,
) -> Axes:
    """A cell for each attack and defence: dark where the copy agrees with the victim.

    agreement : (attacks, defences) shares from 0 to 1, NaN where the thief has no copy
    noticed : a second line for each cell, such as after how many queries there was an alarm
    honest : (defences,) accuracy that honest users keep, written under the names of the defences
    """
    from matplotlib.colors import LinearSegmentedColormap

    shares = np.asarray(agreement, float)
    size = 2.2 + 1.25 * shares.shape[1], 1.5 + 0.55 * shares.shape[0]
    ax = style.axes(ax, size)
    cmap = LinearSegmentedColormap.from_list("stolen", ["#ffffff", style.NEGATIVE])
    ax.imshow(np.ma.masked_invalid(shares), cmap=cmap, vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        lines = ["no copy" if np.isnan(share) else f"{share:.0%}"]
        lines += [noticed[row][column]] if noticed is not None and noticed[row][column] else []
        colour = style.QUIET if np.isnan(share) else style.VICTIM
        text = "\n".join(lines)
        ax.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
    names = list(defences)
    if honest is not None:
        names = [f"{name}\nhonest: {kept:.1%}" for name, kept in zip(names, honest, strict=True)]
    ax.set_xticks(range(len(names)), names, fontsize=8)
    ax.set_yticks(range(len(attacks)), list(attacks))
    ax.set_xticks(np.arange(-0.5, len(names)), minor=True)
    ax.set_yticks(np.arange(-0.5, len(attacks)), minor=True)
    ax.grid(which="minor", color="#dddddd", linewidth=0.8)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("defence")
    ax.set_ylabel("attack")
    return ax
