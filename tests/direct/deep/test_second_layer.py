"""Behind the first layer: hidden values, and whole rows from segments."""

import numpy as np
import pytest
from deep_victims import known, unit

from mstheft import nn
from mstheft.direct.deep import second_layer, segments
from mstheft.direct.deep.first_layer import OrientedLayer
from mstheft.oracle import Oracle


def test_the_orthant_answers_hidden_values():
    view = second_layer.Orthant(known().oracle, known().votes.first)
    phi = np.random.default_rng(0).uniform(0.1, 2, (5, view.inputs))
    np.testing.assert_allclose(known().votes.first.hidden(view.rows(phi)), phi, atol=1e-12)
    before = known().oracle.count
    np.testing.assert_allclose(view.query(phi), known().victim.logits(view.rows(phi)))
    assert known().oracle.count == view.count == before + 5


def test_a_segment_gives_whole_rows_of_the_second_layer():
    view, inner = (
        second_layer.Orthant(known().oracle, known().votes.first),
        second_layer.new_result(10),
    )
    none = np.zeros((0, 10)), np.zeros(0)
    pair = segments.endpoints(np.random.default_rng(1), 10, 3.0, *none)
    second_layer.sweep_segment(view, pair, inner)
    truth, (A1, b1) = known().layers[0][0], known().layers[1]
    order = (view.first.A0 @ truth.T).argmax(axis=1)
    whole = np.column_stack([A1[:, order] * np.linalg.norm(truth, axis=1)[order], b1])
    neurons = inner.trace.neurons
    assert len(neurons) > 0
    found = unit(np.column_stack([neurons.rows, neurons.offsets]), neurons.offsets)[0]
    cosines = np.abs(found @ unit(whole, b1)[0].T).max(axis=1)
    np.testing.assert_allclose(cosines, 1, atol=1e-10)


@pytest.mark.parametrize(("row", "bias"), [([1.0, 0.25], -0.5), ([1.0, -0.1], 2.0)])
def test_a_neuron_that_is_on_all_along_the_segments_is_sought_in_the_corners(row, bias):
    """h1 = 2, by hand. φ ↦ relu(φ1 - φ2), and relu of what is on but near 0, or far out on φ2."""
    victim = nn.zoo.given(
        [([[1.0, -1.0], row], [0.0, bias]), ([[1.0, 2.0], [0.5, -1.0]], [0.0, 0.0])]
    )
    oracle = Oracle(victim)
    view = second_layer.Orthant(oracle, OrientedLayer(np.eye(2), np.zeros(2)))
    inner, rng = second_layer.new_result(2), np.random.default_rng(0)
    second_layer.sweep_segment(view, np.array([[1.0, 4.0], [5.0, 1.1]]), inner)
    assert len(inner.trace.neurons) == 1
    assert not second_layer.finish(inner)  # the second neuron is left over: no signs
    for pair in segments.corners(rng, inner):
        second_layer.sweep_segment(view, pair, inner)
    assert second_layer.finish(inner)
    x = np.abs(rng.normal(size=(100, 2)))
    np.testing.assert_allclose(inner.model.logits(x), victim.logits(x), atol=1e-9)
