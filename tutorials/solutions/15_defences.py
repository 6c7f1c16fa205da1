"""Solutions of exercise 15: changed answers, and the privacy bill of PATE."""

from math import erfc, log  # erfc: the tail of the bell curve, for one number at a time

import numpy as np


def reverse_sigmoid(probs, beta, gamma):
    """Move every probability towards one half, then make each row add up to 1 again.

        m_k = p_k - beta (s(gamma logit p_k) - 1/2),    told = m / (sum of m over the row)

    with logit p = ln(p / (1 - p)) and s(z) = 1 / (1 + exp(-z)).

    probs : (n, K) probabilities strictly between 0 and 1;  beta, gamma : numbers
    Returns (n, K).
    Example: [[0.5, 0.5]] stays as it is, for any beta and gamma.
    """
    logits = np.log(probs) - np.log1p(-probs)
    moved = probs - beta * (1 / (1 + np.exp(-gamma * logits)) - 0.5)
    return moved / moved.sum(axis=1, keepdims=True)


def count_votes(said, classes):
    """How many teachers say each class about each question?

        n_ij = number of teachers t with said[t, i] = j

    said : (teachers, n) whole numbers from 0 to classes - 1
    Returns (n, classes), whole numbers.
    Example: said = [[0, 2], [0, 1]] and 3 classes: [[2, 0, 0], [0, 1, 1]].
    """
    return (said[:, :, None] == np.arange(classes)).sum(axis=0)


def another_answer(votes, sigma):
    """A bound on the chance that noise N(0, sigma^2) on the votes makes another class win.

        q = sum over j != j* of  1/2 erfc((n_j* - n_j) / (2 sigma)),   but at most 1 - 1/K

    j* is the class with most votes (the first of equal ones).

    votes : (K,) of one question;  sigma : a number
    Returns a float.
    Example: votes = [9, 9] and any sigma: 0.5, for one vote less would turn it round.
    """
    best = int(np.argmax(votes))
    q = sum(0.5 * erfc((votes[best] - v) / (2 * sigma)) for v in np.delete(votes, best))
    return float(min(q, 1 - 1 / len(votes)))


def bill(costs, orders, delta):
    """What do all answers cost together?

        epsilon = min over the orders of  sum of the costs there + ln(1/delta) / (order - 1)

    costs : (answers, m) RDP of each answer at each order;  orders : (m,) all above 1
    delta : a number between 0 and 1
    Returns epsilon and the order that gives it, a tuple of two numbers.
    Example: no cost at all, [[0., 0.]], orders [2., 11.], delta e^-5: epsilon 0.5 at order 11.
    """
    totals = np.sum(costs, axis=0) + log(1 / delta) / (np.asarray(orders) - 1)
    best = int(totals.argmin())
    return float(totals[best]), float(orders[best])
