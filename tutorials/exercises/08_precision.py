"""Exercise 08: how many digits an attack needs.

Replace each `...` by your code, save, then run:   mstheft learn check 8
A hint when you are stuck:                         mstheft learn hint 8
The story behind it:                               tutorials/lessons/08_precision.py

Edit this file only. Write plain NumPy: the functions run in a process of their own, which refuses
mstheft itself.
"""

import math

import numpy as np


def noise_level(answers):
    """The typical size of the rounding in an answer, seen from outside.

        second difference = f_(i-1) - 2 f_i + f_(i+1),     noise = sqrt(mean of their squares / 6)

    On a straight piece the second differences would be 0; 6 = 1 + 4 + 1 is what three independent
    errors add up to.

    answers : (n,) at equal distances on a straight piece
    Returns a float.
    Example: noise_level(np.array([0.0, 1.0, 2.0, 3.0])) is 0.0.
    """
    ...  # your code


def best_step(noise, bend):
    """The step at which a forward difference (f(x + c) - f(x)) / c is off least.

        error(c) = bend c / 2 + 2 noise / c

    The first part is what a straight line misses of a curve with |f''| <= bend. The second is the
    rounding of two answers. Find the c at which the sum is smallest.

    noise, bend : floats above 0
    Returns a float.
    Example: best_step(1.0, 4.0) is 1.0.
    """
    ...  # your code


def logit_error(p, decimals):
    """How far the logit of a rounded probability may be off.

        delta = 1/2 10^-decimals,      error = delta / (p (1 - p))

    Where p is not farther than delta from 0 or 1 it may be rounded to exactly 0 or 1. The logit is
    then unknown: the answer there is infinity, np.inf.

    p : (n,) probabilities strictly between 0 and 1
    Returns (n,).
    Example: logit_error(np.array([0.5, 0.001]), 2) is array([0.02, inf]).
    """
    ...  # your code


def decimals_needed(tolerance, step):
    """How many decimals must the answers have, so that a slope is off by at most `tolerance`?

        slope = (f(x + c) - f(x)) / c,    each answer off by up to 1/2 10^-k

    tolerance : allowed error of the slope; step : c
    Returns the smallest whole k that is enough, an int.
    Example: decimals_needed(0.02, 0.1) is 3.
    """
    ...  # your code
