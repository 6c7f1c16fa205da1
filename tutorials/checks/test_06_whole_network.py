"""Checks of exercise 06."""

import numpy as np

from mstheft.course.learner import Counted


def network(rng, d=6, h=3, k=2):
    """A0, b0, A1, b1 with well separated rows and no small entry."""
    rows = np.linalg.qr(rng.normal(size=(d, h)))[0].T * rng.uniform(1, 2, (h, 1))
    A1 = rng.choice([-1, 1], (k, h)) * rng.uniform(0.5, 2, (k, h))
    b0, b1 = (rng.choice([-1, 1], n) * rng.uniform(0.5, 2, n) for n in (h, k))
    return rows, b0, A1, b1


def answers_of(A0, b0, A1, b1):
    def f(x):
        hidden = np.asarray(x, float) @ A0.T + b0
        return (hidden * (hidden > 0)) @ A1.T + b1

    return f


def right(value, A, c, x):
    """Is z on every seam and as near to x as can be, and does each move change one neuron?"""
    h, d = A.shape
    if not isinstance(value, (tuple, list)) or [np.shape(v) for v in value] != [(d,), (h, d)]:
        return False
    z, moves = (np.asarray(v, float) for v in value)
    on = np.allclose(A @ z + c, 0, atol=1e-8)
    across = np.linalg.svd(A)[2][h:]  # the directions that move no neuron
    return (
        on
        and np.allclose(across @ (z - x), 0, atol=1e-8)
        and np.allclose(A @ moves.T, np.eye(h), atol=1e-8)
    )


def test_all_on_the_seam(learner, rng):
    # orthogonal rows: their pseudo-inverse is known without computing one
    A, c, _, _ = network(rng)
    x = rng.uniform(1, 2, 6) * rng.choice([-1, 1], 6)
    squares = (A**2).sum(axis=1, keepdims=True)
    moves = A / squares
    z = x - (A @ x + c) @ moves
    answer = learner.call("all_on_the_seam", A, c, x)
    if not right(answer.value, A, c, x):
        answer.equals(
            (z, moves),
            mistakes={
                "nearest_to_zero": (-(c @ moves), moves),
                "added_to_x": (x - c @ moves, moves),
                "step_not_place": (z - x, moves),
                "sign_of_z": (2 * x - z, moves),
                "sign_of_z__2": (x - (A @ x - c) @ moves, moves),
                "transposed": (z, moves.T),
                "rows_themselves": (z, A),
                "rows_themselves__2": (x - (A @ x + c) @ A, A),
                "forgot_offsets": (x - (A @ x) @ moves, moves),
                "stayed_at_x": (x, moves),
                "unit_moves": (z, moves * np.sqrt(squares)),
                "moved_from_z": (z, z + moves),
            },
        )


def test_all_on_the_seam__skew(learner, rng):
    rows, c, _, _ = network(rng)
    A = rows + 0.3 * rows[[1, 2, 0]]  # no longer orthogonal
    x = rng.uniform(1, 2, 6) * rng.choice([-1, 1], 6)
    answer = learner.call("all_on_the_seam", A, c, x)
    value = answer.value
    shapes = isinstance(value, (tuple, list)) and [np.shape(v) for v in value] == [(6,), (3, 6)]
    answer.holds(shapes, "a tuple of z, shape (6,), and moves, shape (3, 6)")
    z, moves = (np.asarray(v, float) for v in value)
    answer.holds(np.allclose(A @ z + c, 0, atol=1e-8), "A z + c must be 0", "not_on_the_seam")
    others = np.allclose(A @ moves.T, np.eye(3), atol=1e-8)
    answer.holds(others, "each move changes one neuron, by 1", "moves_others")
    answer.holds(right(value, A, c, x), "no other z is nearer to x", "not_the_nearest")


def noisy(f):
    """The same answers, with a rounding of their own in the last digits."""
    return Counted(lambda x: f(x) + 1e-13 * np.cos(1e6 * np.sum(x, axis=1))[:, None], rows=True)


