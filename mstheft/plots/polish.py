"""How a rough copy falls to the noise of the answers, and how sure its weights are then."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mstheft.plots import style
from mstheft.plots.style import Axes

MOST = 5000  # dots; of more weights every second, third, … is drawn


def misfit(misfit: ArrayLike, noise: float, unit: str = "logits", ax: Axes | None = None) -> Axes:
    """The misfit before and after every Gauss-Newton step, with the noise of an answer as a line.

    misfit : (steps + 1,) root mean square of what the copy misses; noise : of an answer, σ
    unit : of both
    """
    ax = style.bare(style.axes(ax))
    values = np.asarray(misfit, float)
    ax.plot(range(len(values)), values, "o-", color=style.COPY, markersize=5)
    ax.axhline(noise, color=style.VICTIM, linewidth=1, linestyle="--")
    ax.set_yscale("log")
    ax.margins(y=0.12)
    ax.locator_params(axis="x", integer=True)
    ax.set(xlabel="Gauss-Newton steps", ylabel=f"misfit, root mean square ({unit})")
    style.end_labels(ax, [noise, values[-1]], ["noise", "copy"], [style.VICTIM, style.COPY])
    return ax


def error_bars(weights: ArrayLike, bars: ArrayLike, ax: Axes | None = None) -> Axes:
    """The error bar of each weight against its size: above the line not even the sign is sure.

    weights, bars : (m,) each; infinite bars are counted, not drawn
    """
    sizes, widths = np.abs(np.asarray(weights, float)), np.asarray(bars, float)
    ax = _scatter(ax, sizes, widths)
    ax.set(xlabel="size of a weight", ylabel="its error bar")
    known = float(np.mean(sizes > 2 * widths))
    style.above(ax, 0, f"{known:.1%} above two error bars", style.COPY)
    return ax


def true_errors(errors: ArrayLike, bars: ArrayLike, ax: Axes | None = None) -> Axes:
    """The true error of each weight against its error bar, where the truth is known.

    errors, bars : (m,) each; infinite bars are counted, not drawn
    """
    sizes, widths = np.abs(np.asarray(errors, float)), np.asarray(bars, float)
    ax = _scatter(ax, widths, sizes)
    ax.set(xlabel="stated error bar of a weight", ylabel="its true error")
    told = np.isfinite(widths)
    inside = float(np.mean(sizes[told] <= 2 * widths[told]))
    style.above(ax, 0, f"{inside:.1%} within two error bars", style.ERROR)
    return ax


def _scatter(ax: Axes | None, x: np.ndarray, y: np.ndarray) -> Axes:
    """Positive numbers on two logarithmic axes, with the line where both are equal."""
    ax = style.bare(style.axes(ax, (5.6, 4.4)))
    drawn = np.isfinite(x) & np.isfinite(y) & (x > 0) & (y > 0)
    if left_out := int(np.sum(~np.isfinite(x) | ~np.isfinite(y))):
        style.above(ax, 1, f"{left_out:,} not told", ha="right")
    every = max(1, int(drawn.sum()) // MOST)
    ax.plot(x[drawn][::every], y[drawn][::every], "o", color=style.ERROR, markersize=2.5, alpha=0.5)
    ax.set(xscale="log", yscale="log")
    both = [max(ax.get_xlim()[0], ax.get_ylim()[0]), min(ax.get_xlim()[1], ax.get_ylim()[1])]
    if both[0] < both[1]:
        ax.plot(both, both, color=style.VICTIM, linewidth=1)
        style.beside(ax, (both[1], both[1]), "equal", (-4, 4), color=style.VICTIM, ha="right")
    return ax
