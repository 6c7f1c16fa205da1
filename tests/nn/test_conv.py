"""Convolution: im2col against loops, the fast methods against im2col, and image networks."""

import contextlib

import numpy as np
import pytest

from mstheft.nn import gradcheck, losses
from mstheft.nn.conv import Conv2D, Im2col, conv2d_naive
from mstheft.nn.fast.bands import Bands
from mstheft.nn.fast.buffers import reused
from mstheft.nn.fast.winograd import Winograd
from mstheft.nn.layers import Activation, Dense, Flatten
from mstheft.nn.network import Network
from mstheft.nn.norm import BatchNorm
from mstheft.nn.pool import GlobalAveragePool, MaxPool2D

# stride, padding, size, channels in and out: bands, tiles and im2col, each of its own kind
WINDOWS = [
    (1, "same", 3, 3, 4),
    (1, "valid", 3, 9, 4),
    (1, "same", 5, 2, 3),
    (1, "valid", 2, 2, 3),
    (1, "same", 1, 3, 4),
    (1, "same", 3, 16, 17),
    (1, "valid", 3, 17, 16),
    (2, "same", 3, 3, 4),
    (2, "valid", 3, 16, 16),
    (3, "valid", 2, 3, 4),
    (2, "same", 5, 2, 3),
]


@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 1e-12), (np.float32, 3e-5)])
@pytest.mark.parametrize(("stride", "padding", "size", "inputs", "filters"), WINDOWS)
@pytest.mark.parametrize("reuse", [False, True])
def test_the_fast_method_equals_im2col(stride, padding, size, inputs, filters, reuse, dtype, error):
    """Forward and backward, for images of several shapes: sums of up to 2000 numbers of size 1."""
    rng = np.random.default_rng(0)
    layer = Conv2D(inputs, filters, size, stride, padding, rng=rng, dtype=dtype)
    readable = Im2col(size, stride, layer.pad)
    W, b = layer.params["W"], rng.normal(size=filters).astype(dtype)
    for shape in ((2, 11, 12), (5, 9, 7), (1, 5, 5)):
        x = rng.normal(size=(*shape, inputs)).astype(dtype)
        expected = readable.forward(x, W, b)
        dout = rng.normal(size=expected.shape).astype(dtype)
        pairs = []
        with reused() if reuse else contextlib.nullcontext():
            for _ in range(2):  # memory that was used before must not show through
                pairs = [
                    (layer.method.forward(x, W, b), expected),
                    (layer.method.weight_gradient(x, dout), readable.weight_gradient(x, dout)),
                    (
                        layer.method.input_gradient(dout, W, x.shape),
                        readable.input_gradient(dout, W, x.shape),
                    ),
                ]
        for fast, slow in pairs:
            assert fast.dtype == slow.dtype == dtype
            assert fast.shape == slow.shape
            assert np.abs(fast - slow).max() < error * max(1, np.abs(slow).max())


def test_each_method_serves_the_windows_that_it_is_fast_for():
    assert isinstance(Conv2D(16, 16).method, Winograd)
    for inputs, size in ((15, 3), (16, 5)):
        assert isinstance(Conv2D(inputs, 16, size).method, Bands)
    assert isinstance(Conv2D(16, 16, stride=2).method, Im2col)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize(("padding", "size"), [("same", 3), ("valid", 2), ("same", 1)])
def test_im2col_equals_the_loops(stride, padding, size):
    """Forward against the loops; its gradients are the adjoints of a linear function: 1e-12."""
    rng = np.random.default_rng(1)
    layer = Conv2D(3, 4, size, stride, padding, rng=rng)
    W, b, readable = layer.params["W"], rng.normal(size=4), Im2col(size, stride, layer.pad)
    x = rng.normal(size=(2, 8, 7, 3))
    out = readable.forward(x, W, b)
    np.testing.assert_allclose(out, conv2d_naive(x, W, b, stride, layer.pad), rtol=0, atol=1e-12)
    dout = rng.normal(size=out.shape)
    linear = (dout * (out - b)).sum()
    assert linear == pytest.approx((readable.weight_gradient(x, dout) * W).sum(), abs=1e-10)
    dx = readable.input_gradient(dout, W, x.shape)
    assert linear == pytest.approx((dx * x).sum(), abs=1e-10)
    dW = gradcheck.directional_error(
        lambda m: (conv2d_naive(x, m, b, stride, layer.pad) * dout).sum(),
        readable.weight_gradient(x, dout),
        W,
        rng=0,
    )
    assert dW < 1e-7


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
    ("layers", "shape", "says"),
    [
        ([Conv2D(3, 4), Flatten(), Dense(4, 2)], (8, 8, 1), "(h, w, 3)"),
        ([Conv2D(1, 4, 5, padding="valid"), Flatten()], (3, 8, 1), "at least 5 pixels"),
        ([MaxPool2D(4), Flatten()], (3, 8, 1), "at least 4 pixels"),
        ([BatchNorm(4), Flatten()], (8, 8, 1), "4 channels"),
        ([GlobalAveragePool()], (8, 8), "(h, w, c)"),
    ],
)
def test_layers_that_do_not_fit(layers, shape, says):
    with pytest.raises(ValueError, match="expected") as error:
        Network(layers, shape)
    assert says in str(error.value)


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


@pytest.mark.parametrize("window", [(0,), (3, 0)])
def test_windows_that_cannot_be(window):
    with pytest.raises(ValueError, match="expected size= and stride="):
        Conv2D(1, 1, *window)
