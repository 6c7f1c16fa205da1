"""The certificate must never be wrong.

It is judged in exact rational arithmetic where networks are small: no rounding of a test can hide
one of the certificate. Elsewhere a float64 sum of numbers of size ≤ 100 is trusted to 1e-12.
"""

import importlib
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twins import blurred, disguised, seeds

from mstheft import compare
from mstheft.compare.alignment import reorder, rescale
from mstheft.nn import Network, zoo

bounds = importlib.import_module("mstheft.compare.certificate")

A = zoo.mlp([4, 6, 3], bias=1, rng=0)
B = zoo.mlp([4, 6, 3], bias=1, rng=1)

# ---- soundness


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


def in_depth(network, rng):
    """The same function: every hidden layer in another order and scale."""
    twin = network
    for depth, (_, bias) in enumerate(network.dense()[:-1], 1):
        order, scale = rng.permutation(len(bias)), 10 ** rng.uniform(-1, 1, len(bias))
        twin = rescale(reorder(twin, depth, order), depth, np.arange(len(bias)), scale)
    return twin


def test_deep_copies_are_aligned():
    """A copy that was stolen has its neurons in another order and scale: that is no difference."""
    a, rng = zoo.mlp([20, 16, 12, 8, 4], bias=0.3, rng=0), np.random.default_rng(2)
    b = in_depth(blurred(a, 1e-9, 1), rng)
    bound = compare.certificate(a, b, -1, 1)
    assert worst(a, b, -np.ones(20), np.ones(20), rng, starts=1)[0] < bound < 1e-5
    assert 0 < compare.certificate(a, in_depth(a, rng), -1, 1) < 1e-11


@given(
    seeds, st.lists(st.integers(1, 4), min_size=3, max_size=5), st.sampled_from([0, 1e-15, 1e-9])
)
def test_sound_for_disguised_deep_copies(seed, widths, size):
    """Size 0: what is left are the roundings of the disguise, and of the certificate itself."""
    rng = np.random.default_rng(seed)
    a = zoo.mlp(widths, bias=1, rng=rng)
    assert_sound(a, in_depth(blurred(a, size, rng), rng), *box(widths[0], rng), rng)


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
        (np.nan, 1, r"expected low as a finite number or \(4,\) of them, got nan"),
        (0, np.inf, r"expected high as a finite number or \(4,\) of them, got inf"),
        ([0, 0, 0], 1, r"expected low as .* got \[0. 0. 0.\]"),
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


def test_rescaled_neurons_have_the_same_certificate():
    """Within roundings: powers of two change none of the numbers after alignment."""
    twin = rescale(B, 1, np.arange(6), [2, 4, 0.5, 1, 8, 0.25])
    assert compare.certificate(A, twin, -1, 1) == compare.certificate(A, B, -1, 1)
