"""A linear victim of more than two classes from labels alone: one boundary for each pair of some.

        j | k        w_k - w_j  ∝  u_jk,    a boundary tells it up to a positive factor
        --+--        (w_b - w_a)  +  t u_bc  =  s u_ac:    a triangle of boundaries tells s and t
          i

So two boundaries tell a further class, and 2 K - 3 of them tell all, up to one factor for all and
one vector that is added to every class; both change no label.
Two classes are Lowd and Meek's (`linear.boundary`); the triangles are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.result import Result
from mstheft.typing import Array, Oracle

SCALES = 8.0 ** np.arange(8)  # of the rows among which a row of each class is sought
SCOUTS = 64  # rows at each of them
SEGMENTS = 60  # tried for each class, at the most
PATIENCE = 10  # segments after which rows farther out are asked for
HALVINGS = 60  # of a segment, until a boundary is a point in float64
FIRST = 0.1  # how far from that point others of its boundary are sought, of the segment's length
SMALLEST = 1e-5  # the same, where other classes are near
LOOSE = 1000  # times precision: what verification and the triangles allow
NONLINEAR = "if the victim is not linear, learn a copy from labelled data instead"


@dataclass
class Boundary:
    """Between two classes: u (d+1,), weights and bias of w_k - w_j up to a positive factor."""

    classes: tuple[int, int]
    u: Array


@dataclass
class Trace:
    """The boundaries, and θ (K, d+1)."""

    boundaries: list[Boundary]
    theta: Array


def from_labels(
    oracle: Oracle, result: Result, rng: Generator, precision: float, points: int
) -> Result:
    """Copy of a victim of K > 2 labels: 2 K - 3 boundaries, then verified next to them.

    Costs about (2 K - 3) (d (4 + log2(1/precision)) + 60) queries, more where other classes lie
    between; and `points`. The copy's weights have norm 1 and mean 0 over the classes.
    """
    with result.stage("witnesses", oracle):
        rows, labels = witnesses(oracle, rng)
    boundaries: list[Boundary] = []
    with result.stage("boundary", oracle):
        theta = grow(oracle, rows, labels, boundaries, precision, rng)
    theta -= theta.mean(axis=0)
    theta /= np.linalg.norm(theta[:, :-1])
    result.notes["boundary"] = f"{len(boundaries)} boundaries between {len(theta)} classes"
    result.model = zoo.given([(theta[:, :-1], theta[:, -1])])
    result.trace = Trace(boundaries, theta)
    reach = float(np.median(np.linalg.norm(rows, axis=1))) / np.sqrt(oracle.inputs)
    verify_labels(result, oracle, rng, points, LOOSE * precision, reach)
    if not result.verified:
        raise ExtractionError(
            "verify",
            f"needs labels of linear classes, but fresh rows up to {result.error:.1g} of their "
            "distance from a boundary have another label",
            f"raise precision= (1e-4 for a float32 victim); {NONLINEAR}",
            partial=result,
        )
    return result


def witnesses(oracle: Oracle, rng: Generator) -> tuple[Array, np.ndarray]:
    """Random rows, farther and farther out until each class has one: x (n, d) and labels (n,).

    Raises `ExtractionError` for a class that has none.
    """
    K = oracle.outputs or 0
    x, labels = np.zeros((0, oracle.inputs)), np.zeros(0, int)
    for scale in SCALES:
        more = scale * rng.normal(size=(SCOUTS, oracle.inputs))
        x, labels = np.concatenate([x, more]), np.concatenate([labels, oracle.query(more)])
        if len(np.unique(labels)) == K:
            return x, labels
    missing = sorted(set(range(K)) - set(labels.tolist()))
    raise ExtractionError(
        "witnesses",
        f"needs rows of all {K} labels, but {len(x)} rows have none of {missing[:5]}",
        f"leave such a class out of the victim; {NONLINEAR}",
    )


def grow(
    oracle: Oracle,
    rows: Array,
    labels: np.ndarray,
    boundaries: list[Boundary],
    precision: float,
    rng: Generator,
) -> Array:
    """θ (K, d+1), class by class: the first two by their boundary, each other one by two more.

    Each boundary found is appended to `boundaries`. Raises `ExtractionError` where a class has no
    boundary with two classes placed, or where a triangle does not close.
    """
    K, d = oracle.outputs or 0, oracle.inputs
    theta = np.full((K, d + 1), np.nan)
    theta[labels[0]] = 0.0
    for turn in range(1, SEGMENTS * K + 1):
        placed = ~np.isnan(theta[:, 0])
        if placed.all():
            return theta
        if turn % PATIENCE == 0:  # three classes may meet far out
            farther = 2.0 ** (turn // PATIENCE) * rng.normal(size=(SCOUTS, d))
            rows = np.concatenate([rows, farther])
            labels = np.concatenate([labels, oracle.query(farther)])
        a = int(rng.choice(np.flatnonzero(placed)))
        b = int(rng.choice(np.flatnonzero(~placed)))
        ends = [rows[rng.choice(np.flatnonzero(labels == each))] for each in (a, b)]
        point, along, pair = crossing(oracle, ends[1], ends[0], b, a)  # where it leaves b
        along, pair = -along, (pair[1], pair[0])
        if not placed[pair[0]] or placed[pair[1]]:
            continue  # other classes lie between
        if any(each.classes == pair for each in boundaries):
            continue
        boundary = locally(oracle, point, along, pair, precision)
        if boundary is not None:
            boundaries.append(boundary)
            place(theta, boundaries, pair[1], precision)
    raise ExtractionError(
        "boundary",
        f"needs two boundaries for each class, but {np.isnan(theta[:, 0]).sum()} of {K} have fewer",
        f"another rng= may find them; {NONLINEAR}",
    )


def crossing(
    oracle: Oracle, low: Array, high: Array, a: int, b: int
) -> tuple[Array, Array, tuple[int, int]]:
    """Where a segment leaves class a: a point of that boundary, the segment, the two classes."""
    along = high - low
    near, far = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        label = int(oracle.query((low + middle * along)[None])[0])
        if label == a:
            near = middle
        else:
            far, b = middle, label
    return low + (near + far) / 2 * along, along, (a, b)


def locally(
    oracle: Oracle, point: Array, along: Array, pair: tuple[int, int], precision: float
) -> Boundary | None:
    """The boundary through a point, by d - 1 more of its points near by.

        p + δ e_i + t_i v  on it,   e_i ⊥ v   =>   u = v - Σ_i (t_i / δ_i) e_i,   bias -u·p

    Where another class is met, that search is begun again at an eighth of δ; None where δ becomes
    too small.
    """
    d, length = len(point), float(np.linalg.norm(along))
    v = along / length
    across = np.linalg.qr(np.column_stack([v, np.eye(d)]))[0].T[1:d]  # (d-1, d)
    delta = np.full(d - 1, FIRST * length)
    slopes = np.full(d - 1, np.nan)
    steps = int(np.ceil(-np.log2(precision))) + 4
    while np.isnan(slopes).any():
        open_ = np.flatnonzero(np.isnan(slopes))
        if (delta[open_] < SMALLEST * length).any():
            return None
        centre = point + delta[open_, None] * across[open_]
        slopes[open_] = slope(oracle, centre, delta[open_], v, pair, steps)
        delta[open_] /= 8
    u = v - slopes @ across
    return Boundary(pair, np.append(u, -u @ point))


def slope(
    oracle: Oracle, centre: Array, delta: Array, v: Array, pair: tuple[int, int], steps: int
) -> Array:
    """t / δ where the line centre + t v changes its class; NaN where it meets a third one."""
    ok = np.ones(len(centre), bool)
    low, high = -np.ones(len(centre)), np.ones(len(centre))
    for side, wanted in ((low, pair[0]), (high, pair[1])):
        for _ in range(5):
            wrong = ok.copy()
            if not wrong.any():
                break
            where = np.flatnonzero(wrong)
            labels = oracle.query(centre[where] + (side * delta)[where, None] * v)
            ok[where[~np.isin(labels, pair)]] = False
            side[where[labels != wanted]] *= 4
            if (labels == wanted).all():
                break
    for _ in range(steps):
        where = np.flatnonzero(ok)
        if not len(where):
            break
        middle = (low + high) / 2
        labels = oracle.query(centre[where] + (middle * delta)[where, None] * v)
        ok[where[~np.isin(labels, pair)]] = False
        low[where[labels == pair[0]]] = middle[where[labels == pair[0]]]
        high[where[labels == pair[1]]] = middle[where[labels == pair[1]]]
    return np.where(ok, (low + high) / 2, np.nan)


def place(theta: Array, boundaries: list[Boundary], c: int, precision: float) -> None:
    """θ_c, in place, if the boundaries tell it: the first one does, then two of a triangle.

        θ_a + s u_ac  =  θ_b + t u_bc

    Raises `ExtractionError` where no s, t > 0 close it.
    """
    mine = [each for each in boundaries if each.classes[1] == c]
    if np.count_nonzero(~np.isnan(theta[:, 0])) == 1:
        theta[c] = theta[mine[0].classes[0]] + mine[0].u / np.linalg.norm(mine[0].u)
    elif len(mine) > 1:
        first, second = mine[:2]
        a, b = first.classes[0], second.classes[0]
        sides = np.column_stack([first.u, -second.u])
        unit = np.linalg.norm(sides, axis=0)
        factors = np.linalg.lstsq(sides / unit, theta[b] - theta[a], rcond=None)[0]
        left = np.linalg.norm(sides / unit @ factors - (theta[b] - theta[a]))
        if (factors <= 0).any() or left > LOOSE * precision * np.abs(factors).max():
            raise ExtractionError(
                "hyperplane",
                f"needs three boundaries that meet, but they miss one another by {left:.1g}",
                f"raise precision= (1e-4 for a float32 victim); {NONLINEAR}",
            )
        s, t = factors / unit
        theta[c] = (theta[a] + s * first.u + theta[b] + t * second.u) / 2


def verify_labels(
    result: Result, oracle: Oracle, rng: Generator, points: int, margin: float, reach: float
) -> None:
    """Do fresh rows have the copy's labels, half of them moved next to its nearest boundary?

    margin : how near, relative to their distance from the origin; a row that is nearer decides
        nothing. Sets `error`, the largest such distance of a row whose label differs
    """
    with result.stage("verify", oracle):
        W, b = result.model.dense()[0]
        x = reach * rng.normal(size=(points, oracle.inputs))
        z = x @ W.T + b
        first, second = np.argsort(z, axis=1)[:, :-3:-1].T
        apart = W[first] - W[second]
        gap = np.take_along_axis(z, first[:, None], 1) - np.take_along_axis(z, second[:, None], 1)
        step = gap[:, 0] / np.sum(apart**2, axis=1)
        side = rng.choice([-1, 1], size=points) * 2 * margin * np.linalg.norm(x, axis=1)
        near = np.arange(points) % 2 == 1
        move = -step + side / np.linalg.norm(apart, axis=1)
        x[near] += (move[:, None] * apart)[near]
        z = np.sort(x @ W.T + b, axis=1)
        wrong = oracle.query(x) != result.model.labels(x)
        far = (z[:, -1] - z[:, -2]) / np.linalg.norm(apart, axis=1) / np.linalg.norm(x, axis=1)
        result.error = float(far[wrong].max(initial=0))
        result.verified = result.error <= margin
        result.notes["verify"] = (
            f"{points - wrong.sum()} of {points} fresh labels agree, half of them within "
            f"{2 * margin:.0e} of a boundary"
        )
