"""Learned in a sketch, lifted, polished: a hidden layer behind coarse answers, in few queries.

    f(Q y)  =  A1 relu((A0 Q) y + b0) + b1,      Q (d, q) orthonormal, q ≪ d

Where answers have few decimals no kink can be seen. But on a random subspace the victim is again a
network of the same neurons, with q inputs in place of d, and a student learns that to exact from a
fraction of the rows and of the time. What is left is the part of every row outside the subspace:

    learn     `exact` on rows of the subspace: A0 Q, b0, A1, b1
    lift      polish on rows a little outside it, where the answers are nearly linear in what is new
    finish    polish on rows of N(0, I), verified to the noise, as every direct attack ends

Probabilities are asked where they tell most, see `direct.answers.view`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mstheft.direct.answers.reader import Reader, as_single, check_width, reader
from mstheft.direct.answers.view import View, readable_view, undo
from mstheft.direct.polishing.finish import Polishing, finish
from mstheft.direct.polishing.polish import TRUSTS, polish
from mstheft.errors import ExtractionError
from mstheft.learning import exact
from mstheft.nn import zoo
from mstheft.nn.network import Network
from mstheft.result import Result, count, floor
from mstheft.typing import Array, Oracle, Rng

AXES = 1.5  # of the sketch, in neurons
TIMES = 16  # rows in the sketch, in F of the network that is seen there
FARTHER = 2.0  # times the scale at which the logits of all classes can be read
COARSE = 2  # decimals up to which twice as many rows are asked, in the sketch and at the end
GUESS, MOST = 32, 128  # neurons, where nobody knows; doubled while the student is stuck
OUTSIDE = 0.1  # how far rows of the lift leave the sketch, relative to rows of N(0, I)
ROWS, STEPS = 3.0, 5  # of the lift: rows in F, and Gauss-Newton steps


@dataclass
class Trace:
    """What the stages saw.

    view : where probabilities were read; all that the trace holds is in its units
    learned : the result of `exact` in the last sketch
    """

    view: View | None = None
    learned: Result | None = None
    polishing: Polishing = field(default_factory=Polishing)


class Sketch:
    """An oracle seen on a random subspace of its inputs: it answers rows y (n, q) at x = axes y.

    axes : (d, q) orthogonal columns of length √(d / q), so that x is as long as a row of N(0, I_d)
    """

    def __init__(self, oracle: Reader, axes: int, rng: np.random.Generator):
        self.oracle, d = oracle, oracle.inputs
        self.inputs = axes
        self.axes: Array = np.linalg.qr(rng.normal(size=(d, axes)))[0] * math.sqrt(d / axes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.oracle, name)

    def query(self, y: Array) -> Array:
        """Answers to rows y (n, q). Costs n queries."""
        return self.oracle.query(y @ self.axes.T)

    def lifted(self, model: Network) -> Network:
        """A copy with q inputs as one with d, blind to what lies outside the subspace."""
        (w, b), last = model.dense()
        d, q = self.axes.shape
        return zoo.given([(w @ self.axes.T * (q / d), b), last])

    def beside(self, n: int, rng: np.random.Generator) -> Array:
        """Random rows near the subspace, (n, d)."""
        x = rng.normal(size=(n, len(self.axes)))
        d, q = self.axes.shape
        inside = x @ self.axes @ self.axes.T * (q / d)
        return as_single(math.sqrt(d / q) * inside + OUTSIDE * (x - inside))


def extract(oracle: Oracle, *, hidden: int | None = None, rng: Rng = None) -> Result:
    """Steal one hidden relu layer behind few decimals, logits or probabilities.

    hidden : the width, if it is known; else 32, 64 and 128 are tried until a student is not stuck
    784-64-10 costs 7 to 9 F queries: 1 to 3 F in the sketch, 3 F for the lift, and 3.1 F for the
    polish and the check; 10 to 11 F at two decimals or fewer. Where kinks can be seen and the
    victim is small, `direct.sweep` needs fewer. A neuron whose part of the answers is far below
    their noise may be missing: the error is then within what the copy's check states.
    Returns a `Result` that is verified to the noise; raises `ExtractionError`, which holds the
    partial result, or `BudgetExhausted`.
    """
    check_width(hidden)
    rng = np.random.default_rng(rng)
    trace = Trace()
    result = Result(trace=trace)
    try:
        with result.stage("view", oracle):
            here, trace.view = farther(*readable_view(oracle, rng=rng))
        here.warn(result)
        with result.stage("sketch", here):
            twice = 1 + (here.grid.kind == "decimals" and (here.grid.decimals or 0) <= COARSE)
            sketch = learn(here, result, hidden, twice * TIMES, rng)
        if len(sketch.axes) > sketch.inputs:
            with result.stage("lift", here):
                lift(sketch, result, rng)
        trace.polishing.wanted *= twice
        draw = lambda n: rng.normal(size=(n, here.inputs))  # noqa: E731
        if finish(here, result, trace.polishing, draw, rng):
            return result
        raise ExtractionError(
            "verify",
            f"the polished copy is off by {result.error:.2g} on fresh rows",
            "ask for more decimals, or give hidden=; the victim must have one hidden relu layer",
            partial=result,
        )
    finally:
        undo(trace.view, result)


def farther(here: Reader, view: View | None) -> tuple[Reader, View | None]:
    """Ask twice as far out as the logits can be read, where probabilities are decimals.

    A student is fitted to the probabilities themselves, so that a probability of 0 tells it
    something too.
    """
    if view is None or here.grid.is_relative:
        return here, view
    view = View(view.oracle, view.centre, FARTHER * view.scale)
    start, direction = np.random.default_rng(0).normal(size=(2, here.inputs))
    return reader(view, start / 10, direction), view


def learn(
    oracle: Reader, result: Result, hidden: int | None, times: float, rng: np.random.Generator
) -> Sketch:
    """The victim on a subspace, learned to exact or nearly so: `result.model`, with d inputs.

    A student that is stuck is too narrow: a wider one gets more rows of a larger subspace. One
    that only the elimination of its spare neurons has left above the noise is rough, and is lifted.
    times : rows that are asked there, in F of the network that is seen
    """
    outputs = exact.numbers(oracle.first.shape[1], oracle.output)
    width = hidden or GUESS
    while True:
        sketch = Sketch(oracle, min(oracle.inputs, math.ceil(AXES * width)), rng)
        rows = math.ceil(times * floor((sketch.inputs + outputs) * width, outputs))
        learned: Result
        try:
            learned = exact.extract(sketch, rows=rows + exact.FRESH, hidden=width, rng=rng)
        except ExtractionError as error:
            if error.stage != "eliminate":
                if hidden is not None or 2 * width > MOST:
                    raise
                width *= 2
                continue
            learned = error.partial  # type: ignore[assignment]
        result.trace.learned = learned
        result.model = sketch.lifted(learned.model)
        neurons = count(len(learned.model.dense()[0][1]), "neuron")
        result.notes["sketch"] = f"{neurons} on {sketch.inputs} of {oracle.inputs} axes"
        return sketch


def lift(sketch: Sketch, result: Result, rng: np.random.Generator) -> None:
    """What the rows of A0 are outside the subspace, to some ten per cent.

    There z = A0 x + b0 moves by a tenth of what it moves inside, so that few neurons change sides
    and the answers are nearly linear in the part of A0 that is not known. Costs 3 F queries.
    """
    x = sketch.beside(math.ceil(ROWS * result.floor), rng)
    form = {"output": sketch.output, "noise": sketch.declared, "rng": rng}
    lifted = polish(result.model, x, sketch.oracle.query(x), steps=STEPS, trusts=TRUSTS[:1], **form)
    result.model = lifted.model
    result.notes["lift"] = (
        f"misfit {lifted.misfit[0]:.1e}, then {lifted.misfit[-1]:.1e}; noise {lifted.noise:.1e}"
    )
