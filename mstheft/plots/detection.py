"""What a service sees of an attack: the distances between its queries, and a test of normality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mstheft.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def distances(found: Any, ax: Axes | None = None, *, w: float | None = None) -> Axes:
    """Histogram of the distances to the nearest earlier query, with the normal curve that fits.

        density of N(m, s²),  m and s the mean and standard deviation of the distances

    Ordinary traffic follows the curve. An attack that makes queries out of its own earlier ones
    has a peak at the step that it takes.

    found : (n,) distances in input units, such as `Detector.tested()`
    w : Shapiro-Wilk's W of them, named if given
    """
    ax = style.bare(style.axes(ax, (6.4, 4.0)))
    found = np.asarray(found, float)
    if len(found) < 2:
        raise ValueError(f"expected two distances or more, got {len(found)}; ask more queries")
    bins = int(np.clip(2 * np.sqrt(len(found)), 10, 60))
    ax.hist(found, bins=bins, density=True, color=style.QUERY, alpha=0.6)
    mean, spread = found.mean(), found.std()
    if spread > 0:
        at = np.linspace(min(found.min(), mean - 3 * spread), max(found.max(), mean + 3 * spread))
        at = np.unique(np.concatenate([at, mean + spread * np.linspace(-3, 3, 121)]))
        density = np.exp(-(((at - mean) / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))
        ax.plot(at, density, color=style.VICTIM, linewidth=1.6)
    ax.set_xlabel("distance to the nearest earlier query of its class (input units)")
    ax.set_ylabel("density (1 / input unit)")
    style.note(ax, 0, 1.02, f"{len(found):,} distances", color=style.QUERY, va="bottom")
    fit = f"normal, mean {mean:.3g}, standard deviation {spread:.2g}"
    style.note(ax, 0.3, 1.02, fit, color=style.VICTIM, va="bottom")
    if w is not None:
        style.note(ax, 1, 0.98, f"W = {w:.3f}", ha="right")
    return ax


def over_queries(
    histories: Mapping[str, tuple[Any, Any]], ax: Axes | None = None, *, delta: float = 0.9
) -> Axes:
    """Shapiro-Wilk's W against the number of queries, a curve for each attack.

    Below the line W = δ an attack is flagged; the ring marks the first time.

    histories : {name: (queries (m,), w (m,))}, for instance of `Detector.history`
    """
    ax = style.bare(style.axes(ax, (6.8, 4.2)))
    seen = {name: (np.asarray(q), np.asarray(w)) for name, (q, w) in histories.items()}
    ends, names, colours = [], [], []
    for n, (name, (queries, w)) in enumerate(seen.items()):
        if len(queries) == 0:
            continue
        colour = style.of_class(n)
        ax.plot(queries, w, color=colour, linewidth=1.4)
        flagged = np.flatnonzero(w < delta)[:1]
        ax.plot(queries[flagged], w[flagged], "o", mfc="none", mec=colour, markersize=9, mew=1.8)
        ends.append(w[-1])
        names.append(name)
        colours.append(colour)
    ax.axhline(delta, color=style.KINK, linestyle="--", linewidth=1.2)
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("queries")
    ax.set_ylabel("Shapiro-Wilk W (1: normal)")
    style.end_labels(ax, [*ends, delta], [*names, f"δ = {delta:g}"], [*colours, style.KINK])
    return ax
