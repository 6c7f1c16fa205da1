"""Refinement: every row against every Jacobian, at no cost."""

from dataclasses import replace

import numpy as np
import pytest
from known_line import known, sites_of

from mstheft.direct.hyperplanes import jacobians
from mstheft.direct.hyperplanes.hyperplanes import oriented
from mstheft.direct.sweep import attack, refine
from mstheft.result import Result


@pytest.mark.parametrize("signed", [True, False])
def test_refinement_mends_rows_at_no_cost(signed):
    case = known(d=20, h=12, K=5)
    _, sites = sites_of(case)
    sites, before = list(sites.values()), case.oracle.count
    true, offsets = case.planes.rows, case.planes.offsets
    rough = true + 1e-5 * np.random.default_rng(0).normal(size=true.shape)
    start = replace(case.planes, rows=rough, points=points_on(rough, offsets))
    rows = refine.refine_rows(sites, start, case.signs if signed else None)
    assert np.abs(rows - true).max() < 1e-3 * np.abs(rough - true).max()
    assert case.oracle.count == before
    worse, better = (
        refine.misfit(
            sites,
            *oriented(replace(case.planes, rows=each, points=points_on(each, offsets)), case.signs),
        )
        for each in (rough, rows)
    )
    assert better < 1e-10 < worse


def points_on(rows, offsets):
    """Points at which the hyperplanes with these rows have these offsets."""
    return -(offsets / (rows**2).sum(axis=1))[:, None] * rows


def test_misfit_compares_crossings_as_they_were_asked():
    case = known()
    _, sites = sites_of(case)
    site = list(sites.values())[1]
    site.steps[:] = 3.0
    jacobians.measure(case.oracle, site)
    assert not site.passed
    assert refine.misfit([site], *oriented(case.planes, case.signs)) < 1e-12


def test_what_the_jacobians_do_not_determine_stays():
    case = known()
    _, sites = sites_of(case)
    rows = refine.refine_rows([next(iter(sites.values()))], case.planes, case.signs)
    np.testing.assert_allclose(rows, case.planes.rows, atol=1e-7)


@pytest.mark.parametrize(("roundings", "taken"), [(1e3, True), (1e5, False)])
def test_rows_are_refined_only_if_the_answers_are_then_met_to_rounding(roundings, taken):
    """Without one neuron no rows meet all answers, and the best compromise spoils right rows.

    The rounding of an answer is set so that the compromise misses by so many roundings.
    """
    case = known(d=20, h=12, K=5)
    _, sites = sites_of(case)
    lacking = case.planes.only(slice(11))
    result = Result(trace=attack.Trace(lacking, sites=list(sites.values())))
    for site in result.trace.sites:
        site.noise = 1.0
    attack.refine(result, case.signs[:11])
    for site in result.trace.sites:
        site.noise = result.trace.misfit[1] / roundings
    result.trace.neurons = lacking
    attack.refine(result, case.signs[:11])
    assert result.trace.misfit[1] < result.trace.misfit[0]
    assert (result.trace.neurons is not lacking) == taken
