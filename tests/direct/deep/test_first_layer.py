"""The orientation of the first layer, and what it leaves over."""

import numpy as np
from deep_victims import known, unit

from mstheft.direct.deep import first_layer


def test_zero_coefficients_of_second_layer_kinks_orient_the_first_layer():
    first = known().votes.first
    truth, offsets = unit(*known().layers[0])
    order = (first.A0 @ truth.T).argmax(axis=1)
    np.testing.assert_allclose(first.A0, truth[order], atol=1e-9)  # sign included
    np.testing.assert_allclose(first.b0, offsets[order], atol=1e-8)
    assert known().votes.against.max() < 0.1


def test_orient_counts_votes_by_hand():
    """Three kinks, four neurons: off-on, on-off, one whose kinks contradict each other, and one
    that two kinks pay no attention to: a zero says less than a weight.
    """
    beta = np.array([[0.0, 0.7, 0.5, 0.0], [0.4, 0.0, 0.3, 0.0], [0.1, 0.0, 0.3, 0.2]])
    sides = np.array([[-1.0, -2.0, 1.0, 1.0], [3.0, 0.5, -1.0, 2.0], [1.0, 1.0, 1.0, 1.0]])
    signs, against = first_layer.orient(beta, sides, np.full(beta.shape, 1e-9))
    np.testing.assert_array_equal(signs[[0, 1, 3]], [1, -1, 1])
    np.testing.assert_allclose(against[[0, 1, 3]], 0)
    assert against[2] > 0.3


def test_a_coefficient_within_its_rounding_is_no_proof():
    beta, sides = np.array([[1e-3, 1e-3], [1.0, 1.0]]), np.array([[1.0, 1.0], [-1.0, -1.0]])
    signs, against = first_layer.orient(beta, sides, np.array([[1e-2, 1e-6], [1e-2, 1e-6]]))
    np.testing.assert_array_equal(signs, -1)
    assert against[0] == 0
    assert against[1] > 0.3


def test_what_the_first_layer_leaves_over_tells_of_a_missing_row():
    assert first_layer.complete(known().searched, known().planes.rows)
    weights = np.abs(known().votes.beta).max(axis=0)
    lost = np.delete(known().planes.rows, weights.argmax(), axis=0)
    assert not first_layer.complete(known().searched, lost)


def test_partial_rows_are_the_weights_of_the_neurons_that_are_on():
    votes, (A1, b1) = known().votes, known().layers[1]
    truth = known().layers[0][0]
    order = (votes.first.A0 @ truth.T).argmax(axis=1)
    size = np.linalg.norm(truth, axis=1)[order]
    scaled = np.column_stack([A1[:, order] * size, b1])
    for row, offset, hidden in zip(votes.rows, votes.offsets, votes.hidden, strict=True):
        masked = scaled * np.append(hidden > 0, 1)
        cosines = masked @ np.append(row, offset) / np.linalg.norm(masked, axis=1)
        best = np.abs(cosines).max() / np.linalg.norm(np.append(row, offset))
        np.testing.assert_allclose(best, 1, atol=1e-9)
