"""Winograd's tiles: the matrices by hand, then forward and backward against the loops."""

import contextlib

import numpy as np
import pytest

from mstheft.nn import gradcheck
from mstheft.nn.conv import Conv2D, conv2d_naive
from mstheft.nn.fast.buffers import reused
from mstheft.nn.fast.winograd import ENOUGH, ONE, A, B, G


def test_the_matrices_are_those_of_the_paper():
    """Equation 12 of Lavin and Gray for points 0, ±1, ±2 and infinity; rows may swap their sign."""
    published = [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
    np.testing.assert_array_equal(np.abs(B.T), np.abs(published))
    np.testing.assert_allclose(24 * np.abs(G[3]), [1, 2, 4], rtol=1e-15)
    np.testing.assert_array_equal(A.T[3], [0, 1, -1, 8, -8, 1])


def test_one_row_of_four_windows():
    """[1 2 3 4 5 6] seen through windows [1 0 2]: 1 + 6, 2 + 8, 3 + 10, 4 + 12."""
    points = (G @ [1, 0, 2]) * (B.T @ np.arange(1, 7))
    np.testing.assert_allclose(A.T @ points, [7, 10, 13, 16], rtol=1e-14)


def test_one_place_reaches_all_outputs_alike():
    """What is added there is added once to each of the 16 outputs: the bias."""
    np.testing.assert_array_equal(np.kron(A, A)[ONE], np.ones(16))


SHAPES = [(3, 14, 14), (2, 9, 11), (1, 3, 3), (5, 8, 4), (40, 7, 6)]


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("reuse", [False, True])
def test_tiles_equal_the_loops(padding, reuse):
    """About 150 products of size 1, the transforms cost one to two digits: 1e-12 in float64."""
    rng = np.random.default_rng(0)
    layer = Conv2D(ENOUGH, ENOUGH + 5, padding=padding, rng=rng)
    assert layer.tiled
    layer.params["b"][:] = rng.normal(size=ENOUGH + 5)
    for shape in SHAPES:
        x = rng.normal(size=(*shape, ENOUGH))
        expected = conv2d_naive(x, layer.params["W"], layer.params["b"], 1, layer.pad)
        with reused() if reuse else contextlib.nullcontext():
            got = layer.forward(x)[0]
        assert got.shape == expected.shape
        assert np.abs(got - expected).max() < 1e-12


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("reuse", [False, True])
def test_gradients_of_tiles(padding, reuse):
    """Linear in each argument, so that differences are exact but for rounding: 1e-7."""
    rng = np.random.default_rng(1)
    layer = Conv2D(ENOUGH + 1, ENOUGH, padding=padding, rng=rng)
    w, b = layer.params["W"], layer.params["b"]
    for shape in SHAPES:
        x = rng.normal(size=(*shape, ENOUGH + 1))
        dout = rng.normal(size=layer.forward(x)[0].shape)

        def value(x, w, b, dout=dout):
            return (conv2d_naive(x, w, b, 1, layer.pad) * dout).sum()

        def of_weights(w, x=x, value=value):
            return value(x, w, b)

        with reused() if reuse else contextlib.nullcontext():
            for _ in range(2):  # memory that was used before must not show through
                dx, grads = layer.backward(dout, layer.forward(x)[1])
        assert gradcheck.directional_error(lambda m, v=value: v(m, w, b), dx, x, rng=0) < 1e-7
        assert gradcheck.directional_error(of_weights, grads["W"], w, rng=0) < 1e-7
        np.testing.assert_allclose(grads["b"], dout.sum(axis=(0, 1, 2)), rtol=0, atol=1e-11)


def test_float32_loses_little_over_a_plain_sum():
    """Outputs of size 1: errors of a few 1e-6 at 128 channels, some tens of float32's roundings."""
    rng = np.random.default_rng(2)
    layer = Conv2D(128, 64, rng=rng, dtype=np.float32)
    x = rng.normal(size=(2, 8, 8, 128)).astype(np.float32)
    weights, bias = (layer.params[name].astype(float) for name in "Wb")
    expected = conv2d_naive(x.astype(float), weights, bias, 1, 1)
    error = layer.forward(x)[0] - expected
    assert 1e-8 < np.sqrt((error**2).mean() / (expected**2).mean()) < 3e-6


@pytest.mark.parametrize(("size", "stride", "channels"), [(3, 2, 64), (5, 1, 64), (3, 1, 3)])
def test_other_windows_and_few_channels_go_by_bands(size, stride, channels):
    assert not Conv2D(channels, 64, size, stride).tiled
