"""Pictures of equation solving: the logit line, its equations, boundaries, saturation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mstheft.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def logit_line(x: Any, p: Any, logit: Any, fit: Any, ax: Axes | None = None) -> Axes:
    """The curve that is answered, and the straight line that it hides.

        p = σ(w x + β)   <=>   logit p = ln(p / (1 - p)) = w x + β

    x : (n,) positions, ascending
    p : (n,) the answers, probabilities
    logit : (n,) logit of p
    fit : (n,) the recovered line at x
    Returns the Axes of the logits; the probabilities stand on a second axis at the right.
    """
    ax = style.axes(ax, (6.8, 4.2))
    ax.spines["top"].set_visible(False)
    ax.plot(x, fit, color=style.COPY, linewidth=1.8)
    ax.plot(x, logit, "o", color=style.QUERY, markersize=5)
    ax.set_xlabel("position x along one direction (input units)")
    ax.set_ylabel("logit of p")
    right = ax.twinx()
    right.spines["top"].set_visible(False)
    right.plot(x, p, "-", color=style.VICTIM, linewidth=1.4)
    right.plot(x, p, "o", mfc="white", mec=style.QUERY, markersize=5)
    right.set(ylim=(-0.05, 1.05), ylabel="probability p (what the oracle answers)")
    style.note(ax, 0.0, 1.02, "curve, open dots: p", color=style.VICTIM, va="bottom")
    style.note(ax, 0.35, 1.02, "line, full dots: logit of p", color=style.COPY, va="bottom")
    return ax


def equations(A: Any, rhs: Any, solution: Any, ax: Axes | None = None) -> Axes:
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
    columns = (A, solution[:, None], rhs[:, None])
    for cells, left, width in zip(columns, lefts, widths, strict=True):
        _cells(ax, cells, left, width, (high - len(cells)) / 2, numbers=high <= 9)
    for text, left in (("·", lefts[1] - gap / 2), ("=", lefts[2] - gap / 2)):
        ax.text(left, high / 2, text, ha="center", va="center", fontsize=18)
    middles = [left + width / 2 for left, width in zip(lefts, widths, strict=True)]
    ax.set_xticks(middles, ["inputs x, and 1", "unknown\nw, β", "logit\nof p"])
    ax.set(xlim=(-0.1, lefts[2] + wide + 0.1), ylim=(high + 0.1, -0.1), yticks=[])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("each block on its own scale: blue above zero, vermilion below")
    ax.set_ylabel(f"{n:,} queries, one equation each")
    return ax


def boundary(points: Any, labels: Any, true: Any, stolen: Any, ax: Axes | None = None) -> Axes:
    """A cloud in the plane, and the lines w · x + β = 0 of the victim and of the copy.

    points : (n, 2)
    labels : (n,) int
    true, stolen : w (2,) and β, of the victim and of the copy
    """
    points, labels = np.asarray(points), np.asarray(labels)
    ax = style.bare(style.axes(ax, (5.6, 5.2)))
    for k in np.unique(labels):
        x, y = points[labels == k].T
        marker = "o^sDv"[int(k) % 5]
        ax.plot(
            *(x, y, marker),
            color=style.of_class(int(k)),
            markersize=4,
            alpha=0.7,
            label=f"class {k}",
        )
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
    for (w, bias), colour, width, pattern in (
        (true, style.VICTIM, 3.5, "-"),
        (stolen, style.COPY, 1.8, (0, (4, 3))),
    ):
        w = np.asarray(w, float)
        foot = -float(bias) * w / (w @ w)
        along = foot + np.array([-w[1], w[0]])
        ax.axline(foot, along, color=colour, linewidth=width, linestyle=pattern)
    ax.set_aspect("equal")
    ax.set_xlabel("input 1 (input units)")
    ax.set_ylabel("input 2 (input units)")
    ax.legend(frameon=False, fontsize=9, loc="best")
    style.note(ax, 0.0, 1.02, "the victim's boundary", color=style.VICTIM, va="bottom")
    style.note(ax, 0.4, 1.02, "the stolen boundary", color=style.COPY, va="bottom")
    return ax


def saturation(logits: Any, errors: dict[int, Any], ax: Axes | None = None) -> Axes:
    """Why an attack keeps its inputs near the boundary: the error of a logit grows with |logit|.

        δ logit = δp / (p (1 - p)),    δp = 10^-k / 2 for k decimals

    logits : (n,) true logits, ascending
    errors : {decimals kept: (n,) |logit of the rounded p - logit|}; gaps where it is infinite
    """
    logits = np.asarray(logits, float)
    ax = style.bare(style.axes(ax, (6.8, 4.2)))
    decimals = sorted(errors)
    colours = style.graded(len(decimals))
    for k, colour in zip(decimals, colours, strict=True):
        error = np.asarray(errors[k], float)
        shown = np.where(np.isfinite(error) & (error > 0), error, np.nan)
        ax.plot(logits, shown, color=colour, linewidth=1.4)
        _name_end(ax, logits, shown, f"{k} decimals", colour)
    ax.set_yscale("log")
    ax.set_xlabel("true logit w · x + β")
    ax.set_ylabel("|error of the logit|")
    ax.margins(x=0.05, y=0.08)
    return ax


def _name_end(ax: Axes, x: np.ndarray, y: np.ndarray, text: str, colour: Any) -> None:
    """Name a curve above the last of its points that is there."""
    there = np.flatnonzero(np.isfinite(y))
    if len(there):
        at = (x[there[-1]], y[there[-1]])
        ax.annotate(
            *(text, at),
            xytext=(2, 4),
            textcoords="offset points",
            ha="left",
            color=colour,
            fontsize=9,
        )


def _cells(
    ax: Axes, cells: np.ndarray, left: float, width: float, top: float, numbers: bool
) -> None:
    """Numbers as coloured cells, and in figures where there is room."""
    size = np.abs(cells).max(initial=0) or 1.0
    extent = (left, left + width, top + len(cells), top)
    ax.imshow(
        cells,
        cmap=style.signed(),
        vmin=-1.5 * size,
        vmax=1.5 * size,
        extent=extent,
        interpolation="nearest",
        aspect="auto",
    )
    if not numbers:
        return
    step = width / cells.shape[1]
    for (i, j), value in np.ndenumerate(cells):
        ax.text(
            *(left + (j + 0.5) * step, top + i + 0.5, f"{value:.2f}"),
            ha="center",
            va="center",
            fontsize=8,
        )
