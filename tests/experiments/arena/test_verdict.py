"""Verdicts on naive and adaptive thieves: only with spreads, and only against a control."""

import pytest

from mstheft.experiments.arena import verdict
from mstheft.experiments.arena.verdict import Pair
from mstheft.experiments.grid import Outcome

BEFORE = {0: 0.5, 1: 0.55, 2: 0.6}


def pair(gains, control=None, **more):
    after = {seed: BEFORE[seed] + gain for seed, gain in enumerate(gains)}
    if control is not None:
        control = BEFORE, {seed: BEFORE[seed] + gain for seed, gain in enumerate(control)}
    return Pair("polishes", "noise", "none", BEFORE, after, control, **more)


@pytest.mark.parametrize(
    ("gains", "control", "expected"),
    [
        ([0.2, 0.3, 0.1], [0.0, 0.0, 0.0], "helps"),
        ([0.2, 0.3, 0.1], [0.05, 0.09, -0.2], "helps"),
        ([0.2, 0.3, 0.1], [0.05, 0.15, 0.01], "helps as much undefended"),
        ([0.2, 0.3, 0.1], [0.05, 0.15, -0.01], "not shown"),
        ([0.2, 0.3, -0.01], [-0.3, -0.3, -0.3], "not shown"),
        ([-0.1, -0.2, -0.1], [0.0, 0.1, 0.0], "hurts"),
        ([-0.1, -0.2, -0.1], [-0.2, -0.3, 0.0], "not shown"),
        ([0.2, 0.3, 0.1], None, "not shown"),
        ([0.2, 0.3], [0.0, 0.0, 0.0], "not shown"),
        ([0.2, 0.3, 0.1], [0.0, 0.0], "not shown"),
    ],
)
def test_a_verdict_needs_every_seed_and_a_control(gains, control, expected):
    assert pair(gains, control).verdict == expected


def test_the_control_itself_has_no_verdict():
    assert pair([0.2, 0.3, 0.1], is_control=True).verdict == "control"


NAIVE = {"attack": "random", "budget": 100}
POLISH, INVERT = NAIVE | {"adapt": {"polish": True}}, NAIVE | {"adapt": {"estimate": "inverse"}}
OTHER = {"attack": "k-center", "budget": 100}


def outcome():
    """Three seeds; the copy polishes to 0.9 whatever the defence, and inverts to 0.7."""
    done = []
    for attack, table, agreement in (
        ("random", NAIVE, 0.5),
        ("polishes", POLISH, 0.9),
        ("inverts", INVERT, 0.7),
        ("k-center", OTHER, 0.6),
    ):
        for name, defence in (("none", {}), ("2 decimals", {"decimals": 2})):
            if (attack, name) == ("inverts", "none"):
                continue
            own = {"attack": table, "defence": defence, "detector": {}}
            cell = {"attack": attack, "defence": name, "detector": "none", "own": own}
            free = 0.2 * (name == "none" and attack == "random")
            done += [
                (cell | {"seed": seed}, {"agreement": agreement + free + 0.01 * seed, "apart": 1})
                for seed in range(3)
            ]
    return Outcome(done=done)


def test_pairs_are_attacks_that_differ_in_their_adaptation_alone():
    found = verdict.pairs(outcome())
    assert [(p.way, p.defence, p.verdict) for p in found] == [
        ("polishes", "none", "control"),
        ("polishes", "2 decimals", "helps"),
        ("inverts", "2 decimals", "helps"),
    ]
    polishing, inverting = found[1:]
    assert polishing.naive == pytest.approx({0: 0.5, 1: 0.51, 2: 0.52})
    assert polishing.control[0] == pytest.approx({0: 0.7, 1: 0.71, 2: 0.72})
    assert inverting.control[0] == inverting.control[1], "an estimate of what nobody changed"


def test_the_table_tells_spreads_and_the_gain_without_the_defence():
    head, rows = verdict.overview(verdict.pairs(outcome()))
    assert head[3:] == ["naive", "adaptive", "gain undefended", "verdict"]
    assert rows[1][2:] == ["polishes", "51 % (50 to 52)", "91 % (90 to 92)", "+20 points", "helps"]
    assert verdict.spread({}) == "no copy"
