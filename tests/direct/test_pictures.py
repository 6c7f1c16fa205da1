"""Rows that look like pictures: in their box, smooth, and such that every neuron switches."""

import numpy as np
import pytest

from mstheft.direct.pictures import balanced, blots, pictures, shape_of
from mstheft.nn import zoo


@pytest.mark.parametrize(
    ("of", "shape"),
    [
        ((784,), (1, 28, 28)),
        ((3072,), (3, 32, 32)),
        ((7,), (1, 1, 7)),
        ((28, 28), (1, 28, 28)),
        ((3, 32, 32), (3, 32, 32)),
        ((32, 30, 3), (3, 32, 30)),
    ],
)
def test_the_shape_of_a_picture_is_guessed(of, shape):
    assert shape_of(of) == shape
    assert blots(np.random.default_rng(0), 2, of).shape == (2, np.prod(of))


def test_colours_are_those_of_the_walls_and_neighbours_alike():
    low, high = np.zeros(784), np.full(784, 255.0)
    x = pictures(np.random.default_rng(0), 1500, (low, high), (784,), grey=0.0)
    assert set(np.unique(x)) == {0, 255}
    square = x.reshape(-1, 28, 28) > 0
    assert (square[:, 1:] == square[:, :-1]).mean() > 0.8
    assert (square[:, 14:] == square[:, :14]).mean() < 0.75
    bright = x.mean(axis=1) / 255
    assert (bright < 0.1).mean() > 0.05
    assert (bright > 0.9).mean() > 0.05
    grey = pictures(np.random.default_rng(0), 1500, (low, high), (784,), grey=0.5)
    is_grey = ((grey > 0) & (grey < 255)).any(axis=1)
    assert 0.4 < is_grey.mean() < 0.6
    assert len(pictures(np.random.default_rng(0), 0, (low, high), (784,))) == 0


def test_neurons_that_are_nearly_always_on_switch_in_balanced_rows():
    rng = np.random.default_rng(0)
    x = rng.random((4000, 16))
    normal = rng.normal(size=16)
    level = np.quantile(x @ normal, 0.06)
    hidden = np.stack([normal, rng.normal(size=16)]), np.array([-level, 0.1])
    model = zoo.given([hidden, (np.ones((3, 2)), np.zeros(3))])
    draw = lambda n: x[rng.choice(len(x), n, replace=False)]  # noqa: E731
    chosen = balanced(rng, 400, model, draw)
    assert len(np.unique(chosen, axis=0)) == 400
    assert (draw(1000) @ normal < level).mean() < 0.09
    assert 0.1 < (chosen @ normal < level).mean() < 0.4
