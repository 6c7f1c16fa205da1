"""Coarse answers: a rough copy is polished, loses its spare neurons, and is held to the noise."""

import numpy as np
import pytest
from victims import victim_of

from mstheft import nn
from mstheft.direct import relu, sweep
from mstheft.direct.answers.reader import reader
from mstheft.direct.polishing import finish
from mstheft.oracle import Oracle
from mstheft.result import Result


def single(seed, shape):
    """A victim that computes in float32."""
    return nn.zoo.mlp(list(shape), bias=0.1, rng=seed, dtype=np.float32)


def own_rounding(victim, x):
    exact = nn.Network(victim.copy().layers, victim.shape, np.float64)
    return np.abs(exact.logits(x) - victim.logits(x)).max()


def rough(victim, seed, share=0.1):
    """A copy whose weights are off by that share of their spread."""
    rng = np.random.default_rng(seed)
    return nn.zoo.given(
        [
            (w + share * w.std() * rng.normal(size=w.shape), b.astype(float))
            for w, b in victim.dense()
        ]
    )


@pytest.mark.parametrize("attack", [sweep, relu])
@pytest.mark.parametrize("seed", range(3))
def test_a_float32_victim_is_copied_to_its_own_rounding(attack, seed):
    victim = single(seed, (24, 10, 5))
    oracle = Oracle(victim)
    result = attack.extract(oracle, rng=seed)
    assert result.verified
    assert result.total == oracle.count
    x = np.random.default_rng(9).normal(size=(2000, 24)).astype(np.float32)
    assert np.abs(result.model.logits(x) - victim.logits(x)).max() < 4 * own_rounding(victim, x)
    assert "noise" in result.notes["polish"]


def test_a_rough_copy_is_finished_and_a_copy_without_a_neuron_is_not():
    victim = victim_of(2, 8, 6, 3)
    oracle = reader(Oracle(lambda x: victim.logits(x).astype(np.float32), inputs=8))
    draw = lambda n: np.random.default_rng(n).normal(size=(n, 8))  # noqa: E731
    result = Result(model=rough(victim, 0))
    assert finish.finish(oracle, result, finish.Polishing(), draw, 0)
    (a0, b0), (a1, b1) = rough(victim, 0).dense()
    result = Result(model=nn.zoo.given([(a0[1:], b0[1:]), (a1[:, 1:], b1)]))
    assert not finish.finish(oracle, result, finish.Polishing(), draw, 0)
    assert result.error > 1e-3


def test_spare_neurons_go_and_no_answer_changes():
    victim = victim_of(1, 5, 4, 2)
    (a0, b0), (a1, b1) = victim.dense()
    twin, dead = 3 * a0[:1], a0[1:2]
    spare = nn.zoo.given(
        [
            (np.vstack([a0, twin, dead]), np.concatenate([b0, 3 * b0[:1], [-1e3]])),
            (np.hstack([a1, a1[:, 2:3], a1[:, :1]]), b1),
        ]
    )
    x = np.random.default_rng(0).normal(size=(500, 5))
    smaller = finish.without_spare_neurons(spare, x, 1e-9)
    assert len(smaller.dense()[0][1]) == 4
    assert smaller.logits(x) == pytest.approx(spare.logits(x), abs=1e-12)
    assert finish.without_spare_neurons(victim, x, 1e-9) is None
    drowned = finish.without_spare_neurons(spare, x, 1e9)
    assert len(drowned.dense()[0][1]) == 1


@pytest.mark.parametrize("seed", [0, 4, 7])
def test_neurons_that_only_noise_explains_go_again(seed):
    """Behind four decimals a rough copy has a neuron that is none: polished, it fits some noise."""
    victim = nn.zoo.mlp([20, 8, 3], bias=0.1, rng=seed)
    result = sweep.extract(Oracle(victim, "probs", decimals=4), rng=seed)
    assert result.verified
    assert len(result.model.dense()[0][1]) == 8


@pytest.mark.parametrize("output", ["logits", "probs"])
def test_no_neuron_of_the_victim_is_taken_for_noise(output):
    victim = victim_of(2, 8, 6, 3)
    draw = lambda n: np.random.default_rng(n).normal(size=(n, 8))  # noqa: E731
    oracle = reader(Oracle(victim, output, decimals=3), 0.1 * draw(1)[0], draw(2)[1])
    result = Result(model=rough(victim, 0))
    assert finish.finish(oracle, result, finish.Polishing(), draw, 0)
    assert len(result.model.dense()[0][1]) == 6


def test_a_neuron_that_is_seldom_on_gets_rows_beside_its_hyperplane():
    (a0, b0), (a1, b1) = victim_of(4, 6, 5, 2).dense()
    a0, b0 = a0.copy(), b0.copy()
    b0[2] = -2.5 * np.linalg.norm(a0[2])  # on in 0.6 % of N(0, I)
    victim = nn.zoo.given([(a0, b0), (a1, b1)])
    oracle = reader(Oracle(lambda x: victim.logits(x).astype(np.float32), inputs=6))
    polishing, rng = finish.Polishing(), np.random.default_rng(0)
    finish.more_rows(oracle, polishing, victim, lambda n: rng.normal(size=(n, 6)), rng)
    assert polishing.drawn == finish.LEAST
    assert len(polishing.rows) > finish.LEAST
    assert finish.active_rows(victim, polishing.rows).min() >= finish.SURPLUS * 7 / 2 / 2
    before = oracle.count
    finish.more_rows(oracle, polishing, victim, lambda n: rng.normal(size=(n, 6)), rng)
    assert oracle.count - before < 20  # what is there is not bought again
