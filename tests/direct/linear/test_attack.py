"""Equation solving: the copy is right to the last digits, costs d + 1, and never lies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from linear_victims import gauged, victim
from sklearn.datasets import make_classification
from sklearn.linear_model import LinearRegression, LogisticRegression

from mstheft.direct.answers.reader import Reader
from mstheft.direct.linear import attack as linear
from mstheft.direct.linear import equations
from mstheft.direct.linear import solve as solving
from mstheft.errors import ExtractionError
from mstheft.nn import functions as F
from mstheft.nn import zoo
from mstheft.oracle import Oracle


def relative_error(true, copy, output="probs", n=500):
    """max |Δlogit| / max |logit| on inputs like images, uniform on [0, 1]^d."""
    x = np.random.default_rng(99).random((n, true.inputs))
    logits = gauged(true.logits(x), output)
    return np.abs(gauged(copy.logits(x), output) - logits).max() / np.abs(logits).max()


def extraction_queries(result):
    return result.total - result.queries["verify"]


# ---- the figures to reach


def test_logistic_3072_from_d_plus_one_queries():
    true = victim(3072, weights=0.05)
    result = linear.extract(Oracle(true, "probs"), rng=1)
    assert extraction_queries(result) == 3073
    assert result.queries == {"base": 1, "equations": 3072, "solve": 0, "verify": 100}
    # 3,073 unknowns and an orthogonal design: √d ε ≈ 1e-14
    assert relative_error(true, result.model) < 1e-12
    assert result.verified


def test_softmax_784_from_d_plus_one_queries():
    true = victim(784, 10, weights=0.1)
    result = linear.extract(Oracle(true, "probs"), rng=1)
    assert extraction_queries(result) == 785
    assert relative_error(true, result.model) < 1e-12
    x = np.random.default_rng(0).random((1000, 784))
    np.testing.assert_array_equal(true.labels(x), result.model.labels(x))


@pytest.mark.parametrize("output", ["logits", "log_probs", "probs"])
@pytest.mark.parametrize("K", [1, 2, 3, 10])
@pytest.mark.parametrize("d", [1, 2, 3, 40])
def test_every_shape_and_output_costs_d_plus_one(d, K, output):
    true = victim(d, K)
    result = linear.extract(Oracle(true, output), rng=0)
    assert extraction_queries(result) == d + 1
    assert relative_error(true, result.model, output) < 1e-12
    assert result.model.outputs == K
    assert result.verified
    assert result.error < 1e-9


@pytest.mark.parametrize("output", ["log_probs", "probs"])
@pytest.mark.parametrize("weights", [1e-3, 1e-1, 1.0, 1e2])
@pytest.mark.parametrize("bias", [-20, -3, 0, 3, 20])
def test_any_scale_of_weights_and_bias(weights, bias, output):
    true = victim(60, weights=weights, bias=bias)
    result = linear.extract(Oracle(true, output), rng=2)
    # p = σ(20) has 7 digits of 1 - p left: the base point moves, by 13 queries at most
    extra = 14 if bias == 20 and output == "probs" else 1
    assert 61 <= extraction_queries(result) <= 61 + extra
    # far from all inputs asked when weights are 1e-3 and the bias 20: 1e-8, else 1e-11
    assert relative_error(true, result.model) < (1e-7 if bias == 20 and weights == 1e-3 else 1e-9)
    assert result.verified


@given(
    d=st.integers(1, 12),
    K=st.integers(1, 4),
    weights=st.floats(-3, 2),
    bias=st.floats(-5, 5),
    output=st.sampled_from(["logits", "log_probs", "probs"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_property_copies_whatever_is_linear(d, K, weights, bias, output, seed):
    true = victim(d, K, weights=10.0**weights, bias=bias, seed=seed)
    result = linear.extract(Oracle(true, output), rng=seed)
    assert result.verified
    assert d + 1 <= extraction_queries(result) <= d + 6
    # an unlucky first step may be 1e-6 of the others; σ(5) has lost two digits
    assert relative_error(true, result.model, output) < 1e-8


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("bias", [-20, 0, 10, 20, 36, 1e4])
def test_base_point_is_where_p_has_its_digits(bias, dtype):
    true = victim(30, bias=bias, dtype=dtype)
    oracle = Reader(Oracle(true, "probs"))
    base = equations.base_point(oracle, rng=0)
    assert base.answer[0] < 7.5
    assert base.blur < (3e-13 if dtype == np.float64 else 8 * 2.5e-7)
    np.testing.assert_allclose(base.answer, true.logits(base.x[None])[0], atol=1e-4)
    assert (oracle.count == 1) == ((bias <= 0 and dtype == np.float64) or bias == 0)
    assert oracle.count < 60


def test_tiny_weights_behind_rounded_logits_are_not_taken_for_a_constant():
    true = victim(6, weights=1e-5)
    result = linear.extract(Oracle(true, "logits", decimals=0), rng=0)
    np.testing.assert_allclose(result.model.dense()[0][0], true.dense()[0][0], atol=1e-9)


def test_rounded_logits_protect_nothing_but_the_bias():
    true = victim(20)
    result = linear.extract(Oracle(true, "logits", decimals=1), rng=0)
    W, b = true.dense()[0]
    stolen, bias = result.model.dense()[0]
    np.testing.assert_allclose(stolen, W, atol=1e-4)  # steps are as long as they need to be
    assert 1e-5 < abs(bias[0] - b[0]) < 0.05


def test_sparse_weights_do_not_saturate_a_row():
    true = victim(200, weights=1e-3)
    true.dense()[0][0][0, 17] = 1e2
    result = linear.extract(Oracle(true, "probs"), rng=0)
    assert extraction_queries(result) == 201
    assert relative_error(true, result.model) < 1e-10


def test_softmax_with_biases_far_apart_needs_no_more_queries():
    true = victim(30, 5, bias=20)
    result = linear.extract(Oracle(true, "probs"), rng=0)
    assert extraction_queries(result) == 31
    assert relative_error(true, result.model) < 1e-11


def test_two_classes_far_from_even_odds_move_the_base_point():
    true = victim(10, 2)
    true.dense()[0][1][...] = [0, 900]  # ln p underflows at the origin
    result = linear.extract(Oracle(true, "probs"), rng=0)
    assert result.queries["base"] > 2
    assert np.linalg.norm(result.trace.base) > 10
    assert relative_error(true, result.model) < 1e-9


def test_equal_classes_and_columns():
    true = victim(8, 4)
    W, b = true.dense()[0]
    W[1], b[1], W[:, 3] = W[0], b[0], W[:, 2]
    result = linear.extract(Oracle(true, "probs"), rng=0)
    stolen, bias = result.model.dense()[0]
    np.testing.assert_allclose(stolen[1], stolen[0], atol=1e-12)
    np.testing.assert_allclose(stolen[:, 3], stolen[:, 2], atol=1e-12)
    assert bias[0] == pytest.approx(bias[1], abs=1e-12)


# ---- gauge, trace, reproducibility


def test_gauge_is_mean_zero_from_probabilities_and_none_from_logits():
    true = victim(6, 3)
    W, b = true.dense()[0]
    for output in ("probs", "log_probs"):
        stolen, bias = linear.extract(Oracle(true, output), rng=0).model.dense()[0]
        np.testing.assert_allclose(stolen.sum(axis=0), 0, atol=1e-15)
        np.testing.assert_allclose(stolen, W - W.mean(axis=0), atol=1e-12)
        np.testing.assert_allclose(bias, b - b.mean(), atol=1e-12)
    stolen, bias = linear.extract(Oracle(true, "logits"), rng=0).model.dense()[0]
    np.testing.assert_allclose(stolen, W, atol=1e-12)
    np.testing.assert_allclose(bias, b, atol=1e-12)


def test_trace_holds_the_equations():
    true = victim(5)
    result = linear.extract(Oracle(true, "probs"), rng=0)
    trace = result.trace
    assert trace.A.shape == (6, 6)
    np.testing.assert_array_equal(trace.A[:, -1], 1)
    np.testing.assert_array_equal(trace.A[0, :-1], trace.base)
    np.testing.assert_allclose(trace.A @ trace.solution, trace.rhs, atol=1e-12)
    np.testing.assert_allclose(trace.rhs, true.logits(trace.A[:, :-1]), atol=1e-12)
    np.testing.assert_allclose(trace.solution[:-1, 0], true.dense()[0][0][0], atol=1e-11)
    assert set(result.found) == {"base", "equations", "solve", "verify"}
    assert result.floor == 6


def test_the_answers_stay_readable():
    trace = linear.extract(Oracle(victim(30, 3), "probs"), rng=7).trace
    spread = np.abs(trace.rhs - trace.rhs[0]).max(axis=1)
    assert 0.3 < np.median(spread) < 3  # 1.5 is aimed at


@pytest.mark.parametrize("d", [1, 2, 7, 64])
def test_directions_are_orthogonal_and_none_is_an_axis(d):
    h = equations.directions(d, rng=0)
    np.testing.assert_allclose(h @ h.T, np.eye(d), atol=1e-13)
    assert d == 1 or np.abs(h).max() < 0.999
    assert d < 64 or np.abs(h).max() < 0.5


def test_solve_by_least_squares_equals_numpy_and_weighs_the_equations(monkeypatch):
    rng = np.random.default_rng(0)
    A = np.hstack([50 + rng.normal(size=(40, 5)), np.ones((40, 1))])
    rhs, weights = rng.normal(size=(40, 2)), rng.uniform(0.1, 3, 40)
    expected = np.linalg.lstsq(A * weights[:, None], rhs * weights[:, None], rcond=None)[0]
    np.testing.assert_allclose(solving.solve(A, rhs, weights), expected, atol=1e-10)
    monkeypatch.setattr(solving, "BATCH", 7)
    np.testing.assert_allclose(solving.solve(A, rhs, weights), expected, atol=1e-10)
    wild = rhs.copy()
    wild[3] += 1e3
    weights[3] = 1e-12
    np.testing.assert_allclose(
        solving.solve(A, wild, weights), solving.solve(A, rhs, weights), atol=1e-6
    )


def test_solve_names_inputs_that_are_not_independent():
    with pytest.raises(ExtractionError, match="affinely independent"):
        solving.solve(np.ones((3, 3)), np.ones((3, 1)), np.ones(3))


# ---- rounding


@pytest.mark.parametrize("decimals", [*range(1, 13), 15])
@pytest.mark.parametrize("K", [1, 3])
@pytest.mark.parametrize("output", ["logits", "log_probs", "probs"])
def test_rounded_answers_are_verified_to_their_rounding(decimals, K, output):
    true = victim(20, K)
    oracle = Oracle(true, output, decimals=decimals)
    if (output, K, decimals) == ("probs", 3, 1):  # its origin reads 0, 0.1, 0.9
        with pytest.raises(ExtractionError, match="more decimals"):
            linear.extract(oracle, rng=3)
        return
    result = linear.extract(oracle, rng=3)
    assert oracle.count == result.total
    assert result.verified
    # ½ 10^-k / (p (1-p)) with p down to 0.02, over a line of √d times the steps
    assert relative_error(true, result.model, output) < max(30 * 10.0**-decimals, 1e-12)
    assert extraction_queries(result) <= 1.6 * max(4, 2 ** (8 - decimals)) * 20 + 20
    assert extraction_queries(result) >= (21 if decimals == 15 else 81)


def test_one_decimal_of_a_small_victim():
    result = linear.extract(Oracle(victim(5), "probs", decimals=1), rng=0)
    assert result.verified
    assert relative_error(victim(5), result.model) < 0.1


def test_more_equations_are_more_exact():
    true = victim(10)
    errors = [
        np.median(
            [
                relative_error(
                    true,
                    linear.extract(
                        Oracle(true, "probs", decimals=5), rng=seed, oversample=factor
                    ).model,
                )
                for seed in range(7)
            ]
        )
        for factor in (2, 128)
    ]
    assert errors[1] < errors[0] / 3  # √64 = 8 is expected


@pytest.mark.parametrize("K", [1, 4])
@pytest.mark.parametrize("d", [1, 5, 60])
def test_rounding_that_the_oracle_does_not_admit_is_measured(d, K):
    true = victim(d, K)
    hidden = Oracle(lambda x: np.round(true.probs(x), 4), "probs", gives="probs", inputs=d)
    result = linear.extract(hidden, rng=0)
    assert result.verified
    assert relative_error(true, result.model) < 3e-3


@pytest.mark.parametrize("output", ["logits", "log_probs", "probs"])
@pytest.mark.parametrize("K", [1, 4])
@pytest.mark.parametrize("weights", [1e-3, 1.0, 1e2])
def test_float32_victim(weights, K, output):
    true = victim(60, K, weights=weights, dtype=np.float32)
    result = linear.extract(Oracle(true, output), rng=0)
    assert result.verified
    assert relative_error(true, result.model, output) < 2e-5  # ε = 1.2e-7, √60 terms
    assert extraction_queries(result) <= 61 + 5 + 9
    assert result.model.dtype == np.float64


# ---- noise that nobody declares


def noisy(true, output, sigma, seed=0):
    """The victim's answers plus N(0, σ²), other numbers each time; probabilities add up to 1."""
    rng = np.random.default_rng(seed)

    def answer(x):
        clean = getattr(true, output)(x)
        moved = clean + sigma * rng.normal(size=clean.shape)
        if output == "logits":
            return moved
        moved = np.clip(moved, 1e-9, 1 - 1e-9)
        return moved if true.outputs == 1 else moved / moved.sum(axis=1, keepdims=True)

    return Oracle(answer, output, gives=output, inputs=true.inputs)


