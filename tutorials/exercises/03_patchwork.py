"""Exercise 03: a ReLU network is a patchwork.

Replace each `...` by your code, save, then run:   mstheft learn check 3
A hint when you are stuck:                         mstheft learn hint 3
The story behind it:                               tutorials/lessons/03_patchwork.py

Edit this file only. Write plain NumPy: the functions run in a process of their own, which refuses
mstheft itself.
"""

import numpy as np


def neurons_on(A0, b0, x):
    """Which hidden neurons are on at each input.

        neuron i is on at x  <=>  A0_i · x + b0_i > 0

    A0 : (h, d) input weights, one row for each neuron
    b0 : (h,) biases
    x : (n, d) inputs, one in each row
    Returns (n, h) of True and False.
    Example: one neuron with A0 = [[1, 0]], b0 = [-2] is on at [3, 9] and off at [1, 9].
    """
    ...  # your code


def patch_map(A0, b0, A1, b1, x):
    """The linear map that the network is in the patch around one input.

        f = W x + c,    W = A1 D A0,    c = A1 D b0 + b1
        D = diagonal, 1 where a neuron is on at x, 0 where it is off

    A0 (h, d), b0 (h,), A1 (K, h), b1 (K,) : the network A1 relu(A0 x + b0) + b1
    x : (d,) one input
    Returns W (K, d) and c (K,), as a tuple.
    Example: where all neurons are off, W is zero and c is b1.
    """
    ...  # your code


def rescale(A0, b0, A1, i, s):
    """The same network with neuron i made s times larger, for s > 0.

        row i of A0 and entry i of b0 grow by the factor s, column i of A1 shrinks by it

    Do not change the arrays that you are given: work on copies.

    A0 (h, d), b0 (h,), A1 (K, h); i : a neuron, from 0; s : a number
    Returns new A0, b0, A1, as a tuple.
    Raises ValueError for s of 0 or less: that is no symmetry.
    """
    ...  # your code


def normal_form(A0, b0, A1):
    """The same network without free scales: every row of A0 has length 1.

        length_i = ‖A0_i‖ = sqrt(Σ_j A0_ij²);  divide row and bias by it, multiply column i of A1

    Two networks that differ by scales only have the same normal form.

    A0 (h, d) without zero rows, b0 (h,), A1 (K, h)
    Returns new A0, b0, A1, as a tuple.
    """
    ...  # your code


def unknowns(d, h, K):
    """How many numbers of a d-h-K network its answers can ever tell.

    All weights and biases (A0, b0, A1, b1), less one free scale for each hidden neuron.

    d, h, K : numbers of inputs, hidden neurons, outputs
    Returns a whole number.
    Example: unknowns(1, 1, 1) is 3: four numbers, one free scale.
    """
    ...  # your code
