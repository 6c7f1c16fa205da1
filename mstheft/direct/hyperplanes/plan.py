"""Where to measure Jacobians on a line: few of them, in wide gaps, with solvable groups between.

Gap n lies left of kink n; gap 0 is left of all kinks and the last one right of all. Two Jacobians
at gaps a < b differ by Σ g_i a_iᵀ over the kinks a … b-1, a *group*. No queries here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mstheft.direct.line import Line
from mstheft.typing import Array

SHARE = 0.25  # of the estimated way to the nearest hyperplane that a difference step takes
PEAK = 4.0  # largest entry of a row, in multiples of its root mean square
MEDIAN = 0.6745  # of |N(0, 1)|
SHARES = np.linspace(0, 1, 17)[1:-1]  # of a gap, at which a site may lie
GOOD = 1e-10  # relative error of a row at which nothing more is paid for accuracy
ROUGH = 1e-2  # the same where answers are coarse and rows are polished afterwards
COARSE = 1e-11  # noise relative to a slope jump from which they are
USELESS = 0.5  # expected relative error, three σ, from which a row is not worth measuring
DECADE = 0.35  # Jacobians that a tenth of the error is worth
KNOWN = 0.02  # Jacobians that a known kink inside a group costs, for it adds its own error
LEFT = 4.0  # Jacobians that it costs to leave a kink to another line


_Priced = tuple[float, tuple[tuple[int, int], ...]]  # the price of some groups, and these


@dataclass
class Plan:
    """Where the Jacobians are measured, and what is solved between.

    groups : pairs of gaps (a, b); t, steps : (n+1,) the site in every gap and its difference step
    left : kinks that are left to another line
    """

    groups: list[tuple[int, int]]
    t: Array
    steps: Array
    left: list[int]

    @property
    def gaps(self) -> list[int]:
        """The gaps at which a Jacobian is needed."""
        return sorted({gap for group in self.groups for gap in group})


def plan(
    line: Line,
    noise: Array,
    wanted: np.ndarray | None = None,
    is_known_gap: np.ndarray | None = None,
) -> Plan:
    """Choose gaps so that every wanted kink lies in a group of at most K that can be solved.

        minimise  number of Jacobians + 0.35 Σ_groups log10(expected error / 1e-10),

    by dynamic programming from left to right. The expected error of a group is the rounding divided
    by the difference step and by the smallest singular value of its directions g_i / |g_i|. Groups
    that share a gap share its Jacobian; h/K + 1 are the least that is possible.

    noise : (m,) of the line's answers
    wanted : (n,) which kinks need a row, all unless given
    is_known_gap : (n+1,) gaps at which a Jacobian is known already, none unless given
    """
    n = len(line.kinks)
    wanted = np.ones(n, bool) if wanted is None else wanted
    known = np.zeros(n + 1, bool) if is_known_gap is None else is_known_gap
    t, steps = places(line, noise)
    blur = np.interp(t, line.t, noise) / steps / typical_entry(line)
    groups = _cheapest(line, wanted, blur, t, np.where(known, KNOWN, 1.0))
    solved = {i for a, b in groups for i in range(a, b)}
    return Plan(groups, t, steps, [int(i) for i in np.flatnonzero(wanted) if i not in solved])


def typical_entry(line: Line) -> float:
    """Size of an entry of g_i a_iᵀ: |g_i| is |A1_i| |A0_i·v|, and A0_i·v is |v| entries' worth."""
    size = np.linalg.norm(line.jumps, axis=1)
    return float(np.median(size) / MEDIAN / np.linalg.norm(line.direction))


def largest_entries(line: Line) -> Array:
    """Estimated max_j |a_ij| of each kink's row, (n,), before any of them is measured.

    Scaled so that a_i·v = 1, a row is long where |A0_i·v| happens to be small; then g_i is small
    too: |a_i| ≈ C / |g_i|, with one C for all neurons if their |A0_i| |A1_i| are alike.
    """
    d = len(line.direction)
    size = np.linalg.norm(line.jumps, axis=1)
    return min(PEAK, np.sqrt(d)) * typical_entry(line) / size


