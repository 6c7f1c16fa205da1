"""Adversarial examples: exact on linear networks, inside their ball, and fooling where they say.

Size of error: float64 networks of a few dozen numbers, so 1e-12 relative where a formula is known.
"""

import importlib

import numpy as np
import pytest

from mstheft.adversarial import deepfool, fgsm, pgd, transferability
from mstheft.adversarial.gradients import loss_gradient
from mstheft.adversarial.transfer import noise
from mstheft.nn import Network, zoo
from mstheft.nn.conv import Conv2D
from mstheft.nn.fast.buffers import reused
from mstheft.nn.layers import Activation, Dense, Flatten
from mstheft.nn.losses import cross_entropy
from mstheft.oracle import Oracle

RNG = np.random.default_rng(0)
W = RNG.normal(size=(4, 6))
B = RNG.normal(size=4)
LINEAR = zoo.given([(W, B)])
MLP = zoo.mlp([6, 16, 4], bias=0.5, rng=1)
CNN = zoo.small_cnn((8, 8, 1), 3, rng=2, dtype=np.float64)
X = RNG.random((50, 6))
IMAGES = RNG.random((20, 64))


def nearest_boundary(x):
    """Distance to every other class's hyperplane, by the formula, and the smallest of them."""
    logits = x @ W.T + B
    k = logits.argmax()
    others = [c for c in range(4) if c != k]
    distances = [(logits[k] - logits[c]) / np.linalg.norm(W[k] - W[c]) for c in others]
    best = int(np.argmin(distances))
    return distances[best], others[best]


# ---- gradients


@pytest.mark.parametrize("network", [LINEAR, MLP, CNN], ids=["linear", "mlp", "cnn"])
def test_the_loss_gradient_has_the_direction_of_cross_entropy(network):
    x = IMAGES if network is CNN else X
    y = np.arange(len(x)) % network.outputs
    logits, _ = network.forward(x)
    true = network.input_gradient(x, cross_entropy(logits, y)[1])
    ours = loss_gradient(network, x, y)
    cosine = (ours * true).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(true, axis=1)
    np.testing.assert_allclose(cosine, 1, rtol=0, atol=1e-12)


def test_a_saturated_network_has_a_direction_still():
    """p = 1 in float64: dL/dz is exactly 0, its direction is not."""
    sure = zoo.given([(1e4 * W, B)])
    y = sure.labels(X)
    logits, _ = sure.forward(X)
    zero = (cross_entropy(logits, y)[1] == 0).all(axis=1)
    assert zero.any(), "the case is set up as it should be"
    assert (np.abs(loss_gradient(sure, X, y)[zero]).max(axis=1) > 1).all()


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize(
    ("padding", "size"), [("same", 3), ("valid", 2), ("valid", 3), ("same", 1)]
)
def test_the_input_gradient_of_a_convolution_is_its_backward_pass(stride, padding, size):
    layer = Conv2D(3, 5, size, stride, padding, rng=0)
    x = RNG.normal(size=(4, 7, 8, 3))
    out, cache = layer.forward(x)
    dout = RNG.normal(size=out.shape)
    dx, _ = layer.backward(dout, cache)
    np.testing.assert_allclose(layer.input_gradient(dout, x), dx, rtol=0, atol=1e-12)


def test_gradients_of_a_whole_network_are_its_own_and_can_be_asked_again():
    """The K backward passes of one forward pass must not spoil one another's caches."""
    network = zoo.cnn((8, 8, 3), 4, blocks=2, filters=(4, 6), rng=0, dtype=np.float64)
    x = RNG.random((5, 192))
    jacobian = network.jacobian(x)
    with reused():
        _, caches = network.forward(x)
        for _ in range(2):
            for k in range(4):
                seed = np.tile(np.eye(4)[k], (5, 1))
                ours = network.to_inputs(seed, caches)
                np.testing.assert_allclose(ours, jacobian[:, k], rtol=0, atol=1e-12)


