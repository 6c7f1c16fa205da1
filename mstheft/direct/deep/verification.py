"""Is a deep copy right? Fresh rows, rows beside every hyperplane, and rows in the corners.

A neuron of a deeper layer may be on for one input in a hundred: a hundred random rows see it with
probability 0.63, a thousand with 0.99996. What n rows of N(0, I) have not shown is on for at most
3 / n of such inputs, with 95 % confidence, and that is what the result states. A rarer one, which
hardly any random row shows, is on where few neurons before it are, or nearly all are: `corners`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.reader import read
from mstheft.direct.deep.kinks import LineKinks
from mstheft.direct.deep.segments import Checks
from mstheft.direct.polishing.finish import active_rows
from mstheft.direct.verify import judge, readable
from mstheft.nn.dense_pass import Weights, chain, forward, with_ones
from mstheft.nn.gauss_newton import Fit, jacobian
from mstheft.nn.network import Network
from mstheft.result import Result, count
from mstheft.typing import Array, Oracle

AMOUNTS = 1000, 1000, 100  # rows of N(0, I), in corners, and up to a hundred times as far out
SCALES = -1.5, 1.0  # decades of those in corners, in units of N(0, I)
POOL, DRAWS, SELDOM = 400, 30, 0.02  # rows looked at, times neurons are drawn, share of rows
LARGEST = 4e6  # numbers in the rows from which corners are sought
LOOKED_AT = 1000  # rows from which those beside hyperplanes are made; no query
CLIMB, RATE = 30, 0.3  # steps to a corner, and the first one's length in that of the row
REACH = 100.0  # of a line, from where its answers are not looked at
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
    amounts: tuple[int, int, int] = AMOUNTS,
) -> bool:
    """Hold the copy against fresh rows as `verify` does; `trace.checks`, `trace.one_sided`.

    What the lines have asked to find kinks is looked at as well: no weight was fitted to it.
    amounts : rows of N(0, I), rows in corners, and rows far out
    Costs these, 2 for each hidden neuron of the copy, and up to 256 where it has at most a thousand
    weights and the answers do not tell all of them.
    """
    trace, rows = result.trace, amounts[0]
    with result.stage("verify", oracle):
        asked = fresh(oracle, rng, result.model, tolerance, amounts)
        size = float(asked.answers[:rows].std(axis=0).max())
        trace.checks.append(functools.reduce(Checks.and_also, bought(trace.searched), asked))
        for turn in range(TURNS):
            asked = trace.checks[-1]
            judge(
                *(result, oracle, asked.x, asked.reach, asked.answers),
                tolerance=tolerance,
                noise=noise,
                size=size,
                drawn=rows,
            )
            x = untold(result.model, asked.x, rng)
            if not result.verified or not len(x) or turn == TURNS - 1:
                break
            trace.checks[-1] = asked.and_also(Checks(x, np.ones((len(x), 1)), read(oracle, x)))
        lines = sum(len(each.x) for each in bought(trace.searched))
        if lines:
            result.notes["verify"] = result.notes["verify"].replace(
                f"{len(asked.x)} fresh rows",
                f"{len(asked.x) - lines} fresh rows and {lines} of lines",
            )
        trace.one_sided = one_sided(result.model, asked.x[:rows])
        if trace.one_sided:
            layers = ", ".join(str(layer) for layer in sorted({n for n, _ in trace.one_sided}))
            result.notes["verify"] += (
                f"; {count(len(trace.one_sided), 'neuron')} seen on one side only on "
                f"{rows:,} rows of N(0, I), in layer {layers}"
            )
    return result.verified


def fresh(
    oracle: Oracle,
    rng: Generator,
    model: Network,
    tolerance: float,
    amounts: tuple[int, int, int],
) -> Checks:
    """Rows of N(0, I) and beside hyperplanes, some in corners, some far out, and the answers."""
    near, others, far = amounts
    x = np.vstack([rng.normal(size=(near, oracle.inputs)), on_both_sides(model, rng)])
    way, reach = corners(model, rng, others)
    way = np.vstack([way, rng.normal(size=(far, oracle.inputs))])
    reach = np.vstack([reach, 10 ** rng.uniform(0, 2, (far, 1))])
    asked = Checks(x, np.ones((len(x), 1)), read(oracle, x))
    if not len(way):
        return asked
    reach = readable(oracle, model, lambda r: r * way, reach, asked.answers, tolerance)
    return asked.and_also(Checks(reach * way, np.maximum(reach, 1), read(oracle, reach * way)))


def bought(searched: Sequence[LineKinks]) -> list[Checks]:
    """What each line u + t v has asked, where |t| is not too large; r = √(1 + t²). No query."""
    parts = []
    for line in (kinks.line for kinks in searched):
        near = np.abs(line.t) < REACH
        reach: Array = np.sqrt(1 + line.t[near, None] ** 2)
        parts.append(Checks(line.points(line.t[near]), reach, line.answers[near]))
    return parts


def corners(model: Network, rng: Generator, number: int) -> tuple[Array, Array]:
    """Rows at which a neuron that is not known may be on, (number, d), and their reach.

        x = argmax w·φ(x)  on a sphere,   φ the values of a hidden layer that is not the last

    w are random neurons, of which those are taken that are on, or off, for at most one in fifty of
    400 random rows; uphill by the gradient from the best of forty times as many. No query.
    """
    weights, _ = chain(model)
    number_of_rows = int(np.clip(LARGEST / model.inputs, 10 * POOL, 40 * POOL))
    pool = rng.normal(size=(number_of_rows, model.inputs))
    layers = range(max(len(weights) - 2, 1))
    found: list[Array] = [np.zeros((0, model.inputs))]
    for layer, some in zip(layers, np.array_split(np.arange(number), len(layers)), strict=True):
        phi = np.maximum(values(weights, layer, pool), 0)
        aims = seldom_on(phi[:POOL], rng, len(some))
        best = [(phi @ part.T).argmax(axis=0) for part in np.array_split(aims, 10)]
        found.append(uphill(weights[: layer + 1], aims, pool[np.concatenate(best)]))
    rows = np.vstack(found)
    return rows, 10 ** rng.uniform(*SCALES, (len(rows), 1))


def seldom_on(phi: Array, rng: Generator, number: int) -> Array:
    """Random w that are on in few of the rows φ (n, h), as far as they are found: (≤ number, h)."""
    found = [np.zeros((0, phi.shape[1]))]
    for _ in range(DRAWS):
        w = rng.normal(size=(10 * POOL, phi.shape[1]))
        share = (phi @ w.T > 0).mean(axis=0)
        w[share > 0.5] *= -1
        found.append(w[np.minimum(share, 1 - share) <= SELDOM])
        if sum(map(len, found)) >= number:
            break
    return np.vstack(found)[:number]


def uphill(weights: Weights, aims: Array, x: Array) -> Array:
    """Rows x (n, d) moved on their spheres to larger s·φ(x), s the aims (n, h)."""
    radius = np.linalg.norm(x, axis=1, keepdims=True)
    step = np.full(radius.shape, RATE)
    activations = ["relu"] * len(weights)
    identity = np.hstack([np.eye(aims.shape[1]), np.zeros((aims.shape[1], 1))])

    def at(x: Array) -> tuple[Array, Array]:
        here = forward([*weights, identity], activations, with_ones(x))
        return (here.logits * aims).sum(axis=1, keepdims=True), here.gradients(aims)[0]

    height, g = at(x)
    for _ in range(CLIMB):
        way = g @ weights[0][:, :-1]
        way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-300)
        other = x + step * radius * way
        other *= radius / np.linalg.norm(other, axis=1, keepdims=True)
        top, slope = at(other)
        better = top > height
        x, height, g = (
            np.where(better, new, old) for new, old in ((other, x), (top, height), (slope, g))
        )
        step *= np.where(better, 1.2, 0.5)
    return x


def on_both_sides(model: Network, rng: Generator) -> Array:
    """A pair of rows for each hidden neuron of every layer, beside the place where it switches.

        x ± δ (p - q) / |p - q|,    z(x) = 0 between p, where z > 0, and q,   log₁₀ δ in -2 … ½

    p and q are the rows of a thousand of N(0, I) with the largest and the smallest z. A neuron that
    does not switch among these has no pair. Returns (n, d).
    """
    weights, _ = chain(model)
    rows, pairs = rng.normal(size=(LOOKED_AT, model.inputs)), []
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
