"""A layer behind known ones, whatever its width and depth: one function, called once per layer.

    layer       every kink that no known neuron explains is begun, and its boundary walked along
    is_next     does it bend the lines where it says?

`boundary` has the mathematics of one neuron, `signs` that of a layer, `whole` calls it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.reader import Reader
from mstheft.direct.deep import boundary as bend
from mstheft.direct.deep import kinks as deep_kinks
from mstheft.direct.deep import signs as turn
from mstheft.direct.deep.boundary import Boundary, Prefix
from mstheft.direct.deep.kinks import LineKinks
from mstheft.direct.deep.layers import MOSTLY, common_directions
from mstheft.direct.least_squares import least_squares
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
FLATTEST = 1e-6  # share of a row's bends in a neuron that has none
TWIN = 1e-5  # relative distance of two weights that are taken for one


def distances(prefix: Prefix, neurons: Sequence[Boundary], x: Array) -> tuple[Array, Array]:
    """How far x (d,) is from each known boundary, (n,), and the gradients there, (n, d)."""
    z, rows, slopes = prefix.cell(x, prefix.sides(x))
    if neurons:
        w = np.array([each.weights for each in neurons])
        z = np.concatenate([z, w @ prefix.features(x[None])[0]])
        rows = np.vstack([rows, w @ slopes])
    length = np.linalg.norm(rows, axis=1)  # 0: dead there, so that no boundary is near
    return np.where(length > 0, np.abs(z) / np.maximum(length, 1e-300), np.inf), rows


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
    is_last: bool | None = None,
    begun: Sequence[LineKinks] | None = None,
) -> tuple[Prefix, list[Boundary]]:
    """The neurons of the next layer, out of the kinks of all lines that are not explained.

    Once their signs are known the layer before is oriented: what is left to walk for halves.
    Behind the last hidden layer a neuron has the same direction g at all of its kinks. Where few
    kinks have one of their own the layer is taken for the last, with one output always, until a
    slope jump changes along a boundary; then it begins anew, and those that keep theirs are left to
    a later layer, as are the directions that come again and again.
    begun : the lines whose kinks are begun, all unless given
    Costs the rows of those kinks, and 7 queries for each weight that a row has not told.
    """
    neurons, start = list(known), prefix
    behind = [kinks.directions[~explained(prefix, [], kinks)] for kinks in searched]
    is_guess = is_last is None
    if is_last is None:
        is_last = common_directions(behind)[1] >= MOSTLY
    hopeless = (
        [] if is_last else common_directions(behind, least=3)[0]
    )  # directions g of kinks that are of a later layer
    for kinks in searched if begun is None else begun:
        is_known = explained(prefix, neurons, kinks)
        ways = kinks.directions
        later = [any(same_way(way, each) for each in hopeless) for way in ways]
        is_known |= np.array(later, bool)
        if not is_known.all():
            deep_kinks.measure_rows(oracle, kinks)
        for n in np.flatnonzero(~is_known & kinks.is_measured):
            x, way = kinks.points[n], ways[n]
            if explained_at(prefix, neurons, x) or any(same_way(way, each) for each in hopeless):
                continue
            found, left = bend.begin(prefix, x, kinks.rows[n], kinks.line.jumps[n])
            for _ in range(STARTS if left < LOOSE else 0):
                if is_next(oracle, rng, searched, prefix, found, is_last):
                    break
                found = bend.begin(prefix, x, kinks.rows[n], kinks.line.jumps[n])[0]
            else:
                continue
            if prefix.last is not None and is_flat(prefix, found):
                again = with_neuron(start, found)
                return layer(oracle, rng, searched, again, known, begun=begun)
            if is_last and not found.is_steady:
                return layer(oracle, rng, searched, start, known, is_last=False, begun=begun)
            neurons.append(found)
            if prefix.last is not None:
                signs = turn.signs_of(prefix, neurons)
                if (np.abs(np.abs(signs) - 1) < CLEAR).all():
                    prefix, neurons = turn.oriented(prefix, neurons, signs)
    if is_guess and not is_last and len(neurons) == len(known):
        return layer(oracle, rng, searched, start, known, is_last=True, begun=begun)
    if neurons and prefix.last is not None:
        prefix, neurons = turn.oriented(prefix, neurons, turn.signs_of(prefix, neurons))
    return prefix, without_twins(neurons)


def is_flat(prefix: Prefix, found: Boundary) -> bool:
    """Does a boundary not bend at any neuron of the last known layer? It is of that layer itself.

    found : with w = (B, C, β), B = 0 for what is free of it, which then is set. One kink alone is
        always flat, a wall where the boundary did not bend is what tells
    """
    h = len(prefix.unsigned[0])
    if found.free.shape[1] and found.passed < FEW:
        return False
    flat = found.weights + found.free @ least_squares(
        found.free[:h], -found.weights[:h, None]
    ).reshape(-1)
    if np.linalg.norm(flat[:h]) >= FLATTEST * np.linalg.norm(flat[:-1]):
        return False
    found.weights = flat
    return True


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
    met, told = np.sum([foretold(prefix, found, kinks) for kinks in searched], axis=0)
    if not is_last and found.is_steady and found.passed >= FEW:  # a later one, perhaps
        if told > FEW or met < told:
            return bool(met == told)
        return told == FEW and bend.audit(oracle, prefix, found, rng) == (bend.ENOUGH, 0)
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
