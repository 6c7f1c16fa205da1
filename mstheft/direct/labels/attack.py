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
    BoundaryPoints,
    Piece,
    Scale,
    find_boundary_points,
    finest_distance,
    rows_of_two_labels,
)
from mstheft.direct.labels.normals import pieces_around
from mstheft.direct.labels.rows import Rows, rows_from_bends
from mstheft.direct.labels.solution import complete_rows, solve
from mstheft.direct.labels.span import Projected, orthogonal_to, space_of_normals
from mstheft.direct.labels.verify import fresh_labels
from mstheft.direct.labels.weights import assemble
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.result import Result, count
from mstheft.typing import Array, Oracle, Rng

WITNESSES = 256  # rows between which boundary points are sought
PROBED = 4  # points at which the finest distance is measured
PRECISION = 2.0**-36  # of a slope, unless labels are coarser
ROUNDS = 12  # of rows, weights, verification
PATIENCE = 4  # rounds in which the copy must come to miss fewer points
STARTS = 4  # points of the boundary from which each round walks
MOST_BESIDE = 40  # wrong rows from which the victim's boundary is sought
SPARE = 1.5  # equations for each unknown


@dataclass
class Trace:
    """What the stages saw; all but the pieces in the coordinates y = B x of the space of normals.

    scale, basis : (m, d) B
    pieces : of the boundary, in the victim's inputs, whose normals span the space
    rows : of the neurons
    boundary : points, from which θ is solved; labelled : other rows (n, m) and their labels
    theta : (K, h + m + 1), (α, c, β) of each class
    """

    scale: Scale
    basis: Array
    rows: Rows
    boundary: BoundaryPoints
    labelled: tuple[Array, np.ndarray]
    pieces: list[Piece] = field(default_factory=list)
    theta: Array = field(default_factory=lambda: np.zeros((0, 0)))


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
    with result.stage("witnesses", oracle):
        witnesses, scale = prepare(oracle, precision, rng)
    result.notes["witnesses"] = f"labels can be believed {scale.finest:.0e} from the boundary"
    with result.stage("normals", oracle):
        trace = result.trace = reduce(oracle, witnesses, scale, rng)
    view, m = Projected(oracle, trace.basis), len(trace.basis)
    result.notes["normals"] = f"{count(len(trace.pieces), 'normal')} span {m:,} dimensions"
    starts: list[Piece] = []
    most: int | None = hidden or m  # as many may be all of them: the first copy tells
    shares: list[float] = []
    while len(shares) < ROUNDS and (not shares or min(shares[-PATIENCE:]) == min(shares)):
        with result.stage("rows", oracle):
            starts = starts or random_pieces(view, STARTS + m // 2, trace.scale, rng)
            rows_from_bends(view, trace.rows, starts, trace.scale, rng, most)
            most = hidden
        with result.stage("output weights", oracle):
            missed = solve_weights(view, trace, rng)
            shares.append(len(missed.points) / len(trace.boundary.points))
            starts = pieces_around(view, missed.only(slice(2 * STARTS)), trace.scale)
        describe(result)
        if not len(missed.points):
            with result.stage("verify", oracle):
                wrong = judge(oracle, result, rng)
                if result.verified:
                    return result
                beside = points_beside(view, wrong @ trace.basis.T, rng)
                trace.boundary = trace.boundary.and_also(beside)
                starts = pieces_around(view, beside.only(slice(STARTS)), trace.scale)
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
    finest = finest_distance(oracle, find_boundary_points(oracle, PROBED, witnesses, rng))
    return witnesses, Scale(float(np.sqrt(oracle.inputs)), finest, precision or PRECISION)


def reduce(
    oracle: Oracle, witnesses: tuple[Array, np.ndarray], scale: Scale, rng: Generator
) -> Trace:
    """The space of normals, in whose coordinates the rest of the attack works."""
    basis, pieces = space_of_normals(oracle, witnesses, scale, rng)
    if not len(basis):
        raise ExtractionError(
            "normals",
            "needs a boundary of flat pieces, but around none of its points is it flat",
            "is the activation another? learn a copy with learning.active",
        )
    scale = Scale(1.0, 2 * scale.finest, scale.precision)
    rows, none = (
        Rows(np.zeros((0, len(basis) + 1)), same=scale.same),
        BoundaryPoints.none(len(basis)),
    )
    return Trace(scale, basis, rows, none, (none.points, np.zeros(0, int)), pieces)


def random_pieces(view: Oracle, n: int, scale: Scale, rng: Generator) -> list[Piece]:
    """Flat pieces around random points of the boundary."""
    witnesses = rows_of_two_labels(view, rng, WITNESSES)
    return pieces_around(view, find_boundary_points(view, n, witnesses, rng), scale)


def more_points(view: Oracle, trace: Trace, rng: Generator) -> None:
    """As many points of the boundary as the unknowns of the copy need, between fresh rows."""
    (h, width), K = trace.rows.planes.shape, max(view.outputs or 2, 2)
    n = int(SPARE * (h * width + (K - 1) * (h + width))) + 50 - len(trace.boundary.points)
    if n > 0:
        witnesses = rows_of_two_labels(view, rng, WITNESSES)
        (x, labels), (more, their) = trace.labelled, witnesses
        trace.labelled = np.concatenate([x, more]), np.concatenate([labels, their])
        trace.boundary = trace.boundary.and_also(find_boundary_points(view, n, witnesses, rng))


def solve_weights(view: Oracle, trace: Trace, rng: Generator) -> BoundaryPoints:
    """θ, from as many points as it takes; returns the points that the copy misses."""
    more_points(view, trace, rng)
    complete_rows(view, trace.rows, trace.boundary, trace.scale)
    trace.theta, off = solve(view, trace.rows, trace.boundary, trace.labelled, trace.scale)
    return trace.boundary.only(off > trace.scale.margin)


def points_beside(view: Oracle, x: Array, rng: Generator) -> BoundaryPoints:
    """Points of the victim's boundary near rows that the copy labels wrongly.

    From each the nearest row of another label is sought along a random line, twice as far each
    time. Costs 100 queries a row, MOST_BESIDE rows at the most.
    """
    found = BoundaryPoints.none(view.inputs)
    for row in x[rng.permutation(len(x))[:MOST_BESIDE]]:
        u = orthogonal_to(np.zeros((0, view.inputs)), rng)
        far = np.outer(2.0 ** np.arange(-20, 4), [1, -1]).ravel()
        rows = row + np.append(0, far)[:, None] * u
        labels = view.query(rows)
        other = int((labels != labels[0]).argmax())
        if other:
            pair = rows[[0, other]], labels[[0, other]]
            found = found.and_also(find_boundary_points(view, 1, pair, rng))
    return found


def judge(oracle: Oracle, result: Result, rng: Generator) -> Array:
    """Assemble the copy, and compare fresh labels; returns the rows that differ."""
    trace = result.trace
    a0, b0, a1, b1 = assemble(trace.rows.planes, trace.theta)
    if len(a1) == 2 and oracle.outputs != 2:
        a1, b1 = a1[1:], b1[1:]
    result.model = zoo.given([(a0 @ trace.basis, b0), (a1, b1)])
    margin = trace.scale.margin
    far, near = fresh_labels(oracle, result.model, margin, rng)
    rows = np.concatenate([x[bad] for x, bad in (near, far)])
    wrong, asked = len(rows), len(far[1])
    result.verified = wrong == 0
    result.error = margin * bool(wrong)
    result.notes["verify"] = (
        f"{asked:,} labels of N(0, I) and {len(near[1]):,} within {margin:.0e} of the boundary, "
        f"{wrong} differ" + (f": at most {300 / asked:.1f} % of N(0, I) do" if not wrong else "")
    )
    return rows


def describe(result: Result) -> None:
    """One line on rows and weights."""
    trace, rows = result.trace, result.trace.rows
    result.notes["rows"] = f"{count(len(rows.planes), 'row')} of {trace.basis.shape[1]:,} weights"
    if rows.undetermined:
        result.notes["rows"] += f", {rows.undetermined} of them not determined by labels"
    result.notes["output weights"] = f"from {len(trace.boundary.points):,} points of the boundary"


def gave_up(result: Result) -> ExtractionError:
    """The error that says how far it came."""
    rows = len(result.trace.rows.planes)
    return ExtractionError(
        "verify",
        f"needs labels of one hidden ReLU layer, but a copy of {count(rows, 'neuron')} misses some",
        "learn a copy with learning.active: this may be no such network",
        partial=result,
    )
