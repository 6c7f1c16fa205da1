"""Exercise 09: the pieces of the ActiveThief loop.

Replace each `...` by your code, save, then run:   mstheft learn check 9
A hint when you are stuck:                         mstheft learn hint 9
The story behind it:                               tutorials/lessons/09_active.py

Edit this file only. Write plain NumPy: the functions run in a process of their own, which refuses
mstheft itself.
"""

import numpy as np


def shares(budget, rounds):
    """How a budget of queries is divided before the first one is asked.

        budget = validation (20 %) + first rows (10 %) + k_1 + ... + k_N

    The first two are rounded to whole numbers. The rest goes to the N rounds in equal parts; where
    it does not go up, the earliest rounds take one row more.

    Returns (validation, first, later), later being a list of N whole numbers.
    Example: shares(100, 3) is (20, 10, [24, 23, 23]).
    """
    ...  # your code


def targets(answers, output, classes):
    """What the copy is trained towards: probabilities out of whatever the oracle tells.

        "probs"      as they are              "log_probs"  e^answer
        "logits"     their softmax            "label"      1 for the class, 0 for the others

    answers : (n, classes), or (n,) whole numbers from 0 for "label"
    Returns (n, classes) floats. Large logits must not overflow.
    Example: targets(np.array([2, 0]), "label", 3) is array([[0., 0., 1.], [1., 0., 0.]]).
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


def macro_f1(told, said):
    """How well the copy's labels meet the victim's, every class with equal weight.

        F_c = 2 TP / (2 TP + FP + FN),     macro-F1 = mean of F_c over the classes that occur

    A class occurs if the victim or the copy names it at least once.

    told, said : (n,) labels of the victim and of the copy
    Returns a float from 0 to 1.
    Example: macro_f1(np.array([0, 0, 1]), np.array([0, 0, 0])) is 0.4.
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
