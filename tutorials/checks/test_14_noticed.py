"""Checks of exercise 14."""

import numpy as np
from scipy.stats import norm

from mstheft.defend.prada_distance import GrowingSet


def test_jacobian_step(learner, rng):
    n, K, d, step = 5, 3, 4, float(rng.uniform(0.2, 0.4))
    x, labels = rng.normal(size=(n, d)), rng.permutation([0, 1, 2, 1, 2])
    J = rng.uniform(0.2, 2, size=(n, K, d)) * rng.choice([-1, 1], size=(n, K, d))
    J[:, :, 0] *= np.where(np.arange(K) == labels[:, None], 0.3, -5) * np.sign(J[:, :1, 0])
    raw = np.array([rows[y] for rows, y in zip(J, labels, strict=True)])
    signs = np.sign(raw)
    new = x + step * signs
    learner.call("jacobian_step", x, J, labels, step).equals(
        new,
        mistakes={
            "away": x - step * signs,
            "gradient_not_sign": x + step * raw,
            "unit_gradient": x + step * raw / np.linalg.norm(raw, axis=1, keepdims=True),
            "unit_gradient__2": x + step * raw / np.abs(raw).max(axis=1, keepdims=True),
            "first_class": x + step * np.sign(J[:, 0]),
            "first_class__2": x + step * np.sign(J[:, labels[0]]),
            "all_classes": x + step * np.sign(J.sum(axis=1)),
            "all_classes__2": x + step * np.sign(J).sum(axis=1),
            "only_the_step": step * signs,
            "step_of_one": x + signs,
            "clipped": np.clip(new, 0, 1),
            "old_and_new": np.vstack([x, new]),
        },
    )


def test_jacobian_step__flat(learner, rng):
    """Inputs that the class does not feel stay where they are."""
    n, K, d, step = 4, 2, 5, float(rng.uniform(0.2, 0.4))
    x, labels = rng.normal(size=(n, d)), rng.permutation([0, 1, 1, 0])
    J = rng.uniform(0.2, 2, size=(n, K, d)) * rng.choice([-1, 1], size=(n, K, d))
    J[np.arange(n), labels, rng.integers(d, size=n)] = 0
    moves = step * np.array([np.sign(rows[y]) for rows, y in zip(J, labels, strict=True)])
    learner.call("jacobian_step", x, J, labels, step).equals(
        x + moves,
        mistakes={
            "moved_without_slope": x + np.where(moves == 0, step, moves),
            "moved_without_slope__2": x + np.where(moves == 0, -step, moves),
        },
    )


def test_nearest_distance(learner, rng):
    # the nearest by the straight line, by the sum of sizes, by the largest size, and by length
    d, axes, signs = 7, rng.permutation(7), rng.choice([-1.0, 1.0], 7)
    E, r, x = np.eye(d)[axes] * signs[:, None], float(rng.uniform(2, 3)), rng.normal(size=d)
    x *= 4 * r / np.linalg.norm(x)
    ways = [r * (E[0] + E[1]) / np.sqrt(2), 1.3 * r * E[2], 1.5 * r * signs / np.sqrt(d), -2 * x]
    three = E[3:6].sum(axis=0) / np.sqrt(3)
    ways = np.array([*ways, 1.2 * r * three, -2.2 * r * three])
    for order in ([0, *rng.permutation([1, 2, 3, 4]), 5], [5, *rng.permutation([1, 2, 3, 4]), 0]):
        away = ways[order]
        sizes = np.linalg.norm(away, axis=1)
        largest = np.abs(away).max(axis=1)
        learner.call("nearest_distance", x + away, x).equals(
            r,
            mistakes={
                "squared": r**2,
                "farthest": sizes.max(),
                "averaged": sizes.mean(),
                "city_blocks": np.abs(away).sum(axis=1).min(),
                "largest_difference": largest.min(),
                "largest_difference__2": sizes[largest.argmin()],
                "compared_lengths": 8 * r,
                "compared_lengths__2": np.abs(np.linalg.norm(x + away, axis=1) - 4 * r).min(),
                "all_members_together": np.linalg.norm(away),
                "one_left_out": 1.2 * r,
                "index_not_distance": order.index(0),
                "last_member": sizes[-1],
                "first_member": sizes[0],
                "wrong_axis": np.sqrt((away**2).sum(axis=0)).min(),
                "mean_of_squares": r / np.sqrt(d),
                "one_input_alone": np.abs(away).min(),
                "all_distances": sizes,
            },
        )


def test_nearest_distance__one_member(learner, rng):
    d = 4
    x, away = rng.normal(size=d), rng.normal(size=d)
    learner.call("nearest_distance", (x + away)[None], x).equals(
        float(np.sqrt((away**2).sum())), mistakes={"wrong_axis": np.abs(away).min()}
    )


