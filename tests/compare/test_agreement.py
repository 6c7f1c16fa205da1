"""Two networks on given rows: labels and logits, by hand and against sums in loops."""

import numpy as np
import pytest

from mstheft import compare
from mstheft.nn import Network, zoo
from mstheft.nn.layers import Flatten

A = zoo.mlp([4, 6, 3], bias=1, rng=0)
B = zoo.mlp([4, 6, 3], bias=1, rng=1)
X = np.random.default_rng(5).normal(size=(200, 4))


def test_agreement_by_hand():
    def f(x):
        return np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [2, 2, 0]])

    def g(x):
        return np.array([[5, 0, 4], [0, 0, 1], [0, 0, 1], [2, 1, 0]])

    assert compare.agreement(f, g, X[:4]) == 0.75  # of equal scores the first


def test_agreement_of_one_logit_is_that_of_signs():
    def f(x):
        return np.array([[1e-9], [-2.0], [3], [0.0]])

    def g(x):
        return np.array([[9.0], [-1e-9], [-3], [-1.0]])

    assert compare.agreement(f, g, X[:4]) == 0.75  # 0 is not above 0: class 0


def test_agreement_of_networks():
    assert compare.agreement(A, A.copy(), X) == 1
    want = float(np.mean([p == q for p, q in zip(A.labels(X), B.labels(X), strict=True)]))
    assert 0.1 < want < 0.9
    assert compare.agreement(A, B, X) == compare.agreement(A, B.probs, X) == want
    assert compare.control(A, B, X) == want
    assert 0 < compare.agreement(zoo.logistic(4, rng=0), zoo.logistic(4, rng=1), X) < 1


def test_the_victim_is_no_control():
    with pytest.raises(ValueError, match="expected a network trained without the victim"):
        compare.control(A, A, X)


def test_infinite_scores_have_labels_and_no_differences():
    """ln 0 = -inf is an answer of some log-probabilities."""

    def f(x):
        return np.array([[-np.inf, 0.0], [0.0, -np.inf]])

    assert compare.agreement(f, f, X[:2]) == 1
    with pytest.raises(ValueError, match="expected finite logits, got infinite ones"):
        compare.logit_difference(f, f, X[:2])


def test_logit_difference():
    largest, mean = compare.logit_difference(A, B, X)
    apart = [abs(p - q) for p, q in zip(A.logits(X).flat, B.logits(X).flat, strict=True)]
    assert largest == max(apart)
    assert mean == pytest.approx(sum(apart) / len(apart), rel=1e-13)


def test_logit_difference_up_to_gauge():
    """A copy from probabilities: equal up to one function of x, added to all classes."""

    def shifted(x):
        return A.logits(x) + 100 * x[:, :1]

    assert compare.logit_difference(A, shifted, X).max > 100
    assert 0 <= compare.logit_difference(A, shifted, X, gauge=True).max < 1e-12
    plain = [z - z.mean(axis=1)[:, None] for z in (A.logits(X), B.logits(X))]
    assert compare.logit_difference(A, B, X, gauge=True).max == np.abs(plain[0] - plain[1]).max()
    with pytest.raises(ValueError, match="expected two or more classes with gauge=True, got 1"):
        compare.logit_difference(zoo.logistic(4), zoo.logistic(4), X, gauge=True)


def test_rows_may_have_the_networks_shape():
    flat = zoo.mlp([6, 5, 3], bias=1, rng=0)
    shaped = Network([Flatten(), *flat.copy().layers], (2, 3))
    x = np.random.default_rng(0).normal(size=(10, 2, 3))
    assert compare.logit_difference(flat, shaped, x).max == 0


def zeros(*shape):
    return lambda x: np.zeros(shape)


@pytest.mark.parametrize(
    ("f", "g", "x", "says"),
    [
        (A, zoo.mlp([5, 3]), X, r"expected inputs of shape \(n, 5\), got \(200, 4\)"),
        (A, zeros(200, 2), X, r"answers of one shape, got \(200, 3\) and \(200, 2\)"),
        (A, zeros(200), X, r"expected \(200, K\) real scores .* got shape \(200,\)"),
        (A, zeros(7, 3), X, r"expected \(200, K\) real scores .* got shape \(7, 3\)"),
        (A, lambda x: np.full((len(x), 3), "a"), X, "expected .* real scores .* of <U1"),
        (A, lambda x: np.full((len(x), 3), np.nan), X, "expected scores without NaN, got NaN"),
        (A, B, X[0], r"expected rows \(n, d\) with n >= 1, got shape \(4,\)"),
        (A, B, X[:0], r"expected rows \(n, d\) with n >= 1, got shape \(0, 4\)"),
    ],
)
def test_what_cannot_be_compared(f, g, x, says):
    with pytest.raises(ValueError, match=says):
        compare.agreement(f, g, x)


def test_one_score_may_stand_beside_two_for_labels_only():
    one, two = zoo.logistic(4, rng=0), zoo.softmax(4, 2, rng=1)
    expected = (one.labels(X) == two.labels(X)).mean()
    assert compare.agreement(one, two, X) == expected
    with pytest.raises(ValueError, match="answers of one shape"):
        compare.logit_difference(one, two, X)
