"""Jacobians by forward differences: right to 1e-12, rounding over steps of 1e-3 to 1."""

import numpy as np
import pytest
from known_line import known, sites_of

from mstheft.direct.hyperplanes import groups, jacobians


def test_a_jacobian_by_forward_differences_is_the_true_one():
    case = known()
    _, sites = sites_of(case)
    for site in sites.values():
        true = case.victim.jacobian(site.point[None])[0]
        np.testing.assert_allclose(site.jacobian, true, atol=1e-10)
        assert site.passed
        assert 0 <= site.miss <= site.allowed < 1e-8
    assert case.oracle.count == len(sites) * (12 + 1)


def test_a_step_across_a_hyperplane_is_seen_and_repeating_its_columns_mends_it():
    case = known()
    chosen, sites = sites_of(case)
    gap = chosen.gaps[1]
    site = sites[gap]
    away = np.abs(site.t - case.t)
    i = int(away.argmin())
    j = int(np.abs(case.planes.rows[i]).argmax())
    side = np.sign(case.t[i] - site.t) * np.sign(case.planes.rows[i, j])
    site.steps[j] = side * 2 * away[i] / abs(case.planes.rows[i, j])
    jacobians.measure(case.oracle, site, np.array([j]))
    assert not site.passed
    rows = groups.solve_groups(case.line, chosen, sites, np.full(case.planes.rows.shape, np.nan))
    assert j in groups.crossed(site, case.line.kinks, rows)
    before = case.oracle.count
    jacobians.repeat(case.oracle, site, np.array([j]))
    assert case.oracle.count == before + 1
    assert site.passed


def test_answers_that_are_no_numbers_fail_the_check():
    case = known()
    _, sites = sites_of(case)
    site = next(iter(sites.values()))
    site.jacobian[0, 3] = np.nan
    assert site.miss == np.inf
    assert not site.passed


def test_rounding_grows_with_what_all_columns_share():
    """The rounding of f(x) is the same in every column: J v adds it up when v c > 0 everywhere."""
    site = sites_of(known())[1][0]
    site.direction, site.noise = np.ones(12), 1.0
    site.steps = np.full(12, 0.5)
    assert site.blur_along(site.direction) == pytest.approx(24 + 2 * 12**0.5)
    site.steps[::2] *= -1
    assert site.blur_along(site.direction) == pytest.approx(2 * 12**0.5)
