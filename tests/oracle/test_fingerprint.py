"""What a thing is, in values that are the same in every process."""

import functools
import json

import numpy as np
import pytest

from mstheft.defend import responses
from mstheft.defend.responses import option
from mstheft.nn import Network, zoo
from mstheft.nn.layers import Dense, Flatten
from mstheft.oracle.fingerprint import described


def rounding(decimals):
    return option(responses.rounding, decimals=decimals)


class Owner:
    def method(self, probs, x):
        return probs


def closed_over(thing):
    return lambda probs, x: (probs, thing)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda: rounding(1), lambda: rounding(2)),
        (
            lambda: closed_over(zoo.mlp([3, 2], rng=0)),
            lambda: closed_over(zoo.mlp([3, 2], rng=1)),
        ),
        (
            lambda: zoo.mlp([3, 2, 2], activation="relu", rng=0),
            lambda: zoo.mlp([3, 2, 2], activation="tanh", rng=0),
        ),
        (
            lambda: Network([Flatten(), Dense(4, 2, rng=0)], (2, 2)),
            lambda: Network([Flatten(), Dense(4, 2, rng=0)], (4, 1)),
        ),
        (lambda: closed_over(np.arange(3)), lambda: closed_over(np.arange(3.0))),
        (lambda: closed_over([1, {"a": None}]), lambda: closed_over([1, {"a": 0}])),
        (lambda: functools.partial(closed_over, 1), lambda: functools.partial(closed_over, 2)),
        (lambda: Owner().method, lambda: Owner()),
        (lambda: np.random.default_rng(1), lambda: np.random.default_rng(2)),
        (
            lambda: option(responses.adaptive_misinformation, wrong=zoo.mlp([3, 2], rng=0).probs),
            lambda: option(responses.adaptive_misinformation, wrong=zoo.mlp([3, 2], rng=1).probs),
        ),
    ],
)
def test_a_fingerprint_is_the_same_for_the_same_and_other_for_others(one, other):
    assert json.dumps(described(one())) == json.dumps(described(one()))
    assert described(one()) != described(other())


def test_a_fingerprint_ends():
    loop = []
    loop.append(loop)
    json.dumps(described(loop))
