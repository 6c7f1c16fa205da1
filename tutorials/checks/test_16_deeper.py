"""Checks of exercise 16."""

import numpy as np

from mstheft.direct.deep.first_layer import OrientedLayer
from mstheft.direct.deep.second_layer import Orthant


def test_kink_pair(learner, rng):
    K, d = 3, 5
    g = rng.uniform(1, 2, K) * rng.permutation([1, -1, -1])
    v = rng.uniform(1, 2, d) * rng.choice([-1, 1], d)
    a = rng.uniform(0.5, 1, d) * np.sign(v)
    a = a / (a @ v)
    before = rng.normal(size=(K, d))
    after = before + np.outer(g, a)
    learner.call("kink_pair", before, after, v).equals(
        (g, a),
        mistakes={
            "other_way_round": (-g, a),
            "turned_both": (-g, -a),
            "swapped": (a, g),
            "not_scaled": (g, a * (g @ g)),
            "divided_by_length": (g, a * np.sqrt(g @ g)),
            "unit_row": (g, a / np.linalg.norm(a)),
            "one_side_only": (after @ v, (after @ v) @ after / ((after @ v) @ (after @ v))),
            "one_side_only__2": (after @ v, a),
            "one_side_only__3": (
                before @ v,
                (before @ v) @ before / ((before @ v) @ (before @ v)),
            ),
            "unit_direction": (g / np.linalg.norm(v), a * np.linalg.norm(v)),
        },
    )


def test_kink_pair__deaf_output(learner, rng):
    """The first output does not hear the neuron: its row of the change is 0."""
    K, d = 4, 3
    g, v = rng.uniform(1, 2, K) * rng.choice([-1, 1], K), rng.uniform(1, 2, d)
    g[0] = 0
    a = rng.uniform(0.5, 1, d)
    a = a / (a @ v)
    before = rng.normal(size=(K, d))
    after = before + np.outer(g, a)
    after[0] = before[0]
    learner.call("kink_pair", before, after, v).equals(
        (g, a), mistakes={"one_output_alone": (g, np.full(d, np.nan))}
    )


def test_wall_meets(learner, rng):
    n, d = 4, 3
    u, v = rng.normal(size=d), rng.uniform(1, 2, d)
    a = rng.uniform(0.5, 2, (n, d)) * rng.permutation([1, -1, 1, -1])[:, None]
    t = rng.uniform(1, 3, n) * rng.permutation([1, -1, -1, 1])
    on_line = u + t[:, None] * v
    aside = rng.uniform(0.5, 1, (n, d))  # from there along the wall, to a point p of its own
    aside -= (np.einsum("nd,nd->n", aside, a) / np.einsum("nd,nd->n", a, a))[:, None] * a
    p, speed = on_line + aside, a @ v
    at_p, at_u = np.einsum("nd,nd->n", a, p), a @ u
    length = np.linalg.norm(v)
    learner.call("wall_meets", a, p, u, v).equals(
        t,
        mistakes={
            "sign": -t,
            "forgot_the_start": at_p / speed,
            "added_the_start": (at_p + at_u) / speed,
            "not_divided": t * speed,
            "divided_by_length": t * speed / length,
            "projected": (p - u) @ v / length**2,
            "nearest_point": t * speed / np.einsum("nd,nd->n", a, a),
            "nearest_point__2": t * speed / np.linalg.norm(a, axis=1),
            "size_of_the_speed": t * np.sign(speed),
            "unit_direction": t * length,
            "mean_of_products": t / d,
            "one_point_for_all": a @ (p[0] - u) / speed,
            "points_not_t": on_line,
        },
    )


def votes_of(rng, m, false, h=5, d=8):
    """Walls with hidden signs, and rows of m kinks that lie on a known side of each.

    false : kinks that were taken for others: most of their sides are wrong, and far away
    """
    A = rng.uniform(0.5, 1, (h, 1)) * (np.eye(h, d) + 0.4 * rng.normal(size=(h, d)))
    signs = rng.permutation([1.0, -1.0, 1.0, -1.0, 1.0])
    on = rng.random((m, h)) < 0.5
    on[:, 0] |= ~on.any(axis=1)
    sides = np.where(on, 1, -1) * signs * rng.uniform(1, 2, (m, h))
    sides[false] *= np.where(np.arange(h) < 4, -10, 1)
    c = rng.uniform(2.5, 3, h)  # more than most sides, so that it counts
    beta = on * rng.uniform(0.5, 2, (m, h)) * rng.choice([-1, 1], (m, h))
    beta *= np.where(np.arange(m) == 1, 1e3, 1e-8)[:, None]  # rows have any size
    return A, c, signs, on, sides, beta


