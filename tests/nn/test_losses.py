"""Losses: value against mpmath, gradient against central differences, and the two together.

Size of error expected: values are means of sums of a few terms of size ≤ 10, so 1e-14; gradients by
`directional_error`, which shows about 1e-10 where they are right and is judged at 1e-6.
"""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mstheft.nn.gradcheck import directional_error
from mstheft.nn.losses import cross_entropy, one_hot, squared_error

rng = np.random.default_rng(7)
LOGITS = rng.normal(0, 3, (6, 4))
HARD = np.array([0, 3, 2, 2, 1, 0])
SOFT = rng.dirichlet(np.ones(4), 6)
UNNORMALISED = rng.uniform(0, 2, (6, 4))
ONE = rng.normal(0, 3, (6, 1))
BITS = np.array([0, 1, 1, 0, 1, 0])
SHARES = rng.uniform(0, 1, (6, 1))

CASES = {
    "hard": (cross_entropy, LOGITS, HARD),
    "soft": (cross_entropy, LOGITS, SOFT),
    "soft that do not add up to 1": (cross_entropy, LOGITS, UNNORMALISED),
    "K = 1, hard": (cross_entropy, ONE, BITS),
    "K = 1, soft": (cross_entropy, ONE, SHARES),
    "squared": (squared_error, LOGITS, SOFT),
    "squared, K = 1, flat targets": (squared_error, ONE, SHARES[:, 0]),
}


def exact_cross_entropy(logits, targets):
    """-1/n Σ t ln p in 60 digits; with one logit over the two classes 0 and 1."""
    with mp.workdps(60):
        total = mp.mpf(0)
        for z, t in zip(logits.tolist(), targets.tolist(), strict=True):
            if len(z) == 1:
                z, t = [0.0, *z], [1 - mp.mpf(t[0]), t[0]]
            log_sum = mp.log(sum(mp.exp(v) for v in z))
            total -= sum(mp.mpf(tk) * (mp.mpf(zk) - log_sum) for zk, tk in zip(z, t, strict=True))
        return float(total / len(logits))


@pytest.mark.parametrize("name", ["soft", "soft that do not add up to 1", "K = 1, soft"])
def test_cross_entropy_value(name):
    _, logits, targets = CASES[name]
    value, _ = cross_entropy(logits, targets)
    assert value == pytest.approx(exact_cross_entropy(logits, targets), rel=1e-14, abs=1e-14)


def test_hard_targets_are_one_hot_soft_targets():
    hard, soft = cross_entropy(LOGITS, HARD), cross_entropy(LOGITS, one_hot(HARD, 4))
    assert hard[0] == soft[0] == pytest.approx(exact_cross_entropy(LOGITS, np.eye(4)[HARD]), 1e-14)
    np.testing.assert_array_equal(hard[1], soft[1])
    hard, soft = cross_entropy(ONE, BITS), cross_entropy(ONE, BITS[:, None])
    assert hard[0] == soft[0] == pytest.approx(exact_cross_entropy(ONE, BITS[:, None]), 1e-14)
    np.testing.assert_array_equal(hard[1], soft[1])


def test_one_logit_is_two_with_the_first_at_zero():
    """σ(z) is the softmax of (0, z), so loss and gradient are the same: to 1e-15, one rounding."""
    value, gradient = cross_entropy(ONE, BITS)
    value2, gradient2 = cross_entropy(np.hstack([np.zeros_like(ONE), ONE]), BITS)
    assert value == pytest.approx(value2, rel=1e-14)
    np.testing.assert_allclose(gradient[:, 0], gradient2[:, 1], rtol=0, atol=1e-15)


def test_squared_error_value_by_hand():
    value, gradient = squared_error(np.array([[1.0, 2.0], [0.0, 4.0]]), np.array([[0, 0], [0, 1]]))
    assert value == (1 + 4 + 9) / 4
    np.testing.assert_array_equal(gradient, [[0.5, 1.0], [0.0, 1.5]])


