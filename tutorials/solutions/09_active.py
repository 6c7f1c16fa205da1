"""Solutions of exercise 09: the pieces of the ActiveThief loop."""

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
    budget = rounds * k
    while budget - round(0.2 * budget) - round(0.1 * budget) < rounds * k:
        budget += 1
    return budget


def targets(labels, confidence, classes):
    """What the copy is trained towards, when the service tells its label and how sure it is of it.

    Many services answer "cat, 83 %" and no more. The other classes share what is left in equal
    parts, for nothing is known about them: the row adds up to 1, and says no more than was told.

    labels : (n,) whole numbers from 0;  confidence : (n,) the probability of that label
    classes : K, at least 2
    Returns (n, K) floats.
    Example: targets(np.array([2]), np.array([0.8]), 3) is array([[0.1, 0.1, 0.8]]).
    """
    soft = np.tile((1 - confidence)[:, None] / (classes - 1), classes)
    np.put_along_axis(soft, labels[:, None], confidence[:, None], axis=1)
    return soft


def soft_cross_entropy(logits, soft):
    """The loss of a copy against soft labels, and its slope with respect to the logits.

        L = -1/n sum_i sum_k soft_ik ln p_ik,   p = softmax(logits)      dL/dlogits = (p - soft) / n

    logits, soft : (n, K); each row of soft sums to 1
    Returns (L, slope (n, K)). Large logits must not overflow: subtract each row's maximum first.
    Example: for logits [[0., 0.]] and soft [[1., 0.]] it is (0.693..., array([[-0.5, 0.5]])).
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    n = len(logits)
    return float(-(soft * log_p).sum() / n), (np.exp(log_p) - soft) / n


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
    named = table.sum(axis=0) + table.sum(axis=1)
    return float(np.mean(2 * np.diag(table)[named > 0] / named[named > 0]))


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
    d, K = shape
    nu = 10.0**-decimals / np.sqrt(12)
    weights = widths * d + K * widths + K
    good = misfits <= 1.1 * nu * np.sqrt(1 - weights / (rows * K))
    return int(widths[good].min()) if good.any() else None
