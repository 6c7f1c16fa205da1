"""How much of a victim an attack gets: attacks against defences, naive and adaptive."""

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


def side_by_side(
    names: Sequence[str],
    naive: Sequence[ArrayLike],
    adaptive: Sequence[ArrayLike],
    ways: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The naive and the adaptive thief, a line for each defence and adaptation.

    names : of the defences, top to bottom; ways : of the adaptations, written at the right
    naive, adaptive : of each line the agreement, one number for each seed. A ring and a dot stand
        at the means, a bar reaches from the lowest to the highest seed
    """
    ax = style.bare(style.axes(ax, (7.6, 1.3 + 0.36 * len(names))))
    places = np.arange(len(names))[::-1]
    for shares, colour, fill, lift in (
        (naive, style.COPY, "none", 0.1),
        (adaptive, style.NEGATIVE, style.NEGATIVE, -0.1),
    ):
        for place, values in zip(places, shares, strict=True):
            values = np.asarray(values, float)
            if len(values):
                ax.hlines(place + lift, values.min(), values.max(), color=colour, linewidth=2)
                ax.plot(values.mean(), place + lift, "o", color=colour, mfc=fill, mew=1.6)
    ax.set_yticks(places, list(names))
    for place, way in zip(places, ways or (), strict=False):
        ax.annotate(
            *(way, (1.0, place)),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=style.NEGATIVE,
        )
    ax.set(xlabel="agreement with the victim", ylabel="defence")
    ax.set(xlim=(0, 1.02), ylim=(-0.6, len(names) - 0.4))
    style.above(ax, 0.0, "ring: naive thief", style.COPY)
    style.above(ax, 1.0, "dot: adaptive thief", style.NEGATIVE, ha="right")
    return ax
