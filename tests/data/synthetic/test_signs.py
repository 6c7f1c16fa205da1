"""Signs that need all of their parts to be told apart, and textures that are no noise."""

import importlib

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mstheft.data import synthetic

drawing = importlib.import_module("mstheft.data.synthetic.signs")

PINNED_SIGNS = [0.38798351830628314, 594.6828960886586, 11.082205603967148]
SHAPES, COLOURS, SYMBOLS = drawing._SHAPES, drawing._COLOURS, drawing._SYMBOLS


def test_every_combination_is_a_class_of_its_own():
    assert len(drawing.SIGNS) == len(set(drawing.SIGNS)) == 72
    assert set(drawing.SIGNS) == {(s, c, f) for s in SHAPES for c in COLOURS for f in SYMBOLS}


def test_signs_have_their_colours_in_the_middle():
    """Unlit, unblurred and unmoved: the rim and the face have exactly the paints of the table."""
    size = 96
    for k, (shape, colour, _) in enumerate(drawing.SIGNS[:24]):
        x = np.zeros((1, size, size, 3))
        across, upward = drawing.pixels(np.eye(2)[None], np.zeros((1, 2)), size)
        rng = np.random.default_rng(0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                drawing, "affine", lambda m, rng, **_: (np.eye(2)[None], np.zeros((1, 2)))
            )
            drawing._put_signs_on(x, np.array([k]), rng)
        distance = drawing._polygon(shape, across, upward).reshape(size, size)
        rim, face, _ = COLOURS[colour]
        in_rim = (distance < -0.02) & (distance > -drawing._RIM + 0.02)
        np.testing.assert_allclose(x[0][in_rim], np.broadcast_to(rim, (in_rim.sum(), 3)))
        np.testing.assert_array_equal(x[0][distance > 0.02], 0)
        inner = (distance < -drawing._RIM - 0.02) & (distance > -drawing._RIM - 0.04)
        assert (
            np.isclose(x[0][inner], face).all(axis=-1).mean() > 0.8
        )  # a symbol's tip may be there


def test_blur_is_gaussian_and_keeps_even_light():
    class Fixed:
        def uniform(self, low, high, shape):
            return np.full(shape, 0.8)

    x = np.random.default_rng(0).uniform(size=(3, 32, 32, 3))
    got = drawing._blur(x, Fixed())
    expected = gaussian_filter(x, (0, 0.8, 0.8, 0), truncate=12)
    # Away from the border, where SciPy reflects and here the weights are scaled.
    np.testing.assert_allclose(got[:, 5:-5, 5:-5], expected[:, 5:-5, 5:-5], atol=1e-9)
    flat = np.full((2, 20, 20, 3), 0.3)
    np.testing.assert_allclose(drawing._blur(flat, np.random.default_rng(0)), flat, atol=1e-12)


def test_signs_and_textures_are_images_in_range():
    x, y = synthetic.signs(50, rng=0, size=40, classes=43)
    assert x.shape == (50, 40, 40, 3)
    assert set(y) == set(range(43))
    for image in (x, synthetic.textures(300, rng=0, size=28, channels=1)):
        assert image.min() >= 0
        assert image.max() <= 1
        assert image.dtype == np.float64


def test_signs_are_the_same_on_every_machine():
    x, y = synthetic.signs(60, rng=0, classes=72, noise=0)
    pixels = np.arange(x[0].size)
    got = [
        x.mean(),
        (x.reshape(60, -1) @ pixels).mean() / x[0].size,
        (x.mean((1, 2, 3)) * y).mean(),
    ]
    np.testing.assert_allclose(got, PINNED_SIGNS, rtol=1e-6)


def test_same_seed_same_textures_and_a_generator_goes_on():
    x = synthetic.textures(30, rng=7)
    assert x.shape == (30, 32, 32, 3)
    np.testing.assert_array_equal(x, synthetic.textures(30, rng=np.random.default_rng(7)))
    assert not np.array_equal(x, synthetic.textures(30, rng=8))
    rng = np.random.default_rng(7)
    assert not np.array_equal(synthetic.textures(5, rng=rng), synthetic.textures(5, rng=rng))


def test_clouds_fall_with_frequency_as_they_should():
    """The slope of log amplitude over log frequency is -s, within 4 standard errors."""
    for s in (1.0, 2.0):
        cloud = drawing._clouds(400, 64, np.random.default_rng(0), steep=(s, s))
        np.testing.assert_allclose(cloud.mean(axis=(1, 2)), 0, atol=1e-12)
        np.testing.assert_allclose(cloud.std(axis=(1, 2)), 1, atol=1e-12)
        power = (np.abs(np.fft.fft(cloud, axis=2)) ** 2).mean(axis=(0, 1))  # along rows
        frequency = np.arange(2, 16)
        slope = np.polyfit(np.log(frequency), np.log(power[frequency]), 1)[0]
        # Power along one axis: the integral of f^-2s over the other, hence 1 - 2s.
        assert slope == pytest.approx(1 - 2 * s, abs=0.25)


def test_textures_have_structure_and_variety():
    """Neighbours are alike, unlike in noise; kinds and colours differ between images."""
    x = synthetic.textures(400, rng=0, size=32, channels=3)
    centred = x - x.mean(axis=(1, 2), keepdims=True)
    like = (centred[:, :, 1:] * centred[:, :, :-1]).mean(axis=(1, 2, 3))
    correlation = like / (centred**2).mean(axis=(1, 2, 3))
    assert np.median(correlation) > 0.6  # 0 in noise
    colours = x.mean(axis=(1, 2))
    assert colours.std(axis=0).min() > 0.15
    assert abs(np.corrcoef(colours.T)[0, 1]) < 0.2  # channels are drawn apart
