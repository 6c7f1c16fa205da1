"""Rows out of Jacobians: between two sites of a line each kink adds a matrix of rank one.

J(t_b) - J(t_a)  =  Σ_{a < i ≤ b} g_i a_iᵀ,     a_i·v = 1
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mstheft import progress
from mstheft.direct.box import Box
from mstheft.direct.hyperplanes.jacobians import JacobianSite, measure, repeat, site_at
from mstheft.direct.hyperplanes.plan import Plan
from mstheft.direct.line import Line
from mstheft.typing import Array, Oracle

TRIES = 6  # rounds of repeated Jacobians before their rows are left to another line
NEAR = 0.9  # of the way to a hyperplane: a step that went so far may have crossed it
WHOLE = 3  # rounds after which a Jacobian that still fails is repeated whole


def planned_sites(
    line: Line, plan: Plan, noise: Array, box: Box | None = None
) -> dict[int, JacobianSite]:
    """The sites of a plan by gap, with nothing asked yet."""
    return {gap: site_at(line, plan.t[gap], plan.steps[gap], noise, box) for gap in plan.gaps}


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


def solve_groups(
    line: Line, plan: Plan, sites: Mapping[int, JacobianSite], known_rows: Array
) -> Array:
    """Rows of all groups, (n, d); NaN where a Jacobian is no number.

    known_rows : (n, d) rows with a·v = 1 of the kinks known before, NaN for the others
    """
    rows, is_known = known_rows.copy(), np.isfinite(known_rows[:, 0])
    for a, b in plan.groups:
        inside = np.arange(a, b)
        new, old = inside[~is_known[a:b]], inside[is_known[a:b]]
        change = sites[b].jacobian - sites[a].jacobian - line.jumps[old].T @ known_rows[old]
        if np.isfinite(change).all():
            rows[new] = solve_group(line.jumps[new], change)
    return rows


def crossed(site: JacobianSite, kinks: Array, rows: Array) -> np.ndarray:
    """Columns of a Jacobian whose step may have met the hyperplane of a kink of the line.

        |a_ij| c_j  ≥  0.9 |t - t_i|

    A step that crosses is cut short: the a_ij solved from it is |t - t_i| / c_j exactly, so that
    it gives itself away.
    """
    solved = np.isfinite(rows[:, 0])
    entries, away = np.abs(rows[solved]), np.abs(site.t - kinks[solved])[:, None]
    met = (entries >= NEAR * away / np.abs(site.steps)).any(axis=0)
    return np.flatnonzero(met | ~np.isfinite(site.jacobian).all(axis=0))


def measure_groups(
    oracle: Oracle, line: Line, plan: Plan, sites: Mapping[int, JacobianSite], known_rows: Array
) -> Array:
    """Measure the planned Jacobians, solve all groups, and repeat whatever fails its check.

    A Jacobian that fails J v = slope is repeated at an eighth of the step: at first only the
    columns that the solved rows accuse, in the end whole. What never passes is left as NaN.

    sites : by gap, not measured yet unless their Jacobian comes from a copy
    Returns (n, d) rows with a·v = 1. Costs (d + 1) queries per Jacobian and the repetitions.
    """
    to_measure = [site for site in sites.values() if not site.from_copy]
    with progress.bar("Jacobians", len(to_measure), "Jacobian") as bar:
        for site in to_measure:
            measure(oracle, site)
            bar.update(1)
    for turn in range(TRIES):
        rows = solve_groups(line, plan, sites, known_rows)
        failed = [site for site in sites.values() if not site.passed]
        if not failed:
            return rows
        for site in failed:
            columns = crossed(site, line.kinks, rows)
            some = 0 < len(columns) < len(site.point) / 2
            repeat(oracle, site, columns if some and turn < WHOLE else None)
    rows = solve_groups(line, plan, sites, known_rows)
    for a, b in plan.groups:
        if not (sites[a].passed and sites[b].passed):
            rows[a:b][np.isnan(known_rows[a:b, 0])] = np.nan
    return rows


def row_errors(
    jumps: Array, rows: Array, blurs: Array, sites: tuple[JacobianSite, JacobianSite]
) -> Array:
    """Expected error of an entry of each row of a group, (m,): rounding, and that of the g_i.

    The rows are G⁺ times a change of the Jacobian, and so is their error: rounding over the
    difference step in every entry, and Σ_i δg_i a_iᵀ for slope jumps that are off by δg_i.

    jumps, rows, blurs : of the m kinks that were solved for: g_i, a_i and |δg_i| / |g_i|
    sites : where the two Jacobians were measured
    """
    rounding = np.linalg.norm([site.noise / np.abs(site.steps).min() for site in sites])
    entries = np.abs(rows).max(axis=1) * np.linalg.norm(jumps, axis=1)
    off = float(np.linalg.norm(blurs * np.where(np.isfinite(entries), entries, 0)))
    return np.linalg.norm(np.linalg.pinv(jumps), axis=0) * (rounding + off)  # pinv: (K, m)
