"""Rows out of groups of Jacobians, against the truth and with planted faults."""

from types import SimpleNamespace

import numpy as np
import pytest
from known_line import known

from mstheft.direct.hyperplanes import groups, plan
from mstheft.oracle import Oracle


def test_crossed_by_hand():
    place = SimpleNamespace(
        t=1.0, steps=np.array([0.5, -0.5, 0.5]), jacobian=np.array([[0, 0, np.nan]])
    )
    rows = np.array([[1.0, -3.9, 0], [np.nan] * 3, [0.1, 0.1, 0.1]])
    found = groups.crossed(place, np.array([3.0, 1.0, -5.0]), rows)
    assert found.tolist() == [1, 2]  # 3.9 · 0.5 = 0.975 of the way 2; and what is no number
    rows[0, 1] = 3.0
    assert groups.crossed(place, np.array([3.0, 1.0, -5.0]), rows).tolist() == [2]


def test_solve_group_by_hand():
    """Two neurons with g = (1, 0), (1, 2) and rows (1, 2, 3), (0, 1, 0)."""
    jumps = np.array([[1.0, 0], [1, 2]])
    rows = np.array([[1.0, 2, 3], [0, 1, 0]])
    change = np.array([[1.0, 3, 3], [0, 2, 0]])
    np.testing.assert_allclose(groups.solve_group(jumps, change), rows, atol=1e-14)
    with pytest.raises(ValueError, match="at most 1 kinks in a group, one per output, got 2"):
        groups.solve_group(jumps[:, :1], change[:1])


@pytest.mark.parametrize("longer", [1, 30, 1000])
def test_rows_come_out_right_whatever_the_first_steps_were(longer):
    case = known(d=30, h=20, K=4)
    chosen = plan.plan(case.line, case.noise)
    chosen.steps *= longer
    sites = groups.planned_sites(case.line, chosen, case.noise)
    unknown = np.full(case.planes.rows.shape, np.nan)
    rows = groups.measure_groups(case.oracle, case.line, chosen, sites, unknown)
    np.testing.assert_allclose(rows, case.planes.rows, atol=1e-6, rtol=1e-6)
    np.testing.assert_allclose(rows @ case.line.direction, 1, atol=1e-7)
    whole = len(sites) * 31
    assert whole <= case.oracle.count < (1.5 if longer == 1 else 7) * whole


def test_a_jacobian_that_never_passes_gives_no_row():
    """A victim that is curved off the line: no step is small enough."""
    case = known(d=5, h=3, K=2)
    across = np.linalg.qr(np.column_stack([case.line.direction, np.eye(5)[:, :4]]))[0][:, 1:]

    def curved(x):
        return case.victim.logits(x) + (((x - case.line.start) @ across) ** 2).sum(1)[:, None] * 1e6

    chosen = plan.plan(case.line, case.noise)
    sites = groups.planned_sites(case.line, chosen, case.noise)
    oracle = Oracle(curved, inputs=5)
    unknown = np.full(case.planes.rows.shape, np.nan)
    rows = groups.measure_groups(oracle, case.line, chosen, sites, unknown)
    assert np.isnan(rows).all()
    assert oracle.count < len(sites) * 6 * 8


def test_known_rows_are_taken_off_a_group():
    case = known(d=10, h=6, K=3)
    unknown = np.arange(6) == 2
    chosen = plan.plan(case.line, case.noise, unknown)
    sites = groups.planned_sites(case.line, chosen, case.noise)
    others = np.where(unknown[:, None], np.nan, case.planes.rows)
    rows = groups.measure_groups(case.oracle, case.line, chosen, sites, others)
    np.testing.assert_allclose(rows[2], case.planes.rows[2], atol=1e-7)
    assert case.oracle.count <= 2 * 11
