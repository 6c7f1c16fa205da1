"""Every function of nn/functions against arithmetic that has digits to spare.

References are computed by mpmath with 900 digits, so that 1 - e^-1000 (a 1 followed by 434 zeros)
still has far more than 50 digits of its own, on exactly the number that the function was given.

Size of error expected: exp, log and tanh of NumPy are good to 4 units in the last place, and each
function adds a handful of roundings that do not cancel: 8 eps relative, 16 eps where a result is
squared. Results below the smallest normal number lose digits by nature: 4 of the smallest
subnormals in float64; in float32, where NumPy's vectorised exp may flush, the smallest normal.
"""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mstheft.nn import functions as F

DTYPES = [np.float64, np.float32]
POINTS = [0.0, 1e-300, 1e-30, 1e-10, 1e-4, 0.1, 0.5, 1.0, 2.0, 10.0, 36.0, 37.0, 50.0]
POINTS += [87.0, 88.8, 104.0, 350.0, 371.5, 372.5, 700.0, 708.5, 745.0, 1000.0, 1e10, 1e38]
GRID = [*POINTS, *(-p for p in POINTS)]
PROBS = [1e-300, 1e-30, 1e-10, 1e-3, 0.1, 0.25, 0.3, 0.45, 0.55, 0.75, 0.9, 0.999]
PROBS += [1 - 2**-12, 1 - 2**-23]

relu = (F.relu, F.relu_grad, lambda z: max(z, mp.mpf(0)))
sigmoid = (F.sigmoid, F.sigmoid_grad, lambda z: 1 / (1 + mp.exp(-z)))
tanh = (F.tanh, F.tanh_grad, mp.tanh)
softplus = (F.softplus, F.softplus_grad, lambda z: mp.log1p(mp.exp(z)))
ACTIVATIONS = {"relu": relu, "sigmoid": sigmoid, "tanh": tanh, "softplus": softplus}


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(900):
        yield


def grid(dtype, points=GRID):
    return np.unique(np.array(points).astype(dtype))


def assert_close(got, want, dtype, roundings=8, scale=0.0):
    """|got - want| ≤ roundings · eps · max(|want|, scale), or less than the dtype can hold."""
    info = np.finfo(dtype)
    tiny = 4 * info.smallest_subnormal if dtype is np.float64 else info.tiny
    assert got.dtype == dtype
    for g, w in zip(got.ravel().tolist(), want, strict=True):
        allowed = roundings * mp.mpf(float(info.eps)) * max(abs(w), scale) + mp.mpf(float(tiny))
        assert abs(mp.mpf(g) - w) <= allowed, (g, mp.nstr(w, 20))


