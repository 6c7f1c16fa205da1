"""Walks along the boundary, and around its corners."""

import numpy as np
import pytest
from labels_victims import FINE, labels_of, mlp, points, true_normal, true_rows

from mstheft.direct.labels.boundary import Scale, rows_of_two_labels
from mstheft.direct.labels.normals import pieces_around
from mstheft.direct.labels.span import Projected, orthogonal_to, space_of_normals
from mstheft.direct.labels.walk import next_piece, turn_corner, walk_to_bend


@pytest.fixture
def start():
    network = mlp(8, 6, 1)
    oracle = labels_of(network)
    piece = pieces_around(oracle, points(oracle, 1), FINE)[0]
    return network, oracle, piece, orthogonal_to(piece.normal[None], np.random.default_rng(1))


def crossing(network, piece, direction):
    """The first t > 0 at which a neuron changes sides."""
    rows = true_rows(network)
    t = -(rows[:, :-1] @ piece.point + rows[:, -1]) / (rows[:, :-1] @ direction)
    return t[t > 0].min()


def test_a_walk_ends_where_a_neuron_changes_sides(start):
    network, oracle, piece, u = start
    before = oracle.count
    t = walk_to_bend(oracle, piece, u, FINE)
    assert t == pytest.approx(crossing(network, piece, u), abs=1e-6)
    assert oracle.count - before == 58


def test_the_corner_is_the_bend_and_the_next_piece_lies_behind_it(start):
    network, oracle, piece, u = start
    t = walk_to_bend(oracle, piece, u, FINE)
    corner = turn_corner(oracle, piece, u, t, FINE)
    exact = piece.point + crossing(network, piece, u) * u
    np.testing.assert_allclose(corner.point, exact, atol=1e-9)
    after = next_piece(oracle, corner, FINE)
    side = np.sign(
        true_rows(network) @ np.column_stack([np.append(x, 1) for x in (piece.point, after.point)])
    )
    assert (side[:, 0] != side[:, 1]).sum() == 1
    assert abs(after.normal @ true_normal(network, after.point)) > 1 - 1e-14
    assert np.linalg.norm(after.normal - piece.normal) > 1e-3


def test_a_straight_boundary_has_no_bend():
    oracle = labels_of(mlp(8, 1))
    piece = pieces_around(oracle, points(oracle, 1), FINE)[0]
    u = orthogonal_to(piece.normal[None], np.random.default_rng(1))
    before = oracle.count
    assert walk_to_bend(oracle, piece, u, FINE) is None
    assert oracle.count - before == 2


@pytest.mark.parametrize(
    ("widths", "dimensions"), [((20, 4, 1), 4), ((20, 1), 1), ((6, 12, 1), 6), ((20, 5, 3), 5)]
)
def test_the_normals_span_the_rows(widths, dimensions):
    network = mlp(*widths, seed=3)
    oracle = labels_of(network)
    rng = np.random.default_rng(0)
    scale = Scale(np.sqrt(oracle.inputs), 1e-14, 2.0**-36)
    basis, _ = space_of_normals(oracle, rows_of_two_labels(oracle, rng, 64), scale, rng)
    assert len(basis) == dimensions
    np.testing.assert_allclose(basis @ basis.T, np.eye(dimensions), atol=1e-12)
    rows = network.dense()[0][0]
    if len(widths) == 3:
        assert np.linalg.norm(rows - rows @ basis.T @ basis) < 1e-7
    y = rng.normal(size=(50, dimensions))
    np.testing.assert_array_equal(Projected(oracle, basis).query(y), network.labels(y @ basis))
