"""Coarse answers between walls: segments until a rough copy explains rows, then polishing.

    rows all over the box  ->  segment, rows of its kinks  ->  a copy  ->  where is it wrong?
                                  ^-- through a row that is right and one that is wrong --+
                           ->  polish, verify to the noise

The rows are those that polishing needs; until then they tell, at no cost, where to look next.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.reader import Reader, as_single, reader
from mstheft.direct.box import Box, anywhere, beside, middle
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes, oriented, with_remainder
from mstheft.direct.least_squares import least_squares
from mstheft.direct.polishing.finish import LEAST, STEPS, Polishing, finish
from mstheft.direct.polishing.polish import TRUSTS, Polished, polish
from mstheft.direct.sweep.signs import believed, odd_part, solve_signs
from mstheft.direct.sweep.stages import search, sweep_line
from mstheft.direct.sweep.trace import gave_up
from mstheft.direct.verify import expected
from mstheft.nn import zoo
from mstheft.nn.dense_pass import with_ones
from mstheft.nn.functions import relu
from mstheft.nn.network import Network
from mstheft.nn.student import logits_of
from mstheft.result import Result
from mstheft.typing import Array, Oracle

MOST = 64  # segments
ALIKE = 12.0  # times what most rows are missed by: by more means that a neuron is missing
GOOD = 0.1  # of the spread of the answers: a copy that misses a row by more is not polished
NEAR = 0.02  # of the same, for most rows: a copy that misses more is not worth polishing
MORE = 1.2  # times the neurons that were polished last, until they are polished again
SETTLED = 1e-3  # of the same: rows of a copy that misses less are better than measured ones
TURNED = 0.95  # cosine of a polished row and the measured one, below which that one stays
BLUR = 3e-3  # error of a polished row, relative to its length, that is reckoned with
APART = 0.5  # singular value of rows, in widths of the box, from which they differ in a direction
TRIMS = 4  # times that a copy is polished on what it explains
SURPLUS = 1.2  # numbers answered there for each of its weights
ENOUGH = 2  # rows for each of their numbers that tell an affine part
HALF = 0.5  # of the largest miss: as good a witness


def between_walls(oracle: Reader, result: Result, rng: Generator, box: Box) -> Result:
    """The sweep of coarse answers in a box. Returns the verified result.

    Raises `ExtractionError` after 64 segments.
    """
    trace = result.trace
    draw = lambda n: anywhere(rng, box, n)  # noqa: E731
    log = Log(oracle.oracle, box)
    with result.stage("polish", oracle):
        oracle = reader(log, *middle(box))
        x = as_single(draw(LEAST))
        trace.polishing = Polishing(x, len(x), oracle.query(x), box=box)
    settled, polished = 0, None  # neurons that were last polished: how many, and their planes
    for _ in range(MOST):
        with result.stage("line", oracle):
            line = search(oracle, rng, box, trace.witness)
            trace.lines.append(line)
        before = len(trace.neurons)
        sweep_line(oracle, line, result, box)
        if not len(trace.neurons):
            continue
        is_more = len(trace.neurons) > before
        if trace.neurons is not polished:
            with result.stage("signs", oracle):
                result.model = rough_copy(oracle, result, box)
            if not is_more or len(trace.neurons) > MORE * settled:
                with result.stage("polish", oracle):
                    if settle(oracle, result, log, rng, box):
                        settled, polished = len(trace.neurons), trace.neurons
        if is_wrong(oracle, result, *log.rows_and_answers(), rng) or is_more:
            continue
        with result.stage("polish", oracle):
            more = unseen_sides(result.model, log.rows_and_answers()[0], box, rng)
            if len(more):
                oracle.query(more)
        rows, answers = log.rows_and_answers()
        everything = Polishing(rows, len(rows), answers, box=box)
        if finish(oracle, result, everything, draw, rng):
            trace.polishing = everything
            return result
        polished = None  # on the rows of the check, too
        is_wrong(oracle, result, *log.rows_and_answers(), rng)
    raise gave_up(result, box)


def settle(oracle: Reader, result: Result, log: Log, rng: Generator, box: Box) -> bool:
    """Polish the copy on the rows that it explains: where neurons that it lacks do no harm.

    A copy that misses a neuron misses few rows by much. Without these the others are polished to
    the noise, and what is left then shows that neuron sharply. Costs no query. False where the
    rows that are explained are too few, or not explained by the noise afterwards.
    """
    rows, answers = log.rows_and_answers()
    weights = sum(w.size + b.size for w, b in result.model.dense())
    form = {"output": oracle.output, "noise": oracle.declared, "rng": rng}
    best: Polished | None = None
    for turn in range(TRIMS):
        miss = misses(oracle, result.model, rows, answers)
        kept = miss <= (ALIKE * np.median(miss) if turn < TRIMS - 1 else np.inf)
        few = kept.sum() * answers.shape[1] < SURPLUS * weights
        if few or np.median(miss) > NEAR * answers.std():
            return False
        polished = polish(
            result.model, rows[kept], answers[kept], steps=STEPS, trusts=TRUSTS[:1], **form
        )
        if best is None or polished.misfit[-1] < best.misfit[-1] or polished.converged:
            best = polished
            result.model = polished.model
    assert best is not None
    result.trace.polishing.polished = best
    if best.misfit[-1] < SETTLED * answers.std():
        result.trace.neurons = polished_rows(result.trace.neurons, best.model, box)
        return True
    return False


def unseen_sides(model: Network, rows: Array, box: Box, rng: Generator) -> Array:
    """Rows on the side of each hyperplane on which few have been asked: d directions there, (n, d).

    A neuron that is on in nearly all rows is one with the affine part of the copy, but for the rows
    in which it is off; these must differ from each other in all directions.
    """
    (a0, b0), _ = model.dense()
    more, away = [rows[:0]], (rows - rows.mean(axis=0)) / (box[1] - box[0])
    for a, c in zip(a0, b0, strict=True):
        off = rows @ a + c <= 0
        side = off if 2 * off.sum() < len(rows) else ~off
        seen = np.linalg.matrix_rank(away[side], tol=APART) if side.any() else 0
        few = len(a) - int(seen)
        near = beside(rng, box, a, c, 4 * few)
        more.append(near[(near @ a + c <= 0) == (side is off)][:few])
    return np.vstack(more)


def polished_rows(neurons: Hyperplanes, model: Network, box: Box) -> Hyperplanes:
    """The hyperplanes of a polished copy that cut the box; measured ones where these are far off.

    model : its first neurons are those, in their order
    """
    (a0, b0), (a1, _) = model.dense()
    a0, b0, a1 = a0[: len(neurons)], b0[: len(neurons)], a1[:, : len(neurons)]
    reach = [np.sort([a0 * wall for wall in box], axis=0)[i].sum(axis=1) + b0 for i in (0, 1)]
    length = np.linalg.norm(a0, axis=1)
    before, after = (
        planes / np.linalg.norm(planes, axis=1)[:, None]
        for planes in (np.column_stack([neurons.rows, neurons.offsets]), np.column_stack([a0, b0]))
    )
    good = (reach[0] < 0) & (reach[1] > 0) & (np.abs((before * after).sum(axis=1)) > TURNED)
    away = ((a0 * neurons.points).sum(axis=1) + b0) / length**2
    errors = BLUR * length / np.sqrt(a0.shape[1])
    new = Hyperplanes(a0, neurons.points - away[:, None] * a0, a1.T, errors)
    return new.only(good).and_also(neurons.only(~good)) if good.any() else neurons


class Log:
    """An oracle that keeps what it has answered: all that is paid for is polished on.

    Rows are rounded to float32 before they are asked, so that every victim sees the same; at a wall
    inwards.
    """

    def __init__(self, oracle: Oracle, box: Box, whole: bool = False):
        self.oracle, self.whole = oracle, whole
        self.asked: list[Array] = []
        self.answers: list[Array] = []
        single = [np.asarray(wall, np.float32) for wall in box]
        self.low = np.where(
            single[0] < box[0], np.nextafter(single[0], np.float32(np.inf)), single[0]
        )
        self.high = np.where(
            single[1] > box[1], np.nextafter(single[1], np.float32(-np.inf)), single[1]
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self.oracle, name)

    def query(self, x: Array) -> Array:
        """The answers to rows x (n, d). Costs n queries."""
        x = self.rounded(x)
        answers = self.oracle.query(x)
        self.asked.append(x)
        self.answers.append(answers)
        return answers

    def rounded(self, x: Array) -> Array:
        """The rows that are asked for these."""
        return np.clip(np.round(x) if self.whole else as_single(x), self.low, self.high)

    def rows_and_answers(self) -> tuple[Array, Array]:
        """All of them, in order."""
        return np.concatenate(self.asked), np.concatenate(self.answers)


def is_wrong(oracle: Reader, result: Result, rows: Array, answers: Array, rng: Generator) -> bool:
    """Does the copy miss some rows by far more than most? `trace.witness` are two to look between.

    One row that it misses least and one that it misses most, (2, d), chosen by chance: a segment
    that has shown nothing would show nothing again.
    """
    miss = misses(oracle, result.model, rows, answers)
    right = np.flatnonzero(miss <= np.median(miss))
    wrong = np.flatnonzero(miss >= HALF * miss.max())
    result.trace.witness = rows[[rng.choice(right), rng.choice(wrong)]]
    polished = result.trace.polishing.polished
    usual = max(np.median(miss), 0.0 if polished is None else polished.noise)
    return bool(miss.max() > ALIKE * usual or miss.max() > GOOD * answers.std())


def rough_copy(oracle: Reader, result: Result, box: Box) -> Network:
    """The copy that misses most rows least, of those that its neurons allow.

        2 f(x)  =  Σ_i g_i |y_i|  +  M x  +  2 m

    M from the Jacobians, where neurons that are not known yet do no harm, or from the rows, where
    all of them together tell it more exactly; and the signs of the neurons that give M, or neurons
    that are always on in place of these. Signs are preferred where they are ±1: with them a row of
    weights counts wherever its neuron is on, and need not be seen to switch.
    """
    trace = result.trace
    neurons, (rows, answers) = trace.neurons, (trace.polishing.rows, trace.polishing.answers)
    logits = logits_of(answers, oracle.output, oracle.outputs or 1)
    even = np.abs(rows @ neurons.rows.T + neurons.offsets) @ neurons.outputs
    odds = []
    if len(rows) > ENOUGH * rows.shape[1] or not trace.sites:
        odds.append(least_squares(with_ones(rows), 2 * logits - even)[:-1].T)
    if trace.sites:
        odds.append(odd_part(trace.sites, neurons))
    copies: list[tuple[float, Network]] = []
    for odd in odds:
        affine = (odd - neurons.outputs.T @ neurons.rows) / 2
        signs = trace.signs = solve_signs(odd, neurons.rows, neurons.outputs)
        for a0, b0, a1 in (
            with_remainder(neurons, affine, box),
            oriented(neurons, np.where(signs < 0, -1.0, 1.0)),
        ):
            left = logits - relu(rows @ a0.T + b0) @ a1.T
            copy = zoo.given([(a0, b0), (a1, np.median(left, axis=0))])
            miss = float(np.median(misses(oracle, copy, rows, answers)))
            if len(a0) == len(neurons) and believed(signs) and miss < NEAR * logits.std():
                return copy
            copies.append((miss, copy))
    return min(copies, key=lambda each: each[0])[1]


def misses(oracle: Reader, model: Network, rows: Array, answers: Array) -> Array:
    """By how much a copy misses the logits of each row, (n,)."""
    logits = logits_of(answers, oracle.output, oracle.outputs or 1)
    return np.abs(logits - expected(oracle, model, rows)).max(axis=1)
