"""Known mistakes of exercise 10: each function is FUNCTION__KEY, and KEY its diagnosis."""

import numpy as np


def entropy(p, bought=None):
    H = -(p * np.log(p + (p == 0))).sum(axis=1)
    if bought is not None:
        H[bought] = -1
    return H


def largest(scores, bought, k):
    order = np.argsort(-scores, kind="stable")
    return order[~np.isin(order, bought)][:k]


def most_entropy__least_entropy(p, bought, k):
    return largest(-entropy(p), bought, k)


def most_entropy__bought_again(p, bought, k):
    return largest(entropy(p), [], k)


def most_entropy__least_margin(p, bought, k):
    return largest(np.sort(p, axis=1)[:, -2] - p.max(axis=1), bought, k)


def most_entropy__least_confidence(p, bought, k):
    return largest(-p.max(axis=1), bought, k)


def most_entropy__variance(p, bought, k):
    return largest(-p.var(axis=1), bought, k)


def most_entropy__logs_alone(p, bought, k):
    return largest(-np.log(p).sum(axis=1), bought, k)


def most_entropy__values_not_indices(p, bought, k):
    return entropy(p)[largest(entropy(p), bought, k)]


def most_entropy__unsorted(p, bought, k):
    return np.sort(largest(entropy(p), bought, k))


def most_entropy__reversed(p, bought, k):
    return largest(entropy(p), bought, k)[::-1]


def most_entropy__not_cut(p, bought, k):
    return np.argsort(-entropy(p, bought), kind="stable")


def most_entropy__not_cut__2(p, bought, k):
    return largest(entropy(p), bought, len(p))


def most_entropy__wrong_axis(p, bought, k):
    return np.argsort((p * np.log(p)).sum(axis=0), kind="stable")[:k]


def most_entropy__zero_times_infinity(p, bought, k):
    return largest(-(p * np.log(p)).sum(axis=1), bought, k)


def most_entropy__numbers_of_the_list(p, bought, k):
    free = np.setdiff1d(np.arange(len(p)), bought)
    return np.argsort(-entropy(p)[free], kind="stable")[:k]


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


def towards(W, b, x, size=lambda w: np.abs(w).sum()):
    z = W @ x + b
    k = int(z.argmax())
    steps = [((z[k] - z[i]) / size(W[i] - W[k]), i) for i in range(len(z)) if i != k]
    i = min(steps)[1]
    w, gap = W[i] - W[k], z[k] - z[i]
    return w, gap, gap / np.abs(w).sum() * np.sign(w)


def deepfool_step__with_overshoot(W, b, x):
    return 1.02 * towards(W, b, x)[2]


def deepfool_step__sign(W, b, x):
    return -towards(W, b, x)[2]


def deepfool_step__missing_bias(W, b, x):
    return towards(W, 0 * b, x)[2]


def deepfool_step__unit_step(W, b, x):
    return np.sign(towards(W, b, x)[2])


def deepfool_step__distance_alone(W, b, x):
    return float(np.abs(towards(W, b, x)[2]).max())


def deepfool_step__point_not_step(W, b, x):
    return x + towards(W, b, x)[2]


def deepfool_step__class_by_length(W, b, x):
    return towards(W, b, x, np.linalg.norm)[2]


def deepfool_step__smallest_gap(W, b, x):
    return towards(W, b, x, lambda w: 1)[2]


def deepfool_step__mean_not_sum(W, b, x):
    return len(x) * towards(W, b, x)[2]


def deepfool_step__shortest_in_length(W, b, x):
    w, gap, _ = towards(W, b, x, np.linalg.norm)
    return gap / (w @ w) * w


def deepfool_step__direction_not_signs(W, b, x):
    w, gap, _ = towards(W, b, x)
    return gap / np.abs(w).sum() * w


def deepfool_step__divided_by_the_length(W, b, x):
    w, gap, _ = towards(W, b, x)
    return gap / np.linalg.norm(w) * np.sign(w)


def deepfool_step__divided_by_the_largest(W, b, x):
    w, gap, _ = towards(W, b, x)
    return gap / np.abs(w).max() * np.sign(w)


def deepfool_step__not_divided(W, b, x):
    w, gap, _ = towards(W, b, x)
    return gap * np.sign(w)


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
