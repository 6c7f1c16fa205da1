"""All orientations at once, out of answers that are paid for."""

import numpy as np
from known_line import known, sites_of
from victims import error_of, fresh

from mstheft.direct.hyperplanes.hyperplanes import oriented
from mstheft.direct.sweep import signs as signs_of
from mstheft.nn import zoo


def test_signs_come_out_as_one_by_themselves():
    case = known()
    _, sites = sites_of(case)
    sites = list(sites.values())
    odd = signs_of.odd_part(sites, case.planes)
    true = (case.planes.outputs * case.signs[:, None]).T @ case.planes.rows
    np.testing.assert_allclose(odd, true, atol=1e-8)
    solved = signs_of.solve_signs(odd, case.planes.rows, case.planes.outputs)
    np.testing.assert_allclose(solved, case.signs, atol=1e-6)
    assert signs_of.believed(solved)
    a0, b0, a1 = oriented(case.planes, case.signs)
    bias = signs_of.last_bias(sites, a0, b0, a1)
    np.testing.assert_allclose(bias, case.victim.dense()[1][1], atol=1e-10)
    copy = zoo.given([(a0, b0), (a1, bias)])
    assert error_of(case.victim, copy, fresh(12)) < 1e-9


def test_a_wrong_row_shows_in_the_signs():
    case = known()
    _, sites = sites_of(case)
    case.planes.rows[4] += np.random.default_rng(0).normal(size=12)
    odd = signs_of.odd_part(list(sites.values()), case.planes)
    solved = signs_of.solve_signs(odd, case.planes.rows, case.planes.outputs)
    assert not signs_of.believed(solved)


def test_a_neuron_that_never_switched_is_noticed():
    """Even where the signs of all the others come out well."""
    case = known()
    _, sites = sites_of(case)
    sites = list(sites.values())
    odd = (case.planes.outputs * case.signs[:, None]).T @ case.planes.rows
    assert signs_of.explained(sites, odd, case.planes, case.signs)
    odd += 0.1 * np.outer(case.planes.outputs[0], case.planes.rows[0])
    assert not signs_of.explained(sites, odd, case.planes, case.signs)


def test_more_neurons_than_equations_leave_the_signs_open():
    rng = np.random.default_rng(0)
    rows, outputs = rng.normal(size=(7, 3)), rng.normal(size=(7, 2))
    solved = signs_of.solve_signs(np.zeros((2, 3)), rows, outputs)
    assert np.isnan(solved).all()
    assert not signs_of.believed(solved)
    signs = np.array([1.0, -1, 1, 1, -1, -1])
    odd = (outputs[:6] * signs[:, None]).T @ rows[:6]
    np.testing.assert_allclose(signs_of.solve_signs(odd, rows[:6], outputs[:6]), signs)
