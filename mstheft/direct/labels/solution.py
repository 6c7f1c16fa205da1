"""From rows to a copy: what is undetermined, the null vector, the polish."""

from __future__ import annotations

import numpy as np

from mstheft.direct.labels.boundary import BoundaryPoints, Scale
from mstheft.direct.labels.polishing import polish
from mstheft.direct.labels.rows import Rows
from mstheft.direct.labels.undetermined import (
    distinct,
    rows_in_a_plane,
    rows_of_straight_bends,
    rows_on_a_line,
    with_pencils,
)
from mstheft.direct.labels.weights import combined, distances, output_weights
from mstheft.typing import Array, Oracle

REWEIGHTED = 8  # times, so that points where a neuron is missing do not count
NEVER = -1e6  # logit of a class that no row has shown; those of others are about 1
UNUSED = 1e-8  # output weight, relative to the largest, of a row that bends nothing


def everywhere(rows: Rows, boundary: BoundaryPoints) -> BoundaryPoints:
    """The points, and those on both sides of all bends: so each row is seen to change sides."""
    return boundary.and_also(BoundaryPoints.of(rows.pieces, boundary.points.shape[1]))


def complete_rows(view: Oracle, rows: Rows, boundary: BoundaryPoints, scale: Scale) -> None:
    """Rows of bends that never meet another, and where the normals span a line or a plane only."""
    K, m = max(view.outputs or 2, 2), view.inputs
    points, _, classes = everywhere(rows, boundary)
    bends = distinct(rows.straight)
    if m == 1:
        rows.planes = rows_on_a_line(points)
    elif m == 2:
        rows.planes, rows.undetermined = rows_in_a_plane(bends, points, classes, K)
    else:
        bends = [bend for bend in bends if rows.explain(bend.point) < 0]
        more, alone = rows_of_straight_bends(bends, scale)
        rows.planes, rows.undetermined = np.vstack([rows.planes, *more]), len(alone)
        if alone:
            rows.planes, _ = with_pencils(rows.planes, alone, points, classes, K)
    rows.errors = np.resize(np.append(rows.errors, 1e-9), len(rows.planes))


def solve(
    view: Oracle,
    rows: Rows,
    boundary: BoundaryPoints,
    labelled: tuple[Array, np.ndarray],
    scale: Scale,
) -> tuple[Array, Array]:
    """θ, with polished rows; and how far each point of the boundary lies from the copy's.

    Rows that bend nothing are left out. No queries.
    """
    points, across, classes = everywhere(rows, boundary)
    K, seen = max(view.outputs or 2, 2), np.unique(classes)
    classes = np.searchsorted(seen, classes)
    null = output_weights(rows.planes, points, classes, len(seen), REWEIGHTED, scale.flat / 100)
    x, labels = labelled
    known = np.isin(labels, seen)
    labelled = x[known], np.searchsorted(seen, labels[known])
    theta = combined(null, rows.planes, (points, across, classes), labelled)
    good = np.abs(distances(rows.planes, theta, points, classes)) < scale.same
    if good.mean() > 0.5:
        rows.planes, theta = polish(rows.planes, theta, points[good], classes[good], scale.finest)
    used = np.abs(theta[:, : len(rows.planes)]).max(axis=0) > UNUSED * np.abs(theta).max()
    theta = theta[:, np.append(used, np.ones(theta.shape[1] - len(used), bool))]
    rows.keep(used)
    whole = np.zeros((K, theta.shape[1]))
    whole[:, -1], whole[seen] = NEVER, theta
    return whole, np.abs(distances(rows.planes, whole, boundary.points, boundary.classes))
