"""Known mistakes of exercise 14: FUNCTION__KEY, and KEY is the diagnosis that it must get."""

from statistics import NormalDist

import numpy as np


def jacobian_step__away(x, jacobians, labels, step):
    return x - step * np.sign(jacobians[np.arange(len(x)), labels])


def jacobian_step__gradient_not_sign(x, jacobians, labels, step):
    return x + step * jacobians[np.arange(len(x)), labels]


def jacobian_step__first_class(x, jacobians, labels, step):
    return x + step * np.sign(jacobians[:, 0])


def jacobian_step__all_classes(x, jacobians, labels, step):
    return x + step * np.sign(jacobians.sum(axis=1))


def jacobian_step__old_and_new(x, jacobians, labels, step):
    return np.vstack([x, x + step * np.sign(jacobians[np.arange(len(x)), labels])])


def jacobian_step__mutated(x, jacobians, labels, step):
    x += step * np.sign(jacobians[np.arange(len(x)), labels])
    return x


def nearest_distance__squared(members, x):
    return float(((members - x) ** 2).sum(axis=1).min())


def nearest_distance__farthest(members, x):
    return float(np.linalg.norm(members - x, axis=1).max())


def nearest_distance__city_blocks(members, x):
    return float(np.abs(members - x).sum(axis=1).min())


def nearest_distance__wrong_axis(members, x):
    return float(np.sqrt(((members - x) ** 2).sum(axis=0)).min())


def _watch(questions, joins, threshold_of):
    members, own, threshold, distances = [questions[0]], [0.0], 0.0, []
    for x in questions[1:]:
        distances.append(float(np.linalg.norm(np.array(members) - x, axis=1).min()))
        if joins(distances[-1], threshold):
            members.append(x)
            own.append(distances[-1])
            threshold = threshold_of(np.array(own), threshold)
    return np.array(distances), float(threshold)


def watch__everybody_joins(questions):
    return _watch(questions, lambda d, t: True, lambda own, t: max(t, own.mean() - own.std()))


def watch__plus_std(questions):
    return _watch(questions, lambda d, t: d > t, lambda own, t: max(t, own.mean() + own.std()))


def watch__sample_std(questions):
    def threshold_of(own, t):
        return max(t, own.mean() - own.std(ddof=1))

    return _watch(questions, lambda d, t: d > t, threshold_of)


def watch__forgot_the_first(questions):
    def threshold_of(own, t):
        return max(t, own[1:].mean() - own[1:].std())

    return _watch(questions, lambda d, t: d > t, threshold_of)


def watch__threshold_fell(questions):
    return _watch(questions, lambda d, t: d > t, lambda own, t: own.mean() - own.std())


def without_outliers__one_side(distances):
    return distances[distances <= distances.mean() + 3 * distances.std()]


def without_outliers__kept_the_outliers(distances):
    return distances[np.abs(distances - distances.mean()) > 3 * distances.std()]


def without_outliers__which_not_values(distances):
    return np.abs(distances - distances.mean()) <= 3 * distances.std()


def without_outliers__sorted_them(distances):
    kept = np.abs(distances - distances.mean()) <= 3 * distances.std()
    return np.sort(distances[kept])


def without_outliers__not_three(distances):
    return distances[np.abs(distances - distances.mean()) <= 2 * distances.std()]


def straightness__not_squared(distances):
    places = (np.arange(1, len(distances) + 1) - 0.375) / (len(distances) + 0.25)
    normal = [NormalDist().inv_cdf(place) for place in places]
    return float(np.corrcoef(np.sort(distances), normal)[0, 1])


def straightness__not_sorted(distances):
    places = (np.arange(1, len(distances) + 1) - 0.375) / (len(distances) + 0.25)
    normal = [NormalDist().inv_cdf(place) for place in places]
    return float(np.corrcoef(distances, normal)[0, 1] ** 2)


def straightness__shares_not_places(distances):
    places = (np.arange(1, len(distances) + 1) - 0.375) / (len(distances) + 0.25)
    return float(np.corrcoef(np.sort(distances), places)[0, 1] ** 2)


def straightness__plain_shares(distances):
    n = len(distances)
    normal = [NormalDist().inv_cdf(i / (n + 1)) for i in range(1, n + 1)]
    return float(np.corrcoef(np.sort(distances), normal)[0, 1] ** 2)
