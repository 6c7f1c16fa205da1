"""Checks of exercise 20."""

import itertools

import numpy as np


def test_label_price(learner, rng):
    d, h, normals = int(rng.integers(200, 900)), int(rng.integers(5, 9)), int(rng.integers(30, 60))
    width, precision = float(rng.uniform(5, 7.9)), float(rng.uniform(1.1, 1.9)) * 2.0**-41
    share = width / precision
    halvings = int(np.ceil(np.log2(share)))
    numbers = h * d + (normals - h) * h
    learner.call("label_price", d, h, normals, width, precision).equals(
        halvings * numbers,
        mistakes={
            "all_of_them_dear": halvings * normals * d,
            "all_of_them_cheap": halvings * normals * h,
            "first_one_alone": halvings * (d + (normals - 1) * h),
            "first_ones_twice": halvings * (h * d + normals * h),
            "rounded_down": (halvings - 1) * numbers,
            "one_too_many": (halvings + 1) * numbers,
            "not_rounded": np.log2(share) * numbers,
            "natural_logarithm": int(np.ceil(np.log(share))) * numbers,
            "decimal_digits": int(np.ceil(np.log10(share))) * numbers,
            "forgot_the_width": int(np.ceil(np.log2(1 / precision))) * numbers,
            "numbers_alone": numbers,
            "one_for_each_step": halvings + numbers,
        },
    )


def test_label_price__few(learner, rng):
    """Fewer normals than neurons: all of them have d numbers."""
    d, h, normals = int(rng.integers(50, 90)), int(rng.integers(20, 30)), int(rng.integers(5, 9))
    learner.call("label_price", d, h, normals, 0.75, 2.0**-20).equals(
        20 * normals * d,
        mistakes={
            "more_than_there_are": 20 * (h * d + (normals - h) * h),
            "more_than_there_are__2": 20 * h * d,
        },
    )


def unit(walls):
    """|R| = 1, the first weight above 0."""
    walls = walls / np.linalg.norm(walls[:, :-1], axis=1, keepdims=True)
    return walls * np.sign(walls[:, :1])


def test_corner_rows(learner, rng):
    d = 6
    g, i, j = rng.uniform(0.5, 1.5, (3, d + 1)) * rng.choice([-1, 1], (3, d + 1))
    lengths = rng.permutation([0.4, 0.7, 1.6, 2.5])
    planes = lengths[:, None] * np.stack([g, g + i, g + j, g + i + j])
    planes = planes / np.linalg.norm(planes[:, :-1], axis=1, keepdims=True)
    c = np.linalg.svd(planes)[0][:, 3]
    one, two, three, four = c[:, None] * planes
    bare = np.stack([one + two, one + three])
    right = unit(bare)
    whole = right / np.linalg.norm(right, axis=1, keepdims=True)
    other_side = np.linalg.svd(planes)[2][-1]
    wrong_c = other_side[:4, None] * planes
    signs = [np.array(s)[:, None] for s in itertools.product([1, -1], [1, -1])][1:]
    learner.call("corner_rows", planes).equals(
        right,
        mistakes={
            "differences": unit(planes[1:3] - planes[0]),
            "sums": unit(planes[1:3] + planes[0]),
            "swapped": right[::-1],
            "across_the_corner": unit(np.stack([one + four, one + three])),
            "across_the_corner__2": unit(np.stack([one + two, one + four])),
            "across_the_corner__3": unit(np.stack([one + four, two + three])),
            "right_singular_vector": unit(np.stack([sum(wrong_c[:2]), wrong_c[0] + wrong_c[2]])),
            "turned_minus": unit(np.stack([one - two, one - three])),
            "length_with_offset": whole,
            "no_offsets": right[:, :-1],
            "not_unit": bare * np.sign(bare[:, :1]),
            **{f"sign__{n}": s * right for n, s in enumerate(signs, 2)},
        },
    )


def sent_to_zero(z, classes, K, sign=-1):
    n = np.arange(len(z))
    table = np.zeros((len(z), K, z.shape[1]))
    table[n, classes[:, 0]] += z
    table[n, classes[:, 1]] += sign * z
    return table[:, 1:].reshape(len(z), -1)


def solved(z, classes, K, sign=-1, which=-1):
    null = np.linalg.svd(sent_to_zero(z, classes, K, sign))[2][which]
    return np.vstack([np.zeros(z.shape[1]), null.reshape(K - 1, -1)])


def boundaries(rng, f, d, n):
    """Points of the boundaries of classes f (n, d) -> (n,), and the classes on either side."""
    low, high = rng.normal(size=(2, 20 * n, d)) * 2
    keep = np.flatnonzero(f(low) != f(high))[:n]
    low, high = low[keep], high[keep]
    mine = f(low)
    for _ in range(60):
        middle = (low + high) / 2
        stays = (f(middle) == mine)[:, None]
        low, high = np.where(stays, middle, low), np.where(stays, high, middle)
    return low, np.stack([f(low), f(high)], axis=1)


