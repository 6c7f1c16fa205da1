"""Exercise 20: a hidden layer from labels alone.

Replace each `...` by your code, save, then run:   mstheft learn check 20
A hint when you are stuck:                         mstheft learn hint 20
The story behind it:                               tutorials/lessons/20_labels.py

Edit this file only. Write plain NumPy: the functions run in a process of their own, which refuses
mstheft itself.
"""

import numpy as np


def label_price(d, h, normals, width, precision):
    """About how many labels an attack buys for its normals.

    Each number of a normal is a bisection: an interval of the given width is halved until it is
    no longer than the precision. The first h normals have d numbers each, or all of them if there
    are fewer than h. Every further one has h numbers: the space that holds all normals is known.

    d, h, normals : whole numbers;  width, precision : floats, width > precision
    Returns the number of labels, a whole number.
    Example: d = 100, h = 4, normals = 10, width = 1., precision = 0.1: 4 halvings, 1696 labels.
    """
    ...  # your code


def corner_rows(planes):
    """The rows of two neurons from the four flat pieces around one corner of the boundary.

                  n  | m           Between n and n', and between m and m', neuron i changes sides,
                -----+-----  i     between n and m, and between n' and m', neuron j. The gradients
                  n' | m'          are g, g + r_i, g + r_j and g + r_i + r_j, with r_i along the row
                     j             of i. Labels tell each of the four up to a factor alone.

    So the four have one dependency  c_1 n + c_2 n' + c_3 m + c_4 m' = 0. Which part of this sum is
    a multiple of r_i, which of r_j?

    planes : (4, d + 1), d > 3, in the order n, n', m, m'. Each is (normal, offset), zero on its
    piece, measured, so that the dependency holds up to rounding
    Returns (2, d + 1): the walls (R, o) of i and of j, R of length 1, its first weight above 0.
    """
    ...  # your code


def class_weights(R, o, points, classes, x, label):
    """Everything behind the rows, for K > 2 classes, from points of all boundaries at once.

        f_k(x) = theta_k · (|R x + o|, x, 1),      theta_0 = 0
        on the boundary between classes a and b:   f_a = f_b

    The table has (K - 1)(h + d + 1) unknowns, theta_1, theta_2, … one behind another. It sends
    one vector to zero. Its sign is decided by one label.

    R, o : (h, d), (h,) with unknown signs;  points : (n, d)
    classes : (n, 2) whole numbers, a and b of each point, of which any may be 0;  K is one more
    than the largest
    x : (d,) an input, not on a boundary;  label : what the victim says there
    Returns theta (K, h + d + 1), theta_0 included, the length of all its numbers together 1.
    """
    ...  # your code


def turn_wall(c, gamma, w, v, p):
    """Another neuron with the same labels everywhere, whose wall goes through a point.

        f(x) = c · x + gamma + relu(w · x + v),     label 1 where f(x) > 0

    Where the neuron is off, f is c · x + gamma; where it is on, f is another linear function, and
    always the larger of the two. What may be done to one of the two without changing any label?

    c, w, p : (d,);  gamma, v : numbers. At p both linear functions have the same sign
    Returns w (d,) and v of the new neuron as a tuple; c and gamma stay.
    Example: c = [1., 0.], gamma = 0., w = [-1., 1.], v = 0., p = [1., 2.]: ([-1., 0.5], 0.).
    """
    ...  # your code


def why_no_signs():
    """Lesson 06 asked for the sign of each neuron. Why does this attack need none of them?

    A   The normals point into label 1, so that each row is measured with its sign.
    B   relu(z) is |z|/2 + z/2: |z| is the same for both signs, and z/2 is linear in x, so that
        c and beta take it up whatever the sign is.
    C   If a neuron's row and offset change their sign, no label changes.
    D   The one label at the end decides all signs at once.

    Returns "A", "B", "C" or "D".
    """
    ...  # your code