@pytest.mark.parametrize("sigma", [1e-10, 1e-6, 1e-2, 1.0])
@pytest.mark.parametrize("K", [1, 4])
@pytest.mark.parametrize("d", [1, 20])
def test_chance_in_the_logits_is_averaged_and_reached_over(d, K, sigma):
    """Rows so far out that the logits spread over 1e6 σ: their slopes hardly suffer."""
    true = victim(d, K)
    oracle = noisy(true, "logits", sigma)
    result = linear.extract(oracle, rng=1)
    assert result.verified
    W, b = true.dense()[0]
    stolen, bias = result.model.dense()[0]
    np.testing.assert_allclose(stolen, W, atol=max(0.1 * sigma, 1e-9))
    np.testing.assert_allclose(bias, b, atol=max(5 * sigma, 1e-9))
    assert result.total == oracle.count <= 6 * (d + 1) + 23 + 5 * 100


@pytest.mark.parametrize("sigma", [1e-8, 1e-5, 1e-3])
@pytest.mark.parametrize("K", [1, 3])
def test_chance_in_the_probabilities(K, sigma):
    true = victim(20, K)
    result = linear.extract(noisy(true, "probs", sigma), rng=1)
    assert result.verified
    assert relative_error(true, result.model) < 30 * sigma  # as with rounding to that size
    assert "error bar" in result.notes["verify"] or result.error < 1e-5


