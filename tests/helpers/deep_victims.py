"""A victim with two hidden layers, and what the first stages of the attack see of it."""

import functools
from dataclasses import dataclass

import numpy as np

from mstheft import nn
from mstheft.direct import deep
from mstheft.direct.deep import first_layer, kinks, layers
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.errors import BudgetExhausted, ExtractionError
from mstheft.oracle import Oracle


def deep_victim(seed=0, shape=(20, 8, 6, 4), bias=0.1):
    return nn.zoo.mlp(list(shape), bias=bias, rng=seed)


def unit(rows, offsets):
    """Rows of length 1 with their offsets."""
    size = np.linalg.norm(rows, axis=1)
    return rows / size[:, None], offsets / size


@dataclass
class Known:
    """A victim, its true layers, three lines of which the first is measured, and the votes."""

    victim: nn.Network
    oracle: Oracle
    searched: list[kinks.LineKinks]
    planes: Hyperplanes
    layers: list
    votes: first_layer.Votes


@functools.cache
def known():
    victim = deep_victim(3, (24, 10, 6, 5))
    oracle = Oracle(victim)
    rng = np.random.default_rng(4)
    searched = [kinks.search_line(oracle, rng) for _ in range(3)]
    kinks.measure_rows(oracle, searched[0])
    planes = layers.first_layer(searched)
    votes = first_layer.vote(searched, planes)
    return Known(victim, oracle, searched, planes, victim.dense(), votes)


def true_rows(case, searched):
    """Layer (0 or 1), neuron and row with a·v = 1 of each kink of a line, from the weights."""
    (A0, b0), (A1, b1), _ = case.layers
    truth = []
    for point in searched.points:
        first = A0 @ point + b0
        on = first > 0
        second = A1 @ (first * on) + b1
        reach = [np.abs(first).min(), np.abs(second).min()]
        layer = int(np.argmin(reach))
        assert min(reach) < 1e-7 < max(reach)
        neuron = int(np.abs((first, second)[layer]).argmin())
        row = A0[neuron] if layer == 0 else (A1[neuron] * on) @ A0
        truth.append((layer, neuron, row / (row @ searched.line.direction)))
    return truth


def unit_columns(case, A1):
    """A1 for the hidden values of the unit rows that were found, in their order."""
    truth = case.layers[0][0]
    order = (case.votes.first.A0 @ truth.T).argmax(axis=1)
    return A1[:, order] * np.linalg.norm(truth, axis=1)[order]


def attempt(victim, seed, layers=2, **settings):
    """A verified result or None; an error must name the layer."""
    try:
        return deep.extract(Oracle(victim, budget=60_000, **settings), rng=seed, layers=layers)
    except BudgetExhausted:
        return None
    except ExtractionError as caught:
        error = caught
    assert any(word in error.assumption for word in ("layer", "no kink"))
    return None
