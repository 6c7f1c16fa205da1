"""Pictures of equation solving: the logit line, its equations, boundaries, saturation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from mstheft.plots import style
from mstheft.plots.style import Axes


def logit_line(
    x: ArrayLike, p: ArrayLike, logit: ArrayLike, fit: ArrayLike, ax: Axes | None = None
) -> Axes:
    """The curve of the answers, and the straight line that it hides.

        p = σ(w x + β)   <=>   logit p = ln(p / (1 - p)) = w x + β

    x : (n,) positions, ascending
    p : (n,) the answers, probabilities
    logit : (n,) logit of p
    fit : (n,) the recovered line at x
    Returns the Axes of the logits; the probabilities have a second axis at the right.
    """
    ax = style.axes(ax, (6.8, 4.2))
    ax.spines["top"].set_visible(False)
    ax.plot(x, fit, color=style.COPY, linewidth=1.8)
    ax.plot(x, logit, "o", color=style.QUERY, markersize=5)
    ax.set(xlabel="position x along one direction (input units)", ylabel="logit of p")
    right = ax.twinx()
    right.spines["top"].set_visible(False)
    right.plot(x, p, "-", color=style.VICTIM, linewidth=1.4)
    right.plot(x, p, "o", mfc="white", mec=style.QUERY, markersize=5)
    right.set(ylim=(-0.05, 1.05), ylabel="probability p (what the oracle answers)")
    style.above(ax, 0.0, "curve, open dots: p", style.VICTIM)
    style.above(ax, 0.35, "line, full dots: logit of p", style.COPY)
    return ax


def equations(A: ArrayLike, rhs: ArrayLike, solution: ArrayLike, ax: Axes | None = None) -> Axes:
    """The d + 1 equations as cells: inputs, a one for the bias, unknowns, logits.

        [ x_1  1 ]   [ w ]   [ logit p_1 ]
        [  …   … ] · [ β ] = [     …     ]
        [ x_n  1 ]           [ logit p_n ]

    A : (n, d + 1) one query in each row, and a column of ones
    rhs : (n,) the logits of the answers
    solution : (d + 1,) the weights and, last, the bias
    """
    A, rhs, solution = (np.asarray(m, float) for m in (A, rhs, solution))
    n, unknowns = A.shape
    ax = style.axes(ax, (7.2, 4.6))
    gap = max(1.0, 0.12 * unknowns)
    high = max(n, unknowns)
    wide = unknowns / 8 if unknowns > 12 else 1.0
    lefts = (0.0, unknowns + gap, unknowns + wide + 2 * gap)
    widths = (unknowns, wide, wide)
    blocks = (A, solution[:, None], rhs[:, None])  # (n, d + 1), (d + 1, 1), (n, 1)
    for cells, left, width in zip(blocks, lefts, widths, strict=True):
        top = (high - len(cells)) / 2
        size = 1.5 * (np.abs(cells).max(initial=0) or 1.0)
        extent = (left, left + width, top + len(cells), top)
        style.signed_cells(ax, cells, size, extent)
        step = width / cells.shape[1]
        for (i, j), value in np.ndenumerate(cells) if high <= 9 else ():
            at = left + (j + 0.5) * step, top + i + 0.5
            ax.text(*at, f"{value:.2f}", ha="center", va="center", fontsize=8)
    for text, left in (("·", lefts[1] - gap / 2), ("=", lefts[2] - gap / 2)):
        ax.text(left, high / 2, text, ha="center", va="center", fontsize=18)
    middles = [left + width / 2 for left, width in zip(lefts, widths, strict=True)]
    ax.set_xticks(middles, ["inputs x, and 1", "unknown\nw, β", "logit\nof p"])
    limits = {"xlim": (-0.1, lefts[2] + wide + 0.1), "ylim": (high + 0.1, -0.1)}
    ax.set(**limits, yticks=[], aspect="auto")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("each block on its own scale: blue above zero, vermilion below")
    ax.set_ylabel(f"{n:,} queries, one equation each")
    return ax


def boundary(
    points: ArrayLike,
    labels: ArrayLike,
    true: tuple[ArrayLike, float],
    stolen: tuple[ArrayLike, float],
    ax: Axes | None = None,
) -> Axes:
    """A cloud in the plane, and the lines w · x + β = 0 of the victim and of the copy.

    points : (n, 2)
    labels : (n,) int
    true, stolen : w (2,) and β, of the victim and of the copy
    """
    points, labels = np.asarray(points), np.asarray(labels)
    ax = style.bare(style.axes(ax, (5.6, 5.2)))
    for k in np.unique(labels):
        colour, marker = style.of_class(int(k)), "o^sDv"[int(k) % 5]
        (dots,) = ax.plot(*points[labels == k].T, marker, color=colour, markersize=4, alpha=0.7)
        dots.set_label(f"class {k}")
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
    for (weights, bias), colour, width, pattern in (
        (true, style.VICTIM, 3.5, "-"),
        (stolen, style.COPY, 1.8, (0, (4, 3))),
    ):
        w = np.asarray(weights, float)
        foot = -float(bias) * w / (w @ w)  # the point of the line nearest to the origin
        along = foot + np.array([-w[1], w[0]])
        ax.axline(foot, along, color=colour, linewidth=width, linestyle=pattern)
    ax.set_aspect("equal")
    ax.set(xlabel="input 1 (input units)", ylabel="input 2 (input units)")
    ax.legend(frameon=False, fontsize=9, loc="best")
    style.above(ax, 0.0, "the victim's boundary", style.VICTIM)
    style.above(ax, 0.4, "the stolen boundary", style.COPY)
    return ax


def saturation(logits: ArrayLike, errors: Mapping[int, ArrayLike], ax: Axes | None = None) -> Axes:
    """Why an attack keeps its inputs near the boundary: the error of a logit grows with |logit|.

        δ logit = δp / (p (1 - p)),    δp = 10^-k / 2 for k decimals

    logits : (n,) true logits, ascending
    errors : {decimals k: (n,) |logit of the rounded p - logit|}; gaps where it is infinite
    """
    logits = np.asarray(logits, float)
    ax = style.bare(style.axes(ax, (6.8, 4.2)))
    for k, colour in zip(sorted(errors), style.graded(len(errors)), strict=True):
        error = np.asarray(errors[k], float)
        shown = np.where(np.isfinite(error) & (error > 0), error, np.nan)
        ax.plot(logits, shown, color=colour, linewidth=1.4)
        for last in np.flatnonzero(np.isfinite(shown))[-1:]:
            at = logits[last], shown[last]
            style.beside(ax, at, f"{k} decimals", (2, 4), ha="left", color=colour)
    ax.set_yscale("log")
    ax.set(xlabel="true logit w · x + β", ylabel="|error of the logit|")
    ax.margins(x=0.05, y=0.08)
    return ax
