"""Comparing networks: answers, samples, and the certificate, which must never be wrong.

The certificate is judged in exact rational arithmetic where networks are small: no rounding of a
test can hide one of the certificate. Elsewhere a float64 sum of numbers of size ≤ 100 is trusted
to 1e-12.
"""

import importlib
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from twins import blurred, disguised, seeds

from mstheft import compare
from mstheft.compare.alignment import center, rescale
from mstheft.nn import Network, zoo
from mstheft.nn.layers import Flatten

bounds = importlib.import_module("mstheft.compare.certificate")


def normal(rng, n):
    return rng.normal(size=(n, 4))


A = zoo.mlp([4, 6, 3], bias=1, rng=0)
B = zoo.mlp([4, 6, 3], bias=1, rng=1)
X = normal(np.random.default_rng(5), 200)

# ---- answers on given rows


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
    assert compare.summary(flat, shaped, x).certificate < 1e-12


@pytest.mark.parametrize(
    ("f", "g", "x", "says"),
    [
        (
            A,
            zoo.mlp([5, 3]),
            X,
            "expected two networks of equal inputs and outputs, got 4 to 3 and 5",
        ),
        (
            A,
            zoo.mlp([4, 2]),
            X,
            "expected two networks of equal inputs and outputs, got 4 to 3 and 4",
        ),
        (
            A,
            lambda x: np.zeros((len(x), 2)),
            X,
            r"answers of one shape, got \(200, 3\) and \(200, 2\)",
        ),
        (
            A,
            lambda x: np.zeros(len(x)),
            X,
            r"expected \(200, K\) real scores .* got shape \(200,\)",
        ),
        (
            A,
            lambda x: np.zeros((7, 3)),
            X,
            r"expected \(200, K\) real scores .* got shape \(7, 3\)",
        ),
        (A, lambda x: np.full((len(x), 3), "a"), X, "expected .* real scores .* of <U1"),
        (A, lambda x: np.full((len(x), 3), np.nan), X, "expected scores without NaN, got NaN"),
        (A, B, np.full((2, 4), np.nan), "expected scores without NaN, got NaN"),
        (A, "B", X, "expected a Network or a callable .* got str"),
        (A, B, X[0], r"expected rows \(n, d\) with n >= 1, got shape \(4,\)"),
        (A, B, X[:0], r"expected rows \(n, d\) with n >= 1, got shape \(0, 4\)"),
        (A, B, X[:, :3], r"expected inputs of shape \(n, 4\), got \(200, 3\)"),
    ],
)
def test_what_cannot_be_compared(f, g, x, says):
    for ask in (compare.agreement, compare.logit_difference, compare.summary, compare.control):
        with pytest.raises(ValueError, match=says):
            ask(f, g, x)


# ---- answers under a distribution


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


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"n": 0}, "expected n as a whole number >= 1, got 0"),
        ({"n": 2.5}, "expected n as a whole number >= 1, got 2.5"),
        ({"n": True}, "expected n as a whole number >= 1, got True"),
        ({"confidence": 1}, "expected 0 < confidence < 1, got 1"),
        ({"confidence": 95}, "expected 0 < confidence < 1, got 95"),
        ({"confidence": np.nan}, "expected 0 < confidence < 1, got nan"),
        (
            {"sample": lambda rng, n: X[:3]},
            r"expected sample\(rng, 10\) to return 10 rows, got shape",
        ),
        ({"sample": lambda rng, n: X[:, 0]}, r"expected sample\(rng, 10\) to return 10 rows"),
        ({"epsilon": -1}, "expected a finite epsilon >= 0, got -1"),
        ({"epsilon": np.nan}, "expected a finite epsilon >= 0, got nan"),
    ],
)
def test_what_cannot_be_sampled(change, says):
    common = {"sample": normal, "n": 10, "rng": 0, "confidence": 0.95} | change
    with pytest.raises(ValueError, match=says):
        compare.functional_equivalence(A, B, **({"epsilon": 0.1} | common))
    if "epsilon" not in change:
        with pytest.raises(ValueError, match=says):
            compare.fidelity(A, B, **common)


def test_intervals_that_are_none():
    with pytest.raises(ValueError, match="expected 0 <= count <= n, got 5 of 4"):
        compare.interval(5, 4)


