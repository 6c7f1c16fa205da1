"""Pooling against loops, ties included."""

import numpy as np
import pytest

from mstheft.nn.pool import MaxPool2D


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


def test_a_window_of_no_pixels():
    with pytest.raises(ValueError, match="expected size="):
        MaxPool2D(0)
