"""Pictures of labels alone: the boundary in a plane, its bends, and the plane that holds a row."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mstheft.plots import style
from mstheft.plots.style import Axes

LONGEST = 1.6  # times n': a difference that ends farther out is not drawn


def boundary(
    across: ArrayLike,
    up: ArrayLike,
    labels: ArrayLike,
    ax: Axes | None = None,
    *,
    walls: ArrayLike = (),
    bends: ArrayLike = (),
) -> Axes:
    """What an oracle of labels shows of a plane: two classes, and a boundary that bends.

        f = Σ_i α_i |R_i·x + o_i| + c·x + β = 0   bends where it meets a wall R_i·x + o_i = 0

    across, up : (n,) and (m,) coordinates in the plane, in input units
    labels : (m, n) the classes at their points, from 0
    walls : (h, m, n) pre-activations of the neurons there
    bends : (k, 2) places (across, up) at which a bend was measured
    """
    ax = style.axes(ax, (5.6, 5.2))
    across, up, labels = np.asarray(across, float), np.asarray(up, float), np.asarray(labels)
    for place, k in enumerate(np.unique(labels)):
        mine = (labels == k).astype(float)
        ax.contourf(across, up, mine, [0.5, 1.5], colors=[style.of_class(k)], alpha=0.25)
        ax.contour(across, up, mine, [0.5], colors=style.VICTIM, linewidths=1.8)
        style.above(ax, 0.2 * place, f"label {k}", style.of_class(k))
    for wall in np.asarray(walls):
        ax.contour(across, up, wall, [0.0], colors=style.KINK, linewidths=0.8)
    if len(np.asarray(walls)):
        style.above(ax, 0.44, "walls of neurons", style.KINK)
    at = np.asarray(bends, float).reshape(-1, 2)
    ax.plot(*at.T, "o", mfc="white", mec=style.QUERY, mew=1.8, markersize=7, zorder=4)
    if len(at):
        style.above(ax, 0.82, "a bend", style.QUERY)
    ax.set(xlim=across[[0, -1]], ylim=up[[0, -1]], aspect="equal")
    ax.set(xlabel="across the plane (input units)", ylabel="up the plane (input units)")
    return ax


def normals_and_row(
    before: ArrayLike, after: ArrayLike, row: ArrayLike, ax: Axes | None = None
) -> Axes:
    """The normals on both sides of a bend, and the row, in the plane that the normals span.

        g' = g + 2 α R   =>   R is somewhere in the plane of n = g / |g| and n' = g' / |g'|

    Above the picture stands how much of the row lies in this plane: 1 if neuron and bend belong
    together.

    before, after : (d,) n and n', of any length; row : (d,) R, up to its sign
    """
    ax = style.bare(style.axes(ax, (5.4, 4.6)))
    n, m, R = (np.asarray(v, float) / np.linalg.norm(v) for v in (before, after, row))
    rest = m - (m @ n) * n
    plane = np.stack([n, rest / np.linalg.norm(rest)])  # (2, d), n to the right
    inside = float(np.linalg.norm(plane @ R))
    r = plane @ R / max(inside, 1e-300)
    for vector, text, colour in (
        (plane @ n, "n, before the bend", style.POSITIVE),
        (plane @ m, "n′, behind it", style.NEGATIVE),
    ):
        style.arrows(ax, np.zeros((1, 2)), vector[None], color=colour, scale=1, width=0.012)
        style.beside(ax, tuple(vector), text, (6, 6), color=colour)
    ax.plot(*np.outer(r, [-1.3, 1.3]), color=style.KINK, linewidth=1.4)
    end = 1.3 * r * (1 if r[1] >= 0 else -1)
    style.beside(ax, (end[0], end[1]), "± the row", (6, -4), color=style.KINK)
    table = np.stack([plane @ m, -r], axis=1)
    if abs(np.linalg.det(table)) > 1e-9:
        length, _ = np.linalg.solve(table, plane @ n)  # n + s R = length n'
        if 0 < length < LONGEST:
            ax.plot(*np.stack([plane @ n, length * (plane @ m)]).T, ":", color=style.QUIET)
            style.note(ax, 0.02, 0.03, "dotted: g′ - g, parallel to the row", va="bottom")
    style.above(ax, 0, f"share of the row in this plane: {inside:.9f}", style.KINK)
    ax.set(xlim=(-1.5, 2.2), ylim=(-1.45, 1.45), aspect="equal")
    ax.set_xlabel("along n (unit vectors)")
    ax.set_ylabel("orthogonal to n, in the plane (unit vectors)")
    return ax
