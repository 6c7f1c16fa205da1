"""The stages of a sweep: a line, the rows of its kinks, all orientations, refinement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from mstheft.direct import line as lines
from mstheft.direct.box import Box, segment
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
from mstheft.direct.hyperplanes.jacobians import JacobianSite
from mstheft.direct.hyperplanes.plan import plan
from mstheft.direct.sweep.refine import misfit, refine_rows
from mstheft.direct.sweep.signs import believed, explained, last_bias, odd_part, solve_signs
from mstheft.direct.sweep.trace import Trace
from mstheft.nn import zoo
from mstheft.result import Result
from mstheft.typing import Array, Oracle

TAKEN = 1e4  # times the rounding: refined rows that miss the answers by more are a compromise


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
    is_known_gap = right_slopes(line, result.model, trace.is_rough)
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
    new = wanted & np.isfinite(rows[:, 0]) & rows.any(axis=1)
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
    if trace.is_rough and trace.polishing.box is None:
        return neuron  # what coarse answers show is no proof; polishing tells which are right
    known_better = trace.is_rough or result.model is None  # polishing sharpens them at no cost
    if not known_better and not (wrong.any() or (neuron < 0).any()):
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
    sites: Sequence[JacobianSite],
    planes: Hyperplanes,
    signs: Array | None,
    box: Box | None = None,
) -> tuple[Array, Array, Array, Array]:
    """A0, b0, A1, b1 out of neurons and their signs, or with an affine remainder without these."""
    if signs is not None:
        a0, b0, a1 = oriented(planes, signs)
    else:
        affine = (odd_part(sites, planes) - planes.outputs.T @ planes.rows) / 2
        a0, b0, a1 = with_remainder(planes, affine, box)
    return a0, b0, a1, last_bias(sites, a0, b0, a1)
