"""Learned to exact: an exact copy from rows that the thief just has, chosen by nobody.

        rows --> oracle --> train a wide student --> polish --> merge twins --> eliminate --> check
                              ^                        |                        backwards
                              +--- twice as wide <-----+ where it is stuck

A student of the victim's own width gets stuck in a local minimum; one of 1.5 times that width does
not, and has every neuron of the victim among its own. What it has too many is taken away again,
until the next one less can no longer explain the answers: the width comes out by itself.
In reading order:

    extract             the story
    students            learned by Adam, settled by Gauss-Newton steps
    elimination         fewer neurons, the last layer refitted, settled again; mirrored ones turned
    verify              fresh rows, against the noise and the bound

Source: Martinelli, Simsek, Gerstner and Brea 2024 ('Expand-and-Cluster', ICML), which has neither
the Gauss-Newton steps nor a noise to stop at; Hassibi and Stork 1993 (optimal brain surgeon).
"""

from __future__ import annotations

import math

import numpy as np

from mstheft.direct.answers.diagnosis import diagnosed
from mstheft.direct.answers.reader import as_single, check_width
from mstheft.direct.polishing.polish import Problem, allowed, polish
from mstheft.learning.distinct import first_places
from mstheft.learning.elimination import eliminate, merge
from mstheft.learning.students import Trace, numbers, stuck, wide_student
from mstheft.nn import gauss_newton
from mstheft.result import Result, count, floor
from mstheft.typing import Array, Oracle, Rng

OUTPUTS = ("logits", "log_probs", "probs")
FRESH = 200  # rows of the check
TIMES = 6  # rows that are drawn, in F
GUESS = 32  # neurons of the victim, where nobody knows
MOST = 5.0  # the largest |Δ| of the check, in its rms where σ is known; σ of arithmetic is uneven
UNSURE = 3.0  # σ: a bound of more is no excuse for a copy


@diagnosed
def extract(
    oracle: Oracle, *, rows: Array | int | None = None, hidden: int | None = None, rng: Rng = None
) -> Result:
    """An exact copy of a network with one hidden relu layer, from rows that nobody chose.

    rows : (n, d) or (n, *shape), what the thief has; they must see every direction, so that
        pictures do badly. Of rows of equal content one is used. The last 200 of them, or a fifth,
        are kept for the check. A number: so many of N(0, I). None: 6 F of these, and 200 more,
        where F is the floor of the width
    hidden : the victim's width; unknown, 32 is the first guess. A student that is stuck is
        replaced by one twice as wide while there are two answered numbers for each of its weights
    Costs n queries: each row is asked once, and nothing else, so PRADA sees the thief's own rows.
    Rows are rounded to float32 before they are asked, so that every victim sees the same.
    Returns a `Result` with a `Trace`. `verified`: the misfit is that of the noise, on the rows and
    on the fresh ones; `error` is the largest |Δ| there, in the unit of `trace.polished.output`.
    Raises ExtractionError where the misfit stays above the noise: it names both and the number of
    neurons, and holds the copy as `partial.model`.
    """
    check_width(hidden)
    if oracle.output not in OUTPUTS:
        raise ValueError(
            f"expected an oracle that answers one of {OUTPUTS}, got {oracle.output!r}; ask for one"
        )
    rng = np.random.default_rng(rng)
    own = None if rows is None else distinct(rows, oracle.inputs, rng)
    result = Result()
    trace = result.trace = asked(oracle, result, own, hidden, rng)
    student = wide_student(oracle, result, hidden or GUESS, rng)
    with result.stage("merge", oracle):
        student = merge(student, trace, rng)
        result.notes["merge"] = f"{count(student.width, 'neuron')} without twins"
    with result.stage("eliminate", oracle):
        student = eliminate(student, trace, rng)
        polished = trace.polished = polish(
            student.network,
            trace.rows,
            trace.answers,
            output=oracle.output,
            noise=trace.noise,
            rng=rng,
        )
        result.model = polished.model
        if not polished.converged:
            raise stuck("eliminate", polished.misfit[-1], polished.noise, student.width)
        result.notes["eliminate"] = (
            f"{count(student.width, 'neuron')}; misfit {polished.misfit[-1]:.1e}, noise "
            f"{polished.noise:.1e} ({polished.kind})"
        )
    with result.stage("verify", oracle):
        verify(result, oracle.output)
    result.queries["verify"] = result.queries.pop("verify")  # its rows were asked first
    return result