# ---- FGSM and PGD


def test_fgsm_on_a_linear_network_moves_against_the_weights():
    """K = 1: L grows along -w for class 1, so that x' = x - eps sgn w, by hand."""
    w = np.array([[2.0, -3.0, 0.0]])
    network = zoo.given([(w, np.zeros(1))])
    x = np.full((2, 3), 0.5)
    moved = fgsm(network, x, [1, 0], 0.125)
    np.testing.assert_array_equal(moved, [[0.375, 0.625, 0.5], [0.625, 0.375, 0.5]])


def test_fgsm_with_two_classes_is_the_same_as_with_one_logit():
    w, b = RNG.normal(size=6), 0.3
    one = zoo.given([(w[None], np.array([b]))])
    two = zoo.given([(np.stack([-w / 2, w / 2]), np.array([-b / 2, b / 2]))])
    y = np.arange(50) % 2
    np.testing.assert_array_equal(fgsm(one, X, y, 0.1), fgsm(two, X, y, 0.1))


def test_fgsm_stays_in_the_box_and_leaves_the_rows_alone():
    kept = X.copy()
    moved = fgsm(MLP, X, MLP.labels(X), 0.7)
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert (np.abs(moved - X).max(axis=1) > 0.3).all()
    np.testing.assert_array_equal(X, kept)
    shaped = fgsm(CNN, IMAGES.reshape(20, 8, 8, 1), CNN.labels(IMAGES), 0.1)
    assert shaped.shape == (20, 8, 8, 1)
    np.testing.assert_array_equal(
        shaped.reshape(20, 64), fgsm(CNN, IMAGES, CNN.labels(IMAGES), 0.1)
    )


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("network", [MLP, CNN], ids=["mlp", "cnn"])
def test_pgd_stays_in_its_ball_and_in_the_box(network, norm):
    x = IMAGES if network is CNN else X
    y = network.labels(x)
    moved = pgd(network, x, y, 0.4, norm=norm, rng=0)
    assert moved.min() >= 0
    assert moved.max() <= 1
    size = np.abs(moved - x).max(axis=1) if norm == "linf" else np.linalg.norm(moved - x, axis=1)
    assert size.max() <= 0.4 + 1e-12
    assert np.median(size) > 0.3, "and it uses the ball"
    before, after = (cross_entropy(network.logits(rows), y)[0] for rows in (x, moved))
    assert after > before
    np.testing.assert_array_equal(moved, pgd(network, x, y, 0.4, norm=norm, rng=0))


def test_pgd_on_a_linear_network_finds_the_best_point():
    """One logit, no box in the way: l2 ends at x - eps w/‖w‖, linf at x - eps sgn w."""
    w = RNG.normal(size=(1, 6))
    network = zoo.given([(w, np.zeros(1))])
    y = np.ones(50, int)
    limits = {"low": -9.0, "high": 9.0}
    far = pgd(network, X, y, 0.3, norm="l2", step=0.3, steps=60, rng=0, **limits)
    np.testing.assert_allclose(far, X - 0.3 * w / np.linalg.norm(w), rtol=0, atol=1e-12)
    far = pgd(network, X, y, 0.3, rng=0, **limits)
    np.testing.assert_allclose(far, X - 0.3 * np.sign(w), rtol=0, atol=1e-12)


def test_pgd_fools_at_least_as_often_as_one_step():
    y = CNN.labels(IMAGES)
    one = (CNN.labels(fgsm(CNN, IMAGES, y, 0.1)) != y).mean()
    many = (CNN.labels(pgd(CNN, IMAGES, y, 0.1, rng=0)) != y).mean()
    assert many >= one > 0


