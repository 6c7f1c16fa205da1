"""Checks of exercise 10."""

import numpy as np

from mstheft.learning.kcenter import greedy_naive

# Places on a line: two centres, then rows. Which are picked can be said without a computer.
PLACES = np.array([0.0, 0.3, 10.0, 9.8, -6.0, 4.6, -5.7, 1.0])
PICKED, AT_ONCE, NEAREST, FARTHEST = [2, 4, 5], [2, 3, 4], [7, 5, 3], [2, 4, 3]
FAR = np.array([40.0, -40.0, 90.0, 20.0, -20.0, 30.0, 0.13, 0.44, 0.75])

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


# Rows by their margin, the smallest first; whatever else one sorts by gives other rows.
TORN = np.array(
    [[20, 4, 37, 39], [34, 24, 27, 15], [17, 13, 41, 29], [4, 38, 51, 7], [47, 32, 10, 11],
     [17, 44, 22, 17], [10, 52, 21, 17], [28, 60, 5, 7], [8, 17, 4, 71]]
) / 100  # fmt: skip


def lowest(scores):
    return np.argsort(scores, kind="stable")[:4]


def apart(case, rng):
    """A case of which no two mistakes agree by chance."""
    for _ in range(50):
        args, right, mistakes = case(rng)
        if len({tuple(each) for each in [right, *mistakes.values()]}) > len(mistakes):
            break
    return args, right, mistakes


def test_most_entropy(learner, rng):
    args, right, mistakes = apart(entropy_case, rng)
    learner.call("most_entropy", *args).equals(right, mistakes=mistakes)


def first(scores, bought=(), k=4):
    """The rows with the k largest scores, without those that are bought."""
    order = np.argsort(-scores, kind="stable")
    return order[~np.isin(order, bought)][:k]


def entropy_case(rng):
    """Arguments, the right rows, and the rows of every known mistake."""
    probs = rng.dirichlet(0.8 * np.ones(4), size=30)
    bought = rng.permutation(30)[:9]
    logs, best = np.log(probs), np.sort(probs, axis=1)
    H = -(probs * logs).sum(axis=1)
    bought[:2] = np.argsort(H)[-2:]  # the rows on top are paid for
    right, margin = first(H, bought), best[:, 3] - best[:, 2]
    free = np.setdiff1d(np.arange(30), bought)
    mistakes = {
        "least_entropy": first(-H, bought),
        "bought_again": first(H),
        "least_margin": first(-margin, bought),
        "least_confidence": first(-best[:, 3], bought),
        "variance": first(-probs.var(axis=1), bought),
        "logs_alone": first(-logs.sum(axis=1), bought),
        "logs_alone__2": first(logs.sum(axis=1), bought),
        "values_not_indices": H[right],
        "numbers_of_the_list": np.argsort(-H[free], kind="stable")[:4],
        "unsorted": np.sort(right),
        "reversed": right[::-1],
        "not_cut": np.argsort(-np.where(np.isin(np.arange(30), bought), -1, H), kind="stable"),
        "not_cut__2": first(H, bought, 30),
        "wrong_axis": np.argsort((probs * logs).sum(axis=0), kind="stable")[:4],
    }
    return (probs, bought, 4), right, mistakes


def test_most_entropy__certain(learner, rng):
    """Rows with probabilities of exactly 0, which leave NaN behind if their logarithm is taken."""
    probs = np.array([[0.5, 0.5, 0], [1, 0, 0], [0.4, 0.3, 0.3], [0, 0.9, 0.1], [0.8, 0, 0.2]])
    order = rng.permutation(5)
    where = np.argsort(order)
    right = where[[2, 0, 4, 3, 1]]
    nowhere = np.zeros(0, int)
    learner.call("most_entropy", probs[order], nowhere, 5).equals(
        right,
        mistakes={
            "zero_times_infinity": np.argsort(-entropy_with_nan(probs[order]), kind="stable"),
            "zero_times_infinity__2": np.argsort(entropy_with_nan(probs[order]), kind="stable"),
        },
    )


def entropy_with_nan(probs):
    with np.errstate(all="ignore"):
        return -(probs * np.log(probs)).sum(axis=1)