def places(line: Line, noise: Array, entries: Array | None = None) -> tuple[Array, Array]:
    """The best place in every gap and the difference step to take there, (n+1,) each.

    step(t) = 1/4 min_i |t - t_i| / max_j |a_ij|,   best: the largest step / noise(t)

    entries : (n,) max_j |a_ij|, estimated unless given
    """
    first, last = line.t[0], line.t[-1]
    outermost = line.kinks[[0, -1]]
    outer = np.clip(outermost + [-1, 1] * (1 + np.abs(outermost)), first, last)
    edges = np.concatenate([outer[:1], line.kinks, outer[1:]])
    low, high = edges[:-1, None], edges[1:, None]
    turn = np.tan(np.arctan(low) + (np.arctan(high) - np.arctan(low)) * SHARES)
    t = np.hstack([low + (high - low) * SHARES, np.clip(turn, low, high)])  # (n+1, sites tried)
    entries = largest_entries(line) if entries is None else entries
    steps = np.full(t.shape, np.inf)
    for kink, entry in zip(line.kinks, entries, strict=True):
        np.minimum(steps, SHARE * np.abs(t - kink) / entry, out=steps)
    choice = (steps / np.interp(t, line.t, noise)).argmax(axis=1)[:, None]
    chosen = [np.take_along_axis(each, choice, axis=1)[:, 0] for each in (t, steps)]
    return chosen[0], np.maximum(chosen[1], 1e-300)


def _cheapest(
    line: Line, wanted: np.ndarray, blur: Array, t: Array, cost: Array
) -> list[tuple[int, int]]:
    """The cheapest groups, from left to right.

    `at[b]`: price and groups of the cheapest plan with a Jacobian at gap b and nothing open left of
    it; `free[b]`: the same whether or not b has one. A group (a, b) begins at a Jacobian or pays
    for one.

    t, cost : (n+1,) the site in each gap, and what a Jacobian costs there
    """
    n = len(wanted)
    size = np.linalg.norm(line.jumps, axis=1, keepdims=True)
    directions = line.jumps / np.where(size > 0, size, 1)
    most = np.linalg.matrix_rank(directions, tol=1e-6) if n else 0
    begun, ended = _unresolved(line, t)
    count = np.concatenate([[0], np.cumsum(wanted)])
    good = ROUGH if n and line.noise > COARSE * float(np.median(size)) else GOOD
    at: list[_Priced] = []
    free: list[_Priced] = []
    for b in range(n + 1):
        best: _Priced = (np.inf, ())
        for a in range(b - 1, max(-1, b - 1 - 3 * most), -1):
            members = count[b] - count[a]
            if members > most or begun[b] > ended[a]:
                break
            if members == 0:
                continue
            inside = directions[a:b][wanted[a:b]]
            price = (
                cost[b] + _price(inside, max(blur[a], blur[b]), good) + KNOWN * (b - a - members)
            )
            before = min(at[a], (free[a][0] + cost[a], free[a][1]), key=lambda each: each[0])
            if before[0] + price < best[0]:
                best = (before[0] + price, (*before[1], (a, b)))
        skipped: _Priced = (0.0, ())
        if b:
            skipped = (free[b - 1][0] + LEFT * wanted[b - 1], free[b - 1][1])
        at.append(best)
        free.append(min(best, skipped, key=lambda each: each[0]))
    return list(free[-1][1])


def _unresolved(line: Line, t: Array) -> tuple[Array, Array]:
    """How many unresolved intervals begin, and how many end, left of each t, (n+1,) each."""
    ends = np.array(line.unresolved).reshape(-1, 2)
    return (ends[:, :1] < t).sum(axis=0), (ends[:, 1:] <= t).sum(axis=0)


def _price(directions: Array, blur: float, good: float = GOOD) -> float:
    """What a group's expected error is worth, in Jacobians."""
    smallest = np.linalg.svd(directions, compute_uv=False)[-1]
    if blur >= USELESS * smallest:
        return np.inf
    error = blur / smallest
    return DECADE * max(0.0, float(np.log10(error / good)))
