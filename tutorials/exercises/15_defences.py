"""Exercise 15: changed answers, and the privacy bill of PATE.

Replace each `...` by your code, save, then run:   mstheft learn check 15
A hint when you are stuck:                         mstheft learn hint 15
The story behind it:                               tutorials/lessons/15_defences.py

Edit this file only. Write plain NumPy: the functions run in a process of their own, which refuses
mstheft itself.
"""

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
    ...  # your code


def count_votes(said, classes):
    """How many teachers say each class about each question?

        n_ij = number of teachers t with said[t, i] = j

    said : (teachers, n) whole numbers from 0 to classes - 1
    Returns (n, classes), whole numbers.
    Example: said = [[0, 2], [0, 1]] and 3 classes: [[2, 0, 0], [0, 1, 1]].
    """
    ...  # your code


def another_answer(votes, sigma):
    """A bound on the chance that noise N(0, sigma^2) on the votes makes another class win.

        q = sum over j != j* of  1/2 erfc((n_j* - n_j) / (2 sigma)),   but at most 1 - 1/K

    j* is the class with most votes (the first of equal ones).

    votes : (K,) of one question;  sigma : a number
    Returns a float.
    Example: votes = [9, 9] and any sigma: 0.5, for one vote less would turn it round.
    """
    ...  # your code


def bill(costs, orders, delta):
    """What do all answers cost together?

        epsilon = min over the orders of  sum of the costs there + ln(1/delta) / (order - 1)

    costs : (answers, m) RDP of each answer at each order;  orders : (m,) all above 1
    delta : a number between 0 and 1
    Returns epsilon and the order that gives it, a tuple of two numbers.
    Example: no cost at all, [[0., 0.]], orders [2., 11.], delta e^-5: epsilon 0.5 at order 11.
    """
    ...  # your code
