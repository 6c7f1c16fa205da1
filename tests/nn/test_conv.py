"""Layers for images: the fast versions against loops, and every derivative against differences."""

import numpy as np
import pytest

from mstheft.nn import gradcheck, losses
from mstheft.nn.conv import Conv2D, bands, conv2d_naive, windows
from mstheft.nn.fast import threads as parallel
from mstheft.nn.fast.buffers import reused
from mstheft.nn.layers import Activation, Dense, Flatten
from mstheft.nn.network import Network
from mstheft.nn.norm import BatchNorm, Dropout, column_products
from mstheft.nn.pool import GlobalAveragePool, MaxPool2D

WINDOWS = [
    (1, "same", 3),
    (1, "valid", 3),
    (2, "same", 3),
    (2, "valid", 3),
    (3, "valid", 2),
    (2, "same", 5),
    (1, "same", 1),
]


@pytest.mark.parametrize(("stride", "padding", "size"), WINDOWS)
@pytest.mark.parametrize("reuse", [False, True])
def test_convolution_equals_the_loops(stride, padding, size, reuse):
    """Sums of at most 75 products of size 1: within 1e-12 of one another in float64."""
    rng = np.random.default_rng(0)
    layer = Conv2D(3, 4, size, stride, padding, rng=rng)
    layer.params["b"][:] = rng.normal(size=4)
    for shape in ((2, 11, 12, 3), (5, 9, 7, 3), (1, 5, 5, 3)):
        x = rng.normal(size=shape)
        expected = conv2d_naive(x, layer.params["W"], layer.params["b"], stride, layer.pad)
        if reuse:
            with reused():
                got = layer.forward(x)[0]
        else:
            got = layer.forward(x)[0]
        assert got.shape == (shape[0], *layer.out_shape(shape[1:])) == expected.shape
        assert np.abs(got - expected).max() < 1e-12


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("channels", [2, 9])
@pytest.mark.parametrize("pad", [0, 1])
def test_a_window_is_one_run_of_the_bands(stride, channels, pad):
    """Each window of the framed image, cut out by hand, is found as one row: column by column."""
    x = np.random.default_rng(0).normal(size=(2, 7, 6, channels))
    framed = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    rows, width = (7 + 2 * pad - 3) // stride + 1, 6 + pad
    memory = np.full((2 * rows * width + 6, 3, channels), np.nan)
    memory[-6:] = 0  # the last row's zeros on the right
    bands(x, 3, stride, pad, memory[:-6].reshape(2, rows, width, 3, channels))
    found = windows(memory, 3, 3 * channels, len(memory) - 6)
    for n in range(2):
        for y in range(rows):
            for start in range(6 + 2 * pad - 2):
                place = (n * rows + y) * width + start
                window = framed[n, stride * y : stride * y + 3, start : start + 3]
                got = found[place % 3, place // 3]
                np.testing.assert_array_equal(got, window.swapaxes(0, 1).ravel())


def test_convolution_by_hand():
    """A window of ones over 1 … 9 without padding: the sum, 45; with padding, sums of parts."""
    layer = Conv2D(1, 1, 3)
    layer.params["W"][:] = 1
    x = np.arange(1.0, 10).reshape(1, 3, 3, 1)
    expected = [[12, 21, 16], [27, 45, 33], [24, 39, 28]]
    np.testing.assert_array_equal(layer.forward(x)[0][0, :, :, 0], expected)
    valid = Conv2D(1, 1, 3, padding="valid")
    valid.params["W"][:] = 1
    assert valid.forward(x)[0].item() == 45


@pytest.mark.parametrize(("stride", "padding", "size"), WINDOWS)
@pytest.mark.parametrize("reuse", [False, True])
def test_convolution_gradients(stride, padding, size, reuse):
    """The layer is linear in each argument, so differences are exact but for rounding: 1e-7."""
    rng = np.random.default_rng(1)
    layer = Conv2D(2, 3, size, stride, padding, rng=rng)
    x = rng.normal(size=(2, 9, 8, 2))
    dout = rng.normal(size=layer.forward(x)[0].shape)

    def value(moved, weights, bias):
        return (conv2d_naive(moved, weights, bias, stride, layer.pad) * dout).sum()

    def passes():
        _, cache = layer.forward(x)
        return layer.backward(dout, cache)

    if reuse:
        with reused():
            passes()  # memory that was used before must not show through
            dx, grads = passes()
    else:
        dx, grads = passes()
    w, b = layer.params["W"], layer.params["b"]
    assert gradcheck.directional_error(lambda m: value(m, w, b), dx, x, rng=0) < 1e-7
    assert gradcheck.directional_error(lambda m: value(x, m, b), grads["W"], w, rng=0) < 1e-7
    assert gradcheck.directional_error(lambda m: value(x, w, m), grads["b"], b, rng=0) < 1e-7


def pool_naive(x, k):
    n, h, w, c = x.shape
    out = np.zeros((n, h // k, w // k, c))
    winner = np.zeros_like(x)
    for i in range(n):
        for y in range(h // k):
            for z in range(w // k):
                for f in range(c):
                    window = x[i, y * k : y * k + k, z * k : z * k + k, f]
                    best = np.unravel_index(window.T.argmax(), window.T.shape)[::-1]
                    out[i, y, z, f] = window[best]
                    winner[i, y * k + best[0], z * k + best[1], f] = 1
    return out, winner


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("shape", [(3, 6, 6, 2), (2, 7, 9, 3), (1, 3, 3, 1)])
def test_pooling_equals_the_loops_with_ties(size, shape):
    """Small whole numbers tie often: the whole gradient goes to the first, column by column."""
    rng = np.random.default_rng(2)
    x = rng.integers(0, 3, shape).astype(float)
    layer = MaxPool2D(size)
    out, cache = layer.forward(x)
    expected, winner = pool_naive(x, size)
    np.testing.assert_array_equal(out, expected)
    dout = rng.normal(size=out.shape)
    grown = np.zeros_like(x)
    repeated = dout.repeat(size, axis=1).repeat(size, axis=2)
    grown[:, : repeated.shape[1], : repeated.shape[2]] = repeated
    np.testing.assert_array_equal(layer.backward(dout, cache)[0], grown * winner)


@pytest.mark.parametrize("shape", [(40, 3), (4, 5, 6, 3)])
def test_batch_norm_in_training(shape):
    """Output has mean β and deviation γ; its gradient is that of the whole formula (1e-6)."""
    rng = np.random.default_rng(3)
    layer = BatchNorm(3)
    layer.params["gamma"][:], layer.params["beta"][:] = [1, 2, 0.5], [0, -1, 3]
    x = rng.normal(2, 3, shape)
    out, cache = layer.forward(x, train=True)
    flat = out.reshape(-1, 3)
    np.testing.assert_allclose(flat.mean(axis=0), [0, -1, 3], atol=1e-12)
    np.testing.assert_allclose(flat.std(axis=0), [1, 2, 0.5], rtol=1e-5)
    dout = rng.normal(size=shape)
    dx, grads = layer.backward(dout, cache)
    error = gradcheck.directional_error(
        lambda moved: (layer.forward(moved, train=True)[0] * dout).sum(), dx, x, rng=0
    )
    assert error < 1e-6
    scaled = (flat - layer.params["beta"]) / layer.params["gamma"]
    np.testing.assert_allclose(grads["gamma"], (scaled * dout.reshape(-1, 3)).sum(axis=0))
    np.testing.assert_allclose(grads["beta"], dout.reshape(-1, 3).sum(axis=0))


def test_batch_norm_follows_and_then_uses_running_statistics():
    rng = np.random.default_rng(4)
    layer = BatchNorm(2, momentum=0.5)
    x = rng.normal([1, -2], [2, 3], (1000, 2))
    for _ in range(40):  # 0.5^40 is below rounding
        layer.forward(x, train=True)
    np.testing.assert_allclose(layer.params["mean"], x.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(layer.params["var"], x.var(axis=0), rtol=1e-9)
    out, _ = layer.forward(np.array([[1.0, 1.0]]))
    expected = (1 - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)
    np.testing.assert_allclose(out[0], expected, rtol=1e-9)


def test_dropout_keeps_the_mean_and_only_in_training():
    x = np.ones((200, 500))
    layer = Dropout(0.3, rng=0)
    assert layer.forward(x)[0] is x
    out, cache = layer.forward(x, train=True)
    assert set(np.unique(out)) == {0, 1 / 0.7}
    assert abs(out.mean() - 1) < 0.01  # 100,000 draws: standard error 0.002
    np.testing.assert_array_equal(layer.backward(x, cache)[0], out)
    again = Dropout(0.3, rng=0).forward(x, train=True)[0]
    np.testing.assert_array_equal(out, again)


def test_dropout_of_a_split_batch_draws_for_each_part_and_layer():
    """Four parts of a batch in two layers of one generator: eight masks, the same each time."""

    def masks():
        rng, team = np.random.default_rng(3), parallel._Team(1)
        layers, x = [Dropout(0.5, rng=rng), Dropout(0.5, rng=rng)], (np.ones((1, 60)),)
        return [
            tuple(team.run(i, lambda x, la=layer: la.forward(x, train=True)[0], x)[0])
            for layer in layers
            for i in range(4)
        ]

    assert len(set(masks())) == 8
    assert masks() == masks()


def test_column_products():
    a, b = np.random.default_rng(5).normal(size=(2, 30, 4))
    np.testing.assert_allclose(column_products(a.copy(), b), (a * b).sum(axis=0), rtol=1e-13)


def image_network(rng=0):
    return Network(
        [
            Conv2D(2, 3, rng=rng),
            Activation("relu"),
            BatchNorm(3),
            MaxPool2D(),
            Conv2D(3, 4, 3, 2, rng=rng),
            Activation("tanh"),
            GlobalAveragePool(),
            Dense(4, 3, rng=rng),
        ],
        (8, 9, 2),
    )


def test_whole_network_gradients():
    """All of a small image network, the input included: below 1e-6."""
    x = np.random.default_rng(6).normal(size=(5, 8, 9, 2))
    errors = gradcheck.network_error(
        image_network(), losses.cross_entropy, x, np.arange(5) % 3, rng=0
    )
    assert 0 <= max(errors.values()) < 1e-6
    assert {"x", "0.W", "0.b", "2.gamma", "2.beta", "4.W", "7.b"} <= set(errors)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_used_memory_does_not_show(dtype):
    """Answers in batches, in reused memory, equal one plain pass; earlier answers stay."""
    network = image_network()
    network = Network(network.layers, network.shape, dtype)
    rng = np.random.default_rng(7)
    x, other = rng.normal(size=(2, 11, 8, 9, 2)).astype(dtype)
    plain, _ = network.forward(x)
    answers = network.logits(x, batch=4)
    kept = answers.copy()
    network.logits(other, batch=3)
    np.testing.assert_array_equal(answers, kept)
    np.testing.assert_allclose(answers, plain, rtol=1e-5 if dtype == np.float32 else 1e-13)
    untouched = x.copy()
    network.logits(x)
    np.testing.assert_array_equal(x, untouched)


def test_save_and_load(tmp_path):
    network = image_network()
    network.layers[2].params["mean"][:] = 1.5
    network.save(tmp_path / "net.npz")
    x = np.random.default_rng(8).normal(size=(3, 8, 9, 2))
    np.testing.assert_array_equal(Network.load(tmp_path / "net.npz").logits(x), network.logits(x))


@pytest.mark.parametrize(
    ("layers", "shape", "told"),
    [
        ([Conv2D(3, 4), Flatten(), Dense(4, 2)], (8, 8, 1), "(h, w, 3)"),
        ([Conv2D(1, 4, 5, padding="valid"), Flatten()], (3, 8, 1), "at least 5 pixels"),
        ([MaxPool2D(4), Flatten()], (3, 8, 1), "at least 4 pixels"),
        ([BatchNorm(4), Flatten()], (8, 8, 1), "4 channels"),
        ([GlobalAveragePool()], (8, 8), "(h, w, c)"),
    ],
)
def test_layers_that_do_not_fit(layers, shape, told):
    with pytest.raises(ValueError, match="expected") as error:
        Network(layers, shape)
    assert told in str(error.value)


@pytest.mark.parametrize(("size", "padding"), [(2, "same"), (3, "full")])
def test_padding_that_does_not_exist(size, padding):
    with pytest.raises(ValueError, match="expected padding"):
        Conv2D(1, 1, size, padding=padding)


def test_windows_larger_than_the_image_and_every_other_size():
    """All sizes to 7, strides to 3, images from 1x1 to 6x6: the loops, and the adjoint of both.

    <dout, conv(x)> = <dx, x> holds for the linear part: 1e-11 for sums of a few hundred products.
    """
    rng, tried = np.random.default_rng(0), 0
    for size in range(1, 8):
        for stride in (1, 2, 3):
            for padding in ("same", "valid"):
                if padding == "same" and size % 2 == 0:
                    continue
                layer = Conv2D(2, 3, size, stride, padding, rng=rng)
                for h, w in ((1, 1), (2, 2), (2, 5), (3, 3), (6, 4), (6, 6)):
                    if min(h, w) + 2 * layer.pad < size:
                        continue
                    x, tried = rng.normal(size=(2, h, w, 2)), tried + 1
                    out, cache = layer.forward(x)
                    naive = conv2d_naive(x, layer.params["W"], layer.params["b"], stride, layer.pad)
                    assert np.abs(out - naive).max() < 1e-12
                    dout = rng.normal(size=out.shape)
                    dx, grads = layer.backward(dout, cache)
                    assert abs((dout * out).sum() - (dx * x).sum()) < 1e-11
                    assert abs((dout * out).sum() - (grads["W"] * layer.params["W"]).sum()) < 1e-11
    assert tried > 100


@pytest.mark.parametrize(
    "make",
    [
        lambda: Conv2D(1, 1, 0),
        lambda: Conv2D(1, 1, 3, 0),
        lambda: MaxPool2D(0),
        lambda: Dropout(1.0),
        lambda: Dropout(-0.1),
    ],
)
def test_layers_that_cannot_be(make):
    with pytest.raises(ValueError, match="expected"):
        make()
