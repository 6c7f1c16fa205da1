"""Toy clouds, and what all drawn data has in common: shapes, equal classes, seeds, limits."""

import numpy as np
import pytest

from mstheft.data import synthetic

CLOUDS = {
    "glyphs": lambda n, rng: synthetic.glyphs(n, rng=rng),
    "letters": lambda n, rng: synthetic.letters(n, rng=rng),
    "signs": lambda n, rng: synthetic.signs(n, rng=rng),
    "blobs": lambda n, rng: synthetic.blobs(n, rng=rng),
    "moons": lambda n, rng: synthetic.moons(n, rng=rng),
    "spirals": lambda n, rng: synthetic.spirals(n, rng=rng),
    "linear": lambda n, rng: synthetic.linear(n, 5, rng=rng),
}
SHAPE = {"glyphs": (784,), "letters": (784,), "signs": (32, 32, 3), "linear": (5,)}
CLASSES = {"glyphs": 10, "letters": 52, "signs": 12, "blobs": 3}


@pytest.mark.parametrize("name", CLOUDS)
def test_shapes_types_and_equal_classes(name):
    x, y = CLOUDS[name](301, 0)
    assert x.shape == (301, *SHAPE.get(name, (2,)))
    assert x.dtype == np.float64
    assert y.shape == (301,)
    assert y.dtype == np.int64
    counts = np.bincount(y)
    assert counts.max() - counts.min() <= 1
    assert len(counts) == CLASSES.get(name, 2)
    assert np.any(np.diff(y) < 0)  # in random order


@pytest.mark.parametrize("name", CLOUDS)
def test_same_seed_same_data_and_a_generator_goes_on(name):
    x, y = CLOUDS[name](40, 7)
    again, labels = CLOUDS[name](40, np.random.default_rng(7))
    np.testing.assert_array_equal(x, again)
    np.testing.assert_array_equal(y, labels)
    assert not np.array_equal(x, CLOUDS[name](40, 8)[0])
    rng = np.random.default_rng(7)
    assert not np.array_equal(CLOUDS[name](40, rng)[0], CLOUDS[name](40, rng)[0])


@pytest.mark.parametrize("classes", [2, 3, 9])
def test_blobs_are_four_deviations_apart(classes):
    x, y = synthetic.blobs(20_000, classes=classes, rng=0)
    centres = np.stack([x[y == k].mean(axis=0) for k in range(classes)])
    apart = np.hypot(*(centres - np.roll(centres, 1, axis=0)).T)
    # A mean of 2,200 points is good to 1 / sqrt(2200) = 0.02; 5 of these.
    np.testing.assert_allclose(apart, 4, atol=0.1)
    nearest = np.argmin(((x[:, None] - centres) ** 2).sum(axis=2), axis=1)
    # Phi(-2) = 2.3 % per neighbour: one for two classes, two for more.
    assert (nearest != y).mean() == pytest.approx(0.0228 * min(classes - 1, 2), rel=0.2)


def test_moons_and_spirals_lie_on_their_curves():
    x, y = synthetic.moons(500, noise=0, rng=0)
    centre = np.where(y[:, None] == 0, [0, 0], [1, 0.5])
    np.testing.assert_allclose(np.hypot(*(x - centre).T), 1, atol=1e-12)
    side = np.where(y == 0, x[:, 1], 0.5 - x[:, 1])
    assert side.min() >= 0
    x, y = synthetic.spirals(500, classes=3, noise=0, rng=0)
    radius = np.hypot(*x.T)
    assert radius.min() >= 0.1
    assert radius.max() <= 1
    angle = np.arctan2(x[:, 1], x[:, 0]) - 3 * np.pi * radius - 2 * np.pi * y / 3
    np.testing.assert_allclose(np.cos(angle), 1, atol=1e-12)


def test_linear_is_separated_almost():
    """The direction between the class means gets Phi(2) = 97.7 % right in any dimension."""
    for d in (1, 2, 50):
        x, y = synthetic.linear(20_000, d, rng=d)
        low, high = x[y == 0].mean(axis=0), x[y == 1].mean(axis=0)
        w, middle = high - low, (low + high) / 2
        assert np.linalg.norm(w) == pytest.approx(4, abs=0.15)
        right = ((x - middle) @ w > 0) == (y == 1)
        assert right.mean() == pytest.approx(0.977, abs=0.006)


WRONG = {
    "n must be at least 1 point; got 0": lambda: synthetic.letters(0, rng=0),
    "n must be at least 1 point; got -1": lambda: synthetic.moons(-1, rng=0),
    "n must be at least 1 image; got 0": lambda: synthetic.textures(0, rng=0),
    "size must be at least 8 .* got 7": lambda: synthetic.glyphs(5, rng=0, size=7),
    "size must be at least 16 .* got 15": lambda: synthetic.signs(5, rng=0, size=15),
    "size must be at least 4 .* got 3": lambda: synthetic.textures(5, rng=0, size=3),
    "classes must be 2 to 10.* got 11": lambda: synthetic.glyphs(5, rng=0, classes=11),
    "classes must be 2 to 72; got 73": lambda: synthetic.signs(5, rng=0, classes=73),
    "classes must be at least 2; got 1": lambda: synthetic.blobs(5, classes=1, rng=0),
    "classes must be at least 2; got 0": lambda: synthetic.spirals(5, classes=0, rng=0),
    "noise .* got -0.1": lambda: synthetic.glyphs(5, rng=0, noise=-0.1),
    "noise .* got nan": lambda: synthetic.signs(5, rng=0, noise=float("nan")),
    "noise .* got -1": lambda: synthetic.moons(5, noise=-1, rng=0),
    "noise .* got -2": lambda: synthetic.spirals(5, noise=-2, rng=0),
    "channels .* got 0": lambda: synthetic.textures(5, rng=0, channels=0),
    "d must be .* got 0": lambda: synthetic.linear(5, 0, rng=0),
    "task must be one of spam, topics; got 'ham'": lambda: synthetic.texts(5, task="ham", rng=0),
}


@pytest.mark.parametrize("says", WRONG)
def test_arguments_outside_their_range(says):
    with pytest.raises(ValueError, match=says):
        WRONG[says]()
