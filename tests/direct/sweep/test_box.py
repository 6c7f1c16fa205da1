"""In a box: nothing outside is asked, segments go from wall to wall, witnesses are wrong."""

import numpy as np
import pytest
from victims import error_of, victim_of

from mstheft import nn
from mstheft.direct import sweep
from mstheft.direct.sweep import box as boxes
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
    pair = boxes.witness(Oracle(victim), lacking, 1e-15, 1e-6, rng, box)
    apart = np.abs(victim.logits(pair) - lacking.logits(pair)).max(axis=1)
    assert apart[0] < 1e-9
    assert apart[1] > 1e-3
    oracle = Oracle(victim)
    assert boxes.witness(oracle, victim, 1e-15, 1e-6, rng, box) is None
    assert oracle.count == 1000
