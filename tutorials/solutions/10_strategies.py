"""Solutions of exercise 10."""

import numpy as np


def least_margin(probs, k):
    """The k rows on which the copy is torn most between its two best classes."""
    best = np.sort(probs, axis=1)
    return np.argsort(best[:, -1] - best[:, -2], kind="stable")[:k]


def k_center(points, centres, k):
    """Again and again the row that is farthest from its nearest centre."""
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
    """The shortest step from x to the border of the linear model z = W x + b."""
    z = W @ x + b
    k = int(z.argmax())
    others = np.array([i for i in range(len(z)) if i != k])
    gaps, normals = np.abs(z[others] - z[k]), W[others] - W[k]
    lengths = np.linalg.norm(normals, axis=1)
    best = int((gaps / lengths).argmin())
    return gaps[best] / lengths[best] ** 2 * normals[best]


def dfal_k_center(distances, points, labelled, k, rho):
    """k-center among the rho unlabelled rows that are nearest to the border."""
    free = np.setdiff1d(np.arange(len(points)), labelled)
    near = free[np.argsort(distances[free], kind="stable")[:rho]]
    rows = np.concatenate([labelled, near])
    return rows[k_center(points[rows], np.arange(len(labelled)), k)]
