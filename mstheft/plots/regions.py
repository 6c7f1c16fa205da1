"""The folds of a ReLU network on a plane: regions, hyperplanes, gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from mstheft.plots import style
from mstheft.plots.style import Axes

Slice = Any  # a mstheft.nn.regions.Slice; pictures do not import what they draw


def regions(slice: Slice, ax: Axes | None = None) -> Axes:
    """Linear regions as pale colours, hyperplanes as lines, gradients as arrows.

        f(x) = W_r x + c_r   on each region r

    so all arrows in a region are equal, and change where a line is crossed. Where two classes
    meet, the victim's decision boundary is drawn in its own colour.

    slice : a `mstheft.nn.regions.Slice`
    """
    ax = style.axes(ax, (6.2, 6.0))
    _fill(slice, ax)
    for boundary in slice.boundaries:
        ax.contour(
            *(slice.x, slice.y, boundary.values, [0.0]),
            colors=style.KINK,
            linewidths=1.2 if len(slice.boundaries) <= 40 else 0.6,
            linestyles=style.LAYERS[(boundary.layer - 1) % len(style.LAYERS)],
        )
    _classes(slice, ax)
    _arrows(slice, ax)
    ax.set(xlim=slice.x[[0, -1]], ylim=slice.y[[0, -1]], aspect="equal")
    ax.set_xlabel("x, along the first direction (input units)")
    ax.set_ylabel("y, along the second direction (input units)")
    ax.set_title(_caption(slice), fontsize=9, loc="left", color=style.QUIET)
    return ax


def _fill(slice: Slice, ax: Axes) -> None:
    """Each region by the number of neurons that are on, so that neighbours always differ."""
    from matplotlib.colors import ListedColormap

    x, y = slice.x, slice.y
    half_x, half_y = np.diff(x[:2])[0] / 2, np.diff(y[:2])[0] / 2  # of a cell
    extent = (x[0] - half_x, x[-1] + half_x, y[0] - half_y, y[-1] + half_y)
    on, most = slice.active[slice.region] % len(style.REGIONS), len(style.REGIONS) - 1
    options: dict[str, Any] = {"origin": "lower", "interpolation": "nearest", "extent": extent}
    ax.imshow(on, ListedColormap(style.REGIONS), vmin=0, vmax=most, **options)


def _classes(slice: Slice, ax: Axes) -> None:
    """The borders between classes, and the name of each where it is farthest from others."""
    from scipy.ndimage import distance_transform_cdt

    present = np.unique(slice.label)
    if len(present) < 2:
        return
    for k in present:
        here = slice.label == k
        ax.contour(slice.x, slice.y, here, [0.5], colors=style.VICTIM, linewidths=1.6)
        depth = distance_transform_cdt(np.pad(here, 1))[1:-1, 1:-1]
        if depth.max() < 0.05 * len(here):  # too small for a name
            continue
        j, i = np.unravel_index(depth.argmax(), depth.shape)
        box = {"boxstyle": "round,pad=0.2", "fc": "white", "ec": "none", "alpha": 0.8}
        name = ax.text(slice.x[i], slice.y[j], f"class {k}", color=style.VICTIM, bbox=box)
        name.set(ha="center", va="center")


def _arrows(slice: Slice, ax: Axes) -> None:
    """Gradients as arrows, the longest almost as long as the distance between arrows."""
    size = np.linalg.norm(slice.gradient, axis=1)
    if not size.any():
        return
    apart = (slice.x[-1] - slice.x[0]) / np.sqrt(len(size))
    options = {"color": style.of_class(slice.logit), "width": 0.0035, "pivot": "mid", "zorder": 3}
    scale = size.max() / (0.9 * apart)
    style.arrows(ax, slice.gradient_at, slice.gradient, scale=scale, **options)


def _caption(slice: Slice) -> str:
    deepest = max((b.layer for b in slice.boundaries), default=0)
    folds = style.count(len(slice.boundaries), "hyperplane")
    text = f"{style.count(len(slice.patterns), 'linear region')}, {folds} in view"
    if deepest > 1:
        names = ("solid", "dashed", "dotted", "dash-dotted")
        text += " (" + ", ".join(f"layer {n + 1} {names[n % 4]}" for n in range(deepest)) + ")"
    longest = np.linalg.norm(slice.gradient, axis=1).max(initial=0.0)
    if longest:
        text += f"\narrows: gradient of logit {slice.logit}, longest {longest:.3g} logits per unit"
    return text
