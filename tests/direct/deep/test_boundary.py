"""Lifting: one kink and a walk along its boundary tell a neuron behind known layers."""

import numpy as np
import pytest
from deep_victims import deep_victim

from mstheft.direct.answers.reader import reader
from mstheft.direct.deep import boundary as bend
from mstheft.direct.deep import signs as turn
from mstheft.oracle import Oracle

SHAPES = [(5, 9, 4, 1), (8, 8, 10, 3), (12, 6, 5, 4, 2)]


def unsigned(victim, rng):
    """The first layer with signs at random, and these."""
    A0, b0 = victim.dense()[0]
    signs = rng.choice([-1.0, 1.0], len(b0))
    return bend.Prefix(victim.inputs, [], (signs[:, None] * A0, signs * b0)), signs


def kink(victim, neuron, rng):
    """A place where a neuron of the second layer switches, its row there, and its outputs."""
    (A0, b0), (A1, b1), (A2, _) = victim.dense()[:3]

    def value(x):
        return A1[neuron] @ np.maximum(A0 @ x + b0, 0) + b1[neuron]

    on, off = rng.normal(size=(2, victim.inputs))
    while value(on) <= 0 or value(off) > 0:
        on, off = rng.normal(size=(2, victim.inputs))
    for _ in range(60):
        middle = (on + off) / 2
        on, off = (middle, off) if value(middle) > 0 else (on, middle)
    return on, (A1[neuron] * (A0 @ on + b0 > 0)) @ A0, A2[:, neuron]


def lifted_weights(victim, neuron, prefix, signs):
    """w of the neuron in [|z| x 1]."""
    (A0, b0), (A1, b1) = victim.dense()[:2]
    half = A1[neuron] / 2
    return np.concatenate([half, half @ A0, [b1[neuron] + half @ b0]])


@pytest.mark.parametrize("shape", SHAPES[:2])
def test_a_walk_tells_all_weights_of_a_neuron(shape):
    rng = np.random.default_rng(1)
    victim = deep_victim(1, shape)
    oracle = reader(Oracle(victim))
    prefix, signs = unsigned(victim, rng)
    found, left = bend.begin(prefix, *kink(victim, 0, rng))
    assert left < 1e-9
    before, unknown = oracle.count, found.free.shape[1]
    assert unknown > 0
    assert bend.explore(oracle, prefix, found, rng)
    assert found.free.shape[1] <= 1
    assert found.is_steady
    off = found.weights - lifted_weights(victim, 0, prefix, signs)
    assert np.abs(off - found.free @ (found.free.T @ off)).max() < 1e-6
    assert oracle.count - before < 12 * unknown


def test_signs_of_more_neurons_than_inputs_are_solved_for():
    rng = np.random.default_rng(2)
    victim = deep_victim(1, SHAPES[0])
    prefix, signs = unsigned(victim, rng)
    neurons = [
        bend.Boundary(lifted_weights(victim, n, prefix, signs), np.zeros((15, 0)), np.ones(1), [])
        for n in range(4)
    ]
    np.testing.assert_allclose(turn.signs_of(prefix, neurons), signs, atol=1e-9)
    now, turned = turn.oriented(prefix, neurons, signs)
    A1, b1 = victim.dense()[1]
    np.testing.assert_allclose([each.weights[:-1] for each in turned], A1, atol=1e-9)
    np.testing.assert_allclose([each.weights[-1] for each in turned], b1, atol=1e-9)
    assert now.last is None


def test_signs_that_are_not_determined_are_carried_as_pairs():
    """One neuron, 9 signs, 5 equations: any signs give the same function."""
    rng = np.random.default_rng(3)
    victim = deep_victim(1, SHAPES[0])
    prefix, signs = unsigned(victim, rng)
    weights = lifted_weights(victim, 2, prefix, signs)
    one = bend.Boundary(weights, np.zeros((15, 0)), np.ones(1), [])
    now, turned = turn.oriented(prefix, [one], -signs)
    x = rng.normal(size=(50, 5))
    mine = now.features(x) @ turned[0].weights
    np.testing.assert_allclose(mine, prefix.features(x) @ weights, atol=1e-9)
    assert len(now.oriented[0][1]) == 11


def test_a_later_layers_neuron_keeps_its_slope_jump_and_a_middle_ones_changes():
    rng = np.random.default_rng(4)
    victim = deep_victim(1, SHAPES[2])
    oracle = reader(Oracle(victim))
    prefix, _ = unsigned(victim, rng)
    steady = []
    for neuron in range(5):
        found, _ = bend.begin(prefix, *kink(victim, neuron, rng)[:2], np.ones(2))
        bend.explore(oracle, prefix, found, rng)
        steady.append(found.is_steady)
    assert steady.count(True) <= 1
