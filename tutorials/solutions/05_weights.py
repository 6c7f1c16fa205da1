"""Solutions of exercise 05: absolute weights and relative signs from second differences."""

import numpy as np


def second_difference(f, x, e, c):
    """The bend of f at a critical point x along one direction, for each input unit.

        ( f(x + c e) - 2 f(x) + f(x - c e) ) / c  =  |A0_i · e| A1_i

    i is the neuron that stands on its seam at x; all others are straight here and drop out.

    f : a function of one input (d,) that answers with one number; each call is one query
    x : (d,) a critical point; e : (d,) a direction; c : the step, above 0
    Returns a number. Costs 3 queries.
    Example: for f(x) = |x_0| at x = [0] along e = [1] it is 2.
    """
    return (f(x + c * e) - 2 * f(x) + f(x - c * e)) / c


def absolute_row(f, x, c):
    """The sizes of all input weights of the neuron at a critical point, up to one common factor.

        size_j = |A0_ij| |A1_i|  >= 0,    from the second difference along e_j

    e_j is the direction of input j: 1 at place j, 0 elsewhere. A1_i may be negative.

    f, x, c : as above
    Returns (d,) numbers, none of them below 0. Costs 3 d queries.
    """
    return np.abs([second_difference(f, x, e, c) for e in np.eye(len(x))])


def relative_signs(f, x, c, sizes):
    """Which weights have the sign of the largest one, and which have the other?

    With k the place of the largest size, the second difference along e_j + e_k has the size

        size_j + size_k     if the weights j and k have equal signs
        size_k - size_j     if they have opposite signs

    Take the nearer of the two. A1_i may be negative.

    f, x, c : as above; sizes : (d,) what absolute_row has found
    Returns (d,) of 1.0 and -1.0, with 1.0 at place k. Costs 3 (d - 1) queries.
    """
    d, k = len(x), int(sizes.argmax())
    axes = np.eye(d)
    signs = np.ones(d)
    for j in range(d):
        if j != k:
            together = abs(second_difference(f, x, axes[j] + axes[k], c))
            equal, opposite = sizes[k] + sizes[j], sizes[k] - sizes[j]
            signs[j] = 1.0 if abs(together - equal) < abs(together - opposite) else -1.0
    return signs


def row_up_to_sign(f, x, v, jump, c):
    """The weights of the neuron at x, checked against what the walk has shown of it.

        row_j = size_j sign_j,    and it must hold:    | row · v |  =  jump

    On the walk that found x, with direction v, the slope of f jumped by A1_i |A0_i · v|; `jump` is
    the size of that. A step that crosses the seam of another neuron gives a row that does not fit.
    Then divide c by 8 and measure again, at most 8 times in all. A row fits if it misses by less
    than a millionth of the jump.

    f, x, c : as above; v : (d,); jump : a number above 0
    Returns (d,) the row, its largest entry (by size) positive.
    Raises ValueError if no step gives a row that fits. Costs 6 d - 3 queries for each step.
    """
    for _ in range(8):
        sizes = absolute_row(f, x, c)
        row = sizes * relative_signs(f, x, c, sizes)
        if abs(abs(row @ v) - jump) < 1e-6 * jump:
            return row
        c /= 8
    raise ValueError("no step gives a row that fits the jump: x is no critical point of one neuron")
