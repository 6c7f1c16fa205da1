"""What the attack on smooth networks sees: how many neurons, which directions, which shapes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from mstheft.plots import style
from mstheft.plots.style import Axes

TINY = 1e-300  # in place of 0 below a fraction


def spectrum(values: ArrayLike, hidden: int, ax: Axes | None = None) -> Axes:
    """Singular values of the gradients in a sketch: as many are large as there are neurons.

    values : (n,) singular values, the largest first
    hidden : h, how many are above the gap
    """
    ax = style.bare(style.axes(ax))
    values = np.asarray(values, float)
    shown = np.maximum(values, 1e-3 * values[values > 0].min(initial=1.0))
    place = np.arange(1, len(values) + 1)
    for part, colour in ((slice(hidden), style.COPY), (slice(hidden, None), style.ERROR)):
        ax.plot(place[part], shown[part], "o", color=colour, markersize=4)
    ax.set_yscale("log")
    if hidden < len(values):
        ax.axvline(hidden + 0.5, color=style.QUIET, linewidth=1, linestyle="--")
        ratio = shown[hidden - 1] / shown[hidden] if hidden else 1.0
        style.note(ax, 0.99, 0.98, f"gap: a factor of {ratio:.1g}", ha="right")
    style.above(ax, 0, f"{hidden:,} neurons", style.COPY)
    style.above(ax, 0.3, "errors of the differences", style.ERROR)
    ax.set(xlabel="number of the singular value", ylabel="singular value (logits per input unit)")
    return ax


def bends(turned: ArrayLike, ax: Axes | None = None) -> Axes:
    """Hessians in the neurons' own directions, all in one picture: nothing off the diagonal.

    turned : (n, h, h) the W^T H_k W; drawn is the root of the sum of squares over k, as a share
        of the two neurons' own bends
    """
    ax = style.axes(ax, (5.2, 4.4))
    size = np.sqrt((np.asarray(turned, float) ** 2).sum(axis=0))  # (n, h, h) -> (h, h)
    own = np.sqrt(np.maximum(np.diag(size), TINY))
    share = np.maximum(size / np.outer(own, own), 1e-12)
    image = ax.imshow(np.log10(share), cmap="cividis", vmin=-8, vmax=0)
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.8)
    bar.set_label("size beside the diagonal (powers of ten)")
    ax.locator_params(integer=True)
    ax.set(xlabel="neuron", ylabel="neuron")
    return ax


def separation(turned: ArrayLike, ax: Axes | None = None) -> Axes:
    """The eigenvalues that separate neurons: one line of dots for each output.

        λ_ki = (w_i^T H_k w_i) / |(w_i^T H_. w_i)|

    Two neurons can be separated if their dots differ in at least one line.

    turned : (n, h, h) the W^T H_k W
    """
    ax = style.bare(style.axes(ax))
    diagonal = np.einsum("nii->ni", np.asarray(turned, float))  # (n, h, h) -> (n, h)
    shares = diagonal / np.maximum(np.linalg.norm(diagonal, axis=0), TINY)
    shares = shares * np.where(shares[0] < 0, -1, 1)
    for k, values in enumerate(shares):
        ax.plot(values, np.full(len(values), k), "|", color=style.of_class(k), markersize=14)
    ax.locator_params(axis="y", integer=True)
    ax.set_xlim(-1.05, 1.05)
    ax.set_xlabel("share of the neuron's bend, without its sign (1 = all of it)")
    ax.set_ylabel("number of the Hessian")
    return ax


def curve(
    t: ArrayLike, answers: ArrayLike, fit: tuple[ArrayLike, ArrayLike], ax: Axes | None = None
) -> Axes:
    """One neuron pulled along its own direction: answers, and the activation fitted to them.

        f(y + t w_i) = constant + A1_i σ(z_i + s_i t)

    t : (n,) positions of the queries; answers : (n,) along A1_i, in logits
    fit : (m,) positions and (m,) values of the fitted curve
    """
    ax = style.bare(style.axes(ax))
    ax.plot(*fit, color=style.COPY, linewidth=1.6)
    ax.plot(t, answers, "o", color=style.QUERY, markersize=5)
    size = np.abs(np.asarray(t, float))
    nearest, farthest = float(size[size > 0].min()), float(size.max())
    ax.set_xscale("symlog", linthresh=nearest)
    decades = 10.0 ** np.arange(np.ceil(np.log10(nearest)), np.log10(farthest))
    ax.set_xticks(np.concatenate([-decades[::-1], [0], decades]))  # none where the axis is linear
    ax.set_xlabel("position t along the neuron's direction (input units, symlog axis)")
    ax.set_ylabel("answer along A1_i (logits)")
    style.above(ax, 0, "answers", style.QUERY)
    style.above(ax, 0.3, "fitted neuron", style.COPY)
    return ax


def errors(by_stage: Mapping[str, float], ax: Axes | None = None) -> Axes:
    """How far the copy is off after each stage, on a log axis.

    No line joins the dots, since each stage has its own measure: one may well be above the last.

    by_stage : {name of a stage, and its measure: error in logits}, in the order of time
    """
    ax = style.bare(style.axes(ax))
    names, values = list(by_stage), np.maximum([float(v) for v in by_stage.values()], 1e-18)
    ax.plot(range(len(values)), values, "o", color=style.ERROR, markersize=7)
    for point in enumerate(values):
        style.beside(ax, point, f"{point[1]:.0e}", (0, 8), ha="center", color=style.ERROR)
    ax.set_yscale("log")
    ax.set_xticks(range(len(names)), names)
    ax.margins(0.12, 0.16)
    ax.set(xlabel="stage", ylabel="error (logits)")
    return ax
