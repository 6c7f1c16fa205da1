"""Solutions of exercise 02: logistic regression from its answers."""

import numpy as np


def logit(p):
    """The logit of a probability.

        logit(p) = ln(p / (1 - p))

    It undoes the sigmoid: the victim's p = σ(w·x + β) becomes w·x + β again, which is linear.

    p : (n,) probabilities, each strictly between 0 and 1
    Returns (n,) logits.
    Raises ValueError if a probability is 0 or 1: no number has that logit.
    Example: logit(np.array([0.5, 0.75])) is array([0., 1.0986123]), and 1.0986123 is ln 3.
    """
    if np.any((p <= 0) | (p >= 1)):
        raise ValueError("p must lie strictly between 0 and 1")
    return np.log(p) - np.log1p(-p)


def solve_logistic(x, p):
    """Weights and bias of a logistic victim, from d + 1 of its answers.

        w·x_i + β = logit(p_i),    i = 0 … d

    d + 1 linear equations in the d + 1 unknowns w_1 … w_d and β.

    x : (d+1, d) the inputs that were asked, in general position
    p : (d+1,) the probabilities that came back
    Returns the tuple (w, beta): w (d,) and beta a number.
    Example: from x = [[0], [1]] and p = [0.5, 0.75] follow w = [ln 3] and beta = 0.
    """
    A = np.column_stack([x, np.ones(len(x))])
    theta = np.linalg.solve(A, logit(p))
    return theta[:-1], theta[-1]


def solve_softmax(x, p):
    """Weights and biases of a softmax victim with K classes, from d + 1 of its answers.

        p_k = exp(z_k) / Σ_j exp(z_j),    z = W x + b
        ln p_k - mean_j ln p_j = z_k - mean_j z_j

    The same vector added to all rows of W changes no probability (the gauge). Fix it: the rows of
    W shall have the mean 0, and so shall b.

    x : (d+1, d) the inputs that were asked, in general position
    p : (d+1, K) the probabilities that came back, each row with the sum 1
    Returns the tuple (W, b): W (K, d), b (K,).
    Example: with two classes, x = [[0], [1]] and p = [[0.5, 0.5], [0.75, 0.25]], W is
    [[ln 3 / 2], [-ln 3 / 2]] and b is [0, 0].
    """
    A = np.column_stack([x, np.ones(len(x))])
    z = np.log(p)
    theta = np.linalg.solve(A, z - z.mean(axis=1, keepdims=True))
    return theta[:-1].T, theta[-1]


def logit_error(p, decimals):
    """How wrong a logit can be when the probability was rounded.

        δp = ½ · 10^-decimals,    δ logit ≈ δp / (p (1 - p))

    The derivative of the logit is 1 / (p (1 - p)): it is smallest, 4, at p = ½, and grows without
    bound towards 0 and 1. That is why one asks where the victim is undecided.

    p : (n,) probabilities; decimals : number of decimals that are kept, such as 3
    Returns (n,) errors in logit units.
    Example: logit_error(np.array([0.5]), 3) is array([0.002]).
    """
    return 0.5 * 10.0**-decimals / (p * (1 - p))


def boundary_point(label, inside, outside, halvings):
    """A point on the boundary of a victim that tells labels only, by halving.

    One end of the segment has label 1, the other label 0. Ask in the middle, keep the half whose
    ends still differ, and do it again: each query halves what is left.

    label : function, (n, d) -> (n,) of 0 or 1; each row costs one query
    inside : (d,) a point of label 1; outside : (d,) a point of label 0 (no need to ask them again)
    halvings : how often to halve, one query each
    Returns (d,) the middle of the last segment: no further from the boundary than
    ‖inside - outside‖ / 2^(halvings + 1).
    Example: with the boundary at 0.3 between 1 (inside) and 0 (outside), two halvings ask 0.5 and
    0.25, and give 0.375.
    """
    for _ in range(halvings):
        middle = (inside + outside) / 2
        if label(middle[None])[0] == 1:
            inside = middle
        else:
            outside = middle
    return (inside + outside) / 2
