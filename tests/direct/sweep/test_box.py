"""In a box: nothing outside is asked, segments go from wall to wall, witnesses are wrong."""

import numpy as np
import pytest
from victims import error_of, victim_of

from mstheft import nn
from mstheft.direct import box as boxes
from mstheft.direct import sweep
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes, with_remainder
from mstheft.direct.sweep import coarse
from mstheft.direct.witness import witness
from mstheft.oracle import Oracle


class Watched:
    """A victim that remembers the extreme inputs it was asked."""

    def __init__(self, network):
        self.network, self.least, self.most = network, np.inf, -np.inf

    def __call__(self, x):
        self.least, self.most = min(self.least, x.min()), max(self.most, x.max())
        return self.network.logits(x)


@pytest.mark.parametrize(("d", "h", "K"), [(20, 15, 3), (6, 8, 1)])
def test_nothing_outside_the_box_is_asked(d, h, K):
    network = victim_of(21, d, h, K)
    victim = Watched(network)
    result = sweep.extract(Oracle(victim, inputs=d, budget=100_000), rng=3, low=0.0, high=1.0)
    assert result.verified
    assert 0 <= victim.least < 0.05
    assert 0.95 < victim.most <= 1
    x = np.random.default_rng(5).random((10_000, d))
    assert error_of(network, result.model, x) < 1e-6


@pytest.mark.parametrize(
    ("low", "high"), [(0, None), (1, 0), (0, np.inf), (0, [1, 0, 1]), ([0, 0], 1), ("a", 1)]
)
def test_a_box_that_is_none_is_refused(low, high):
    with pytest.raises(ValueError, match="low < high"):
        sweep.extract(Oracle(victim_of(1, 3, 2, 1)), rng=0, low=low, high=high)


def test_segments_reach_from_wall_to_wall_and_points_are_all_over():
    rng = np.random.default_rng(0)
    box = boxes.walls(5, -1.0, [1, 2, 3, 4, 5])
    for through in (None, np.array([[0, 0, 0, 0, 0.0], [0.5, 1, 0, -0.5, 2]])):
        start, direction, low, high = boxes.segment(rng, box, through)
        assert low < -0.9
        assert high > 0.9
        for t in (low, high):
            share = (start + t * direction - box[0]) / (box[1] - box[0])
            assert ((share >= 0) & (share <= 1)).all()
            assert min(share.min(), 1 - share.max()) < 1e-8
    for points in (boxes.scatter(rng, 300, box), boxes.anywhere(rng, box, 301)):
        share = (points - box[0]) / (box[1] - box[0])
        assert ((share >= 0) & (share <= 1)).all()
        assert share.mean(axis=1).min() < 0.2
        assert share.mean(axis=1).max() > 0.8


def test_a_witness_lies_where_the_copy_is_wrong():
    victim = victim_of(22, 10, 6, 2, bias=0.1)
    (A0, b0), (A1, b1) = victim.dense()
    lacking = nn.zoo.given([(A0[1:], b0[1:]), (A1[:, 1:], b1)])
    box = boxes.walls(10, -1, 1)
    rng = np.random.default_rng(0)
    pair = witness(Oracle(victim), lacking, 1e-15, 1e-6, rng, box)
    apart = np.abs(victim.logits(pair) - lacking.logits(pair)).max(axis=1)
    assert apart[0] < 1e-9
    assert apart[1] > 1e-3
    oracle = Oracle(victim)
    assert witness(oracle, victim, 1e-15, 1e-6, rng, box) is None
    assert oracle.count == 1000


# ---- coarse answers


@pytest.mark.parametrize(("d", "h", "K", "seed"), [(12, 8, 4, 0), (16, 10, 6, 1)])
def test_float32_answers_between_walls_are_enough(d, h, K, seed):
    """Walls that are no float32 numbers; neurons that are on in nearly all of the box."""
    exact = victim_of(seed, d, h, K, bias=0.1)
    network = nn.Network(exact.layers, exact.shape, np.float32)
    victim = Watched(network)
    oracle = Oracle(victim, inputs=d, budget=20_000)
    result = sweep.extract(oracle, rng=seed, low=0.1, high=0.9)
    assert result.verified
    assert result.total < 1700  # nothing is polished while neurons are missing
    assert 0.1 <= victim.least < 0.15
    assert 0.85 < victim.most <= 0.9
    x = np.random.default_rng(5).uniform(0.1, 0.9, (2000, d))
    assert error_of(network, result.model, x) < 2e-5
    assert result.total == oracle.count


def test_rows_beside_a_hyperplane_are_on_both_sides_of_it():
    rng = np.random.default_rng(0)
    box = boxes.walls(30, -1.0, 2.0)
    normal = rng.normal(size=30)
    lowest = np.minimum(-normal, 2 * normal).sum()
    for share in (0.1, 0.5, 0.9):  # of the way from one corner of the box to the other
        offset = -(lowest + share * 3 * np.abs(normal).sum())
        rows = boxes.beside(rng, box, normal, offset, 2000)
        assert rows.shape == (2000, 30)
        assert rows.min() >= -1
        assert rows.max() <= 2
        assert 0.2 < np.mean(rows @ normal + offset > 0) < 0.8
    assert boxes.beside(rng, box, normal, -lowest + 0.1, 5).shape == (0, 30)


def test_in_a_box_an_affine_remainder_is_carried_by_neurons_that_are_always_on():
    rng = np.random.default_rng(0)
    box = boxes.walls(5, -1.0, 3.0)
    affine = rng.normal(size=(2, 5))
    row, output = rng.normal(size=(1, 5)), rng.normal(size=(1, 2))
    known = Hyperplanes(row, np.zeros((1, 5)), output, np.zeros(1))
    a0, b0, a1 = with_remainder(known, affine, box)
    x = boxes.anywhere(rng, box, 200)
    z = x @ a0[1:].T + b0[1:]
    assert a0.shape == (3, 5)
    assert z.min() > 0
    off = z @ a1[:, 1:].T - x @ affine.T
    np.testing.assert_allclose(off, np.tile(off[0], (200, 1)), atol=1e-12)  # a bias


def test_sides_that_few_rows_have_seen_are_asked():
    """A neuron that is on in nearly all of the box gets rows in which it is off, d directions."""
    rng = np.random.default_rng(0)
    box = boxes.walls(6, 0.0, 1.0)
    a0, b0 = np.array([[1.0, 1, 1, 1, 1, 1], [1, -1, 1, -1, 1, -1]]), np.array([-1.2, 0.0])
    copy = nn.zoo.given([(a0, b0), (np.eye(2), np.zeros(2))])
    rows = rng.uniform(0.4, 1, (300, 6))
    assert (rows @ a0[0] + b0[0] > 0).all()
    more = coarse.unseen_sides(copy, rows, box, rng)
    assert len(more) == 6
    assert (more @ a0[0] + b0[0] <= 0).all()
    assert len(coarse.unseen_sides(copy, np.vstack([rows, more]), box, rng)) <= 2
