"""One hidden ReLU layer, stolen in the lecture's four steps and a last layer.

    f(x) = A1 relu(A0 x + b0) + b1

`extract` tells the story; each step is a function that can be called, drawn and taught alone.
Source: Jagielski, Carlini, Berthelot, Kurakin, Papernot, USENIX Security 2020, section 4.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from mstheft import progress
from mstheft.direct import line as lines
from mstheft.direct.relu.last_layer import (
    neuron_signs,
    signs_by_least_squares,
    solve_last_layer,
    with_remainder,
)
from mstheft.direct.relu.second_differences import (
    absolute_weights,
    relative_signs,
    second_difference,
)
from mstheft.direct.verify import checked, verify
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.nn.network import Network
from mstheft.result import Result, count
from mstheft.typing import Array, Oracle, Rng

__all__ = [
    "Neuron",
    "absolute_weights",
    "assemble",
    "extract",
    "finish",
    "measure_row",
    "measure_rows",
    "neuron_signs",
    "random_line",
    "relative_signs",
    "second_difference",
    "signs_by_least_squares",
    "solve_last_layer",
    "unexplained",
    "with_remainder",
]

LINES = 8  # lines searched before the attack gives up
TRIES = 7  # steps tried per critical point, each a quarter of the one before
CLEAR = 4  # a row is believed if its largest entry exceeds its rounding so many times
ALIKE = 1e-2  # relative distance up to which coarse answers may make one neuron look like two
INDEPENDENT = 1e6  # condition number of the rows up to which step 4 moves one neuron alone
SEEN = 1e-4  # how far a solved A1[:, i], of length 1, may lie from what the line showed of it
NEAR = 1e3  # |t| up to which a kink is sharp enough to read a neuron's offset from it


@dataclass
class Neuron:
    """A hidden neuron as far as a critical point tells: everything but its own sign.

    row : (d,) a_i, scaled so that the output weights have length 1, with an unknown sign
    offset : c_i, so that the hyperplane is a_i·x + c_i = 0
    output : (K,) unit vector, the direction of A1[:, i]
    point, step : the critical point and the difference step that passed the self-check
    blur : how far rounding may have moved an entry of the row
    absolute, signs : (d,) what steps 2 and 3 measured: |a_ij|, and ±1 relative to the largest
    """

    row: Array
    offset: float
    output: Array
    point: Array
    step: float
    blur: float
    absolute: Array
    signs: Array


def extract(oracle: Oracle, *, rng: Rng = None, tolerance: float = 1e-6) -> Result:
    """Steal a network with one hidden ReLU layer; its width need not be known.

    1. critical points on a random line     2. absolute weights from second differences
    3. relative signs from pairs            4. the sign of each neuron
    5. the last layer by least squares, and a check on fresh inputs

    Another line is searched until one shows nothing new, and when the check fails also for a
    sharper look at blurred rows. Costs about 4 (d + 1) h + 10 h + 110 queries (16 h in place of
    10 h for K = 1), and 2 d + 1 for each row that is tried again.
    tolerance : allowed error on fresh inputs, relative to the spread of the answers; never taken
    to be below a thousand times their rounding
    Returns a verified `Result`; raises `ExtractionError` (which holds the partial result) or
    `BudgetExhausted`.
    """
    result = Result(trace=SimpleNamespace(lines=[], neurons=[]))
    try:
        return _story(oracle, np.random.default_rng(rng), checked(tolerance), result)
    finally:
        tell(result)


def _story(oracle: Oracle, rng: np.random.Generator, tolerance: float, result: Result) -> Result:
    found: list[Neuron] = result.trace.neurons
    for _ in range(LINES):
        with result.stage("critical points", oracle):
            line = random_line(oracle, rng)
            result.trace.lines.append(line)
        new = unexplained(line, found if result.model is None else sharper_half(found))
        missed = len(new) - measure_rows(oracle, line, new, result)
        open_ends = missed or new or line.unresolved
        if not found or (open_ends and len(result.trace.lines) < LINES):
            continue  # the next line may show what this one has not, or that it is all
        if finish(oracle, line.noise, tolerance, result, rng):
            result.trace.line = result.trace.lines[0]
            return result
    raise _gave_up(result)


def tell(result: Result) -> None:
    """One line on what each stage found, as far as the attack came."""
    trace, told = result.trace, result.found
    kinks = sum(len(line.kinks) for line in trace.lines)
    if trace.lines:
        told["critical points"] = f"{count(kinks, 'kink')} on {count(len(trace.lines), 'line')}"
    if trace.neurons:
        rows, weights = count(len(trace.neurons), "row"), len(trace.neurons[0].row)
        told["absolute weights"] = f"{rows} of {weights:,} without signs"
        told["relative signs"] = f"signs within {rows}"
    if (signs := getattr(trace, "neuron_signs", None)) is not None:
        told["neuron signs"] = f"{count(len(signs), 'sign')}, one per neuron"
    if result.model is not None:
        weight, bias = result.model.dense()[-1]
        told["last layer"] = (
            f"{count(weight.size, 'weight')} and {count(len(bias), 'bias', 'biases')}"
        )


def _gave_up(result: Result) -> ExtractionError:
    lines, found = result.trace.lines, len(result.trace.neurons)
    kinks = max(len(line.kinks) for line in lines)
    if kinks == 0:
        return ExtractionError(
            "critical points",
            "no kink on any line, so the victim is linear or its answers are too coarse",
            "try direct.linear, or ask for more digits",
            partial=result,
        )
    if not found:
        return ExtractionError(
            "absolute weights",
            f"none of {kinks} kinks gave a row that agrees with its line, so the answers are too "
            "coarse or the victim has more than one hidden layer",
            "ask for more digits, or try fewer hidden layers",
            partial=result,
        )
    return ExtractionError(
        "verify",
        f"the copy with {found} neurons from {len(lines)} lines (of {kinks} kinks) is off by "
        f"{result.error:.2g}, so the victim is not a network with one hidden ReLU layer or the "
        "answers are too coarse",
        "ask for more digits (float64), or learn a copy with learning.active",
        partial=result,
    )


def random_line(oracle: Oracle, rng: np.random.Generator) -> lines.Line:
    """Step 1. A line u + t v with u, v ~ N(0, I), and every kink on it."""
    start, direction = rng.normal(size=(2, oracle.inputs))
    return lines.search(oracle, start, direction)


def unexplained(line: lines.Line, found: list[Neuron]) -> list[int]:
    """Kinks of a line at which no neuron found so far changes sides. No queries.

    Neuron i changes sides at t = -(a_i·u + c_i) / (a_i·v), which is as uncertain as a_i times the
    distance from the point at which a_i was measured.
    """
    if not found:
        return list(range(len(line.kinks)))
    rows, offsets, points, blurs = (
        np.array([getattr(n, name) for n in found]) for name in ("row", "offset", "point", "blur")
    )
    speed = rows @ line.direction
    known = -(rows @ line.start + offsets) / speed
    slack = blurs * np.linalg.norm(line.points(known) - points, axis=1) / np.abs(speed)
    allowed = np.clip(1e3 * line.noise + slack / (1 + np.abs(known)), 1e-6, ALIKE)
    far = np.abs(line.kinks[:, None] - known) > allowed * (1 + np.abs(line.kinks[:, None]))
    return [int(i) for i in np.flatnonzero(far.all(axis=1))]


def sharper_half(found: list[Neuron]) -> list[Neuron]:
    """The neurons whose rows are sharp. Once a copy has failed, the others are measured again."""
    blurs = np.array([n.blur / np.linalg.norm(n.row) for n in found])
    return [n for n, blur in zip(found, blurs, strict=True) if blur <= np.median(blurs)]


def measure_rows(oracle: Oracle, line: lines.Line, kinks: list[int], result: Result) -> int:
    """Steps 2 and 3 at each kink; returns how many rows were found.

    A kink beyond |t| = 1000 blurs the neuron's offset, and a row that never passes its self-check
    is wrong: both are left to another line.
    """
    rows = 0
    with progress.bar("rows", len(kinks), "neuron") as bar:
        for i in kinks:
            if abs(line.kinks[i]) < NEAR:
                neuron = measure_row(oracle, line, i, result)
                if neuron is not None:
                    keep(result.trace.neurons, neuron)
                    rows += 1
            bar.update(1)
    return rows


def keep(found: list[Neuron], neuron: Neuron) -> None:
    """Add a neuron, or keep the sharper of two rows where it has been found before. No queries.

    Two rows are of one neuron if they are parallel and their hyperplanes meet the same points.
    """
    size = np.linalg.norm(neuron.row)
    for i, other in enumerate(found):
        length = np.linalg.norm(other.row)
        slack = min(ALIKE, neuron.blur / size + other.blur / length)
        apart = abs(other.row @ neuron.point + other.offset) / length
        turn = other.row / length * np.sign(other.row @ neuron.row) - neuron.row / size
        way = 1 + np.linalg.norm(neuron.point - other.point)
        if np.abs(turn).max() <= slack and apart <= slack * way:
            if neuron.blur / size < other.blur / length:
                found[i] = neuron
            return
    found.append(neuron)


def measure_row(oracle: Oracle, line: lines.Line, kink: int, result: Result) -> Neuron | None:
    """Steps 2 and 3 at one critical point, with smaller and smaller steps until the row fits.

    The self-check costs nothing: the line has already shown the slope jump |a·v| A1_i, and the
    row must reproduce it. A step that crossed another neuron's hyperplane does not. No row is
    believed that stands less than 4 times above its rounding.
    """
    t, jump = line.kinks[kink], line.jumps[kink]
    point, size = line.points(t), float(np.linalg.norm(jump))
    noise = line.noise * (1 + abs(t))
    step = first_step(line.noise / size) * (1 + abs(t))
    for _ in range(TRIES):
        with result.stage("absolute weights", oracle):
            absolute, stray = absolute_weights(oracle, point, step, jump / size)
        blur = 8 * noise / step + 1e-9 * float(absolute.max())
        if stray <= blur < absolute.max() / CLEAR:
            with result.stage("relative signs", oracle):
                signs, stray = relative_signs(oracle, point, step, jump / size, absolute)
            row = absolute * signs
            offset = -float(row @ point)
            miss = abs(abs(row @ line.direction) - size) / np.linalg.norm(line.direction)
            if max(stray, miss) <= blur:
                return Neuron(row, offset, jump / size, point, step, blur, absolute, signs)
        step /= 4
    return None


def first_step(noise: float) -> float:
    """A difference step for |x| of the size of N(0, I): small, but larger where answers are coarse.

    noise : of an answer, relative to the slope jump of the kink

    Too large crosses other hyperplanes, too small drowns in rounding; the cube root of the noise
    balances the two.
    """
    return 1e-3 * float(np.clip((noise / 1e-14) ** (1 / 3), 1, 300))


def finish(
    oracle: Oracle, noise: float, tolerance: float, result: Result, rng: np.random.Generator
) -> bool:
    """Steps 4 and 5 and the check on fresh inputs; True when the copy in `result` is verified.

    Where the neurons have no definite signs (opposite twins on one hyperplane, or more neurons than
    the answers can tell apart) the signs are left and an affine remainder is carried instead.
    """
    rows, offsets, outputs, points, blurs = (
        np.array([getattr(n, name) for n in result.trace.neurons])
        for name in ("row", "offset", "output", "point", "blur")
    )
    with result.stage("neuron signs", oracle):
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        if len(rows) < oracle.inputs and np.linalg.cond(unit) < INDEPENDENT:
            signs = neuron_signs(oracle, rows, offsets)
        else:
            signs = signs_by_least_squares(oracle, rows, offsets, outputs, rng)
    result.trace.neuron_signs = signs
    a0, b0 = rows * signs[:, None], offsets * signs
    with result.stage("last layer", oracle):
        weights, bias = solve_last_layer(oracle, a0, b0, points, rng)
        result.model = assemble(a0, b0, weights, bias)
    moved = np.abs(weights.T - outputs).max(axis=1)  # the line showed the outputs
    seen = (moved < SEEN + 100 * blurs / np.linalg.norm(rows, axis=1)).all()
    if seen and verify(result, oracle, rng=rng, tolerance=tolerance, noise=noise):
        return True
    with result.stage("last layer", oracle):
        result.model = assemble(*with_remainder(oracle, rows, offsets, outputs, rng))
    return verify(result, oracle, rng=rng, tolerance=tolerance, noise=noise)


def assemble(rows: Array, offsets: Array, weights: Array, bias: Array) -> Network:
    """A Network from A0 (h, d), b0 (h,), A1 (K, h), b1 (K,)."""
    return zoo.given([(rows, offsets), (weights, bias)])
