"""A network along a straight line u + t v: logits, slopes, and the search for a kink."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from mstheft.plots import style
from mstheft.plots.style import Axes
from mstheft.typing import Array

Scale = Callable[[ArrayLike], Array]  # positions t to places on an axis, or back
End = tuple[float, float, float]  # t, f and slope


class Line(Protocol):
    """What a picture takes from `mstheft.direct.line.Line`.

    t, answers : (m,) and (m, K) the queries on the line, sorted by t
    kinks, jumps : (n,) and (n, K); slopes : (n + 1, K) between them
    """

    t: Array
    answers: Array
    kinks: Array
    jumps: Array
    slopes: Array


def kinks(line: Line, ax: Axes | None = None, *, scale: str = "t") -> Axes:
    """Logits along the line: straight pieces, a kink wherever a neuron changes sides.

        f(u + t v),  with kinks at  t_i = -(A0_i u + b0_i) / (A0_i v)

    scale : "t", or "arctan" for a line that was searched far out: the t_i of a random line
        are Cauchy distributed, so arctan t spreads them evenly and brings the far ones in view.
        Logits then have an arsinh axis, for they grow with t. Both axes bend straight lines
        smoothly, so every visible kink is one
    """
    ax = style.bare(style.axes(ax, (7.2, 4.2)))
    forward, back = _horizontal(ax, line, scale)
    t = _drawn(line, forward, back)
    queried = np.isin(t, line.t)
    values = np.stack([np.interp(t, line.t, one) for one in line.answers.T], axis=1)  # (n, K)
    colours = [style.of_class(k) for k in range(values.shape[1])]
    dot = 3.0 if line.jumps.size <= 100 else 1.2
    _strokes(ax, line)
    for answers, colour in zip(values.T, colours, strict=True):
        ax.plot(t, answers, color=colour, linewidth=1.4)
        at = np.interp(line.kinks, t, answers)
        ax.plot(line.kinks, at, "o", mfc="none", mec=style.KINK, markersize=2.5 * dot)
        ax.plot(t[queried], answers[queried], "o", color=style.QUERY, markersize=dot)
    if scale == "arctan":
        width = _median(np.abs(values))
        ax.set_yscale("asinh", linear_width=width)
        ax.set_yticks(*_ticks(*ax.get_ylim(), lambda f: np.arcsinh(np.asarray(f) / width)))
        ax.minorticks_off()
    ax.set_ylabel("logit" + (" (arsinh axis)" if scale == "arctan" else ""))
    style.end_labels(ax, values[-1], [f"logit {k}" for k in range(len(colours))], colours)
    style.above(ax, 0.0, style.count(len(line.kinks), "kink"), style.KINK)
    style.above(ax, 0.28, f"{queried.sum():,} of {len(line.t):,} queries in view", style.QUERY)
    return ax


def slopes(line: Line, ax: Axes | None = None, *, scale: str = "t") -> Axes:
    """Slope of each logit along the line: constant between kinks, and jumping at them.

        f'(t) = f'(t_0) + Σ_{t_i < t} g_i,    g_i = A1_i |A0_i v|

    The jump is up when A1_i > 0, whichever way the neuron switches: that is how the attack
    reads the output weights off the line, sign included.

    scale : "t" or "arctan", as in `kinks`
    """
    ax = style.bare(style.axes(ax, (7.2, 4.2)))
    _horizontal(ax, line, scale)
    edges = np.concatenate([line.t[:1], line.kinks, line.t[-1:]])  # (n + 2,)
    colours = [style.of_class(k) for k in range(line.slopes.shape[1])]
    _strokes(ax, line)
    for pieces, colour in zip(line.slopes.T, colours, strict=True):
        heights = np.append(pieces, pieces[-1:])  # (n + 2,), the last twice
        ax.step(edges, heights, where="post", color=colour, linewidth=1.4)
    ax.set_ylabel("slope (logits per input unit)")
    style.end_labels(ax, line.slopes[-1], [f"logit {k}" for k in range(len(colours))], colours)
    style.above(ax, 0.0, style.count(len(line.kinks), "kink"), style.KINK)
    return ax


def intersection(
    left: End,
    right: End,
    kink: tuple[float, float],
    ax: Axes | None = None,
    curve: tuple[ArrayLike, ArrayLike] | None = None,
) -> Axes:
    """Find a kink without halving: the lines through both ends meet there, if it is alone.

        t* = (f_r - f_l + s_l t_l - s_r t_r) / (s_l - s_r)

                  * kink                      * predicted
                 / \\                         / \\
                /   \\                   ____/   \\      two kinks: the answer at t*
               l     r                  /        r     is not where the lines meet
                                       l
    left, right : t, f and slope at the two ends
    kink : t*, f*, where the two lines meet
    curve : t (m,) and f (m,), the true logit between the ends
    """
    ax = style.bare(style.axes(ax, (6.4, 4.0)))
    t_star, f_star = kink
    style.above(ax, 0.0, "two end lines", style.COPY)
    if curve is not None:
        ax.plot(*curve, color=style.VICTIM, linewidth=1.6)
        style.above(ax, 0.28, "the victim", style.VICTIM)
    for (t, f, slope), side in ((left, "left"), (right, "right")):
        reach = np.array([t, t_star + 0.2 * (t_star - t)])
        ax.plot(reach, f + slope * (reach - t), "--", color=style.COPY, linewidth=1.4)
        ax.plot([t], [f], "o", color=style.QUERY, markersize=8)
        text = f"{side} end,\nslope {slope:.3g}"
        _name_point(ax, (t, f), text, style.QUERY, 9 if f > f_star else -9, side)
    ax.plot([t_star], [f_star], "o", mfc="none", mec=style.KINK, mew=2, markersize=11)
    up = 30 if left[2] > right[2] else -30
    _name_point(ax, kink, f"the lines meet at t = {t_star:.4g}", style.KINK, up, "center")
    ax.margins(0.08, 0.25)
    ax.set(xlabel="position t on the line (input units)", ylabel="one logit f")
    return ax


def _horizontal(ax: Axes, line: Line, scale: str) -> tuple[Scale, Scale]:
    """Set up the t axis so that all kinks are in view; how t maps to it, and back."""
    if scale not in ("t", "arctan"):
        raise ValueError(f"expected scale 't' or 'arctan', got {scale!r}; pick one")
    forward: Scale = np.asarray
    back: Scale = np.asarray
    if scale == "arctan":
        width = _median(np.abs(line.kinks))
        forward, back = lambda t: np.arctan(np.asarray(t) / width), lambda a: width * np.tan(a)
        ax.set_xscale("function", functions=(forward, back))
    ax.set_xlim(_view(line, forward, back))
    if scale == "arctan":
        ax.set_xticks(*_ticks(*ax.get_xlim(), forward))
    note = ", arctan axis" if scale == "arctan" else ""
    ax.set_xlabel(f"position t on the line (input units{note})")
    return forward, back


def _view(line: Line, forward: Scale, back: Scale) -> tuple[float, float]:
    """All kinks, and at both ends a margin of at most half the way to the outermost query."""
    if not len(line.kinks):
        return line.t[0], line.t[-1]
    (low, high), (first, last) = forward(line.t[[0, -1]]), forward(line.kinks[[0, -1]])
    margin = 0.06 * (last - first) or 1.0
    first -= min(margin, (first - low) / 2)
    last += min(margin, (high - last) / 2)
    return float(back(first)), float(back(last))


def _drawn(line: Line, forward: Scale, back: Scale) -> Array:
    """The t to draw: the queries in view, and places between for an axis that bends lines."""
    low, high = _view(line, forward, back)
    between = back(np.linspace(forward(low), forward(high), 1000))[1:-1]
    queried = line.t[(line.t >= low) & (line.t <= high)]
    return np.unique(np.concatenate([[low, high], queried, between]))


def _strokes(ax: Axes, line: Line) -> None:
    for t in line.kinks:
        ax.axvline(t, color=style.KINK, linewidth=0.8, alpha=0.4, zorder=0)


def _median(values: Array) -> float:
    """Median of the values above zero, or 1 where there is none."""
    values = values[values > 0]
    return float(np.median(values)) if len(values) else 1.0


def _ticks(low: float, high: float, forward: Scale) -> tuple[list[float], list[str]]:
    """Round numbers 1, 2, 5 · 10^n in view, the roundest first, none too near to another."""
    span = forward(high) - forward(low)
    decades = 10.0 ** np.arange(np.ceil(np.log10(max(-low, high))) - 5, 10)
    candidates = [0.0, *(s * m * p for m in (1, 5, 2) for p in decades for s in (1, -1))]
    chosen: list[float] = []
    for t in candidates:
        away = np.abs(forward(np.array(chosen)) - forward(t))
        if low <= t <= high and (away > 0.075 * span).all():
            chosen.append(float(t))
    chosen.sort()
    return chosen, [f"{t:,g}".replace("-", "\N{MINUS SIGN}") for t in chosen]


def _name_point(
    ax: Axes, at: tuple[float, float], text: str, colour: str, up: float, ha: str
) -> None:
    """A label `up` points above a point, or below it if negative."""
    style.beside(ax, at, text, (0, up), ha=ha, va="bottom" if up > 0 else "top", color=colour)
