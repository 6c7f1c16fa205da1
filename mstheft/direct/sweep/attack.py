"""One hidden ReLU layer in fewer queries than it has parameters: the sweep.

    f(x) = A1 relu(A0 x + b0) + b1

One random line crosses every hyperplane once; Jacobians between the kinks give the rows in groups
of up to K, and everything else is read off answers that are already paid for. `extract` tells the
story; each stage is a function that can be called, drawn and taught alone.
The method is this project's own, after Jagielski et al., USENIX Security 2020, section 4.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from mstheft.direct import line as lines
from mstheft.direct.answers.diagnosis import diagnosed
from mstheft.direct.answers.reader import Reader, check_width, reader
from mstheft.direct.answers.view import readable_view, undo
from mstheft.direct.hyperplanes.groups import measure_groups, planned_sites, row_errors
from mstheft.direct.hyperplanes.hyperplanes import (
    Hyperplanes,
    jump_blurs,
    match,
    oriented,
    right_slopes,
    shown_sharper,
    with_remainder,
)
from mstheft.direct.hyperplanes.jacobians import Box, JacobianSite
from mstheft.direct.hyperplanes.plan import plan
from mstheft.direct.polishing.finish import LEAST, ROWS, finish
from mstheft.direct.sweep.box import anywhere, middle, segment, walls, witness
from mstheft.direct.sweep.far import NEAR_ENOUGH, FarView, can_be_outrun, spread
from mstheft.direct.sweep.refine import misfit, refine_rows
from mstheft.direct.sweep.signs import believed, explained, last_bias, odd_part, solve_signs
from mstheft.direct.sweep.trace import Trace, describe, gave_up, open_ends, polished_planes
from mstheft.direct.verify import checked, verify
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.result import Result
from mstheft.typing import Array, Oracle, Rng

TAKEN = 1e4  # times the rounding: refined rows that miss the answers by more are a compromise
MOST_LINES = 8  # searched before the attack gives up
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

    Where answers are coarse (float32, decimals, chance) stages 1 to 5 give a rough copy, of which
    no more is asked: it is polished on 3 F random rows and verified to the noise, see `finish`.
    Such probabilities are read where they tell most, see `view`; with four decimals or fewer hardly
    a kink can be seen in them, and `learning.sketched` is the attack.
    Another line is searched for what is missing: for a neuron out of reach of the first, a row that
    failed its self-check, or when the check on fresh inputs fails. Stages 2, 4 and 5 cost no
    query. F = (hd + Kh + K) / K is the floor; see `Result.floor`. In a box there is a stage
    'witness' as well: the next segment goes through where the copy is still wrong.

    hidden : the width, if it is known: more neurons than that are an error
    low, high : numbers or (d,): only inputs between them are asked, on as many segments as it takes
    tolerance : allowed error on fresh inputs, relative to the spread of the answers; never taken
        to be below a thousand times their rounding
    Costs about 5 h (6.5 h for K = 1) + (d + 1) (h / K + 1 to 4) + 110 queries, and 3.2 F
    where answers are coarse.
    Returns a verified `Result`; raises `ExtractionError` (which holds the partial result),
    `BudgetExhausted`, or ValueError for a box that is none.
    """
    check_width(hidden)
    rng, tolerance = np.random.default_rng(rng), checked(tolerance)
    box = walls(oracle.inputs, low, high)
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
            if open_ends(trace, line, left, most):
                continue  # the next line may show what this one has not
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
            known.rows = spread(draw(max(LEAST, int(ROWS * far.floor))), rng)
            far.model, known.answers = view.nearer(far.model, known.rows)
        known.rows, known.answers = view.scale * known.rows, view.scale * known.answers
        known.drawn = len(known.rows)
    near = replace(result, trace=far.trace, model=view.near(far.model))
    if not finish(oracle, near, known, draw, rng):
        return False
    result.trace, result.notes, result.model = far.trace, near.notes, near.model
    result.verified, result.error = True, near.error
    return True


def search(
    oracle: Oracle, rng: Generator, box: Box | None = None, endpoints: Array | None = None
) -> lines.Line:
    """Stages 1 and 2. A random line and its kinks; where each is, and its slope jump g_i.

    Without walls the line is u + t v with u, v ~ N(0, I); between walls it goes through two points
    that `scatter` draws, or through `endpoints` (2, d), and from wall to wall.
    """
    if box is None:
        return lines.search(oracle, *rng.normal(size=(2, oracle.inputs)))
    start, direction, low, high = segment(rng, box, endpoints)
    return lines.search(oracle, start, direction, low=low, high=high)


