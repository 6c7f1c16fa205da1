"""Solutions of exercise 14: being noticed: PRADA in four steps."""

from statistics import (
    NormalDist,
)  # NormalDist().inv_cdf(share): where a normal curve has that share

import numpy as np


def jacobian_step(x, jacobians, labels, step):
    """The Jacobian thief's next questions: each old row, moved along the signs of a gradient.

        x_i  +  step · sgn( ∂f_y(x_i) / ∂x ),    y = labels[i]

    Only the row of the Jacobian that belongs to the victim's label of x_i counts. sgn is -1, 0
    or 1 for each input by itself: np.sign.

    x : (n, d) rows that were asked; jacobians : (n, K, d) of the copy, one matrix for each row
    labels : (n,) the victim's labels, whole numbers from 0 to K - 1; step : number
    Returns the new rows (n, d), without the old ones.
    Example: from x = [[1., 1.]], jacobians = [[[5., -2.], [0., 3.]]], labels = [0] and step = 0.1
    follows [[1.1, 0.9]].
    """
    own = jacobians[np.arange(len(x)), labels]
    return x + step * np.sign(own)


def nearest_distance(members, x):
    """How far a question is from the nearest earlier one.

        min over g in members of  ‖x - g‖ = sqrt( Σ_j (x_j - g_j)² )

    members : (m, d) earlier questions, m at least 1; x : (d,) the new one
    Returns a number.
    Example: members = [[0, 0], [3, 4]] and x = [3, 0]: the nearest is [0, 0], at distance 3.
    """
    return float(np.sqrt(((members - x) ** 2).sum(axis=1)).min())


def watch(questions):
    """The distances of a stream of questions of one class, and the threshold at its end.

    The first question is the first member of the set G, with distance 0, and the threshold T is 0.
    Every later question x, in order:

        d = distance to the nearest member of G
        if d > T:   x joins G, and   T ← max(T, mean - std)   over the distances of all members
                    (the first member's 0 counts; std divides by their number)

    questions : (n, d), n at least 2
    Returns the distances d (n - 1,), of members and others alike, and the last T, as a tuple.
    """
    members, own, threshold = [questions[0]], [0.0], 0.0
    distances = []
    for x in questions[1:]:
        distances.append(nearest_distance(np.array(members), x))
        if distances[-1] > threshold:
            members.append(x)
            own.append(distances[-1])
            threshold = max(threshold, float(np.mean(own) - np.std(own)))
    return np.array(distances), threshold


def without_outliers(distances):
    """The distances that are not strange.

        kept:  | d - mean |  <=  3 std,     mean and std over all of `distances`

    distances : (n,)
    Returns those that are kept, in their order.
    """
    return distances[np.abs(distances - distances.mean()) <= 3 * distances.std()]


def straightness(distances):
    """How close to a bell curve: 1 is perfect, and an alarm goes off below 0.9 or so.

        sort the distances:  d_1 <= d_2 <= … <= d_n
        m_i = NormalDist().inv_cdf( (i - 3/8) / (n + 1/4) ),    i = 1 … n
        result = (correlation of d and m)²

    The correlation of two rows of numbers is np.corrcoef(a, b)[0, 1].

    distances : (n,), not all equal
    Returns a number from 0 to 1.
    """
    n = len(distances)
    places = (np.arange(1, n + 1) - 0.375) / (n + 0.25)
    normal = [NormalDist().inv_cdf(place) for place in places]
    return float(np.corrcoef(np.sort(distances), normal)[0, 1] ** 2)
