"""Which neurons of a layer could go: the cost of dropping one, by formula and by doing it."""

import itertools

import numpy as np
import pytest

from mstheft.nn import gauss_newton as gn
from mstheft.nn import pruning


def a_pass(widths=(5, 6, 4, 3), n=400, seed=0):
    rng = np.random.default_rng(seed)
    pairs = itertools.pairwise(widths)
    weights = [rng.normal(size=(b, a + 1)) for a, b in pairs]
    x = gn.with_ones(rng.normal(size=(n, widths[0])))
    return gn.forward(weights, ["relu"] * (len(widths) - 2), x)


def test_the_cost_is_what_a_refitted_next_layer_misses():
    here = a_pass()
    H = here.inputs[1]
    z = H @ here.weights[1].T
    one = pruning.eliminate(H, z, 1)
    misses = []
    for i in range(6):
        kept = [k for k in range(6) if k != i]
        places = [*kept, -1]
        misses.append(np.sum((H[:, places] @ pruning.refitted(H[:, places], z).T - z) ** 2))
    assert one.order == [int(np.argmin(misses))]
    assert one.costs[0] == pytest.approx(min(misses) / len(H), rel=1e-6)


def test_sensitivity_is_that_of_the_jacobian():
    """G = E[Σ_k ∇f_k ∇f_kᵀ] from random signs; measured 6 % off with 4 x 400 of them."""
    here = a_pass()
    wanted = np.zeros((4, 4))
    for k in range(3):
        seed = np.zeros(here.logits.shape)
        seed[:, k] = 1
        g = here.gradients(seed)[1]
        wanted += g.T @ g / len(g)
    got = pruning.sensitivity(here, 1, np.random.default_rng(1))
    assert np.abs(got - wanted).max() < 0.2 * np.abs(wanted).max()
    assert np.abs(got - 2 * wanted).max() > 0.2 * np.abs(wanted).max()


@pytest.mark.parametrize("layer", [0, 1])
def test_what_hardly_counts_is_pruned_and_the_gap_is_told(layer):
    here = a_pass()
    weights = [each.copy() for each in here.weights]
    weights[layer + 1][:, 2] *= 1e-4
    faint = gn.forward(weights, ["relu"] * 2, here.inputs[0])
    left, gap = pruning.prune(faint, layer, 1e-3, np.random.default_rng(0))
    assert len(left[layer]) == len(weights[layer]) - 1
    assert not (left[layer] == weights[layer][2]).all(axis=1).any()
    assert 10 < gap < 1e4
    after = gn.forward(left, ["relu"] * 2, here.inputs[0])
    assert np.sqrt(np.mean((after.logits - faint.logits) ** 2)) < 1e-3


def test_below_the_misfit_nothing_counts():
    """Where the student is wrong by 100 no neuron is worth more than that: there is no gap."""
    _, gap = pruning.prune(a_pass(), 0, 100.0, np.random.default_rng(0))
    assert gap == 1


@pytest.mark.parametrize("layer", [0, 1])
def test_a_mirrored_neuron_is_turned_and_what_held_its_linear_part_goes(layer):
    """relu(z) as relu(-z) and z, where z is held by a neuron that is always on."""
    here = a_pass()
    weights = [each.copy() for each in here.weights]
    row, out = weights[layer][2].copy(), weights[layer + 1][:, 2:3].copy()
    weights[layer][2] = -row
    always = row + 1e3 * np.eye(len(row))[-1]
    weights[layer] = np.vstack([weights[layer], always])
    before = weights[layer + 1]
    weights[layer + 1] = np.hstack([before[:, :-1], out, before[:, -1:] - 1e3 * out])
    mirrored = gn.forward(weights, ["relu"] * 2, here.inputs[0])
    assert np.allclose(mirrored.logits, here.logits)
    left, gap = pruning.prune(mirrored, layer, 1e-3, np.random.default_rng(0))
    assert gap > 5
    assert len(left[layer]) == len(here.weights[layer])
    assert np.isclose(left[layer], row).all(axis=1).any()
    assert np.allclose(gn.forward(left, ["relu"] * 2, here.inputs[0]).logits, here.logits)
