"""What a teacher ensemble tells, and what it costs: votes, the bill, and what the bill buys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mstheft.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def votes(counts: Any, ax: Axes | None = None, *, sigma: float | None = None) -> Axes:
    """How many teachers say each class about one question.

    The further the winner is ahead, the less one teacher matters, and the less the answer costs.

    counts : (K,) votes
    sigma : standard deviation of the noise on each count, drawn as ± one if given
    """
    ax = style.bare(style.axes(ax, (6.4, 3.6)))
    counts = np.asarray(counts)
    if counts.ndim != 1 or len(counts) < 2:
        raise ValueError(
            f"expected the votes on one question, (K,) with K >= 2, got shape {counts.shape}; "
            "give one row"
        )
    classes = list(range(len(counts)))
    ax.bar(classes, counts, color=[style.of_class(k) for k in classes], width=0.7)
    if sigma is not None:
        ax.vlines(classes, counts - sigma, counts + sigma, color=style.VICTIM, linewidth=1.4)
        style.note(ax, 1, 1.02, f"noise ± σ = {sigma:g}", ha="right", va="bottom")
    ax.set_xticks(classes)
    ax.set_xlabel("class")
    ax.set_ylabel("teachers")
    second, first = np.argsort(counts, kind="stable")[-2:]
    ahead = counts[first] - counts[second]
    if ahead:
        words = f"class {first} is {ahead} vote{'s' if ahead != 1 else ''} ahead"
    else:
        words = f"classes {second} and {first} have the same number of votes"
    style.note(ax, 0, 1.02, words, va="bottom")
    return ax


def epsilon(curves: Mapping[str, tuple[Any, Any]], ax: Axes | None = None) -> Axes:
    """The privacy bill against the number of questions: how much all answers so far tell.

    curves : {name: (queries (m,), ε (m,))}, for instance of `Ensemble.bill`
    """
    ax = style.bare(style.axes(ax, (6.8, 4.2)))
    ends = []
    for n, (queries, bill) in enumerate(curves.values()):
        ax.plot(queries, bill, color=style.of_class(n), linewidth=1.5)
        ends.append(float(np.asarray(bill)[-1]))
    ax.set_ylim(bottom=0)
    ax.set_xlabel("questions asked")
    ax.set_ylabel("ε of all answers so far (nats)")
    style.end_labels(ax, ends, list(curves), [style.of_class(n) for n in range(len(ends))])
    return ax


def agreement(
    curves: Mapping[str, tuple[Any, Any]], without: float | None = None, ax: Axes | None = None
) -> Axes:
    """What a bill buys: the student's agreement against the ε of the answers it learned from.

    curves : {name: (ε (m,), agreement (m,))}, shares of test rows
    without : agreement of the student of answers without noise, a line if given
    """
    ax = style.bare(style.axes(ax, (6.8, 4.2)))
    ends, names, colours = [], list(curves), []
    for n, (bill, shares) in enumerate(curves.values()):
        ax.plot(bill, shares, "o-", color=style.of_class(n), markersize=4, linewidth=1.5)
        ends.append(float(np.asarray(shares)[-1]))
        colours.append(style.of_class(n))
    if without is not None:
        ax.axhline(without, color=style.QUIET, linestyle="--", linewidth=1.2)
        ax.annotate(
            "without privacy",
            xy=(0, without),
            xytext=(3, 3),
            xycoords=ax.get_yaxis_transform(),
            textcoords="offset points",
            color=style.QUIET,
            fontsize=9,
        )
    ax.set_xlabel("ε of the answers (nats)")
    ax.set_ylabel("agreement (share of test rows)")
    style.end_labels(ax, ends, names, colours)
    return ax
