"""Exercise 16: two hidden layers, and whose kink is this?.

Replace each `...` by your code, save, then run:   mstheft learn check 16
A hint when you are stuck:                         mstheft learn hint 16
The story behind it:                               tutorials/lessons/16_deeper.py

Edit this file only. Write plain NumPy: the functions run in a process of their own, which refuses
mstheft itself.
"""

import numpy as np


def kink_pair(before, after, v):
    """The output direction g and the input direction a of the neuron behind a kink.

        after - before = g a^T,     scaled such that a·v = 1

    The product of the table with v gives g; the product of g with the table gives a, times g·g.

    before, after : (K, d) Jacobians on the two sides of one kink of the line x(t) = u + t v
    v : (d,)
    Returns g (K,) and a (d,) as a tuple.
    Example: before = [[0., 0.]], after = [[6., 2.]], v = [1., 0.] give [6.] and [1., 0.3333].
    """
    ...  # your code


def wall_meets(a, p, u, v):
    """Where walls that are flat everywhere meet another line x(t) = u + t v.

        the wall:  a_i · (x - p_i) = 0,     on the line:  a_i · (u + t_i v - p_i) = 0

    a, p : (n, d) rows, and a point on each wall;  u, v : (d,) of the other line
    Returns t (n,).
    Example: a = [[2., 0.]], p = [[3., 1.]], u = [1., 1.], v = [1., 0.]: array([2.]).
    """
    ...  # your code


def active_sides(A, c, rows, places):
    """Which side of each first-layer wall is the active one? Second-layer kinks vote.

        rows_m = sum_i beta_mi A_i        beta_mi is not 0 only if neuron i is on at place m
        y_mi = A_i · places_m + c_i       on which side of wall i is that place?

    Neuron i gets from every kink m the vote sgn(y_mi) if |beta_mi| is more than 1e-6 of the
    largest |beta_m|, and the vote -sgn(y_mi) if it is not.

    A, c : (h, d) rows and (h,) offsets of the walls, h <= d, each with an unknown sign
    rows, places : (m, d) rows of second-layer kinks, and where the kinks are
    Returns (h,) of 1. and -1.: the sign of the sum of the votes.
    """
    ...  # your code


def inputs_for(A, b, wish):
    """Inputs that make the first layer say what you wish.

        relu(A x + b) = wish      for wish >= 0: it is enough that  A x + b = wish

    A, b : (h, d), (h,) the oriented first layer, its rows independent, h <= d
    wish : (n, h) hidden values
    Returns x (n, d): of all that do it the shortest A^+ (wish - b), with the pseudoinverse A^+.
    Raises ValueError if a wish is negative: no relu ever says that.
    Example: A = [[2., 0.]], b = [1.], wish = [[5.]] gives array([[2., 0.]]).
    """
    ...  # your code
