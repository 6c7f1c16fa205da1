"""The twelve levels: the library's own attacks reach them, a wrong copy reaches none."""

import numpy as np
import pytest

import mstheft as mt
from mstheft.defend.prada import Detector
from mstheft.experiments import challenge
from mstheft.learning import exact, sketched

ATTACKS = [
    mt.direct.linear.extract,
    mt.direct.linear.extract,
    mt.direct.linear.extract,
    mt.direct.boundary.extract,
    mt.direct.relu.extract,
    mt.direct.sweep.extract,
    lambda oracle, rng: mt.direct.smooth.extract(oracle, activation="tanh", rng=rng),
    mt.direct.sweep.extract,
    mt.direct.deep.extract,
    lambda oracle, rng: sketched.extract(oracle, hidden=8, rng=rng),
    lambda oracle, rng: exact.extract(oracle, hidden=8, rng=rng),
    mt.direct.deep.extract,
]
LEVELS = range(1, len(challenge.LEVELS) + 1)


def test_there_are_twelve():
    assert len(challenge.LEVELS) == len(ATTACKS) == 12
    assert len({level.title for level in challenge.LEVELS}) == 12


def played(level, name, detector):
    victim = challenge.victim(level, "a secret", name)
    oracle = challenge.oracle(level, victim)
    if detector:
        oracle = mt.Oracle(
            victim, oracle.output, decimals=oracle.decimals, budget=oracle.left, monitors=[detector]
        )
    return victim, ATTACKS[level - 1](oracle, rng=1), oracle


@pytest.mark.parametrize(
    "level", [pytest.param(n, marks=[pytest.mark.slow] * (n in (10, 12))) for n in LEVELS]
)
def test_the_librarys_own_attack_wins(level):
    watched = challenge.LEVELS[level - 1].watched
    detector = Detector() if watched else None
    victim, result, oracle = played(level, "somebody", detector)
    noticed = bool(detector and detector.alarm)
    score = challenge.judge(level, "x", victim, result.model, oracle.count, noticed)
    assert score.medal == ("silver" if level == 12 else "gold"), score  # there PRADA sees lines


@pytest.mark.parametrize("level", LEVELS)
def test_a_wrong_copy_wins_nothing(level):
    victim = challenge.victim(level, "a secret", "somebody")
    for other in ("another", "a third"):
        wrong = challenge.victim(level, "a secret", other)
        assert challenge.judge(level, "x", victim, wrong, 0, False).medal == "none"


def test_an_alarm_or_too_many_rows_cost_the_gold():
    victim = challenge.victim(11, "a secret", "somebody")
    assert challenge.judge(11, "x", victim, victim, 10, False).medal == "gold"
    assert challenge.judge(11, "x", victim, victim, 10, True).medal == "silver"
    assert challenge.judge(11, "x", victim, victim, 9_999, False).medal == "silver"


def test_the_secret_and_the_name_decide_the_victim():
    x = np.ones((1, 20))
    first, again, other, secret = (
        challenge.victim(1, *each).logits(x)[0, 0]
        for each in (("s", "anna"), ("s", "anna"), ("s", "bert"), ("t", "anna"))
    )
    assert first == again
    assert len({first, other, secret}) == 3


def test_a_certificate_that_was_changed_does_not_hold():
    score = challenge.Score("anna", 3, 1.0, 0.0, 100, False, "gold", "ab")
    certificate = challenge.certify(score, "a secret")
    assert challenge.holds(certificate, "a secret")
    assert not challenge.holds(certificate, "another")
    for key, value in (("queries", 1), ("name", "bert"), ("medal", "silver")):
        changed = {**certificate, "score": {**certificate["score"], key: value}}
        assert not challenge.holds(changed, "a secret")
    assert not challenge.holds({}, "a secret")


def test_the_best_of_each_learner_stands_on_the_board():
    def score(name, level, medal, queries):
        return challenge.Score(name, level, 1.0, 0.0, queries, False, medal)

    scores = [
        score("anna", 2, "silver", 10),
        score("anna", 1, "gold", 90),
        score("anna", 1, "gold", 80),
        score("bert", 1, "gold", 85),
        score("bert", 1, "bronze", 5),
    ]
    board = challenge.leaderboard(scores)
    assert [(s.level, s.name, s.queries) for s in board] == [
        (1, "anna", 80),
        (1, "bert", 85),
        (2, "anna", 10),
    ]


def test_a_copy_of_another_level_is_told():
    victim, other = (challenge.victim(n, "a secret", "x") for n in (1, 2))
    with pytest.raises(ValueError, match="expected a copy with 20 inputs and 1 outputs, got 12"):
        challenge.judge(1, "x", victim, other, 0, False)
