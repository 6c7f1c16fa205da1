"""Coarse answers between walls, four outputs or more: a star of pictures, then polishing.

    pictures  ->  rays from one of them to others  ->  Jacobians at a few places  ->  all rows
                      ^-- to the pictures that the copy misses most -------------------+
              ->  polish on pictures that switch every neuron, verify to the noise

Where only whole numbers may be asked the rays go in whole steps, from one corner of the box to
another: what is known of a kink does not depend on where it is asked, only on the pieces beside it.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from mstheft import progress
from mstheft.direct import line as lines
from mstheft.direct.answers.reader import Reader, reader
from mstheft.direct.box import Box
from mstheft.direct.pictures import balanced, pictures
from mstheft.direct.polishing.descent import best_descent, ceiling
from mstheft.direct.polishing.error_bars import identifiable
from mstheft.direct.polishing.finish import LEAST, Polishing, finish
from mstheft.direct.polishing.polish import TRUSTS, Problem
from mstheft.direct.sweep.coarse import ALIKE, TRIMS, Log, misses, rough_copy
from mstheft.direct.sweep.star import Star
from mstheft.direct.sweep.star_rows import Place, add_places, solve_rows
from mstheft.direct.sweep.trace import gave_up
from mstheft.nn.gauss_newton import assemble, chain
from mstheft.nn.network import Network
from mstheft.result import Result, floor
from mstheft.typing import Array

OUTPUTS = 4  # from which a neuron is known by the direction in which it bends the answers
CENTRES, FIRST = 4, 6  # pictures tried as the centre, and rays that judge one
RAYS = 24  # before any Jacobian, while they show neurons
MORE = 6  # when the copy is wrong somewhere
FEW = 100  # pictures at first, and 2 d more, up to 500
COARSE = 0.02  # of the spread of the answers: no copy with all neurons misses so much
TURNS = 12  # of that, at the most
EXPLORING = 6  # turns after which a copy that is wrong somewhere is polished nevertheless
POLISHES = 3  # at the most
WANTED = 3.5  # pictures for the polishing, in F
STEPS = 6  # of Gauss-Newton, until rows on the wrong side of a hyperplane are left out


def is_readable(oracle: Reader) -> bool:
    """Are there enough outputs, and does each answer tell them at every corner of a box?"""
    return oracle.output != "probs" and oracle.first.shape[1] >= OUTPUTS


def from_pictures(oracle: Reader, result: Result, rng: Generator, box: Box, whole: bool) -> Result:
    """The whole attack. Returns the verified result; raises `ExtractionError`.

    whole : are rows of whole numbers all that may be asked? Then all walls are as far apart
    """
    grid = 1 / float((box[1] - box[0])[0]) if whole else 0.0
    trace, shape = result.trace, oracle.shape
    log = Log(oracle.oracle, box, whole)
    draw = lambda n: log.rounded(pictures(rng, n, box, shape))  # noqa: E731
    with result.stage("polish", oracle):
        x = log.rounded(pictures(rng, min(LEAST, FEW + 2 * oracle.inputs), box, shape, grey=0.0))
        oracle = reader(log, x[0], x[1] - x[0])
        trace.polishing = Polishing(x, len(x), oracle.query(x), box=box)
    with result.stage("line", oracle):
        star = begun(oracle, result, x, grid)
    ends, polishes = x[:0], 0
    places: list[Place] = []
    for turn in range(TURNS):
        polished = trace.polishing.polished
        if polished is None or not polished.converged:  # else more pictures will do
            places = explore(oracle, result, star, places, ends, box, grid)
            ends = missed(oracle, result, log, star, rng)
            if len(ends) and turn < EXPLORING:
                continue
        with result.stage("polish", oracle):
            (w0, _), (w1, _) = result.model.dense()
            n = max(LEAST // 2, int(WANTED * floor(w0.size + w1.size, len(w1)) / 2**polishes))
            new = balanced(rng, n, result.model, draw)
            rows = np.concatenate([trace.polishing.rows, new])
            answers = np.concatenate([trace.polishing.answers, oracle.query(new)])
            result.model = trimmed(oracle, result.model, rows, answers, rng)
        trace.polishing = Polishing(rows, len(rows), answers, box=box, whole=whole)
        polishes += 1
        if finish(oracle, result, trace.polishing, draw, rng):
            return result
        if polishes == POLISHES:
            break
        ends = missed(oracle, result, log, star, rng)
    raise gave_up(result, box)


def begun(oracle: Reader, result: Result, x: Array, grid: float) -> Star:
    """A star with its first rays, until six more show nothing new.

    No kink may lie so near to its centre that no answer parts them.
    x : pictures, of which the first are tried as centres
    """
    ends = x[CENTRES:]
    for i in range(CENTRES):
        star = Star(x[i])
        shine(oracle, result, star, ends[:FIRST], grid)
        if all(np.isfinite(bend.turn).all() for ray in star.rays for bend in ray.bends[:1]):
            break
    seen = 0
    for first in range(FIRST, RAYS, FIRST):
        star.explain()
        if len(star.directions) == seen:
            break
        seen = len(star.directions)
        shine(oracle, result, star, ends[first : first + FIRST], grid)
    return star


def shine(oracle: Reader, result: Result, star: Star, ends: Array, grid: float) -> None:
    """Rays from the centre of a star to other rows, (n, d)."""
    for end in ends[(ends != star.centre).any(axis=1)]:
        line = lines.search(oracle, star.centre, end - star.centre, low=0.0, high=1.0, grid=grid)
        result.trace.lines.append(line)
        star.add(line)


def explore(
    oracle: Reader,
    result: Result,
    star: Star,
    places: list[Place],
    ends: Array,
    box: Box,
    grid: float,
) -> list[Place]:
    """More rays, (n, d) where they end, and places; and a rough copy from all of them."""
    trace = result.trace
    with result.stage("line", oracle):
        shine(oracle, result, star, ends, grid)
        star.explain()
    with result.stage("jacobians", oracle):
        places = add_places(oracle, star, places, box, grid)
        trace.neurons = solve_rows(star, places)[0]
        trace.sites = [place.site for place in places]
    with result.stage("signs", oracle):
        result.model = rough_copy(oracle, result, box)
    return places


def missed(oracle: Reader, result: Result, log: Log, star: Star, rng: Generator) -> Array:
    """Corners of the box that the copy misses by far more than most, (n, d): it lacks a neuron.

    Not those to which there is a ray already.
    """
    rows, answers = log.rows_and_answers()
    corner = ((rows == log.low) | (rows == log.high)).all(axis=1)
    miss = misses(oracle, result.model, rows[corner], answers[corner])
    wrong = min(ALIKE * np.median(miss), COARSE * answers.std())
    for ray in star.rays:
        miss[(rows[corner] == log.rounded(ray.line.points(np.array(1.0)))).all(axis=1)] = 0
    found = np.flatnonzero(miss > wrong)
    if len(found) > MORE:
        found = rng.choice(found, MORE, replace=False, p=miss[found] / miss[found].sum())
    return rows[corner][found]


def trimmed(oracle: Reader, model: Network, rows: Array, answers: Array, rng: Generator) -> Network:
    """The copy polished on the rows that it explains, until these are most of all.

    A row on the wrong side of a hyperplane holds it there: no small step takes it across. It is
    left out until the others have put the hyperplane where it belongs. Costs no query.
    """
    for turn in range(TRIMS):
        miss = misses(oracle, model, rows, answers)
        kept = miss <= ALIKE * np.median(miss)
        if turn == 0:
            kept[::2] = False  # half of them will do at first
        weights, activations = chain(model)
        problem = Problem(model, rows[kept], answers[kept], oracle.output, oracle.declared)
        fit = problem.fit(weights, activations)
        free = identifiable(weights, activations, fit.output)
        with progress.bar("polish", STEPS, "step") as bar:
            here, misfit = best_descent(fit, fit.at(weights), STEPS, TRUSTS[:1], free, rng, bar)
        model = assemble(model, here.weights)
        if turn and misfit[-1] <= ceiling(fit, free):
            break
    return model
