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
from mstheft.nn.gauss_newton import Fit, jacobian
from mstheft.nn.network import Network
from mstheft.result import Result, count
from mstheft.typing import Array, Oracle

ROWS, FAR = 1000, 100  # rows of N(0, I), and of others up to a hundred times as far out
WIDEST = 3.0  # of the wide rows, in units of N(0, I)
BESIDE = -2.0, 0.5  # decades of the distance from a hyperplane, input units
MOST, ASKED = 1000, 64  # weights, and rows asked at a time
CANDIDATES, NUMBERS = (10_000, 100_000), 5e7  # rows looked at, and numbers in their Jacobian
TURNS = 5  # of asking what the answers have not told
FREE, VISIBLE = 1e-13, 1e-5  # eigenvalues of what nothing tells; share of a slope that it is
HALVINGS = 50  # of the way from a row where a neuron is on to one where it is off


def thorough(
    oracle: Oracle,
    rng: Generator,
    result: Result,
    tolerance: float,
    noise: float,
    wide: int = 0,
) -> bool:
    """Hold the copy against fresh rows as `verify` does; `trace.checks`, `trace.one_sided`.

    wide : so many rows more, 1 to 3 times as far out as N(0, I), where regions are seldom met
    Costs 1,100 queries and these, 2 for each hidden neuron of the copy, and up to 256 where it has
    at most a thousand weights and the answers do not tell all of them.
    """
    trace = result.trace
    with result.stage("verify", oracle):
        asked = fresh(oracle, rng, result.model, tolerance, wide)
        trace.checks.append(asked)
        size = float(asked.answers[:ROWS].std(axis=0).max())
        for turn in range(TURNS):
            judge(
                *(result, oracle, asked.x, asked.reach, asked.answers),
                tolerance=tolerance,
                noise=noise,
                size=size,
                drawn=ROWS,
            )
            x = untold(result.model, asked.x, rng)
            if not result.verified or not len(x) or turn == TURNS - 1:
                break
            more = Checks(x, np.ones((len(x), 1)), read(oracle, x))
            asked = trace.checks[-1] = asked.and_also(more)
        trace.one_sided = one_sided(result.model, asked.x[:ROWS])
        if trace.one_sided:
            layers = ", ".join(str(layer) for layer in sorted({n for n, _ in trace.one_sided}))
            result.notes["verify"] += (
                f"; {count(len(trace.one_sided), 'neuron')} seen on one side only on "
                f"{ROWS:,} rows of N(0, I), in layer {layers}"
            )
    return result.verified


def fresh(oracle: Oracle, rng: Generator, model: Network, tolerance: float, wide: int) -> Checks:
    """A thousand rows of N(0, I), some beside hyperplanes, some far out, and the answers."""
    wider = rng.uniform(1, WIDEST, (wide, 1)) * rng.normal(size=(wide, oracle.inputs))
    x = np.vstack([rng.normal(size=(ROWS, oracle.inputs)), wider, on_both_sides(model, rng)])
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


def untold(model: Network, seen: Array, rng: Generator) -> Array:
    """Rows at which the answers to the rows seen do not determine those of a copy, at most 64.

    Where J(x) is no combination of the J of rows seen: weights that these leave free count there.
    Out of 10,000 rows of N(0, I), and more for a small copy; none for a copy of more than a
    thousand weights. No queries.
    """
    weights, activations = chain(model)
    if sum(w.size for w in weights) > MOST:
        return np.zeros((0, model.inputs))

    def slopes(rows: Array) -> Array:
        blank = np.ones((len(rows), model.outputs))
        fit = Fit(with_ones(rows), activations, 0 * blank, blank)
        return jacobian(fit, fit.at(weights))  # (n, K, P)

    known = slopes(seen).reshape(-1, sum(w.size for w in weights))
    size = np.linalg.norm(known, axis=0)
    scale = 1 / np.where(size > 0, size, 1)
    values, v = np.linalg.eigh((known * scale).T @ (known * scale))
    free = v[:, values < FREE * values.max()]
    number = int(np.clip(NUMBERS / known.shape[1] / model.outputs, *CANDIDATES))
    rows, left = rng.normal(size=(number, model.inputs)), []
    for block in np.array_split(rows, number // 500):
        here = slopes(block) * scale
        left.append(np.linalg.norm(here @ free, axis=(1, 2)) / np.linalg.norm(here, axis=(1, 2)))
    unseen = rows[np.concatenate(left) > VISIBLE]
    return rng.permutation(unseen)[:ASKED]


def one_sided(model: Network, rows: Array) -> list[tuple[int, int]]:
    """(hidden layer from 1, neuron) of all that are on in every row, or in none."""
    widths = [len(bias) for _, bias in model.dense()[:-1]]
    on = np.split(active_rows(model, rows), np.cumsum(widths)[:-1])
    return [
        (layer + 1, int(neuron))
        for layer, counts in enumerate(on)
        for neuron in np.flatnonzero((counts == 0) | (counts == len(rows)))
    ]
