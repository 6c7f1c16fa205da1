"""Solutions of exercise 07."""

import numpy as np


def floor_queries(d, h, K):
    """The floor F: fewer queries cannot determine a network d-h-K."""
    return (h * d + K * h + K) / K


def jacobian(ask, x, c):
    """The slopes of all outputs along all inputs, by forward differences."""
    answers = ask(np.vstack([x, x + c * np.eye(len(x))]))
    return (answers[1:] - answers[0]).T / c


def solve_group(jumps, change):
    """The rows of all neurons that changed sides between two places of the line."""
    return np.linalg.lstsq(jumps.T, change, rcond=None)[0]


def orientations(J, x, rows, offsets, jumps):
    """On which side of its wall is each neuron on? +1: where a_i x + c_i > 0; -1: below 0."""
    even = (jumps.T * np.sign(rows @ x + offsets)) @ rows
    equations = np.einsum("hk,hd->kdh", jumps, rows).reshape(-1, len(rows))
    return np.linalg.lstsq(equations, (2 * J - even).ravel(), rcond=None)[0]