def slope(function, z):
    """mpmath.diff, with a step that is small beside z and beside 1."""
    return mp.diff(function, z, h=mp.mpf(10) ** -330)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_has_all_its_digits(name, dtype):
    function, _, exact = ACTIVATIONS[name]
    z = grid(dtype)
    assert_close(function(z), [exact(mp.mpf(float(v))) for v in z], dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative_has_all_its_digits(name, dtype):
    _, derivative, exact = ACTIVATIONS[name]
    z = grid(dtype)
    if name == "relu":
        z = z[z != 0]
    z = z[np.abs(z) <= 1000]  # beyond, the derivative is 0 or 1 in any precision that fits here
    assert_close(derivative(z), [slope(exact, mp.mpf(float(v))) for v in z], dtype, roundings=16)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_largest_numbers_neither_overflow_nor_warn(name, dtype):
    function, derivative, _ = ACTIVATIONS[name]
    big = np.finfo(dtype).max
    low, high = {"relu": (0, big), "softplus": (0, big), "sigmoid": (0, 1), "tanh": (-1, 1)}[name]
    flat, steep = (0, 1) if name in ("relu", "softplus") else (0, 0)
    np.testing.assert_array_equal(function(np.array([-big, big])), np.array([low, high], dtype))
    np.testing.assert_array_equal(derivative(np.array([-big, big])), [flat, steep])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative_agrees_with_central_differences(name):
    """Step 1e-5: truncation h²/6 |f'''| < 1e-10, rounding 2.2e-16 · 5 / 1e-5 = 1e-10."""
    function, derivative, _ = ACTIVATIONS[name]
    z = np.linspace(-5, 5, 100)  # even number of points: no kink of relu within 0.05
    measured = (function(z + 1e-5) - function(z - 1e-5)) / 2e-5
    np.testing.assert_allclose(derivative(z), measured, rtol=0, atol=1e-9)


def test_relu_takes_the_left_branch_at_zero():
    np.testing.assert_array_equal(F.relu_grad(np.array([-0.0, 0.0])), [0, 0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_logit_and_its_derivative(dtype):
    """Near p = ½ the logit passes through 0 while p itself does not: eps relative to 1 there."""
    p = grid(dtype, PROBS)
    p = p[(p > 0) & (p < 1)]
    exact = [mp.log(mp.mpf(float(v)) / (1 - mp.mpf(float(v)))) for v in p]
    assert_close(F.logit(p), exact, dtype, roundings=4, scale=1.0)
    p = p[p > np.finfo(dtype).tiny]
    exact = [slope(lambda q: mp.log(q / (1 - q)), mp.mpf(float(v))) for v in p]
    assert_close(F.logit_grad(p), exact, dtype)


def test_logit_at_the_ends_and_outside():
    np.testing.assert_array_equal(F.logit(np.array([0.0, 1.0, 0.5])), [-np.inf, np.inf, 0])
    assert np.isnan(F.logit(np.array([-0.1, 1.1]))).all()
    np.testing.assert_array_equal(F.logit_grad(np.array([0.0, 1.0, 0.5])), [np.inf, np.inf, 4])
    assert F.logit_grad(np.array([5e-324]))[0] == np.inf


@given(st.floats(-30, 30))
def test_logit_inverts_the_sigmoid(z):
    """δz = δp / (p (1 - p)) with δp = 2 eps: 5e-3 at z = 30, 2e-15 at z = 0."""
    allowed = 4 * 2.3e-16 * (1 + np.exp(abs(z))) + 1e-15 * abs(z)
    assert abs(F.logit(F.sigmoid(np.array(z))) - z) <= allowed


@given(st.floats(-1e5, 1e5))
def test_sigmoid_of_both_signs_adds_up_to_one(z):
    assert abs(F.sigmoid(np.array(z)) + F.sigmoid(np.array(-z)) - 1) <= 3e-16


# ---- over classes

ROWS = [
    [0.0, 0.0, 0.0],
    [1000.0, -1000.0, 0.0],
    [-1000.0, -1000.5, -1001.0],
    [745.0, 0.0, -745.0],
    [1e-300, -1e-300, 0.0],
    [40.0, 0.0, 3.0],
    [40.0, 40.0, 0.0],
    [0.3, -1.7, 2.2],
    [1e8, 1e8 - 8, 3.0],
]


def exact_softmax(z):
    weights = [mp.exp(v) for v in z]
    return [w / sum(weights) for w in weights]


def exact_log_softmax(z):
    return [mp.log(p) for p in exact_softmax(z)]


def numbers(row):
    return [mp.mpf(float(v)) for v in row]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("row", ROWS)
def test_softmax_and_log_softmax_have_all_their_digits(row, dtype):
    """Also log p near 0, where ln of a sum near 1 would have none left: [40, 0, 3] gives -8e-17."""
    z = np.array(row, dtype)
    assert_close(F.softmax(z), exact_softmax(numbers(z)), dtype)
    assert_close(F.log_softmax(z), exact_log_softmax(numbers(z)), dtype)


@pytest.mark.parametrize(
    ("backward", "exact"),
    [(F.softmax_grad, exact_softmax), (F.log_softmax_grad, exact_log_softmax)],
    ids=["softmax", "log_softmax"],
)
@pytest.mark.parametrize("row", ROWS)
def test_backward_passes_over_classes(backward, exact, row):
    """Jacobian row by row, against mpmath.diff; cancellation leaves 8 eps of the largest |dout|."""
    dout = np.array([0.7, -1.3, 2.1])
    z = numbers(row)

    def loss(*moved):
        return sum(mp.mpf(float(d)) * v for d, v in zip(dout, exact(list(moved)), strict=True))

    want = [
        mp.diff(loss, tuple(z), n=tuple(int(i == k) for i in range(3)), h=mp.mpf(10) ** -200)
        for k in range(3)
    ]
    assert_close(backward(np.array(row), dout), want, np.float64, scale=2.1)


def test_one_class_is_certain():
    z = np.array([[-1000.0], [3.0]])
    np.testing.assert_array_equal(F.softmax(z), [[1], [1]])
    np.testing.assert_array_equal(F.log_softmax(z), [[0], [0]])


LOGITS = hnp.arrays(np.float64, (3, 4), elements=st.floats(-500, 500))


@given(LOGITS, st.floats(-500, 500))
def test_softmax_does_not_see_a_shift(z, shift):
    """Adding 500 to numbers up to 500 rounds them by 1e-13, and p moves by at most p times that."""
    np.testing.assert_allclose(F.softmax(z + shift), F.softmax(z), rtol=5e-13, atol=1e-300)
    np.testing.assert_allclose(F.log_softmax(z + shift), F.log_softmax(z), rtol=0, atol=5e-13)


@given(LOGITS)
def test_softmax_rows_are_distributions(z):
    p = F.softmax(z)
    assert (p >= 0).all()
    assert (p <= 1).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=0, atol=5e-16)
    np.testing.assert_allclose(np.exp(F.log_softmax(z)), p, rtol=5e-13, atol=1e-300)
    assert (F.log_softmax(z) <= 0).all()


@given(LOGITS)
def test_entropy_lies_between_none_and_ln_k(z):
    h = F.entropy(F.softmax(z))
    assert h.shape == (3,)
    assert (h >= 0).all()
    assert (h <= np.log(4) + 1e-15).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_entropy_against_mpmath(dtype):
    """A sum of positive terms, up to p near 1, where ln p is as good as p: 8 eps of 1."""
    p = np.array([[0.2, 0.3, 0.5], [1e-30, 0.25, 0.75], [1 / 3, 1 / 3, 1 / 3]], dtype)
    want = [-sum(q * mp.log(q) for q in numbers(row)) for row in p]
    assert_close(F.entropy(p), want, dtype, scale=1.0)
    np.testing.assert_array_equal(F.entropy(np.eye(3, dtype=dtype)), [0, 0, 0])


def test_entropy_gradient():
    p = np.array([1e-300, 1e-5, 0.2, 0.9, 1.0])
    want = [slope(lambda q: -q * mp.log(q), mp.mpf(float(v))) for v in p[1:]]
    assert_close(F.entropy_grad(p[1:]), want, np.float64, scale=1.0)
    assert_close(F.entropy_grad(p[:1]), [-mp.log(mp.mpf(1e-300)) - 1], np.float64)
    assert F.entropy_grad(np.array([0.0]))[0] == np.inf


@pytest.mark.parametrize("function", [F.softmax, F.log_softmax, F.sigmoid, F.tanh, F.softplus])
def test_any_shape_goes_in_and_the_argument_stays_as_it_was(function):
    z = np.random.default_rng(0).normal(size=(2, 3, 4))
    before = z.copy()
    out = function(z)
    assert out.shape == (2, 3, 4)
    np.testing.assert_array_equal(out[1, 2], function(z[1, 2]))
    np.testing.assert_array_equal(z, before)
