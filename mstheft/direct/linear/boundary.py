"""A linear boundary from labels alone: sign witnesses, halving, one line search per coordinate.

        label 1  *  c                      From a point c off the boundary each axis meets the
                 | \\                       boundary at its own distance t_j, and
        ---------+--*-------- boundary
                 t_2  t_1                  w_j / (w·c + β) = -1 / t_j

`extract` is the story: `witnesses`, `boundary_point`, `sign_witnesses`, `line_searches`,
`hyperplane`, `verify_labels`.
Source: Lowd and Meek, KDD 2005, section 4 (FindWitness, LineSearch); what is ours is named.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mstheft import progress
from mstheft.direct.answers.diagnosis import diagnosed
from mstheft.direct.linear import one_vs_one
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.result import Result
from mstheft.typing import Array, Oracle, Rng

REACH = 60  # powers of two, up and down, in which crossings are sought
NONLINEAR = "if the victim is not linear, learn a copy from labelled data instead"


@dataclass
class Trace:
    """What the stages saw.

    inside, outside : (d,) witnesses of label 1 and 0; boundary : (d,) a point on it
    start : (d,) the witness from which the axes are searched; label : whether its label is 1
    signs, crossings : (d,) on which side and at which t_j each axis meets the boundary
    weights, bias : of the hyperplane, ‖w‖ = 1
    """

    inside: Array
    outside: Array
    boundary: Array
    start: Array
    label: bool
    signs: np.ndarray
    crossings: Array
    weights: Array
    bias: float


@diagnosed
def extract(
    oracle: Oracle, *, rng: Rng = None, precision: float = 1e-9, points: int = 200
) -> Result:
    """Copy the boundary w·x + β = 0 of a binary linear victim that answers with labels only.

        label(x) = 1  <=>  w·x + β > 0

    Where the label changes, w·x + β = 0: one equation per line search, without any probability. A
    label is the same for (w, β) and (c w, c β), c > 0, so that direction and offset are all there
    is to find: the copy has ‖w‖ = 1, and its logit is the signed distance from the boundary.

    oracle : output='label', two classes; for more of them see `linear.one_vs_one`
    precision : relative error of each weight, 1e-12 to 0.1; about 1e-4 for a float32 victim
    points : fresh rows of the verification
    Returns a verified `Result`, its model a float64 `zoo.logistic`. A weight that is 2^-60 of the
    others and less comes out as 0.
    Costs about d (9 + log2(1/precision)) + 60 queries, and `points` to verify: 39 d by default.
    Raises `ExtractionError` when one label is all there is, when labels do not follow one
    hyperplane, and for other oracles; `BudgetExhausted`. Loops are bounded.
    """
    checked(precision)
    if points < 1:
        raise ValueError(f"expected points= of at least 1, got {points}; every copy is verified")
    rng, result = np.random.default_rng(rng), Result()
    if oracle.output == "label" and (oracle.outputs or 2) > 2:
        return one_vs_one.from_labels(oracle, result, rng, precision, points)
    with result.stage("witnesses", oracle):
        inside, outside = witnesses(oracle, rng=rng)
    result.notes["witnesses"] = "two inputs of different labels"
    with result.stage("boundary", oracle):
        on = boundary_point(oracle, inside, outside)
    result.notes["boundary"] = f"a point on it, {np.linalg.norm(on):.3g} from the origin"
    # a start close to the boundary would measure all weights against a small number
    label = bool(np.linalg.norm(inside - on) >= np.linalg.norm(outside - on))
    start = inside if label else outside
    reach = float(np.linalg.norm(on - start))
    with result.stage("signs", oracle):
        signs = sign_witnesses(oracle, start, label, reach)
    result.notes["signs"] = f"{np.count_nonzero(signs):,} of {len(signs):,} weights are not 0"
    with result.stage("line searches", oracle):
        crossings = line_searches(oracle, start, label, signs, reach, precision)
        weights, bias = hyperplane(start, label, crossings, on, precision)
    result.notes["line searches"] = f"{np.isfinite(crossings).sum():,} points on the boundary"
    result.model = zoo.given([(weights[None], [bias])])
    result.trace = Trace(inside, outside, on, start, label, signs, crossings, weights, bias)
    if not verify_labels(result, oracle, rng=rng, points=points, precision=precision):
        raise ExtractionError(
            "verify",
            f"needs labels that follow one hyperplane up to {precision:.0e}, but a fresh row at "
            f"{result.error:.1g} of its distance has the other label",
            f"raise precision= (1e-4 for a float32 victim); {NONLINEAR}",
            partial=result,
        )
    return result


def checked(precision: float) -> float:
    """The precision, or ValueError where no line search could reach it."""
    if not 1e-12 <= precision <= 0.1:
        raise ValueError(f"expected precision= from 1e-12 to 0.1, got {precision!r}")
    return precision


def _labels(oracle: Oracle, x: Array) -> np.ndarray:
    """Ask rows and return True where the label is 1; refuses what is no binary labeller."""
    if oracle.output != "label":
        raise ExtractionError(
            "answers",
            f"needs labels, but the oracle answers {oracle.output!r}",
            "use direct.linear, which needs 39 times fewer queries",
        )
    labels = oracle.query(x)
    if labels.min() < 0 or labels.max() > 1:
        raise ExtractionError(
            "answers",
            "needs a victim with the two labels 0 and 1, but this one has others",
            "wrap it as one class against the rest, or learn a copy from labelled data instead",
        )
    return labels == 1


def witnesses(oracle: Oracle, *, rng: Rng) -> tuple[Array, Array]:
    """Two inputs of different labels: (x of label 1, x of label 0), each (d,).

        x = 0, then ± N(0, r² I) for r = 1, 8, 64, …, 2^60

    The boundary lies |β| / ‖w‖ from the origin. Of a row and its mirror image that both reach
    further than that along w, one lies on the other side: only r has to be large enough.
    Costs 9 queries as a rule, at most 169.
    Raises `ExtractionError` when all have one label.
    Lowd and Meek take the two as given; this search is ours.
    """
    rng = np.random.default_rng(rng)
    x = np.zeros((1, oracle.inputs))
    labels = _labels(oracle, x)
    for power in range(0, REACH + 1, 3):
        half = 2.0**power * rng.normal(size=(4, oracle.inputs))
        x = np.vstack([x, half, -half])
        labels = np.concatenate([labels, _labels(oracle, x[-8:])])
        if labels.any() and not labels.all():
            return x[labels][0], x[~labels][0]
    raise ExtractionError(
        "witnesses",
        f"needs inputs of both labels, but {len(x)} rows all have label {int(labels[0])}",
        f"the victim may be constant; {NONLINEAR}",
    )


def boundary_point(oracle: Oracle, inside: Array, outside: Array) -> Array:
    """A point where the label changes, by halving the segment between two witnesses.

        λ = 1 at `inside`, 0 at `outside`: label((low + high) / 2) tells which half to keep

    inside, outside : (d,) inputs of label 1 and 0
    Returns (d,), exact to the last digits of λ. Costs 52 queries.
    """
    low, high = 0.0, 1.0
    for _ in range(52):
        middle = (low + high) / 2
        x = outside + middle * (inside - outside)
        low, high = (low, middle) if _labels(oracle, x[None])[0] else (middle, high)
    return outside + (low + high) / 2 * (inside - outside)


def _moved(start: Array, which: np.ndarray, t: Array) -> Array:
    """start + t_j e_j for each j in `which`, as rows."""
    rows = np.tile(start, (len(which), 1))
    rows[np.arange(len(which)), which] += t
    return rows


def sign_witnesses(oracle: Oracle, start: Array, label: bool, reach: float) -> np.ndarray:
    """On which side of `start` each axis meets the boundary: +1, -1, or 0 if it never does.

        label(start + s T e_j) ≠ label(start),    T = 2^60 reach:   t_j has sign s

    The row and `start` differ in one coordinate only, so that the pair bears witness to the sign
    of w_j: it is s where the label rises to 1, and -s where it falls to 0. No witness on either
    side means that w_j is 0, or 2^-60 of the others.

    start : (d,) of this label; reach : the distance at which the boundary has been seen
    Returns (d,) int. Costs 1 or 2 queries per coordinate.
    Raises `ExtractionError` when no axis meets the boundary.
    """
    signs = np.zeros(len(start), int)
    for sign in (1, -1):
        left = np.flatnonzero(signs == 0)
        if len(left):
            rows = _moved(start, left, np.full(len(left), sign * 2.0**REACH * reach))
            signs[left[_labels(oracle, rows) != label]] = sign
    if not signs.any():
        raise ExtractionError(
            "signs", "needs an axis along which the label changes far out, but none does", NONLINEAR
        )
    return signs


def line_searches(
    oracle: Oracle, start: Array, label: bool, signs: np.ndarray, reach: float, precision: float
) -> Array:
    """How far along each axis the boundary is met: w·(start + t_j e_j) + β = 0.

    First the power of two, by halving the exponent between -60 and 60, then the digits, by halving
    the interval: so a small weight (a far crossing) gets as many digits as a large one. All
    coordinates are searched side by side.

    signs : (d,) from `sign_witnesses`; reach : unit of t; precision : relative error of t_j
    Returns (d,) with signs, infinite where signs is 0. Costs 8 + log2(1/precision) queries per
    coordinate, rounded up.
    The logarithmic first half is ours.
    """
    which = np.flatnonzero(signs)
    low, high = np.full(len(which), -float(REACH)), np.full(len(which), float(REACH))
    powers = math.ceil(math.log2(2 * REACH)) + 1
    digits = max(0, math.ceil(-math.log2(precision)))
    with progress.bar("line searches", (powers + digits) * len(which), "row") as bar:
        for turn in range(powers + digits):
            if turn == powers:
                low, high = reach * 2.0**low, reach * 2.0**high
            middle = (low + high) / 2
            t = middle if turn >= powers else reach * 2.0**middle
            beyond = _labels(oracle, _moved(start, which, signs[which] * t)) != label
            low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
            bar.update(len(which))
    crossings = np.full(len(start), np.inf)
    crossings[which] = signs[which] * (low + high) / 2
    return crossings


def hyperplane(
    start: Array, label: bool, crossings: Array, on: Array, precision: float
) -> tuple[Array, float]:
    """Weights of norm 1 and offset, from the crossings and the point on the boundary.

        w_j = -g / t_j,  g = w·start + β unknown, its sign the label's;    β = -w·on

    The offset comes from the boundary, not from the target: no answer has ever shown β. The point
    `on` was not needed for the weights, so it checks them: g must be w·(start - on).

    Returns w (d,), ‖w‖ = 1, and β. Costs no query.
    Raises `ExtractionError` when the check fails: the crossings lie on no common hyperplane.
    The check is ours.
    """
    weights = (-1 if label else 1) / crossings
    across = weights * (start - on)  # (d,), their sum is w·(start - on)
    gap = 1.0 if label else -1.0
    miss = abs(float(across.sum()) - gap)
    if miss > 10 * precision * (1 + float(np.linalg.norm(across)) + float(np.abs(across).max())):
        raise ExtractionError(
            "hyperplane",
            f"needs crossings on one hyperplane, but they miss a point of it by {miss:.1g}",
            f"raise precision= (1e-4 for a float32 victim); {NONLINEAR}",
        )
    weights = weights / np.linalg.norm(weights)
    return weights, -float(weights @ on)


def verify_labels(
    result: Result, oracle: Oracle, *, rng: Rng, points: int = 200, precision: float = 1e-9
) -> bool:
    """Do fresh rows have the label that the copy gives them, even close beside the boundary?

        half:  x ~ N(on, (r reach)² I / d)    half:  such an x, moved along w until it lies
               r from 0.1 to 1000                    4 precision ‖x - on‖ beside the copy's boundary

    Relative errors of `precision` in the weights turn the boundary by no more than that angle
    (Cauchy-Schwarz), so that every label must agree, but a boundary that is off by more would show.

    Sets `result.error` to the largest distance from the copy's boundary, in units of ‖x - on‖, of a
    row whose label differs (0 if none does), and `verified` if that is at most 2 precision.
    Costs `points` queries, booked under 'verify'.
    """
    rng, trace = np.random.default_rng(rng), result.trace
    with result.stage("verify", oracle):
        reach = np.linalg.norm(trace.inside - trace.outside) / np.sqrt(oracle.inputs)
        away = reach * rng.normal(size=(points, oracle.inputs))
        away *= 10 ** rng.uniform(-1, 3, size=(points, 1))
        close = np.arange(points) % 2 == 1
        aside = rng.choice([-4, 4], size=points) * precision * np.linalg.norm(away, axis=1)
        away[close] += np.outer(aside - away @ trace.weights, trace.weights)[close]  # along w
        x = trace.boundary + away
        wrong = _labels(oracle, x) != (result.model.labels(x) == 1)
        far = np.abs(result.model.logits(x)[:, 0]) / np.linalg.norm(away, axis=1)
        result.error = float(far[wrong].max(initial=0))
        result.verified = result.error <= 2 * precision
        result.notes["verify"] = (
            f"{points - wrong.sum()} of {points} fresh labels agree, half of them within "
            f"{4 * precision:.0e} of the boundary"
        )
    return result.verified
