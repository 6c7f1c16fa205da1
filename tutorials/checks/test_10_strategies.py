"""Checks of exercise 10."""

import numpy as np

# Places on a line: two centres, then rows. Which are picked can be said without a computer.
PLACES = np.array([0.0, 0.3, 10.0, 9.8, -6.0, 4.6, -5.7, 1.0])
PICKED, AT_ONCE, NEAREST, FARTHEST = [2, 4, 5], [2, 3, 4], [7, 5, 3], [2, 4, 3]
FAR = np.array([40.0, -40.0, 90.0])


def turned(rng, places):
    """The places as points of 3-D space, in an order of chance: points, and where each went."""
    axis = np.linalg.qr(rng.normal(size=(3, 3)))[0][0]
    order = rng.permutation(len(places))
    where = np.argsort(order)
    points = rng.normal(size=3) + np.multiply.outer(places * rng.uniform(0.5, 2), axis)
    return points[order], where


def test_least_margin(learner, rng):
    margins = np.linspace(0.05, 0.5, 10)
    rest = rng.uniform(0.02, 0.18, size=10)
    rest[:2] = 0.02, 0.18
    probs = np.stack([1 - rest + margins, 1 - rest - margins, 1.2 * rest, 0.8 * rest], axis=1) / 2
    order = rng.permutation(10)
    where = np.argsort(order)  # where[i]: the row that has margin i now
    best = probs[:, 0].argsort()
    columns = rng.permutation(4)
    learner.call("least_margin", probs[order][:, columns], 4).equals(
        where[:4],
        mistakes={
            "largest_margin": where[::-1][:4],
            "least_confidence": where[best[:4]],
            "values_not_indices": margins[:4],
        },
    )


def test_k_center(learner, rng):
    points, where = turned(rng, PLACES)
    learner.call("k_center", points, where[:2], 3).equals(
        where[PICKED],
        mistakes={
            "not_updated": where[AT_ONCE],
            "nearest_row": where[NEAREST],
            "farthest_centre": where[FARTHEST],
        },
    )


def test_deepfool_step(learner, rng):
    first, second, base, x = rng.normal(size=(4, 5))
    first, second = first / np.linalg.norm(first), second / np.linalg.norm(second)
    lengths, gaps = np.array([1.0, 4.0]) * rng.uniform(0.9, 1.1), np.array([1.0, 2.0])
    W = np.array([base, base + lengths[0] * first, base + lengths[1] * second])
    z = rng.normal() - np.array([0, *gaps])
    classes = rng.permutation(3)
    right = gaps[1] / lengths[1] * second
    learner.call("deepfool_step", W[classes], (z - W @ x)[classes], x).equals(
        right,
        mistakes={
            "not_squared": gaps[1] * second,
            "smallest_gap": gaps[0] / lengths[0] * first,
            "with_overshoot": 1.02 * right,
        },
    )


def test_dfal_k_center(learner, rng):
    where = np.zeros(11, int)
    while where[5] == 0:  # else places in the shortlist might be the rows' numbers
        points, where = turned(rng, np.concatenate([PLACES, FAR]))
    border = np.array([0.1, 0.2, 2.1, 1.2, 2.2, 1.0, 1.1, 1.3, 5.0, 6.0, 7.0])
    distances = border[np.argsort(where)]
    near = np.argsort(distances[np.setdiff1d(np.arange(11), where[:2])], kind="stable")[:6]
    listed = list(np.setdiff1d(np.arange(11), where[:2])[near])
    learner.call("dfal_k_center", distances, points, where[:2], 3, 6).equals(
        where[PICKED],
        mistakes={
            "k_center_alone": where[[10, 9, 8]],
            "dfal_alone": where[[5, 6, 3]],
            "labelled_in_the_list": where[[3, 6, 5]],
            "numbers_of_the_list": np.array([listed.index(i) for i in where[PICKED]]),
        },
    )
