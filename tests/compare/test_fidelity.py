"""Shares under a distribution: exact intervals, and distributions whose share is known."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from mstheft import compare
from mstheft.nn import zoo

A = zoo.mlp([4, 6, 3], bias=1, rng=0)
B = zoo.mlp([4, 6, 3], bias=1, rng=1)
X = np.random.default_rng(5).normal(size=(200, 4))


def normal(rng, n):
    return rng.normal(size=(n, 4))


@given(st.integers(1, 500), st.floats(0, 1), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_interval_inverts_the_binomial_test(n, share, confidence):
    """At each end the tail of the binomial is (1 - confidence) / 2; scipy.stats as the judge."""
    count, tail = round(share * n), (1 - confidence) / 2
    low, high = compare.interval(count, n, confidence)
    assert 0 <= low <= count / n <= high <= 1
    if count > 0:
        assert scipy.stats.binom.sf(count - 1, n, low) == pytest.approx(tail, rel=1e-6)
    else:
        assert low == 0
    if count < n:
        assert scipy.stats.binom.cdf(count, n, high) == pytest.approx(tail, rel=1e-6)
    else:
        assert high == 1


def test_interval_covers():
    """True share 0.3, 50 draws: exact coverage by summation; at least 95 %, and not by a mile."""
    chances = scipy.stats.binom.pmf(np.arange(51), 50, 0.3)
    inside = [low <= 0.3 <= high for low, high in (compare.interval(k, 50) for k in range(51))]
    assert 0.95 <= chances[inside].sum() < 0.985


def test_fidelity():
    """Half-planes that disagree on |x1| < 1 have fidelity 2 Φ(-1) = 0.3173 under N(0, I)."""

    def f(x):
        return x[:, :1] + 1

    def g(x):
        return x[:, :1] - 1

    found = compare.fidelity(f, g, normal, 10_000, 0)
    assert found.low < 0.31731 < found.high
    assert found.low < found.agreement < found.high
    assert 0.015 < found.high - found.low < 0.02  # 2 · 1.96 · √(0.3173 · 0.6827 / 10,000)
    assert (found.n, found.confidence) == (10_000, 0.95)
    assert found == compare.fidelity(f, g, normal, 10_000, 0)
    assert found != compare.fidelity(f, g, normal, 10_000, 1)
    sure = compare.fidelity(f, g, normal, 10_000, 0, confidence=0.999)
    assert sure.low < found.low < found.high < sure.high


def test_draws_are_independent_between_batches():
    """10,000 rows come in three calls of at most 4096, all different."""
    seen = []

    def sample(rng, n):
        seen.append(rng.normal(size=(n, 4)))
        return seen[-1]

    assert compare.fidelity(A, A, sample, 10_000, 0).agreement == 1
    assert [len(x) for x in seen] == [4096, 4096, 1808]
    assert len(np.unique(np.concatenate(seen)[:, 0])) == 10_000


def test_functional_equivalence():
    """|f - g| = |x1| > 2 has δ = 2 Φ(-2) = 0.04550 under N(0, I)."""

    def g(x):
        return A.logits(x) + [[0, 1, 0]] * x[:, :1]

    found = compare.functional_equivalence(A, g, 2, normal, 10_000, 0)
    assert found.delta == found.failures / 10_000
    assert found.low < 0.0455 < found.high
    assert found.low < found.delta < found.at_most < found.high
    assert (found.epsilon, found.n, found.confidence) == (2, 10_000, 0.95)
    assert f"|f - g| > 2 on {found.failures} of 10,000 inputs" in str(found)


def test_the_rule_of_three():
    found = compare.functional_equivalence(A, A.copy(), 0, normal, 1000, 0)
    assert (found.failures, found.delta, found.low) == (0, 0, 0)
    assert found.at_most == pytest.approx(1 - 0.05 ** (1 / 1000), rel=1e-9)
    assert found.at_most == pytest.approx(3 / 1000, rel=5e-3)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 1000), rel=1e-9)
    assert "with 95 % confidence on at most a share of 0.00299" in str(found)
    sure = compare.functional_equivalence(A, A, 0, normal, 1000, 0, confidence=0.99)
    assert sure.at_most == pytest.approx(1 - 0.01 ** (1 / 1000), rel=1e-9)


def test_all_fail_and_exactly_epsilon_does_not():
    def g(x):
        return np.ones((len(x), 2))

    def f(x):
        return np.zeros((len(x), 2))

    assert compare.functional_equivalence(f, g, 1, normal, 10, 0).failures == 0
    found = compare.functional_equivalence(f, g, 0.999, normal, 10, 0)
    assert (found.failures, found.delta, found.high, found.at_most) == (10, 1, 1, 1)
    assert found.low == pytest.approx(0.025 ** (1 / 10), rel=1e-9)


def test_intervals_that_are_none():
    with pytest.raises(ValueError, match="expected 0 <= count <= n, got 5 of 4"):
        compare.interval(5, 4)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"n": 0}, "expected n >= 1 .* got 0"),
        ({"confidence": 95}, "0 < confidence < 1, got 10 and 95"),
        ({"confidence": np.nan}, "0 < confidence < 1, got 10 and nan"),
        ({"sample": lambda rng, n: X[:3]}, r"expected sample\(rng, 10\) to return 10 rows"),
        ({"sample": lambda rng, n: X[:, 0]}, r"expected sample\(rng, 10\) to return 10 rows"),
        ({"epsilon": -1}, "expected a finite epsilon >= 0, got -1"),
    ],
)
def test_what_cannot_be_sampled(change, says):
    arguments = {"epsilon": 0.1, "sample": normal, "n": 10, "rng": 0} | change
    with pytest.raises(ValueError, match=says):
        compare.functional_equivalence(A, B, **arguments)
