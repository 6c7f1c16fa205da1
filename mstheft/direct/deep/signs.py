"""Which side of a layer's neurons is the active one, and the last layer. No queries.

signs_of    C_j = Σ_i B_ji s_i R_i, by least squares
oriented    the layer turned, and the neurons behind it in terms of relu(z)
outputs     the last layer by what most answers agree on, and its remainder
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mstheft.direct.deep.boundary import Boundary, Prefix
from mstheft.direct.least_squares import least_squares
from mstheft.nn import zoo
from mstheft.nn.network import Network
from mstheft.typing import Array

BLIND = 1e-6  # part of a weight that is not known from which it counts as unknown
CLEAR = 0.1  # a sign may be off by
LEFT = 1e-5  # share of C that rounded signs leave, from which it is carried
NOTHING = 1e-6  # share of the last layer's affine remainder that is rounding
REWEIGHED = 40  # times


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
        new = Boundary(twice(w, h), twice(v[rank:].T, h), each.output, each.points)
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
