"""Networks: answers in batches, gradients, Jacobians, shapes, dtypes, the zoo.

Sizes: the same sums in another order differ by a few roundings, 1e-13 for numbers of size ≤ 100;
float32 against float64 by 1e-5. Central differences with step 1e-6 are good to 1e-8.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mstheft.nn import Network, functions, zoo
from mstheft.nn.fit import fit
from mstheft.nn.layers import Activation, Dense, Flatten, Layer
from mstheft.nn.losses import cross_entropy
from mstheft.nn.norm import Dropout
from mstheft.nn.optim import SGD, Adam

SMALL = zoo.mlp([5, 8, 3], bias=0.5, rng=0)
SHAPED = Network(
    [Flatten(), Dense(12, 6, rng=1), Activation("relu"), Dense(6, 3, rng=2)], (2, 3, 2)
)
X = np.random.default_rng(4).normal(size=(50, 5))


def test_the_formula():
    """f(x) = A1 relu(A0 x + b0) + b1."""
    (a0, b0), (a1, b1) = SMALL.dense()
    want = np.array([a1 @ np.maximum(a0 @ x + b0, 0) + b1 for x in X])
    np.testing.assert_allclose(SMALL.logits(X), want, rtol=0, atol=1e-13)


def test_the_lectures_two_branches():
    """One neuron: off where A0 x + b0 ≤ 0, on where > 0; numbers are exact."""
    network = zoo.mlp([2, 1, 1])
    for name, value in {"0.W": [[2, -1]], "0.b": [1], "2.W": [[3]], "2.b": [-1]}.items():
        network.parameters()[name][...] = value
    x = np.array([[-1.0, 0.0], [0.0, 1.0], [0.0, 0.5], [1.0, 0.0]])  # z = -1, 0, 0.5, 3
    np.testing.assert_array_equal(network.logits(x), [[-1], [-1], [0.5], [8]])
    np.testing.assert_array_equal(network.jacobian(x)[:, 0], [[0, 0], [0, 0], [6, -3], [6, -3]])


@given(st.integers(0, 40), st.integers(1, 50))
def test_batches_do_not_change_the_answers(n, batch):
    got, want = SMALL.logits(X[:n], batch=batch), SMALL.logits(X[:n])
    assert got.shape == (n, 3)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-13)


@given(st.integers(0, 10), st.integers(0, 2**32 - 1))
def test_flat_and_shaped_inputs_are_the_same(n, seed):
    x = np.random.default_rng(seed).normal(size=(n, 2, 3, 2))
    for answer in (SHAPED.logits, SHAPED.probs, SHAPED.labels, SHAPED.jacobian):
        np.testing.assert_array_equal(answer(x), answer(x.reshape(n, 12)))
    assert SHAPED.logits(x).shape == (n, 3)


def test_answers():
    logits = SMALL.logits(X)
    np.testing.assert_array_equal(SMALL.probs(X), functions.softmax(logits))
    np.testing.assert_array_equal(SMALL.labels(X), logits.argmax(axis=1))
    assert set(SMALL.labels(X)) == {0, 1, 2}
    one = zoo.logistic(5, rng=0)
    logits = one.logits(X)
    np.testing.assert_array_equal(one.probs(X), functions.sigmoid(logits))
    np.testing.assert_array_equal(one.labels(X), logits[:, 0] > 0)
    assert one.probs(X).shape == (50, 1)
    assert one.labels(X).shape == (50,)
    assert set(one.labels(X)) == {0, 1}
    assert one.labels(X).dtype == SMALL.labels(X).dtype == np.int64
    assert not hasattr(SMALL, "predict")


@pytest.mark.parametrize("network", [SMALL, zoo.mlp([5, 6, 4, 2], activation="tanh", rng=3)])
def test_jacobian(network):
    jacobian = network.jacobian(X)
    assert jacobian.shape == (50, network.outputs, 5)
    for j in range(5):
        e = 1e-6 * np.eye(5)[j]
        measured = (network.logits(X + e) - network.logits(X - e)) / 2e-6
        np.testing.assert_allclose(jacobian[:, :, j], measured, rtol=0, atol=1e-8)
    weights = np.random.default_rng(0).normal(size=(50, network.outputs))
    np.testing.assert_allclose(
        network.input_gradient(X, weights),
        np.einsum("nk,nkd->nd", weights, jacobian),
        rtol=0,
        atol=1e-13,
    )


def test_input_gradient_wants_one_row_per_input():
    with pytest.raises(ValueError, match=r"expected dlogits of shape \(50, 3\), got \(3,\)"):
        SMALL.input_gradient(X, np.ones(3))


def test_backward_keeps_the_order_of_the_layers():
    logits, caches = SMALL.forward(X)
    dx, grads = SMALL.backward(np.ones_like(logits), caches)
    assert dx.shape == X.shape
    assert [set(g) for g in grads] == [{"W", "b"}, set(), {"W", "b"}]
    _, fewer = SMALL.backward(np.ones_like(logits), caches, need_dx=False)
    for own, other in zip(grads, fewer, strict=True):
        for name in own:
            np.testing.assert_array_equal(own[name], other[name])


def test_train_is_passed_on():
    class Watching(Layer):
        def forward(self, x, train=False):
            self.seen = train
            return x, None

    layer = Watching()
    network = Network([layer, Dense(5, 2)], 5)
    network.forward(X, train=True)
    assert layer.seen is True
    network.logits(X)
    assert layer.seen is False


# ---- dtypes and shapes


def test_float32():
    network = Network([Dense(5, 8, rng=0), Activation("relu"), Dense(8, 3, rng=1)], 5, np.float32)
    wide = Network(network.copy().layers, 5, np.float64)
    assert network.dtype == np.float32
    assert network.logits(X).dtype == network.jacobian(X).dtype == np.float32
    assert {p.dtype for p in network.parameters().values()} == {np.dtype(np.float32)}
    assert wide.logits(X).dtype == np.float64
    np.testing.assert_allclose(network.logits(X), wide.logits(X), rtol=0, atol=1e-5)
    assert (network.logits(X) != wide.logits(X)).any()


def test_dtype_follows_the_parameters():
    assert zoo.mlp([3, 2], dtype=np.float32).dtype == np.float32
    assert Network([Dense(3, 2, dtype=np.float32), Dense(2, 2)], 3).dtype == np.float64
    for dtype in (np.float16, int, complex):
        with pytest.raises(ValueError, match="expected dtype float64 or float32, got"):
            Network([Dense(3, 2)], 3, dtype)


@pytest.mark.parametrize("shape", [(5,), (5, 5, 1), (3, 4), (2, 3, 2), ()])
def test_inputs_of_another_shape(shape):
    with pytest.raises(
        ValueError, match=r"expected inputs of shape \(n, 12\) or \(n, 2, 3, 2\), got"
    ):
        SHAPED.logits(np.zeros(shape))
    with pytest.raises(
        ValueError, match=r"expected inputs of shape \(n, 5\), got \(5,\); .*x\[None\]"
    ):
        SMALL.logits(np.zeros(5))


@pytest.mark.parametrize(
    ("layers", "shape", "says"),
    [
        ([Dense(5, 8), Dense(7, 3)], 5, r"layer 1 does not fit: .*\(7,\) for Dense, got \(8,\)"),
        ([Dense(5, 3)], 4, r"layer 0 does not fit: .*\(5,\) for Dense, got \(4,\)"),
        ([Dense(4, 3)], (2, 2), "layer 0 does not fit.*Flatten"),
        ([Activation("relu")], (2, 2), r"expected \(K,\) logits from the last layer.*Flatten"),
        ([Dense(5, 3)], (5, 0), "expected a shape of positive whole numbers"),
        ([Dense(5, 3)], (), "expected a shape of positive whole numbers"),
    ],
)
def test_layers_that_do_not_fit_one_another(layers, shape, says):
    with pytest.raises(ValueError, match=says):
        Network(layers, shape)


def test_shape_may_be_a_numpy_integer():
    assert Network([Dense(5, 3)], np.int64(5)).shape == (5,)
    with pytest.raises(TypeError):
        Network([Dense(5, 3)], 5.0)


def test_widths_as_properties():
    assert (SMALL.inputs, SMALL.outputs, SMALL.shape) == (5, 3, (5,))
    assert (SHAPED.inputs, SHAPED.outputs, SHAPED.shape) == (12, 3, (2, 3, 2))
    text = repr(SHAPED)
    assert "(2, 3, 2)" in text
    assert "Dense{'inputs': 12, 'outputs': 6}" in text


# ---- parameters


def test_parameters_are_the_arrays_themselves():
    network = zoo.mlp([5, 4, 3], rng=0)
    assert list(network.parameters()) == ["0.W", "0.b", "2.W", "2.b"]
    network.parameters()["2.b"] += 1
    np.testing.assert_array_equal(network.layers[2].params["b"], 1)
    assert network.dense()[0][0] is network.layers[0].params["W"]
    assert len(network.dense()) == 2


def test_copies_are_independent():
    network = zoo.mlp([5, 4, 3], rng=0)
    twin = network.copy()
    np.testing.assert_array_equal(twin.logits(X), network.logits(X))
    before = network.logits(X)
    for p in twin.parameters().values():
        p += 1
    np.testing.assert_array_equal(network.logits(X), before)
    assert (twin.logits(X) != before).any()


def test_a_layer_of_ones_own_can_be_copied():
    class Doubling(Layer):
        def forward(self, x, train=False):
            return 2 * x, None

    network = Network([Dense(5, 3, rng=0), Doubling()], 5)
    np.testing.assert_array_equal(network.copy().logits(X), network.logits(X))


# ---- zoo


def test_zoo_shapes():
    assert zoo.logistic(7).outputs == 1
    assert (zoo.softmax(7, 4).inputs, zoo.softmax(7, 4).outputs) == (7, 4)
    kinds = [type(layer).__name__ for layer in zoo.mlp([4, 3, 2, 1]).layers]
    assert kinds == ["Dense", "Activation", "Dense", "Activation", "Dense"]
    assert zoo.mlp([4.0, 3.0]).shape == (4,)
    assert zoo.mlp([4, 3, 2], activation="tanh").layers[1].name == "tanh"


@given(st.integers(0, 2**32 - 1))
def test_zoo_is_reproducible(seed):
    x = X[:3]
    build = [lambda: zoo.mlp([5, 4, 2], bias=0.3, rng=seed), lambda: zoo.softmax(5, 3, rng=seed)]
    for make in build:
        np.testing.assert_array_equal(make().logits(x), make().logits(x))


def test_biases_of_the_zoo():
    """10,000 draws: their deviation is known to 1/sqrt(2e4) = 0.7 %; 4 of it."""
    assert zoo.mlp([2, 10_000], bias=0.3, rng=0).dense()[0][1].std() == pytest.approx(0.3, rel=0.03)
    np.testing.assert_array_equal(zoo.mlp([2, 10]).dense()[0][1], 0)


@pytest.mark.parametrize("widths", [[5], [], [5, 0], [5, -1, 2], [5, 2.5]])
def test_widths_that_are_none(widths):
    with pytest.raises(ValueError, match="expected two or more positive whole widths, got"):
        zoo.mlp(widths)


@pytest.mark.parametrize("first", [Flatten(), Dropout(0.5)])
def test_an_activation_behind_a_layer_that_changes_nothing_spares_the_callers_rows(first):
    network = Network([first, Activation("relu"), Dense(6, 2, rng=0)], 6)
    x = np.random.default_rng(0).normal(size=(5, 6))
    kept = x.copy()
    network.logits(x)
    np.testing.assert_array_equal(x, kept)
    plain = Network([Flatten(), Activation("relu"), Dense(6, 2, rng=0)], 6)
    plain.loss_gradients(x, np.zeros(5, int), cross_entropy)
    np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.1)])
def test_weights_in_another_order_of_memory_are_trained_too(optimizer):
    """A transposed matrix: its flat view would be a copy, and an update of that is lost."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.integers(0, 2, 20)
    networks = [zoo.given([(W, np.zeros(2))]) for W in (np.ones((3, 2)).T, np.ones((2, 3)))]
    for network in networks:
        fit(network, x, y, epochs=1, optimizer=type(optimizer)(0.1), rng=0)
    a, b = (network.parameters()["0.W"] for network in networks)
    np.testing.assert_array_equal(a, b)
    assert 0.01 < np.abs(a - 1).max() < 1


@pytest.mark.parametrize("targets", [9, 11])
def test_one_target_per_row_also_where_the_batch_is_split(targets):
    network = zoo.mlp([3, 2], rng=0)
    with pytest.raises(ValueError, match="expected one target per row"):
        network.loss_gradients(np.zeros((10, 3)), np.zeros(targets, int), cross_entropy)


def test_a_batch_of_no_rows_has_no_answers():
    for network in (zoo.cnn((8, 8, 1), 3, 1, rng=0), zoo.text_cnn(9, 6, 2), zoo.text_gru(9, 6, 2)):
        assert network.logits(np.zeros((0, network.inputs))).shape == (0, network.outputs)
