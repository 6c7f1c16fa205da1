"""Any image becomes one of the victim's shape, with the right pixels in the right place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mstheft.data import scaling

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (5, 12, 18, 3), dtype=np.uint8)


def area_naive(row, size):
    """Mean over each interval, by sampling it densely."""
    fine = np.repeat(row, size * 8)  # every pixel in as many parts as divide all borders
    return fine.reshape(size, -1).mean(axis=1)


def linear_naive(row, size):
    centres = (np.arange(size) + 0.5) * len(row) / size - 0.5
    return np.interp(centres, np.arange(len(row)), row)


@given(st.integers(1, 40), st.integers(1, 40))
def test_weights_against_the_naive_way(size_in, size_out):
    row = np.random.default_rng(size_in).random(size_in)
    w = scaling.weights(size_in, size_out)
    naive = area_naive if size_out <= size_in else linear_naive
    assert w.shape == (size_out, size_in)
    np.testing.assert_allclose(w @ row, naive(row, size_out), atol=1e-6)  # float32 weights
    np.testing.assert_allclose(w.sum(axis=1), 1, atol=1e-6)
    assert w.min() >= 0
    if size_in == size_out:
        np.testing.assert_array_equal(w, np.eye(size_in))


def test_weights_by_hand():
    third = 1 / 3
    np.testing.assert_allclose(
        scaling.weights(3, 2), [[2 * third, third, 0], [0, third, 2 * third]], atol=1e-7
    )
    np.testing.assert_allclose(scaling.weights(2, 4), [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])
    with pytest.raises(ValueError, match="read-only"):
        scaling.weights(3, 2)[0] = 0


def test_resize_one_axis_up_and_the_other_down():
    images = RNG.random((3, 6, 8, 2))
    got = scaling.resize(images, 9, 4)
    expected = np.apply_along_axis(linear_naive, 1, images, 9)
    expected = np.apply_along_axis(area_naive, 2, expected, 4)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, atol=1e-6)


CHANNELS = {
    (1, 5): lambda x: x.repeat(5, -1),
    (2, 1): lambda x: x[..., :1],
    (2, 3): lambda x: x[..., :1].repeat(3, -1),
    (3, 1): lambda x: x @ [[0.299], [0.587], [0.114]],
    (3, 2): lambda x: (x @ [[0.299], [0.587], [0.114]]).repeat(2, -1),
    (4, 1): lambda x: x[..., :3] @ [[0.299], [0.587], [0.114]],
    (4, 3): lambda x: x[..., :3],
    (5, 1): lambda x: x.mean(-1, keepdims=True),
    (5, 3): lambda x: x.mean(-1, keepdims=True).repeat(3, -1),
}


@pytest.mark.parametrize(("got", "wanted"), CHANNELS)
@pytest.mark.parametrize("size", [(4, 4), (9, 11)])
def test_any_size_and_number_of_channels(got, wanted, size):
    images = np.random.default_rng(0).random((3, 7, 5, got))
    recoloured = CHANNELS[got, wanted](images)
    expected = scaling.resize(recoloured, *size)
    result = scaling.convert(images, (*size, wanted))
    assert result.shape == (3, *size, wanted)
    np.testing.assert_allclose(result, expected, atol=1e-6)  # the order of the two is free


def test_white_stays_white_for_all_sizes():
    """Weights of float32 sum to 1 only up to rounding, 6e-8, which must not lead out of [0, 1]."""
    white = np.full((1, 79, 79, 3), 255, np.uint8)
    for size in range(1, 80):
        got = scaling.convert(white, (size, size, 1))
        assert got.max() <= 1
        np.testing.assert_allclose(got, 1, atol=1e-6)


def test_convert_many_and_none(monkeypatch):
    images = RNG.integers(0, 256, (40, 6, 6, 3), dtype=np.uint8)
    whole = scaling.convert(images, (5, 7, 1))
    monkeypatch.setattr(scaling, "_CHUNK", 7)
    np.testing.assert_allclose(scaling.convert(images, (5, 7, 1)), whole, atol=1e-7)
    assert scaling.convert(images[:0], (5, 7, 1)).shape == (0, 5, 7, 1)


WRONG = {
    "one image": (COLOUR[0, 0], (4, 4, 1), r"images must be \(n, h, w\) or .* got shape \(18, 3\)"),
    "no pixels": (np.zeros((2, 0, 3, 3)), (4, 4, 1), r"got shape \(2, 0, 3, 3\)"),
    "bytes as floats": (COLOUR.astype(float), (4, 4, 1), "pixels must be in .* got 0 to 255; div"),
    "negative": (np.full((1, 2, 2), -0.1), (4, 4, 1), "pixels must be in .* got -0.1 to -0.1"),
    "not a number": (np.full((1, 2, 2), np.nan), (4, 4, 1), "pixels must be in .* got nan to nan"),
    "flat": (COLOUR, (784,), r"shape must be \(height, width\) or .* got \(784,\)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_convert_refuses(name):
    images, shape, says = WRONG[name]
    with pytest.raises(ValueError, match=says):
        scaling.convert(images, shape)
    with pytest.raises(ValueError, match="dtype must be float32 or float64; got uint8"):
        scaling.convert(COLOUR, (4, 4, 1), dtype=np.uint8)
