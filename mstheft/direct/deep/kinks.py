"""Kinks of a deep network on a line: where they are, and the pair (g, a) of each.

At any kink, of whatever layer, the Jacobian changes by a matrix of rank one:

    J(right) - J(left)  =  g aᵀ,     a·v = 1

g is the slope jump that the line search sees; a comes from the grouped Jacobians of the sweep,
which know nothing of layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mstheft.direct import line as lines
from mstheft.direct.hyperplanes.groups import measure_groups
from mstheft.direct.hyperplanes.hyperplanes import jump_blurs
from mstheft.direct.hyperplanes.jacobians import Stand, noise_along
from mstheft.direct.hyperplanes.plan import Plan, largest_entries, places, plan
from mstheft.direct.sweep.attack import planned_places
from mstheft.direct.sweep.box import Box
from mstheft.typing import Array, Oracle

FAINT = 1e-5  # relative error from which a row is measured again, alone
BETTER = 0.1  # of its error that is left then, or it is not worth the queries


@dataclass
class Bends:
    """A line, and what is known of its n kinks.

    line : its kinks t_i and slope jumps g_i
    noise : (m,) rounding of the line's answers; blurs : (n,) relative rounding of each g_i
    rows : (n, d) a_i with a_i·v = 1, NaN where it was not measured or failed its self-check
    errors : (n,) expected error of an entry of a_i, from the rounding of the answers
    first : (n,) which neuron of the first layer, -1 for none that is known
    stands : the places at which Jacobians were measured
    """

    line: lines.Line
    noise: Array
    blurs: Array
    rows: Array
    errors: Array
    first: np.ndarray
    stands: list[Stand]

    @property
    def points(self) -> Array:
        """Where the kinks are, (n, d)."""
        return self.line.points(self.line.kinks)

    @property
    def measured(self) -> np.ndarray:
        """(n,) of which kinks the row is known."""
        return np.isfinite(self.rows[:, 0])

    @property
    def directions(self) -> Array:
        """g_i / |g_i|, (n, K)."""
        size = np.linalg.norm(self.line.jumps, axis=1, keepdims=True)
        return self.line.jumps / np.where(size > 0, size, 1)


def look(oracle: Oracle, rng: np.random.Generator) -> Bends:
    """A random line u + t v with u, v ~ N(0, I) and all its kinks; no rows yet.

    Costs about 5.5 queries per kink: every neuron of the first layer gives one, one of the second
    layer as many as its bent boundary meets the line, often none.
    """
    return on_line(oracle, lines.search(oracle, *rng.normal(size=(2, oracle.inputs))))


def on_line(oracle: Oracle, line: lines.Line) -> Bends:
    """The kinks of a line that was searched; no rows yet, and no queries."""
    noise = noise_along(oracle, line)
    n = len(line.kinks)
    blurs = jump_blurs(line, noise) if n else np.zeros(0)
    rows = np.full((n, oracle.inputs), np.nan)
    return Bends(line, noise, blurs, rows, np.full(n, np.inf), np.full(n, -1), [])


def measure_rows(oracle: Oracle, bends: Bends, box: Box | None = None) -> None:
    """Rows of all kinks that have none, out of Jacobians in the widest gaps.

    Two kinks of one deep neuron have parallel g, so that no group may hold both: the planner keeps
    them apart, as it looks at the smallest singular value. Rows that fail a·v = 1 stay NaN.
    box : walls that no difference step may leave
    Costs d + 1 queries per Jacobian, about one for every K kinks, and the repetitions.
    """
    line, unknown = bends.line, ~bends.measured
    if not unknown.any():
        return
    told = np.zeros(len(unknown) + 1, bool)
    chosen = plan(line, bends.noise, unknown, told)
    _measure(oracle, bends, chosen, box)


def measure_faint(oracle: Oracle, bends: Bends) -> None:
    """Once more the rows of kinks that hardly bend the answers, each between two Jacobians.

    In a group of others their rows drown in the rounding of these, and before any row is known a
    small jump is taken for a long row, to which only tiny steps are allowed. Now the rows tell.
    Costs d + 1 queries per Jacobian, and nothing where all rows came out well.
    """
    line, size = bends.line, np.linalg.norm(bends.line.jumps, axis=1)
    if not bends.measured.any():
        return
    lengths = np.linalg.norm(bends.rows, axis=1) / np.sqrt(bends.rows.shape[1])
    entries = np.where(bends.measured, np.abs(bends.rows).max(axis=1), largest_entries(line))
    t, steps = places(line, bends.noise, entries)
    rounding = np.interp(t, line.t, bends.noise) / steps
    alone = np.maximum(rounding[:-1], rounding[1:]) / size
    faint = bends.measured & (bends.first < 0) & (bends.errors > FAINT * lengths)
    faint &= alone < BETTER * bends.errors
    if not faint.any():
        return
    bends.rows[faint] = np.nan
    groups = [(int(kink), int(kink) + 1) for kink in np.flatnonzero(faint)]
    _measure(oracle, bends, Plan(groups, t, steps, []))


def _measure(oracle: Oracle, bends: Bends, chosen: Plan, box: Box | None = None) -> None:
    line, unknown = bends.line, ~bends.measured
    told = np.zeros(len(unknown) + 1, bool)
    stands = planned_places(line, chosen, bends.noise, None, told, box)
    rows = measure_groups(oracle, line, chosen, stands, bends.rows)
    bends.rows = np.where(np.isfinite(bends.rows), bends.rows, rows)
    for a, b in chosen.groups:
        mine = np.arange(a, b)[unknown[a:b]]
        bends.errors[mine] = row_errors(bends, mine, (stands[a], stands[b]))
    bends.stands += [place for place in stands.values() if place.passed]


def row_errors(bends: Bends, kinks: np.ndarray, places: tuple[Stand, Stand]) -> Array:
    """Expected error of an entry of each row of a group, (m,): rounding, and that of the g_i.

    The rows are G⁺ times a change of the Jacobian, and so is their error: rounding over the
    difference step in every entry, and Σ_i δg_i a_iᵀ for slope jumps that are off by δg_i.

    kinks : (m,) which were solved for; places : where the two Jacobians were measured
    """
    jumps, rows = bends.line.jumps[kinks], bends.rows[kinks]
    rounding = np.linalg.norm([each.noise / np.abs(each.steps).min() for each in places])
    entries = np.abs(rows).max(axis=1) * np.linalg.norm(jumps, axis=1)
    off = float(np.linalg.norm(bends.blurs[kinks] * np.where(np.isfinite(entries), entries, 0)))
    return np.linalg.norm(np.linalg.pinv(jumps), axis=0) * (rounding + off)