WRONG = {
    "eps": (lambda: fgsm(MLP, X, MLP.labels(X), 0), "expected eps > 0, .*got 0"),
    "norm": (lambda: pgd(MLP, X, MLP.labels(X), 0.1, norm="l1", rng=0), "'linf' or 'l2', got 'l1'"),
    "y": (lambda: fgsm(MLP, X, np.full(50, 4), 0.1), r"\(50,\) whole numbers from 0 to 3"),
    "y's length": (lambda: fgsm(MLP, X, [1, 2], 0.1), r"got shape \(2,\)"),
    "the box": (lambda: fgsm(MLP, 2 * X, MLP.labels(X), 0.1), "expected inputs from 0 to 1, got"),
    "width": (lambda: deepfool(MLP, X[:, :5]), r"rows of 6 numbers, got shape \(50, 5\)"),
    "NaN": (lambda: deepfool(MLP, X * np.nan), "expected inputs from"),
    "steps": (lambda: deepfool(MLP, X, steps=0), "steps >= 1"),
    "words": (
        lambda: fgsm(zoo.text_gru(9, 4, 2, rng=0), np.ones((2, 4)), [0, 1], 0.1),
        "word numbers have no gradient; deepfool works on the embedded text",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_arguments_that_do_not_fit(name):
    call, says = WRONG[name]
    with pytest.raises(ValueError, match=says):
        call()


# ---- DeepFool


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


# ---- transfer


def move(network, x, y):
    return fgsm(network, x, y, 0.25)


def test_of_a_perfect_copy_everything_transfers():
    y = MLP.labels(X)
    told = transferability(MLP, MLP.copy(), X, y, move, rng=0)
    assert told.rows == 50
    assert told.copied == told.white_box > told.noise
    own = fgsm(MLP, X, y, 0.25)
    assert told.copied == (MLP.labels(own) != y).mean()
    np.testing.assert_allclose(told.size, np.linalg.norm(own - X, axis=1).mean(), rtol=1e-12)


def test_only_rows_that_the_victim_gets_right_count():
    y = MLP.labels(X)
    y[:20] = (y[:20] + 1) % 4
    told = transferability(MLP, LINEAR, X, y, move, rng=0)
    alone = transferability(MLP, LINEAR, X[20:], y[20:], move, rng=0)
    assert told == alone
    assert told.rows == 30
    with pytest.raises(ValueError, match="rows that the victim gets right, got none"):
        transferability(MLP, LINEAR, X[:20], y[:20], move, rng=0)


def test_a_victim_behind_an_oracle_has_no_white_box_figure():
    y = MLP.labels(X)
    known = transferability(MLP, LINEAR, X, y, move, rng=0)
    oracle = Oracle(MLP, "label")
    for victim in (oracle, MLP.labels, MLP.probs, Oracle(MLP, "probs")):
        told = transferability(victim, LINEAR, X, y, move, rng=0)
        assert told.white_box is None
        assert (told.rows, told.copied, told.noise) == (known.rows, known.copied, known.noise)
    assert oracle.count == 3 * 50
    with pytest.raises(ValueError, match="ask for labels"):
        transferability(lambda x: x[:, :1], LINEAR, X, y, move, rng=0)


def test_what_the_attack_returns_is_clipped_and_checked():
    y = MLP.labels(X)
    told = transferability(MLP, LINEAR, X, y, lambda f, x, y: x + 5, rng=0)
    np.testing.assert_allclose(told.size, np.linalg.norm(1 - X, axis=1).mean(), rtol=1e-12)
    with pytest.raises(ValueError, match=r"finite rows like x, \(50, 6\)"):
        transferability(MLP, LINEAR, X, y, lambda f, x, y: x[:3], rng=0)


def test_noise_has_the_size_that_was_asked_for():
    sizes = np.linspace(0, 0.6, 50)
    moved = noise(X, sizes, 3) - X
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), sizes, rtol=0, atol=1e-9)
    far = noise(X, np.full(50, 9.0), 3)
    assert np.isin(far, [0, 1]).all(), "beyond the box it ends in a corner"