steal = extract


# ---- what is asked


def distinct(rows: Array | int, inputs: int, rng: np.random.Generator) -> Array:
    """The thief's rows (n, d), those of equal content once: none is both learned and a check."""
    if isinstance(rows, int | np.integer):
        rows = rng.normal(size=(max(int(rows), 0), inputs))
    x = np.asarray(rows, float)
    if x.ndim > 1 and len(x):
        x = as_single(x.reshape(len(x), -1))
        x = x[first_places(x)]
    if x.ndim < 2 or len(x) < 5:
        what = "expected rows= as (n, d) or a number, at least 5 different ones"
        raise ValueError(f"{what}, got shape {x.shape}; give more, a fifth is for the check")
    return x


def asked(
    oracle: Oracle, result: Result, rows: Array | None, hidden: int | None, rng: np.random.Generator
) -> Trace:
    """Ask the rows of the check, then the others."""
    if rows is None:
        fresh = as_single(rng.normal(size=(FRESH, oracle.inputs)))
    else:
        held = min(FRESH, len(rows) // 5)
        rows, fresh = rows[: len(rows) - held], rows[len(rows) - held :]
    with result.stage("verify", oracle):
        fresh_answers = oracle.query(fresh)
    with result.stage("query", oracle):
        if rows is None:
            d, K, h = oracle.inputs, oracle.outputs or fresh_answers.shape[1], hidden or GUESS
            n = math.ceil(TIMES * floor(h * d + K * h, numbers(K, oracle.output)))
            rows = as_single(rng.normal(size=(n, d)))
        answers = oracle.query(rows)
    result.notes["query"] = f"{count(len(rows), 'row')}, each asked once"
    noise = getattr(oracle, "declared", None)  # of a `Reader`
    return Trace(rows, answers, fresh, fresh_answers, noise=noise)


# ---- the check


def verify(result: Result, output: str) -> None:
    """The copy on rows that nothing was fitted to.

        √mean (Δ² / (σ² + bound²)) ≤ the ratio that is allowed on the rows themselves,  and
        max |Δ| / √(σ² + bound²) ≤ MOST times its square

    bound : Cramér-Rao, of `Polished`: nobody's copy answers fresh rows better. Beyond UNSURE σ it
    excuses nothing: there the rows do not tell the weights. Costs no query.
    """
    trace: Trace = result.trace
    polished = trace.polished
    assert polished is not None
    problem = Problem(polished.model, trace.fresh, trace.fresh_answers, output, trace.noise)
    fit = problem.fit(*gauss_newton.chain(polished.model))
    seen = fit.precision > 0
    misses = np.abs(fit.answers - fit.link.answer(polished.model.logits(trace.fresh)))[seen]
    bound = min(polished.bound, UNSURE * polished.noise)
    uneven = max(1.0, polished.ratio)  # σ of arithmetic is known to a factor; the rows tell it
    ratios = misses / (uneven * np.hypot(1 / fit.precision[seen], bound))
    most = allowed(polished.kind, True, len(ratios))
    result.error = float(misses.max(initial=0))
    ratio = float(np.sqrt(np.mean(ratios**2)))
    result.verified = bool(len(ratios) and ratio <= most and ratios.max() <= MOST * most**2)
    verdict = "answers like the victim" if result.verified else "does not answer alike"
    result.notes["verify"] = (
        f"the copy {verdict} on {count(len(trace.fresh), 'fresh row')}: max |Δ| "
        f"{result.error:.1e}, {ratio:.2f} of noise and bound; up to "
        f"{300 / len(trace.fresh):.1f} % of such rows may differ"
    )
