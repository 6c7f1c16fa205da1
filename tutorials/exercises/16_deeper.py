"""Exercise 16: several hidden layers, and whose kink is this?.

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


def lift(x, layers, rows, offsets):
    """The lifted input behind any number of known layers: there the next layer's walls are flat.

        h = relu(A h + b)  for each known layer in turn, beginning with h = x
        phi = (|rows h + offsets|, h)

    x : (n, d);  layers : list of pairs (A, b), (out, in) and (out,), perhaps none
    rows, offsets : (m, p), (m,) of the layer after these, each neuron up to an unknown sign
    Returns (n, m + p), p being the width of h.
    Example: x = [[3., -1.]], no layers, rows = [[1., 1.]], offsets = [-5.]: array([[3., 3., -1.]]).
    """
    ...  # your code


def oriented(w, rows, offsets):
    """Signs of a layer's rows, and the layer behind it in the usual form.

        z_j = B_j · |rows x + offsets| + C_j · x + beta_j,       w_j = (B_j, C_j, beta_j)
            = A1_j · relu(s (rows x + offsets)) + b1_j,          s_i = 1 or -1

    From relu(z) = (z + |z|) / 2 follow the signs, by least squares over all j at once, then A1, b1.

    w : (m, h + d + 1), measured, so that C is off by a little
    rows, offsets : (h, d), (h,) with unknown signs; h may be larger than d
    Returns s (h,) of 1. and -1., A1 (m, h) and b1 (m,) as a tuple.
    """
    ...  # your code


def whose_kinks(layers, u, v, low, high):
    """Where a network bends along x(t) = u + t v, and which layer bends there. At any depth.

    Between two neighbouring kinks of the layers before it a neuron is straight in t. There it
    switches at most once, where the straight line through its values at the two ends is 0.

    layers : list of pairs (A, b) of the hidden layers, each followed by a relu
    u, v : (d,);  low, high : the ends of the line
    Returns t (n,), sorted, of all switches with low < t < high, and layer (n,) from 1, as a tuple.
    Example: one layer [[1.]], [-2.] and u = [0.], v = [1.], from 0 to 5: t = [2.], layer = [1].
    """
    ...  # your code


def unseen_share(n, certainty):
    """What a verified copy may still lack.

    A copy lacks a neuron that is on for a share q of all inputs, and is wrong there. n random rows
    miss all of them with some probability. The larger q, the smaller it is.

    n : rows, none of which was wrong;  certainty : such as 0.95
    Returns the q at which that probability has fallen to 1 - certainty. Not the rule of thumb.
    Example: n = 2, certainty = 0.75 gives 0.5, for two rows miss one half with probability 1/4.
    """
    ...  # your code


def why_both_sides():
    """Why must kinks of neuron j be seen on both sides of the wall of each neuron i before it?

    A   Each row is measured with rounding, and the mean over the two sides cancels it.
    B   On one side |y_i| is y_i or -y_i, linear in x: any change of B_ji can be made up for by C_j.
    C   On the off side of neuron i the victim has no kinks of neuron j.
    D   Two points on a wall are needed for its offset, and they must not be on one side.

    Returns "A", "B", "C" or "D".
    """
    ...  # your code
