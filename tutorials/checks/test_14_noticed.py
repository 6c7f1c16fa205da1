"""Checks of exercise 14."""

import numpy as np
from scipy.stats import norm

from mstheft.defend.growing import GrowingSet


def test_jacobian_step(learner, rng):
    n, K, d, step = 5, 3, 4, 0.1
    x, labels = rng.normal(size=(n, d)), rng.permutation([0, 1, 2, 1, 2])
    J = rng.uniform(0.2, 2, size=(n, K, d)) * rng.choice([-1, 1], size=(n, K, d))
    J[:, :, 0] *= np.where(np.arange(K) == labels[:, None], 0.3, -5) * np.sign(J[:, :1, 0])
    signs = np.array([np.sign(rows[y]) for rows, y in zip(J, labels, strict=True)])
    raw = np.array([rows[y] for rows, y in zip(J, labels, strict=True)])
    new = x + step * signs
    learner.call("jacobian_step", x, J, labels, step).equals(
        new,
        mistakes={
            "away": x - step * signs,
            "gradient_not_sign": x + step * raw,
            "unit_gradient": x + step * raw / np.linalg.norm(raw, axis=1, keepdims=True),
            "first_class": x + step * np.sign(J[:, 0]),
            "all_classes": x + step * np.sign(J.sum(axis=1)),
            "only_the_step": step * signs,
            "old_and_new": np.vstack([x, new]),
        },
    )


def test_nearest_distance(learner, rng):
    d, at = 3, int(rng.integers(5))
    x = rng.normal(size=d)
    away = rng.normal(size=(5, d))
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    sizes = rng.uniform(4, 6, 5)
    sizes[at] = rng.uniform(2, 3)
    members = x + away * sizes[:, None]
    sums = np.abs(away * sizes[:, None]).sum(axis=1)
    learner.call("nearest_distance", members, x).equals(
        sizes[at],
        mistakes={
            "squared": sizes[at] ** 2,
            "farthest": sizes.max(),
            "averaged": sizes.mean(),
            "city_blocks": sums.min(),
            "index_not_distance": at,
            "last_member": sizes[-1],
            "wrong_axis": np.sqrt(((away * sizes[:, None]) ** 2).sum(axis=0)).min(),
            "mean_of_squares": sizes[at] / np.sqrt(d),
        },
    )


def on_a_line(places):
    """Questions at these places of a line in the plane."""
    return np.array(places)[:, None] * np.array([0.6, 0.8])


def test_watch(learner, rng):
    # places on a line, so that every distance is a difference: 0, then a, then b beyond it
    a, b = float(rng.uniform(2.5, 2.8)), float(rng.uniform(6, 6.5))
    near = float(rng.uniform(0.05, 0.1))  # below the threshold that a and b - a have set
    own = np.array([0, a, b - a])
    threshold = own.mean() - own.std()
    distances = np.array([a, b - a, near, near])
    learner.call("watch", on_a_line([0, a, b, b + near, b - near])).equals(
        (distances, threshold),
        mistakes={
            "plus_std": (distances, own.mean() + own.std()),
            "sample_std": (distances, own.mean() - own.std(ddof=1)),
            "forgot_the_first": (distances, own[1:].mean() - own[1:].std()),
            "mean_alone": (distances, own.mean()),
            "members_only": (distances[:2], threshold),
            "first_counted": (np.append(0.0, distances), threshold),
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


def test_watch__never_falls(learner, rng):
    # many equal distances, then a very long one: mean - std falls, the threshold does not
    first = np.arange(8) * float(rng.uniform(1, 2))
    places = [*first, first[-1] + 200.0]
    questions = on_a_line(places)
    twin = GrowingSet(2)
    distances = twin.add(questions)[1:]
    own = np.append(0.0, distances)
    learner.call("watch", questions).equals(
        (distances, twin.threshold),
        rtol=1e-6,
        mistakes={"threshold_fell": (distances, own.mean() - own.std())},
    )


def test_without_outliers(learner, rng):
    ordinary = rng.uniform(4, 5, 40)
    distances = np.concatenate([ordinary, [9.0, 0.2]])[rng.permutation(42)]
    extreme = (distances == 9.0) | (distances == 0.2)
    learner.call("without_outliers", distances).equals(
        distances[~extreme],
        mistakes={
            "one_side": distances[distances < 8],
            "one_side__2": distances[distances > 1],
            "kept_the_outliers": distances[extreme],
            "which_not_values": ~extreme,
            "unchanged": distances,
            "sorted_them": np.sort(distances[~extreme]),
            "dropped_everything": distances[:0],
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
        mistakes={"not_three": distances[size < 2], "not_three__2": distances[size < 1]},
    )


def test_straightness(learner, rng):
    n = 30
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
