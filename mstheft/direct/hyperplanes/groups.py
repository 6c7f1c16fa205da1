"""Rows out of Jacobians: between two places of a line each kink adds a matrix of rank one.

J(t_b) - J(t_a)  =  Σ_{a < i ≤ b} g_i a_iᵀ,     a_i·v = 1
"""

from __future__ import annotations

import numpy as np

from mstheft import progress
from mstheft.direct.hyperplanes.jacobians import Stand, measure, repeat
from mstheft.direct.hyperplanes.plan import Plan
from mstheft.direct.line import Line
from mstheft.typing import Array, Oracle

TRIES = 6  # rounds of repeated Jacobians before their rows are left to another line
NEAR = 0.9  # of the way to a hyperplane: a step that went so far may have crossed it
WHOLE = 3  # rounds after which a Jacobian that still fails is repeated whole


def solve_group(jumps: Array, change: Array) -> Array:
    """The rows of one group by least squares.

        change = Σ_i g_i a_iᵀ :   K d equations for m d unknowns, m ≤ K

    jumps : (m, K) the g_i; change : (K, d)
    Returns (m, d). Raises ValueError for more rows than can be solved for.
    """
    if len(jumps) > len(change):
        raise ValueError(
            f"expected at most {len(change)} kinks in a group, one per output, got {len(jumps)}; "
            "measure another Jacobian between them"
        )
    size = np.linalg.norm(jumps, axis=1)[:, None]
    return np.linalg.lstsq((jumps / size).T, change, rcond=None)[0] / size


def solve_groups(line: Line, plan: Plan, stands: dict[int, Stand], known: Array) -> Array:
    """Rows of all groups whose two Jacobians pass their check; NaN for what is not known.

    known : (n, d) rows with a·v = 1 of the kinks known before, NaN for the others
    Returns (n, d).
    """
    rows = known.copy()
    old = np.isfinite(known[:, 0])
    for a, b in plan.groups:
        inside = np.arange(a, b)
        new, told = inside[~old[a:b]], inside[old[a:b]]
        change = stands[b].jacobian - stands[a].jacobian - line.jumps[told].T @ known[told]
        if np.isfinite(change).all():
            rows[new] = solve_group(line.jumps[new], change)
    return rows


def crossed(place: Stand, kinks: Array, rows: Array) -> np.ndarray:
    """Columns of a Jacobian whose step may have met the hyperplane of a kink of the line.

        |a_ij| c_j  ≥  0.9 |t - t_i|

    A step that crosses is cut short: the a_ij solved from it is |t - t_i| / c_j exactly, so that
    it gives itself away.
    """
    known = np.isfinite(rows[:, 0])
    entries, away = np.abs(rows[known]), np.abs(place.t - kinks[known])[:, None]
    met = (entries >= NEAR * away / np.abs(place.steps)).any(axis=0)
    return np.flatnonzero(met | ~np.isfinite(place.jacobian).all(axis=0))


def measure_groups(
    oracle: Oracle, line: Line, plan: Plan, stands: dict[int, Stand], known: Array
) -> Array:
    """Measure the planned Jacobians, solve all groups, and repeat whatever fails its check.

    A Jacobian that fails J v = slope is repeated at an eighth of the step: at first only the
    columns that the solved rows accuse, in the end whole. What never passes is left as NaN.

    stands : by gap, not measured yet unless `told`
    Returns (n, d) rows with a·v = 1. Costs (d + 1) queries per Jacobian and the repetitions.
    """
    asked = [place for place in stands.values() if not place.told]
    with progress.bar("Jacobians", len(asked), "Jacobian") as bar:
        for place in asked:
            measure(oracle, place)
            bar.update(1)
    for round_ in range(TRIES):
        rows = solve_groups(line, plan, stands, known)
        failed = [place for place in stands.values() if not place.passed]
        if not failed:
            return rows
        for place in failed:
            columns = crossed(place, line.kinks, rows)
            whole = round_ >= WHOLE or not 0 < len(columns) < len(place.point) / 2
            repeat(oracle, place, None if whole else columns)
    rows = solve_groups(line, plan, stands, known)
    for a, b in plan.groups:
        if not (stands[a].passed and stands[b].passed):
            new = np.arange(a, b)[~np.isfinite(known[a:b, 0])]
            rows[new] = np.nan
    return rows
