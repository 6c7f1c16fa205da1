"""The adaptive thief: each counter undoes what it is made for, costs what it says, and no more."""

import numpy as np
import pytest

from mstheft.defend import responses
from mstheft.defend.prada import Detector
from mstheft.experiments import tasks
from mstheft.experiments.arena import adaptive, match
from mstheft.experiments.arena.adaptive import Adaptation, AdaptedOracle, Keys
from mstheft.nn import functions as F
from mstheft.nn import zoo
from mstheft.oracle import Oracle

RNG = np.random.default_rng(0)
PROBS = F.softmax(RNG.normal(size=(300, 10)) * RNG.uniform(0.5, 12, (300, 1)))
X = RNG.normal(size=(40, 6))
NONE = np.zeros((0, 6))


# ---- estimates


@pytest.mark.parametrize(("beta", "gamma"), [(0.4, 2.0), (0.9, 1.0), (0.1, 9.0)])
def test_the_inverse_undoes_the_reverse_sigmoid(beta, gamma):
    """The table of g is linear between points 0.0025 logits apart: errors of about 1e-6 / slope."""
    told = responses.reverse_sigmoid(PROBS, beta, gamma)
    assert np.abs(told - PROBS).max() > 0.05
    np.testing.assert_allclose(adaptive.unreversed(told, beta, gamma), PROBS, atol=2e-5)


@pytest.mark.parametrize(("beta", "gamma"), [(0.8, 0.4), (0.6, 2.0), (0.5, 2.0)])
def test_there_is_no_inverse_where_two_probabilities_have_one_answer(beta, gamma):
    assert not adaptive.is_invertible(beta, gamma)
    with pytest.raises(ValueError, match="use bayes"):
        adaptive.unreversed(PROBS, beta, gamma)
    y = np.linspace(0, 1, 100_001)[1:-1]
    g = y - beta * (F.sigmoid(gamma * F.logit(y)) - 0.5)
    assert np.diff(g).min() < 1e-7, "it does not grow everywhere"


def test_the_bayes_estimate_is_nearer_than_the_answer():
    """Where the inverse is missing: γ = 0.4 folds small probabilities onto larger ones."""
    told = responses.reverse_sigmoid(PROBS, 0.8, 0.4)
    estimate = adaptive.bayes(told, lambda y: responses.reverse_sigmoid(y, 0.8, 0.4), rng=0)
    np.testing.assert_allclose(estimate.sum(axis=1), 1, atol=1e-12)
    before, after = (np.abs(each - PROBS).sum(axis=1).mean() for each in (told, estimate))
    assert 1 < before < 2
    assert 0.01 < after < before / 4


def test_the_bayes_estimate_of_undefended_answers_is_the_answer():
    estimate = adaptive.bayes(PROBS, lambda y: y, rng=0)
    assert 1e-4 < np.abs(estimate - PROBS).sum(axis=1).mean() < 0.15, "20 neighbours in 10 numbers"


# ---- asking


def adapted(adaptation, output="probs", estimate=None, cover=NONE, **options):
    victim = zoo.mlp([6, 5, 3], rng=0)
    oracle = Oracle(victim, output, **options)
    return AdaptedOracle(oracle, adaptation, estimate, cover), victim


def test_averages_of_fresh_noise_are_less_noisy():
    """σ / √r: sixteen answers leave a quarter, within 20 % for 120 numbers."""
    noise = responses.option(lambda p, rng: p + rng.normal(0, 1e-3, p.shape) * [1, -1, 0], rng=0)
    errors = []
    for repeats in (1, 16):
        fresh = lambda p, x: np.clip(noise(p, x), 0, 1)  # noqa: E731
        oracle, victim = adapted(Adaptation(repeats=repeats), defences=[fresh])
        errors.append((oracle.query(X) - victim.probs(X))[:, :2].std())
        assert oracle.count == 40 * repeats
    assert 0.2 < errors[1] / errors[0] < 0.3


