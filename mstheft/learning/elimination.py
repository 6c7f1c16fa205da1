"""Take the spare neurons from a student of one hidden layer, for `learning.exact`.

    merge       parallel neurons are one
    eliminate   the cheapest go, several at once, then one by one; mirrored ones are turned round
    narrower    every student that is tried is settled, and written down

Source: Hassibi and Stork 1993 (optimal brain surgeon), in `nn.pruning`.
"""

from __future__ import annotations

import math

import numpy as np

from mstheft.learning.students import Student, Trace, settle
from mstheft.nn import pruning
from mstheft.nn.gauss_newton import Weights
from mstheft.nn.pruning import refitted, without

STRICT = 0.4, 2  # patience with a student that has lost a neuron: a true one is missed at once
GROWTH = 2.0  # of the lowest misfit: a drop after which the misfit stays below this is free
SURE = 3.0  # deviations of a ratio of noise, by which a narrower student may fit worse
PARALLEL = 0.98  # |cos| of two neurons' [row offset] that are one
ALWAYS = 0.98  # of the rows: a neuron that is on in more of them is a linear part


def merge(student: Student, trace: Trace, rng: np.random.Generator) -> Student:
    """Keep one neuron of every group of parallel ones: the one that moves the logits the most.

    Neurons with |cos| > PARALLEL of [row offset], in the units of the rows' spread, are one.
    Where the misfit does not come back, all of them stay.
    """
    first, last = student.here.weights
    centre, size = trace.rows.mean(axis=0), trace.rows.std() or 1.0
    units = np.hstack([size * first[:, :-1], first[:, -1:] + first[:, :-1] @ centre[:, None]])
    norms = np.linalg.norm(units, axis=1)
    units = units / np.maximum(norms, 1e-300)[:, None]
    kept: list[int] = []
    for i in np.argsort(-norms * np.linalg.norm(last[:, :-1], axis=0), kind="stable"):
        if not kept or np.max(np.abs(units[kept] @ units[i])) <= PARALLEL:
            kept.append(int(i))
    if len(kept) == student.width:
        return student
    weights = without(student.here, 0, sorted(kept))
    return narrower("merge", student, weights, trace, rng) or student


def eliminate(student: Student, trace: Trace, rng: np.random.Generator) -> Student:
    """Drop neurons until none can be spared; turn the mirrored ones round, and drop again."""
    student = dropped(student, trace, rng)
    weights = turned(student)
    there = None if weights is None else narrower("turn", student, weights, trace, rng)
    return student if there is None else dropped(there, trace, rng)


def dropped(student: Student, trace: Trace, rng: np.random.Generator) -> Student:
    """Drop the neurons that cost least, several at once, then one, until none can be spared.

    Where one is refused two at once are tried: a pair may only go together.
    """
    many = max(1, student.width // 4)
    while student.width > 1:
        for some in (many, 2) if many == 1 else (many,):
            kept = spared(student, min(some, student.width - 1))
            there = narrower("eliminate", student, without(student.here, 0, kept), trace, rng)
            if there:
                break
        if there:
            student, many = there, min(many, max(1, there.width // 4))
        elif many == 1:
            break
        else:
            many //= 2
    return student


def turned(student: Student) -> Weights | None:
    """Mirrored neurons turned round, and those that are always on left out; None if none is.

        a relu(-z) = a relu(z) - a z

    A student may have neurons of the wrong sign, all of which together one or more neurons that are
    always on make good: their linear part M [x 1] is the sum of these a z. The turned ones are
    those with s > ½ in the least squares problem M + Σ s_i a_i [w_i b_i] = 0, offsets left out.
    """
    first, last = student.here.weights
    always = np.mean(student.here.slopes[0] != 0, axis=0) > ALWAYS
    if not always.any() or always.all():
        return None
    parts = last[:, :-1].T[:, :, None] * first[:, None, :-1]  # (h, K, d) a_i w_iᵀ
    if student.fit.output != "logits" and len(last) > 1:
        parts = parts - parts.mean(axis=1, keepdims=True)  # probabilities do not see the mean
    linear = parts[always].sum(axis=0).ravel()
    others = parts[~always].reshape(np.count_nonzero(~always), -1)
    share = np.linalg.lstsq(others.T, -linear, rcond=None)[0]
    signed = np.where(share > 0.5, -1.0, 1.0)[:, None] * first[~always]
    here = student.fit.at([signed, last[:, [*np.flatnonzero(~always), -1]]])
    return [signed, refitted(here.inputs[1], student.here.logits)]


def narrower(
    stage: str, student: Student, weights: Weights, trace: Trace, rng: np.random.Generator
) -> Student | None:
    """The student with these weights, settled; None if it no longer fits the answers.

    Where σ is known a neuron may be worth far less than what `limit` allows and still be seen: the
    ratio must stay that of the best student so far.
    """
    there = student.at(weights)
    best = min(trace.misfits)
    goal = there.limit if best <= GROWTH * there.limit else GROWTH * best
    if not student.kind.is_relative:
        worse = 1 + SURE / math.sqrt(2 * there.left)
        goal = min(goal, worse * min(trace.ratios) * there.floor)
    there = settle(there, goal, STRICT, rng)
    trace.note(stage, there, there.misfit <= goal)
    return there if there.misfit <= goal else None


def spared(student: Student, some: int) -> list[int]:
    """The neurons that stay when `some` are dropped, one after the other, each the cheapest."""
    dropped = pruning.eliminate(student.here.inputs[1], student.here.logits, some)
    return sorted(set(range(student.width)) - set(dropped.order))
