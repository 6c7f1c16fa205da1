"""DeepFool: exact on linear networks, and everywhere the same as row by row.

Size of error: float64 networks of a few dozen numbers, so 1e-12 relative where a formula is known.
"""

import importlib

import numpy as np
import pytest
from fooled import CNN, IMAGES, LINEAR, MLP, B, W, X

from mstheft.adversarial import deepfool, fgsm
from mstheft.nn import Network, zoo
from mstheft.nn.layers import Activation, Dense, Flatten

RNG = np.random.default_rng(3)


def nearest_boundary(x):
    """Distance to every other class's hyperplane, by the formula, and the smallest of them."""
    logits = x @ W.T + B
    k = logits.argmax()
    others = [c for c in range(4) if c != k]
    distances = [(logits[k] - logits[c]) / np.linalg.norm(W[k] - W[c]) for c in others]
    best = int(np.argmin(distances))
    return distances[best], others[best]


def test_deepfool_on_a_linear_network_is_exact_in_one_step():
    found = deepfool(LINEAR, X)
    for i, x in enumerate(X):
        distance, rival = nearest_boundary(x)
        np.testing.assert_allclose(found.norms[i], 1.02 * distance, rtol=1e-12)
        assert LINEAR.labels(found.x[i : i + 1])[0] == rival
    assert (found.steps == 1).all()
    assert found.flipped.all()


def test_with_one_logit_it_is_the_distance_to_the_hyperplane():
    w, b = RNG.normal(size=(1, 6)), np.array([-0.2])
    network = zoo.given([(w, b)])
    found = deepfool(network, X, overshoot=0.5)
    distance = np.abs(X @ w[0] + b) / np.linalg.norm(w)
    assert set(network.labels(X)) == {0, 1}
    np.testing.assert_allclose(found.norms, 1.5 * distance, rtol=1e-10)
    np.testing.assert_allclose(np.linalg.norm(found.x - X, axis=1), found.norms, rtol=1e-12)
    assert (network.labels(found.x) != network.labels(X)).all()


def one_row(network, x, overshoot=0.02, steps=50):
    """Algorithm 2 of the paper for one row, with the network's own Jacobian."""
    k = network.labels(x[None])[0]
    total, at, taken = np.zeros_like(x), x, 0
    while taken < steps and network.labels(at[None])[0] == k:
        taken += 1
        f, jacobian = network.logits(at[None])[0], network.jacobian(at[None])[0]
        w = np.delete(jacobian - jacobian[k], k, axis=0)
        gaps = np.abs(np.delete(f - f[k], k))
        best = (gaps / np.linalg.norm(w, axis=1)).argmin()
        total = total + gaps[best] / (w[best] @ w[best]) * w[best]
        at = x + (1 + overshoot) * total
    return at, taken


@pytest.mark.parametrize("network", [MLP, CNN], ids=["mlp", "cnn"])
def test_batches_find_what_one_row_at_a_time_finds(network, monkeypatch):
    x = IMAGES if network is CNN else X
    module = importlib.import_module("mstheft.adversarial.deepfool")
    monkeypatch.setattr(module, "ROWS", 7)
    monkeypatch.setattr("mstheft.adversarial.gradients.WORK", 3 * network.widest)
    found = deepfool(network, x)
    for i, row in enumerate(x):
        at, steps = one_row(network, row)
        np.testing.assert_allclose(found.x[i], at, rtol=0, atol=1e-9)
        assert found.steps[i] == steps
    assert found.flipped.all()
    assert found.steps.max() > 1


def test_fewer_steps_give_the_path_and_say_what_has_not_flipped():
    whole = deepfool(MLP, X)
    slow = whole.steps > 1
    first = deepfool(MLP, X, steps=1)
    np.testing.assert_array_equal(first.flipped, ~slow)
    np.testing.assert_array_equal(first.x[~slow], whole.x[~slow])
    assert (MLP.labels(first.x[slow]) == MLP.labels(X[slow])).all()
    assert 0 < slow.sum() < 50


def test_fewer_rivals_never_come_nearer_on_a_linear_network():
    exact, some = deepfool(LINEAR, X), deepfool(LINEAR, X, rivals=1)
    assert (some.norms >= exact.norms * (1 - 1e-12)).all()
    np.testing.assert_array_equal(deepfool(LINEAR, X, rivals=3).x, exact.x)
    second = np.argsort(LINEAR.logits(X), axis=1)[:, -2]
    np.testing.assert_array_equal(LINEAR.labels(some.x), second)


