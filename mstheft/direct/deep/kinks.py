"""Kinks of a deep network on a line: where they are, and the pair (g, a) of each.

At any kink, of whatever layer, the Jacobian changes by a matrix of rank one:

    J(right) - J(left)  =  g aᵀ,     a·v = 1

g is the slope jump that the line search sees; a comes from the grouped Jacobians of the sweep,
which know nothing of layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from mstheft.direct import line as lines
from mstheft.direct.answers.reader import Reader, read
from mstheft.direct.hyperplanes.groups import measure_groups, planned_sites, row_errors
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes, jump_blurs
from mstheft.direct.hyperplanes.jacobians import Box, JacobianSite
from mstheft.direct.hyperplanes.plan import Plan, largest_entries, places, plan
from mstheft.typing import Array, Oracle

FAINT = 1e-5  # relative error from which a row is measured again, alone
PLACES, BESIDE, LOUD = 6, 1e-4, 100.0  # of a hyperplane; distance from it, in 1 + |y|; times σ
OFF = 3.0  # times the expected error of a row
BETTER = 0.1  # of its error that is left then, or it is not worth the queries


@dataclass
class LineKinks:
    """A line, and what is known of its n kinks.

    line : its kinks t_i and slope jumps g_i
    noise : (m,) rounding of the line's answers; blurs : (n,) relative rounding of each g_i
    rows : (n, d) a_i with a_i·v = 1, NaN where it was not measured or failed its self-check
    errors : (n,) expected error of an entry of a_i, from the rounding of the answers
    first : (n,) which neuron of the first layer it is, -1 for none of these
    sites : where Jacobians were measured
    elsewhere : (n, 2) places of the kink's hyperplane that bend, and that could tell
    """

    line: lines.Line
    noise: Array
    blurs: Array
    rows: Array
    errors: Array
    first: np.ndarray
    sites: list[JacobianSite]
    elsewhere: np.ndarray

    @property
    def points(self) -> Array:
        """Where the kinks are, (n, d)."""
        return self.line.points(self.line.kinks)

    @property
    def is_measured(self) -> np.ndarray:
        """(n,) whether the kink's row is known."""
        return np.isfinite(self.rows[:, 0])

    @property
    def directions(self) -> Array:
        """g_i / |g_i|, (n, K)."""
        size = np.linalg.norm(self.line.jumps, axis=1, keepdims=True)
        return self.line.jumps / np.where(size > 0, size, 1)

    @property
    def planes(self) -> Hyperplanes:
        """The hyperplane that bends the line at each kink, n of them."""
        return Hyperplanes(self.rows, self.points, self.line.jumps, self.errors)


def search_line(oracle: Oracle, rng: Generator) -> LineKinks:
    """A random line u + t v with u, v ~ N(0, I) and all its kinks; no rows yet.

    Costs about 5.5 queries per kink: every neuron of the first layer gives one, one of the second
    layer as many as the points where the line crosses its bent boundary, often none.
    """
    return on_line(oracle, lines.search(oracle, *rng.normal(size=(2, oracle.inputs))))


def on_line(oracle: Oracle, line: lines.Line) -> LineKinks:
    """The kinks of a line that was searched; no rows yet, and no queries."""
    noise = line.blurs
    n = len(line.kinks)
    blurs = jump_blurs(line, noise) if n else np.zeros(0)
    rows = np.full((n, oracle.inputs), np.nan)
    return LineKinks(
        line, noise, blurs, rows, np.full(n, np.inf), np.full(n, -1), [], np.zeros((n, 2), int)
    )


