"""The sweep, stage by stage: a line and its kinks, arrows, chosen gaps, a group, the signs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mstheft.plots import lines, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def line(found: Any, ax: Axes | None = None) -> Axes:
    """Stage 1. The whole line at once: every hyperplane crosses it once, evenly in arctan t.

    found : a `mstheft.direct.line.Line`
    """
    return lines.kinks(found, ax, scale="arctan")


def jumps(found: Any, ax: Axes | None = None, *, outputs: tuple[int, int] = (0, 1)) -> Axes:
    """Stage 2. Each kink turns the slope by g_i = A1_i |A0_i·v|: one arrow in output space.

    The arrow points along A1_i itself, sign included. Arrows of one group must not be parallel,
    or nobody could tell whose row is whose.

    found : a `mstheft.direct.line.Line`; all arrows are drawn with length 1
    outputs : which two of the K outputs to show; for K = 1 the arrows lie on one axis
    """
    g = np.asarray(found.jumps, float)
    shown = g[:, list(outputs)] if g.shape[1] > 1 else np.column_stack([g[:, 0], 0 * g[:, 0]])
    size = np.linalg.norm(g, axis=1)
    tips = shown / np.where(size > 0, size, 1)[:, None]
    ax = style.bare(style.axes(ax, (5.4, 5.2)))
    turn = np.linspace(0, 2 * np.pi, 200)
    ax.plot(np.cos(turn), np.sin(turn), color=style.QUIET, linewidth=0.8)
    base = np.zeros(len(tips))
    ax.quiver(
        *(base, base, *tips.T),
        color=style.KINK,
        angles="xy",
        scale_units="xy",
        scale=1,
        width=0.004,
        alpha=1.0 if len(tips) <= 20 else 0.5,
    )
    names = [f"logit {k}" for k in outputs] if g.shape[1] > 1 else ["logit 0", "nothing"]
    ax.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal")
    ax.set_xlabel(f"share of the slope jump in {names[0]}")
    ax.set_ylabel(f"share of the slope jump in {names[1]}")
    count = f"{len(tips):,} slope jump{'s' if len(tips) != 1 else ''}, each over its length"
    style.note(ax, 0.0, 1.02, count, color=style.KINK, va="bottom")
    return ax


def gaps(found: Any, chosen: Any, ax: Axes | None = None) -> Axes:
    """Stage 3. Where Jacobians are measured: in wide gaps, with at most K kinks between two.

    Upright strokes are kinks, in even distances; the height of a bar is the difference step that
    the gap left of a kink has room for. Filled bars were chosen.

    found : a `mstheft.direct.line.Line`
    chosen : a `mstheft.direct.hyperplanes.plan.Plan`
    """
    steps = np.asarray(chosen.steps, float)
    places = np.arange(len(steps))
    taken = np.isin(places, chosen.gaps)
    ax = style.bare(style.axes(ax, (7.2, 4.0)))
    for kink in range(len(found.kinks)):
        ax.axvline(kink + 0.5, color=style.KINK, linewidth=0.8, alpha=0.4, zorder=0)
    floor = steps.min() / 3
    for which, colour, width in ((~taken, style.QUIET, 0.25), (taken, style.QUERY, 0.7)):
        alpha = 0.35 if colour == style.QUIET else 1.0
        ax.bar(places[which], steps[which], width, bottom=0, color=colour, alpha=alpha)
    ax.set_yscale("log")
    ax.set(ylim=(floor, 2 * steps.max()), xlim=(-0.8, len(steps) - 0.2))
    ax.locator_params(axis="x", integer=True)
    ax.set_xlabel("gap, counted along the line (a stroke is a kink)")
    ax.set_ylabel("room for a difference step (input units)")
    style.note(ax, 0.0, 1.02, f"{len(found.kinks):,} kinks", color=style.KINK, va="bottom")
    told = f"{taken.sum():,} Jacobians in {len(chosen.groups):,} groups"
    style.note(ax, 0.28, 1.02, told, color=style.QUERY, va="bottom")
    return ax


def group(change: Any, directions: Any, rows: Any, ax: Axes | None = None) -> Axes:
    """Stage 3. One group is one small system: change of the Jacobian = directions times rows.

        J(t_b) - J(t_a)  =  Σ_i g_i a_iᵀ  =  G A

    change : (K, d); directions : (m, K) the g_i; rows : (m, d) the a_i; 24 inputs are shown
    """
    parts = [np.asarray(each, float) for each in (change, np.transpose(directions), rows)]
    parts = [parts[0][:, :24], parts[1], parts[2][:, :24]]
    high = max(len(part) for part in parts)
    ax = style.axes(ax, (8.0, 0.6 + 0.32 * high))
    left, middles = 0.0, []
    for part, sign in zip(parts, ("=", "·", ""), strict=True):
        top = (high - len(part)) / 2
        size = np.abs(part).max(initial=0) or 1.0
        ax.imshow(
            part,
            cmap=style.signed(),
            vmin=-size,
            vmax=size,
            interpolation="nearest",
            extent=(left, left + part.shape[1], top + len(part), top),
        )
        middles.append(left + part.shape[1] / 2)
        left += part.shape[1] + 2.5
        ax.text(left - 1.25, high / 2, sign, ha="center", va="center", fontsize=16)
    ax.set_xticks(middles, ["change of the\nJacobian", "slope\njumps", "rows of\nthe neurons"])
    ax.set(xlim=(-0.2, left - 2.3), ylim=(high + 0.2, -0.2), yticks=[], aspect="auto")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("each block on its own scale: blue above zero, vermilion below")
    ax.set_ylabel(f"{len(parts[0])} outputs, {len(parts[2])} neurons")
    return ax


def signs(solved: Any, ax: Axes | None = None) -> Axes:
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
    ax.set_xlabel("hidden neuron, in the order of its kink")
    ax.set_ylabel("sign s before rounding")
    off = float(np.abs(np.abs(solved) - 1).max(initial=0))
    style.note(ax, 0.0, 1.02, f"at most {off:.1e} off ±1", color=style.VICTIM, va="bottom")
    return ax
