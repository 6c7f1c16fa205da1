"""Several hidden layers: bent boundaries, and how the attack tells whose kink is whose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from mstheft.plots import style
from mstheft.plots.lines import Line
from mstheft.plots.regions import Slice
from mstheft.plots.style import Axes
from mstheft.typing import Array

LEAST = 1e-16  # a smaller number is drawn here
DOTS = 45  # inputs drawn along each side of a grid
MARKS = "osD^"  # of the kinks of each hidden layer, beside their colours
OUTER = 0.1  # share of the kinks left out of view on either side


def boundaries(
    slice: Slice, ax: Axes | None = None, *, kinks: tuple[ArrayLike, ArrayLike] | None = None
) -> Axes:
    """Where neurons change sides on a plane: straight in the first layer, bent in the second.

    A boundary of the second layer bends where it meets one of the first, for on the other side
    the hidden values depend on x in another way.

    kinks : (n,) positions x and (n,) layers of the kinks along y = 0
    """
    ax = style.axes(ax, (6.2, 6.0))
    for boundary in slice.boundaries:
        colour, width = style.of_layer(boundary.layer), 1.0 if boundary.layer == 1 else 1.6
        contour = slice.x, slice.y, boundary.values, [0.0]
        ax.contour(*contour, colors=colour, linewidths=width)
    if kinks is not None:
        at, layers = map(np.asarray, kinks)
        ax.axhline(0, color=style.QUIET, linewidth=0.8)
        for n in np.unique(layers):
            mine = at[layers == n]
            ax.plot(mine, 0 * mine, "o", mfc="white", mec=style.of_layer(n), mew=1.5, markersize=6)
    ax.set(xlim=slice.x[[0, -1]], ylim=slice.y[[0, -1]], aspect="equal")
    ax.set_xlabel("x, along a line that was searched (input units)")
    ax.set_ylabel("y, across it (input units)")
    _name_layers(ax, (boundary.layer for boundary in slice.boundaries))
    return ax


def sides(
    across: ArrayLike,
    up: ArrayLike,
    values: ArrayLike,
    ax: Axes | None = None,
    *,
    walls: ArrayLike = (),
    names: Sequence[str] = ("x, across (input units)", "y, up (input units)"),
) -> Axes:
    """On which side of one neuron's boundary each input lies, in any two coordinates.

        z = B·|R x + o| + C·x + β:    bent in the coordinates x, straight in (C·x, B·|R x + o|)

    across, up : (n, m) two coordinates of a grid of inputs; values : (n, m) z there, on above 0
    walls : (h, n, m) the same of the layer before; where the boundary meets one it has a dot
    names : of the coordinates
    """
    ax = style.bare(style.axes(ax, (5.4, 5.0)))
    across, up, values = (np.asarray(each, float) for each in (across, up, values))
    step = np.maximum(np.array(values.shape) // DOTS, 1)
    coarse = np.s_[:: step[0], :: step[1]]
    is_on = values[coarse] > 0
    for which, colour, text, left in (
        (is_on, style.POSITIVE, "the neuron is on", 0.0),
        (~is_on, style.NEGATIVE, "off", 0.36),
    ):
        ax.plot(across[coarse][which], up[coarse][which], ".", color=colour, ms=2.5, alpha=0.6)
        style.above(ax, left, text, colour)
    for wall in np.asarray(walls):
        ax.contour(across, up, wall, [0.0], colors=style.of_layer(1), linewidths=0.9)
    ax.contour(across, up, values, [0.0], colors=style.of_layer(2), linewidths=2.2)
    for wall in np.asarray(walls):
        meet = np.nonzero(_switches(values) & _switches(wall))
        ax.plot(across[meet], up[meet], "o", mfc=style.of_layer(1), mec="white", zorder=4)
    style.above(ax, 0.52, "its boundary", style.of_layer(2))
    ax.set(xlabel=names[0], ylabel=names[1])
    return ax


def _switches(values: Array) -> np.ndarray:
    """The first corners of grid cells in which the sign changes, (n, m) bool."""
    on = values > 0
    corners = np.stack([on[:-1, :-1], on[1:, :-1], on[:-1, 1:], on[1:, 1:]])
    return np.pad(corners.any(axis=0) & ~corners.all(axis=0), ((0, 1), (0, 1)))


def line(line: Line, layers: ArrayLike, ax: Axes | None = None) -> Axes:
    """The logits along a line, each kink in the colour of the layer that bends there.

    The outermost kinks lie far out, so that up to a tenth of them on either side are left out.

    layers : (n,) of the kinks, from 1
    """
    ax, by_layer = style.bare(style.axes(ax, (7.2, 4.2))), np.asarray(layers)
    low, high = line.t[[0, -1]]
    if len(line.kinks):
        low = np.quantile(line.kinks, OUTER, method="lower")
        high = np.quantile(line.kinks, 1 - OUTER, method="higher")
    margin = 0.06 * (high - low) or 1.0
    shown = (line.kinks >= low) & (line.kinks <= high)
    ends = low - margin, high + margin
    t = np.unique(np.append(line.kinks[shown], ends))
    values = np.stack([np.interp(t, line.t, one) for one in line.answers.T], axis=1)  # (n, K)
    colours = [style.of_class(k) for k in range(values.shape[1])]
    for answers, colour in zip(values.T, colours, strict=True):
        ax.plot(t, answers, color=colour, linewidth=1.4)
    for n in np.unique(by_layer[shown]):
        mine, colour = line.kinks[shown & (by_layer == n)], style.of_layer(n)
        for kink in mine:
            ax.axvline(kink, color=colour, linewidth=0.8, alpha=0.4, zorder=0)
        at = values[np.searchsorted(t, mine)]  # (kinks, K)
        mark = MARKS[(int(n) - 1) % len(MARKS)]
        ax.plot(np.repeat(mine, at.shape[1]), at.ravel(), mark, color=colour, markersize=5)
    ax.set_xlim(ends)
    ax.set(xlabel="position t on the line (input units)", ylabel="logit")
    style.end_labels(ax, values[-1], [f"logit {k}" for k in range(len(colours))], colours)
    _name_layers(ax, by_layer[shown])
    return ax


def directions(lines: Sequence[tuple[ArrayLike, ArrayLike]], ax: Axes | None = None) -> Axes:
    """Slope jumps in the first two outputs, from several lines: the second layer's coincide.

        first layer:  g = A2 D A1[:, i] |A0_i·v|, with another D at every kink
        second layer: g = A2[:, j] |a·v|, always the same direction

    lines : of each line (n, K) the directions g / |g| and (n,) the layers of its kinks. Kinks of
        the first layer are dots; of the second rings, wider with each line, so that they nest
    """
    ax = style.bare(style.axes(ax, (5.4, 5.2)))
    style.unit_circle(ax, ["logit 0", "logit 1"])
    for number, line in enumerate(lines):
        ways, layers = map(np.asarray, line)
        for n in np.unique(layers):
            size, face = (3, None) if n == 1 else (6 + 4 * number, "none")
            shown = ways[layers == n, :2].T  # (2, n)
            ax.plot(*shown, "o", color=style.of_layer(n), markersize=size, mfc=face)
    _name_layers(ax, (n for _, layers in lines for n in np.unique(layers)))
    return ax


def meeting(line: Line, t: ArrayLike, layers: ArrayLike, ax: Axes | None = None) -> Axes:
    """How far from a kink of another line is each hyperplane predicted to meet that line?

        t = a·(p - u) / a·v    for a row a and a kink p of the first line

    A neuron of the first layer has the same hyperplane everywhere, so that its prediction is right
    up to rounding. The row of a second-layer kink holds in its own region only.

    line : the other line; its kinks are strokes
    t, layers : (n,) where the kinks of the first line are predicted, and their layers
    """
    at, by_layer = np.asarray(t, float), np.asarray(layers)
    ax = style.bare(style.axes(ax, (7.2, 4.2)))
    width = float(np.median(np.abs(line.kinks))) if len(line.kinks) else 1.0
    for kink in np.arctan(line.kinks / width):
        ax.axvline(kink, color=style.QUIET, linewidth=0.8, alpha=0.4, zorder=0)
    if len(line.kinks):
        at, by_layer = at[np.isfinite(at)], by_layer[np.isfinite(at)]
        apart = np.abs(np.subtract.outer(at, line.kinks))  # (n, kinks)
        away = np.maximum(apart.min(axis=1) / (1 + np.abs(at)), LEAST)
        for n in np.unique(by_layer):
            mine, colour = by_layer == n, style.of_layer(n)
            face = colour if n == 1 else "none"
            place = np.arctan(at[mine] / width)
            ax.plot(place, away[mine], "o", color=colour, mfc=face, markersize=5)
    ax.set_yscale("log")
    ticks = width * np.array([-10, -2, -0.5, 0, 0.5, 2, 10])
    ax.set_xticks(np.arctan(ticks / width), [f"{tick:.2g}" for tick in ticks])
    ax.set_xlabel("predicted position t on the other line (input units, arctan axis)")
    ax.set_ylabel("distance to the nearest kink, over 1 + |t|")
    _name_layers(ax, by_layer)
    return ax


def coefficients(
    beta: ArrayLike, on: ArrayLike, ax: Axes | None = None, *, zero: ArrayLike | None = None
) -> Axes:
    """The row of one second-layer kink in terms of first-layer rows: its zeros are neurons off.

        a = Σ_i β_i A0_i,    β_i ∝ A1_ji where neuron i is on at the kink, else exactly 0

    With a·v = 1 the factor is one over the row's own product with v, another at each kink.

    beta : (h1,); on : (h1,) bool, on which side the kink lies in the end
    zero : (h1,) up to which size a coefficient counts as 0
    """
    size, on = np.abs(np.asarray(beta, float)), np.asarray(on, bool)
    top = float(size.max(initial=0)) or 1.0
    share = np.maximum(size / top, LEAST)
    ax = style.bare(style.axes(ax, (6.4, 3.8)))
    places = np.arange(len(share))
    for which, colour, text, left in (
        (on, style.POSITIVE, "neurons are on here", 0.0),
        (~on, style.NEGATIVE, "off", 0.44),
    ):
        ax.vlines(places[which], LEAST, share[which], color=colour, linewidth=1, alpha=0.4)
        ax.plot(places[which], share[which], "o", color=colour, markersize=4)
        style.above(ax, left, f"{which.sum()} {text}", colour)
    if zero is not None:
        level = np.asarray(zero, float) / top
        ax.step(places, level, where="mid", color=style.QUIET, linewidth=1, linestyle="--")
        style.above(ax, 0.64, "dashed: below it a 0")
    ax.set_yscale("log")
    ax.set_ylim(LEAST, 5)
    ax.locator_params(axis="x", integer=True)
    ax.set(xlabel="neuron of the first layer", ylabel="|β|, as a share of the largest")
    return ax


def errors(by_layer: Mapping[str, ArrayLike], ax: Axes | None = None) -> Axes:
    """How far each recovered neuron is off, layer by layer: one dot a neuron, on a log axis.

    by_layer : {name of a layer: (h,) relative errors of its rows}; a stroke is their median
    """
    ax = style.bare(style.axes(ax, (5.4, 4.0)))
    for place, values in enumerate(by_layer.values()):
        shown = np.maximum(np.asarray(values, float), LEAST)
        aside = place + 0.5 * (np.arange(len(shown)) / max(len(shown) - 1, 1) - 0.5)  # (h,)
        ax.plot(aside, shown, "o", color=style.ERROR, markersize=4)
        middle = float(np.median(shown))
        ax.hlines(middle, place - 0.3, place + 0.3, color=style.VICTIM, linewidth=1.4)
        ax.text(place + 0.32, middle, f"{middle:.0e}", va="center", fontsize=9, color=style.VICTIM)
    ax.set_yscale("log")
    ax.set_xlim(-0.6, len(by_layer) - 0.2)
    ax.set_xticks(range(len(by_layer)), list(by_layer))
    ax.set(xlabel="layer", ylabel="relative error of a neuron's weights")
    return ax


def _name_layers(ax: Axes, layers: Iterable[int]) -> None:
    """Name the layers that occur in their colours, above the picture."""
    for place, n in enumerate(sorted({int(n) for n in layers})):
        style.above(ax, 0.28 * place, f"hidden layer {n}", style.of_layer(n))
