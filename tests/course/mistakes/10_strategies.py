"""Known mistakes of exercise 10: each function is FUNCTION__KEY, and KEY its diagnosis."""

import numpy as np


def least_margin__largest_margin(probs, k):
    best = np.sort(probs, axis=1)
    return np.argsort(best[:, -2] - best[:, -1], kind="stable")[:k]


def least_margin__least_confidence(probs, k):
    return np.argsort(probs.max(axis=1), kind="stable")[:k]


def least_margin__values_not_indices(probs, k):
    best = np.sort(probs, axis=1)
    return np.sort(best[:, -1] - best[:, -2])[:k]


def k_center__not_updated(points, centres, k):
    away = np.linalg.norm(points[:, None] - points[centres], axis=2).min(axis=1)
    return np.argsort(-away, kind="stable")[:k]


def k_center__nearest_row(points, centres, k):
    near = np.linalg.norm(points[:, None] - points[centres], axis=2).min(axis=1)
    near[centres] = np.inf
    chosen = []
    for _ in range(k):
        pick = int(near.argmin())
        chosen.append(pick)
        near = np.minimum(near, np.linalg.norm(points - points[pick], axis=1))
        near[chosen], near[centres] = np.inf, np.inf
    return np.array(chosen)


def k_center__farthest_centre(points, centres, k):
    chosen = []
    for _ in range(k):
        used = [*centres, *chosen]
        away = np.linalg.norm(points[:, None] - points[used], axis=2).max(axis=1)
        away[used] = -1
        chosen.append(int(away.argmax()))
    return np.array(chosen)


def deepfool_step__not_squared(W, b, x):
    return deepfool_step_parts(W, b, x, 1)


def deepfool_step__with_overshoot(W, b, x):
    return 1.02 * deepfool_step_parts(W, b, x, 2)


def deepfool_step__sign(W, b, x):
    return -deepfool_step_parts(W, b, x, 2)


def deepfool_step__smallest_gap(W, b, x):
    z = W @ x + b
    k = int(z.argmax())
    second = int(np.argsort(z)[-2])
    w = W[second] - W[k]
    return (z[k] - z[second]) / (w @ w) * w


def deepfool_step_parts(W, b, x, power):
    z = W @ x + b
    k = int(z.argmax())
    steps = []
    for i in range(len(z)):
        if i != k:
            w = W[i] - W[k]
            size = np.linalg.norm(w)
            steps.append(((z[k] - z[i]) / size, (z[k] - z[i]) / size**power * w))
    return min(steps, key=lambda step: step[0])[1]


def dfal_k_center__k_center_alone(distances, points, labelled, k, rho):
    return k_center(points, labelled, k)  # noqa: F821


def dfal_k_center__dfal_alone(distances, points, labelled, k, rho):
    free = np.setdiff1d(np.arange(len(points)), labelled)
    return free[np.argsort(distances[free], kind="stable")[:k]]


def dfal_k_center__labelled_in_the_list(distances, points, labelled, k, rho):
    near = np.setdiff1d(np.argsort(distances, kind="stable")[:rho], labelled)
    rows = np.concatenate([labelled, near])
    return rows[k_center(points[rows], np.arange(len(labelled)), k)]  # noqa: F821


def dfal_k_center__numbers_of_the_list(distances, points, labelled, k, rho):
    free = np.setdiff1d(np.arange(len(points)), labelled)
    near = free[np.argsort(distances[free], kind="stable")[:rho]]
    rows = np.concatenate([labelled, near])
    return k_center(points[rows], np.arange(len(labelled)), k) - len(labelled)  # noqa: F821


def chosen(points, centres, k, distance, join=np.minimum, last=False):
    near = np.full(len(points), np.inf if join is np.minimum else 0.0)
    for c in centres:
        near = join(near, distance(points - points[c]))
    used, picks = np.isin(np.arange(len(points)), centres), []
    for _ in range(k):
        picks.append(int(np.where(used, -1, near).argmax()))
        used[picks[-1]] = True
        away = distance(points - points[picks[-1]])
        near = away if last else join(near, away)
    return np.array(picks)


def euclid(a):
    return np.linalg.norm(a, axis=1)


def least_margin__unsorted(p, k):
    b = np.sort(p, axis=1)
    return np.sort(np.argsort(b[:, -1] - b[:, -2], kind="stable")[:k])


def k_center__sum_of_sizes(points, centres, k):
    return chosen(points, centres, k, lambda a: np.abs(a).sum(axis=1))


def k_center__largest_coordinate(points, centres, k):
    return chosen(points, centres, k, lambda a: np.abs(a).max(axis=1))


def k_center__sum_over_centres(points, centres, k):
    return chosen(points, centres, k, euclid, np.add)


def k_center__last_pick_alone(points, centres, k):
    return chosen(points, centres, k, euclid, last=True)


def k_center__first_centre_alone(points, centres, k):
    near = euclid(points - points[centres[0]])
    near[centres] = -1
    picks = []
    for _ in range(k):
        pick = int(near.argmax())
        picks.append(pick)
        near = np.minimum(near, euclid(points - points[pick]))
        near[pick] = -1
    return np.array(picks)