def a_victim(rng, d, h, K):
    """Rows, offsets, θ of length 1 with θ_0 = 0, and boundary points that determine it."""
    while True:
        R, o = rng.normal(size=(h, d)), rng.normal(size=h)
        theta = rng.normal(size=(K, h + d + 1))
        theta[:, -1] /= 2
        theta = (theta - theta[0]) / np.linalg.norm(theta - theta[0])

        def lift(x, R=R, o=o, by=np.abs):
            return np.hstack([by(x @ R.T + o), x, np.ones((len(x), 1))])

        def labels(x, theta=theta, lift=lift):
            return (lift(x) @ theta.T).argmax(axis=1)

        points, classes = boundaries(rng, labels, d, 120)
        size = np.linalg.svd(sent_to_zero(lift(points), classes, K), compute_uv=False)
        pairs = {tuple(sorted(pair)) for pair in classes.tolist()}
        if len(points) == 120 and size[-2] > 1e-2 * size[0] and len(pairs) == 3:
            return R, o, theta, points, classes, lift


def towards(theta, z, label):
    """θ or -θ."""
    return theta if (theta @ z).argmax() == label else -theta


def one_by_one(z, classes, K, at, label):
    """Each class against class 0 alone, its sign by itself, all of length 1."""
    parts = [np.zeros(z.shape[1])]
    for k in range(1, K):
        mine = (np.sort(classes) == [0, k]).all(axis=1)
        parts.append(np.linalg.svd(z[mine])[2][-1])
    theta = np.array(parts)
    return towards(theta / np.linalg.norm(theta), at, label)


def test_class_weights(learner, rng):
    K = 3
    R, o, theta, points, classes, lift = a_victim(rng, 4, 3, K)
    x = next(x for x in rng.normal(size=(500, 1, 4)) if np.ptp(theta @ lift(x)[0]) > 1e-3)
    at = lift(x)[0]
    label = int((theta @ at).argmax())
    assert label == int((towards(solved(lift(points), classes, K), at, label) @ at).argmax())
    relu = lift(points, by=lambda z: np.maximum(z, 0))
    z, width = lift(points), theta.shape[1]
    first = np.hstack([points, np.abs(points @ R.T + o), np.ones((len(points), 1))])
    order = np.r_[3:7, 0:3, 7]
    learner.call("class_weights", R, o, points, classes, x[0], label).equals(
        theta,
        rtol=1e-6,
        mistakes={
            "sign": -theta,
            "relu_for_absolute": towards(solved(relu, classes, K), at, label),
            "no_absolute": towards(solved(lift(points, by=lambda z: z), classes, K), at, label),
            "added": towards(solved(z, classes, K, sign=1), at, label),
            "first_vector": towards(solved(z, classes, K, which=0), at, label),
            "one_by_one": one_by_one(z, classes, K, at, label),
            "without_class_0": theta[1:],
            "inputs_first": theta[:, order],
            "inputs_first__2": towards(solved(first, classes, K), at[order], label),
            "one_in_front": np.hstack([theta[:, -1:], theta[:, :-1]]),
            "largest_is_one": theta / np.abs(theta).max(),
            "each_class_alone": theta / np.maximum(np.linalg.norm(theta, axis=1), 1e-300)[:, None],
            "centred": theta - theta.mean(axis=0),
            "last_class_is_zero": theta - theta[-1],
            "transposed": theta.T,
            "flat": theta.ravel(),
            "flat__2": theta[1:].ravel(),
            "no_constant": np.hstack([
                towards(solved(z[:, :-1], classes, K), at[:-1], label), np.zeros((K, 1))
            ])[:, : width - 1],
        },
    )  # fmt: skip


def test_turn_wall(learner, rng):
    d = 4
    c, w = rng.uniform(0.5, 1.5, (2, d)) * rng.choice([-1, 1], (2, d))
    p, side = rng.uniform(0.5, 1.5, d) * rng.choice([-1, 1], d), rng.choice([-1, 1])
    off, on = side * rng.permutation([rng.uniform(0.4, 0.7), rng.uniform(1.5, 2.5)])  # at p
    gamma = off - c @ p
    v = on - (c + w) @ p - gamma
    factor = off / on
    right = factor * (c + w) - c, factor * (gamma + v) - gamma
    back = (c + w) / factor - c, (gamma + v) / factor - gamma
    learner.call("turn_wall", c, gamma, w, v, p).equals(
        right,
        mistakes={
            "unchanged": (w, v),
            "moved_not_turned": (w, -w @ p),
            "scaled_the_neuron": (factor * w, factor * v),
            "other_factor": back,
            "forgot_the_off_side": (factor * (c + w), factor * (gamma + v)),
            "forgot_gamma": (right[0], factor * (gamma + v)),
            "forgot_gamma__2": (right[0], factor * v),
            "neuron_for_the_on_side": (factor * w - c, factor * v - gamma),
            "scaled_the_off_side": (c + w - c / factor, gamma + v - gamma / factor),
            "turned_round": (-right[0], -right[1]),
            "negative_factor": (-factor * (c + w) - c, -factor * (gamma + v) - gamma),
            "swapped": right[::-1],
            "together": np.append(*right),
        },
    )


def test_why_no_signs(learner):
    answer = learner.call("why_no_signs")
    answer.equals(
        "B",
        mistakes={"normals_not_rows": "A", "labels_would_change": "C", "one_sign_of_all": "D"},
    )
