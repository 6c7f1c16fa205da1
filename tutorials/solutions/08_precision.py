"""Solutions of exercise 08: how many digits an attack needs."""

import math

import numpy as np


def noise_level(answers):
    """The typical size of the rounding, seen on a piece that is curved as a parabola is.

    The lesson's victim was straight, and second differences told its rounding. Those of a
    parabola are not 0, but its third differences are:

        third difference = f_(i+3) - 3 f_(i+2) + 3 f_(i+1) - f_i

    By how much do four independent errors of the size `noise` move it, root mean square?

    answers : (n,) at equal distances on a curve a t^2 + b t + c
    Returns a float: the noise, not the size of the differences.
    Example: noise_level(np.array([0.0, 1.0, 4.0, 9.0])) is 0.0.
    """
    third = np.diff(answers, 3)
    return math.sqrt(np.mean(third**2) / (1 + 9 + 9 + 1))


def best_step(noise, curl):
    """The step at which a *central* difference (f(x + c) - f(x - c)) / (2 c) is off least.

        error(c) = curl c^2 / 6 + noise / c

    Looking to both sides, the bend f'' drops out, and the third derivative is what is missed:
    |f'''| <= curl. Two answers are rounded as before, but twice the step divides them. Find the c
    at which the sum is smallest.

    noise, curl : floats above 0
    Returns a float.
    Example: best_step(1.0, 3.0) is 1.0.
    """
    return (3 * noise / curl) ** (1 / 3)


def logit_error(p, decimals):
    """How far each log ratio of a softmax may be off, when its probabilities were rounded.

    The lesson had two classes and one probability. Of K classes an attack uses the log ratios

        ln p_k - ln p_m,      m the class with the largest probability of the row,

    in which *both* probabilities are rounded. ln p moves by delta / p if p moves by delta.
    A probability not above delta = 1/2 10^-decimals may come as 0: the ratio is then unknown,
    and its error infinity, np.inf. The ratio of m with itself is 0, whatever was rounded.

    p : (n, K) probabilities, each row with the sum 1
    Returns (n, K).
    Example: logit_error(np.array([[0.25, 0.75]]), 2) is array([[0.02666667, 0.]]).
    """
    delta = 0.5 * 10.0**-decimals
    error = delta / p + delta / p.max(axis=1, keepdims=True)
    error[p <= delta] = np.inf
    error[np.arange(len(p)), p.argmax(axis=1)] = 0
    return error


def decimals_needed(tolerance, step):
    """How many decimals must the answers have, so that a slope is off by at most `tolerance`?

        slope = (f(x + c) - f(x)) / c,    each answer off by up to 1/2 10^-k

    tolerance : allowed error of the slope; step : c
    Returns the smallest whole k that is enough, an int.
    Example: decimals_needed(0.02, 0.1) is 3.
    """
    return math.ceil(-math.log10(tolerance * step))
