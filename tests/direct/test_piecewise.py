"""Piecewise linear victims that are no dense ReLU network: what is copied, and what is not.

A copy is right when max |Δlogit| on 10,000 N(0, I) inputs is below 1e-6; measured 1e-8 or less.
"""

import numpy as np
import pytest
from piecewise_victims import DEEPER, MAX_POOLING, ONE_LAYER
from victims import fresh

from mstheft.direct import deep, sweep
from mstheft.errors import ExtractionError
from mstheft.oracle import Oracle

SEED = 3


def stolen(attack, victim, seed=1):
    """A verified copy, its widths, and how far it is off."""
    answers = victim.build(SEED)
    result = attack.extract(Oracle(answers, inputs=victim.d, budget=10_000), rng=seed)
    assert result.verified
    x = fresh(victim.d)
    widths = [len(b) for _, b in result.model.dense()[:-1]]
    return widths, np.abs(result.model.logits(x) - answers(x)).max()


# A kink is one neuron; a linear part is two for each output, as z = relu(z) - relu(-z).
WIDTHS = {
    "leaky ReLU, 20-10-5": 10 + 2 * 5,
    "leaky ReLU, 20-10-1": 10 + 2 * 1,
    "ReLU6, 20-10-5": 2 * 10,
    "hard tanh, 20-10-5": 2 * 10,
    "skip connection, 20-10-5": 10 + 2 * 5,
    "largest of two (maxout), 20-10-5": 10 + 2 * 5,
    "average pooling, 16-10-5": 10,
    "convolution, ReLU, dense": 4 * 4 * 2,
    "convolution with padding, ReLU, dense": 6 * 6 * 2,
    "convolution with stride 2, ReLU, dense": 3 * 3 * 2,
    "convolution, leaky ReLU, dense": 4 * 4 * 2 + 2 * 5,
    "convolution, ReLU, average pooling, dense": 4 * 4 * 2,
    "the same, one output": 4 * 4 * 2 + 2 * 1,
}


@pytest.mark.parametrize("name", ONE_LAYER)
def test_one_layer_of_kinks_is_copied_by_the_sweep(name):
    widths, error = stolen(sweep, ONE_LAYER[name])
    assert error < 1e-6
    assert widths == [WIDTHS[name]]


def test_two_victims_are_not_the_same():
    """The bound above is one that a copy of another victim does not meet."""
    x = fresh(20)
    for name in ("leaky ReLU, 20-10-5", "skip connection, 20-10-5"):
        one, other = (ONE_LAYER[name].build(seed)(x) for seed in (SEED, SEED + 1))
        assert np.abs(one - other).max() > 1


@pytest.mark.slow
def test_dense_layers_behind_a_convolution_are_copied_by_the_deep_attack():
    widths, error = stolen(deep, DEEPER["convolution of 1 filter, ReLU, dense, ReLU, dense"])
    assert error < 1e-6
    assert widths == [16, 8]


@pytest.mark.parametrize("name", MAX_POOLING)
def test_max_pooling_ends_in_an_error_that_holds_what_was_found(name):
    victim = MAX_POOLING[name]
    oracle = Oracle(victim.build(SEED), inputs=victim.d, budget=10_000)
    with pytest.raises(ExtractionError, match=r"the copy with \d+ neurons .* is off by") as caught:
        sweep.extract(oracle, rng=1)
    assert not caught.value.partial.verified
    assert len(caught.value.partial.trace.neurons) > 0