def test_neuron_signs(learner, rng):
    A0, b0, _, b1 = network(rng, d=7, h=4)
    order = rng.permutation(4)
    signs, up, first = np.array([[1.0, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])[:, order]
    A1 = np.array([first * rng.uniform(0.5, 0.9, 4), up * rng.uniform(1, 2, 4)])
    lengths = rng.uniform(0.5, 2, 4)
    rows, offsets = A0 * (signs * lengths)[:, None], b0 * signs * lengths
    f = noisy(answers_of(A0, b0, A1, b1))
    learner.call("neuron_signs", f, rows, offsets).equals(
        signs,
        mistakes={
            "which_side_is_on": -signs,
            "all_plus": np.ones(4),
            "compared_values": signs * up,
            "compared_values__2": signs * first,
            "zero_or_one": (signs + 1) / 2,
        },
    ).costs(f.count, 9)


def test_neuron_signs__negative_outputs(learner, rng):
    """All outputs fall where a neuron is on: the larger move counts, not the larger value."""
    A0, b0, A1, _ = network(rng)
    signs = rng.permutation([1.0, -1.0, -1.0])
    f = Counted(answers_of(A0, b0, -np.abs(A1), rng.uniform(9, 12, 2)), rows=True)
    learner.call("neuron_signs", f, A0 * signs[:, None], b0 * signs).equals(
        signs, mistakes={"compared_values": -signs}
    )


def test_neuron_signs__silent_output(learner, rng):
    """The first output shows rounding alone, a little more where a neuron is off."""
    A0, b0, A1, b1 = network(rng)
    signs = rng.permutation([1.0, 1.0, -1.0])

    def f(x):
        off = np.maximum(-(np.asarray(x, float) @ A0.T + b0), 0).sum(axis=1, keepdims=True)
        loud = answers_of(A0, b0, A1, b1)(x)
        return np.hstack([b1[0] + 1e-12 * off, loud[:, 1:]])

    asked = Counted(f, rows=True)
    learner.call("neuron_signs", asked, A0 * signs[:, None], b0 * signs).equals(
        signs, mistakes={"first_output_only": -signs}
    )


def test_last_layer(learner, rng):
    A0, b0, A1, b1 = network(rng)
    A1[:, 0], A1[:, 1] = -np.abs(A1[:, 0]), np.abs(A1[:, 1])
    signs = rng.permutation([1.0, -1.0, -1.0])
    rows, offsets = A0 * signs[:, None], b0 * signs
    x = 3 * rng.normal(size=(60, 6))
    answers = answers_of(A0, b0, A1, b1)(x)
    y = x @ rows.T + offsets
    ones = np.ones((60, 1))

    def solved(*tables):
        return np.linalg.pinv(np.hstack(tables)) @ answers

    up, down = np.where(signs > 0, A1, 0), np.where(signs < 0, A1, 0)
    plus, linear = solved(np.maximum(y, 0), ones), solved(y, ones)
    unbiased = y - offsets
    bare = solved(np.maximum(unbiased, 0), np.maximum(-unbiased, 0), ones)
    learner.call("last_layer", rows, offsets, x, answers).equals(
        (signs, A1, b1),
        rtol=1e-6,
        atol=1e-7,
        mistakes={
            "transposed": (signs, A1.T, b1),
            "which_side_is_on": (-signs, A1, b1),
            "which_side_is_on__2": (-signs, np.where(signs > 0, down, up), b1),
            "weights_of_one_side": (signs, up, b1),
            "weights_of_one_side__2": (signs, down, b1),
            "weights_turned": (signs, A1 * signs, b1),
            "weights_turned__2": (signs, up - down, b1),
            "zero_or_one": ((signs + 1) / 2, A1, b1),
            "both_sides": (signs, np.hstack([up, down]), b1),
            "signs_left_out": (A1, b1),
            "one_side_solved": (np.ones(3), plus[:-1].T, plus[-1]),
            "forgot_relu": (np.ones(3), linear[:-1].T, linear[-1]),
            "compared_values": (np.where(up.sum(axis=0) > down.sum(axis=0), 1.0, -1.0), A1, b1),
            "missing_bias": (bias_free(bare)[0], bias_free(bare)[1], bare[-1]),
            "no_column_of_ones": (signs, A1, 0 * b1),
        },
    )


def bias_free(solution):
    plus, minus = solution[:3].T, solution[3:6].T
    signs = np.where(np.abs(plus).max(axis=0) > np.abs(minus).max(axis=0), 1.0, -1.0)
    return signs, np.where(signs > 0, plus, minus)


def test_attack_queries(learner, rng):
    d, h = int(rng.integers(11, 20)), int(rng.integers(21, 30))
    K, walk = int(rng.integers(3, 9)), int(rng.integers(1000, 2000))
    right = walk + 6 * d * h + 2
    each = 6 * d - 3
    learner.call("attack_queries", d, h, K, walk).equals(
        right,
        mistakes={
            "forgot_the_walk": right - walk,
            "walk_for_each": right + (h - 1) * walk,
            "one_neuron_alone": right - (h - 1) * each,
            "sizes_alone": right - h * (3 * d - 3),
            "signs_alone": right - 3 * h * d,
            "largest_not_left_out": right + 3 * h,
            "two_queries_a_bend": right - h * (2 * d - 1),
            "one_query_a_bend": right - 2 * h * (2 * d - 1),
            "neuron_signs_for_each": right - 2 * h - 1 + 3 * h,
            "neuron_signs_forgotten": right - 2 * h - 1,
            "start_forgotten": right - 1,
            "last_layer_forgotten": right - h - 1,
            "last_layer_s_inputs": right - h + d,
            "numbers_not_queries": right + (K - 1) * (h + 1),
            "numbers_not_queries__2": K * right,
            "numbers_not_queries__3": right - h - 1 + -(-(h + 1) // K),
            "numbers_not_queries__4": walk + K * (right - walk),
        },
    )
