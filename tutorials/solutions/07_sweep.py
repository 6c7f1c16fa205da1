"""Solutions of exercise 07: the sweep, a network in fewer queries than it has parameters."""

import numpy as np


def widest(budget, d, K):
    """The widest hidden layer that so many queries could determine: the floor turned round.

        F = (h d + K h + K) / K  <=  budget

    A0 has h d weights, b0 has h, A1 has K h, b1 has K, and one number for each hidden neuron is
    free. A detector stops the thief after `budget` queries: how wide must a victim be to be safe?

    budget : queries;  d, K : inputs, outputs
    Returns the largest whole h with F of at most the budget; 0 if not even one neuron fits.
    Example: widest(10, 2, 1) is 3, for F is then 10.
    """
    return max(0, (budget - 1) * K // (d + K))


def jacobian(ask, x, c):
    """The slopes of all outputs along all inputs, by forward differences.

        J_kj = (f_k(x + c e_j) - f_k(x)) / c,     e_j = (0, ..., 1, ..., 0)

    ask : takes rows (n, d) and returns their answers (n, K)
    x : (d,) a place;  c : the step, a number above 0
    Returns (K, d). Asks d + 1 rows.
    Example: for f(x) = (x_0 + 2 x_1,), jacobian(f, np.zeros(2), 0.1) is array([[1., 2.]]).
    """
    answers = ask(np.vstack([x, x + c * np.eye(len(x))]))
    return (answers[1:] - answers[0]).T / c


def solve_group(jumps, change):
    """The rows of all neurons that changed sides between two places of the line.

        J(t_b) - J(t_a) = sum_i g_i a_i^T,     so each column of `change` is a system in K equations

    jumps : (m, K) the slope jumps g_i, m <= K
    change : (K, d) the difference of the two Jacobians
    Returns (m, d), the rows a_i, in the least-squares sense.
    Example: solve_group(np.array([[2.0, 0.0]]), np.array([[6.0, 8.0], [0.0, 0.0]])) is
        array([[3., 4.]]).
    """
    return np.linalg.lstsq(jumps.T, change, rcond=None)[0]


def orientations(J, x, rows, offsets, jumps):
    """On which side of its wall is each neuron on? +1: where a_i x + c_i > 0; -1: below 0.

        2 J(x) - sum_i g_i sgn(y_i) a_i^T = sum_i s_i g_i a_i^T,      y_i = a_i x + c_i

    The left side is known; the right side is linear in the s_i. Solve for them by least squares.

    J : (K, d) the Jacobian at x;  x : (d,)
    rows, offsets : (h, d), (h,) the a_i and c_i;  jumps : (h, K) the g_i
    Returns (h,), not rounded: how far the numbers are off +1 and -1 is a check.
    Example: with J = [[0.]], x = [1.], rows = [[1.]], offsets = [0.], jumps = [[1.]] the neuron is
        off at x > 0, so the answer is array([-1.]).
    """
    even = (jumps.T * np.sign(rows @ x + offsets)) @ rows
    equations = np.einsum("hk,hd->kdh", jumps, rows).reshape(-1, len(rows))
    return np.linalg.lstsq(equations, (2 * J - even).ravel(), rcond=None)[0]
