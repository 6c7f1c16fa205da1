"""Step 3: signs. First those inside a row, relative to its largest entry, then the neuron's own."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.reader import read, read_finite
from mstheft.direct.box import Box, anywhere
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.direct.relu.absolute_weights import along, second_difference
from mstheft.typing import Array, Oracle

INDEPENDENT = 1e6  # condition number of the rows up to which one neuron can be moved alone


def relative_signs(
    oracle: Oracle, point: Array, step: float, output: Array, absolute: Array
) -> tuple[Array, float]:
    """Step 3. Signs of a_ij relative to the largest entry a_ik: differences along e_j + e_k.

        |a_ij + a_ik|  =  |a_ij| + |a_ik|   if the signs are equal, else their difference

    absolute : (d,) what step 2 measured
    Returns ((d,) of +1 and -1, stray), stray being how far the nearer of the two values was missed.
    Costs 2 d - 1 queries.
    Source: Jagielski et al. 2020, section 4.3; lecture slide 'relative signs'.
    """
    k = int(absolute.argmax())
    axes = np.eye(len(point))
    pairs = np.delete(axes + axes[k], k, axis=0)  # e_j + e_k, (d - 1, d)
    together, stray = along(second_difference(oracle, point, pairs, step), output)
    others = np.delete(absolute, k)
    same, opposite = absolute[k] + others, absolute[k] - others
    equal = np.abs(together - same) <= np.abs(together - opposite)
    miss = np.abs(together - np.where(equal, same, opposite)).max(initial=0.0)
    return np.insert(np.where(equal, 1.0, -1.0), k, 1.0), max(stray, float(miss) / 2)


def signs_of(oracle: Oracle, neurons: Hyperplanes, rng: Generator, box: Box | None = None) -> Array:
    """Step 3. The neurons' own signs, (h,): one by one where their rows are independent, h < d.

    Between walls, where the place at which all neurons switch may lie outside, all at once.
    """
    unit = neurons.rows / np.linalg.norm(neurons.rows, axis=1, keepdims=True)
    if box is None and len(neurons) < oracle.inputs and np.linalg.cond(unit) < INDEPENDENT:
        return neuron_signs(oracle, neurons.rows, neurons.offsets)
    return signs_by_least_squares(oracle, neurons.rows, neurons.offsets, neurons.outputs, rng, box)


def neuron_signs(oracle: Oracle, rows: Array, offsets: Array) -> Array:
    """Step 3. Which side of its hyperplane is a neuron's active side? For independent rows, h < d.

        A0 z + b0 = 0,    A0 v_i = e_i :    only one of f(z + v_i), f(z - v_i) differs from f(z)

    At z every neuron is at its critical point; a step along v_i moves neuron i alone, and the
    answer moves only if that step switches it on. The sign is that of the larger move.

    rows, offsets : (h, d), (h,) a_i and c_i, each pair with an unknown common sign
    Returns (h,) of +1 and -1. Costs 2 h + 1 queries.
    Source: Jagielski et al. 2020, section 4.3; lecture slide 'sign of the neuron'.
    """
    inverse = np.linalg.pinv(rows)
    z, moves, h = -inverse @ offsets, inverse.T, len(rows)
    answers = read(oracle, np.concatenate([z[None], z + moves, z - moves]))
    with np.errstate(invalid="ignore"):  # a probability of 0 or 1 tells nothing of its logit
        moved = np.linalg.norm(answers[1:] - answers[0], axis=1)
    return np.where(moved[:h] >= moved[h:], 1.0, -1.0)


def signs_by_least_squares(
    oracle: Oracle,
    rows: Array,
    offsets: Array,
    outputs: Array,
    rng: Generator,
    box: Box | None = None,
) -> Array:
    """Step 3 where no neuron can be moved alone (h ≥ d, dependent rows): linear in the answers.

        relu(s y) = (s y + |y|) / 2,  y = a·x + c,   so
        2 f(x) - Σ_i g_i |y_i| = Σ_i s_i g_i y_i + 2 b1

    g_i = A1[:, i] is known, sign included, because a kink bends by +|a_i·v| A1_i whichever way the
    neuron switches. Unknown are the s_i (h numbers) and b1 (K numbers).

    outputs : (h, K) the g_i
    Returns (h,) of +1 and -1. Costs about 2 (h + K) / K queries. The answers determine all signs
    only while h ≤ K d, the numbers in Σ_i s_i g_i a_iᵀ (what the offsets tell goes into b1); past
    that a wrong choice shows when the copy is verified.
    """
    h, classes = outputs.shape
    n = 2 * (h // classes + 1) + 4
    random = rng.normal(size=(n, rows.shape[1])) if box is None else anywhere(rng, box, n)
    x, answers = read_finite(oracle, random)
    y = x @ rows.T + offsets
    right = 2 * answers - np.abs(y) @ outputs
    left = np.einsum("nh,hk->nkh", y, outputs).reshape(-1, h)  # one equation per row and output
    constant = np.tile(2 * np.eye(classes), (len(x), 1))
    solved = np.linalg.lstsq(np.hstack([left, constant]), right.reshape(-1), rcond=None)[0]
    return np.where(solved[:h] >= 0, 1.0, -1.0)
