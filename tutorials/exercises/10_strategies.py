"""Exercise 10: which rows of the pool to buy next.

Replace each `...` by your code, save, then run:   mstheft learn check 10
A hint when you are stuck:                         mstheft learn hint 10
The story behind it:                               tutorials/lessons/10_strategies.py

Edit this file only. Write plain NumPy: the functions run in a process of their own, which refuses
mstheft itself.
"""

import numpy as np


def most_entropy(probs, bought, k):
    """The k rows of the pool of which the copy is least sure: those with the largest entropy.

        H_n = - sum_c p_nc ln p_nc,      where p = 0 adds nothing (0 ln 0 = 0)

    A row that was bought is not bought again. Probabilities of exactly 0 occur: a copy may be
    sure, and computers round.

    probs : (n, K) the copy's probabilities;  bought : (m,) row numbers, perhaps none
    Returns (k,) row numbers, the largest entropy first.
    Example: most_entropy(np.array([[0.9, 0.1], [0.4, 0.6], [1, 0]]), np.array([1]), 1) is
        array([0]).
    """
    ...  # your code


def k_center(points, centres, k):
    """Again and again the row that is farthest from its nearest centre.

        pick = argmax_x  min over all centres c of  |p(x) - p(c)|

    Each pick is a centre from then on.

    points : (n, K) one point for each row
    centres : (m,) the rows that are centres at the start, at least one
    Returns (k,) row numbers in order of choice, none of them a centre before.
    Example: k_center(np.array([[0.0], [1.0], [5.0]]), np.array([0]), 2) is array([2, 1]).
    """
    ...  # your code


def deepfool_step(W, b, x):
    """The step from x to the border of z = W x + b whose *largest entry* is smallest.

    The lesson's step is the shortest in length. A picture may also be changed at all its pixels at
    once, if each changes little: what counts is then max_j |r_j|. With w = w_l - w_k, every entry
    moved by the same size e, in the direction of the sign of w_j, changes z_l - z_k by

        e sum_j |w_j|,     so that e = |z_l - z_k| / sum_j |w_j| leads to the border

    k is the label at x, and l the other class for which e is smallest.

    W, b : (K, d), (K,);  x : (d,)
    Returns r (d,), without overshoot.
    Example: deepfool_step(np.array([[1., 2.], [0., 0.]]), np.zeros(2), np.array([3., 0.])) is
        array([-1., -1.]).
    """
    ...  # your code


def dfal_k_center(distances, points, labelled, k, rho):
    """k-center among the rho unlabelled rows that are nearest to the border.

    distances : (n,) of each row to the border, as DeepFool found them
    points : (n, K) the copy's probabilities
    labelled : (m,) rows whose labels are paid for: the centres at the start, never chosen
    k, rho : rows to choose, and rows to choose from, k <= rho
    Returns (k,) row numbers in order of choice.
    Example: with distances [9, 1, 1, 9], points [[0], [1], [2], [3]], labelled [0], k = 1 and
        rho = 2 the rows 1 and 2 are near the border, and 2 is farther from row 0: array([2]).
    """
    ...  # your code
