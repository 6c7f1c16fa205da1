"""Is a deep copy right? A thousand fresh rows, and rows on both sides of every hyperplane.

A neuron of a deeper layer may be on for one input in a hundred: a hundred random rows see it with
probability 0.63, a thousand with 0.99996. What n rows of N(0, I) have not shown is on for at most
3 / n of such inputs, with 95 % confidence, and that is what the result states.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.reader import read
from mstheft.direct.deep.segments import Checks
from mstheft.direct.polishing.finish import active_rows
from mstheft.direct.verify import judge, readable
from mstheft.nn.dense_pass import Weights, chain, forward, with_ones
from mstheft.nn.network import Network
from mstheft.result import Result, count
from mstheft.typing import Array, Oracle

ROWS, FAR = 1000, 100  # rows of N(0, I), and of others up to a hundred times as far out
BESIDE = -2.0, 0.5  # decades of the distance from a hyperplane, input units
HALVINGS = 50  # of the way from a row where a neuron is on to one where it is off


def thorough(
    oracle: Oracle, rng: Generator, result: Result, tolerance: float, noise: float
) -> bool:
    """Hold the copy against fresh rows as `verify` does; `trace.checks`, `trace.one_sided`.

    Costs 1,100 queries, and 2 for each hidden neuron of the copy.
    """
    trace = result.trace
    with result.stage("verify", oracle):
        asked = fresh(oracle, rng, result.model, tolerance)
        trace.checks.append(asked)
        judge(
            *(result, oracle, asked.x, asked.reach, asked.answers),
            tolerance=tolerance,
            noise=noise,
            size=float(asked.answers[:ROWS].std(axis=0).max()),
            drawn=ROWS,
        )
        trace.one_sided = one_sided(result.model, asked.x[:ROWS])
        if trace.one_sided:
            layers = ", ".join(str(layer) for layer in sorted({n for n, _ in trace.one_sided}))
            result.notes["verify"] += (
                f"; {count(len(trace.one_sided), 'neuron')} seen on one side only on "
                f"{ROWS:,} rows of N(0, I), in layer {layers}"
            )
    return result.verified


def fresh(oracle: Oracle, rng: Generator, model: Network, tolerance: float) -> Checks:
    """A thousand rows of N(0, I), some beside hyperplanes, some far out, and the answers."""
    x = np.vstack([rng.normal(size=(ROWS, oracle.inputs)), on_both_sides(model, rng)])
    answers = read(oracle, x)
    way = rng.normal(size=(FAR, oracle.inputs))
    reach: Array = 10 ** rng.uniform(0, 2, (FAR, 1))
    reach = readable(oracle, model, lambda r: r * way, reach, answers, tolerance)
    return Checks(
        np.vstack([x, reach * way]),
        np.vstack([np.ones((len(x), 1)), reach]),
        np.vstack([answers, read(oracle, reach * way)]),
    )


def on_both_sides(model: Network, rng: Generator) -> Array:
    """A pair of rows for each hidden neuron of every layer, beside the place where it switches.

        x ± δ (p - q) / |p - q|,    z(x) = 0 between p, where z > 0, and q,   log₁₀ δ in -2 … ½

    p and q are the rows of a thousand of N(0, I) with the largest and the smallest z. A neuron that
    does not switch among these has no pair. Returns (n, d).
    """
    weights, _ = chain(model)
    rows, pairs = rng.normal(size=(ROWS, model.inputs)), []
    for layer in range(len(weights) - 1):
        z = values(weights, layer, rows)  # (n, h)
        high, low = rows[z.argmax(axis=0)], rows[z.argmin(axis=0)]
        switches = np.flatnonzero((z.max(axis=0) > 0) & (z.min(axis=0) < 0))
        on, off = high[switches].copy(), low[switches].copy()
        for _ in range(HALVINGS):
            middle = (on + off) / 2
            here = values(weights, layer, middle)[np.arange(len(switches)), switches] > 0
            on, off = np.where(here[:, None], middle, on), np.where(here[:, None], off, middle)
        way = (high - low)[switches]
        away = way / np.linalg.norm(way, axis=1, keepdims=True)
        away *= 10 ** rng.uniform(*BESIDE, (len(away), 1))
        pairs += [on + away, on - away]
    return np.vstack(pairs)


def values(weights: Weights, layer: int, rows: Array) -> Array:
    """z of a hidden layer, 0 the first, (n, d) -> (n, h)."""
    return forward(weights[: layer + 1], ["relu"] * layer, with_ones(rows)).logits


def one_sided(model: Network, rows: Array) -> list[tuple[int, int]]:
    """(hidden layer from 1, neuron) of all that are on in every row, or in none."""
    widths = [len(bias) for _, bias in model.dense()[:-1]]
    on = np.split(active_rows(model, rows), np.cumsum(widths)[:-1])
    return [
        (layer + 1, int(neuron))
        for layer, counts in enumerate(on)
        for neuron in np.flatnonzero((counts == 0) | (counts == len(rows)))
    ]