@pytest.mark.parametrize("output", ["probs", "logits", "label"])
@pytest.mark.parametrize(("repeats", "cover"), [(1, 0), (3, 0), (1, 2), (2, 1)])
def test_answers_are_those_of_the_rows_whatever_is_asked_beside_them(output, repeats, cover):
    others = RNG.normal(size=(7, 6))
    oracle, victim = adapted(Adaptation(repeats=repeats, cover=cover), output, cover=others)
    plain = Oracle(victim, output).query(X)
    np.testing.assert_allclose(oracle.query(X), plain, atol=1e-12)
    assert oracle.count == 40 * repeats * (1 + cover) == 40 * oracle.adaptation.price


def test_cover_is_asked_in_turn_between_the_rows():
    rows = []

    class Log:
        def observe(self, x, labels):
            rows.extend(x[:, 0])

    others = np.arange(100, 105)[:, None] * np.ones(6)
    oracle, _ = adapted(Adaptation(cover=2), cover=others, monitors=[Log()])
    oracle.query(np.arange(3)[:, None] * np.ones(6))
    oracle.query(np.arange(3, 5)[:, None] * np.ones(6))
    assert rows == [0, 100, 101, 1, 102, 103, 2, 104, 100, 3, 101, 102, 4, 103, 104]


# ---- keys


def test_each_key_has_a_detector_that_sees_its_rows_alone():
    x, labels = RNG.normal(size=(100, 4)), RNG.integers(2, size=100)
    keys, alone = Keys(3, 0.9), Detector(0.9)
    for part in (slice(0, 40), slice(40, 41), slice(41, 100)):
        keys.observe(x[part], labels[part])
    alone.observe(x[1::3], labels[1::3])
    assert keys.queries == 100
    np.testing.assert_array_equal(keys.detectors[1].distances, alone.distances)


def test_an_alarm_of_any_key_is_counted_in_queries_of_all():
    """Only key 1 of two asks grown rows; alone it is noticed after m rows, which are 2 m here."""
    rng = np.random.default_rng(0)
    seeds = rng.normal(size=(60, 4)) * 9
    grown = np.concatenate([seeds] + [seeds + step for step in (0.1, -0.1, 0.2, -0.2)])
    honest = rng.normal(size=grown.shape) * 9
    alone = Detector(0.9)
    alone.observe(grown, np.zeros(len(grown), int))
    assert alone.alarm
    mixed = np.stack([honest, grown], axis=1).reshape(-1, 4)
    keys = Keys(2, 0.9)
    keys.observe(mixed, np.zeros(len(mixed), int))
    assert keys.alarm
    assert keys.first_alarm == 2 * alone.first_alarm
    assert Keys(1, 0.9).first_alarm is None


# ---- polishing


def test_polishing_makes_a_rough_copy_of_noisy_top_answers_better():
    victim = zoo.mlp([6, 5, 3], bias=0.3, rng=0)
    rough = victim.copy()
    for weights, _ in rough.dense():
        weights *= 1 + 0.2 * RNG.normal(size=weights.shape)
    x = RNG.normal(size=(400, 6))
    for defence in ({"output": "top_k", "top": 1}, {"noise": {"scale": 0.02}}, {"decimals": 2}):
        own = match.oracle_options(defence, None, 0)
        oracle = AdaptedOracle(Oracle(victim, **own), Adaptation(polish=True), None, NONE)
        oracle.query(x)
        better = adaptive.polished(rough, oracle, defence, rng=0)
        before, after = (
            np.abs(each.probs(X) - victim.probs(X)).sum(axis=1).mean() for each in (rough, better)
        )
        assert after < before / 3, defence
    assert oracle.count == 400, "nothing is asked"


def test_far_answers_are_asked_for_the_polishing_and_paid():
    oracle, victim = adapted(Adaptation(polish=True, far=50.0), "logits", decimals=0)
    oracle.query(RNG.normal(size=(200, 6)))
    adaptive.polished(victim.copy(), oracle, {"output": "logits", "decimals": 0}, rng=0)
    assert oracle.count == 400 == 200 * oracle.adaptation.price


