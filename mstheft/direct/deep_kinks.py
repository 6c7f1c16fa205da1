"""Kinks of a deep network on a line: where they are, and the pair (g, a) of each.

At any kink, of whatever layer, the Jacobian changes by a matrix of rank one:

    J(right) - J(left)  =  g aᵀ,     a·v = 1

g is the slope jump that the line search sees; a comes from the grouped Jacobians of the sweep,
which know nothing of layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mstheft.direct import line as lines
from mstheft.direct.sweep import planned_places
from mstheft.direct.sweep_groups import measure_groups
from mstheft.direct.sweep_jacobians import Stand, noise_along
from mstheft.direct.sweep_neurons import jump_blurs
from mstheft.direct.sweep_plan import plan
from mstheft.nn.functions import Array


@dataclass
class Bends:
    """A line, and what is known of its n kinks.

    line : its kinks t_i and slope jumps g_i
    noise : (m,) rounding of the line's answers; blurs : (n,) relative rounding of each g_i
    rows : (n, d) a_i with a_i·v = 1, NaN where it was not measured or failed its self-check
    first : (n,) which neuron of the first layer, -1 for none that is known
    stands : the places at which Jacobians were measured
    """

    line: lines.Line
    noise: Array
    blurs: Array
    rows: Array
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


def look(oracle: Any, rng: np.random.Generator) -> Bends:
    """A random line u + t v with u, v ~ N(0, I) and all its kinks; no rows yet.

    Costs about 5.5 queries per kink: every neuron of the first layer gives one, one of the second
    layer as many as its bent boundary meets the line, often none.
    """
    line = lines.search(oracle, *rng.normal(size=(2, oracle.inputs)))
    noise = noise_along(oracle, line)
    n = len(line.kinks)
    blurs = jump_blurs(line, noise) if n else np.zeros(0)
    return Bends(line, noise, blurs, np.full((n, oracle.inputs), np.nan), np.full(n, -1), [])


def measure_rows(oracle: Any, bends: Bends) -> None:
    """Rows of all kinks that have none, out of Jacobians in the widest gaps.

    Two kinks of one deep neuron have parallel g, so that no group may hold both: the planner keeps
    them apart, as it looks at the smallest singular value. Rows that fail a·v = 1 stay NaN.
    Costs d + 1 queries per Jacobian, about one for every K kinks, and the repetitions.
    """
    line, unknown = bends.line, ~bends.measured
    if not unknown.any():
        return
    told = np.zeros(len(unknown) + 1, bool)
    chosen = plan(line, bends.noise, unknown, told)
    places = planned_places(line, chosen, bends.noise, None, told, None)
    rows = measure_groups(oracle, line, chosen, places, bends.rows)
    bends.rows = np.where(np.isfinite(bends.rows), bends.rows, rows)
    bends.stands += [place for place in places.values() if place.passed]
