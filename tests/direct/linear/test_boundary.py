"""Lowd and Meek: direction and offset of a linear boundary, from labels alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.svm import LinearSVC

from mstheft.direct.linear import boundary
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.oracle import Oracle


def victim(d, *, weights=1.0, bias=1.0, seed=0, dtype=np.float64):
    network = zoo.logistic(d, dtype=dtype)
    W, b = network.dense()[0]
    W[...] = weights * np.random.default_rng([seed, d]).normal(size=(1, d))
    b[...] = bias
    return network


def check(result, w, bias, relative=5e-10, absolute=1e-12):
    """Every weight to `relative` of itself, the offset to `relative` of the distances involved."""
    w = np.asarray(w, float)
    norm = np.linalg.norm(w)
    W, b = result.model.dense()[0]
    assert np.linalg.norm(W) == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(W[0], w / norm, rtol=relative, atol=absolute)
    reach = np.linalg.norm(result.trace.inside) + np.linalg.norm(result.trace.outside)
    assert b[0] == pytest.approx(float(bias) / norm, abs=relative * (1 + reach))


def labeller(function, d=5):
    return Oracle(lambda x: function(x).astype(int), "label", gives="labels", inputs=d)


@pytest.mark.parametrize("d", [1, 2, 3, 100])
def test_recovers_direction_and_offset(d):
    true = victim(d)
    oracle = Oracle(true, "label")
    result = boundary.extract(oracle, rng=0)
    W, b = true.dense()[0]
    check(result, W[0], b[0])
    assert result.verified
    assert result.error == 0
    assert list(result.queries) == ["witnesses", "boundary", "signs", "line searches", "verify"]
    assert result.total == oracle.count
    assert result.queries["verify"] == 200
    assert result.queries["line searches"] == 38 * d
    assert d <= result.queries["signs"] <= 2 * d
    assert result.queries["witnesses"] + result.queries["boundary"] <= 52 + 25


def test_784_inputs():
    true = victim(784, weights=0.1)
    result = boundary.extract(Oracle(true, "label"), rng=0)
    W, b = true.dense()[0]
    check(result, W[0], b[0])
    assert result.total < 40 * 784 + 300
    x = np.random.default_rng(1).random((2000, 784))
    np.testing.assert_array_equal(true.labels(x), result.model.labels(x))


@given(
    d=st.integers(1, 10),
    weights=st.floats(-6, 6),
    bias=st.floats(-1e6, 1e6),
    seed=st.integers(0, 2**32 - 1),
)
def test_property_any_scale_and_bias(d, weights, bias, seed):
    true = victim(d, weights=10.0**weights, bias=bias, seed=seed)
    result = boundary.extract(Oracle(true, "label"), rng=seed)
    W, b = true.dense()[0]
    check(result, W[0], b[0])
    assert result.verified


def test_a_positive_factor_changes_nothing_a_negative_one_turns_the_copy():
    copies = []
    for factor in (1.0, 1e5, -1.0):
        true = victim(6)
        for part in true.dense()[0]:
            part *= factor
        copies.append(boundary.extract(Oracle(true, "label"), rng=3).model.dense()[0])
    np.testing.assert_allclose(copies[1][0], copies[0][0], rtol=1e-9)
    np.testing.assert_allclose(copies[1][1], copies[0][1], rtol=1e-9)
    np.testing.assert_allclose(copies[2][0], -copies[0][0], rtol=1e-9)
    np.testing.assert_allclose(copies[2][1], -copies[0][1], rtol=1e-9)


def test_zero_weights_and_huge_ratios():
    true = victim(12)
    W, b = true.dense()[0]
    W[0, :4], W[0, 4:8] = 0, [1e-6, -1e-6, 1e6, 1e-5]
    result = boundary.extract(Oracle(true, "label"), rng=0)
    check(result, W[0], b[0], absolute=0)
    np.testing.assert_array_equal(result.trace.signs[:4], 0)
    np.testing.assert_array_equal(result.model.dense()[0][0][0, :4], 0)
    assert np.isinf(result.trace.crossings[:4]).all()
    assert result.queries["line searches"] == 8 * 38
    assert "8 of 12 weights" in result.found["signs"]


def test_boundary_through_the_origin():
    result = boundary.extract(Oracle(victim(8, bias=0), "label"), rng=0)
    assert abs(result.trace.bias) < 1e-9


def test_softmax_of_two_classes():
    true = zoo.softmax(9, 2, rng=4)
    W, b = true.dense()[0]
    b[...] = [0.3, -0.9]
    result = boundary.extract(Oracle(true, "label"), rng=0)
    check(result, W[1] - W[0], b[1] - b[0])


def test_scikit_learn_victims():
    x, y = make_classification(200, 8, random_state=0)
    for model in (LogisticRegression(), LinearSVC(dual="auto"), Perceptron()):
        model.fit(x, np.where(y, "yes", "no"))
        result = boundary.extract(Oracle(model, "label"), rng=0)
        check(result, model.coef_[0], model.intercept_[0], absolute=1e-10)
        mine = np.where(result.model.labels(x) == 1, "yes", "no")
        np.testing.assert_array_equal(mine, model.predict(x))


@pytest.mark.parametrize("precision", [1e-12, 1e-6, 1e-3, 0.1])
def test_precision_is_kept_and_paid_for(precision):
    true = victim(30)
    result = boundary.extract(Oracle(true, "label"), rng=0, precision=precision)
    W, b = true.dense()[0]
    check(result, W[0], b[0], relative=precision)
    miss = np.abs(result.trace.weights / (W[0] / np.linalg.norm(W)) - 1).max()
    assert miss > precision / 100  # no query is spent on digits that nobody asked for
    assert result.queries["line searches"] == 30 * (8 + np.ceil(-np.log2(precision)))


def test_float32_victim_is_named_and_copied_at_its_own_precision():
    true = victim(20, dtype=np.float32)
    with pytest.raises(ExtractionError, match="float32") as caught:
        boundary.extract(Oracle(true, "label"), rng=0)
    assert not caught.value.partial.verified
    for seed in range(10):
        result = boundary.extract(Oracle(true, "label"), rng=seed, precision=1e-4)
        W, b = true.dense()[0]
        check(result, W[0], b[0], relative=1e-4, absolute=1e-5)


# ---- the stages


def test_witnesses_have_different_labels_and_reach_far_enough():
    for bias, most in ((0.1, 25), (1e3, 60), (-1e9, 110)):
        true = victim(5, bias=bias)
        oracle = Oracle(true, "label")
        inside, outside = boundary.witnesses(oracle, rng=0)
        np.testing.assert_array_equal(true.labels(np.stack([inside, outside])), [1, 0])
        assert 9 <= oracle.count <= most


def test_boundary_point_lies_on_the_boundary():
    true = victim(5)
    oracle = Oracle(true, "label")
    inside, outside = boundary.witnesses(oracle, rng=0)
    on = boundary.boundary_point(oracle, inside, outside)
    assert abs(true.logits(on[None])[0, 0]) < 1e-13
    across = np.cross((on - inside)[:3], (on - outside)[:3])
    np.testing.assert_allclose(across, 0, atol=1e-12)


def test_sign_witnesses_and_crossings_of_a_known_plane():
    w = np.array([2.0, -0.5, 0.0])
    oracle = labeller(lambda x: x @ w + 1 > 0, d=3)
    start = np.array([1.0, 1.0, 1.0])  # w·start + 1 = 2.5
    signs = boundary.sign_witnesses(oracle, start, True, 1.0)
    np.testing.assert_array_equal(signs, [-1, 1, 0])
    assert oracle.count == 3 + 2
    crossings = boundary.line_searches(oracle, start, True, signs, 1.0, 1e-9)
    np.testing.assert_allclose(crossings, [-1.25, 5.0, np.inf], rtol=5e-10)
    on = start + np.array([-1.25, 0, 0])
    weights, bias = boundary.hyperplane(start, True, crossings, on, 1e-9)
    np.testing.assert_allclose(weights, w / np.linalg.norm(w), rtol=1e-9)
    assert bias == pytest.approx(1 / np.linalg.norm(w), rel=1e-9)
    with pytest.raises(ExtractionError, match="one hyperplane"):
        boundary.hyperplane(start, True, crossings, on + np.array([1e-5, 0, 0]), 1e-9)


def test_verification_rejects_a_boundary_that_is_slightly_off():
    true = victim(10)
    result = boundary.extract(Oracle(true, "label"), rng=0)
    assert boundary.verify_labels(result, Oracle(true, "label"), rng=1)
    kept = result.trace.weights.copy()
    W, b = result.model.dense()[0]
    for turn in (1e-7, 1e-3, 0.3):
        wrong = kept + turn * np.roll(kept, 1)
        W[0] = result.trace.weights = wrong / np.linalg.norm(wrong)
        b[0] = -W[0] @ result.trace.boundary
        assert not boundary.verify_labels(result, Oracle(true, "label"), rng=1)
        assert 3e-9 < result.error < 3 * turn  # rows lie 4e-9 beside the wrong boundary


def test_verification_rejects_the_mirror_image():
    true = victim(10)
    result = boundary.extract(Oracle(true, "label"), rng=0)
    for part in result.model.dense()[0]:
        part *= -1
    assert not boundary.verify_labels(result, Oracle(true, "label"), rng=1)


# ---- broken assumptions


@pytest.mark.parametrize("label", [0, 1])
def test_constant_victim_is_named_after_bounded_search(label):
    oracle = labeller(lambda x: np.full(len(x), label))
    with pytest.raises(ExtractionError, match=f"label {label}") as caught:
        boundary.extract(oracle, rng=0)
    assert caught.value.stage == "witnesses"
    assert caught.value.partial.queries == {"witnesses": 169}
    assert oracle.count == 169


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (x**2).sum(axis=1) > 3,
        lambda x: x[:, 0] * x[:, 1] > 0,
        lambda x: abs(x[:, 0]) > 1,
        lambda x: x[:, 0] > abs(x[:, 1]),
        lambda x: x[:, 0] + 1e-3 * abs(x[:, 1]) > 0.3,
        lambda x: np.sin(x[:, 0]) > 0,
        lambda x: np.random.default_rng(0).random(len(x)) > 0.5,
        lambda x: np.abs(x).max(axis=1) < 1e-3,
        lambda x: np.abs(x[:, 0] - 50) < 50,
    ],
)
def test_boundaries_that_are_no_hyperplane(function):
    oracle = labeller(function)
    with pytest.raises(ExtractionError) as caught:
        boundary.extract(oracle, rng=0)
    assert caught.value.stage in ("signs", "hyperplane", "verify")
    assert not caught.value.partial.verified
    assert oracle.count <= 169 + 52 + 40 * 5 + 200


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("bias", [0.0, 1.0])
def test_relu_victim_is_never_a_verified_copy(seed, bias):
    oracle = Oracle(zoo.mlp([10, 6, 1], bias=bias, rng=seed), "label")
    with pytest.raises(ExtractionError):
        boundary.extract(oracle, rng=0)


@pytest.mark.parametrize(
    ("oracle", "asked"),
    [
        (Oracle(zoo.logistic(3, rng=0), "probs"), 0),
        (Oracle(zoo.logistic(3, rng=0), "logits"), 0),
        (labeller(lambda x: np.digitize(x[:, 0], [0, 1])), 100),
        (labeller(lambda x: -1 * (x[:, 0] > 0)), 100),
    ],
)
def test_oracles_of_another_kind(oracle, asked):
    with pytest.raises(ExtractionError) as caught:
        boundary.extract(oracle, rng=0)
    assert caught.value.stage == "answers"
    assert oracle.count <= asked


@pytest.mark.parametrize("arguments", [{"precision": 0}, {"precision": 0.5}, {"points": 0}])
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        boundary.extract(Oracle(victim(3), "label"), rng=0, **arguments)
