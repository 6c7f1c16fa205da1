"""One hidden ReLU layer in fewer queries than it has parameters: the sweep.

    f(x) = A1 relu(A0 x + b0) + b1

One random line crosses every hyperplane once; Jacobians between the kinks give the rows in groups
of up to K, and everything else is read off answers that are already paid for. `extract` tells the
story; each stage is a function that can be called, drawn and taught alone.
The method is this project's own, after Jagielski et al., USENIX Security 2020, section 4.3.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from mstheft.direct import line as lines
from mstheft.direct.answers import check_width
from mstheft.direct.hyperplanes.groups import measure_groups
from mstheft.direct.hyperplanes.hyperplanes import Neurons, jump_blurs, match, right_slopes, sharper
from mstheft.direct.hyperplanes.jacobians import Stand, noise_along, stand
from mstheft.direct.hyperplanes.plan import Plan, plan
from mstheft.direct.sweep.box import Box, anywhere, segment, walls, witness
from mstheft.direct.sweep.refine import misfit, refine_rows
from mstheft.direct.sweep.signs import (
    believed,
    explained,
    last_bias,
    odd_part,
    solve_signs,
    with_remainder,
    with_signs,
)
from mstheft.direct.verify import checked, verify
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.result import Result, count
from mstheft.typing import Array, Oracle, Rng

MET = 1e4  # times the rounding up to which answers are met: far out they carry more of it
LINES = 8  # lines searched before the attack gives up
SEGMENTS = 64  # the same in a box, where one segment meets only some of the hyperplanes


def extract(
    oracle: Oracle,
    *,
    rng: Rng = None,
    hidden: int | None = None,
    low: Any = None,
    high: Any = None,
    tolerance: float = 1e-6,
) -> Result:
    """Steal a network with one hidden ReLU layer in about 1.0 to 1.4 F queries.

    1. all kinks t_i of a random line      2. A1_i = g_i, the slope jumps, sign included
    3. rows a_i from grouped Jacobians     4. offsets c_i = -a_i·x(t_i)
    5. all orientations at once            6. refinement, and a check on fresh inputs

    Another line is searched for what is missing: for a neuron out of reach of the first, a row that
    failed its self-check, or when the check on fresh inputs fails. Stages 2, 4 and 5 cost no
    query. F = (hd + Kh + K) / K is the floor; see `Result.floor`. In a box there is a stage
    'witness' as well: where is the copy still wrong? There the next segment goes through.

    hidden : the width, if it is known: more neurons than that are an error
    low, high : numbers or (d,): only inputs between them are asked, on as many segments as it takes
    tolerance : allowed error on fresh inputs, relative to the spread of the answers; never taken
        to be below a thousand times their rounding
    Costs about 5.4 h (8 h for K = 1) + (d + 1) (h / K + 1 to 4) + 100 queries.
    Returns a verified `Result`; raises `ExtractionError` (which holds the partial result),
    `BudgetExhausted`, or ValueError for a box that is none.
    """
    check_width(hidden)
    rng, tolerance = np.random.default_rng(rng), checked(tolerance)
    box = walls(oracle.inputs, low, high)
    d, most = oracle.inputs, LINES if box is None else SEGMENTS
    result = Result(trace=SimpleNamespace(lines=[], plans=[], stands=[], signs=None, witness=None))
    result.trace.neurons = Neurons.none(d)
    try:
        return _story(oracle, rng, hidden, box, most, tolerance, result)
    finally:
        tell(result)


def _story(
    oracle: Oracle,
    rng: np.random.Generator,
    hidden: int | None,
    box: Box | None,
    most: int,
    tolerance: float,
    result: Result,
) -> Result:
    for _ in range(most):
        with result.stage("line", oracle):
            line = search(oracle, rng, box, result.trace.witness)
            result.trace.lines.append(line)
        left = sweep_line(oracle, line, result, box)
        width = len(result.trace.neurons.rows)
        if hidden is not None and width > hidden:
            raise _too_many(width, hidden, result)
        open_ends = (left or line.unresolved) and result.trace.witness is None
        if width == 0 or (open_ends and len(result.trace.lines) < most):
            continue  # the next line may show what this one has not
        if finish(oracle, line.noise, tolerance, result, rng, box):
            result.trace.line = result.trace.lines[0]
            return result
    raise _gave_up(result, box)


def tell(result: Result) -> None:
    """One line on what each stage found, as far as the attack came."""
    trace, told = result.trace, result.found
    kinks = sum(len(line.kinks) for line in trace.lines)
    if trace.lines:
        told["line"] = f"{count(kinks, 'kink')} on {count(len(trace.lines), 'line')}"
    if trace.stands:
        rows, width = trace.neurons.rows.shape
        told["jacobians"] = f"{count(len(trace.stands), 'Jacobian')}, {rows:,} rows of {width:,}"
    if trace.signs is not None:
        told["signs"] = f"{count(len(trace.signs), 'sign')}, " + (
            f"at most {np.abs(np.abs(trace.signs) - 1).max(initial=0):.1e} from ±1"
            if np.isfinite(trace.signs).all()
            else "not all told apart: an affine remainder stands for them"
        )
    if hasattr(trace, "misfit"):
        told["refinement"] = f"misfit {trace.misfit[0]:.1e}, then {trace.misfit[1]:.1e}"


def search(
    oracle: Oracle, rng: np.random.Generator, box: Box | None = None, ends: Any = None
) -> lines.Line:
    """Stages 1 and 2. A random line and its kinks; where each is, and its slope jump g_i.

    Without walls the line is u + t v with u, v ~ N(0, I); between walls it goes through two points
    that `scatter` draws, or through `ends` (2, d), and from wall to wall.
    """
    if box is None:
        return lines.search(oracle, *rng.normal(size=(2, oracle.inputs)))
    start, direction, low, high = segment(rng, box, ends)
    return lines.search(oracle, start, direction, low=low, high=high)


def sweep_line(oracle: Oracle, line: lines.Line, result: Result, box: Box | None) -> int:
    """Stages 3 and 4 for the kinks of a line that no neuron explains.

    Returns how many of the line's kinks are still unexplained afterwards.
    """
    trace = result.trace
    noise, told = noise_along(oracle, line), right_slopes(line, result.model)
    blurs = jump_blurs(line, noise)
    partner = explain(line, result, blurs)
    unknown = partner < 0
    if not unknown.any():
        return 0
    chosen = plan(line, noise, unknown, told)
    places = planned_places(line, chosen, noise, result.model, told, box)
    known = np.full((len(unknown), oracle.inputs), np.nan)
    old = trace.neurons.rows[partner[~unknown]]
    known[~unknown] = old / (old @ line.direction)[:, None]
    with result.stage("jacobians", oracle):
        rows = measure_groups(oracle, line, chosen, places, known)
    trace.plans.append(chosen)
    trace.stands += [place for place in places.values() if place.passed and not place.told]
    found = unknown & np.isfinite(rows[:, 0])
    new = Neurons(rows[found], line.points(line.kinks[found]), line.jumps[found], blurs[found])
    trace.neurons = trace.neurons.and_also(new)
    return int((unknown & ~found).sum())


def planned_places(
    line: lines.Line, chosen: Plan, noise: Array, model: Any, told: np.ndarray, box: Box | None
) -> dict[int, Stand]:
    """The planned places by gap; where the copy is right already its Jacobian is taken."""
    sides = (None, None) if box is None else box
    places = {
        gap: stand(line, chosen.t[gap], chosen.steps[gap], noise, *sides) for gap in chosen.gaps
    }
    for gap, place in places.items():
        if told[gap]:
            place.jacobian, place.told = model.jacobian(place.point[None])[0], True
    return places


def explain(line: lines.Line, result: Result, blurs: Array) -> np.ndarray:
    """Which neuron is each kink, -1 for none; neurons that the line disproves are forgotten."""
    trace = result.trace
    partner, wrong = match(line, trace.neurons)
    if result.model is not None and not (wrong.any() or (partner < 0).any()):
        wrong = sharper(trace.neurons, partner, blurs)
    if wrong.any():
        trace.neurons = trace.neurons.only(~wrong)
        partner, _ = match(line, trace.neurons)
    return partner


def finish(
    oracle: Oracle,
    noise: float,
    tolerance: float,
    result: Result,
    rng: np.random.Generator,
    box: Box | None = None,
) -> bool:
    """Stages 5 and 6; True when the copy in `result` is verified."""
    trace = result.trace
    neurons, stands = trace.neurons, trace.stands
    with result.stage("signs", oracle):
        parts = neurons.rows, neurons.offsets, neurons.outputs
        odd = odd_part(stands, *parts)
        trace.signs = solve_signs(odd, neurons.rows, neurons.outputs)
        signs = np.sign(trace.signs) if believed(trace.signs) else None
        if signs is not None and not explained(stands, odd, parts[0], parts[2], signs):
            signs = None
    with result.stage("refinement", oracle):
        refine(result, signs)
    if box is None:
        return verify(result, oracle, rng=rng, tolerance=tolerance, noise=noise)
    with result.stage("witness", oracle):
        trace.witness = witness(oracle, result.model, noise, tolerance, rng, box)
    rows = anywhere(rng, box, 100)
    return trace.witness is None and verify(
        result, oracle, rng=rng, tolerance=tolerance, noise=noise, rows=rows
    )


def refine(result: Result, signs: Array | None) -> None:
    """Stage 6. Every row against every Jacobian; kept if the answers are then met to rounding.

    While neurons are missing no rows meet them all, and the best compromise spoils right rows.
    """
    trace = result.trace
    neurons, stands = trace.neurons, trace.stands
    rows = refine_rows(stands, neurons.rows, neurons.offsets, neurons.outputs, signs)
    choices = [neurons, replace(neurons, rows=rows)]
    models = [build(stands, each, signs) for each in choices]
    trace.misfit = [misfit(stands, *model[:3]) for model in models]
    rounding = float(np.median([place.noise for place in stands]))
    best = int(trace.misfit[1] < min(trace.misfit[0], MET * rounding))
    trace.neurons, (a0, b0, a1, b1) = choices[best], models[best]
    result.model = zoo.given([(a0, b0), (a1, b1)])


def build(stands: list[Stand], neurons: Neurons, signs: Array | None) -> Any:
    """A0, b0, A1, b1 out of neurons and their signs, or with an affine remainder without these."""
    parts = neurons.rows, neurons.offsets, neurons.outputs
    if signs is not None:
        a0, b0, a1 = with_signs(*parts, signs)
    else:
        a0, b0, a1 = with_remainder(*parts, odd_part(stands, *parts))
    return a0, b0, a1, last_bias(stands, a0, b0, a1)


def _too_many(count: int, hidden: int, result: Result) -> ExtractionError:
    return ExtractionError(
        "line",
        f"expected hidden={hidden} neurons, but {count} change sides on the lines searched",
        "leave out hidden=, or use direct.deep if there is more than one hidden layer",
        partial=result,
    )


def _gave_up(result: Result, box: Box | None) -> ExtractionError:
    trace = result.trace
    kinks = max(len(line.kinks) for line in trace.lines)
    if kinks == 0:
        other = "try direct.linear" if box is None else "widen the box"
        return ExtractionError(
            "line",
            "no kink on any line, so the victim is linear or constant there, or too coarse",
            f"ask for more digits, or {other}",
            partial=result,
        )
    count = len(trace.neurons.rows)
    if count == 0:
        return ExtractionError(
            "jacobians",
            f"none of {kinks} kinks gave a row that agrees with its line, so the answers are too "
            "coarse or the victim has more than one hidden layer",
            "ask for more digits, or try direct.deep",
            partial=result,
        )
    off = "could not be finished" if np.isnan(result.error) else f"is off by {result.error:.2g}"
    return ExtractionError(
        "verify",
        f"the copy with {count} neurons from {len(trace.lines)} lines {off}, so the victim is not "
        "a network with one hidden ReLU layer, its answers are too coarse, or it needs more lines",
        "ask for more digits, try direct.deep for two hidden layers, or learn a copy from labelled "
        "data instead",
        partial=result,
    )
