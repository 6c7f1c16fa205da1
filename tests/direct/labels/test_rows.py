"""Rows from four planes around a corner, and from walks."""

import numpy as np
import pytest
from labels_victims import FINE, labels_of, mlp, nearest, no_rows, points, true_rows

from mstheft.direct.labels.normals import pieces_around
from mstheft.direct.labels.rows import rows_from_bends, rows_from_planes
from mstheft.oracle import Oracle


def corner(seed=0, d=5):
    """Two rows, and the planes of the four regions around their corner, of any lengths."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(2, d + 1))
    rows /= np.linalg.norm(rows[:, :-1], axis=1, keepdims=True)
    g = rng.normal(size=d + 1)
    i, j = 0.7 * rows[0], -0.4 * rows[1]
    planes = np.stack([g, g + i, g + j, g + i + j])
    return rows, planes / np.linalg.norm(planes[:, :-1], axis=1, keepdims=True)


@pytest.mark.parametrize("d", [2, 3, 9])
def test_four_planes_tell_two_rows(d):
    rows, planes = corner(d=d)
    found, fourth, third = rows_from_planes(planes)
    assert nearest(found[:1], rows[0]) < 1e-12
    assert nearest(found[1:], rows[1]) < 1e-12
    assert fourth < FINE.flat
    assert third > FINE.same


def test_planes_that_do_not_meet_are_seen():
    _, planes = corner()
    _, other = corner(seed=1)
    assert rows_from_planes(np.vstack([planes[:3], other[3:]]))[1] > 1e-2


def test_the_same_piece_twice_says_nothing():
    _, planes = corner()
    assert rows_from_planes(planes[[0, 1, 2, 1]])[2] < FINE.same


def test_walks_find_every_row_and_no_other():
    network = mlp(6, 6, 1, seed=2)
    oracle, rows = labels_of(network), no_rows(6)
    starts = pieces_around(oracle, points(oracle, 8), FINE)
    rows_from_bends(oracle, rows, starts, FINE, np.random.default_rng(0))
    assert len(rows.planes) == 6
    assert max(nearest(rows.planes, row) for row in true_rows(network)) < 1e-7
    assert rows.bends
    assert not rows.straight


def test_a_neuron_with_two_regions_is_a_bend_that_goes_on_straight():
    network = mlp(3, 1, 1)
    (A0, b0), (A1, b1) = network.dense()
    A0[...], b0[...], A1[...], b1[...] = [1, 0, 0], 0, 1, 0
    bent = lambda x: (network.logits(x)[:, 0] + x[:, 1] > 0).astype(int)  # noqa: E731
    oracle, rows = Oracle(bent, "label", gives="labels", inputs=3), no_rows(3)
    starts = pieces_around(oracle, points(oracle, 4), FINE)
    rows_from_bends(oracle, rows, starts, FINE, np.random.default_rng(0))
    assert len(rows.planes) == 0
    assert rows.straight
    assert max(abs(bend.point[0]) for bend in rows.straight) < 1e-9