# ---- the certificate: soundness


def exact(network, x):
    """The logits at x over the rationals, from the parameters as they are stored."""
    h = [Fraction(float(v)) for v in x]
    layers = network.dense()
    for depth, (W, b) in enumerate(layers):
        rows = zip(W.tolist(), b.tolist(), strict=True)
        h = [sum(map(lambda w, v: Fraction(w) * v, row, h), Fraction(bias)) for row, bias in rows]
        if depth < len(layers) - 1:
            h = [max(v, Fraction(0)) for v in h]
    return h


def exact_difference(a, b, x):
    return max(abs(p - q) for p, q in zip(exact(a, x), exact(b, x), strict=True))


def worst(a, b, low, high, rng, starts=4):
    """The worst input that ascent finds, one coordinate at a time: |f - g| there, and the input."""
    d, best = len(low), (0.0, low)
    for _ in range(starts):
        x = rng.uniform(low, high)
        value = compare.logit_difference(a, b, x[None]).max
        for j in [*range(d), *range(d)]:
            tries = np.repeat(x[None], 8, axis=0)
            tries[:, j] = [low[j], high[j], *rng.uniform(low[j], high[j], 6)]
            values = np.abs(a.logits(tries) - b.logits(tries)).max(axis=1)
            if values.max() > value:
                x, value = tries[values.argmax()], values.max()
        best = max(best, (value, x), key=lambda pair: pair[0])
    return best


def probes(a, b, low, high, rng):
    """Random points, corners, and the worst that ascent finds."""
    corners = itertools.islice(itertools.product(*zip(low, high, strict=True)), 32)
    return [*rng.uniform(low, high, (8, len(low))), *corners, worst(a, b, low, high, rng)[1]]


def assert_sound(a, b, low, high, rng):
    bound = compare.certificate(a, b, low, high)
    assert 0 <= bound < math.inf
    for x in probes(a, b, low, high, rng):
        assert exact_difference(a, b, x) <= Fraction(bound)
    return bound


def box(d, rng):
    low = rng.normal(size=d) * 10 ** rng.uniform(-2, 2)
    return low, low + rng.choice([0, 1e-3, 1, 10], size=d) * rng.random(d)


@given(seeds, st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.integers(1, 3))
def test_sound_for_unrelated_networks(seed, d, h, other, K):
    rng = np.random.default_rng(seed)
    a, b = (zoo.mlp([d, width, K], bias=1, rng=rng) for width in (h, other))
    assert_sound(a, b, *box(d, rng), rng)


@given(seeds, st.integers(1, 4), st.integers(1, 5), st.sampled_from([0, 1e-15, 1e-9, 1e-2]))
def test_sound_for_disguised_copies(seed, d, h, size):
    """Size 0: what is left are the roundings of the disguise, and of the certificate itself."""
    rng = np.random.default_rng(seed)
    a = zoo.mlp([d, h, 2], bias=1, rng=rng)
    b = disguised(blurred(a, size, rng), rng)[0]
    low, high = box(d, rng)
    bound = assert_sound(a, b, low, high, rng)
    most = np.abs([low, high]).max() + 1
    assert bound <= 1e3 * (size + 1e-13) * most * d * h  # A1 is disguised by a factor ≤ 100


@given(seeds, st.lists(st.integers(1, 4), min_size=2, max_size=5), st.sampled_from([0, 1e-9, 1]))
def test_sound_for_networks_of_any_depth(seed, widths, size):
    rng = np.random.default_rng(seed)
    a = zoo.mlp(widths, bias=1, rng=rng)
    assert_sound(a, blurred(a, size, rng), *box(widths[0], rng), rng)


@given(seeds, st.booleans(), st.booleans())
def test_sound_for_float32(seed, first, second):
    """It is the real function of the stored numbers that is bounded, whatever their dtype."""
    rng = np.random.default_rng(seed)
    a = zoo.mlp([3, 4, 2], bias=1, rng=rng)
    dtypes = [np.float32 if single else np.float64 for single in (first, second)]
    a, b = (Network(a.copy().layers, 3, dtype) for dtype in dtypes)
    bound = assert_sound(a, disguised(b, rng)[0], *box(3, rng), rng)
    assert bound < 1


