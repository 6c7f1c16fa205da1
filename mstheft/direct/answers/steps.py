"""Do the answers change in steps? Those of trees do, and no weights are behind them."""

import numpy as np

from mstheft.direct.answers.reader import Reader
from mstheft.typing import Array

HALVINGS = 20  # of an interval, to tell a step from a slope
SLOPE = 1 / 64  # of a change: what is left of it when halved so often is no step
FINE = 4  # units in the last place of an answer that are no step
ONE_STEP = 1.5  # units of the answers' grid: rounding alone makes no larger step
DECIMALS, HELD = 6, 1e-7  # to which answers may be rounded, and how exactly float32 holds them
LOWEST = -1e9  # in place of ln 0
ASIDE, INPUTS = 1e-4, 20  # a row is moved so far along so many inputs: a tree's steps stay
FLAT = 0.5  # share of these moves that change nothing where a tree steps
STEPS = "the answers change in steps, as those of trees do"
LEARN = "learn a copy with learning.active"


def is_step(oracle: Reader, low: Array, high: Array) -> bool:
    """Does a change between two rows stay when they come closer? Costs 8 queries, 26 at a step,
    62 at one that rounding alone may make.

    A step of one unit of the grid on which the answers lie is also one of rounding. Such a step
    moves with every input, a tree's only with the one that it compares. A defence that leaves out
    all but the largest probabilities makes steps of any size, but beside them nothing is flat.
    """
    f_low, f_high = raw(oracle, np.stack([low, high]))
    seen, change = [f_low, f_high], np.abs(f_high - f_low)
    least = max(SLOPE * change.max(), 4 * oracle.jitter)
    if oracle.grid.is_relative:
        least = max(least, FINE * oracle.grid.spacing(np.array(seen)).max())
    apart = np.linalg.norm(high - low) / np.sqrt(oracle.inputs)
    for _ in range(HALVINGS + max(0, int(np.log2(apart)))):
        middle = (low + high) / 2
        f = raw(oracle, middle[None])[0]
        seen.append(f)
        if np.abs(f - f_low).max() >= np.abs(f_high - f).max():
            high, f_high = middle, f
        else:
            low, f_low = middle, f
        change = np.abs(f_high - f_low)
        if change.max() <= least:
            return False
    unit = step_of_rounding(np.array(seen))
    if unit is None or change.max() > ONE_STEP * unit:
        again = raw(oracle, np.stack([low, high, 2 * low - high, 2 * high - low]))
        is_chance = np.abs(again[:2] - [f_low, f_high]).max() > least  # as of dropout: it stays
        return bool(is_chance or (again[:2] == again[2:]).all(axis=1).any())
    inputs = np.arange(min(oracle.inputs, INPUTS))
    aside = np.zeros((len(inputs), oracle.inputs))
    aside[inputs, inputs] = ASIDE
    same = [(raw(oracle, x + aside) == f).all(axis=1) for x, f in ((low, f_low), (high, f_high))]
    return bool(np.mean(same[0] & same[1]) > FLAT)


def step_of_rounding(answers: Array) -> float | None:
    """The unit of the few decimals to which all answers may have been rounded, if there is one."""
    for k in range(DECIMALS + 1):
        if np.allclose(answers, np.round(answers, k), rtol=HELD, atol=0):
            return 10.0**-k
    return None


def raw(oracle: Reader, x: Array) -> Array:
    """The answers as they come, (n, K), but no infinity."""
    return np.nan_to_num(oracle.query(x).astype(float), neginf=LOWEST)
