"""Exercise 13: adversarial examples that transfer.

Replace each `...` by your code, save, then run:   mstheft learn check 13
A hint when you are stuck:                         mstheft learn hint 13
The story behind it:                               tutorials/lessons/13_adversarial.py

Edit this file only. Write plain NumPy: the functions run in a process of their own, which refuses
mstheft itself.
"""

import numpy as np


def input_gradient(A0, b0, A1, b1, x, y):
    """How the loss of class y changes with each input number.

        z = A0 x + b0,   f = A1 relu(z) + b1,   p = softmax(f),   L = -ln p_y
        dL/df = p - e_y                         (e_y: 1 at place y, 0 elsewhere)
        dL/dx = A0ᵀ D A1ᵀ (p - e_y)             (D: 1 where z > 0, else 0)

    A0 (h, d), b0 (h,), A1 (K, h), b1 (K,) : a network with one hidden ReLU layer
    x : (d,) one input; y : its class, from 0
    Returns dL/dx (d,).
    """
    ...  # your code


def fgsm_step(x, gradient, eps):
    """The input that raises the loss most when no entry may change by more than eps.

        x' = clip( x + eps sgn(gradient), 0, 1 ),      sgn: -1, 0 or 1

    x : (n, d) inputs from 0 to 1; gradient : (n, d) dL/dx of each; eps : a number above 0
    Returns (n, d), again from 0 to 1.
    """
    ...  # your code


def deepfool_linear(W, b, x):
    """The smallest step that brings a linear model to the border of its label.

        f = W x + b,    k = its label (largest f)
        distance to class l:   |f_l - f_k| / ‖w_l - w_k‖          for every l other than k
        for the nearest l:     r = |f_l - f_k| / ‖w_l - w_k‖²  (w_l - w_k)

    At x + r the two classes have equal scores.

    W : (K, d) with rows w_l; b : (K,); x : (d,)
    Returns r (d,).
    """
    ...  # your code


def transfer_rate(classes, before, after):
    """How often examples made elsewhere fool the victim.

    Only inputs count that the victim read correctly before they were changed. The rate is the
    share of these that it gets wrong afterwards.

        among { i : before_i = classes_i }:   share with after_i ≠ classes_i

    classes : (n,) the right classes; before, after : (n,) what the victim said of the clean and of
        the changed inputs
    Returns a number from 0 to 1.
    Raises ValueError if the victim read none of them correctly.
    """
    ...  # your code
