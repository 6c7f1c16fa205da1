"""Exercise 10: which rows of the pool to buy next.

Replace each `...` by your code, save, then run:   mstheft learn check 10
A hint when you are stuck:                         mstheft learn hint 10
The story behind it:                               tutorials/lessons/10_strategies.py

Edit this file only. Write plain NumPy: the functions run in a process of their own, which refuses
mstheft itself.
"""

import numpy as np


def least_margin(probs, k):
    """The k rows on which the copy is torn most between its two best classes.

        margin = largest probability - second largest probability

    probs : (n, K) the copy's probabilities
    Returns (k,) row numbers, the smallest margin first.
    Example: least_margin(np.array([[0.9, 0.1], [0.4, 0.6]]), 1) is array([1]).
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
    """The shortest step from x to the border of the linear model z = W x + b.

        w = w_l - w_k,    r = |z_l - z_k| / |w|^2  w,    for the class l with the smallest |r|

    k is the label at x, and l another class.

    W, b : (K, d), (K,);  x : (d,)
    Returns r (d,), without overshoot.
    Example: deepfool_step(np.array([[1.0], [0.0]]), np.zeros(2), np.array([3.0])) is array([-3.]).
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
