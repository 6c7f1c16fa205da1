"""Exercise 19: direct or learned, by numbers.

Replace each `...` by your code, save, then run:   mstheft learn check 19
A hint when you are stuck:                         mstheft learn hint 19
The story behind it:                               tutorials/lessons/19_map.py

Edit this file only. Write plain NumPy: the functions run in a process of their own, which refuses
mstheft itself.
"""

import math

import numpy as np


def sweep_price(d, h, K):
    """About how many queries does the sweep need for a network d-h-K?

        price = q h + (d + 1) (h / K rounded up + 1) + 100,     q = 8 for K = 1, else 5.4

    q h for the kinks, then the Jacobians, then the check.

    Returns a float.
    Example: sweep_price(9, 10, 5) is 184.0.
    """
    ...  # your code


def wrong_on_at_most(n, confidence):
    """After n fresh rows without a difference: on which share of inputs may the copy be wrong?

        (1 - delta)^n = 1 - confidence      solve for delta

    n : rows, all of which agreed;  confidence : for instance 0.95
    Returns delta, a float.
    Example: wrong_on_at_most(1, 0.95) is 0.95.
    """
    ...  # your code


def best_agreement(budgets, price, queries, agreement):
    """What can a thief reach with each budget, by the better of the two families?

    A direct attack that costs `price` gives 1.0 to whoever can pay it, and 0.0 otherwise. A learned
    copy follows a curve: straight lines through the points given, 0.0 before the first point, and
    the last value after the last point.

    budgets : (b,);  price : a number;  queries, agreement : (m,) the points, queries grow
    Returns (b,).
    Example: best_agreement(np.array([50, 150, 400]), 300, np.array([100, 200]),
        np.array([0.4, 0.6])) is array([0. , 0.5, 1. ]).
    """
    ...  # your code


def choose_attack(output, decimals, layers, activation, price, budget):
    """Which attack to try first: linear, label only, labels, sweep, deep, smooth or learn.

    1. Labels only: "label only" for a linear victim (layers 0). For one hidden layer of "relu"
       "labels", if its price is not above the budget. Else "learn".
    2. Fewer than 5 decimals: "learn", except for a linear victim.
    3. More than one hidden layer of another activation than "relu": "learn".
    4. More expensive than the budget: "learn".
    5. Else the direct attack: "linear" for layers 0; "sweep" for one hidden layer of "relu", "deep"
       for more; "smooth" for another activation.

    The first rule that applies decides.

    output : "logits", "probs" or "label";  decimals : a whole number, or None if nothing is rounded
    layers : hidden layers;  activation : such as "relu" or "tanh"
    price, budget : queries
    Returns a str.
    Example: choose_attack("probs", None, 1, "relu", 700, 1000) is "sweep".
    """
    ...  # your code
