"""Step 2: the absolute weights of a neuron, from second differences across its critical point."""

from __future__ import annotations

import numpy as np

from mstheft.direct.answers.reader import read
from mstheft.typing import Array, Oracle

BLOCK = 512  # directions asked at once


def second_difference(oracle: Oracle, point: Array, direction: Array, step: float) -> Array:
    """Curvature of the answers across a critical point, along one direction or several.

        f(x + c e) - 2 f(x) + f(x - c e)  =  c |<a_i, e>| A1[:, i]

    Only neuron i changes sides between the three points, so all other neurons cancel and what is
    left is its input weight, without its sign.

           off  | on             x - c e    x    x + c e
        --------+--------          *--------*--------*
                x

    point : (d,) a critical point of neuron i, accurate to much better than step
    direction : (d,) unit vector e, or (n, d) of them
    step : float > 0, the c above, in input units
    Returns (K,), or (n, K), the difference divided by step, in logits per input unit.
    Costs 2 n + 1 queries.
    Source: Jagielski et al. 2020, section 4.3; lecture slide 'absolute weights'.
    """
    directions = np.atleast_2d(direction)
    here = read(oracle, point[None])
    differences = [here[:0]]
    for start in range(0, len(directions), BLOCK):
        move = step * directions[start : start + BLOCK]
        answers = read(oracle, point + np.concatenate([move, -move]))
        ahead, behind = answers.reshape(2, len(move), -1)  # (n, K) each
        with np.errstate(invalid="ignore"):  # a probability may have underflowed
            differences.append((ahead - 2 * here + behind) / step)
    return np.concatenate(differences)[0 if np.ndim(direction) == 1 else slice(None)]


def absolute_weights(
    oracle: Oracle, point: Array, step: float, output: Array
) -> tuple[Array, float]:
    """Step 2. |a_ij| for every input j, by a second difference along every axis e_j.

    output : (K,) unit vector along A1[:, i], known from the slope jump on the line
    Returns ((d,) |a_ij|, stray), stray as in `along`. Costs 2 d + 1 queries.
    Source: Jagielski et al. 2020, section 4.3; lecture slide 'absolute weights'.
    """
    return along(second_difference(oracle, point, np.eye(len(point)), step), output)


def along(differences: Array, output: Array) -> tuple[Array, float]:
    """Lengths along A1[:, i], (n, K) -> (n,), and stray: the largest part that points elsewhere.

    What does not point along A1[:, i] comes from a step that crossed another hyperplane. NaN where
    an answer is no number: no check is passed by it.
    """
    with np.errstate(invalid="ignore"):
        lengths = differences @ output
        across = np.abs(differences - np.multiply.outer(lengths, output)).max(initial=0.0)
    return np.maximum(lengths, 0), max(float(across), -float(lengths.min(initial=0.0)))