def test_active_sides(learner, rng):
    while True:
        A, c, signs, on, sides, beta = votes_of(rng, 7, [0, -1])
        sides[[0, 0, 6], [2, 3, 0]] *= -0.1  # one kink alone is right about some
        votes = np.where(on, 1, -1)

        def verdict(each):
            return np.sign(each.sum(axis=0))

        weights, majority = verdict(np.sign(beta)), verdict(np.sign(sides))
        origin = verdict(votes * np.sign(sides - c))
        measured = beta + 1e-11 * np.abs(beta).max(axis=1, keepdims=True) * rng.normal(size=(7, 5))
        product = verdict(measured * sides)
        one_large = verdict(np.where(on & (np.arange(7) == 1)[:, None], 1, -1) * np.sign(sides))
        positive = verdict(np.where(beta > 0, 1, -1) * np.sign(sides))
        wrong = [weights, majority, origin, product, positive, one_large, signs, -signs, -majority]
        wrong += [votes[0] * np.sign(sides[0]), verdict(votes * sides)]
        wrong += [verdict(on * np.sign(sides))]
        if on.any(axis=0).all() and len(np.unique(wrong, axis=0)) == len(wrong):
            break  # no mistake looks like another
    total = (votes * np.sign(sides)).sum(axis=0)
    places = (sides - c) @ np.linalg.pinv(A).T
    learner.call("active_sides", A, c, measured @ A, places).equals(
        signs,
        mistakes={
            "size_of_the_side": verdict(votes * sides),
            "one_kink_alone": votes[0] * np.sign(sides[0]),
            "sign": -signs,
            "sum_not_sign": total,
            "sum_not_sign__2": total / 7,
            "true_and_false": signs > 0,
            "signed_coefficient": product,
            "coefficients_alone": weights,
            "positive_alone": positive,
            "sides_alone": majority,
            "absolute_threshold": -majority,
            "absolute_threshold__2": one_large,
            "forgot_offset": origin,
            "forgot_offset__2": verdict(votes * np.sign(sides - 2 * c)),
            "zeros_not_counted": verdict(on * np.sign(sides)),
        },
    )


def test_active_sides__off(learner, rng):
    """Neuron 0 is off at every kink: only the votes of its zeros tell its side."""
    A, c, signs, on, sides, beta = votes_of(rng, 7, [2, 3, 4])
    alone = on[:, 0] & ~on[:, 1:].any(axis=1)
    truth = np.where(np.isin(np.arange(7), [2, 3, 4]), -1, 1)  # three false kinks
    on, beta = on.copy(), beta.copy()
    beta[:, 1] += np.where(alone, beta[:, 0], 0)
    on[:, 0], beta[:, 0] = False, 0
    on[:, 1] = beta[:, 1] != 0
    for i in (0, 1):
        sides[:, i] = np.where(on[:, i], 1, -1) * signs[i] * truth * np.abs(sides[:, i])
    places = (sides - c) @ np.linalg.pinv(A).T
    noise = 1e-11 * np.abs(beta).max(axis=1, keepdims=True) * rng.normal(size=(7, 5))
    learner.call("active_sides", A, c, (beta + noise) @ A, places).equals(
        signs,
        mistakes={
            "zeros_not_counted": np.sign((on * np.sign(sides)).sum(axis=0)),
            "sides_alone": np.sign(np.sign(sides).sum(axis=0)),
            "a_kink_left_out": np.sign((np.where(on, 1, -1) * np.sign(sides))[1:].sum(axis=0)),
            "size_of_the_side": np.sign((np.where(on, 1, -1) * sides).sum(axis=0)),
        },
    )


def test_inputs_for(learner, rng):
    h, d, n = 3, 5, 4
    A = rng.uniform(1.5, 3, (h, 1)) * (np.eye(h, d) + 0.3 * rng.normal(size=(h, d)))
    b, wish = rng.uniform(0.5, 1, h), rng.uniform(0.5, 2, (n, h))
    wish[rng.integers(n), rng.integers(h)] = 0  # an off neuron may be wished for
    view = Orthant(None, OrientedLayer(A, b))
    x = view.rows(wish)
    answer = learner.call("inputs_for", A, b, wish)
    value = np.asarray(answer.value)
    if value.shape == x.shape and np.allclose(value @ A.T + b, wish):
        long = np.linalg.norm(value) > 1.0001 * np.linalg.norm(x)
        answer.holds(not long, "each x is the shortest of all that do it", "not_the_shortest")
    answer.equals(
        x,
        mistakes={
            "added_the_bias": view.rows(wish + 2 * b),
            "forgot_the_bias": view.rows(wish + b),
            "transpose_for_inverse": (wish - b) @ A,
            "transpose_for_inverse__2": (wish - b) @ (A / (A**2).sum(axis=1, keepdims=True)),
            "forward": np.maximum(x @ A.T + b, 0),
        },
    )


def test_inputs_for__negative(learner, rng):
    A, b = rng.normal(size=(2, 4)), rng.normal(size=2)
    wish = rng.uniform(0.5, 2, (3, 2))
    wish[1, 0] *= -0.1
    learner.refuses(
        "inputs_for",
        A,
        b,
        wish,
        mistakes={
            "allowed_negative": (wish - b) @ np.linalg.pinv(A).T,
            "clipped": (np.maximum(wish, 0) - b) @ np.linalg.pinv(A).T,
        },
    )
