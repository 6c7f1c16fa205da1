"""Does the victim clip its inputs, and where? Far out its answers no longer change.

    f(x)  =  g(min(max(x, low), high))

An attack that knows the walls stays between them, where the answers are those of g.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mstheft.direct.answers.reader import Reader
from mstheft.errors import VictimError
from mstheft.typing import Array, Rng

FAR = 1e6  # beyond every wall
BEYOND, MOVED = 1e3, 20  # times that: where others are while one moves; and how many move
CORNERS = 3  # random ones: an unclipped network changes on the way from one to twice as far
HALVINGS = 100  # of [-FAR, FAR], to 1e-21
STEP = 1e-3  # of the width of the box, from a wall inwards
ROUNDING = 16.0  # last digits in which equal answers may differ: a batch is summed in any order
WHOLE = 1e-4  # of that width: a wall as near to a whole number is that number


def walls(oracle: Reader, *, rng: Rng = None) -> tuple[Array, Array] | None:
    """(low, high), both (d,), between which the inputs are clipped; None where they are not.

    All coordinates together show the lowest and the highest wall; one whose walls lie closer is
    looked at alone. Costs 6 queries where nothing is clipped, else about 210 + 2 d, and 200 for
    each coordinate with walls of its own.
    """
    rng, d = np.random.default_rng(rng), oracle.inputs
    signs = rng.choice([-1.0, 1.0], (CORNERS, d))
    try:
        once, twice = oracle.query(FAR * signs), oracle.query(2 * FAR * signs)
    except VictimError:  # a short format overflows: the answers grow for ever
        return None
    if differ(oracle, once, twice).any() or not differ(oracle, once, once[0]).any():
        return None
    if not one_moves(oracle, signs[0]):
        return None
    found = between(oracle, lambda t: np.full(d, t))
    if found is None:
        return None
    low, high = found
    step = STEP * (high - low) * np.eye(d)
    moves = [changes(oracle, np.full(d, low), step), changes(oracle, np.full(d, high), -step)]
    lows, highs = np.full(d, low), np.full(d, high)
    for j in np.flatnonzero(~(moves[0] & moves[1])):
        lows[j], highs[j] = between(oracle, moving(int(j), FAR * signs[0])) or (low, high)
    return lows, highs


def one_moves(oracle: Reader, signs: Array) -> bool:
    """Does one coordinate change an answer where all others are farther out than it?

    Behind walls each coordinate keeps its own place; saturated neurons (ReLU6, hard tanh), whose
    answers do not change far out either, are kept by the others. Costs up to 2 x 20 queries.
    """
    moved = np.arange(min(len(signs), MOVED))
    ends = np.tile(BEYOND * FAR * signs, (2, len(moved), 1))
    ends[:, moved, moved] = [[-FAR], [FAR]]
    answers = oracle.query(ends.reshape(-1, len(signs))).reshape(2, len(moved), -1)
    return bool(differ(oracle, *answers).any())


def differ(oracle: Reader, a: Array, b: Array) -> np.ndarray:
    """Which answers (m, K) are not the same, up to rounding? (m,)"""
    a, b = a.astype(float), b.astype(float)
    least = ROUNDING * oracle.ulp * np.maximum(np.abs(a), np.abs(b)).max()
    return (np.abs(a - b) > least).any(axis=-1)


def moving(j: int, base: Array) -> Callable[[float], Array]:
    """t -> the row with t in place of coordinate j."""
    return lambda t: np.r_[base[:j], t, base[j + 1 :]]


def changes(oracle: Reader, corner: Array, steps: Array) -> np.ndarray:
    """Which steps (m, d) from a corner change the answer? (m,). Costs m + 1 queries."""
    answers = oracle.query(np.vstack([corner, corner + steps]))
    return differ(oracle, answers[1:], answers[0])


def between(oracle: Reader, row: Callable[[float], Array]) -> tuple[float, float] | None:
    """Where the answers to row(t) begin and cease to change with t; None if they never change.

    Costs 202 queries.
    """
    ends = oracle.query(np.stack([row(-FAR), row(FAR)]))
    if not differ(oracle, *ends):
        return None
    found = []
    for end, outside, inside in ((ends[0], -FAR, FAR), (ends[1], FAR, -FAR)):
        for _ in range(HALVINGS):
            middle = (outside + inside) / 2
            is_other = differ(oracle, oracle.query(row(middle)[None])[0], end)
            outside, inside = (outside, middle) if is_other else (middle, inside)
        found.append(inside)
    near = WHOLE * (found[1] - found[0])
    low, high = (round(t) if abs(t - round(t)) < near else t for t in found)
    return float(low), float(high)
