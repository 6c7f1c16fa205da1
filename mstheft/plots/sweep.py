"""The sweep, stage by stage: a line and its kinks, arrows, chosen gaps, a group, the signs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from mstheft.plots import lines, style
from mstheft.plots.lines import Line
from mstheft.plots.style import Axes
from mstheft.typing import Array


class Plan(Protocol):
    """What a picture takes from `mstheft.direct.hyperplanes.plan.Plan`.

    steps : (n + 1,) the difference step for which each gap has room
    groups : the pairs of gaps between which a system is solved
    """

    steps: Array
    groups: list[tuple[int, int]]

    @property
    def gaps(self) -> Sequence[int]:
        """The chosen gaps."""


def line(searched: Line, ax: Axes | None = None) -> Axes:
    """Stage 1. The whole line at once: every hyperplane crosses it once, evenly in arctan t."""
    return lines.kinks(searched, ax, scale="arctan")


def jumps(line: Line, ax: Axes | None = None) -> Axes:
    """Stage 2. Each kink turns the slope by g_i = A1_i |A0_i·v|: one arrow in output space.

    The arrow points along A1_i itself, sign included; all arrows are drawn with length 1. Arrows
    of one group must not be parallel, or no row could be matched with its kink. The
    first two outputs are shown; for K = 1 the arrows lie on one axis.
    """
    g = np.asarray(line.jumps, float)  # (n, K)
    several = g.shape[1] > 1
    shown = g[:, :2] if several else np.hstack([g, 0 * g])  # (n, 2)
    size = np.linalg.norm(g, axis=1)
    tips = shown / np.where(size > 0, size, 1)[:, None]
    ax = style.bare(style.axes(ax, (5.4, 5.2)))
    style.unit_circle(ax, ["logit 0", "logit 1" if several else "nothing"])
    alpha = 1.0 if len(tips) <= 20 else 0.5
    style.arrows(ax, 0 * tips, tips, color=style.KINK, scale=1, width=0.004, alpha=alpha)
    style.above(ax, 0, f"{style.count(len(tips), 'slope jump')}, each over its length", style.KINK)
    return ax


def gaps(line: Line, chosen: Plan, ax: Axes | None = None) -> Axes:
    """Stage 3. Where Jacobians are measured: in wide gaps, with at most K kinks between two.

    Upright strokes are kinks, in even distances; the height of a bar is the difference step that
    the gap left of a kink has room for. Filled bars were chosen.
    """
    steps = np.asarray(chosen.steps, float)
    places = np.arange(len(steps))
    taken = np.isin(places, chosen.gaps)
    ax = style.bare(style.axes(ax, (7.2, 4.0)))
    for kink in range(len(line.kinks)):
        ax.axvline(kink + 0.5, color=style.KINK, linewidth=0.8, alpha=0.4, zorder=0)
    ax.bar(places[~taken], steps[~taken], 0.25, color=style.QUIET, alpha=0.35)
    ax.bar(places[taken], steps[taken], 0.7, color=style.QUERY)
    ax.set_yscale("log")
    ax.set(ylim=(steps.min() / 3, 2 * steps.max()), xlim=(-0.8, len(steps) - 0.2))
    ax.locator_params(axis="x", integer=True)
    ax.set_xlabel("gap, counted along the line (a stroke is a kink)")
    ax.set_ylabel("room for a difference step (input units)")
    style.above(ax, 0.0, f"{len(line.kinks):,} kinks", style.KINK)
    measured = f"{taken.sum():,} Jacobians in {len(chosen.groups):,} groups"
    style.above(ax, 0.28, measured, style.QUERY)
    return ax


def group(
    change: ArrayLike, directions: ArrayLike, rows: ArrayLike, ax: Axes | None = None
) -> Axes:
    """Stage 3. One group is one small system: change of the Jacobian = directions times rows.

        J(t_b) - J(t_a)  =  Σ_i g_i a_iᵀ  =  G A

    change : (K, d); directions : (m, K) the g_i; rows : (m, d) the a_i; 24 inputs are shown
    """
    change, g, rows = (np.asarray(each, float) for each in (change, directions, rows))
    parts = change[:, :24], g.T, rows[:, :24]  # (K, d) = (K, m) (m, d)
    high = max(map(len, parts))
    ax = style.axes(ax, (8.0, 0.6 + 0.32 * high))
    left, middles = 0.0, []
    for part, sign in zip(parts, ("=", "·", ""), strict=True):
        top = (high - len(part)) / 2
        size = np.abs(part).max(initial=0) or 1.0
        style.signed_cells(ax, part, size, (left, left + part.shape[1], top + len(part), top))
        middles.append(left + part.shape[1] / 2)
        left += part.shape[1] + 2.5
        ax.text(left - 1.25, high / 2, sign, ha="center", va="center", fontsize=16)
    ax.set_xticks(middles, ["change of the\nJacobian", "slope\njumps", "rows of\nthe neurons"])
    ax.set(xlim=(-0.2, left - 2.3), ylim=(high + 0.2, -0.2), yticks=[], aspect="auto")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("each block on its own scale: blue above zero, vermilion below")
    ax.set_ylabel(f"{len(change)} outputs, {len(rows)} neurons")
    return ax


def signs(solved: ArrayLike, ax: Axes | None = None) -> Axes:
    """Stage 5. The sign vector before rounding: every s_i should be +1 or -1 by itself.

        Σ_i s_i g_i a_iᵀ  =  2 J - Σ_i g_i sgn(y_i) a_iᵀ

    solved : (h,) as `mstheft.direct.sweep.signs.solve_signs` returns them
    """
    solved = np.asarray(solved, float)
    ax = style.bare(style.axes(ax, (6.4, 3.6)))
    for level in (-1, 1):
        ax.axhline(level, color=style.VICTIM, linewidth=1, zorder=0)
    for which, colour in ((solved >= 0, style.POSITIVE), (solved < 0, style.NEGATIVE)):
        ax.plot(np.flatnonzero(which), solved[which], "o", color=colour, markersize=4)
    top = 1.15 * max(1.2, float(np.abs(solved).max(initial=0)))
    ax.set(ylim=(-top, top))
    ax.locator_params(axis="x", integer=True)
    ax.set(xlabel="hidden neuron, in the order of its kink", ylabel="sign s before rounding")
    off = float(np.abs(np.abs(solved) - 1).max(initial=0))
    style.above(ax, 0.0, f"at most {off:.1e} off ±1", style.VICTIM)
    return ax
