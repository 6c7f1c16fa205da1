"""Boundary points and normals by bisection."""

import numpy as np
import pytest
from labels_victims import FINE, labels_of, mlp, points, true_normal

from mstheft.direct.labels.boundary import (
    bisect,
    find_boundary_points,
    finest_distance,
    rows_of_two_labels,
)
from mstheft.direct.labels.normals import normal, pieces_around, tangent_guess
from mstheft.errors import ExtractionError
from mstheft.nn import Network
from mstheft.oracle import Oracle


def test_bisection_finds_where_each_path_leaves_its_class():
    oracle = Oracle(lambda x: (x[:, 0] > 0.3).astype(int), "label", gives="labels", inputs=1)
    share, beyond = bisect(oracle, lambda t: t[:, None] * [[1.0], [0.5], [0.2]], 0, 3, 30)
    np.testing.assert_allclose(share[:2], [0.3, 0.6], atol=2e-9)
    assert np.isnan(share[2])
    np.testing.assert_array_equal(beyond, [1, 1, -1])
    assert oracle.count == 90


def test_points_lie_on_the_boundary_of_a_network():
    network = mlp(12, 6, 1)
    found = points(labels_of(network), 20)
    assert np.abs(network.logits(found.points)).max() < 1e-13
    sides = found.points + 1e-9 * found.across
    np.testing.assert_array_equal(network.labels(sides), found.classes[:, 0])


def test_rare_classes_are_met_as_often_as_others():
    steps = lambda x: np.digitize(x[:, 0], [0, 2.2])  # noqa: E731
    oracle, rng = Oracle(steps, "label", gives="labels", inputs=3), np.random.default_rng(0)
    rows = rows_of_two_labels(oracle, rng, 512)
    assert (rows[1] == 2).mean() < 0.03
    found = find_boundary_points(oracle, 200, rows, rng)
    assert (found.classes == 2).any(axis=1).mean() > 0.25


def test_a_normal_is_measured_to_its_precision():
    network = mlp(12, 6, 1)
    oracle = labels_of(network)
    found = points(oracle, 5)
    before = oracle.count
    pieces = pieces_around(oracle, found, FINE)
    assert len(pieces) == 5
    for piece in pieces:
        true = true_normal(network, piece.point) * (piece.classes[0] - piece.classes[1])
        assert np.linalg.norm(piece.normal - true) < 4 * piece.error
        assert piece.error < 1e-10
        assert abs(piece.plane @ np.append(piece.point, 1)) < 1e-14
    assert (oracle.count - before) / 5 <= 12 * 46 * 1.5, "about d (10 + 36) queries a normal"


def test_the_guess_is_right_to_a_few_percent():
    network = mlp(12, 6, 1)
    oracle = labels_of(network)
    (point,), (across,), ((a, b),) = points(oracle, 1)
    guess = tangent_guess(oracle, point, across, (int(a), int(b)), 1e-4)
    assert abs(guess @ true_normal(network, point)) > 0.999


def test_a_radius_that_meets_a_bend_is_made_smaller():
    network = mlp(12, 6, 1)
    oracle = labels_of(network)
    (point,), (across,), ((a, b),) = points(oracle, 1)
    A0, b0 = network.dense()[0]
    far = np.abs((A0 @ point + b0) / np.abs(A0).max(axis=1)).min()
    piece = normal(oracle, point, across, (int(a), int(b)), 4 * far, FINE)
    true = true_normal(network, point) * (piece.classes[0] - piece.classes[1])
    assert np.linalg.norm(piece.normal - true) < 1e-9


def test_a_curved_boundary_has_no_flat_piece():
    ball = lambda x: ((x**2).sum(axis=1) > 9).astype(int)  # noqa: E731
    oracle = Oracle(ball, "label", gives="labels", inputs=5)
    assert pieces_around(oracle, points(oracle, 3), FINE) == []


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("float64", 1e-15, 1e-13), ("float32", 1e-7, 1e-4)]
)
def test_the_finest_distance_is_that_of_the_victims_numbers(dtype, low, high):
    exact = mlp(12, 6, 1)
    oracle = labels_of(Network(exact.layers, exact.shape, np.dtype(dtype)))
    assert low < finest_distance(oracle, points(oracle, 8)) < high


def test_one_label_is_an_error():
    oracle = Oracle(lambda x: np.zeros(len(x), int), "label", gives="labels", inputs=3)
    with pytest.raises(ExtractionError, match="all have label 0"):
        rows_of_two_labels(oracle, np.random.default_rng(0), 8)
