"""A layer behind known ones, whatever its width and depth: one function, called once per layer.

    layer       every kink that no known neuron explains is begun, and its boundary walked along
    oriented    which side of the layer before is the active one: C_j = Σ_i B_ji s_i R_i
    outputs     the last layer, by least squares; its remainder
    whole       layer after layer, until every kink is explained

`boundary` has the mathematics of one neuron.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.reader import Reader
from mstheft.direct.deep import boundary as bend
from mstheft.direct.deep import kinks as deep_kinks
from mstheft.direct.deep.boundary import Boundary, Prefix
from mstheft.direct.deep.kinks import LineKinks
from mstheft.direct.least_squares import least_squares
from mstheft.nn import zoo
from mstheft.nn.network import Network
from mstheft.result import floor
from mstheft.typing import Array

EXPLAINED = 1e-6  # times 1 + |x|: distance from a known boundary at which a kink is its own
LOOSE = 1e-3  # share of a row outside of what the known layers span: it is of no neuron behind them
BLIND = 1e-6  # part of a weight that is not known from which it counts as unknown
CLEAR = 0.1  # a sign may be off by
STARTS = 2  # walks from a kink, for one may go astray
MET = 0.6  # share of the kinks that a boundary foretells, its own among them, that must be there
FEW = 2  # hits, or kinks met, that must do for a neuron of a middle layer; and walls that tell
TOLD = 4  # kinks foretold that are enough to tell
INNER, NEAR, FLAT = 0.5, 1e-5, 1e-9  # of a line's reach that counts; how near; slope of a dead part
HALVINGS = 60  # of the way between two places of a line
SAME_WAY = 1e-4  # distance of two unit vectors g that are taken for one
LEFT = 1e-5  # share of C that rounded signs leave, from which it is carried
FLATTEST = 1e-6  # share of a row's bends in a neuron that has none
TWIN = 1e-5  # relative distance of two weights that are taken for one
NOTHING = 1e-6  # share of the last layer's affine remainder that is rounding
ROWS = 3.0  # rows for the last layer, in unknown numbers
BESIDE = 0.3  # standard deviation of those beside a boundary
REWEIGHED = 40  # times

Layers = list[tuple[Prefix, list[Boundary]]]  # each hidden layer from the second, and those before


def distances(prefix: Prefix, neurons: Sequence[Boundary], x: Array) -> tuple[Array, Array]:
    """How far x (d,) is from each known boundary, (n,), and the gradients there, (n, d)."""
    z, rows, slopes = prefix.cell(x, prefix.sides(x))
    if neurons:
        w = np.array([each.weights for each in neurons])
        z = np.concatenate([z, w @ prefix.features(x[None])[0]])
        rows = np.vstack([rows, w @ slopes])
    return np.abs(z) / np.maximum(np.linalg.norm(rows, axis=1), 1e-300), rows


def explained(prefix: Prefix, neurons: Sequence[Boundary], kinks: LineKinks) -> np.ndarray:
    """Which kinks of a line are of known neurons, (n,) bool; the line takes over their rows."""
    is_known = np.zeros(len(kinks.rows), bool)
    for n, x in enumerate(kinks.points):
        away, rows = distances(prefix, neurons, x)
        nearest = int(away.argmin())
        is_known[n] = away[nearest] < EXPLAINED * (1 + np.linalg.norm(x))
        if is_known[n] and not kinks.is_measured[n]:
            speed = rows[nearest] @ kinks.line.direction
            kinks.rows[n], kinks.errors[n] = rows[nearest] / speed, 0.0
    return is_known


def layer(
    oracle: Reader,
    rng: Generator,
    searched: Sequence[LineKinks],
    prefix: Prefix,
    known: Sequence[Boundary] = (),
    is_last: bool = True,
) -> tuple[Prefix, list[Boundary]]:
    """The neurons of the next layer, out of the kinks of all lines that are not explained.

    Once their signs are known the layer before is oriented: what is left to walk for halves.
    It is taken for the last hidden one until a slope jump changes along a boundary; then those that
    keep theirs are left to a later layer, and it begins anew.
    Costs the rows of those kinks, and 7 queries for each weight that a row has not told.
    """
    neurons, start = list(known), prefix
    hopeless: list[Array] = []  # directions g of kinks that are of a later layer
    for kinks in searched:
        is_known = explained(prefix, neurons, kinks)
        if not is_known.all():
            deep_kinks.measure_rows(oracle, kinks)
        for n in np.flatnonzero(~is_known & kinks.is_measured):
            x, way = kinks.points[n], kinks.directions[n]
            if explained_at(prefix, neurons, x) or any(same_way(way, each) for each in hopeless):
                continue
            found, left = bend.begin(prefix, x, kinks.rows[n], kinks.line.jumps[n])
            for _ in range(STARTS if left < LOOSE else 0):
                if is_next(oracle, rng, searched, prefix, found, is_last):
                    break
                found = bend.begin(prefix, x, kinks.rows[n], kinks.line.jumps[n])[0]
            else:
                hopeless += [way] if len(way) > 1 and not is_last else []
                continue
            if prefix.last is not None and is_flat(prefix, found):
                return layer(oracle, rng, searched, with_neuron(start, found), known)
            if is_last and not found.is_steady:
                return layer(oracle, rng, searched, start, known, is_last=False)
            neurons.append(found)
            if prefix.last is not None:
                signs = signs_of(prefix, neurons)
                if (np.abs(np.abs(signs) - 1) < CLEAR).all():
                    prefix, neurons = oriented(prefix, neurons, signs)
    if neurons and prefix.last is not None:
        prefix, neurons = oriented(prefix, neurons, signs_of(prefix, neurons))
    return prefix, without_twins(neurons)


def is_flat(prefix: Prefix, found: Boundary) -> bool:
    """Does a boundary not bend at any neuron of the last known layer? It is of that layer itself.

    found : with w = (B, C, β), B = 0
    """
    bends = found.weights[: len(prefix.unsigned[0])]
    return bool(np.linalg.norm(bends) < FLATTEST * np.linalg.norm(found.weights[:-1]))


def with_neuron(prefix: Prefix, found: Boundary) -> Prefix:
    """One more neuron in the last known layer."""
    rows, offsets = prefix.unsigned
    w = found.weights[len(rows) :]
    w = w / np.linalg.norm(w[:-1])
    last = np.vstack([rows, w[:-1]]), np.append(offsets, w[-1])
    return Prefix(prefix.inputs, prefix.oriented, last)


def is_next(
    oracle: Reader,
    rng: Generator,
    searched: Sequence[LineKinks],
    prefix: Prefix,
    found: Boundary,
    is_last: bool,
) -> bool:
    """Is a kink's neuron one of the next layer? Then all that can be is known of it.

    It must bend the lines where it says; or, where it says little, some cells away from the kink.
    Where not even one later neuron listens it bends nothing, so that a few hits must do.
    """
    if not bend.explore(oracle, prefix, found, rng):
        return False
    if not is_last and found.is_steady and found.passed >= FEW:
        return False
    met, told = np.sum([foretold(prefix, found, kinks) for kinks in searched], axis=0)
    if is_last and found.is_steady:
        if told >= TOLD:
            return bool(met >= MET * told)
        hits, misses = bend.audit(oracle, prefix, found, rng)
        return bool(met >= MET * told) and hits >= misses
    return met >= FEW or bend.audit(oracle, prefix, found, rng)[0] >= FEW


def foretold(prefix: Prefix, found: Boundary, kinks: LineKinks) -> tuple[int, int]:
    """How many kinks of a line lie where a boundary says one is, and how many it says."""
    line = kinks.line
    t = np.unique(np.concatenate([line.kinks, line.t]))
    t = t[(t > INNER * line.t[0]) & (t < INNER * line.t[-1])]
    if len(t) < 2:
        return 0, 0
    phi = prefix.features(line.points(t))
    is_known = np.linalg.norm(phi @ found.free, axis=1) <= BLIND * np.linalg.norm(phi, axis=1)
    on = phi @ found.weights > 0
    change = np.flatnonzero((on[:-1] != on[1:]) & is_known[:-1] & is_known[1:])
    low, high = t[change], t[change + 1]
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        same = (prefix.features(line.points(middle)) @ found.weights > 0) == on[change]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    slope = np.abs(line.slopes).max(axis=1)
    low = low[slope[np.searchsorted(line.kinks, low)] > FLAT * slope.max()]
    if not len(low) or not len(line.kinks):
        return 0, len(low)
    away = np.abs(low[:, None] - line.kinks).min(axis=1)
    return int((away < NEAR * (1 + np.abs(low))).sum()), len(low)


def without_twins(neurons: Sequence[Boundary]) -> list[Boundary]:
    """One boundary of each neuron: one that is known in part may be that of another one."""
    kept: list[Boundary] = []
    for one in sorted(neurons, key=lambda each: each.free.shape[1]):
        mine = one.weights / np.linalg.norm(one.weights)
        for other in kept:
            w = other.weights - one.free @ (one.free.T @ other.weights)
            if np.linalg.norm(w - (w @ mine) * mine) < TWIN * np.linalg.norm(w):
                break
        else:
            kept.append(one)
    return kept


def explained_at(prefix: Prefix, neurons: Sequence[Boundary], x: Array) -> bool:
    """Does a known neuron switch at x (d,)?"""
    return bool(distances(prefix, neurons, x)[0].min() < EXPLAINED * (1 + np.linalg.norm(x)))


def same_way(one: Array, other: Array) -> bool:
    """Are two directions g / |g| one?"""
    return bool(np.linalg.norm(one - other) < SAME_WAY)


def signs_of(prefix: Prefix, neurons: Sequence[Boundary]) -> Array:
    """The signs of the last known layer, (h,), by least squares; not ±1 where they are not told.

        C_j = Σ_i B_ji s_i R_i      of w_j = (B_j, C_j, β_j)

    A neuron i that neuron j has seen from one side only adds an unknown multiple of R_i.
    """
    rows = prefix.unsigned[0]  # (h, p)
    h = len(rows)
    left, right = [], []
    for each in neurons:
        size = np.linalg.norm(each.weights[:-1])
        b, c = each.weights[:h] / size, each.weights[h:-1] / size
        blind = np.linalg.norm(each.free[:h], axis=1) > BLIND
        unknown = np.hstack([each.free[h:-1], rows[blind].T])  # (p, …)
        out = np.eye(len(c)) if not unknown.size else complement(unknown)
        left.append(out @ (np.where(blind, 0, b)[:, None] * rows).T)
        right.append(out @ c)
    return least_squares(np.vstack(left), np.concatenate(right)[:, None])[:, 0]


def complement(columns: Array) -> Array:
    """Orthonormal rows that are orthogonal to the columns, (…, p)."""
    u, size, _ = np.linalg.svd(columns)
    return u[:, int((size > BLIND * size.max(initial=0)).sum()) :].T


def oriented(
    prefix: Prefix, neurons: Sequence[Boundary], signs: Array
) -> tuple[Prefix, list[Boundary]]:
    """The last layer turned to its active sides, and the neurons in terms of relu(z). No queries.

    a_i relu(s_i z_i) = a_i |z_i| / 2 + a_i s_i z_i / 2 :   w = T (a, b)

    What rounded signs leave of C is Σ_r e_r v_r, carried by neurons relu(v·h) and relu(-v·h): where
    there are fewer equations than signs, any signs give the same function.
    """
    rows, offsets = prefix.unsigned
    s = np.where(signs < 0, -1.0, 1.0)
    h, p = rows.shape
    b, c = np.split(np.array([each.weights for each in neurons])[:, :-1], [h], axis=1)
    blind = np.any([each.free.any() for each in neurons])
    size, v = np.linalg.svd(c - (b * s) @ rows)[1:]
    wanted = int((size > LEFT * np.abs(c).max()).sum())
    pairs = np.zeros((0, p)) if blind and (np.abs(np.abs(signs) - 1) < CLEAR).all() else v[:wanted]
    change = np.zeros((h + p + 1, h + len(pairs) + 1))
    change[:h, :h] = np.eye(h) / 2
    change[h:-1, :h] = (s[:, None] * rows).T / 2
    change[h:-1, h:-1] = pairs.T
    change[-1, :h], change[-1, -1] = s * offsets / 2, 1
    turned = []
    for each in neurons:
        known = np.eye(len(each.weights)) - each.free @ each.free.T
        u, size, v = np.linalg.svd(known @ change)
        rank = int((size > BLIND * size[0]).sum())
        w = v[:rank].T @ ((u[:, :rank].T @ (known @ each.weights)) / size[:rank])
        new = Boundary(*(twice(part, h) for part in (w, v[rank:].T)), each.output, each.points)
        turned.append(replace(new, passed=each.passed, failed=each.failed, steady=each.steady))
    a = np.vstack([s[:, None] * rows, pairs, -pairs])
    o = np.concatenate([s * offsets, np.zeros(2 * len(pairs))])
    return Prefix(prefix.inputs, [*prefix.oriented, (a, o)]), turned


def twice(weights: Array, h: int) -> Array:
    """(a, e, b) as (a, e, -e, b), along the first axis; a has h entries."""
    return np.concatenate([weights[:-1], -weights[h:-1], weights[-1:]])


def with_layer(prefix: Prefix, neurons: Sequence[Boundary]) -> Prefix:
    """The prefix and one more layer, its signs unknown."""
    w = np.array([each.weights / np.linalg.norm(each.weights[:-1]) for each in neurons])
    return Prefix(prefix.inputs, prefix.oriented, (w[:, :-1], w[:, -1]))


def outputs(prefix: Prefix, x: Array, answers: Array) -> Network:
    """The copy: last layer and orientation of the last hidden one from rows x (n, d). No queries.

        f = Σ_j g_j |z_j| + M h + m,      M = Σ_j g_j s_j W_j

    What the rounded signs leave of M is carried as pairs of opposite neurons.
    """
    rows, offsets = prefix.unsigned
    h = len(rows)
    solved = most(prefix.features(x), answers)  # (h + p + 1, K)
    g, affine, bias = solved[:h], solved[h:-1], solved[-1]
    columns = np.einsum("jk,jp->pkj", g, rows).reshape(-1, h)
    signs = least_squares(columns, affine.reshape(-1, 1))[:, 0]
    s = np.where(signs < 0, -1.0, 1.0)
    affine = affine - (g * s[:, None]).T.dot(rows).T  # (p, K)
    bias = bias - (g * s[:, None]).T @ offsets
    u, size, v = np.linalg.svd(affine.T, full_matrices=False)
    wanted = size > NOTHING * np.abs(solved[:-1]).max()
    root = np.sqrt(size[wanted])
    out, into = u[:, wanted] * root, v[wanted] * root[:, None]
    a = np.vstack([s[:, None] * rows, into, -into])
    b = np.concatenate([s * offsets, np.zeros(2 * len(into))])
    return zoo.given([*prefix.oriented, (a, b), (np.hstack([2 * g.T, out, -out]), bias)])


def rows_for(copy: Layers, rng: Generator) -> Array:
    """Rows from which the last layer is solved: random ones, and some beside every boundary."""
    prefix, neurons = copy[-1]
    size = len(neurons) + prefix.features(np.zeros((1, prefix.inputs))).shape[1]
    x = rng.normal(size=(int(ROWS * size), prefix.inputs))
    beside = np.array([each.points[n % len(each.points)] for each in neurons for n in range(4)])
    return np.vstack([x, beside + BESIDE * rng.normal(size=beside.shape)])


def most(matrix: Array, right: Array) -> Array:
    """What most equations agree on, (n, m) and (n, K) -> (m, K): the least sum of |misfit|.

    A neuron that is missing spoils the rows on one side of its boundary, on the other it is affine.
    By least squares with weights 1 / |misfit|, over and over.
    """
    weight = np.ones((len(matrix), 1))
    for _ in range(REWEIGHED):
        solved = least_squares(weight * matrix, weight * right)
        miss = np.linalg.norm(matrix @ solved - right, axis=1, keepdims=True)
        weight = 1 / np.sqrt(np.maximum(miss, 1e-12 * np.abs(right).max()))
    return solved


def whole(oracle: Reader, rng: Generator, searched: Sequence[LineKinks], first: Prefix) -> Layers:
    """All layers behind the first, one after the other."""
    copy: Layers = []
    behind(oracle, rng, searched, first, copy)
    return copy


def behind(
    oracle: Reader, rng: Generator, searched: Sequence[LineKinks], prefix: Prefix, copy: Layers
) -> None:
    """Add layers to a copy until no kink gives another one."""
    while True:
        now, neurons = layer(oracle, rng, searched, prefix)
        if not neurons:
            return
        copy.append((now, neurons))
        prefix = with_layer(now, neurons)


def more(oracle: Reader, rng: Generator, searched: Sequence[LineKinks], copy: Layers) -> bool:
    """Neurons that the last line shows, of the last layer or of one before it. Were there any?

    What lies behind a layer with one more neuron is found anew.
    """
    for at in reversed(range(len(copy))):
        prefix, neurons = copy[at]
        found = layer(oracle, rng, searched[-1:], prefix, neurons)[1]
        if len(found) > len(neurons):
            last = at == len(copy) - 1
            copy[at:] = [(prefix, found)]
            if not last:
                behind(oracle, rng, searched, with_layer(prefix, found), copy)
            return True
    before = len(copy)
    behind(oracle, rng, searched[-1:], with_layer(*copy[-1]), copy)
    return len(copy) > before


def wrong_way(
    rng: Generator, model: Network, x: Array, answers: Array, tolerance: float
) -> Array | None:
    """From where the copy is right to where it is wrong, (2, d); None where it is right."""
    miss = np.abs(model.logits(x) - answers).max(axis=1)
    wrong = ~(miss <= tolerance * answers.std(axis=0).max())
    if not wrong.any():
        return None
    if wrong.all():
        return rng.normal(size=(2, x.shape[1]))
    worst = x[rng.choice(np.flatnonzero(wrong))]
    away = np.linalg.norm(x[~wrong] - worst, axis=1)
    return np.array([x[~wrong][away.argmin()], worst])


def rows_to_polish(model: Network) -> int:
    """Rows whose answers are more than the weights of a copy, by a half."""
    dense = model.dense()
    return int(1.5 * floor(sum(w.size for w, _ in dense), len(dense[-1][1])))
