"""Coarse answers between walls, four outputs or more: a star of pictures, then polishing.

    pictures  ->  rays from one of them to others  ->  Jacobians at a few places  ->  all rows
                      ^-- to the pictures that the copy misses most -------------------+
              ->  polish, verify to the noise

Where only whole numbers may be asked the rays go in whole steps, from one corner of the box to
another: what is known of a kink does not depend on where it is asked, only on the pieces beside it.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from mstheft.direct import line as lines
from mstheft.direct.answers.reader import Reader, reader
from mstheft.direct.box import Box
from mstheft.direct.pictures import pictures
from mstheft.direct.polishing.finish import LEAST, Polishing, finish
from mstheft.direct.sweep.coarse import ALIKE, GOOD, Log, is_wrong, misses, rough_copy, settle
from mstheft.direct.sweep.star import Star
from mstheft.direct.sweep.star_rows import Place, add_places, solve_rows
from mstheft.direct.sweep.trace import gave_up
from mstheft.errors import ExtractionError
from mstheft.result import Result
from mstheft.typing import Array

OUTPUTS = 4  # from which a neuron is known by the direction in which it bends the answers
RAYS = 24  # at first
MORE = 6  # when the copy is wrong somewhere
TURNS = 12
WANTED = 2.0  # random rows for the polishing, in F; those of the star are there as well
CENTRES = 4  # that are tried, where rays begin in a gap that nothing explains
CLEAR = 0.5  # share of the rays that must be explained


def from_pictures(oracle: Reader, result: Result, rng: Generator, box: Box, grid: float) -> Result:
    """The whole attack. Returns the verified result; raises `ExtractionError`.

    grid : of a ray from wall to wall; 0 where every number may be asked
    """
    trace = result.trace
    shape = oracle.shape
    draw = lambda n: log.rounded(pictures(rng, n, box, shape))  # noqa: E731
    log = Log(oracle.oracle, box, bool(grid))
    with result.stage("polish", oracle):
        x = log.rounded(pictures(rng, LEAST, box, shape, grey=0.0))
        oracle = reader(log, x[0], x[1] - x[0])
        trace.polishing = Polishing(x, len(x), oracle.query(x), box=box)
    star, places = Star(x[0]), []
    ends = x[1 : RAYS + 1]
    for turn in range(TURNS):
        with result.stage("line", oracle):
            for end in ends:
                line = lines.search(oracle, star.centre, end - star.centre, low=0.0, high=1.0, grid=grid)
                trace.lines.append(line)
                star.add(line)
            star.explain()
        with result.stage("jacobians", oracle):
            places = add_places(oracle, star, places, box, grid)
            trace.neurons = solve_rows(star, places)[0]
            trace.sites = [place.site for place in places]
        with result.stage("signs", oracle):
            result.model = rough_copy(oracle, result, box)
        rows, answers = log.rows_and_answers()
        ends = missed(oracle, result, rows, answers, box, rng)
        print('turn',turn,'q',oracle.count,'dirs',len(star.directions),'rows',len(trace.neurons),'places',len(places),'open',sum(bool(r.open) for r in star.rays),'width',len(result.model.dense()[0][1]),'missed',len(ends), 'signs',np.abs(np.abs(trace.signs)-1).max())
        if len(ends) and turn < TURNS // 2:
            continue
        everything = Polishing(rows, trace.polishing.drawn, answers, wanted=WANTED, box=box)
        if finish(oracle, result, everything, draw, rng):
            trace.polishing = everything
            return result
        trace.polishing.drawn = everything.drawn
        print(result.notes, result.seconds)
        rows, answers = log.rows_and_answers()
        ends = missed(oracle, result, rows, answers, box, rng)
    raise gave_up(result, box)


def missed(
    oracle: Reader, result: Result, rows: Array, answers: Array, box: Box, rng: Generator
) -> Array:
    """Corners of the box which the copy misses by far more than most, (n, d): a neuron is missing."""
    corner = ((rows == box[0]) | (rows == box[1])).all(axis=1)
    miss = misses(oracle, result.model, rows[corner], answers[corner])
    wrong = np.flatnonzero(miss > ALIKE * np.median(miss))
    if len(wrong) > MORE:
        wrong = rng.choice(wrong, MORE, replace=False, p=miss[wrong] / miss[wrong].sum())
    print('miss',np.median(miss),miss.max(),'spread',answers.std())
    return rows[corner][wrong]