def sweep_line(oracle: Oracle, line: lines.Line, result: Result, box: Box | None) -> int:
    """Stages 3 and 4 for the kinks of a line that no neuron explains.

    Where the copy is right already, its Jacobian is taken and none is measured.
    Returns how many of the line's kinks are still unexplained afterwards.
    """
    trace = result.trace
    noise = line.blurs
    blurs = jump_blurs(line, noise)
    neuron = explain(line, result, blurs)
    wanted, trace.new = neuron < 0, 0
    if not wanted.any():
        return 0
    is_known_gap = right_slopes(line, result.model)
    chosen = plan(line, noise, wanted, is_known_gap)
    sites = planned_sites(line, chosen, noise, box)
    for gap, site in sites.items():
        if is_known_gap[gap]:
            site.jacobian, site.from_copy = result.model.jacobian(site.point[None])[0], True
    known_rows = np.full((len(wanted), oracle.inputs), np.nan)
    old = trace.neurons.rows[neuron[~wanted]]
    known_rows[~wanted] = old / (old @ line.direction)[:, None]  # scaled to this line
    with result.stage("jacobians", oracle):
        rows = measure_groups(oracle, line, chosen, sites, known_rows)
    trace.plans.append(chosen)
    trace.sites += [site for site in sites.values() if site.passed and not site.from_copy]
    new = wanted & np.isfinite(rows[:, 0])
    errors = np.full(len(new), np.inf)
    for a, b in chosen.groups:
        mine = np.arange(a, b)[new[a:b]]
        pair = sites[a], sites[b]
        errors[mine] = row_errors(line.jumps[mine], rows[mine], blurs[mine], pair)
    points = line.points(line.kinks[new])
    planes = Hyperplanes(rows[new], points, line.jumps[new], errors[new])
    trace.neurons, trace.new = trace.neurons.and_also(planes), len(planes)
    return int((wanted & ~new).sum())


def explain(line: lines.Line, result: Result, blurs: Array) -> np.ndarray:
    """Which neuron is each kink, -1 for none; neurons that the line disproves are forgotten.

    Once a copy has failed although no neuron is missing, blurred neurons are forgotten too, if this
    line shows them sharper.
    """
    trace = result.trace
    neuron, wrong = match(line, trace.neurons)
    if trace.is_rough:
        return neuron  # what coarse answers show is no proof; polishing tells which are right
    if result.model is not None and not (wrong.any() or (neuron < 0).any()):
        wrong = shown_sharper(trace.neurons, neuron, blurs)
    if wrong.any():
        trace.neurons = trace.neurons.only(~wrong)
        neuron, _ = match(line, trace.neurons)
    return neuron


def orient(trace: Trace) -> Array | None:
    """Stage 5. The signs (h,), ±1; None where they are not determined or leave something over.

    Rough rows leave more over: there the nearest signs are taken, and polishing tells.
    """
    odd = odd_part(trace.sites, trace.neurons)
    trace.signs = solve_signs(odd, trace.neurons.rows, trace.neurons.outputs)
    signs = np.sign(trace.signs)
    if trace.is_rough:
        return signs if np.isfinite(signs).all() else None
    sure = believed(trace.signs) and explained(trace.sites, odd, trace.neurons, signs)
    return signs if sure else None


def refine(result: Result, signs: Array | None) -> None:
    """Stage 6. Every row against every Jacobian; taken if the answers are then met to rounding.

    While neurons are missing no rows explain all answers, and the best compromise spoils right
    rows.
    """
    trace = result.trace
    neurons, sites = trace.neurons, trace.sites
    choices = [neurons, replace(neurons, rows=refine_rows(sites, neurons, signs))]
    models = [build(sites, each, signs) for each in choices]
    trace.misfit = [misfit(sites, *model[:3]) for model in models]
    rounding = float(np.median([site.noise for site in sites]))
    best = int(trace.misfit[1] < min(trace.misfit[0], TAKEN * rounding))
    trace.neurons, (a0, b0, a1, b1) = choices[best], models[best]
    result.model = zoo.given([(a0, b0), (a1, b1)])


def build(
    sites: Sequence[JacobianSite], planes: Hyperplanes, signs: Array | None
) -> tuple[Array, Array, Array, Array]:
    """A0, b0, A1, b1 out of neurons and their signs, or with an affine remainder without these."""
    if signs is not None:
        a0, b0, a1 = oriented(planes, signs)
    else:
        affine = (odd_part(sites, planes) - planes.outputs.T @ planes.rows) / 2
        a0, b0, a1 = with_remainder(planes, affine)
    return a0, b0, a1, last_bias(sites, a0, b0, a1)


def judge(
    oracle: Reader, result: Result, noise: float, tolerance: float, rng: Generator, box: Box | None
) -> bool:
    """The check on fresh inputs; in a box also `trace.witness`, if the copy is wrong somewhere.

    A copy of coarse answers is polished first.
    """
    if result.trace.is_rough:
        draw = lambda n: (  # noqa: E731
            rng.normal(size=(n, oracle.inputs)) if box is None else anywhere(rng, box, n)
        )
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
