"""Exercise 01: what a copy is worth.

Replace each `...` by your code, save, then run:   mstheft learn check 1
A hint when you are stuck:                         mstheft learn hint 1
The story behind it:                               tutorials/lessons/01_scoring.py

Edit this file only. Write plain NumPy: the functions run in a process of their own, which refuses
mstheft itself.
"""

import numpy as np


def labels(scores):
    """The class that each row of scores stands for.

        label = the place of the largest score; with one column: 1 where it is above 0, else 0

    scores : (n, K) one row for each input, one column for each class; or (n, 1) for two classes
    Returns (n,) whole numbers, counted from 0.
    Example: labels(np.array([[0.1, 2.0, -1.0]])) is array([1]).
    """
    ...  # your code


def agreement(victim_scores, copy_scores):
    """The share of inputs for which victim and copy name the same class.

        (1/n) Σ_i [ label of victim_scores_i = label of copy_scores_i ]

    victim_scores, copy_scores : (n, K) the scores of both for the same n inputs; K may be 1
    Returns a number from 0 to 1.
    Example: two rows, and the largest score is in the same place in one of them: 0.5.
    """
    ...  # your code


def largest_difference(victim_logits, copy_logits):
    """How far the logits are apart at worst, when a shift common to all classes does not count.

        z'_ik = z_ik - mean over k of z_ik     (for both)
        result = max over i and k of | victim'_ik - copy'_ik |

    Probabilities hide the common shift (the gauge), so a copy stolen from them cannot know it.

    victim_logits, copy_logits : (n, K) with K of at least 2
    Returns a number, at least 0.
    Example: copy_logits = victim_logits + 5 gives 0.
    """
    ...  # your code


def at_most(n, confidence):
    """What n agreeing answers and no other prove: at most this share of all inputs differs.

    If a share δ differed, n random inputs would miss all of it with probability (1 - δ)^n. The
    bound is the δ at which this is just 1 - confidence:

        (1 - δ)^n = 1 - confidence

    n : number of random inputs that were asked, all of them answered alike
    confidence : between 0 and 1, for instance 0.95
    Returns δ, a number between 0 and 1.
    Example: at_most(1, 0.95) is 0.95: one answer proves next to nothing.
    """
    ...  # your code
