"""One hidden ReLU layer, stolen from labels alone.

    label(x) = [ f(x) > 0 ],    f(x) = Σ_i α_i |R_i·x + o_i| + c·x + β

`extract` tells the story: points of the boundary, the space of its normals, bends, rows, all the
rest by one singular value decomposition, polish, fresh labels.
The design is ours; before it: Chen et al., ASIACRYPT 2024 (exponential in the neurons), Carlini
et al., EUROCRYPT 2025.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.diagnosis import diagnosed
from mstheft.direct.labels.boundary import (
    Piece,
    Scale,
    find_boundary_points,
    finest_distance,
    normal,
    rows_of_two_labels,
)
from mstheft.direct.labels.polishing import polish
from mstheft.direct.labels.rows import Rows, rows_from_bends
from mstheft.direct.labels.span import Projected, orthogonal_to, space_of_normals
from mstheft.direct.labels.undetermined import (
    distinct,
    rows_in_a_plane,
    rows_of_straight_bends,
    rows_on_a_line,
)
from mstheft.direct.labels.verify import fresh_labels
from mstheft.direct.labels.weights import assemble, distances, output_weights, with_sign
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.result import Result, count
from mstheft.typing import Array, Oracle, Rng

WITNESSES = 256  # rows between which boundary points are sought
PROBED = 4  # points at which the finest distance is measured
PRECISION = 2.0**-36  # of a slope, unless labels are coarser
ROUNDS = 12  # of rows, weights, verification
STARTS = 4  # points of the boundary from which each round walks
SPARE = 1.5  # equations for each unknown
WRONG = 1e-4  # distance from the copy's boundary at which a neuron is missing
UNUSED = 1e-8  # output weight, relative to the largest, of a row that bends nothing
MARGIN = 1e-7  # half-width of the seam beside the boundary in which labels are not compared


import os
DEBUG=os.environ.get('DBG')
@dataclass
class Trace:
    """What the stages saw, in the coordinates y = B x of the space of normals.

    basis : (m, d) B; scale : in these coordinates; pieces : of the boundary, in the victim's inputs
    rows : of the neurons; points (n, m), across (n, m), classes (n, 2) : of the boundary
    theta : (K, h + m + 1), (α, c, β) of each class
    """

    scale: Scale
    basis: Array | None = None
    pieces: list[Piece] = field(default_factory=list)
    rows: Rows | None = None
    points: Array | None = None
    across: Array | None = None
    classes: np.ndarray | None = None
    theta: Array | None = None


@diagnosed
def extract(
    oracle: Oracle, *, hidden: int | None = None, precision: float | None = None, rng: Rng = None
) -> Result:
    """Steal a network with one hidden ReLU layer from its labels.

    hidden : neurons, if that is known: no more rows are sought
    precision : of a normal's slopes, relative; measured unless given
    Returns a verified `Result`. Its model has the victim's boundary; the scale of its logits is
    what labels do not tell, and so are neurons that never bend the boundary.
    Costs about m d (6 + log2(1/precision)) queries for the space of normals (m <= h dimensions),
    and about 200 m for each neuron: 2^18 for 784-8-1.
    Raises `ExtractionError` for other oracles, for victims with one label and for those that are no
    such network; `BudgetExhausted`.
    """
    rng, result = np.random.default_rng(rng), Result()
    with result.stage("boundary", oracle):
        witnesses, scale = prepare(oracle, precision, rng)
        trace = result.trace = Trace(scale)
    with result.stage("normals", oracle):
        trace.basis, trace.pieces = space_of_normals(oracle, witnesses, scale, rng)
        view = Projected(oracle, trace.basis)
        trace.scale = Scale(1.0, 2 * scale.finest, scale.precision)
        trace.rows = Rows(np.zeros((0, view.inputs + 1)), np.zeros(0))
    starts: list[Piece] = []
    first: int | None = view.inputs  # as many neurons may be all; the first copy tells
    for _ in range(ROUNDS):
        with result.stage("rows", oracle):
            starts = starts or random_pieces(view, STARTS + view.inputs // 2, trace.scale, rng)
            if view.inputs > 1:
                rows_from_bends(view, trace.rows, starts, trace.scale, rng, hidden or first)
            first = hidden
        with result.stage("output weights", oracle):
            more_points(view, trace, rng)
            complete_rows(view, trace)
            wrong = solve(trace, view.outputs)
            starts = pieces_at(view, trace, wrong, trace.scale)
        if not len(wrong):
            with result.stage("verify", oracle):
                rows = judge(oracle, result, rng)
                if result.verified:
                    return result
                starts = pieces_beside(view, rows @ trace.basis.T, result, rng)
    raise gave_up(result)


def prepare(
    oracle: Oracle, precision: float | None, rng: Generator
) -> tuple[tuple[Array, np.ndarray], Scale]:
    """Rows of different labels, and how finely labels can be believed."""
    if oracle.output != "label":
        raise ExtractionError(
            "answers",
            f"needs labels, but the oracle answers {oracle.output!r}",
            "use direct.sweep, which needs a hundred times fewer queries",
        )
    witnesses = rows_of_two_labels(oracle, rng, WITNESSES)
    finest = finest_distance(oracle, *find_boundary_points(oracle, PROBED, witnesses, rng))
    return witnesses, Scale(float(np.sqrt(oracle.inputs)), finest, precision or PRECISION)


def random_pieces(view: Oracle, n: int, scale: Scale, rng: Generator) -> list[Piece]:
    """Flat pieces around random points of the boundary."""
    points, across, classes = find_boundary_points(
        view, n, rows_of_two_labels(view, rng, WITNESSES), rng
    )
    return measured(view, points, across, classes, scale)


def measured(
    view: Oracle, points: Array, across: Array, classes: np.ndarray, scale: Scale
) -> list[Piece]:
    """The flat piece around each point, where it can be measured."""
    pieces = [
        normal(view, point, v, (int(a), int(b)), scale.radius, scale)
        for point, v, (a, b) in zip(points, across, classes, strict=True)
    ]
    return [piece for piece in pieces if piece is not None]


def more_points(view: Oracle, trace: Trace, rng: Generator) -> None:
    """As many points of the boundary as the unknowns of the copy need."""
    (h, width), K = trace.rows.planes.shape, max(view.outputs or 2, 2)
    n = int(SPARE * (h * width + (K - 1) * (h + width))) + 50
    n -= 0 if trace.points is None else len(trace.points)
    if n > 0:
        new = find_boundary_points(view, n, rows_of_two_labels(view, rng, WITNESSES), rng)
        old = (trace.points, trace.across, trace.classes)
        trace.points, trace.across, trace.classes = (
            b if a is None else np.concatenate([a, b]) for a, b in zip(old, new, strict=True)
        )


def complete_rows(view: Oracle, trace: Trace) -> None:
    """Rows of bends that never meet another, and of victims whose normals span a line or a plane."""
    rows, K = trace.rows, max(view.outputs or 2, 2)
    bends = distinct(rows.straight)
    if DEBUG: print('bends',len(bends),[np.round(b.point[:3],3) for b in bends])
    if view.inputs == 1:
        rows.planes = rows_on_a_line(trace.points)
    elif view.inputs == 2:
        rows.planes, rows.undetermined = rows_in_a_plane(bends, trace.points, trace.classes, K)
    else:
        bends = [bend for bend in bends if rows.explain(bend.point) < 0]
        more, rows.undetermined = rows_of_straight_bends(bends)
        rows.planes = np.vstack([rows.planes, *more])
    rows.errors = np.resize(np.append(rows.errors, 1e-9), len(rows.planes))


def solve(trace: Trace, outputs: int | None) -> np.ndarray:
    """θ and polished rows; returns which points the copy's boundary misses."""
    rows, K = trace.rows, max(outputs or 2, 2)
    points = np.concatenate([trace.points, *(each.point[None] for each in rows.pieces)])
    classes = np.concatenate([trace.classes, *([each.classes] for each in rows.pieces)])
    theta, second = output_weights(rows.planes, points, classes, K, rounds=8)
    off = np.abs(distances(rows.planes, theta, points, classes))
    good = off < WRONG
    if good.mean() > 0.5:
        planes, theta = polish(
            rows.planes, theta, points[good], classes[good], trace.scale.finest
        )
        rows.planes = planes
        off = np.abs(distances(planes, theta, trace.points, trace.classes))
    used = np.abs(theta[:, : len(rows.planes)]).max(axis=0) > UNUSED * np.abs(theta).max()
    rows.keep(used)
    theta = theta[:, np.append(used, np.ones(theta.shape[1] - len(used), bool))]
    trace.theta = with_sign(rows.planes, theta, trace.points, trace.across, trace.classes)
    if DEBUG: print('second',second,'solve rows',len(rows.planes),'alpha', theta[:,:len(rows.planes)],'errors',[f'{e:.0e}' for e in rows.errors],'good',good.mean(),'median',np.median(off),'wrong',(off>MARGIN).sum(), 'straight',len(rows.straight))
    return np.flatnonzero(off > MARGIN)


