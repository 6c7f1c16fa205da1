"""The folds of a ReLU network on a plane: regions, hyperplanes, gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mstheft.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def regions(slice: Any, ax: Axes | None = None) -> Axes:
    """Linear regions as pale colours, hyperplanes as lines, gradients as arrows.

        f(x) = W_r x + c_r   on each region r

    so all arrows in a region are equal, and change where a line is crossed. Where two classes
    meet, the victim's decision boundary is drawn in its own colour.

    slice : a `mstheft.nn.regions.Slice`
    """
    ax = style.axes(ax, (6.2, 6.0))
    _colours(slice, ax)
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


def _colours(slice: Any, ax: Axes) -> None:
    """Each region by the number of neurons that are on, so that neighbours always differ."""
    from matplotlib.colors import ListedColormap

    colour = slice.active[slice.region] % len(style.REGIONS)
    half_x, half_y = (np.diff(side[:2])[0] / 2 for side in (slice.x, slice.y))
    ax.imshow(
        colour,
        cmap=ListedColormap(style.REGIONS),
        vmin=0,
        vmax=len(style.REGIONS) - 1,
        origin="lower",
        interpolation="nearest",
        extent=(
            *(slice.x[0] - half_x, slice.x[-1] + half_x),
            *(slice.y[0] - half_y, slice.y[-1] + half_y),
        ),
    )


def _classes(slice: Any, ax: Axes) -> None:
    """The borders between classes, and the name of each where it is farthest from others."""
    from scipy.ndimage import distance_transform_cdt

    present = np.unique(slice.label)
    if len(present) < 2:
        return
    for k in present:
        here = slice.label == k
        ax.contour(slice.x, slice.y, here, [0.5], colors=style.VICTIM, linewidths=1.6)
        depth = distance_transform_cdt(np.pad(here, 1))[1:-1, 1:-1]
        if depth.max() < 0.05 * len(here):
            continue
        j, i = np.unravel_index(depth.argmax(), depth.shape)
        ax.text(
            *(slice.x[i], slice.y[j], f"class {k}"),
            ha="center",
            va="center",
            color=style.VICTIM,
            bbox={"boxstyle": "round,pad=0.2", "fc": "white", "ec": "none", "alpha": 0.8},
        )


def _arrows(slice: Any, ax: Axes) -> None:
    """Gradients from their foot, the longest as long as the arrows stand apart."""
    size = np.linalg.norm(slice.gradient, axis=1)
    if not size.any():
        return
    apart = (slice.x[-1] - slice.x[0]) / np.sqrt(len(size))
    ax.quiver(
        *slice.gradient_at.T,
        *slice.gradient.T,
        angles="xy",
        scale_units="xy",
        scale=size.max() / (0.9 * apart),
        color=style.of_class(slice.logit),
        width=0.0035,
        pivot="mid",
        zorder=3,
    )


def _caption(slice: Any) -> str:
    deepest = max((b.layer for b in slice.boundaries), default=0)
    number, folds = len(slice.patterns), len(slice.boundaries)
    text = f"{number:,} linear region{'s' * (number != 1)}, "
    text += f"{folds:,} hyperplane{'s' * (folds != 1)} in view"
    if deepest > 1:
        names = ("solid", "dashed", "dotted", "dash-dotted")
        text += " (" + ", ".join(f"layer {n + 1} {names[n % 4]}" for n in range(deepest)) + ")"
    longest = np.linalg.norm(slice.gradient, axis=1).max(initial=0.0)
    if longest:
        text += f"\narrows: gradient of logit {slice.logit}, longest {longest:.3g} logits per unit"
    return text