def on_a_line(places, start=0.0):
    """Questions at these places of a line in space."""
    return start + np.array(places)[:, None] * np.array([2, -3, 6]) / 7


def test_watch(learner, rng):
    # places on a line, so that every distance is a difference: 0, then a, then b beyond it
    a, b = float(rng.uniform(0.25, 0.28)), float(rng.uniform(0.6, 0.65))
    near = float(rng.uniform(0.005, 0.01))  # below the threshold that a and b - a have set
    own = np.array([0, a, b - a])
    threshold = own.mean() - own.std()
    distances = np.array([a, b - a, near, near])
    questions = on_a_line([0, a, b, b + near, a - near], rng.normal(size=3))
    answer = learner.call("watch", questions)
    wrong = {
        "last_member_alone": np.array([a, b - a, near, b - a + near]),
        "question_before": np.array([a, b - a, near, b - a + 2 * near]),
        "first_question_alone": np.array([a, b, b + near, a - near]),
        "city_blocks": distances * 11 / 7,
        "squared": distances**2,
    }
    value = answer.value
    if isinstance(value, (tuple, list)) and len(value) == 2 and np.shape(value[0]) == (4,):
        for key, each in wrong.items():
            what = "the first part holds the distance to the nearest member of G"
            answer.holds(not np.allclose(value[0], each), what, key)
    answer.equals(
        (distances, threshold),
        mistakes={
            "plus_std": (distances, own.mean() + own.std()),
            "sample_std": (distances, own.mean() - own.std(ddof=1)),
            "variance": (distances, own.mean() - own.var()),
            "median": (distances, np.median(own) - own.std()),
            "forgot_the_first": (distances, own[1:].mean() - own[1:].std()),
            "mean_alone": (distances, own.mean()),
            "members_only": (distances[:2], threshold),
            "first_counted": (np.append(0.0, distances), threshold),
            "never_above_zero": (distances, 0.0),
            "distances_alone": distances,
        },
    )


def test_watch__who_joins(learner, rng):
    # the third question is near the second and must not join: the fourth tells whether it did
    a, near = float(rng.uniform(4, 5)), float(rng.uniform(0.2, 0.3))
    b = 2.5 * a
    places = [0, a, b, b + near, b + 2 * near]
    own = np.array([0, a, b - a])
    threshold = own.mean() - own.std()
    answer = learner.call("watch", on_a_line(places))
    value = answer.value
    if isinstance(value, (tuple, list)) and len(value) == 2 and np.shape(value[0]) == (4,):
        last = float(value[0][3])
        everybody = np.isclose(last, near) or np.isclose(last, 0)
        what = "a question that lies nearer than the threshold does not join the set"
        answer.holds(not everybody, what, mistake="everybody_joins")
    answer.equals((np.array([a, b - a, near, 2 * near]), threshold))


def test_watch__joins_in_the_end(learner, rng):
    # six long ways; between the fourth and the fifth a question that does not join
    ways = np.array([4, 4.1, 4.2, 4.3, 4.4, 4.5]) * float(rng.uniform(1, 2))
    near = 0.3 * ways[0]
    places = np.append(0, np.cumsum(ways))
    questions = on_a_line(np.insert(places, 5, places[4] - near), rng.normal(size=3))
    distances, own = np.insert(ways, 4, near), np.append(0, ways)
    everything = np.append(0, distances)
    learner.call("watch", questions).equals(
        (distances, own.mean() - own.std()),
        mistakes={
            "others_count": (distances, everything.mean() - everything.std()),
            "one_join_late": (distances, own[:-1].mean() - own[:-1].std()),
        },
    )


def test_watch__repeat(learner, rng):
    # the second question repeats the first: its distance 0 is not above the threshold 0
    a, b = float(rng.uniform(2.5, 2.8)), float(rng.uniform(6, 6.5))
    own = np.array([0, a, b - a])
    joined = np.append(0, own)
    learner.call("watch", on_a_line([0, 0, a, b], rng.normal(size=3))).equals(
        (own, own.mean() - own.std()),
        mistakes={"repeats_join": (own, max(0.0, joined.mean() - joined.std()))},
    )


def test_watch__never_falls(learner, rng):
    # many equal distances, then a very long one: mean - std falls, the threshold does not
    first = np.arange(8) * float(rng.uniform(1, 2))
    places = [*first, first[-1] + 200.0]
    questions = on_a_line(places)
    twin = GrowingSet(3)
    distances = twin.add(questions)[1:]
    own = np.append(0.0, distances)
    learner.call("watch", questions).equals(
        (distances, twin.threshold),
        rtol=1e-6,
        mistakes={
            "threshold_fell": (distances, own.mean() - own.std()),
            "threshold_fell__2": (distances, max(0.0, own.mean() - own.std())),
        },
    )


