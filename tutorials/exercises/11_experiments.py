"""Exercise 11: reading a table of thefts.

Replace each `...` by your code, save, then run:   mstheft learn check 11
A hint when you are stuck:                         mstheft learn hint 11
The story behind it:                               tutorials/lessons/11_experiments.py

Edit this file only. Write plain NumPy: the functions run in a process of their own, which refuses
mstheft itself.
"""

import math

import numpy as np


def rows_needed(share, wobble):
    """How many rows must be asked, so that a counted share wobbles by at most `wobble`?

        standard error = sqrt(p (1 - p) / n)  <=  wobble

    The lesson goes from n to the error. An experiment is planned the other way round.

    share : p, what is expected, from 0 to 1;  wobble : the largest standard error allowed
    Returns the smallest whole n that is enough, an int.
    Example: rows_needed(0.5, 0.05) is 100.
    """
    ...  # your code


def last_rounds(seeds, rounds, agreement):
    """The agreement at the end of each run: of the largest round of each seed.

    seeds, rounds, agreement : (n,) one entry for each line of a table, in any order
    Returns an array with one number for each different seed, the smallest seed first.
    Example: last_rounds(np.array([1, 1, 0]), np.array([1, 0, 0]), np.array([0.9, 0.5, 0.4])) is
        array([0.4, 0.9]).
    """
    ...  # your code


def paired_difference(a, b):
    """Two ways to steal, compared seed by seed.

    a, b : (s,) agreement of each way, entry i of both with the same seed
    Returns (mean of a - b, number of seeds in which a is larger than b).
    Example: paired_difference(np.array([0.5, 0.7]), np.array([0.4, 0.7])) is (0.05, 1).
    """
    ...  # your code


def queries_to_reach(queries, agreement, level):
    """After how many queries does a curve reach a level for the first time?

    Between two rounds the curve is the straight line that joins them.

    queries, agreement : (m,) queries grow, agreement may rise and fall
    level : above the first agreement
    Returns a float; infinity, np.inf, if the level is never reached.
    Example: queries_to_reach(np.array([100, 200]), np.array([0.2, 0.6]), 0.5) is 175.0.
    """
    ...  # your code
