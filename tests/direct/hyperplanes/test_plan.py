"""The planner against the cheapest of all plans, and what no plan may do."""

import itertools

import numpy as np
import pytest
from known_line import known, made_line

from mstheft.direct.hyperplanes import plan


def noise_of(line):
    return line.noise * (1 + np.abs(line.t))


def cheapest_by_hand(line, unknown, cost):
    """The least price over all sets of gaps that may have a Jacobian: slow and obvious."""
    n = len(line.kinks)
    _, steps = plan.places(line, noise_of(line))
    t, _ = plan.places(line, noise_of(line))
    blur = np.interp(t, line.t, noise_of(line)) / steps / plan.typical_entry(line)
    unit = line.jumps / np.linalg.norm(line.jumps, axis=1, keepdims=True)
    best = np.inf
    for chosen in itertools.product([0, 1], repeat=n + 1):
        gaps = np.flatnonzero(chosen)
        price, covered = cost[gaps].sum(), np.zeros(n, bool)
        for a, b in itertools.pairwise(gaps):
            inside = unit[a:b][unknown[a:b]]
            if len(inside) > line.jumps.shape[1]:
                price = np.inf
            elif len(inside):
                smallest = np.linalg.svd(inside, compute_uv=False)[-1]
                error = max(blur[a], blur[b]) / smallest
                price += plan.DECADE * max(0, np.log10(error / plan.GOOD))
                price += plan.KNOWN * (b - a - len(inside))
                covered[a:b] = True
        if (covered | ~unknown).all():
            best = min(best, price)
    return best


@pytest.mark.parametrize("seed", range(8))
def test_the_plan_is_the_cheapest_of_all(seed):
    rng = np.random.default_rng(seed)
    n, K = 7, 1 + seed % 3
    line = made_line(np.sort(rng.standard_cauchy(n)), rng.normal(size=(n, K)))
    unknown = rng.random(n) < (1.0 if seed % 2 else 0.6)
    chosen = plan.plan(line, noise_of(line), unknown)
    cost = np.ones(n + 1)
    blur = np.interp(chosen.t, line.t, noise_of(line)) / chosen.steps
    blur /= plan.typical_entry(line)
    unit = line.jumps / np.linalg.norm(line.jumps, axis=1, keepdims=True)
    price = cost[chosen.gaps].sum()
    for a, b in chosen.groups:
        inside = unit[a:b][unknown[a:b]]
        price += plan._price(inside, max(blur[a], blur[b]))
        price += plan.KNOWN * (b - a - len(inside))
    assert price == pytest.approx(cheapest_by_hand(line, unknown, cost), abs=1e-9)
    assert chosen.left == []


def test_every_kink_is_in_one_group_of_at_most_K():
    case = known(d=60, h=50, K=6)
    chosen = plan.plan(case.line, case.noise)
    inside = [i for a, b in chosen.groups for i in range(a, b)]
    assert inside == list(range(50))
    assert all(1 <= b - a <= 6 for a, b in chosen.groups)
    assert 50 / 6 + 1 <= len(chosen.gaps) <= 50 / 6 + 5


def test_no_jacobian_is_measured_in_a_narrow_gap():
    line = made_line([-1, 0, 1e-7, 1], [[1, 0], [0, 1], [1, 1], [1, -1]])
    chosen = plan.plan(line, noise_of(line))
    assert chosen.gaps == [0, 1, 3, 4]


def test_parallel_jumps_are_not_put_in_one_group():
    line = made_line([-1, 0, 1, 2], [[1, 0], [2, 0], [0, 1], [0, 3]])
    chosen = plan.plan(line, noise_of(line))
    assert chosen.groups == [(0, 1), (1, 3), (3, 4)]


def test_kinks_too_close_for_a_scalar_are_left_to_another_line():
    line = made_line([-1, 0, 1e-15, 1], [[1.0], [2], [1], [1]])
    chosen = plan.plan(line, noise_of(line))
    assert chosen.left == [1, 2]
    assert chosen.groups == [(0, 1), (3, 4)]


@pytest.mark.parametrize("fault", [(0.2, 0.6), (0.9, 1.1), (-60.0, -40.0), (0.001, 0.002)])
def test_no_group_reaches_across_what_is_unresolved(fault):
    line = made_line([-1, 0, 1, 2], np.random.default_rng(0).normal(size=(4, 6)), [fault])
    chosen = plan.plan(line, noise_of(line))
    assert chosen.groups
    for a, b in chosen.groups:
        assert chosen.t[b] <= fault[0] or chosen.t[a] >= fault[1]


def test_known_kinks_and_known_gaps_are_not_paid_for_again():
    line = made_line([-2, -1, 0, 1, 2], np.random.default_rng(0).normal(size=(5, 2)))
    nothing = plan.plan(line, noise_of(line), np.zeros(5, bool))
    assert nothing.groups == []
    only = plan.plan(line, noise_of(line), np.arange(5) == 2)
    assert len(only.gaps) == 2
    known = plan.plan(line, noise_of(line), np.arange(5) == 2, np.arange(6) == 1)
    assert known.gaps[0] == 1


def test_steps_keep_away_from_every_hyperplane():
    """A quarter of the way by the estimate: measured against the true rows, few columns cross."""
    case = known(d=100, h=60, K=8)
    t, steps = plan.places(case.line, case.noise)
    inside = np.concatenate([[-np.inf], case.t]) < t
    assert (inside & (t < np.concatenate([case.t, [np.inf]]))).all()
    reach = np.abs(case.planes.rows).max(axis=1) * steps[:, None] / np.abs(t[:, None] - case.t)
    assert np.mean(reach.max(axis=1) < 1) > 0.9
