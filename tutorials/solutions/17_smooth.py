"""Solutions of exercise 17: neurons that bend instead of switching."""

import numpy as np


def count_neurons(jacobians, share):
    """How many neurons does a smooth network have? As many as its slopes have independent rows.

    Stack all Jacobians on each other. The number of singular values of that table that are larger
    than `share` times the largest one is h.

    jacobians : (m, K, d) of m places;  share : a small number such as 1e-6
    Returns an int.
    Example: for jacobians = [[[1., 0.], [2., 0.]]] it is 1: all rows point the same way.
    """
    table = jacobians.reshape(-1, jacobians.shape[-1])
    values = np.linalg.svd(table, compute_uv=False)
    return int((values > share * values[0]).sum())


def hessian(ask, x, c):
    """Second derivatives of all outputs, by differences.

        H_ij = (f(x + c e_i + c e_j) - f(x + c e_i) - f(x + c e_j) + f(x)) / c^2

    for all i and j, also i = j.

    ask : takes rows (n, d) and returns their answers (n, K)
    x : (d,);  c : the step
    Returns (K, d, d). Asks at most 1 + d + d^2 rows.
    Example: for f(x) = (x_0 x_1,) it is array([[[0., 1.], [1., 0.]]]) at every x.
    """
    d = len(x)
    moves = c * np.eye(d)
    here, alone = ask(x[None])[0], ask(x + moves)
    both = ask((x + moves[:, None] + moves[None, :]).reshape(-1, d)).reshape(d, d, -1)
    return (both - alone[:, None] - alone[None, :] + here).transpose(2, 0, 1) / c**2


def own_weights(X, Y):
    """The neurons' own weights out of two mixtures of Hessians: the rows of B, up to length.

        X = B^T D1 B,  Y = B^T D2 B with diagonal D1, D2

    The lesson finds the columns w of B^-1 from X w = lambda Y w. What the thief wants in the end is
    B itself. Its rows are at right angles to all w but their own.

    X, Y : (h, h) two mixtures of Hessians, Y invertible
    Returns (h, h): the rows of B, each of length 1, in any order, each with any sign.
    Example: for X = diag(1, 2) and Y = diag(1, 1) it is the identity.
    """
    B = np.linalg.inv(np.real(np.linalg.eig(np.linalg.solve(Y, X))[1]))
    length = np.sqrt(np.square(B).sum(axis=1, keepdims=True))
    return B / length


def curve_misfit(t, curve, z, s):
    """How badly does one tanh explain a curve?

        curve = a tanh(z + s t) + b + rest,      with the a and b that leave the smallest rest

    t, curve : (n,) positions and answers;  z, s : numbers
    Returns |rest| / |curve - mean of curve|, a float from 0 to 1; |.| is the length of a vector.
    Example: for a curve that is 3 tanh(t) + 1 and z = 0, s = 1 it is 0.
    """
    table = np.column_stack([np.tanh(z + s * t), np.ones(len(t))])
    rest = curve - table @ np.linalg.lstsq(table, curve, rcond=None)[0]
    return float(np.linalg.norm(rest) / np.linalg.norm(curve - curve.mean()))
