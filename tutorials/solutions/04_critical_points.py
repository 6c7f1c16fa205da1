"""Solutions of exercise 04: critical points on a line."""

import numpy as np


def slope_at(f, t, step):
    """The slope of f at one end of an interval, measured towards the inside.

        ( f(t + step) - f(t) ) / step

    f : a function of one number that answers with one number; each call is one query
    t : the end
    step : positive at a left end (look to the right), negative at a right end (look to the left)
    Returns a number. Costs 2 queries, none of them on the other side of t.
    Example: for f(t) = 3 t the slope is 3, whatever the sign of step.
    """
    return (f(t + step) - f(t)) / step


def meeting_point(left, right):
    """Where the lines through both ends of an interval meet, for K outputs that bend together.

    Output k has a line at each end. In the lesson one output told the place:

        t* = ( f_r - f_l + s_l l - s_r r ) / ( s_l - s_r )

    All outputs of a network bend at the same t*, but each of them is rounded, and one that bends
    hardly says hardly anything. With p_k for the numerator and q_k for the denominator of output
    k, p_k = q_k t* should hold for all k. Take the t* that makes sum_k (p_k - q_k t*)^2 smallest.

    left, right : what is known of each end, as a tuple (place, values, slopes): (l, f_l, s_l) and
        (r, f_r, s_r), values and slopes (K,), or numbers where there is one output. Some of the
        slopes differ, not all of them need to
    Returns the place t*. No queries.
    Example: left (0, 0, 1) and right (4, 0, -1) meet at 2.
    """
    (t_l, f_l, s_l), (t_r, f_r, s_r) = left, right
    p, q = (f_r - s_r * t_r) - (f_l - s_l * t_l), np.subtract(s_l, s_r)
    return float(np.vdot(q, p) / np.vdot(q, q))


def is_kink(f, t_star, left, right, gap):
    """Is there really a kink at t*, with nothing else close to it?

        just before, at t* - gap, f must lie on the left end's line:   f_l + s_l (t - l)
        just after,  at t* + gap, f must lie on the right end's line:  f_r + s_r (t - r)

    Compare with a small tolerance, such as 1e-8: numbers on a computer are rounded.

    f, left, right : as above; gap : a number above 0
    Returns True or False. Costs 2 queries.
    """
    t_l, f_l, s_l = left
    t_r, f_r, s_r = right
    before, after = t_star - gap, t_star + gap
    on_left = abs(f(before) - (f_l + s_l * (before - t_l))) < 1e-8
    on_right = abs(f(after) - (f_r + s_r * (after - t_r))) < 1e-8
    return bool(on_left and on_right)


def all_kinks(f, low, high):
    """Every kink of f between low and high.

        1. Measure both ends (a step of a thousandth of the interval will do).
        2. If both slopes equal that of the chord (f(high) - f(low)) / (high - low): no kink here.
           Numbers are rounded: slopes closer than 1e-7 are equal, here and below.
        3. If the slopes differ, let the lines meet. If they meet well inside (not in the outer
           hundredth) and `is_kink` agrees: that is the one.
        4. Otherwise split the interval in the middle and do both halves. (The lesson halves the
           angle, for lines without an end; an interval has one, so halve its length.)
           An interval shorter than 1e-6 is not split: its middle is the kink.

    f : as above, made of straight pieces; low < high : numbers
    Returns the places as an array (n,), the smallest first; empty if there is none. Costs at most
    8 queries for each interval that is looked at, and 6 if there is no kink in it.
    """
    width = high - low
    left = low, f(low), slope_at(f, low, 1e-3 * width)
    right = high, f(high), slope_at(f, high, -1e-3 * width)
    chord = (right[1] - left[1]) / width
    if max(abs(left[2] - chord), abs(right[2] - chord)) < 1e-7:
        return np.zeros(0)
    if abs(left[2] - right[2]) > 1e-7:
        t_star = meeting_point(left, right)
        inside = 0.01 * width < t_star - low < 0.99 * width
        if inside and is_kink(f, t_star, left, right, 0.005 * width):
            return np.array([t_star])
    middle = (low + high) / 2
    if width < 1e-6:
        return np.array([middle])
    return np.concatenate([all_kinks(f, low, middle), all_kinks(f, middle, high)])
