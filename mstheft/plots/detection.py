"""What a service sees of an attack: the distances between its queries, and a test of normality."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from mstheft.plots import style
from mstheft.plots.style import Axes


def distances(values: ArrayLike, ax: Axes | None = None, *, w: float | None = None) -> Axes:
    """Histogram of the distances to the nearest earlier query, with the normal curve that fits.

        density of N(m, s²),  m and s the mean and standard deviation of the distances

    Ordinary traffic follows the curve. An attack that makes queries out of its own earlier ones
    has a peak at the length of its step.

    values : (n,) distances in input units, n ≥ 2, such as `Detector.tested()`
    w : Shapiro-Wilk's W of them, named if given
    """
    ax = style.bare(style.axes(ax, (6.4, 4.0)))
    values = np.asarray(values, float)
    if len(values) < 2:
        raise ValueError(f"expected two distances or more, got {len(values)}; make more queries")
    bins = int(np.clip(2 * np.sqrt(len(values)), 10, 60))
    ax.hist(values, bins=bins, density=True, color=style.QUERY, alpha=0.6)
    mean, spread = values.mean(), values.std()
    if spread > 0:
        at = np.linspace(min(values.min(), mean - 3 * spread), max(values.max(), mean + 3 * spread))
        at = np.unique(np.concatenate([at, mean + spread * np.linspace(-3, 3, 121)]))
        density = np.exp(-(((at - mean) / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))
        ax.plot(at, density, color=style.VICTIM, linewidth=1.6)
    ax.set_xlabel("distance to the nearest earlier query of its class (input units)")
    ax.set_ylabel("density (1 / input unit)")
    style.above(ax, 0, f"{len(values):,} distances", style.QUERY)
    normal = f"normal, mean {mean:.3g}, standard deviation {spread:.2g}"
    style.above(ax, 0.3, normal, style.VICTIM)
    if w is not None:
        style.note(ax, 1, 0.98, f"W = {w:.3f}", ha="right")
    return ax


def over_queries(
    histories: Mapping[str, tuple[ArrayLike, ArrayLike]],
    ax: Axes | None = None,
    *,
    delta: float = 0.9,
) -> Axes:
    """Shapiro-Wilk's W against the number of queries, a curve for each attack.

    Below the line W = δ an attack is flagged; a ring marks the first time.

    histories : {name: (queries (m,), w (m,))}, for instance of `Detector.history`
    """
    from matplotlib.ticker import MaxNLocator

    ax = style.bare(style.axes(ax, (6.8, 4.2)))
    labels: list[tuple[float, str, str]] = []
    for n, (name, history) in enumerate(histories.items()):
        (queries, w), colour = map(np.asarray, history), style.of_class(n)
        if len(queries) == 0:
            continue
        ax.plot(queries, w, color=colour, linewidth=1.4)
        first = np.flatnonzero(w < delta)[:1]
        ax.plot(queries[first], w[first], "o", mfc="none", mec=colour, markersize=9, mew=1.8)
        labels.append((w[-1], name, colour))
    ax.axhline(delta, color=style.KINK, linestyle="--", linewidth=1.2)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="queries", ylabel="Shapiro-Wilk W (1: normal)")
    style.end_labels(ax, *zip(*labels, (delta, f"δ = {delta:g}", style.KINK), strict=True))
    return ax
