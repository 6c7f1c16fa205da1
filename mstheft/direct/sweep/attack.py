"""One hidden ReLU layer in fewer queries than it has parameters: the sweep.

    f(x) = A1 relu(A0 x + b0) + b1

One random line crosses every hyperplane once; Jacobians between the kinks give the rows in groups
of up to K, and everything else is read off answers that are already paid for. `extract` tells the
story; each stage is a function that can be called, drawn and taught alone.
The method is this project's own, after Jagielski et al., USENIX Security 2020, section 4.3.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from mstheft.direct.answers.diagnosis import diagnosed
from mstheft.direct.answers.reader import Reader, check_width, reader
from mstheft.direct.answers.view import readable_view, undo
from mstheft.direct.box import Box, anywhere, is_whole, limits, middle
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.direct.polishing.finish import (
    CHECKS,
    LEAST,
    ROWS,
    ask,
    check,
    finish,
    without_spare_neurons,
)
from mstheft.direct.polishing.finish import refine as refine_copy
from mstheft.direct.sweep.coarse import between_walls
from mstheft.direct.sweep.far import NEAR_ENOUGH, FarView, can_be_outrun, nearby, spread
from mstheft.direct.sweep.lifted import lifted_copy, needed
from mstheft.direct.sweep.stages import orient, refine, search, sweep_line
from mstheft.direct.sweep.star_attack import from_pictures, is_readable
from mstheft.direct.sweep.trace import Trace, describe, gave_up, open_ends, polished_planes
from mstheft.direct.verify import checked, verify
from mstheft.direct.witness import witness
from mstheft.errors import ExtractionError
from mstheft.nn.network import Network
from mstheft.nn.student import logits_of
from mstheft.result import Result, floor
from mstheft.typing import Oracle, Rng

MOST_LINES = 8  # searched before the attack gives up
FIRST = 4  # rows for each unknown of an output, from which coarse answers show a first copy
MOST_SEGMENTS = 64  # the same in a box, where one segment meets only some of the hyperplanes


@diagnosed
def extract(
    oracle: Oracle,
    *,
    rng: Rng = None,
    hidden: int | None = None,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    tolerance: float = 1e-6,
) -> Result:
    """Steal a network with one hidden ReLU layer in about 1.0 to 1.4 F queries.

    1. all kinks t_i of a random line      2. A1_i = g_i, the slope jumps, sign included
    3. rows a_i from grouped Jacobians     4. offsets c_i = -a_i·x(t_i)
    5. all orientations at once            6. refinement, and a check on fresh inputs

    Where answers are coarse (float32, decimals, chance) stages 1 to 4 give rough hyperplanes, and
    least squares on random rows the rest of a rough copy, see `lifted`: it is polished on 3 F such
    rows, which takes nearly all of the time, and verified to the noise, see `finish`.
    Such probabilities are read where they tell most, see `view`; with four decimals or fewer hardly
    a kink can be seen in them, and `learning.sketched` is the attack.
    Another line is searched for what is missing: for a neuron out of reach of the first, a row that
    failed its self-check, or when the check on fresh inputs fails. Stages 2, 4 and 5 cost no
    query. F = (hd + Kh + K) / K is the floor; see `Result.floor`. In a box there is a stage
    'witness' as well: the next segment goes through where the copy is still wrong. Coarse answers
    in a box are stolen by `coarse.between_walls`: float32 in about 18 F; decimals mostly not.

    hidden : the width, if it is known: more neurons than that are an error
    low, high : numbers or (d,): only inputs between them are asked, on as many segments as it
        takes. Those of an oracle that says them, `inputs=(low, high)` or 'pixels', unless given
    tolerance : allowed error on fresh inputs, relative to the spread of the answers; never taken
        to be below a thousand times their rounding
    Costs about 5 h (6.5 h for K = 1) + (d + 1) (h / K + 1 to 4) + 110 queries, and 3.2 F
    where answers are coarse.
    Returns a verified `Result`; raises `ExtractionError` (which holds the partial result),
    `BudgetExhausted`, or ValueError for a box that is none.
    """
    check_width(hidden)
    rng, tolerance = np.random.default_rng(rng), checked(tolerance)
    box = limits(oracle, low, high)
    trace = Trace(Hyperplanes.none(oracle.inputs))
    result, most = Result(trace=trace), MOST_LINES if box is None else MOST_SEGMENTS
    try:
        with result.stage("line", oracle):
            if box is None:
                oracle, trace.view = readable_view(oracle, rng=rng)
            else:
                oracle = reader(oracle, *middle(box))
            trace.is_rough = not oracle.is_exact
        oracle.warn(result)
        if box is None and can_be_outrun(oracle) and outrun(oracle, result, rng, hidden, tolerance):
            return result
        if box is not None and (trace.is_rough or is_whole(oracle)):
            if is_readable(oracle):
                return from_pictures(oracle, result, rng, box, is_whole(oracle))
            return between_walls(oracle, result, rng, box)
        for _ in range(most):
            with result.stage("line", oracle):
                line = search(oracle, rng, box, trace.witness)  # 1 and 2
                trace.lines.append(line)
            left = sweep_line(oracle, line, result, box)  # 3 and 4
            if hidden is not None and len(trace.neurons) > hidden and not trace.is_rough:
                raise ExtractionError(
                    "line",
                    f"expected hidden={hidden} neurons, but {len(trace.neurons)} change sides",
                    "leave out hidden=, or use direct.deep for more hidden layers",
                    partial=result,
                )
            copy = rough_copy(oracle, result, rng) if trace.is_rough else None
            if open_ends(trace, line, left, most):
                continue  # the next line may show what this one has not
            if copy is not None:
                result.model = copy
            else:
                with result.stage("signs", oracle):
                    signs = orient(trace)  # 5
                with result.stage("refinement", oracle):
                    refine(result, signs)  # 6
            if judge(oracle, result, line.noise, tolerance, rng, box):
                return result
        raise gave_up(result, box)
    finally:
        describe(result)
        undo(trace.view, result)


def outrun(
    oracle: Reader, result: Result, rng: Generator, hidden: int | None, tolerance: float
) -> bool:
    """The whole attack on far queries, whose rounding is finer; False if that gives no copy."""
    view = FarView(oracle)
    try:
        far = extract(view, rng=rng, hidden=hidden, tolerance=tolerance)
    except ExtractionError as error:
        far = error.partial if isinstance(error.partial, Result) else Result()
    result.book(far)
    if not far.verified:
        return False
    draw = lambda n: rng.normal(size=(n, oracle.inputs))  # noqa: E731
    known = far.trace.polishing
    with result.stage("polish", oracle):
        while view.scale > NEAR_ENOUGH:
            known.rows = draw(int(ROWS * far.floor))
            if view.following <= NEAR_ENOUGH:  # small copies need more, since few of them are far
                more = max(0, min(LEAST, int(2 * ROWS * far.floor)) - len(known.rows))
                known.rows = spread(np.vstack([known.rows, draw(more)]), rng)
            far.model, known.answers = view.nearer(far.model, known.rows)
        known.rows, known.answers = view.scale * known.rows, view.scale * known.answers
        known.drawn = len(known.rows)
    near = replace(result, trace=far.trace, model=view.near(far.model))
    refine_copy(oracle, near, known, draw, rng, without_spare_neurons)
    assert known.polished is not None
    known.polished = nearby(known.polished, known.rows)
    if not check(oracle, near, known, draw, rng, CHECKS):
        return False
    result.trace, result.notes, result.model = far.trace, near.notes, near.model
    result.verified, result.error = True, near.error
    return True


def rough_copy(oracle: Reader, result: Result, rng: Generator) -> Network | None:
    """The copy of coarse answers that the rows for polishing show, of which some are asked now.

    It has the neurons that these rows need; but all that were found once polishing has got stuck,
    for spare ones come to be those that are missing. None where the rows are too few: then the
    Jacobians have to do. `trace.new` is set to how many more neurons are needed than before.
    """
    trace, planes, known = result.trace, result.trace.neurons, result.trace.polishing
    h, d = planes.rows.shape
    if not h:
        return None
    with result.stage("polish", oracle):
        n = int(min(FIRST * (h + d + 1), ROWS * floor(h * (d + oracle.outputs), oracle.outputs)))
        more = max(0, n - known.drawn)
        ask(oracle, known, rng.normal(size=(more, d)), more)
    with result.stage("signs", oracle):
        logits = logits_of(known.answers, oracle.output, oracle.outputs)
        answers = known.rows, logits, oracle.sigma(logits)
        which = needed(planes, *answers)
        trace.new, trace.needed = min(trace.new, max(0, len(which) - trace.needed)), len(which)
        lifted = lifted_copy(planes.only(which) if known.polished is None else planes, *answers)
        if lifted is None:
            return None
        trace.signs, copy = lifted
    return copy


def judge(
    oracle: Reader, result: Result, noise: float, tolerance: float, rng: Generator, box: Box | None
) -> bool:
    """The check on fresh inputs; in a box also `trace.witness`, if the copy is wrong somewhere.

    A copy of coarse answers is polished first.
    """
    if result.trace.is_rough:
        draw = lambda n: rng.normal(size=(n, oracle.inputs))  # noqa: E731
        same = finish(oracle, result, result.trace.polishing, draw, rng)
        polished = result.trace.polishing.polished
        if polished is not None and polished.converged:  # what is stuck has spoilt right rows
            result.trace.neurons = polished_planes(result)
        return same
    if box is None:
        return verify(result, oracle, rng=rng, tolerance=tolerance, noise=noise)
    with result.stage("witness", oracle):
        pair = result.trace.witness = witness(oracle, result.model, noise, tolerance, rng, box)
    rows = anywhere(rng, box, 100)
    return pair is None and verify(
        result, oracle, rng=rng, tolerance=tolerance, noise=noise, rows=rows
    )
