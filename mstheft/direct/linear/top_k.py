"""Equation solving where only the largest probabilities are answered.

        answered: j and k      ln p_j - ln p_k = (w_j - w_k)·x + b_j - b_k
        not answered: i        nothing

Two classes in one answer are one equation, wherever they are answered together. So d + 1 rows
around a point tell all differences of the classes answered there; points are chosen whose classes
overlap, until all hang together.
Source: Tramèr et al. 2016, section 4.1 has all probabilities; pairs of the largest are ours.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.reader import Reader, read
from mstheft.direct.linear.equations import Base, System, equations
from mstheft.direct.linear.solve import solve
from mstheft.direct.linear.uncertainty import blur
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.result import Result
from mstheft.typing import Array, Oracle

SCOUTS = 64  # random rows at each distance, at which the classes answered are seen
SCALES = 1.0, 4.0, 16.0, 64.0, 256.0  # of these rows
NARROW = (
    0.1  # logits: how far equations lie from their point, so that the same classes are answered
)


class Answered:
    """An oracle of some classes' probabilities: 0 where they are not among the largest."""

    def __init__(self, oracle: Oracle, classes: np.ndarray) -> None:
        self.oracle, self.classes = oracle, classes
        self.output, self.outputs = "probs", len(classes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.oracle, name)

    def query(self, x: Array) -> Array:
        """(n, classes). Costs n queries."""
        return self.oracle.query(x)[:, self.classes]


def from_largest(
    oracle: Oracle, result: Result, rng: Generator, factor: int, points: int, tolerance: float
) -> Result:
    """Copy a linear victim from its largest probabilities, at least two in an answer.

    Costs 64 queries or more for the scouts, d + 1 for each point, and `points` to verify. There are
    (K - 1) / (k - 1) points if their classes overlap in one each. Answers are held to `tolerance`.
    Raises `ExtractionError` for one class in an answer, or where classes never come with others.
    """
    with result.stage("base", oracle):
        sites = overlapping(oracle, rng)
    result.notes["base"] = f"{len(sites)} points, whose classes hang together"
    theta: Array = np.zeros((0, 0))
    for x, classes in sites:
        view = Reader(cast(Oracle, Answered(oracle, classes)))
        with result.stage("equations", oracle):
            answer = read(view, x[None])
            base = Base(x, answer[0], float(blur(view, answer)[0]), NARROW)
            system = equations(view, base, rng=rng, factor=factor)
        with result.stage("solve", oracle):
            theta = hung(theta, solved(view, system), classes, oracle.outputs or 0)
    theta -= theta.mean(axis=1, keepdims=True)
    result.notes["equations"] = f"{len(sites)} times {len(system.A):,} equations"
    result.notes["solve"] = f"{theta.size:,} numbers"
    result.model = zoo.given([(theta[:-1].T, theta[-1])])
    _verify(oracle, result, rng, points, tolerance)
    if not result.verified:
        raise ExtractionError(
            "verify",
            f"needs logits that are linear in the input, but the copy is off by {result.error:.2g}",
            "use an oracle of all probabilities; or raise oversample= or tolerance=",
            partial=result,
        )
    return result


def solved(view: Reader, system: System) -> Array:
    """θ of the classes in view (d+1, classes), up to their mean."""
    return solve(system.A, system.rhs, 1 / system.sigma(view))


def overlapping(oracle: Oracle, rng: Generator) -> list[tuple[Array, np.ndarray]]:
    """Points with the classes answered there, each with one at least of those before: all of K.

    Of the rows that add most new classes the one whose smallest answer is largest. Costs 64 queries
    for each distance tried.
    """
    x, p = np.zeros((0, oracle.inputs)), np.zeros((0, 0))
    for scale in SCALES:
        more = scale * rng.normal(size=(SCOUTS, oracle.inputs))
        answers = oracle.query(more)
        x, p = np.concatenate([x, more]), np.concatenate([p, answers]) if p.size else answers
        sites, linked = _chain(x, p)
        if linked.all():
            return sites
    raise ExtractionError(
        "base",
        f"needs answers that link all classes, but of {len(x)} rows none links "
        f"{np.count_nonzero(~linked)} of {len(linked)} classes to the others",
        "ask for all probabilities, or for a larger top=",
    )


def _chain(x: Array, p: Array) -> tuple[list[tuple[Array, np.ndarray]], np.ndarray]:
    """Rows that link as many classes as possible, greedily; which classes are linked (K,)."""
    answered = p > 0  # (n, K)
    least = np.where(answered, p, np.inf).min(axis=1)
    linked: np.ndarray = np.zeros(p.shape[1], bool)
    sites: list[tuple[Array, np.ndarray]] = []
    while not linked.all():
        new = (answered & ~linked).sum(axis=1)
        new[(answered & linked).sum(axis=1) < bool(sites)] = 0  # the first needs no overlap
        new[answered.sum(axis=1) < 2] = 0
        if not new.any():
            break
        best = int(np.lexsort((least, new))[-1])
        sites.append((x[best], np.flatnonzero(answered[best])))
        linked = linked | answered[best]
    return sites, linked


def hung(theta: Array, part: Array, classes: np.ndarray, outputs: int) -> Array:
    """All θ (d+1, K), NaN where unknown, with another part (d+1, classes) hung to those it shares.

    part_k + g = θ_k    for every class k in both:   g is the mean of θ_k - part_k
    """
    if not theta.size:
        theta, shift = np.full((len(part), outputs), np.nan), 0.0
    else:
        shift = np.nanmean(theta[:, classes] - part, axis=1, keepdims=True)
    old = theta[:, classes]
    theta[:, classes] = np.where(np.isnan(old), part + shift, old)
    return theta


def _verify(oracle: Oracle, result: Result, rng: Generator, points: int, tolerance: float) -> None:
    """Fresh rows N(0, I): the logarithms answered, less their mean, against the copy's."""
    if points < 2:
        raise ValueError(f"expected points= of at least 2, got {points}; every copy is verified")
    with result.stage("verify", oracle):
        x = rng.normal(size=(points, oracle.inputs))
        p, z = oracle.query(x), result.model.logits(x)
        seen = p > 0
        number = seen.sum(axis=1, keepdims=True)
        logs = np.log(np.where(seen, p, 1.0))
        off = np.where(seen, logs - z, 0.0)
        off = np.where(seen, off - off.sum(axis=1, keepdims=True) / number, 0.0)
        result.error = float(np.abs(off).max())
        size = float(z.std(axis=0).max())
        several = int(np.count_nonzero(number > 1))
        result.verified = bool(result.error <= tolerance * size and 2 * several >= points)
        result.notes["verify"] = (
            f"the copy is off by at most {result.error:.1e} where {several} fresh rows answer "
            "several classes"
        )