def test_a_copy_that_fits_worse_after_polishing_stays():
    """Twenty rows, noise of 0.3: 48 weights fit the noise, and the rows held out tell."""
    victim = zoo.mlp([6, 5, 3], bias=0.3, rng=0)
    defence = {"noise": {"scale": 0.3}}
    oracle = AdaptedOracle(
        Oracle(victim, **match.oracle_options(defence, None, 0)), Adaptation(), None, NONE
    )
    oracle.query(RNG.normal(size=(30, 6)))
    assert adaptive.polished(victim, oracle, defence, rng=0) is victim
    oracle.asked = [(x[:10], y[:10]) for x, y in oracle.asked]
    assert adaptive.polished(victim, oracle, defence, rng=0) is victim, "fewer numbers than weights"


# ---- what meets what


@pytest.mark.parametrize(
    ("adaptation", "defence", "meets"),
    [
        (Adaptation(repeats=4), {"noise": {"scale": 0.1}}, True),
        (Adaptation(repeats=4), {"decimals": 2}, False),
        (Adaptation(polish=True), {"output": "top_k", "top": 1}, True),
        (Adaptation(polish=True), {"mad": {"radius": 0.5}}, False),
        (Adaptation(estimate="inverse"), {"reverse_sigmoid": {"beta": 0.4, "gamma": 2.0}}, True),
        (Adaptation(estimate="inverse"), {"reverse_sigmoid": {"beta": 0.8, "gamma": 0.4}}, False),
        (Adaptation(estimate="bayes"), {"reverse_sigmoid": {"beta": 0.8, "gamma": 0.4}}, True),
        (Adaptation(estimate="label"), {"mad": {"radius": 0.5}}, True),
        (Adaptation(estimate="label"), {}, False),
        (Adaptation(polish=True), {"output": "label"}, False),
        (Adaptation(far=100.0), {"decimals": 2}, False),
        (Adaptation(far=100.0), {"output": "logits", "decimals": 2}, True),
        (Adaptation(keys=2), {"decimals": 2}, False),
    ],
)
def test_an_adaptation_meets_what_it_is_made_for(adaptation, defence, meets):
    assert adaptation.concerns(defence, {}) is meets


def test_only_keys_and_cover_meet_a_detector():
    watched = {"delta": 0.9}
    assert Adaptation(keys=2).concerns({}, watched)
    assert Adaptation(cover=1).concerns({}, watched)
    assert not Adaptation(polish=True).concerns({}, watched)
    assert Adaptation(polish=True).concerns({}, {}), "the control"


# ---- a whole match


@pytest.fixture
def sure(monkeypatch):
    """A task of small pictures and an untrained network whose answers are nearly 0 or 1."""
    monkeypatch.setattr(tasks, "GENERATED", (400, 150))
    task = tasks.load("small-glyphs")
    network = tasks.build("mlp-8", task, rng=0)
    network.dense()[1][0][...] *= 8
    return task, network


def test_both_thieves_spend_the_same_budget(sure):
    """Behind a reverse sigmoid that can be inverted nothing is left of the defence."""
    attack = {"attack": "random", "copy": "mlp-8", "budget": 240, "rounds": 1, "pool_size": 300}
    defence, values = {"reverse_sigmoid": {"beta": 0.4, "gamma": 2.0}}, {}
    for name, adapt in (("naive", {}), ("inverse", {"estimate": "inverse"}), ("4", {"repeats": 4})):
        own = {"attack": attack | ({"adapt": adapt} if adapt else {}), "detector": {}}
        values[name] = match.run_match(own | {"defence": defence}, *sure, 0)
        assert values[name]["queries"] == 240
    free = match.run_match({"attack": attack, "defence": {}, "detector": {}}, *sure, 0)
    assert values["inverse"]["apart"] == pytest.approx(free["apart"], abs=1e-2), "as undefended"
    assert values["naive"]["apart"] > values["inverse"]["apart"] + 0.1


def test_sixteen_keys_are_noticed_later_than_one(sure):
    """δ = 0.999 flags every detector that has seen enough; sixteen see 20 rows each, too few."""
    attack = {"attack": "jbda", "copy": "mlp-8", "budget": 320, "rounds": 4, "epochs": 4}
    noticed = {}
    for keys in (1, 16):
        own = {"attack": attack | {"adapt": {"keys": keys}}, "defence": {}}
        values = match.run_match(own | {"detector": {"delta": 0.999}}, *sure, 0)
        noticed[keys] = values["noticed"]
    assert 100 < noticed[1] < 320
    assert noticed[16] is None
