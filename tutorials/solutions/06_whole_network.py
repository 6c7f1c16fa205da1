"""Solutions of exercise 06: signs of neurons, the last layer, a whole network."""

import numpy as np


def all_on_the_seam(rows, offsets, x):
    """The input *nearest to x* at which every neuron is 0, and directions to move each alone.

        A z + c = 0,    |z - x| as small as can be;      A v_i = e_i    (e_i: 1 at place i, else 0)

    The lesson took the z nearest to 0. A victim of pictures answers pictures only, so that one
    starts from an input x of its own, and leaves it as little as possible.

    rows : (h, d) the matrix A, with h < d and independent rows; offsets : (h,) the vector c
    x : (d,)
    Returns z (d,) and the moves (h, d), row i of which is v_i, as a tuple.
    Example: rows = [[2, 0]], offsets = [4], x = [0, 7]: z = [-2, 7] and moves = [[0.5, 0]].
    """
    moves = np.linalg.pinv(rows).T
    return x - (rows @ x + offsets) @ moves, moves


def neuron_signs(f, rows, offsets):
    """On which side of its seam is each neuron on?

        on where a_i · x + c_i > 0: sign +1.     on where it is < 0: sign -1

    At z all neurons are 0. Of f(z + v_i) and f(z - v_i) only one differs from f(z): the one on the
    side where neuron i is on. Rounding may leave a tiny difference on the other side.

    f : a function of rows (n, d) that answers with (n, K) logits; each row is one query
    rows (h, d), offsets (h,) : each pair with an unknown sign
    Returns (h,) of 1.0 and -1.0. Costs 2 h + 1 queries.
    """
    z, moves = all_on_the_seam(rows, offsets, np.zeros(rows.shape[1]))
    here, plus, minus = f(z[None]), f(z + moves), f(z - moves)
    moved_plus = np.abs(plus - here).max(axis=1)
    moved_minus = np.abs(minus - here).max(axis=1)
    return np.where(moved_plus > moved_minus, 1.0, -1.0)


def last_layer(rows, offsets, x, answers):
    """Signs of the neurons and the output layer at once, from answers at inputs of any kind.

        answers_n  =  sum_i  A1_i relu(s_i (a_i · x_n + c_i))  + b1,     s_i = 1 or -1

    Of each neuron the pair (a_i, c_i) is known but for its sign s_i. The lesson asked for the signs
    first. Without that, let *both* relu(y) and relu(-y) of y = a_i · x + c_i stand in the
    equations, with unknown weights: those of the wrong side come out as 0, but for rounding.

    rows (h, d), offsets (h,) : each pair with an unknown sign, h < d
    x : (n, d) inputs with n of at least 2 h + 1; answers : (n, K) the logits there
    Returns the signs s (h,) of 1.0 and -1.0, A1 (K, h) and b1 (K,), as a tuple, by least squares.
    """
    h, y = len(rows), x @ rows.T + offsets
    table = np.hstack([np.maximum(y, 0), np.maximum(-y, 0), np.ones((len(x), 1))])
    solution = np.linalg.lstsq(table, answers, rcond=None)[0]
    plus, minus, b1 = solution[:h].T, solution[h:-1].T, solution[-1]
    signs = np.where(np.abs(plus).max(axis=0) > np.abs(minus).max(axis=0), 1.0, -1.0)
    return signs, np.where(signs > 0, plus, minus), b1


def attack_queries(d, h, K, walk):
    """What the whole theft of a network d-h-K costs: all queries of lessons 04 to 06.

    - the walk along a line that finds one kink of each neuron: `walk` queries in all;
    - for each neuron the sizes of its d weights and their relative signs, by second differences of
      3 queries each: one along every input, and one for every input but the largest (lesson 05);
    - the signs of all neurons together, as in neuron_signs above;
    - the last layer: as few inputs as its equations need, if none is asked twice.

    Each answer tells K numbers and costs one query.

    d, h, K : inputs, hidden neurons, outputs;  walk : queries of the walk
    Returns a whole number.
    Example: attack_queries(2, 1, 1, 10) is 24: 10 for the walk, then 9, 3 and 2.
    """
    rows, signs, last = h * (3 * d + 3 * (d - 1)), 2 * h + 1, h + 1
    return walk + rows + signs + last
