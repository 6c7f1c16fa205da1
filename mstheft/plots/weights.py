"""True weights against recovered ones. Both come in aligned: same neuron order, same scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mstheft.plots import style
from mstheft.plots.style import Axes
from mstheft.typing import Array


def matrices(true: ArrayLike, recovered: ArrayLike, ax: Axes | None = None) -> Axes:
    """One dot for each weight, true against recovered: a perfect copy lies on the diagonal.

    true, recovered : weights of the same shape
    """
    true, recovered = _pair(true, recovered)
    ax = style.bare(style.axes(ax, (5.2, 5.0)))
    edge = 1.05 * max(np.abs(true).max(initial=0), np.abs(recovered).max(initial=0)) or 1.0
    ax.plot([-edge, edge], [-edge, edge], color=style.VICTIM, linewidth=1, zorder=1)
    size, alpha = (3, 0.5) if true.size > 500 else (5, 0.9)
    (dots,) = ax.plot(true.ravel(), recovered.ravel(), "o", color=style.COPY, markersize=size)
    dots.set(alpha=alpha, markeredgewidth=0, rasterized=true.size > 5000, zorder=2)
    ax.set(xlim=(-edge, edge), ylim=(-edge, edge), aspect="equal")
    ax.locator_params(nbins=5)
    ax.set_xlabel("the victim's weight (in its own units)")
    ax.set_ylabel("recovered weight (in the same units)")
    style.note(ax, 0.03, 0.97, f"{true.size:,} weights", color=style.COPY)
    style.note(ax, 0.03, 0.91, "diagonal: equal", color=style.VICTIM)
    return ax


def rows(
    true: ArrayLike,
    recovered: ArrayLike,
    ax: Axes | None = None,
    *,
    image_shape: tuple[int, int] | None = None,
    count: int = 6,
) -> Axes:
    """The input weights of some neurons: true, recovered, and the difference on its own scale.

    true, recovered : (h, d)
    image_shape : shape to show each row in, for instance (28, 28); without it, a row of cells
    count : the first so many neurons are shown
    """
    true, recovered = (np.atleast_2d(m)[:count] for m in _pair(true, recovered))  # (count, d)
    difference = recovered - true
    pictures = [_montage(m, image_shape) for m in (true, recovered, difference)]
    worst = np.abs(difference).max(initial=0)
    high, wide = pictures[0].shape
    ax = style.axes(ax, (7.2, 1.2 + 18 * high / wide if image_shape else 4.0))
    sizes = [np.abs(true).max(initial=0) or 1.0] * 2 + [worst or 1.0]
    tops = [n * (high + max(0.12 * high, 1)) for n in range(3)]
    for picture, size, top in zip(pictures, sizes, tops, strict=True):
        _image(ax, picture, size, top)
    aspect = "equal" if image_shape else "auto"
    ax.set(xlim=(-0.5, wide - 0.5), ylim=(tops[-1] + high, 0), aspect=aspect)
    names = ("true", "recovered", f"difference,\nat most {worst:.1e}")
    ax.set_yticks([top + high / 2 for top in tops], names)
    ax.tick_params(length=0)
    if image_shape:
        middles = [n * (image_shape[1] + 1) + (image_shape[1] - 1) / 2 for n in range(len(true))]
        ax.set_xticks(middles, [str(n) for n in range(len(true))])
    else:
        ax.locator_params(axis="x", integer=True)
    ax.set_xlabel("hidden neuron" if image_shape else "input j")
    ax.set_ylabel("input weights (blue above zero, vermilion below)")
    ax.spines[:].set_visible(False)
    return ax


def signs(before: ArrayLike, after: ArrayLike, ax: Axes | None = None) -> Axes:
    """The sign pattern before and after a stage; a dot marks every sign that it turned.

    A second difference gives |A0_ij| only. Along e_j + e_k it is |A0_ij + A0_ik|, so that the two
    weights add or cancel. This leaves one sign of a row, for a later stage.

    before, after : (h, d) weights or their signs; only the sign is drawn
    """
    before, after = (np.sign(np.atleast_2d(m)) for m in _pair(before, after))
    high, wide = before.shape
    gap = max(0.15 * high, 0.5)
    ax = style.axes(ax, (7.2, 4.0))
    _image(ax, before, 1.6, 0)
    _image(ax, after, 1.6, high + gap)
    row, column = np.nonzero(before != after)
    if before.size <= 2000:
        ax.plot(column, row + high + gap + 0.5, ".", color=style.VICTIM, markersize=4)
    ax.set(xlim=(-0.5, wide - 0.5), ylim=(2 * high + gap, 0), aspect="auto")
    ax.set_yticks([high / 2, 1.5 * high + gap], ["before", "after"])
    ax.tick_params(axis="y", length=0)
    ax.locator_params(axis="x", integer=True)
    ax.set(xlabel="input j", ylabel="sign of A0_ij, one row for each neuron i")
    ax.spines[:].set_visible(False)
    style.above(ax, 0, "blue: above zero", style.POSITIVE)
    style.above(ax, 0.25, "vermilion: below", style.NEGATIVE)
    style.above(ax, 0.5, f"{len(row):,} of {before.size:,} signs turned")
    return ax


def errors(difference: ArrayLike, ax: Axes | None = None) -> Axes:
    """How far off the recovered numbers are: a histogram of |recovered - true| on a log axis.

    difference : numbers of any shape and sign; exact zeros are counted beside the histogram
    """
    sizes = np.abs(np.asarray(difference, float).ravel())
    ax = style.bare(style.axes(ax, (6.4, 3.8)))
    ax.set_xscale("log")
    ax.set(xlabel="|recovered - true| (units of the weights)", ylabel="how many weights")
    exact = int((sizes == 0).sum())
    sizes = sizes[sizes > 0]
    if len(sizes):
        low, high = np.floor(np.log10(sizes.min())), np.ceil(np.log10(sizes.max()))
        bins = 10 ** np.linspace(low, max(high, low + 1), 4 * int(max(high - low, 1)) + 1)
        ax.hist(sizes, bins=list(bins), color=style.ERROR, edgecolor="white", linewidth=0.5)
        ax.axvline(sizes.max(), color=style.QUIET, linewidth=1)
        style.above(ax, 1, f"line: the largest, {sizes.max():.1e}", ha="right")
    if exact:
        style.above(ax, 0, f"{exact:,} exactly zero, not shown")
    return ax


def second_differences(inputs: ArrayLike, values: ArrayLike, ax: Axes | None = None) -> Axes:
    """A neuron from one of its critical points: |A0_ij| for each input j, up to one factor.

        f(x + c e_j) - 2 f(x) + f(x - c e_j)  =  c |A0_ij| A1_i

    inputs : (m,) the j along whose direction e_j the queries were made
    values : (m,) the second difference divided by c
    """
    ax = style.bare(style.axes(ax, (7.2, 3.6)))
    ax.bar(inputs, values, width=0.8 if np.size(values) <= 100 else 1.0, color=style.COPY)
    ax.axhline(0, color=style.QUIET, linewidth=0.8)
    ax.margins(x=0.01)
    ax.locator_params(axis="x", integer=True)
    ax.set(xlabel="input j", ylabel="|A0_ij| A1_i (logits per input unit)")
    return ax


def _pair(a: ArrayLike, b: ArrayLike) -> tuple[Array, Array]:
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape:
        raise ValueError(f"expected two arrays of one shape, got {a.shape} and {b.shape}")
    return a, b


def _montage(matrix: Array, image_shape: tuple[int, int] | None) -> Array:
    """Rows as pictures side by side with a blank column between them; or the matrix itself."""
    if image_shape is None:
        return matrix
    blank = np.full((image_shape[0], 1), np.nan)
    tiles = [piece for row in matrix for piece in (row.reshape(image_shape), blank)]
    return np.hstack(tiles[:-1])


def _image(ax: Axes, cells: Array, size: float, top: float) -> None:
    """Cells by sign and size, one unit wide and high: column j is centred at x = j."""
    high, wide = cells.shape
    style.signed_cells(ax, cells, size, (-0.5, wide - 0.5, top + high, top))