def test_without_outliers(learner, rng):
    # 40 ordinary distances, and one at 3.4 standard deviations on either side
    scale = float(rng.uniform(0.3, 0.5))
    distances = np.concatenate([np.linspace(4, 5, 40), [3.04, 5.96]])[rng.permutation(42)]
    extreme = (distances < 3.5) | (distances > 5.5)
    low = distances < 3.5
    distances *= scale
    kept = distances[~extreme]
    learner.call("without_outliers", distances).equals(
        kept,
        mistakes={
            "one_side": distances[~extreme | low],
            "one_side__2": distances[~low],
            "kept_the_outliers": distances[extreme],
            "which_not_values": ~extreme,
            "which_not_values__2": np.flatnonzero(~extreme),
            "less_the_mean": kept - distances.mean(),
            "unchanged": distances,
            "sorted_them": np.sort(kept),
            "dropped_everything": distances[:0],
            "variance": distances[np.abs(distances - distances.mean()) <= 3 * distances.var()],
        },
    )


def test_without_outliers__two_std(learner, rng):
    # values at 2.5 standard deviations stay
    distances = np.concatenate([np.full(45, 0.0), [1.0, -1.0] * 20, [2.5, -2.5] * 2])
    distances = distances * rng.uniform(0.5, 2) + rng.uniform(5, 6)
    distances = distances[rng.permutation(len(distances))]
    size = np.abs(distances - distances.mean()) / distances.std()  # at most 2.93, whatever the seed
    learner.call("without_outliers", distances).equals(
        distances,
        mistakes={
            "not_three": distances[size < 2],
            "not_three__2": distances[size < 1],
            "not_three__3": distances[size < 2.7],
        },
    )


def test_without_outliers__lopsided(learner, rng):
    # the largest is 2.9 standard deviations from the mean, and 3.6 from the median
    distances = np.concatenate([np.zeros(60), np.ones(30), [1.8]])[rng.permutation(91)]
    distances = distances * rng.uniform(0.5, 2) + rng.uniform(3, 4)
    learner.call("without_outliers", distances).equals(
        distances, mistakes={"median": distances[distances < distances.max()]}
    )


def test_without_outliers__population(learner, rng):
    # the largest is 3.07 standard deviations away, but 2.92 with n - 1 in their place
    distances = np.array([1.0, -1.0] * 5 + [13.1])[rng.permutation(11)]
    distances = distances * rng.uniform(0.1, 0.2) + rng.uniform(3, 4)
    learner.call("without_outliers", distances).equals(
        distances[distances < distances.max()], mistakes={"sample_std": distances}
    )


def test_without_outliers__once(learner, rng):
    # without the largest, the second largest would be an outlier as well
    distances = np.concatenate([np.linspace(4, 5, 40), [9.0, 60.0]])[rng.permutation(42)]
    first, second = distances < 50, distances < 8
    distances = distances * rng.uniform(0.5, 1)
    learner.call("without_outliers", distances).equals(
        distances[first], mistakes={"repeated": distances[second]}
    )


def test_without_outliers__all_equal(learner, rng):
    distances = np.full(7, 0.5 * int(rng.integers(2, 9)))
    learner.call("without_outliers", distances).equals(
        distances, mistakes={"the_limit_itself": distances[:0]}
    )


def test_straightness(learner, rng):
    n = int(rng.integers(31, 40))
    distances = rng.gamma(2.0, 1.0, n)
    shares = (np.arange(1, n + 1) - 0.375) / (n + 0.25)
    normal = norm.ppf(shares)
    straight = np.corrcoef(np.sort(distances), normal)[0, 1]
    learner.call("straightness", distances).equals(
        straight**2,
        mistakes={
            "not_squared": straight,
            "not_sorted": np.corrcoef(distances, normal)[0, 1] ** 2,
            "not_sorted__2": np.corrcoef(distances, normal)[0, 1],
            "shares_not_places": np.corrcoef(np.sort(distances), shares)[0, 1] ** 2,
            "places_not_shares": np.corrcoef(np.sort(distances), np.arange(n))[0, 1] ** 2,
            "covariance": np.cov(np.sort(distances), normal)[0, 1] ** 2,
            "shares_of_n": np.corrcoef(
                np.sort(distances), norm.ppf((np.arange(1, n + 1) - 0.375) / n)
            )[0, 1]
            ** 2,
            "order_not_distances": np.corrcoef(np.argsort(distances), normal)[0, 1] ** 2,
            "plain_shares": np.corrcoef(
                np.sort(distances), norm.ppf(np.arange(1, n + 1) / (n + 1))
            )[0, 1]
            ** 2,
            "half_shares": np.corrcoef(
                np.sort(distances), norm.ppf((np.arange(1, n + 1) - 0.5) / n)
            )[0, 1]
            ** 2,
        },
    )