@pytest.mark.parametrize("name", CASES)
def test_gradient(name):
    loss, logits, targets = CASES[name]
    _, gradient = loss(logits, targets)
    assert gradient.shape == logits.shape
    error = directional_error(lambda z: loss(z, targets)[0], gradient, logits, rng=0)
    assert 0 <= error < 1e-7
    rejected = directional_error(lambda z: loss(z, targets)[0], 1.001 * gradient, logits, rng=0)
    assert 4e-4 < rejected < 6e-4


@pytest.mark.parametrize("name", CASES)
def test_float32_stays_float32(name):
    """The gradient is what the whole backward pass is computed in. 1e-6: a few eps of 1.2e-7."""
    loss, logits, targets = CASES[name]
    value, gradient = loss(logits.astype(np.float32), targets)
    assert isinstance(value, float)
    assert gradient.dtype == np.float32
    want, want_gradient = loss(logits, targets)
    assert value == pytest.approx(want, rel=2e-6)
    np.testing.assert_allclose(gradient, want_gradient, rtol=0, atol=1e-6)


@given(
    hnp.arrays(np.float64, (3, 4), elements=st.floats(-1000, 1000)),
    hnp.arrays(np.int64, 3, elements=st.integers(0, 3)),
)
def test_bounds_of_the_cross_entropy(logits, labels):
    """0 ≤ L ≤ largest difference of logits + ln K; the gradient of each row adds up to 0."""
    value, gradient = cross_entropy(logits, labels)
    assert 0 <= value <= np.ptp(logits, axis=1).mean() + np.log(4) + 1e-9
    np.testing.assert_allclose(gradient.sum(axis=1), 0, rtol=0, atol=1e-15)
    assert (np.abs(gradient) <= 1 / 3 + 1e-15).all()


@pytest.mark.parametrize("sign", [-1, 1])
def test_extreme_logits_of_one_output(sign):
    z = np.array([[1000.0 * sign]])
    wrong, right = (
        cross_entropy(z, np.array([int(sign < 0)])),
        cross_entropy(z, np.array([sign > 0]) * 1),
    )
    assert wrong[0] == 1000
    assert right[0] == 0
    assert wrong[1][0, 0] == sign
    assert right[1][0, 0] == 0


def test_one_hot():
    np.testing.assert_array_equal(one_hot(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])
    assert one_hot(np.array([1], np.uint8), 2, np.float32).dtype == np.float32
    assert one_hot(np.array([], int), 3).shape == (0, 3)
    # built row by row: a square of 1e6 x 1e6 for one label would be 8 TB
    assert one_hot(np.array([999_999]), 1_000_000).sum() == 1


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (np.array([0.0, 1.0]), "whole numbers, got shape (2,) of float64"),
        (np.array([True, False]), "whole numbers, got shape (2,) of bool"),
        (np.array([[0, 1]]), "1-D array"),
        (np.array([-1, 0]), "from 0 to 2, got -1 to 0"),
        (np.array([0, 3]), "from 0 to 2, got 0 to 3"),
    ],
)
def test_labels_that_are_none(labels, says):
    with pytest.raises(ValueError, match="expected labels") as error:
        one_hot(labels, 3)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("loss", "outputs", "targets", "says"),
    [
        (cross_entropy, LOGITS, HARD[:5], "shape (6, 4) or (6,), got (5,)"),
        (cross_entropy, LOGITS, SOFT[:, :3], "shape (6, 4) or (6,), got (6, 3)"),
        (cross_entropy, ONE, SOFT, "shape (6, 1) or (6,), got (6, 4)"),
        (squared_error, LOGITS, HARD, "shape (6, 4), got (6,)"),
        (squared_error, ONE, SOFT, "shape (6, 1) or (6,), got (6, 4)"),
        (cross_entropy, LOGITS[0], HARD, "(n, K) with at least one row, got (4,)"),
        (squared_error, LOGITS[:0], SOFT[:0], "at least one row, got (0, 4)"),
    ],
)
def test_shapes_that_do_not_fit(loss, outputs, targets, says):
    with pytest.raises(ValueError, match="expected") as error:
        loss(outputs, targets)
    assert says in str(error.value)
