"""Winograd's tiles: the matrices by hand, then forward and backward against the loops."""

import numpy as np
import pytest

from mstheft.nn.conv import Conv2D, conv2d_naive
from mstheft.nn.fast.buffers import Buffers
from mstheft.nn.fast.winograd import ONE, A, B, G, Winograd


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


@pytest.mark.parametrize("pad", [0, 1])
def test_tiles_equal_the_loops(pad):
    """About 150 products of size 1, the transforms cost one to two digits: 1e-12 in float64.

    Whole tiles and tiles that stick out; the gradients are the adjoints of a linear function.
    """
    rng = np.random.default_rng(0)
    tiles = Winograd(pad, Buffers())
    W, b = rng.normal(size=(21, 3, 3, 16)) / 12, rng.normal(size=21)
    for shape in SHAPES:
        x = rng.normal(size=(*shape, 16))
        out = tiles.forward(x, W, b)
        expected = conv2d_naive(x, W, b, 1, pad)
        assert out.shape == expected.shape
        assert np.abs(out - expected).max() < 1e-12
        dout = rng.normal(size=out.shape)
        linear = (dout * (out - b)).sum()
        dW, dx = tiles.weight_gradient(x, dout), tiles.input_gradient(dout, W, x.shape)
        assert linear == pytest.approx((dW * W).sum(), abs=1e-9)
        assert linear == pytest.approx((dx * x).sum(), abs=1e-9)


def test_float32_loses_little_over_a_plain_sum():
    """Outputs of size 1: errors of a few 1e-6 at 128 channels, some tens of float32's roundings."""
    rng = np.random.default_rng(2)
    layer = Conv2D(128, 64, rng=rng, dtype=np.float32)
    x = rng.normal(size=(2, 8, 8, 128)).astype(np.float32)
    weights, bias = (layer.params[name].astype(float) for name in "Wb")
    expected = conv2d_naive(x.astype(float), weights, bias, 1, 1)
    error = layer.forward(x)[0] - expected
    assert 1e-8 < np.sqrt((error**2).mean() / (expected**2).mean()) < 3e-6
