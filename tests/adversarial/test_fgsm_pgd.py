"""FGSM and PGD: optimal on linear networks, inside their ball and their box.

Size of error: float64 networks of a few dozen numbers, so 1e-12 where a formula is known.
"""

import numpy as np
import pytest
from fooled import CNN, IMAGES, MLP, X

from mstheft.adversarial import fgsm, pgd
from mstheft.nn import zoo
from mstheft.nn.losses import cross_entropy

RNG = np.random.default_rng(2)


def test_fgsm_on_a_linear_network_moves_against_the_weights():
    """K = 1: L grows along -w for class 1, so that x' = x - eps sgn w, by hand."""
    w = np.array([[2.0, -3.0, 0.0]])
    network = zoo.given([(w, np.zeros(1))])
    x = np.full((2, 3), 0.5)
    moved = fgsm(network, x, [1, 0], 0.125)
    np.testing.assert_array_equal(moved, [[0.375, 0.625, 0.5], [0.625, 0.375, 0.5]])


def test_fgsm_with_two_classes_is_the_same_as_with_one_logit():
    w, b = RNG.normal(size=6), 0.3
    one = zoo.given([(w[None], np.array([b]))])
    two = zoo.given([(np.stack([-w / 2, w / 2]), np.array([-b / 2, b / 2]))])
    y = np.arange(50) % 2
    np.testing.assert_array_equal(fgsm(one, X, y, 0.1), fgsm(two, X, y, 0.1))


def test_fgsm_stays_in_the_box_and_leaves_the_rows_alone():
    kept = X.copy()
    moved = fgsm(MLP, X, MLP.labels(X), 0.7)
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert (np.abs(moved - X).max(axis=1) > 0.3).all()
    np.testing.assert_array_equal(X, kept)
    shaped = fgsm(CNN, IMAGES.reshape(20, 8, 8, 1), CNN.labels(IMAGES), 0.1)
    assert shaped.shape == (20, 8, 8, 1)
    np.testing.assert_array_equal(
        shaped.reshape(20, 64), fgsm(CNN, IMAGES, CNN.labels(IMAGES), 0.1)
    )


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("network", [MLP, CNN], ids=["mlp", "cnn"])
def test_pgd_stays_in_its_ball_and_in_the_box(network, norm):
    x = IMAGES if network is CNN else X
    y = network.labels(x)
    moved = pgd(network, x, y, 0.4, norm=norm, rng=0)
    assert moved.min() >= 0
    assert moved.max() <= 1
    size = np.abs(moved - x).max(axis=1) if norm == "linf" else np.linalg.norm(moved - x, axis=1)
    assert size.max() <= 0.4 + 1e-12
    assert np.median(size) > 0.3, "and it uses the ball"
    before, after = (cross_entropy(network.logits(rows), y)[0] for rows in (x, moved))
    assert after > before
    np.testing.assert_array_equal(moved, pgd(network, x, y, 0.4, norm=norm, rng=0))


def test_pgd_on_a_linear_network_finds_the_best_point():
    """One logit, no box in the way: l2 ends at x - eps w/‖w‖, linf at x - eps sgn w."""
    w = RNG.normal(size=(1, 6))
    network = zoo.given([(w, np.zeros(1))])
    y = np.ones(50, int)
    limits = {"low": -9.0, "high": 9.0}
    far = pgd(network, X, y, 0.3, norm="l2", step=0.3, steps=60, rng=0, **limits)
    np.testing.assert_allclose(far, X - 0.3 * w / np.linalg.norm(w), rtol=0, atol=1e-12)
    far = pgd(network, X, y, 0.3, rng=0, **limits)
    np.testing.assert_allclose(far, X - 0.3 * np.sign(w), rtol=0, atol=1e-12)


def test_pgd_fools_at_least_as_often_as_one_step():
    y = CNN.labels(IMAGES)
    one = (CNN.labels(fgsm(CNN, IMAGES, y, 0.1)) != y).mean()
    many = (CNN.labels(pgd(CNN, IMAGES, y, 0.1, rng=0)) != y).mean()
    assert many >= one > 0


@pytest.mark.parametrize("change", [{"eps": 0}, {"eps": np.inf}, {"step": -1}, {"norm": "l1"}])
def test_sizes_that_are_none(change):
    with pytest.raises(ValueError, match=r"expected (eps > 0 and step > 0|norm=)"):
        pgd(MLP, X, MLP.labels(X), **{"eps": 0.1, "rng": 0} | change)
