"""Which rows an oracle takes: walls, and whole pixels to which rows are rounded."""

import numpy as np
import pytest

from mstheft.errors import WrongRows
from mstheft.nn import zoo
from mstheft.oracle import Oracle

NET = zoo.mlp([4, 8, 3], bias=0.5, rng=0)


def test_pixels_are_rounded_before_the_victim_sees_them():
    x = np.random.default_rng(0).uniform(0, 255, (20, 4))
    np.testing.assert_array_equal(Oracle(NET, inputs="pixels").query(x), NET.logits(np.round(x)))
    assert (Oracle(NET).query(x) != NET.logits(np.round(x))).any()


@pytest.mark.parametrize(
    ("inputs", "inside", "outside"),
    [("pixels", [0, 255], [-1, 256]), ((0, 1), [0, 1], [-1e-9, 1.001]), ((-2.5, 3), [-2.5], [3.1])],
)
def test_rows_outside_are_refused_and_cost_nothing(inputs, inside, outside):
    oracle = Oracle(NET, inputs=inputs, budget=5)
    for number in inside:
        oracle.query(np.full((1, 4), number))
    for number in outside:
        row = np.full((1, 4), float(inside[0]))
        row[0, 2] = number
        with pytest.raises(WrongRows, match="from"):
            oracle.query(row)
    assert oracle.count == len(inside)


def test_a_callable_says_its_width_by_shape():
    oracle = Oracle(lambda x: x.reshape(len(x), -1), inputs="pixels", shape=(2, 3))
    assert (oracle.inputs, oracle.shape) == (6, (2, 3))
    assert Oracle(NET.logits, inputs=(0.0, 1.0), shape=4).inputs == 4
    assert Oracle(NET.logits, inputs=4).allowed is None
    assert Oracle(lambda x: x.reshape(len(x), -1), inputs=(1, 4)).shape == (1, 4)


@pytest.mark.parametrize("wrong", ["bytes", (0, 0), (0, np.inf), (0, -1)])
def test_walls_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match="inputs="):
        Oracle(NET, inputs=wrong)


def test_a_shape_beside_a_shape_is_refused():
    with pytest.raises(ValueError, match="shape="):
        Oracle(NET.logits, inputs=4, shape=4)
