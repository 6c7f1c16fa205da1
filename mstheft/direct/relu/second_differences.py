"""Second differences across a critical point: what the kink of one neuron tells of its weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from mstheft.direct.answers import read
from mstheft.typing import Array, Oracle

BLOCK = 512  # directions asked at once


def second_difference(oracle: Oracle, point: Array, direction: Array, step: float) -> Array:
    """Curvature of the answers across a critical point, along one direction.

        f(x + c e) - 2 f(x) + f(x - c e)  =  c |<a_i, e>| A1[:, i]

    Only neuron i changes sides between the three points, so all other neurons cancel and what is
    left is its input weight, without its sign.

           off  | on             x - c e    x    x + c e
        --------+--------          *--------*--------*
                x

    point : (d,) a critical point of neuron i, accurate to much better than step
    direction : (d,) unit vector e
    step : float > 0, the c above, in input units
    Returns (K,) the difference divided by step, in logits per input unit. Costs 3 queries.
    Source: Jagielski et al. 2020, section 4.3; lecture slide 'absolute weights'.
    """
    ahead, here, behind = read(oracle, point + step * np.outer([1, 0, -1], direction))
    return (ahead - 2 * here + behind) / step


def absolute_weights(
    oracle: Oracle, point: Array, step: float, output: Array
) -> tuple[Array, float]:
    """Step 2. |a_ij| for every input j, by a second difference along every axis e_j.

    output : (K,) unit vector along A1[:, i], known from the slope jump on the line
    Returns ((d,) |a_ij|, stray): with K > 1 outputs, what does not point along A1[:, i] is stray
    and tells of a step that crossed another hyperplane. Costs 2 d + 1 queries.
    Source: Jagielski et al. 2020, section 4.3; lecture slide 'absolute weights'.
    """
    differences = _second_differences(oracle, point, step, range(len(point)), None)
    return _along(differences, output)


def relative_signs(
    oracle: Oracle, point: Array, step: float, output: Array, absolute: Array
) -> tuple[Array, float]:
    """Step 3. Signs of a_ij relative to the largest entry a_ik: differences along e_j + e_k.

        |a_ij + a_ik|  =  |a_ij| + |a_ik|   if the signs are equal, else their difference

    absolute : (d,) what step 2 found
    Returns ((d,) of +1 and -1, stray), stray being how far the nearer of the two values was missed.
    Costs 2 d - 1 queries.
    Source: Jagielski et al. 2020, section 4.3; lecture slide 'relative signs'.
    """
    pivot = int(absolute.argmax())
    others = [j for j in range(len(point)) if j != pivot]
    together, stray = _along(_second_differences(oracle, point, step, others, pivot), output)
    same = absolute[pivot] + absolute[others]
    opposite = absolute[pivot] - absolute[others]
    equal = np.abs(together - same) <= np.abs(together - opposite)
    signs = np.ones(len(point))
    signs[others] = np.where(equal, 1.0, -1.0)
    miss = np.abs(together - np.where(equal, same, opposite)).max(initial=0.0)
    return signs, max(stray, float(miss) / 2)


def _along(differences: Array, output: Array) -> tuple[Array, float]:
    """Lengths along A1_i (n,), and the largest part across it."""
    lengths = differences @ output
    across = np.abs(differences - np.multiply.outer(lengths, output)).max(initial=0.0)
    return np.maximum(lengths, 0), max(float(across), -float(lengths.min(initial=0.0)))


def _second_differences(
    oracle: Oracle, point: Array, step: float, inputs: Any, partner: int | None
) -> Array:
    """Second differences along e_j (+ e_partner) for all j in `inputs`, (n, K), divided by step."""
    inputs = np.asarray(inputs, int)
    here = read(oracle, point[None])
    parts = []
    for start in range(0, len(inputs), BLOCK):
        block = inputs[start : start + BLOCK]
        moved = np.tile(point, (2, len(block), 1))
        for side, sign in enumerate((1, -1)):
            moved[side, np.arange(len(block)), block] += sign * step
            if partner is not None:
                moved[side, :, partner] += sign * step
        ahead, behind = read(oracle, moved.reshape(-1, len(point))).reshape(2, len(block), -1)
        parts.append((ahead - 2 * here + behind) / step)
    return np.concatenate(parts) if parts else np.zeros((0, here.shape[1]))