def cancelling(seed):
    """A box of one point, where ΔW x + Δb cancels but for roundings."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=6) * 10.0 ** rng.integers(-3, 4, 6)
    a = zoo.softmax(6, 3, rng=rng)
    b = a.copy()
    W, bias = b.dense()[0]
    W *= 1 + 1e-16 * rng.integers(-3, 4, W.shape)
    bias[...] = a.dense()[0][1] + a.dense()[0][0] @ x - W @ x
    a.dense()[0][1][...] = 0
    return a, b, x


@pytest.mark.parametrize("seed", range(40))
def test_sound_where_only_roundings_differ(seed):
    a, b, x = cancelling(seed)
    bound = compare.certificate(a, b, x, x)
    assert exact_difference(a, b, x) <= Fraction(bound)
    assert bound < 1e-10


def test_sound_for_signs_and_sides_by_hand():
    """f = relu(x) and g = relu(-x) on [-2, 1]: |f - g| = 2 at -2."""
    a, b = zoo.mlp([1, 1, 1]), zoo.mlp([1, 1, 1])
    for network, sign in ((a, 1), (b, -1)):
        network.dense()[0][0][...] = sign
        network.dense()[1][0][...] = 1
    assert 2 <= compare.certificate(a, b, -2, 1) <= 2 + 1e-12
    assert 0 <= compare.certificate(a, a, -2, 1) < 1e-14


def test_sound_with_weights_that_overflow_and_underflow():
    a = zoo.mlp([2, 2, 1], bias=1, rng=0)
    for factor in (1e90, 1e-90, 1e-170, 1e-300):
        b, c = a.copy(), a.copy()
        for p in (*b.dense()[0], *c.dense()[0]):
            p *= factor
        b.dense()[1][0][...] /= 1e-90 if factor < 1e-90 else factor
        assert exact_difference(a, b, [1, 1]) <= Fraction(compare.certificate(a, b, -1, 1))
        assert exact_difference(b, c, [1, 1]) <= Fraction(compare.certificate(b, c, -1, 1))
    a.dense()[1][0][...] = 1e80
    b = zoo.mlp([2, 2, 1], bias=1, rng=1)
    for p in b.dense()[0]:
        p *= 1e80
    assert compare.certificate(a, b, -1e300, 1e300) == math.inf


# ---- the certificate: its parts, each where it is needed


LONG = 2000  # terms of which each is lost beside a 1: 0.9 u to a sum that is above 1
LOSSY = np.r_[1, np.full(LONG, 0.9 * 2.0**-53)][None]
LOST = LONG * Fraction(0.9 * 2.0**-53)


@pytest.mark.parametrize("bias", [0.0, -1.0])
def test_sums_that_lose_digits(bias):
    """Whatever order BLAS sums in, most of 2000 terms of 0.9 u vanish beside the 1."""
    ones, zeros, none = np.ones(LONG + 1), np.zeros(LONG + 1), np.zeros(1)
    assert Fraction(float((LOSSY @ ones)[0])) < 1 + LOST
    truth = 1 + LOST + Fraction(bias)
    b = np.array([bias])
    for middle, radius in ((ones, zeros), (zeros, ones)):
        wide = truth if radius[0] == 0 else 1 + LOST + abs(Fraction(bias))
        apart = bounds._apart_after(LOSSY, b, 0 * LOSSY, none, zeros, middle, radius)
        assert wide <= Fraction(float(apart[0])) < wide + Fraction(1, 10**10)
        low, high = bounds._range(LOSSY, b, middle, radius)
        least = truth if radius[0] == 0 else Fraction(bias) - 1 - LOST
        assert Fraction(float(low[0])) <= least
        assert 1 + LOST + Fraction(bias) <= Fraction(float(high[0]))
        assert high[0] - low[0] < 2 * radius[0] * (1 + 1e-9) + 1e-10
    passed_on = bounds._apart_after(LOSSY, none, LOSSY, none, ones, zeros, zeros)
    assert 1 + LOST <= Fraction(float(passed_on[0])) < 1 + Fraction(1, 10**10)


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_balls_hold_their_box(one, other):
    low, high = sorted([one, other])
    middle, radius = map(float, bounds._ball((np.float64(low), np.float64(high))))
    middle, radius, low, high = map(Fraction, (middle, radius, low, high))
    assert middle - radius <= low
    assert high <= middle + radius
    assert radius <= (high - low) / 2 + Fraction(1e-13) * (abs(low) + abs(high)) + Fraction(1e-300)


def test_products_that_underflow():
    """1e-200 · 1e-200 is 0 in float64 and is not 0."""
    a, b = zoo.logistic(1), zoo.logistic(1)
    a.dense()[0][0][...], b.dense()[0][0][...] = 1e-200, 0
    assert Fraction(1e-200) ** 2 <= Fraction(compare.certificate(a, b, 1e-200, 1e-200)) < 1e-300


def test_output_weights_that_underflow_when_rescaled():
    """b's 1e-250 becomes 1e-349 = 0 in a's units, and its input 1e299: 1e-50 is left."""
    a, b = zoo.mlp([1, 1, 1]), zoo.mlp([1, 1, 1])
    for network, inner, outer in ((a, 1e99, 0), (b, 1, 1e-250)):
        network.dense()[0][0][...], network.dense()[1][0][...] = inner, outer
    assert compare.align(a, b).model.dense()[1][0] == 0
    bound = compare.certificate(a, b, 1e200, 1e200)
    assert exact_difference(a, b, [1e200]) <= Fraction(bound) < 1


def test_sums_that_overflow_downwards_on_their_way_up():
    """128 times -1e308, then 128 times 1.5e308: the sum is 6.4e309, in float64 -inf or NaN."""
    a, b = zoo.mlp([256, 1, 1]), zoo.mlp([256, 1, 1])
    a.dense()[0][0][...] = np.r_[np.full(128, -1e99), np.full(128, 1.5e99)]
    a.dense()[1][0][...] = 1
    b.dense()[0][0][...] = 0
    for pair in ((a, b), (b, a)):
        assert compare.certificate(*pair, 1e209, 1e209) == math.inf


# ---- the certificate: planted faults


PLANTED = {
    "radius forgotten": ("_ball", lambda box: ((box[0] + box[1]) / 2, np.zeros(len(box[0])))),
    "radius halved": ("_ball", lambda box: ((box[0] + box[1]) / 2, (box[1] - box[0]) / 4)),
    "gap of the low ends": ("_gap", lambda own, box: np.abs(own[0] - box[0])),
    "gap of one side": ("_gap", lambda own, box: np.maximum(own[1] - box[0], 0)),
    "range too short": ("_range", lambda W, b, c, r: (W @ c + b - W @ r, W @ c + b + W @ r)),
    "relu that is none above": ("_relu", lambda box: (box[0] * 0, np.minimum(box[1], 0))),
    "error not passed on": (
        "_apart_after",
        lambda W, b, W_, b_, e, c, r: np.abs((W - W_) @ c + b - b_) + np.abs(W - W_) @ r,
    ),
    "weights not compared": ("_apart_after", lambda W, b, W_, b_, e, c, r: np.abs(W) @ e + 0 * b),
    "wrong sign of the bias": (
        "_apart_after",
        lambda W, b, W_, b_, e, c, r: (
            np.abs((W - W_) @ c - b + b_) + np.abs(W - W_) @ r + np.abs(W) @ e
        ),
    ),
}


def violations(seed):
    """How often the bound is passed at a probe, for a copy and for an unrelated network."""
    rng = np.random.default_rng(seed)
    a = zoo.mlp([3, 4, 2], bias=1, rng=rng)
    count = 0
    for b in (blurred(a, 1e-2, rng), zoo.mlp([3, 2, 2], bias=1, rng=rng)):
        low = rng.normal(size=3)
        high = low + 5 * rng.random(3)
        bound = Fraction(compare.certificate(a, b, low, high))
        count += sum(exact_difference(a, b, x) > bound for x in probes(a, b, low, high, rng))
    return count


def test_the_probes_find_nothing_without_a_fault():
    assert sum(violations(seed) for seed in range(40)) == 0


@pytest.mark.parametrize("fault", PLANTED)
def test_the_probes_find_planted_faults(fault, monkeypatch):
    """The tests of soundness are worth what they catch."""
    monkeypatch.setattr(bounds, *PLANTED[fault])
    assert any(violations(seed) for seed in range(40))


def test_forgotten_roundings_are_found(monkeypatch):
    monkeypatch.setattr(bounds, "EPS", 0.0)
    cases = map(cancelling, range(40))
    assert any(
        exact_difference(a, b, x) > Fraction(compare.certificate(a, b, x, x)) for a, b, x in cases
    )


# ---- the certificate: tightness


def test_tight_for_a_copy_of_the_lectures_size():
    a = zoo.mlp([784, 64, 10], bias=0.1, rng=0)
    rng = np.random.default_rng(0)
    b = a.copy()
    for p in b.parameters().values():
        p *= 1 + 1e-9 * rng.uniform(-1, 1, p.shape)
    b = disguised(b, 1)[0]
    bound = compare.certificate(a, b, 0, 1)
    assert worst(a, b, np.zeros(784), np.ones(784), rng, starts=1)[0] < bound < 1e-6
    assert 0 <= compare.certificate(a, disguised(a, 2)[0], 0, 1) < 1e-11


@given(seeds, st.integers(1, 5), st.integers(1, 4))
def test_exact_without_a_hidden_layer(seed, d, K):
    """An affine difference is largest in a corner."""
    rng = np.random.default_rng(seed)
    a, b = zoo.softmax(d, K, rng=rng), zoo.softmax(d, K, rng=rng)
    low, high = box(d, rng)
    corners = itertools.product(*zip(low, high, strict=True))
    truth = max(exact_difference(a, b, x) for x in corners)
    assert (
        truth
        <= Fraction(compare.certificate(a, b, low, high))
        <= truth * (1 + Fraction(1, 10**12)) + Fraction(1, 10**11)
    )


def formula(a, b, low, high):
    """The plain bound word by word, in loops, for aligned networks; roundings not bounded."""
    (A0, b0), (A1, b1) = a.dense()
    (A0_, b0_), (A1_, b1_) = b.dense()

    def most(w, c):
        return c + sum(max(wj * lo, wj * hi) for wj, lo, hi in zip(w, low, high, strict=True))

    total = np.abs(b1 - b1_)
    for i in range(len(b0)):
        dw, db = A0[i] - A0_[i], b0[i] - b0_[i]
        total += np.abs(A1[:, i]) * max(most(dw, db), most(-dw, -db))
        total += np.abs(A1[:, i] - A1_[:, i]) * max(most(A0_[i], b0_[i]), 0)
    return total.max()


@given(seeds, st.integers(1, 5), st.integers(1, 6), st.sampled_from([1e-9, 1e-3, 1]))
def test_at_most_the_formula_of_the_design(seed, d, h, size):
    rng = np.random.default_rng(seed)
    a = zoo.mlp([d, h, 2], bias=1, rng=rng)
    b = disguised(blurred(a, size, rng), rng)[0]
    low, high = box(d, rng)
    want = formula(a, compare.align(a, b).model, low, high)
    most = np.abs([low, high]).max() + 1
    assert compare.certificate(a, b, low, high) <= want * (1 + 1e-9) + 1e-11 * most * d * h


def test_neurons_without_a_partner_count_whole():
    """b = a without one neuron, whose output is at most |A1| max relu(z): 3 · (2 + 1) on [0, 1]."""
    a, b = zoo.mlp([1, 2, 1]), zoo.mlp([1, 1, 1])
    (A0, b0), (A1, _) = a.dense()
    A0[...], b0[...], A1[...] = [[1], [2]], [-0.5, 1], [[1, 3]]
    for network, weight in zip(b.dense(), ([[1]], [[1]]), strict=True):
        network[0][...] = weight
    b.dense()[0][1][...] = -0.5
    for pair in ((a, b), (b, a)):
        assert 9 <= compare.certificate(*pair, 0, 1) < 9 + 1e-12
    b.dense()[1][1][...] = 0.25  # on top of 9, or against it: the bound does not know
    for pair in ((a, b), (b, a)):
        assert 9 - 0.25 <= compare.certificate(*pair, 0, 1) < 9.25 + 1e-12
    b0[1] = -2  # off in the whole box
    assert 0.25 <= compare.certificate(a, b, 0, 1) < 0.25 + 1e-12


def test_tight_for_deep_copies():
    a = zoo.mlp([20, 16, 12, 8, 4], bias=0.3, rng=0)
    rng = np.random.default_rng(0)
    b = blurred(a, 1e-9, 1)
    bound = compare.certificate(a, b, -1, 1)
    assert worst(a, b, -np.ones(20), np.ones(20), rng, starts=1)[0] < bound < 1e-5
    assert 0 <= compare.certificate(a, a, -1, 1) < 1e-11


def test_larger_boxes_have_larger_bounds():
    bounds = [compare.certificate(A, B, -r, r) for r in (0, 0.1, 1, 10)]
    assert bounds == sorted(bounds)
    here = compare.logit_difference(A, B, np.zeros((1, 4))).max
    assert here <= bounds[0] < here + 20  # a point, but matched neurons are far apart
    assert compare.certificate(A, B, [-1, -1, 0, 0], 1) <= compare.certificate(A, B, -1, 1)


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (1, 0, "expected low <= high, got 1.0 > 0.0 for input 0"),
        (0, [1, 1, -1, 1], "expected low <= high, got 0.0 > -1.0 for input 2"),
        (
            np.nan,
            1,
            r"expected low as a finite number or \(4,\) of them, got shape \(\) with 1 not",
        ),
        (0, np.inf, r"expected high as a finite number or \(4,\) of them"),
        ([0, 0, 0], 1, r"expected low as .* got shape \(3,\) with 0 not finite"),
        (np.zeros((1, 4)), 1, r"expected low as .* got shape \(1, 4\)"),
    ],
)
def test_boxes_that_are_none(low, high, says):
    with pytest.raises(ValueError, match=says):
        compare.certificate(A, B, low, high)


def test_networks_without_certificate():
    deep = zoo.mlp([4, 5, 5, 3], rng=0)
    with pytest.raises(ValueError, match="expected b as Dense layers with relu between them"):
        compare.certificate(A, zoo.mlp([4, 6, 3], activation="tanh"), 0, 1)
    for other in (zoo.mlp([4, 5, 6, 3]), A):
        with pytest.raises(ValueError, match=r"expected equal widths .* got \[5, 5, 3\] and \["):
            compare.certificate(deep, other, 0, 1)
    with pytest.raises(ValueError, match="expected two networks of equal inputs and outputs"):
        compare.certificate(A, zoo.mlp([4, 6, 2]), 0, 1)
    for value in (np.nan, np.inf, 1e101):
        broken = A.copy()
        broken.parameters()["0.W"][1, 1] = value
        with pytest.raises(ValueError, match="expected finite parameters in b"):
            compare.certificate(A, broken, 0, 1)


# ---- all at once


def test_summary():
    copy = disguised(blurred(A, 1e-9, 0), 0)[0]
    right = A.labels(X).copy()
    right[:20] = (right[:20] + 1) % 3
    found = compare.summary(A, copy, X, labels=right, independent=B)
    assert (found.rows, found.agreement) == (200, 1)
    assert found.victim_accuracy == found.copy_accuracy == 0.9
    assert found.control == compare.agreement(A, B, X)
    assert found.difference == compare.logit_difference(A, copy, X)
    assert found.parameter_error == compare.align(A, copy).error
    assert found.certificate == compare.certificate(A, copy, X.min(axis=0), X.max(axis=0))
    assert found.difference.max < found.certificate < 1e-6
    table = str(found).splitlines()
    assert [line[:30].strip() for line in table] == [
        "inputs compared",
        "agreement",
        "without the victim",
        "max |Δlogit|",
        "mean |Δlogit|",
        "accuracy of the victim",
        "accuracy of the copy",
        "max |Δparameter|, aligned",
        "certified |Δlogit|, same box",
    ]
    assert table[1].endswith("100.00 %  (200 of 200)")
    assert table[5].endswith("90.00 %  (180 of 200)")
    assert table[7].endswith(f"{found.parameter_error:.2e}")
    assert max(map(len, table)) <= 72


def test_summary_keeps_victim_and_copy_apart():
    found = compare.summary(A, B, X, labels=A.labels(X))
    assert found.victim_accuracy == 1
    assert found.copy_accuracy == found.agreement < 1


def test_nearly_all_is_not_printed_as_all():
    def f(x):
        return np.ones((len(x), 1))

    def g(x):
        return 1.0 - 2 * (np.arange(len(x)) == 7)[:, None]

    found = compare.summary(f, g, np.zeros((30_000, 1)))
    assert "99.99 %  (29,999 of 30,000)" in str(found)
    assert "100" not in str(found)


@pytest.mark.parametrize(
    ("victim", "copy", "parameters", "bound"),
    [
        (A, B.logits, False, False),
        (A, zoo.mlp([4, 9, 3], bias=1, rng=2), False, False),
        (A, zoo.softmax(4, 3, rng=0), False, False),
        (A, zoo.mlp([4, 6, 3], activation="tanh", rng=0), False, False),
        (zoo.softmax(4, 3, rng=0), zoo.softmax(4, 3, rng=1), True, True),
        (zoo.mlp([4, 5, 5, 3], rng=0), zoo.mlp([4, 5, 5, 3], rng=1), False, True),
        (zoo.mlp([4, 5, 5, 3], rng=0), zoo.mlp([4, 5, 6, 3], rng=1), False, False),
    ],
)
def test_what_does_not_apply_is_left_out(victim, copy, parameters, bound):
    found = compare.summary(victim, copy, X)
    assert (found.parameter_error is not None, found.certificate is not None) == (parameters, bound)
    assert (found.control, found.victim_accuracy, found.copy_accuracy) == (None, None, None)
    assert len(str(found).splitlines()) == 4 + parameters + bound
    if bound:
        assert found.difference.max <= found.certificate


def test_summary_of_linear_networks_compares_their_numbers():
    a = zoo.logistic(4, rng=0)
    b = blurred(a, 1e-6, 0)
    want = max(np.abs(p - q).max() for p, q in zip(a.dense()[0], b.dense()[0], strict=True))
    assert compare.summary(a, b, X).parameter_error == want


@pytest.mark.parametrize("widths", [[4, 3], [4, 6, 3]])
def test_summary_up_to_gauge(widths):
    """A shift of all classes by one affine function of the last activations: same probabilities."""
    a = zoo.mlp(widths, bias=1, rng=0)
    b = a.copy()
    for p in b.dense()[-1]:
        p += np.random.default_rng(0).normal(size=p.shape[1:])
    plain, fixed = compare.summary(a, b, X), compare.summary(a, b, X, gauge=True)
    for found, low, high in ((plain, 0.1, 1e3), (fixed, 0, 1e-12)):
        for value in (*found.difference, found.parameter_error, found.certificate):
            assert low <= value < high
    assert plain.agreement == fixed.agreement == 1
    assert fixed.certificate == compare.certificate(
        center(a), center(b), X.min(axis=0), X.max(axis=0)
    )


@pytest.mark.parametrize("labels", [np.zeros(7, int), np.zeros(200), np.zeros((200, 1), int)])
def test_labels_that_are_none(labels):
    with pytest.raises(ValueError, match=r"expected labels as \(200,\) whole numbers, got shape"):
        compare.summary(A, B, X, labels=labels)


def test_nothing_is_changed_by_comparing():
    a, b = A.copy(), disguised(A, 0)[0]
    kept = [p.copy() for network in (a, b) for p in network.parameters().values()]
    x = X.copy()
    compare.summary(a, b, x, labels=a.labels(x), independent=B, gauge=True)
    now = [p for network in (a, b) for p in network.parameters().values()]
    for p, q in zip(now, kept, strict=True):
        np.testing.assert_array_equal(p, q)
    np.testing.assert_array_equal(x, X)


def test_rescaled_neurons_have_the_same_certificate():
    """Within roundings: powers of two change none of the numbers after alignment."""
    twin = rescale(B, 1, np.arange(6), [2, 4, 0.5, 1, 8, 0.25])
    assert compare.certificate(A, twin, -1, 1) == compare.certificate(A, B, -1, 1)
