"""A verified deep copy is right: rare neurons show on a thousand rows and beside hyperplanes."""

import numpy as np
from deep_victims import deep_victim

from mstheft import nn
from mstheft.direct.answers.reader import reader
from mstheft.direct.deep import kinks, verification
from mstheft.direct.deep.attack import Trace
from mstheft.nn.dense_pass import chain
from mstheft.oracle import Oracle
from mstheft.result import Result


def with_a_rare_neuron(bias):
    """17-5-9-4; the last neuron of its second layer is on where the first's values are large."""
    first, (A1, b1), last = deep_victim(1, (17, 5, 9, 4)).dense()
    A1, b1 = A1.copy(), b1.copy()
    A1[8], b1[8] = np.abs(A1[8]), bias
    return nn.zoo.given([first, (A1, b1), last])


def without_the_last(victim):
    first, (A1, b1), (A2, b2) = victim.dense()
    return nn.zoo.given([first, (A1[:-1], b1[:-1]), (A2[:, :-1], b2)])


def judged(victim, copy, rng):
    oracle, result = reader(Oracle(victim)), Result(model=copy, trace=Trace(2))
    verified = verification.thorough(oracle, np.random.default_rng(rng), result, 1e-6, 1e-15)
    assert result.queries["verify"] == len(result.trace.checks[0].x)  # no line has asked any
    return verified, result


def test_a_neuron_that_is_on_for_one_row_in_a_hundred_is_missed():
    victim = with_a_rare_neuron(-1.9)
    x = np.random.default_rng(0).normal(size=(100_000, 17))
    on = np.abs(victim.logits(x) - without_the_last(victim).logits(x)).max(axis=1) > 1e-9
    assert 0.003 < on.mean() < 0.02
    assert not judged(victim, without_the_last(victim), 1)[0]
    verified, result = judged(victim, victim, 1)
    assert verified
    assert "up to 0.3% of such inputs" in result.notes["verify"]


def test_neurons_seen_on_one_side_are_named():
    verified, result = judged(with_a_rare_neuron(-50.0), with_a_rare_neuron(-50.0), 2)
    assert verified
    assert result.trace.one_sided == [(2, 8)]
    assert "1 neuron seen on one side only" in result.notes["verify"]


def test_rows_on_both_sides_of_every_hyperplane():
    victim = deep_victim(3, (12, 6, 8, 5, 2))
    x = verification.on_both_sides(victim, np.random.default_rng(0))
    weights, _ = chain(victim)
    at = 0
    for layer, width in enumerate((6, 8, 5)):
        z = verification.values(weights, layer, x[at : at + 2 * width])
        first, second = z[np.arange(width), np.arange(width)], z[width:].diagonal()
        assert (first * second < 0).sum() >= width - 1  # far away the hyperplane has bent
        at += 2 * width
    assert at == len(x)


def test_corners_show_neurons_that_random_rows_hardly_ever_do():
    """Random neurons behind a first layer that are on, or off, for less than 1 in 1,000 rows."""
    victim, rng = deep_victim(1, (6, 15, 9, 4)), np.random.default_rng(0)
    (A0, b0) = victim.dense()[0]
    w, b = rng.normal(size=(20_000, 15)), 0.1 * rng.normal(size=20_000)

    def on(x, which):
        return np.maximum(x @ A0.T + b0, 0) @ w[which].T + b[which] > 0

    share = on(rng.normal(size=(3000, 6)), np.arange(len(w))).mean(axis=0)
    rare = np.flatnonzero((share > 0) & (share < 1e-3) | (share < 1) & (share > 1 - 1e-3))
    assert len(rare) > 50
    way, reach = verification.corners(victim, rng, 1000)
    seen = (on(reach * way, rare) != (share[rare] > 0.5)).any(axis=0)
    random = reach * rng.normal(size=(1000, 6))
    by_chance = (on(random, rare) != (share[rare] > 0.5)).any(axis=0)
    assert seen.mean() > 0.95 > 0.75 > by_chance.mean()


def test_what_the_lines_have_asked_is_looked_at():
    victim = with_a_rare_neuron(-1.9)
    oracle, rng = reader(Oracle(victim)), np.random.default_rng(1)
    lines = [kinks.search_line(oracle, rng)]
    (asked,) = verification.bought(lines)
    assert len(asked.x) > 50
    assert np.abs(asked.answers - victim.logits(asked.x)).max() == 0
    assert (np.linalg.norm(asked.x, axis=1) < 20 * asked.reach[:, 0]).all()


def test_rows_where_the_answers_leave_a_copy_open():
    """Seen only where its first neuron is off: rows where it is on would tell something new."""
    victim = deep_victim(1, (6, 4, 3, 2))
    A0, b0 = victim.dense()[0]
    x = np.random.default_rng(3).normal(size=(3000, 6))
    off = x @ A0[0] + b0[0] < -0.5
    open_ = verification.untold(victim, x[off], np.random.default_rng(4))
    assert len(open_) == verification.ASKED
    assert (open_ @ A0[0] + b0[0] > 0).all()
    assert len(verification.untold(victim, x, np.random.default_rng(4))) < 5