def margin_case(rng):
    """Arguments, the right rows, and the rows of every known mistake."""
    order = rng.permutation(9)
    probs, where = TORN[order][:, rng.permutation(4)], np.argsort(order)
    best, down = np.sort(probs, axis=1), np.sort(probs, axis=0)
    neighbours = [np.abs(probs[:, i] - probs[:, i + 1]) for i in range(3)]
    signed = [probs[:, i] - probs[:, j] for i, j in ((0, 1), (1, 0), (-1, -2), (-2, -1))]
    mistakes = (
        {
            "largest_margin": where[::-1][:4],
            "largest_margin__2": lowest(-best[:, 3]),
            "least_confidence": lowest(best[:, 3]),
            "values_not_indices": np.sort(best[:, 3] - best[:, 2])[:4],
            "unsorted": np.sort(where[:4]),
            "reversed": where[:4][::-1],
            "entropy": lowest((probs * np.log(probs)).sum(axis=1)),
            "entropy__2": lowest(-(probs * np.log(probs)).sum(axis=1)),
            "entropy__3": lowest(probs.var(axis=1)),
            "smallest_for_second": lowest(best[:, 3] - best[:, 0]),
            "two_smallest": lowest(best[:, 1] - best[:, 0]),
            "second_alone": lowest(-best[:, 2]),
            "second_alone__2": lowest(best[:, 2]),
            "ratio": lowest(best[:, 3] / best[:, 2]),
            "wrong_axis": lowest(down[:, 3] - down[:, 2]),
            "not_cut": where,
        }
        | {f"columns_as_they_stand__{i}": lowest(each) for i, each in enumerate(neighbours)}
        | {f"columns_as_they_stand__{3 + i}": lowest(each) for i, each in enumerate(signed)}
    )
    return (probs, 4), where[:4], mistakes


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


def sized(W, b, x, size):
    """For each class other than the label: its step's size by `size` of w, w, and the gap."""
    z = W @ x + b
    k = int(z.argmax())
    others = [i for i in range(len(z)) if i != k]
    return min(((z[k] - z[i]) / size(W[i] - W[k]), i, W[i] - W[k], z[k] - z[i]) for i in others)


def deepfool_case(rng):
    """A linear model whose nearest border is another by length, by gap, and without its biases."""
    sums = lambda w: np.abs(w).sum()  # noqa: E731
    for _ in range(3000):
        W, b, x = rng.normal(size=(5, 4)) * rng.uniform(0.3, 3, (5, 1)), *rng.normal(size=(2, 5))
        x = x[:4]
        e, right, w, gap = sized(W, b, x, sums)
        length = sized(W, b, x, np.linalg.norm)
        least = sized(W, b, x, lambda w: 1.0)
        bare = sized(W, 0 * b, x, sums)
        apart = len({right, length[1], least[1]}) == 3 and bare[1] != right
        if apart and e > 0.05:
            break
    return W, b, x, e, w, gap, length, least, bare


def test_deepfool_step(learner, rng):
    W, b, x, e, w, gap, length, least, bare = deepfool_case(rng)
    right = e * np.sign(w)
    learner.call("deepfool_step", W, b, x).equals(
        right,
        mistakes={
            "shortest_in_length": length[0] * length[2] / np.linalg.norm(length[2]),
            "class_by_length": length[3] / np.abs(length[2]).sum() * np.sign(length[2]),
            "smallest_gap": least[3] / np.abs(least[2]).sum() * np.sign(least[2]),
            "direction_not_signs": e * w,
            "direction_not_signs__2": gap / (w @ w) * w,
            "divided_by_the_length": gap / np.linalg.norm(w) * np.sign(w),
            "divided_by_the_largest": gap / np.abs(w).max() * np.sign(w),
            "mean_not_sum": 4 * right,
            "with_overshoot": 1.02 * right,
            "sign": -right,
            "missing_bias": bare[0] * np.sign(bare[2]),
            "unit_step": np.sign(w),
            "distance_alone": e,
            "point_not_step": x + right,
            "not_divided": gap * np.sign(w),
        },
    )


def test_dfal_k_center(learner, rng):
    args, right, mistakes = apart(dfal_case, rng)
    learner.call("dfal_k_center", *args).equals(right, mistakes=mistakes)


def dfal_case(rng):
    """Arguments, the right rows, and the rows of every known mistake."""
    points, where = turned(rng, np.concatenate([PLACES, FAR]))
    border = np.array([0.1, 0.2, 2.1, 1.3, 2.2, 1.0, 1.2, 1.1, *range(5, 14)])
    distances, labelled = border[np.argsort(where)], where[:2]
    free = np.setdiff1d(np.arange(17), labelled)
    near = np.argsort(distances[free], kind="stable")

    def among(rows, centres=labelled, k=3):
        return greedy_naive(points, centres, rows, k)

    listed = list(free[near[:6]])
    inside = np.array([listed.index(i) for i in where[PICKED]])
    spread = among(free, k=6)
    mistakes = {
        "k_center_alone": among(free),
        "dfal_alone": where[[5, 7, 6]],
        "labelled_in_the_list": where[[3, 6, 5]],
        "list_of_k": where[[6, 5, 7]],
        "numbers_of_the_list": inside,
        "numbers_of_the_list__2": inside + 2,
        "numbers_of_the_list__3": among([i for i in near[:6] if i not in labelled]),
        "ignored_distances": among(free[:6]),
        "farthest_from_the_border": among(free[near[-6:]]),
        "forgot_the_labelled": np.array([listed[0], *among(listed[1:], listed[:1], 2)]),
        "forgot_the_labelled__2": among(listed[1:], listed[:1]),
        "k_center_first": spread[np.argsort(distances[spread], kind="stable")[:3]],
        "unsorted": np.sort(where[PICKED]),
    }
    return (distances, points, labelled, 3, 6), where[PICKED], mistakes
