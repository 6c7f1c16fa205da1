"""Victims that answer with labels, and what is true of them."""

import numpy as np

from mstheft.direct.labels.boundary import Scale, find_boundary_points, rows_of_two_labels
from mstheft.direct.labels.rows import Rows
from mstheft.nn import zoo
from mstheft.oracle import Oracle

FINE = Scale(unit=1.0, finest=1e-14, precision=2.0**-36)


def mlp(*widths, seed=0):
    return zoo.mlp(list(widths), bias=0.3, rng=seed)


def labels_of(network, **settings):
    return Oracle(network, "label", **settings)


def true_rows(network):
    """(R_i, o_i) with |R_i| = 1, (h, d+1)."""
    A0, b0 = network.dense()[0]
    return np.column_stack([A0, b0]) / np.linalg.norm(A0, axis=1, keepdims=True)


def true_normal(network, x):
    """The unit gradient of a single logit."""
    (A0, b0), (A1, _) = network.dense()
    g = (A1[0] * (A0 @ x + b0 > 0)) @ A0
    return g / np.linalg.norm(g)


def nearest(rows, row):
    """Distance of a row to the nearest of others, whatever its sign."""
    return min(np.linalg.norm(each - s * row) for each in rows for s in (1, -1))


def points(oracle, n, seed=0):
    rng = np.random.default_rng(seed)
    return find_boundary_points(oracle, n, rows_of_two_labels(oracle, rng, 64), rng)


def no_rows(d):
    return Rows(np.zeros((0, d + 1)))