def pieces_at(view: Oracle, trace: Trace, which: np.ndarray, scale: Scale) -> list[Piece]:
    """Pieces around points that the copy misses: there a neuron is missing."""
    which = which[: 2 * STARTS]
    return measured(
        view, trace.points[which], trace.across[which], trace.classes[which], scale
    )


def pieces_beside(view: Oracle, x: Array, result: Result, rng: Generator) -> list[Piece]:
    """Pieces of the victim's boundary next to rows that the copy labels wrongly.

    From each the nearest row of another label along a random line is sought, twice as far each time.
    """
    scale, found = result.trace.scale, []
    for row in x[:STARTS]:
        u = orthogonal_to(np.zeros((0, view.inputs)), rng)
        steps = np.outer(np.concatenate([s * 2.0 ** np.arange(-20, 4) for s in (1, -1)]), u)
        steps = steps[np.argsort(np.abs(steps[:, 0]), kind="stable")]
        labels = view.query(np.concatenate([row[None], row + steps]))
        other = np.flatnonzero(labels[1:] != labels[0])
        if len(other):
            pair = np.stack([row, row + steps[other[0]]])
            new = find_boundary_points(view, 1, (pair, labels[[0, other[0] + 1]]), rng)
            found += measured(view, *new, scale)
    return found


