"""Stage 5: input weights across the subspace."""

import mpmath
import numpy as np
import pytest
from smooth_victims import ALL, started
from victims import victim_of

from mstheft.compare import alignment as symmetry
from mstheft.direct.smooth import attack, input_weights
from mstheft.direct.smooth.lines import SmoothNetwork
from mstheft.errors import ExtractionError


@pytest.mark.parametrize("act", ALL)
def test_columns_are_a0_across_the_subspace(act):
    victim = victim_of(4, 60, 8, 3, act)
    oracle, rng, result, space, network = started(victim, act)
    network, sites = attack.fit_inside(oracle, space, network, result, rng)
    before = oracle.count
    found = input_weights.measure(oracle, space, network, sites, rng)
    assert oracle.count - before == (60 - 8) * (int(np.ceil(8 / 3)) + 1)
    assert np.abs(space.axes.T @ found.directions).max() < 1e-12
    model = attack.assemble(oracle, space, network, found)
    assert symmetry.align(victim, model).error < 1e-10


def test_one_column_by_hand():
    """tanh, one neuron, A1 = 2, b1 = 1, z = 0.3: answer 1 + 2 tanh(0.3 + 0.5 a) with a = 0.8."""
    neurons = SmoothNetwork(np.eye(1), np.zeros(1), np.array([[2.0]]), np.ones(1), "tanh")
    answers = np.array([[[float(1 + 2 * mpmath.tanh(mpmath.mpf("0.7")))]]])
    column, miss = input_weights.solve(neurons, np.array([[0.3]]), answers, 0.5)
    np.testing.assert_allclose(column, [[0.8]], rtol=1e-13)
    assert miss.max() < 1e-14


def test_a_direction_that_contradicts_itself_is_named():
    victim = victim_of(4, 20, 4, 2, "tanh")
    oracle, rng, result, space, network = started(victim, "tanh")
    network, sites = attack.fit_inside(oracle, space, network, result, rng)
    network.weights = network.weights * (1 + 1e-3)
    with pytest.raises(ExtractionError, match="stage 'columns'"):
        input_weights.measure(oracle, space, network, sites, rng)
