"""A rough copy by least squares: jumps, signs, and which hyperplanes the answers need."""

from __future__ import annotations

import numpy as np
import pytest

from mstheft import nn
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.direct.sweep import lifted

D, H, K = 40, 8, 4


@pytest.fixture
def known():
    """A victim, its hyperplanes as measured, random rows, and their answers."""
    rng = np.random.default_rng(5)
    victim = nn.zoo.mlp([D, H, K], bias=0.3, rng=5)
    (a0, b0), (a1, _) = victim.dense()
    points = -(b0 / (a0**2).sum(axis=1))[:, None] * a0
    turned = np.where(rng.random(H) < 0.5, -1.0, 1.0)[:, None]
    planes = Hyperplanes(turned * a0, points, a1.T, np.full(H, 1e-9))
    rows = rng.normal(size=(800, D))
    return victim, planes, rows, victim.logits(rows)


def off(planes, rng, share):
    """The same hyperplanes, their rows and jumps wrong by that share."""
    blur = lambda x: x + share * rng.normal(size=x.shape) * x.std()  # noqa: E731
    return Hyperplanes(blur(planes.rows), planes.points, blur(planes.outputs), planes.errors)


def test_exact_hyperplanes_make_an_exact_copy_whatever_their_jumps(known):
    """Least squares tells jumps and signs; those that were measured do not matter."""
    victim, planes, rows, logits = known
    blurred = Hyperplanes(planes.rows, planes.points, 0 * planes.outputs + 1, planes.errors)
    signs, copy = lifted.lifted_copy(blurred, rows, logits, np.zeros(logits.shape))
    assert np.abs(np.abs(signs) - 1).max() < 1e-8
    fresh = np.random.default_rng(6).normal(size=(100, D))
    assert np.abs(copy.logits(fresh) - victim.logits(fresh)).max() < 1e-9


def test_hyperplanes_that_are_none_or_twice_there_are_not_needed(known):
    """Of each true one the sharper row stays, at 2 % against 8 %; random ones go."""
    _, planes, rows, logits = known
    rng = np.random.default_rng(7)
    false = off(planes, rng, 100.0).only(slice(0, 3))
    false = Hyperplanes(false.rows, false.points, 0.1 * planes.outputs[:3], false.errors)
    found = off(planes, rng, 0.02).and_also(off(planes, rng, 0.08)).and_also(false)
    kept = lifted.needed(found, rows, logits, np.zeros(logits.shape))
    assert sorted(kept) == list(range(H))


def test_a_row_whose_answer_is_blurred_counts_for_little(known):
    """A tenth of the answers is wrong by ten times their spread, and σ says so."""
    _, planes, rows, logits = known
    sigma = np.zeros(logits.shape)
    sigma[::10] = 10 * logits.std()
    wrong = logits + sigma * np.random.default_rng(8).normal(size=logits.shape)
    _, copy = lifted.lifted_copy(planes, rows, wrong, sigma)
    error = np.abs(copy.logits(rows) - logits)[1::10].max() / logits.std()
    assert 0 < error < 0.05
    _, trusting = lifted.lifted_copy(planes, rows, wrong, 0 * sigma)
    assert np.abs(trusting.logits(rows) - logits).max() / logits.std() > 1


def test_too_few_rows_give_no_copy(known):
    _, planes, rows, logits = known
    some = slice(0, 2 * (H + D + 1) - 1)
    sigma = np.zeros(logits.shape)
    assert lifted.lifted_copy(planes, rows[some], logits[some], sigma[some]) is None
    assert len(lifted.needed(planes, rows[some], logits[some], sigma[some])) == H