def k_center__chosen_again(points, centres, k):
    near = np.min([euclid(points - points[c]) for c in centres], axis=0)
    picks = []
    for _ in range(k):
        pick = int(near.argmax())
        picks.append(pick)
        near = np.minimum(near, euclid(points - points[pick]))
    return np.array(picks)


def deepfool_step__missing_bias(W, b, x):
    return deepfool_step_parts(W, 0 * b, x, 2)


def deepfool_step__unit_step(W, b, x):
    r = deepfool_step_parts(W, b, x, 2)
    return r / np.linalg.norm(r)


def deepfool_step__distance_alone(W, b, x):
    return float(np.linalg.norm(deepfool_step_parts(W, b, x, 2)))


def deepfool_step__point_not_step(W, b, x):
    return x + deepfool_step_parts(W, b, x, 2)


def least_margin__entropy(probs, k):
    return np.argsort((probs * np.log(probs)).sum(axis=1), kind="stable")[:k]


def least_margin__entropy__2(probs, k):
    return np.argsort(-(probs * np.log(probs)).sum(axis=1), kind="stable")[:k]


def least_margin__smallest_for_second(probs, k):
    return np.argsort(np.ptp(probs, axis=1), kind="stable")[:k]


def least_margin__two_smallest(probs, k):
    best = np.sort(probs, axis=1)
    return np.argsort(best[:, 1] - best[:, 0], kind="stable")[:k]


def least_margin__second_alone(probs, k):
    return np.argsort(-np.sort(probs, axis=1)[:, -2], kind="stable")[:k]


def least_margin__ratio(probs, k):
    best = np.sort(probs, axis=1)
    return np.argsort(best[:, -1] / best[:, -2], kind="stable")[:k]


def least_margin__columns_as_they_stand(probs, k):
    return np.argsort(np.abs(probs[:, 0] - probs[:, 1]), kind="stable")[:k]


def least_margin__columns_as_they_stand__2(probs, k):
    return np.argsort(probs[:, -1] - probs[:, -2], kind="stable")[:k]


def least_margin__wrong_axis(probs, k):
    best = np.sort(probs, axis=0)
    return np.argsort(best[:, -1] - best[:, -2], kind="stable")[:k]


def least_margin__not_cut(probs, k):
    best = np.sort(probs, axis=1)
    return np.argsort(best[:, -1] - best[:, -2], kind="stable")


def of_the_list(points, labelled, near, k):
    rows = np.concatenate([labelled, near])
    return rows[k_center(points[rows], np.arange(len(labelled)), k)]  # noqa: F821


def by_distance(distances, points, labelled):
    free = np.setdiff1d(np.arange(len(points)), labelled)
    return free[np.argsort(distances[free], kind="stable")]


def dfal_k_center__k_center_alone__2(distances, points, labelled, k, rho):
    return of_the_list(points, labelled, by_distance(distances, points, labelled), k)


def dfal_k_center__list_of_k(distances, points, labelled, k, rho):
    return of_the_list(points, labelled, by_distance(distances, points, labelled)[:k], k)


def dfal_k_center__numbers_of_the_list__2(distances, points, labelled, k, rho):
    rows = np.concatenate([labelled, by_distance(distances, points, labelled)[:rho]])
    return k_center(points[rows], np.arange(len(labelled)), k)  # noqa: F821


def dfal_k_center__numbers_of_the_list__3(distances, points, labelled, k, rho):
    free = np.setdiff1d(np.arange(len(points)), labelled)
    near = np.argsort(distances[free], kind="stable")[:rho]
    return of_the_list(points, labelled, near, k)


def dfal_k_center__ignored_distances(distances, points, labelled, k, rho):
    free = np.setdiff1d(np.arange(len(points)), labelled)
    return of_the_list(points, labelled, free[:rho], k)


def dfal_k_center__farthest_from_the_border(distances, points, labelled, k, rho):
    return of_the_list(points, labelled, by_distance(distances, points, labelled)[-rho:], k)


def dfal_k_center__forgot_the_labelled(distances, points, labelled, k, rho):
    near = by_distance(distances, points, labelled)[:rho]
    return np.array([near[0], *near[k_center(points[near], np.array([0]), k - 1)]])  # noqa: F821


def dfal_k_center__forgot_the_labelled__2(distances, points, labelled, k, rho):
    near = by_distance(distances, points, labelled)[:rho]
    return near[k_center(points[near], np.array([0]), k)]  # noqa: F821


def dfal_k_center__k_center_first(distances, points, labelled, k, rho):
    spread = k_center(points, labelled, rho)  # noqa: F821
    return spread[np.argsort(distances[spread], kind="stable")[:k]]


def dfal_k_center__unsorted(distances, points, labelled, k, rho):
    near = by_distance(distances, points, labelled)[:rho]
    return np.sort(of_the_list(points, labelled, near, k))
