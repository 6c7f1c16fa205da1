"""How much of a victim an attack gets: attacks against defences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from mstheft.plots import style
from mstheft.plots.style import Axes


def heat(
    agreement: ArrayLike,
    attacks: Sequence[str],
    defences: Sequence[str],
    ax: Axes | None = None,
    *,
    noticed: Sequence[Sequence[str]] | None = None,
    honest: Sequence[float] | None = None,
) -> Axes:
    """A cell for each attack and defence: dark where the copy agrees with the victim.

    agreement : (attacks, defences) shares from 0 to 1, NaN where the thief has no copy
    noticed : a second line for each cell, such as the number of queries before an alarm
    honest : (defences,) accuracy for honest users, written under the names of the defences
    """
    shares = np.asarray(agreement, float)
    ax = style.axes(ax, (2.2 + 1.25 * shares.shape[1], 1.5 + 0.55 * shares.shape[0]))
    texts = ["no copy" if np.isnan(share) else f"{share:.0%}" for share in shares.flat]
    if noticed is not None:
        second = [text for row in noticed for text in row]
        texts = [f"{a}\n{b}" if b else a for a, b in zip(texts, second, strict=True)]
    colours = [style.QUIET if np.isnan(share) else style.VICTIM for share in shares.flat]
    names = list(defences)
    if honest is not None:
        names = [f"{name}\nhonest: {share:.1%}" for name, share in zip(names, honest, strict=True)]
    style.share_cells(ax, shares, texts, colours, (attacks, names), style.NEGATIVE)
    ax.tick_params(axis="x", labelsize=8)
    ax.set_xticks(np.arange(-0.5, len(names)), minor=True)
    ax.set_yticks(np.arange(-0.5, len(attacks)), minor=True)
    ax.grid(which="minor", color="#dddddd", linewidth=0.8)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="defence", ylabel="attack")
    return ax