@pytest.mark.parametrize("kind", [np.float16, np.float32])
@pytest.mark.parametrize("output", ["logits", "probs"])
def test_answers_in_a_coarse_format(output, kind):
    true = victim(20, 3)
    oracle = Oracle(
        lambda x: getattr(true, output)(x).astype(kind), output, gives=output, inputs=20
    )
    result = linear.extract(oracle, rng=0)
    assert result.verified
    assert relative_error(true, result.model, output) < 20 * np.finfo(kind).eps


@pytest.mark.parametrize("output", ["logits", "probs"])
def test_the_error_bar_is_the_error(output):
    """Of 20 runs, on N(0, I): error of a logit over its error bar, mean square near 1."""
    ratios = []
    for seed in range(20):
        true = victim(10, seed=seed)
        result = linear.extract(noisy(true, output, 1e-3, seed), rng=seed)
        bar = float(result.notes["verify"].split()[-1])
        x = np.random.default_rng(seed).normal(size=(200, 10))
        ratios.append(np.mean((result.model.logits(x) - true.logits(x)) ** 2) / bar**2)
    assert 0.3 < np.mean(ratios) < 3


@pytest.mark.parametrize("sigma", [1e-6, 1e-3])
@pytest.mark.parametrize("output", ["logits", "probs"])
@pytest.mark.parametrize("widths", [[10, 4, 1], [30, 8, 4]])
def test_noise_does_not_hide_a_hidden_layer(widths, output, sigma):
    for seed in range(5):
        oracle = noisy(zoo.mlp(widths, bias=0.1, rng=seed), output, sigma)
        with pytest.raises(ExtractionError) as caught:
            linear.extract(oracle, rng=seed)
        assert not caught.value.partial.verified
        assert caught.value.partial.total == oracle.count


