"""Checks of exercise 16."""

import numpy as np

from mstheft.direct.deep_first import First
from mstheft.direct.deep_second import Orthant


def test_kink_pair(learner, rng):
    K, d = 3, 5
    g = rng.uniform(1, 2, K) * rng.choice([-1, 1], K)
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
        },
    )


def test_wall_meets(learner, rng):
    n, d = 4, 3
    u, v = rng.normal(size=d), rng.uniform(1, 2, d)
    a = rng.uniform(0.5, 2, (n, d))
    t = rng.uniform(1, 3, n) * rng.choice([-1, 1], n)
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
        },
    )


def votes_of(rng, m, h=4, d=6):
    """Walls with hidden signs, and rows of m kinks that lie on a known side of each."""
    A = np.linalg.qr(rng.normal(size=(d, d)))[0][:h] * rng.uniform(1, 2, (h, 1))
    signs = rng.permutation([1.0, -1.0, 1.0, -1.0])
    on = rng.random((m, h)) < 0.5
    on[:, 0] |= ~on.any(axis=1)
    sides = np.where(on, 1, -1) * signs * rng.uniform(1, 2, (m, h))
    c = rng.uniform(2.5, 3, h)  # more than any side, so that it counts
    places = (sides - c) @ np.linalg.pinv(A).T
    beta = on * rng.uniform(0.5, 2, (m, h)) * rng.choice([-1, 1], (m, h))
    return A, c, signs, on, sides, beta, beta @ A, places


def test_active_sides(learner, rng):
    while True:
        A, c, signs, on, sides, beta, rows, places = votes_of(rng, 5)
        weights = np.sign(np.sign(beta).sum(axis=0))
        majority = np.sign(np.sign(sides).sum(axis=0))
        origin = np.sign(np.where(on, 1, -1) * np.sign(sides - c)).sum(axis=0)
        product = np.sign((beta * sides).sum(axis=0))
        wrong = [weights, majority, np.sign(origin), product, signs, -signs]
        if on.any(axis=0).all() and len(np.unique(wrong, axis=0)) == len(
            wrong
        ):  # no mistake looks like another
            break
    total = (np.where(on, 1, -1) * np.sign(sides)).sum(axis=0)
    learner.call("active_sides", A, c, rows, places).equals(
        signs,
        mistakes={
            "sign": -signs,
            "sum_not_sign": total,
            "signed_coefficient": product,
            "coefficients_alone": weights,
            "sides_alone": majority,
            "forgot_offset": np.sign(origin),
        },
    )


def test_active_sides__off(learner, rng):
    """Neuron 0 is off at every kink: only the votes of its zeros tell its side."""
    A, c, signs, on, sides, beta, _, places = votes_of(rng, 6)
    was_on = on[:, 0]
    on, beta = on.copy(), beta.copy()
    on[:, 0], beta[:, 0], sides[:, 0] = False, 0, -signs[0] * np.abs(sides[:, 0])
    beta[:, 1] += np.where(was_on & ~on[:, 1:].any(axis=1), 1.0, 0)
    on[:, 1] = beta[:, 1] != 0
    sides[:, 1] = np.where(on[:, 1], 1, -1) * signs[1] * np.abs(sides[:, 1])
    places = (sides - c) @ np.linalg.pinv(A).T
    noise = 1e-11 * rng.normal(size=(6, 4))
    no_vote, flipped = signs.copy(), signs.copy()
    no_vote[0], flipped[0] = 0, -signs[0]
    ignored = np.sign((on * np.sign(sides)).sum(axis=0))
    learner.call("active_sides", A, c, (beta + noise) @ A, places).equals(
        signs,
        mistakes={
            "zeros_not_counted": ignored,
            "exactly_zero": flipped,
            "exactly_zero__2": np.sign(np.sign(sides).sum(axis=0)),
        },
    )


def test_inputs_for(learner, rng):
    h, d, n = 3, 5, 4
    A = np.linalg.qr(rng.normal(size=(d, d)))[0][:h] * rng.uniform(1.5, 3, (h, 1))
    b, wish = rng.uniform(0.5, 1, h), rng.uniform(0, 2, (n, h))
    view = Orthant(None, First(A, b))
    x = view.rows(wish)
    learner.call("inputs_for", A, b, wish).equals(
        x,
        mistakes={
            "added_the_bias": view.rows(wish + 2 * b),
            "forgot_the_bias": view.rows(wish + b),
            "transpose_for_inverse": (wish - b) @ A,
            "forward": np.maximum(x @ A.T + b, 0),
        },
    )


def test_inputs_for__negative(learner, rng):
    A, b = rng.normal(size=(2, 4)), rng.normal(size=2)
    wish = rng.uniform(0.5, 2, (3, 2))
    wish[1, 0] *= -1
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
