"""Learned copies: how they get better, which rows they were trained on, and where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from mstheft.plots import style
from mstheft.plots.style import Axes
from mstheft.typing import Array

# One colour for each way of choosing rows; Paul Tol's bright scheme.
STRATEGIES = {
    "random": "#4477aa",
    "uncertainty": "#ee6677",
    "k-center": "#228833",
    "dfal": "#66ccee",
    "dfal+k-center": "#aa3377",
    "noise": "#bbbbbb",
}


def agreement(curves: Mapping[str, tuple[ArrayLike, ArrayLike]], ax: Axes | None = None) -> Axes:
    """Agreement with the victim against queries: the mean over seeds, and from lowest to highest.

    curves : {strategy: (queries (m,), agreement (m,) or (seeds, m))}; the five strategies and
        'noise' have colours of their own
    """
    ax = style.bare(style.axes(ax, (6.8, 4.2)))
    colours = [STRATEGIES.get(name, style.of_class(i)) for i, name in enumerate(curves)]
    heights = [
        style.mean_and_range(ax, queries, shares, "o-", colour, linewidth=1.5)
        for (queries, shares), colour in zip(curves.values(), colours, strict=True)
    ]
    ax.set(xlabel="queries paid for (rows)", ylabel="agreement (share of test rows)")
    style.end_labels(ax, heights, list(curves), colours)
    return ax


def output_space(outputs: ArrayLike, chosen: Sequence[ArrayLike], ax: Axes | None = None) -> Axes:
    """The pool as the copy sees it, and in colour the rows that each round chose.

        place of x = Σ_k p_k(x) · corner k,    the corners of the classes lie on a circle

    A row of which the copy is sure lies in the corner of its class; a row that the copy cannot
    decide lies between the corners of its candidates.

    outputs : (n, K) the copy's probabilities on the pool, K at least 2
    chosen : one array of indices into the pool per round
    """
    ax = style.axes(ax, (6.4, 6.0))
    outputs = np.asarray(outputs)
    angle = np.pi / 2 - 2 * np.pi * np.arange(outputs.shape[1]) / outputs.shape[1]
    corners = np.stack([np.cos(angle), np.sin(angle)], axis=1)  # (K, 2)
    places = outputs @ corners  # (n, 2)
    ax.plot(*places.T, ".", color=style.QUIET, markersize=2, alpha=0.3)
    for turn, (rows, colour) in enumerate(zip(chosen, style.graded(len(chosen)), strict=True)):
        ax.plot(*places[np.asarray(rows, int)].T, "o", color=colour, markersize=4)
        style.note(ax, 0.02, 0.99 - 0.03 * turn, f"round {turn}", color=colour, fontsize=8)
    for k, (x, y) in enumerate(corners):
        ax.text(1.09 * x, 1.09 * y, str(k), color=style.of_class(k), ha="center", va="center")
    ax.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), xticks=[], yticks=[])
    ax.set_xlabel("copy's probabilities, each class pulling towards its corner")
    ax.set_ylabel("copy's probabilities")
    return ax


def deepfool_paths(
    field: tuple[ArrayLike, ArrayLike, ArrayLike],
    paths: Sequence[ArrayLike],
    ax: Axes | None = None,
) -> Axes:
    """How rows of a 2-D problem walk to the copy's decision boundary; the length is DFAL's score.

    field : x (m,), y (n,), and the copy's labels (n, m) on that grid
    paths : one (steps + 1, 2) array per row, from the clean row to the DeepFool example
    """
    ax = style.axes(ax, (6.0, 5.6))
    x, y, labels = map(np.asarray, field)
    for k in np.unique(labels):
        inside = (labels == k).astype(float)
        ax.contourf(x, y, inside, [0.5, 1.5], colors=[style.of_class(int(k))], alpha=0.15)
        if np.ptp(inside):
            ax.contour(x, y, inside, [0.5], colors=[style.COPY], linewidths=1.2)
    for path in map(np.asarray, paths):
        ax.plot(*path.T, ".-", color=style.QUIET, linewidth=1, markersize=4)
        ax.plot(*path[0], "o", color=style.QUERY, markersize=6)
        ax.plot(*path[-1], "x", color=style.NEGATIVE, markersize=7, mew=2)
    ax.set(xlim=x[[0, -1]], ylim=y[[0, -1]], aspect="equal")
    ax.set(xlabel="first input (input units)", ylabel="second input (input units)")
    style.above(ax, 0, "row to query", style.QUERY)
    style.above(ax, 0.35, "its DeepFool example", style.NEGATIVE)
    style.above(ax, 0.75, "copy's boundary", style.COPY)
    return ax


def entropies(pool: ArrayLike, chosen: Sequence[ArrayLike], ax: Axes | None = None) -> Axes:
    """How unsure the copy was of the rows that each round chose, beside the whole pool.

    pool : (n,) entropies of the copy's answers on the pool, nats
    chosen : for each round the entropies of the chosen rows, by the copy that chose them
    The box holds the middle half, its line is the median, the whiskers reach to both ends.
    """
    ax = style.bare(style.axes(ax, (6.4, 4.0)))
    values = [np.asarray(part, float) for part in (pool, *chosen)]
    boxes = ax.boxplot(values, whis=(0, 100), patch_artist=True, widths=0.6)
    for i, box in enumerate(boxes["boxes"]):
        box.set(facecolor=style.QUERY if i else style.QUIET, alpha=0.5, linewidth=0)
    for line in boxes["medians"]:
        line.set(color=style.VICTIM, linewidth=1.5)
    names = ["pool", *(str(turn) for turn in range(1, len(values)))]
    ax.set_xticks(range(1, len(values) + 1), names)
    ax.set(xlabel="chosen in round", ylabel="entropy of the copy's answer (nats)")
    return ax


def confusion(
    counts: ArrayLike, ax: Axes | None = None, *, names: Sequence[str] | None = None
) -> Axes:
    """The copy's answers where the victim answers k; off the diagonal they disagree.

    counts : (K, K) numbers of rows, [victim's label, copy's label]
    names : of the classes, their numbers by default
    """
    counts = np.asarray(counts)
    ax = style.axes(ax, (5.6, 5.2))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)  # each row sums to 1
    classes = [str(k) for k in range(len(counts))] if names is None else names
    texts = [f"{count:,}" if count else "" for count in counts.flat]
    style.share_cells(ax, shares, texts, _readable(shares), (classes, classes))
    ax.set(xlabel="copy's label", ylabel="victim's label")
    same = np.trace(counts) / max(counts.sum(), 1)
    ax.set_title(f"they agree on {same:.1%}", fontsize="medium", loc="left", color=style.QUIET)
    return ax


def transfer(
    shares: ArrayLike, made_on: Sequence[str], shown_to: Sequence[str], ax: Axes | None = None
) -> Axes:
    """Adversarial examples made on one network and shown to another: how many fool it.

    shares : (m, n) 0 … 1, [made on, shown to]
    """
    ax = style.axes(ax, (1.6 + 0.9 * len(shown_to), 1.4 + 0.7 * len(made_on)))
    shares = np.asarray(shares, float)
    texts = [f"{share:.0%}" for share in shares.flat]
    style.share_cells(ax, shares, texts, _readable(shares), (made_on, shown_to))
    ax.set(xlabel="shown to", ylabel="adversarial examples made on")
    return ax


def _readable(shares: Array) -> list[str]:
    """The colour of a text on each cell: white on dark."""
    return ["white" if share > 0.6 else style.VICTIM for share in shares.flat]
