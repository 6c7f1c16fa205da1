"""Exercise 09: the pieces of the ActiveThief loop.

Replace each `...` by your code, save, then run:   mstheft learn check 9
A hint when you are stuck:                         mstheft learn hint 9
The story behind it:                               tutorials/lessons/09_active.py

Edit this file only. Write plain NumPy: the functions run in a process of their own, which refuses
mstheft itself.
"""

import numpy as np


def budget_for(rounds, k):
    """The smallest budget that leaves k rows or more for each of the rounds.

        budget = validation (20 %) + first rows (10 %) + k_1 + ... + k_N

    The lesson divides a budget. Here it is sought: the first two parts are rounded to whole numbers
    (Python's round), and the rest must be enough for N rounds of k rows.

    rounds : N;  k : rows of each round
    Returns an int.
    Example: budget_for(3, 23) is 99, for 99 - 20 - 10 = 69.
    """
    ...  # your code


def targets(labels, confidence, classes):
    """What the copy is trained towards, when the service tells its label and how sure it is of it.

    Many services answer "cat, 83 %" and no more. The other classes share what is left in equal
    parts, for nothing is known about them: the row adds up to 1, and says no more than was told.

    labels : (n,) whole numbers from 0;  confidence : (n,) the probability of that label
    classes : K, at least 2
    Returns (n, K) floats.
    Example: targets(np.array([2]), np.array([0.8]), 3) is array([[0.1, 0.1, 0.8]]).
    """
    ...  # your code


def soft_cross_entropy(logits, soft):
    """The loss of a copy against soft labels, and its slope with respect to the logits.

        L = -1/n sum_i sum_k soft_ik ln p_ik,   p = softmax(logits)      dL/dlogits = (p - soft) / n

    logits, soft : (n, K); each row of soft sums to 1
    Returns (L, slope (n, K)). Large logits must not overflow: subtract each row's maximum first.
    Example: for logits [[0., 0.]] and soft [[1., 0.]] it is (0.693..., array([[-0.5, 0.5]])).
    """
    ...  # your code


def macro_f1(table):
    """How well the copy's labels meet the victim's, read from a table of counts.

        table_ij = rows that the victim calls i and the copy calls j
        F_c = 2 TP / (2 TP + FP + FN),     macro-F1 = mean of F_c over the classes that occur

    The lesson went through the labels row by row. A confusion matrix holds all that is needed: find
    TP, FP and FN of each class in it. A class occurs if the victim or the copy names it at least
    once; the others have an empty row and an empty column.

    table : (K, K) whole numbers
    Returns a float from 0 to 1.
    Example: macro_f1(np.array([[2, 0, 0], [1, 0, 0], [0, 0, 0]])) is 0.4.
    """
    ...  # your code


def victim_width(widths, misfits, shape, rows, decimals):
    """Which of several polished students is the victim? The narrowest with nothing but noise left.

    Rounding makes answers off by nu = 10^-decimals / sqrt(12), root mean square. A student that is
    fitted to N answered numbers by P weights follows the noise with P of them. What is left is

        misfit = nu sqrt(1 - P / N)      with P = h d + K h + K, for the scale of a neuron is free

    if there is nothing but noise in it. Up to 1.1 times that much is chance.

    widths, misfits : (m,) the h of each student, in no order, and its root mean square misfit
    shape : (d, K), inputs and outputs;  rows : how many were asked, of K numbers each
    Returns the width, an int, or None where no student has come down to the noise.
    """
    ...  # your code