def test_noise_that_leaves_nothing_is_named():
    with pytest.raises(ExtractionError, match="the victim is stochastic") as caught:
        linear.extract(noisy(victim(5, weights=1e-3, bias=0), "probs", 0.2), rng=0)
    assert not caught.value.partial.verified


@pytest.mark.parametrize("output", ["logits", "log_probs", "probs"])
@pytest.mark.parametrize("K", [1, 3])
def test_more_equations_of_an_exact_victim_without_bias(K, output):
    """Its base answer is exactly 0, which is no more exact than the others."""
    true = victim(12, K, bias=0)
    result = linear.extract(Oracle(true, output), rng=0, oversample=2)
    assert result.verified
    assert extraction_queries(result) == 25
    assert relative_error(true, result.model, output) < 1e-12


# ---- other victims


def test_scikit_learn_logistic_regression():
    x, y = make_classification(300, 12, n_informative=6, random_state=0)
    model = LogisticRegression(C=10).fit(x, y)
    result = linear.extract(Oracle(model, "probs"), rng=0)
    assert extraction_queries(result) == 13
    W, b = result.model.dense()[0]
    np.testing.assert_allclose(W, model.coef_, atol=1e-10)
    np.testing.assert_allclose(b, model.intercept_, atol=1e-10)


def test_scikit_learn_multinomial_and_linear_regression():
    x, y = make_classification(300, 12, n_informative=8, n_classes=4, random_state=0)
    model = LogisticRegression(max_iter=500).fit(x, y)
    result = linear.extract(Oracle(model, "log_probs"), rng=0)
    assert extraction_queries(result) == 13
    np.testing.assert_allclose(
        F.softmax(result.model.logits(x)), model.predict_proba(x), atol=1e-12
    )
    regression = LinearRegression().fit(x, y)
    copy = linear.extract(Oracle(regression, "logits"), rng=0).model
    np.testing.assert_allclose(copy.logits(x)[:, 0], regression.predict(x), atol=1e-12)


