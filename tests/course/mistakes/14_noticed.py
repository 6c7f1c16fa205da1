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


def jacobian_step__moved_without_slope(x, jacobians, labels, step):
    return x + step * np.where(jacobians[np.arange(len(x)), labels] > 0, 1, -1)


def jacobian_step__unit_gradient(x, jacobians, labels, step):
    own = jacobians[np.arange(len(x)), labels]
    return x + step * own / np.abs(own).max(axis=1, keepdims=True)


def jacobian_step__clipped(x, jacobians, labels, step):
    return np.clip(x + step * np.sign(jacobians[np.arange(len(x)), labels]), 0, 1)


def nearest_distance__largest_difference(members, x):
    return float(np.abs(members - x).max(axis=1).min())


def nearest_distance__compared_lengths(members, x):
    return float(np.abs(np.linalg.norm(members, axis=1) - np.linalg.norm(x)).min())


def nearest_distance__all_members_together(members, x):
    return float(np.linalg.norm(members - x))


def nearest_distance__first_member(members, x):
    return float(np.linalg.norm(members[0] - x))


def nearest_distance__last_member(members, x):
    return float(np.linalg.norm(members[-1] - x))


def nearest_distance__one_left_out(members, x):
    return float(np.linalg.norm(members[1:] - x, axis=1).min())


def nearest_distance__one_left_out__2(members, x):
    return float(np.linalg.norm(members[:-1] - x, axis=1).min())


def nearest_distance__all_distances(members, x):
    return np.linalg.norm(members - x, axis=1)


def nearest_distance__squared(members, x):
    return float(((members - x) ** 2).sum(axis=1).min())


def nearest_distance__farthest(members, x):
    return float(np.linalg.norm(members - x, axis=1).max())


def nearest_distance__city_blocks(members, x):
    return float(np.abs(members - x).sum(axis=1).min())


def nearest_distance__wrong_axis(members, x):
    return float(np.sqrt(((members - x) ** 2).sum(axis=0)).min())


def _nearest(members, x):
    return np.linalg.norm(np.array(members) - x, axis=1).min()


def _watch(questions, joins, threshold_of, distance=_nearest):
    members, own, threshold, distances = [questions[0]], [0.0], 0.0, []
    for x in questions[1:]:
        distances.append(float(distance(members, x)))
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


def _rule(own, t):
    return max(t, own.mean() - own.std())


def watch__last_member_alone(questions):
    return _watch(
        questions, lambda d, t: d > t, _rule, lambda members, x: np.linalg.norm(members[-1] - x)
    )


def watch__first_question_alone(questions):
    return _watch(
        questions, lambda d, t: d > t, _rule, lambda members, x: np.linalg.norm(members[0] - x)
    )


def watch__city_blocks(questions):
    def distance(members, x):
        return np.abs(np.array(members) - x).sum(axis=1).min()

    return _watch(questions, lambda d, t: d > t, _rule, distance)


def watch__repeats_join(questions):
    return _watch(questions, lambda d, t: d >= t, _rule)


def watch__variance(questions):
    return _watch(questions, lambda d, t: d > t, lambda own, t: max(t, own.mean() - own.var()))


def watch__threshold_fell__2(questions):
    return _watch(questions, lambda d, t: d > t, lambda own, t: max(0.0, own.mean() - own.std()))


def watch__others_count(questions):
    every = [0.0]

    def joins(d, t):
        every.append(d)
        return d > t

    return _watch(questions, joins, lambda own, t: _rule(np.array(every), t))


def watch__one_join_late(questions):
    members, own, threshold, distances = [questions[0]], [0.0], 0.0, []
    for x in questions[1:]:
        distances.append(float(_nearest(members, x)))
        threshold = _rule(np.array(own), threshold)
        if distances[-1] > threshold:
            members.append(x)
            own.append(distances[-1])
    return np.array(distances), float(threshold)


def without_outliers__variance(distances):
    return distances[np.abs(distances - distances.mean()) <= 3 * distances.var()]


def without_outliers__median(distances):
    return distances[np.abs(distances - np.median(distances)) <= 3 * distances.std()]


def without_outliers__sample_std(distances):
    return distances[np.abs(distances - distances.mean()) <= 3 * distances.std(ddof=1)]


def without_outliers__repeated(distances):
    for _ in range(9):
        distances = distances[np.abs(distances - distances.mean()) <= 3 * distances.std()]
    return distances


def without_outliers__the_limit_itself(distances):
    return distances[np.abs(distances - distances.mean()) < 3 * distances.std()]


def without_outliers__unchanged(distances):
    return distances[np.abs(distances - distances.mean()) <= 4 * distances.std()]


def without_outliers__not_three__2(distances):
    return distances[np.abs(distances - distances.mean()) <= 2.5 * distances.std()]


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


def straightness__shares_of_n(distances):
    n = len(distances)
    normal = [NormalDist().inv_cdf((i - 0.375) / n) for i in range(1, n + 1)]
    return float(np.corrcoef(np.sort(distances), normal)[0, 1] ** 2)


def straightness__covariance(distances):
    n = len(distances)
    normal = [NormalDist().inv_cdf((i - 0.375) / (n + 0.25)) for i in range(1, n + 1)]
    return float(np.cov(np.sort(distances), normal)[0, 1] ** 2)


def straightness__order_not_distances(distances):
    n = len(distances)
    normal = [NormalDist().inv_cdf((i - 0.375) / (n + 0.25)) for i in range(1, n + 1)]
    return float(np.corrcoef(np.argsort(distances), normal)[0, 1] ** 2)
