"""One hidden ReLU layer, stolen in the lecture's four steps.

    f(x) = A1 relu(A0 x + b0) + b1

`extract` tells the story; each step is a function that can be called, drawn and taught alone.
Source: Jagielski, Carlini, Berthelot, Kurakin, Papernot, USENIX Security 2020, section 4.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from mstheft import progress
from mstheft.direct import line as lines
from mstheft.direct.answers.diagnosis import diagnosed
from mstheft.direct.answers.reader import Reader, reader
from mstheft.direct.answers.view import View, readable_view, undo
from mstheft.direct.box import Box, anywhere, inner_segment, limits, middle, refuse_whole
from mstheft.direct.hyperplanes.hyperplanes import (
    ALIKE,
    Hyperplanes,
    crossings,
    oriented,
    with_neuron,
    with_remainder,
)
from mstheft.direct.polishing.finish import Polishing, finish
from mstheft.direct.relu.absolute_weights import absolute_weights
from mstheft.direct.relu.last_layer import affine_remainder, assemble, solve_last_layer
from mstheft.direct.relu.signs import relative_signs, signs_of
from mstheft.direct.verify import checked, verify
from mstheft.direct.witness import witness
from mstheft.errors import ExtractionError
from mstheft.result import Result, count
from mstheft.typing import Array, Oracle, Rng

MOST_LINES, MOST_SEGMENTS = 8, 64  # searched before the attack gives up; the latter in a box
ROOM = 0.05  # of a box, that a segment leaves free at every wall
CHECKS = 100  # fresh rows all over it
TRIES = 7  # steps tried per critical point, each a quarter of the one before
SEEN = 1e-4  # how far a solved A1[:, i], of length 1, may lie from what the line showed of it
NEAR = 1e3  # |t| up to which a kink is sharp enough to read a neuron's offset from it


@dataclass
class Trace:
    """What the steps saw: the lines, the neurons (with outputs of length 1), their own signs.

    box : walls, where there are any; witness : (2, d) where the copy is right and where wrong
    view : where coarse probabilities were read; all that the trace holds is in its units
    """

    neurons: Hyperplanes
    lines: list[lines.Line] = field(default_factory=list)
    neuron_signs: Array | None = None
    polishing: Polishing = field(default_factory=Polishing)
    box: Box | None = None
    witness: Array | None = None
    view: View | None = None


@diagnosed
def extract(
    oracle: Oracle,
    *,
    rng: Rng = None,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    tolerance: float = 1e-6,
) -> Result:
    """Steal a network with one hidden ReLU layer; its width need not be known.

    1. critical points on a random line
    2. absolute weights of each neuron, from second differences
    3. signs: inside each row relative to its largest entry, then the neuron's own
    4. the last layer by least squares; and a check on fresh inputs

    Another line is searched until one shows nothing new; and when the check fails, rows that are
    not exact are measured again there. Costs about 4 (d + 1) h + 10 h + 110 queries (16 h in place
    of 10 h for K = 1), and 2 d + 1 for each row that is tried again.
    low, high : numbers or (d,): only inputs between them are asked, on up to 64 segments, each
        through a place where the copy is still wrong. Those of the oracle's `inputs=` unless given
    tolerance : allowed error on fresh inputs, relative to the spread of the answers; never taken
    to be below a thousand times their rounding
    Returns a verified `Result`; raises `ExtractionError` (which holds the partial result) or
    `BudgetExhausted`.
    """
    rng, tolerance = np.random.default_rng(rng), checked(tolerance)
    result = Result()
    with result.stage("critical points", oracle):
        box = limits(oracle, low, high)
        trace = result.trace = Trace(Hyperplanes.none(oracle.inputs), box=box)
        trace.polishing.box = box
        if box is None:
            oracle, trace.view = readable_view(oracle, rng=rng)
        else:
            refuse_whole(oracle)
            oracle = reader(oracle, *middle(box))
    most = MOST_LINES if box is None else MOST_SEGMENTS
    oracle.warn(result)
    try:
        for _ in range(most):
            with result.stage("critical points", oracle):
                line = find_critical_points(oracle, rng, box, trace.witness)  # 1
                trace.lines.append(line)
            is_enough = result.model is None or box is not None
            exact = trace.neurons if is_enough else exact_half(trace.neurons)
            new = unexplained(line, exact)
            measure_rows(oracle, line, new, result)  # 2, and 3: relative signs
            last = len(trace.lines) == most
            is_open = new or (oracle.is_exact and line.unresolved)
            if not len(trace.neurons) or (is_open and not last):
                continue  # the next line may show what this one has not, or that it is all
            with result.stage("neuron signs", oracle):
                trace.neuron_signs = signs_of(oracle, trace.neurons, rng, box)  # 3: its own
            with result.stage("last layer", oracle):
                agrees = last_layer(oracle, result, rng)  # 4
            if judge(oracle, result, agrees, tolerance, rng):
                return result
        raise _gave_up(result)
    finally:
        describe(result)
        undo(trace.view, result)


def find_critical_points(
    oracle: Oracle, rng: Generator, box: Box | None = None, endpoints: Array | None = None
) -> lines.Line:
    """Step 1. A line u + t v with u, v ~ N(0, I), and every kink on it.

    In a box a segment, through two random points or `endpoints` (2, d): not up to the walls, so
    that there is room for a step to all sides.
    """
    if box is not None:
        start, direction, low, high = inner_segment(rng, box, endpoints, ROOM)
        return lines.search(oracle, start, direction, low=low, high=high)
    start, direction = rng.normal(size=(2, oracle.inputs))
    return lines.search(oracle, start, direction)


def unexplained(line: lines.Line, neurons: Hyperplanes) -> list[int]:
    """Kinks of a line at which no known neuron changes sides. No queries."""
    t, off = crossings(line, neurons)
    allowed = np.clip(1e3 * line.noise + off / (1 + np.abs(t)), 1e-6, ALIKE)
    far = np.abs(line.kinks[:, None] - t) > allowed * (1 + np.abs(line.kinks[:, None]))  # (n, h)
    return [int(i) for i in np.flatnonzero(far.all(axis=1))]


def exact_half(neurons: Hyperplanes) -> Hyperplanes:
    """The neurons whose rows are exact. Once a copy has failed, the others are measured again."""
    errors = neurons.relative_errors
    return neurons.only(errors <= np.median(errors))


def measure_rows(oracle: Oracle, line: lines.Line, kinks: list[int], result: Result) -> None:
    """Steps 2 and 3 at each kink.

    A kink beyond |t| = 1000 blurs the neuron's offset, and a row that never passes its self-check
    is wrong: both are left to another line.
    """
    box = result.trace.box
    room = np.inf if box is None else ROOM / 2 * float((box[1] - box[0]).min())
    with progress.bar("rows", len(kinks), "neuron") as bar:
        for i in kinks:
            if abs(line.kinks[i]) < NEAR:
                neuron = measure_row(oracle, line, i, result, room)
                if neuron is not None:
                    result.trace.neurons = with_neuron(result.trace.neurons, neuron)
            bar.update(1)


def measure_row(
    oracle: Oracle, line: lines.Line, kink: int, result: Result, room: float = np.inf
) -> Hyperplanes | None:
    """Steps 2 and 3 at one critical point, with smaller and smaller steps until the row fits.

    The self-check costs nothing: the line has already shown the slope jump |a·v| A1_i, and the
    row must reproduce it. A step that crossed another neuron's hyperplane does not. No row is
    believed whose largest entry does not stand above its rounding.
    room : the longest step
    Returns one neuron, or None.
    """
    t, jump = line.kinks[kink], line.jumps[kink]
    point, size = line.points(t), float(np.linalg.norm(jump))
    output, noise = jump / size, line.noise * (1 + abs(t))
    step = min(room, first_step(line.noise / size) * (1 + abs(t)))
    for _ in range(TRIES):
        with result.stage("absolute weights", oracle):
            absolute, stray = absolute_weights(oracle, point, step, output)  # 2
        error = 8 * noise / step + 1e-9 * float(absolute.max())
        if stray <= error < absolute.max():
            with result.stage("relative signs", oracle):
                signs, stray = relative_signs(oracle, point, step, output, absolute)  # 3
            row = absolute * signs
            miss = abs(abs(row @ line.direction) - size) / np.linalg.norm(line.direction)
            if max(stray, miss) <= error:
                return Hyperplanes(row[None], point[None], output[None], np.array([error]))
        step /= 4
    return None


def first_step(noise: float) -> float:
    """A difference step for |x| of the size of N(0, I): small, but larger where answers are coarse.

    Too large crosses other hyperplanes, too small drowns in rounding; the cube root of the noise
    balances the two.

    noise : of an answer, relative to the slope jump of the kink
    """
    return 1e-3 * float(np.clip((noise / 1e-14) ** (1 / 3), 1, 300))


def judge(oracle: Reader, result: Result, agrees: bool, tolerance: float, rng: Generator) -> bool:
    """The check on fresh rows. A copy of coarse answers is polished first.

    agrees : with what the lines showed? If not, or if the check fails, the copy is tried with an
        affine remainder in place of the neurons' signs
    """
    box = result.trace.box
    if not oracle.is_exact:

        def draw(n: int) -> Array:
            return rng.normal(size=(n, oracle.inputs)) if box is None else anywhere(rng, box, n)

        if finish(oracle, result, result.trace.polishing, draw, rng):
            return True
        with result.stage("last layer", oracle):
            last_layer_without_signs(oracle, result, rng)
        return finish(oracle, result, result.trace.polishing, draw, rng)
    noise = result.trace.lines[-1].noise
    if agrees and is_right(oracle, result, noise, tolerance, rng):
        return True
    with result.stage("last layer", oracle):
        last_layer_without_signs(oracle, result, rng)
    return is_right(oracle, result, noise, tolerance, rng)


def is_right(
    oracle: Reader, result: Result, noise: float, tolerance: float, rng: Generator
) -> bool:
    """The check on fresh rows; in a box on 1,000 before, until one of them is a witness."""
    box, rows = result.trace.box, None
    if box is not None:
        with result.stage("witness", oracle):
            pair = witness(oracle, result.model, noise, tolerance, rng, box)
        result.trace.witness, rows = pair, anywhere(rng, box, CHECKS)
        if pair is not None:
            return False
    return verify(result, oracle, rng=rng, tolerance=tolerance, noise=noise, rows=rows)


def last_layer(oracle: Oracle, result: Result, rng: Generator) -> bool:
    """Step 4: the copy; and do its output weights agree with what the lines showed of them?"""
    neurons = result.trace.neurons
    a0, b0, _ = oriented(neurons, result.trace.neuron_signs)
    weights, bias = solve_last_layer(oracle, a0, b0, neurons.points, rng, result.trace.box)
    result.model = assemble(a0, b0, weights, bias)
    moved = np.abs(weights.T - neurons.outputs).max(axis=1)
    return bool((moved < SEEN + 100 * neurons.relative_errors).all())


def last_layer_without_signs(oracle: Oracle, result: Result, rng: Generator) -> None:
    """Step 4 where the neurons have no definite signs: a copy with an affine remainder.

    Such are opposite twins on one hyperplane, or more neurons than the answers can tell apart.
    """
    neurons = result.trace.neurons
    planes, box = (neurons.rows, neurons.offsets, neurons.outputs), result.trace.box
    affine, bias = affine_remainder(oracle, *planes, rng, box)
    a0, b0, a1 = with_remainder(neurons, affine, box)
    if box is not None:  # a neuron that is always on has an offset of its own
        bias = bias - a1[:, len(neurons) :] @ b0[len(neurons) :]
    result.model = assemble(a0, b0, a1, bias)


def describe(result: Result) -> None:
    """One line on what each stage found, as far as the attack came."""
    trace, notes = result.trace, result.notes
    kinks = sum(len(line.kinks) for line in trace.lines)
    if trace.lines:
        notes["critical points"] = f"{count(kinks, 'kink')} on {count(len(trace.lines), 'line')}"
    if len(trace.neurons):
        rows, weights = count(len(trace.neurons), "row"), trace.neurons.rows.shape[1]
        notes["absolute weights"] = f"{rows} of {weights:,} without signs"
        notes["relative signs"] = f"signs within {rows}"
    if trace.neuron_signs is not None:
        notes["neuron signs"] = f"{count(len(trace.neuron_signs), 'sign')}, one per neuron"
    if result.model is not None:
        weight, bias = result.model.dense()[-1]
        notes["last layer"] = (
            f"{count(weight.size, 'weight')} and {count(len(bias), 'bias', 'biases')}"
        )


def _gave_up(result: Result) -> ExtractionError:
    trace = result.trace
    kinks, neurons = max(len(line.kinks) for line in trace.lines), len(trace.neurons)
    if kinks == 0:
        stage, advice = "critical points", "try direct.linear"
        why = "no kink on any line, so the victim is linear or its answers are too coarse"
    elif neurons == 0:
        stage, advice = "absolute weights", "try direct.deep for more hidden layers"
        why = f"none of {kinks} kinks gave a row that agrees with its line"
    else:
        stage, advice = "verify", "learn a copy with learning.active: this is no such network"
        why = (
            f"the copy with {neurons} neurons from {len(trace.lines)} lines is off by "
            f"{result.error:.2g}"
        )
    return ExtractionError(stage, why, f"ask for more digits, or {advice}", partial=result)