# ---- broken assumptions


@pytest.mark.parametrize("output", ["logits", "log_probs", "probs"])
@pytest.mark.parametrize("decimals", [None, 1, 3, 6])
@pytest.mark.parametrize(
    ("widths", "bias"),
    [([10, 4, 1], 0.0), ([60, 16, 5], 0.1), ([20, 8, 1], 5.0), ([20, 8, 2], 1.0), ([3, 1, 1], 0.0)],
)
def test_relu_victim_is_never_a_verified_copy(widths, bias, decimals, output):
    oracle = Oracle(zoo.mlp(widths, bias=bias, rng=1), output, decimals=decimals)
    with pytest.raises(ExtractionError) as caught:
        linear.extract(oracle, rng=0)
    assert caught.value.stage in ("base", "equations", "verify")
    assert not caught.value.partial.verified
    assert caught.value.partial.total == oracle.count
    assert "direct.relu" in caught.value.advice or "decimals" in caught.value.advice


@pytest.mark.parametrize("seed", range(5))
def test_relu_network_that_is_linear_near_the_origin(seed):
    """As behind scikit-learn's scaler: no neuron switches near 0, nor along the other inputs."""
    (a0, b0), (a1, b1) = zoo.mlp([5, 8, 3], bias=0.3, rng=seed).dense()
    a0[:, 2:] = 0
    hidden = b0 - 5 * a0.sum(axis=1)
    b1 = b1 - 30 * a1 @ np.maximum(hidden, 0)
    oracle = Oracle(zoo.given([(a0 / 10, hidden), (30 * a1, b1)]), "probs")
    with pytest.raises(ExtractionError, match="needs logits that are linear in the input"):
        linear.extract(oracle, rng=seed)


def test_relu_network_that_is_linear_where_it_can_be_read():
    # its origin is saturated at one decimal, and around the base point, 69 away, it is linear
    oracle = Oracle(zoo.mlp([20, 8, 1], bias=5.0, rng=1), "probs", decimals=1)
    with pytest.raises(ExtractionError):
        linear.extract(oracle, rng=0)


@pytest.mark.parametrize(
    ("answer", "stage"),
    [
        (lambda x: np.tanh(x[:, :1]), "verify"),
        (lambda x: (x**2).sum(axis=1, keepdims=True), "verify"),
        (lambda x: (x[:, :1] > 0) * 1.0, "verify"),
        (lambda x: (x[:, :1] > 0) * 1, "verify"),
        (lambda x: np.full((len(x), 1), 5.0), "equations"),
        (lambda x: np.full((len(x), 3), 0.0), "equations"),
        (lambda x: np.full((len(x), 1), -np.inf), "base"),
        (lambda x: np.where(x[:, :1] == 0, 0, -np.inf), "equations"),
    ],
)
def test_strange_logits_are_named(answer, stage):
    oracle = Oracle(answer, "logits", inputs=4)
    with pytest.raises(ExtractionError) as caught:
        linear.extract(oracle, rng=0)
    assert caught.value.stage == stage
    assert oracle.count <= 250


@pytest.mark.parametrize(
    ("p", "stage"),
    [([0.3], "equations"), ([1.0], "base"), ([0.0], "base"), ([0.2, 0.8], "equations"),
     ([0.0, 1.0], "base"), ([0.0, 0.0, 1.0], "base")],
)  # fmt: skip
def test_constant_and_saturated_probabilities_are_named(p, stage):
    oracle = Oracle(lambda x: np.tile(p, (len(x), 1)), "probs", gives="probs", inputs=4)
    with pytest.raises(ExtractionError) as caught:
        linear.extract(oracle, rng=0)
    assert caught.value.stage == stage
    assert oracle.count <= 101 + 32
    if stage == "equations":
        assert "constant" in caught.value.advice
        assert oracle.count <= 12 + 32


@pytest.mark.parametrize("arguments", [{"oversample": 0}, {"oversample": 1.5}, {"points": 1}])
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        linear.extract(Oracle(victim(3), "probs"), rng=0, **arguments)