def ask_elsewhere(oracle: Reader, rng: Generator, kinks: LineKinks, which: np.ndarray) -> None:
    """Does the victim bend at other places of these kinks' hyperplanes? Sets `elsewhere`.

        y ~ N(0, I), moved to the hyperplane:   f(y + δ n) - 2 f(y) + f(y - δ n)  above the noise

    Where nothing changes along n all neurons behind are off, and the place tells nothing; neither
    does one from where the hyperplane is not known to half of δ. Costs 3 queries a place.
    """
    for kink in which:
        size = np.linalg.norm(kinks.rows[kink])
        normal, point = kinks.rows[kink] / size, kinks.points[kink]
        y = rng.normal(size=(PLACES, oracle.inputs))
        y -= ((y - point) @ normal)[:, None] * normal
        step = BESIDE * (1 + np.linalg.norm(y, axis=1))
        off = kinks.errors[kink] / size * np.linalg.norm(y - point, axis=1)
        beside = step[:, None] * normal
        f = read(oracle, np.vstack([y - beside, y, y + beside])).astype(float)
        noise = LOUD * oracle.sigma(f).max()
        left, here, right = np.split(f, 3)
        bends = np.abs(left - 2 * here + right).max(axis=1) > noise
        telling = (np.abs(right - left).max(axis=1) > noise) & (OFF * off < step / 2)
        kinks.elsewhere[kink] += [(bends & telling).sum(), telling.sum()]


def measure_rows(oracle: Oracle, kinks: LineKinks, box: Box | None = None) -> None:
    """Rows of all kinks that have none, out of Jacobians in the widest gaps.

    Two kinks of one deep neuron have parallel g, so that no group may hold both: the planner keeps
    them apart, as it weighs the smallest singular value. Rows that fail a·v = 1 stay NaN.
    box : walls that no difference step may leave
    Costs d + 1 queries per Jacobian, about one for every K kinks, and the repetitions.
    """
    wanted = ~kinks.is_measured
    if wanted.any():
        _measure(oracle, kinks, plan(kinks.line, kinks.noise, wanted), box)


def measure_faint(oracle: Oracle, kinks: LineKinks) -> None:
    """Once more the rows of kinks that hardly bend the answers, each between two Jacobians.

    In a group of others their rows drown in the rounding of these, and before any row is known a
    small jump is taken for a long row, to which only tiny steps are allowed. Now they are known.
    Costs d + 1 queries per Jacobian, and nothing where all rows came out well.
    """
    line, is_measured, size = (
        kinks.line,
        kinks.is_measured,
        np.linalg.norm(kinks.line.jumps, axis=1),
    )
    if not is_measured.any():
        return
    lengths = np.linalg.norm(kinks.rows, axis=1) / np.sqrt(kinks.rows.shape[1])
    entries = np.where(is_measured, np.abs(kinks.rows).max(axis=1), largest_entries(line))
    t, steps = places(line, kinks.noise, entries)
    rounding = np.interp(t, line.t, kinks.noise) / steps
    alone = np.maximum(rounding[:-1], rounding[1:]) / size  # (n,) error between the two gaps
    faint = is_measured & (kinks.first < 0) & (kinks.errors > FAINT * lengths)
    faint &= alone < BETTER * kinks.errors
    if faint.any():
        kinks.rows[faint] = np.nan
        groups = [(int(kink), int(kink) + 1) for kink in np.flatnonzero(faint)]
        _measure(oracle, kinks, Plan(groups, t, steps, []))


def _measure(oracle: Oracle, kinks: LineKinks, chosen: Plan, box: Box | None = None) -> None:
    wanted = ~kinks.is_measured
    sites = planned_sites(kinks.line, chosen, kinks.noise, box)
    rows = measure_groups(oracle, kinks.line, chosen, sites, kinks.rows)
    kinks.rows = np.where(np.isfinite(kinks.rows), kinks.rows, rows)
    for a, b in chosen.groups:
        mine = np.arange(a, b)[wanted[a:b]]
        pair = sites[a], sites[b]
        kinks.errors[mine] = row_errors(
            kinks.line.jumps[mine], kinks.rows[mine], kinks.blurs[mine], pair
        )
    kinks.sites += [site for site in sites.values() if site.passed]
