"""Far queries: the same network with finer answers, and what comes back near the origin."""

import numpy as np
import pytest
from victims import victim_of

from mstheft.direct import sweep
from mstheft.direct.answers.reader import reader
from mstheft.direct.sweep.far import FarView, can_be_outrun
from mstheft.oracle import Oracle


def test_a_far_view_is_the_network_with_smaller_biases():
    victim = victim_of(3, 6, 5, 2)
    oracle = Oracle(victim, decimals=3)
    view = FarView(reader(oracle))
    x, before = np.random.default_rng(0).normal(size=(20, 6)), oracle.count
    assert view.scale == 1e9
    assert view.query(x) == pytest.approx(victim.logits(1e9 * x) / 1e9, abs=1e-12)
    assert oracle.count - before == 20
    (_, b0), (_, b1) = view.near(victim).dense()
    assert b0 == pytest.approx(1e9 * victim.dense()[0][1])
    assert b1 == pytest.approx(1e9 * victim.dense()[1][1])


def test_what_can_be_outrun():
    victim = victim_of(3, 6, 5, 2)
    assert can_be_outrun(reader(Oracle(victim, decimals=3)))
    assert not can_be_outrun(reader(Oracle(victim)))
    assert not can_be_outrun(reader(Oracle(victim, "probs", decimals=3)))
    assert not can_be_outrun(reader(FarView(reader(Oracle(victim, decimals=3)))))


@pytest.mark.parametrize("decimals", [4, 2, 0])
@pytest.mark.parametrize("declared", [True, False])
def test_decimals_stop_no_sweep_without_walls(decimals, declared):
    victim = victim_of(5, 16, 8, 3)
    rounded = lambda x: np.round(victim.logits(x), decimals)  # noqa: E731
    oracle = Oracle(rounded, inputs=16)
    if declared:
        oracle = Oracle(victim, decimals=decimals)
    result = sweep.extract(oracle, rng=decimals)
    assert result.verified
    assert result.total == oracle.count
    x = np.random.default_rng(9).normal(size=(2000, 16))
    off = np.abs(result.model.logits(x) - victim.logits(x))
    assert 0 < np.sqrt((off**2).mean()) < 0.06 * 10.0**-decimals  # rms; the rounding has 0.29
