"""Checks of exercise 10."""

import numpy as np

# Places on a line: two centres, then rows. Which are picked can be said without a computer.
PLACES = np.array([0.0, 0.3, 10.0, 9.8, -6.0, 4.6, -5.7, 1.0])
PICKED, AT_ONCE, NEAREST, FARTHEST = [2, 4, 5], [2, 3, 4], [7, 5, 3], [2, 4, 3]
FAR = np.array([40.0, -40.0, 90.0])

# Points in space: three centres, then rows; each slip in the distance picks other rows.
SPACE = np.array(
    [[3.9, 4.2, 5.5], [-0.1, -6.7, 6.9], [2.7, 2.9, 4.0], [-3.4, 1.2, -0.8], [-6.6, 5.0, 6.5],
     [-2.8, -4.5, 3.4], [-3.7, 6.0, -0.5], [-0.6, -3.7, 1.9], [-5.9, 5.1, -4.0]]
)  # fmt: skip


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
    if np.all(np.diff(where[:4]) > 0):  # sorted by chance: the other way round, then
        order, where = order[::-1], 9 - where
    probs = probs[order][:, rng.permutation(4)]
    probs[0::2] = np.roll(probs[0::2], 1, axis=1)  # the two best stand in other columns
    learner.call("least_margin", probs, 4).equals(
        where[:4],
        mistakes={
            "largest_margin": where[::-1][:4],
            "least_confidence": where[best[:4]],
            "values_not_indices": margins[:4],
            "unsorted": np.sort(where[:4]),
        },
    )


def test_k_center(learner, rng):
    order, axes = rng.permutation(9), rng.permutation(3)
    where = np.argsort(order)
    points = SPACE[order][:, axes] * rng.choice([-1, 1], 3) * rng.uniform(0.5, 2) + rng.normal()
    learner.call("k_center", points, where[:3], 3).equals(
        where[[8, 4, 7]],
        mistakes={
            "sum_of_sizes": where[[8, 4, 3]],
            "largest_coordinate": where[[4, 8, 7]],
            "not_updated": where[[8, 4, 6]],
            "nearest_row": where[[5, 7, 3]],
            "farthest_centre": where[[8, 6, 4]],
            "sum_over_centres": where[[8, 4, 5]],
            "first_centre_alone": where[[8, 5, 4]],
            "last_pick_alone": where[[8, 5, 6]],
        },
    )


def test_k_center__on_a_line(learner, rng):
    points, where = turned(rng, PLACES)
    learner.call("k_center", points, where[:2], 3).equals(
        where[PICKED],
        mistakes={
            "not_updated": where[AT_ONCE],
            "nearest_row": where[NEAREST],
            "farthest_centre": where[FARTHEST],
        },
    )


def test_k_center__equal_points(learner, rng):
    """All rows but one are copies of the centres; each is chosen once, and no centre again."""
    centres = rng.permutation(6)[:2]
    points = rng.normal(size=(2, 3))[rng.integers(2, size=6)]
    points[centres] = points[np.flatnonzero(np.arange(6) != centres[0])[0]], points.mean(axis=0)
    answer = learner.call("k_center", points, centres, 4)
    chosen = np.asarray(answer.value)
    whole = chosen.shape == (4,) and chosen.dtype.kind in "iu"
    answer.holds(whole, "four whole numbers, shape (4,)")
    rows = np.append(chosen, centres)
    answer.holds(len(np.unique(rows)) == 6, "every row at most once, and no centre", "chosen_again")


def test_deepfool_step(learner, rng):
    first, second, base, x = rng.normal(size=(4, 5))
    first, second = first / np.linalg.norm(first), second / np.linalg.norm(second)
    # without the biases x lies at distance 1/2 from the first wall, and 2 from the second
    walls = np.array([first, second])
    x = x + np.linalg.pinv(walls) @ (np.array([-0.5, -2]) - walls @ x)
    lengths, gaps = np.array([1.0, 4.0]) * rng.uniform(0.9, 1.1), np.array([1.0, 2.0])
    W = np.array([base, base + lengths[0] * first, base + lengths[1] * second])
    z = rng.normal() - np.array([0, *gaps])
    classes = np.roll(rng.permutation([1, 2, 0]), 1)
    if classes[0] == 0:
        classes = classes[::-1]
    right = gaps[1] / lengths[1] * second
    learner.call("deepfool_step", W[classes], (z - W @ x)[classes], x).equals(
        right,
        mistakes={
            "not_squared": gaps[1] * second,
            "smallest_gap": gaps[0] / lengths[0] * first,
            "with_overshoot": 1.02 * right,
            "sign": -right,
            "missing_bias": 0.5 * first,
            "unit_step": second,
            "distance_alone": gaps[1] / lengths[1],
            "point_not_step": x + right,
            "not_divided": gaps[1] * lengths[1] * second,
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
