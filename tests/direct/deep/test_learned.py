"""Coarse answers: students are learned, pruned layer by layer, polished, and held to the noise."""

import numpy as np
import pytest
from deep_victims import deep_victim

import mstheft as mt
from mstheft import nn
from mstheft.direct import deep
from mstheft.direct.deep import failures, learned
from mstheft.errors import ExtractionError
from mstheft.oracle import Oracle


def single(seed, shape):
    """A victim that computes in float32."""
    victim = deep_victim(seed, shape)
    return nn.Network(victim.layers, victim.shape, np.float32)


def own_rounding(victim, x):
    exact = nn.Network(victim.copy().layers, victim.shape, np.float64)
    return np.abs(exact.logits(x) - victim.logits(x)).max()


def widths(model):
    return [len(bias) for _, bias in model.dense()]


def hold(victim, result):
    """The copy is right to ten of the victim's own roundings, and of its widths."""
    x = np.random.default_rng(99).normal(size=(5000, victim.inputs)).astype(np.float32)
    error = np.abs(victim.logits(x) - result.model.logits(x)).max()
    assert result.verified
    assert 0 < error < 10 * own_rounding(victim, x)
    assert widths(result.model) == widths(victim)
    assert mt.compare.agreement(victim, result.model, x) == 1


def test_a_float32_victim_with_two_hidden_layers(monkeypatch):
    monkeypatch.setattr(learned, "UPDATES", 3000)
    victim = single(1, (12, 6, 4, 4))
    oracle = Oracle(victim)
    result = deep.extract(oracle, rng=1)
    hold(victim, result)
    assert result.total == oracle.count
    assert set(result.queries) == {"lines", "query", "students", "polish", "verify"}
    assert result.queries["verify"] >= learned.CHECKS
    assert "hidden neurons 6, 4" in result.notes["students"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_64_32_16_10_in_float32(seed):
    victim = single(seed, (64, 32, 16, 10))
    oracle = Oracle(victim)
    result = deep.extract(oracle, rng=seed)
    hold(victim, result)
    assert oracle.count < 27 * result.floor  # measured 21 to 26


@pytest.mark.slow
def test_three_decimals():
    """With 8 or 5 decimals no student of this victim comes down to the noise: it is narrow."""
    decimals, victim = 3, deep_victim(1, (20, 8, 6, 4))
    result = deep.extract(Oracle(victim, decimals=decimals), rng=1)
    x = np.random.default_rng(99).normal(size=(5000, 20))
    error = np.abs(victim.logits(x) - result.model.logits(x))
    assert result.verified
    assert widths(result.model) == [8, 6, 4]
    assert 0 < np.sqrt(np.mean(error**2)) < 10.0**-decimals


def test_a_student_that_stays_above_the_noise_is_no_copy(monkeypatch):
    """Hardly trained, from one start: the partial result has the student, and nothing verified."""
    for name, value in {"UPDATES": 50, "TRIES": 1, "STARTS": 1, "UNCLEAR": 0}.items():
        monkeypatch.setattr(learned, name, value)
    with pytest.raises(ExtractionError, match=r"layer 1 or deeper.*noise") as caught:
        deep.extract(Oracle(single(2, (12, 6, 4, 4))), rng=1)
    assert caught.value.stage == "polish"
    assert not caught.value.partial.verified
    assert caught.value.partial.model.inputs == 12


def test_students_without_a_gap_are_an_error(monkeypatch):
    for name, value in {"UPDATES": 50, "TRIES": 1}.items():
        monkeypatch.setattr(learned, name, value)
    with pytest.raises(ExtractionError, match="do not part") as caught:
        deep.extract(Oracle(single(2, (12, 6, 4, 4))), rng=1)
    assert caught.value.stage == "students"


def test_a_spare_neuron_of_any_layer_goes_and_a_faint_one_stays():
    (A0, b0), (A1, b1), (A2, b2) = deep_victim(3, (10, 6, 5, 4)).dense()
    A1 = np.hstack([A1, A1[:, 1:2]])  # a twin in the first layer
    A0, b0 = np.vstack([A0, 2 * A0[1:2]]), np.append(b0, 2 * b0[1])
    A1[:, 3] *= 1e-3
    A1, b1 = np.vstack([A1, -np.abs(A1[:1])]), np.append(b1, -1.0)  # one that is never on
    A2 = np.hstack([A2, np.ones((4, 1))])
    model = nn.zoo.given([(A0, b0), (A1, b1), (A2, b2)])
    x = np.random.default_rng(0).normal(size=(500, 10))
    smaller = learned.without_spare_neurons(model, x, 1e-9)
    assert widths(smaller) == [6, 5, 4]
    assert smaller.logits(x) == pytest.approx(model.logits(x), abs=1e-9)
    assert learned.without_spare_neurons(smaller, x, 1e-9) is None


def test_more_neurons_than_hidden_allows_are_an_error():
    result = mt.result.Result(model=deep_victim(1, (12, 6, 4, 4)))
    failures.check_widths(result, (6, 4))
    failures.check_widths(result, None)
    with pytest.raises(ExtractionError, match="layer 2: expected 3"):
        failures.check_widths(result, (6, 3))
