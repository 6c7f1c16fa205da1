"""Transfer: shares that are known for a perfect copy, and noise of a given size."""

import numpy as np
import pytest
from fooled import LINEAR, MLP, X

from mstheft.adversarial import fgsm, transferability
from mstheft.adversarial.transfer import noise
from mstheft.oracle import Oracle


def move(network, x, y):
    return fgsm(network, x, y, 0.25)


def test_of_a_perfect_copy_everything_transfers():
    y = MLP.labels(X)
    result = transferability(MLP, MLP.copy(), X, y, move, rng=0)
    assert result.rows == 50
    assert result.copied == result.white_box > result.noise
    own = fgsm(MLP, X, y, 0.25)
    assert result.copied == (MLP.labels(own) != y).mean()
    np.testing.assert_allclose(result.size, np.linalg.norm(own - X, axis=1).mean(), rtol=1e-12)


def test_only_rows_that_the_victim_gets_right_count():
    y = MLP.labels(X)
    y[:20] = (y[:20] + 1) % 4
    result = transferability(MLP, LINEAR, X, y, move, rng=0)
    alone = transferability(MLP, LINEAR, X[20:], y[20:], move, rng=0)
    assert result == alone
    assert result.rows == 30
    with pytest.raises(ValueError, match="rows that the victim gets right, got none"):
        transferability(MLP, LINEAR, X[:20], y[:20], move, rng=0)


def test_a_victim_behind_an_oracle_has_no_white_box_figure():
    y = MLP.labels(X)
    known = transferability(MLP, LINEAR, X, y, move, rng=0)
    oracle = Oracle(MLP, "label")
    for victim in (oracle, MLP.labels, MLP.probs, Oracle(MLP, "probs")):
        result = transferability(victim, LINEAR, X, y, move, rng=0)
        assert result.white_box is None
        assert (result.rows, result.copied, result.noise) == (known.rows, known.copied, known.noise)
    assert oracle.count == 3 * 50
    with pytest.raises(ValueError, match="ask for labels"):
        transferability(lambda x: x[:, :1], LINEAR, X, y, move, rng=0)


def test_what_the_attack_returns_is_clipped_and_checked():
    y = MLP.labels(X)
    result = transferability(MLP, LINEAR, X, y, lambda f, x, y: x + 5, rng=0)
    np.testing.assert_allclose(result.size, np.linalg.norm(1 - X, axis=1).mean(), rtol=1e-12)
    with pytest.raises(ValueError, match=r"finite rows like x, \(50, 6\)"):
        transferability(MLP, LINEAR, X, y, lambda f, x, y: x[:3], rng=0)


def test_noise_has_the_size_that_was_asked_for():
    sizes = np.linspace(0, 0.6, 50)
    moved = noise(X, sizes, 3) - X
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), sizes, rtol=0, atol=1e-9)
    far = noise(X, np.full(50, 9.0), 3)
    assert np.isin(far, [0, 1]).all(), "beyond the box it ends in a corner"
