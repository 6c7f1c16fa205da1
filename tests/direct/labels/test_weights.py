"""The null vector, its sign, its network; the polish."""

import numpy as np
import pytest
from labels_victims import labels_of, mlp, nearest, points, true_rows

from mstheft.direct.labels.boundary import Piece
from mstheft.direct.labels.polishing import jacobian, polish
from mstheft.direct.labels.rows import Bend
from mstheft.direct.labels.undetermined import pencil, rows_in_a_plane, rows_on_a_line
from mstheft.direct.labels.weights import assemble, combined, distances, output_weights
from mstheft.nn import zoo


def solved(network, n=300):
    oracle, rows = labels_of(network), true_rows(network)
    boundary = points(oracle, n)
    K = max(network.outputs, 2)
    null = output_weights(rows, boundary.points, boundary.classes, K)
    x = np.random.default_rng(5).normal(size=(200, network.inputs))
    return rows, boundary, null, combined(null, rows, boundary, (x, network.labels(x)))


@pytest.mark.parametrize("widths", [(10, 6, 1), (10, 6, 3), (4, 7, 1)])
def test_the_null_vector_is_the_network_up_to_a_factor(widths):
    network = mlp(*widths, seed=3)
    rows, boundary, null, theta = solved(network)
    assert len(null) == 1
    assert np.abs(distances(rows, theta, boundary.points, boundary.classes)).max() < 1e-10
    a0, b0, a1, b1 = assemble(rows, theta)
    one = network.outputs == 1
    copy = zoo.given([(a0, b0), (a1[one:], b1[one:])])
    x = np.random.default_rng(6).normal(size=(5000, network.inputs))
    true, mine = network.logits(x), copy.logits(x)
    if not one:
        true, mine = true - true[:, :1], mine - mine[:, :1]
    factor = np.sum(true * mine) / np.sum(mine**2)
    assert factor > 0
    np.testing.assert_allclose(factor * mine, true, atol=1e-8)
    if widths[1] <= widths[0]:
        assert len(a0) == widths[1]


def test_too_few_points_leave_several_null_vectors_and_labels_choose():
    network = mlp(10, 6, 3, seed=2)
    oracle, rows = labels_of(network), true_rows(network)
    boundary = points(oracle, 25)
    null = output_weights(rows, boundary.points, boundary.classes, 3)
    assert len(null) >= 2 * 17 - 25
    x = np.random.default_rng(5).normal(size=(200, 10))
    theta = combined(null, rows, boundary, (x, network.labels(x)))
    a0, b0, a1, b1 = assemble(rows, theta)
    assert (zoo.given([(a0, b0), (a1, b1)]).labels(x) == network.labels(x)).all()


def test_opposite_twins_on_one_hyperplane_need_both_terms():
    network = mlp(10, 6, 1, seed=2)
    (A0, b0), _ = network.dense()
    A0[1], b0[1] = -0.5 * A0[0], -0.5 * b0[0]
    oracle, rows = labels_of(network), np.delete(true_rows(network), 1, axis=0)
    boundary = points(oracle, 300)
    null = output_weights(rows, boundary.points, boundary.classes, 2)
    theta = combined(null, rows, boundary, (boundary.points[:0], np.zeros(0, int)))
    a0, b0, a1, b1 = assemble(rows, theta)
    assert len(a0) == 6
    x = np.random.default_rng(6).normal(size=(5000, 10))
    assert (zoo.given([(a0, b0), (a1[1:], b1[1:])]).labels(x) == network.labels(x)).all()


def test_points_where_a_neuron_is_missing_do_not_count():
    network = mlp(10, 6, 1, seed=2)
    rows, boundary, _, _ = solved(network)
    moved = boundary.points.copy()
    moved[:40] += 0.1 * boundary.across[:40]
    null = output_weights(rows, moved, boundary.classes, 2, rounds=8)
    off = np.abs(distances(rows, null[0], moved, boundary.classes))
    assert off[40:].max() < 1e-6 < off[:40].min()


def test_the_jacobian_is_that_of_the_distances():
    network = mlp(5, 3, 3, seed=2)
    rows, boundary, _, theta = solved(network, 60)
    step, rng = 1e-6, np.random.default_rng(0)
    turn, move = rng.normal(size=rows.shape), rng.normal(size=theta.shape)
    move[0] = 0
    ahead, behind = (
        distances(
            rows + s * step * turn, theta + s * step * move, boundary.points, boundary.classes
        )
        for s in (1, -1)
    )
    J = jacobian(rows, theta, boundary.points, boundary.classes)
    mine = J @ np.concatenate([turn.ravel(), move[1:].ravel()])
    np.testing.assert_allclose(mine, (ahead - behind) / (2 * step), atol=1e-5)


@pytest.mark.parametrize("K", [1, 3])
def test_the_polish_brings_rough_rows_to_the_last_digits(K):
    network = mlp(8, 5, K, seed={1: 7, 3: 3}[K])
    rows, boundary, _, theta = solved(network, 500)
    rough = rows + 1e-4 * np.random.default_rng(0).normal(size=rows.shape)
    polished, theta = polish(rough, theta, boundary.points, boundary.classes, 1e-15)
    assert max(nearest(polished, row) for row in rows) < 1e-10
    assert np.abs(distances(polished, theta, boundary.points, boundary.classes)).max() < 1e-11


def test_a_pencil_goes_through_its_bend():
    point = np.array([1.0, 2, 3])
    before = Piece(point, np.array([1.0, 0, 0]), (1, 0), 0)
    after = Piece(point, np.array([0.6, 0.8, 0]), (1, 0), 0)
    for weight in (0.25, 1.0, 8.0):
        row = pencil(Bend(before, after, point), weight)
        assert abs(row @ [1, 2, 3, 1]) < 1e-12
        assert abs(row[2]) < 1e-12
        assert np.linalg.norm(row[:3]) == pytest.approx(1)


def test_between_two_points_of_a_line_there_is_a_bend():
    rows = rows_on_a_line(np.array([[2.0], [-1.0], [2.0], [5.0]]))
    np.testing.assert_allclose(rows, [[1, -0.5], [1, -3.5]])


def test_no_bend_in_a_plane_is_no_row():
    x = np.random.default_rng(0).normal(size=(20, 2)) * [0, 1]
    rows, alone = rows_in_a_plane([], x, np.tile([1, 0], (20, 1)), 2)
    assert (len(rows), alone) == (0, 0)
