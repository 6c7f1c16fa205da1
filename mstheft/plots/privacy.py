"""What an ensemble of teachers answers, and what it costs: votes, the bill, what the bill buys."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from mstheft.plots import style
from mstheft.plots.style import Axes

Curves = Mapping[str, tuple[ArrayLike, ArrayLike]]  # {name: (x (m,), y (m,))}


def votes(counts: ArrayLike, ax: Axes | None = None, *, sigma: float | None = None) -> Axes:
    """How many teachers vote for each class on one question.

    The further the winner is ahead, the less one teacher matters, and the less the answer costs.

    counts : (K,) votes
    sigma : standard deviation of the noise on each count, drawn as ± one if given
    """
    ax = style.bare(style.axes(ax, (6.4, 3.6)))
    counts = np.asarray(counts)
    classes = list(range(len(counts)))
    ax.bar(classes, counts, color=[style.of_class(k) for k in classes], width=0.7)
    if sigma is not None:
        ax.vlines(classes, counts - sigma, counts + sigma, color=style.VICTIM, linewidth=1.4)
        style.above(ax, 1, f"noise ± σ = {sigma:g}", ha="right")
    ax.set_xticks(classes)
    ax.set(xlabel="class", ylabel="teachers")
    second, first = np.argsort(counts, kind="stable")[-2:]
    ahead = counts[first] - counts[second]
    words = f"class {first} is {style.count(ahead, 'vote')} ahead"
    equal = f"classes {second} and {first} have the same number of votes"
    style.above(ax, 0, words if ahead else equal)
    return ax


def epsilon(curves: Curves, ax: Axes | None = None) -> Axes:
    """The privacy bill against the number of questions: how much all answers so far give away.

    curves : {name: (queries (m,), ε (m,))}, for instance of `Ensemble.bill`
    """
    ax = style.bare(style.axes(ax, (6.8, 4.2)))
    for n, curve in enumerate(curves.values()):
        ax.plot(*curve, color=style.of_class(n), linewidth=1.5)
    ax.set_ylim(bottom=0)
    ax.set(xlabel="queries", ylabel="ε of all answers so far (nats)")
    _label_curves(ax, curves)
    return ax


def agreement(curves: Curves, without: float | None = None, ax: Axes | None = None) -> Axes:
    """What a bill buys: the student's agreement against the ε of the answers it learned from.

    curves : {name: (ε (m,), agreement (m,))}, shares of test rows
    without : agreement of a student that learned from answers without noise, a line if given
    """
    ax = style.bare(style.axes(ax, (6.8, 4.2)))
    for n, curve in enumerate(curves.values()):
        ax.plot(*curve, "o-", color=style.of_class(n), markersize=4, linewidth=1.5)
    if without is not None:
        ax.axhline(without, color=style.QUIET, linestyle="--", linewidth=1.2)
        at = {"xycoords": ax.get_yaxis_transform(), "color": style.QUIET}
        style.beside(ax, (0, without), "without privacy", (3, 3), **at)
    ax.set(xlabel="ε of the answers (nats)", ylabel="agreement (share of test rows)")
    _label_curves(ax, curves)
    return ax


def _label_curves(ax: Axes, curves: Curves) -> None:
    last = [np.asarray(heights)[-1] for _, heights in curves.values()]
    style.end_labels(ax, last, list(curves), [style.of_class(n) for n in range(len(last))])
