"""The likeliest cause of a wrong answer: each slip that everyone makes, and none where none is."""

import math

import numpy as np
import pytest

from mstheft.course import explain, learner, messages
from mstheft.course.messages import cause

E = np.array([1.5, -2.25, 3.0, 7.125])
M = np.array([[1.0, -2.0], [3.5, 4.0]])
TALL = np.arange(12.0).reshape(4, 3) ** 1.5 - 3
ARGS = (np.ones((7, 4)),)
LN2 = math.log(2)

SLIPS = {
    "sign": (E, -E),
    "missing_abs": (abs(E), E),
    "transpose": (M, M.T),
    "factor_2": (E, 2 * E),
    "half": (E, E / 2),
    "factor_n": (E, 7 * E),
    "divided_by_n": (E, E / 7),
    "factor_ln2": (E, E * LN2),
    "divided_by_ln2": (E, E / LN2),
    "scale": (E, 3.3 * E),
    "squared": (E, E**2),
    "root": (abs(E), np.sqrt(abs(E))),
    "reversed": (E, E[::-1]),
    "permuted": (E, E[[2, 0, 3, 1]]),
    "unsorted": (np.sort(E), E[[2, 0, 3, 1]]),
    "constant_off": (E, E + 0.7),
    "nan": (E, np.array([1.5, np.nan, 3, 7.125])),
    "integer": (E, E.astype(int)),
    "off_by_one": (np.array([3, 5, 9]), np.array([4, 6, 10])),
    "precision": (E, E * (1 + 1e-4 * np.array([1, -1, 2, 0.5]))),
    "some_wrong": (E, np.array([1.5, -2.25, 30.0, 7.125])),
    "unknown": (E, np.array([0.3, 9.9, -4.4, 1.0])),
    "negated": (np.array([True, False]), np.array([False, True])),
    "type": (E, "no"),
    "length": ((1.0, 2.0), (1.0,)),
    "keys": ({"a": 1}, {"b": 1}),
    "wrong_axis": (np.ones(4), np.ones(7)),
    "shape": (E, E[:, None]),
}


@pytest.mark.parametrize("key", SLIPS)
def test_each_slip_has_its_name_and_its_sentence(key):
    expected, got = SLIPS[key]
    assert not explain.same(expected, got, 1e-6, 1e-9)
    found = explain.likeliest(expected, got, {}, ARGS)
    assert found.key == key
    assert found.text
    assert "{" not in found.text


@pytest.mark.parametrize(
    ("expected", "got", "key", "word"),
    [
        (TALL, TALL.T, "transpose", "turned round"),
        (np.ones(4), np.ones((4, 4)), "shape", "(n, n)"),
        (np.ones(4), 4.0, "shape", "single number"),
        (np.ones((4, 2)), np.ones(4), "shape", "axis"),
        (np.ones(9), np.ones(8), "off_by_one", "one"),
        (np.ones((4, 2)), np.ones((2, 5)), "shape", "(4, 2)"),
        (E, np.append(9.0, E[:-1]), "off_by_one", "neighbour"),
        (3, 4, "off_by_one", "one"),
        ((1.0, E), (1.0, -E), "sign", "minus"),
        ((1.0, 2.0), (2.0, 1.0), "reversed", "reversed"),
        ("ab", "cd", "type", "kind"),
    ],
)
def test_shapes_and_parts(expected, got, key, word):
    found = explain.likeliest(expected, got, {}, ARGS)
    assert found.key == key
    assert word in found.text


def test_known_mistakes_come_first_in_their_order():
    mistakes = {"mine": -E, "other": -E}
    assert explain.likeliest(E, -E, mistakes, ()).key == "mine"
    assert explain.likeliest(E, -E, {"mine__2": -E}, ()).key == "mine"


def test_a_known_mistake_that_is_right_on_this_input_is_no_cause():
    assert explain.likeliest(E, -E, {"mine": E}, ()).key == "sign"


def test_errors_of_equations_name_their_cure():
    assert "lstsq" in messages.advice("LinAlgError: Last 2 dimensions of the array must be square")
    assert "transposed" in messages.advice("LinAlgError: Incompatible dimensions")


def test_ones_own_raise_is_told_from_a_slip():
    own = learner._stopped_by({"says": "ValueError: x", "line": [7, "    raise ValueError('x')"]})
    slip = learner._stopped_by({"says": "ValueError: x", "line": [7, "    return np.zeros(-1)"]})
    assert "in your own code, in line 7" in own
    assert "in your own code" not in slip


def test_a_count_is_neither_nearly_right_nor_a_factor_away():
    assert explain.likeliest(1000, 1003, {}, ()).key == "unknown"
    assert explain.likeliest((0.5, 4), (0.5, 2), {}, ()).key == "unknown"
    assert explain.likeliest(1000, 1001, {}, ()).key == "off_by_one"
    assert explain.likeliest(np.array([5.0, 7.0]), np.array([10.0, 14.0]), {}, ()).key == "factor_2"


def test_a_single_wrong_number_is_not_called_a_factor_or_a_constant():
    assert explain.likeliest(2.0, 5.7, {}, ()).key == "unknown"


def test_nearly_double_is_not_double():
    assert explain.likeliest(E, 2.001 * E, {}, ()).key != "factor_2"


@pytest.mark.parametrize(
    ("expected", "got", "equal"),
    [
        (1.0, 1.0 + 1e-9, True),
        (1.0, 1.0 + 1e-4, False),
        (1, np.float64(1), True),
        (True, np.bool_(True), True),
        (True, False, False),
        (E, E.tolist(), False),
        (None, None, True),
        (None, 0, False),
        ("a", "a", True),
        ("a", 1, False),
        ((1, E), [1, E], True),
        ({"a": E}, {"a": E}, True),
        (np.array(["a"]), np.array(["a"]), True),
        (np.array(["a"]), np.array(["b"]), False),
        (E, E[:, None], False),
        (E, np.full(4, np.nan), False),
        (1.0, "1.0", False),
    ],
)
def test_what_counts_as_the_same(expected, got, equal):
    assert explain.same(expected, got, 1e-6, 1e-9) is equal


def test_every_general_cause_has_a_sentence():
    for key in ("missing_bias", "wrong_axis", "transposed", "mutated", "shape"):
        assert cause(key)
