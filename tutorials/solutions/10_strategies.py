"""Solutions of exercise 10: which rows of the pool to buy next."""

import numpy as np


def least_margin(probs, k):
    """The k rows on which the copy is torn most between its two best classes.

        margin = largest probability - second largest probability

    probs : (n, K) the copy's probabilities
    Returns (k,) row numbers, the smallest margin first.
    Example: least_margin(np.array([[0.9, 0.1], [0.4, 0.6]]), 1) is array([1]).
    """
    best = np.sort(probs, axis=1)
    return np.argsort(best[:, -1] - best[:, -2], kind="stable")[:k]


def k_center(points, centres, k):
    """Again and again the row that is farthest from its nearest centre.

        pick = argmax_x  min over all centres c of  |p(x) - p(c)|

    Each pick is a centre from then on.

    points : (n, K) one point for each row
    centres : (m,) the rows that are centres at the start, at least one
    Returns (k,) row numbers in order of choice, none of them a centre before.
    Example: k_center(np.array([[0.0], [1.0], [5.0]]), np.array([0]), 2) is array([2, 1]).
    """
    near = np.full(len(points), np.inf)
    for c in centres:
        near = np.minimum(near, np.linalg.norm(points - points[c], axis=1))
    near[centres] = -1
    chosen = []
    for _ in range(k):
        pick = int(near.argmax())
        chosen.append(pick)
        near = np.minimum(near, np.linalg.norm(points - points[pick], axis=1))
        near[pick] = -1
    return np.array(chosen)


def deepfool_step(W, b, x):
    """The shortest step from x to the border of the linear model z = W x + b.

        w = w_l - w_k,    r = |z_l - z_k| / |w|^2  w,    for the class l with the smallest |r|

    k is the label at x, and l another class.

    W, b : (K, d), (K,);  x : (d,)
    Returns r (d,), without overshoot.
    Example: deepfool_step(np.array([[1.0], [0.0]]), np.zeros(2), np.array([3.0])) is array([-3.]).
    """
    z = W @ x + b
    k = int(z.argmax())
    others = np.array([i for i in range(len(z)) if i != k])
    gaps, normals = np.abs(z[others] - z[k]), W[others] - W[k]
    lengths = np.linalg.norm(normals, axis=1)
    best = int((gaps / lengths).argmin())
    return gaps[best] / lengths[best] ** 2 * normals[best]


def dfal_k_center(distances, points, labelled, k, rho):
    """k-center among the rho unlabelled rows that are nearest to the border.

    distances : (n,) of each row to the border, as DeepFool found them
    points : (n, K) the copy's probabilities
    labelled : (m,) rows whose labels are paid for: the centres at the start, never chosen
    k, rho : rows to choose, and rows to choose from, k <= rho
    Returns (k,) row numbers in order of choice.
    Example: with distances [9, 1, 1, 9], points [[0], [1], [2], [3]], labelled [0], k = 1 and
        rho = 2 the rows 1 and 2 are near the border, and 2 is farther from row 0: array([2]).
    """
    free = np.setdiff1d(np.arange(len(points)), labelled)
    near = free[np.argsort(distances[free], kind="stable")[:rho]]
    rows = np.concatenate([labelled, near])
    return rows[k_center(points[rows], np.arange(len(labelled)), k)]