def judge(oracle: Oracle, result: Result, rng: Generator) -> Array:
    """Assemble the copy, and compare fresh labels; returns the rows that differ."""
    trace = result.trace
    a0, b0, a1, b1 = assemble(trace.rows.planes, trace.theta)
    if (oracle.outputs or 1) == 1:
        a1, b1 = a1[1:] - a1[:1], b1[1:] - b1[:1]
    result.model = zoo.given([(a0 @ trace.basis, b0), (a1, b1)])
    far, near = fresh_labels(oracle, result.model, MARGIN, rng)
    rows = np.concatenate([x[bad] for x, bad in (near, far)])
    wrong, asked = len(rows), len(far[1])
    result.verified = wrong == 0
    result.error = MARGIN * bool(wrong)
    result.notes["verify"] = (
        f"{asked:,} labels of N(0, I) and {len(near[1]):,} within {MARGIN:.0e} of the boundary, "
        f"{wrong} differ" + (f": at most {300 / asked:.1f} % of N(0, I) do" if not wrong else "")
    )
    return rows


def gave_up(result: Result) -> ExtractionError:
    """The error that says how far it came."""
    rows = len(result.trace.rows.planes)
    return ExtractionError(
        "verify",
        f"needs labels of one hidden ReLU layer, but a copy of {count(rows, 'neuron')} misses some",
        "learn a copy with learning.active: this may be no such network",
        partial=result,
    )