def test_a_row_on_the_boundary_is_pushed_over_it():
    network = zoo.given([(np.array([[1.0, 0], [0, 1.0]]), np.zeros(2))])
    found = deepfool(network, np.array([[0.5, 0.5]]))
    assert found.flipped.all()
    assert 0 < found.norms[0] < 1e-14


def test_limits_hold():
    found = deepfool(LINEAR, X, low=0, high=1)
    assert found.x.min() >= 0
    assert found.x.max() <= 1
    free = deepfool(LINEAR, X)
    inside = ((free.x >= 0) & (free.x <= 1)).all(axis=1)
    np.testing.assert_allclose(found.x[inside], free.x[inside], rtol=0, atol=1e-12)
    outside = ~inside & found.flipped
    assert (found.norms[outside] >= free.norms[outside] / 1.02 - 1e-12).all()
    assert 0 < inside.sum() < 50


def test_a_network_without_gradient_is_left_unflipped():
    dead = zoo.given([(np.zeros((3, 6)), np.arange(3.0))])
    found = deepfool(dead, X, steps=4)
    assert not found.flipped.any()
    assert (found.steps == 4).all()
    np.testing.assert_array_equal(found.norms, 0)


def test_networks_that_work_in_place_spoil_no_rows():
    """Inside `reused()` this network's ReLU overwrites what it is given."""
    network = Network([Flatten(), Activation("relu"), Dense(6, 3, rng=0)], (2, 3))
    rows = RNG.normal(size=(8, 2, 3))
    kept, y = rows.copy(), network.labels(rows.copy())
    found, moved = deepfool(network, rows), fgsm(network, rows, y, 0.1, low=-9, high=9)
    np.testing.assert_array_equal(rows, kept)
    assert found.x.shape == moved.shape == (8, 2, 3)
    np.testing.assert_array_equal(network.labels(found.x.copy()) != y, found.flipped)
    off = kept < -0.1
    np.testing.assert_array_equal(moved[off], kept[off])


@pytest.mark.parametrize("build", [zoo.text_cnn, zoo.text_gru])
def test_texts_are_fooled_behind_their_embedding_and_padding_stays(build):
    network = build(30, 8, 3, rng=0, dtype=np.float64)
    words = RNG.integers(1, 30, (12, 8))
    words[6:, 5:] = 0
    found = deepfool(network, words, overshoot=1e-6)
    assert len(set(found.steps[6:])) > 1, "some are at work longer than their neighbours"
    rest = Network(network.layers[1:], (8, 100))
    embedded = network.layers[0].forward(words)[0]
    assert found.x.shape == (12, 8, 100)
    assert found.flipped.all()
    np.testing.assert_array_equal(rest.labels(embedded), network.labels(words))
    assert (rest.labels(found.x) != network.labels(words)).all()
    np.testing.assert_array_equal(found.x[6:, 5:], 0)
    moved = np.sqrt(((found.x - embedded) ** 2).sum(axis=(1, 2)))
    np.testing.assert_allclose(found.norms, moved, rtol=1e-12)


def test_a_bag_of_words_is_fooled_behind_its_bag():
    """It is linear there: one step, and the distance is |f_1 - f_0| / ‖w_1 - w_0‖."""
    network = zoo.text_bag(9, 4, 2, rng=0, dtype=np.float64)
    words = np.array([[1, 2, 0, 0], [3, 4, 5, 6]])
    found = deepfool(network, words)
    logits, weights = network.logits(words), network.layers[1].params["W"]
    distance = np.abs(logits[:, 1] - logits[:, 0]) / np.linalg.norm(weights[1] - weights[0])
    assert found.x.shape == (2, 9)
    assert found.flipped.all()
    np.testing.assert_allclose(found.norms, 1.02 * distance, rtol=1e-12)


def test_float32_networks_give_float32_rows_that_flip():
    network = zoo.mlp([6, 16, 4], bias=0.5, rng=1, dtype=np.float32)
    found = deepfool(network, X)
    assert found.x.dtype == np.float32
    assert found.flipped.all()
    np.testing.assert_allclose(found.norms, deepfool(MLP, X).norms, rtol=1e-2)


def test_no_rows_are_no_trouble():
    found = deepfool(MLP, np.empty((0, 6)))
    assert found.x.shape == (0, 6)
    assert fgsm(MLP, np.empty((0, 6)), np.empty(0, int), 0.1).shape == (0, 6)


@pytest.mark.parametrize("change", [{"steps": 0}, {"overshoot": 0}, {"rivals": 0}])
def test_arguments_that_do_not_fit(change):
    with pytest.raises(ValueError, match="expected all above 0, got"):
        deepfool(MLP, X, **change)
