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


def right(value, A, c):
    """Is z on every seam, and does each move change one neuron? There are many such inputs z."""
    h, d = A.shape
    if not isinstance(value, (tuple, list)) or [np.shape(v) for v in value] != [(d,), (h, d)]:
        return False
    z, moves = (np.asarray(v, float) for v in value)
    on = np.allclose(A @ z + c, 0, atol=1e-8)
    return on and np.allclose(A @ moves.T, np.eye(h), atol=1e-8)


def test_all_on_the_seam(learner, rng):
    # orthogonal rows: their pseudo-inverse is known without computing one
    A, c, _, _ = network(rng)
    squares = (A**2).sum(axis=1, keepdims=True)
    moves = A / squares
    z = -(c @ moves)
    answer = learner.call("all_on_the_seam", A, c)
    if not right(answer.value, A, c):
        answer.equals(
            (z, moves),
            mistakes={
                "sign_of_z": (-z, moves),
                "transposed": (z, moves.T),
                "rows_themselves": (z, A),
                "rows_themselves__2": (-(c @ A), A),
                "forgot_offsets": (0 * z, moves),
                "unit_moves": (z, moves * np.sqrt(squares)),
                "moved_from_z": (z, z + moves),
            },
        )


def test_all_on_the_seam__skew(learner, rng):
    rows, c, _, _ = network(rng)
    A = rows + 0.3 * rows[[1, 2, 0]]  # no longer orthogonal
    answer = learner.call("all_on_the_seam", A, c)
    value = answer.value
    shapes = isinstance(value, (tuple, list)) and [np.shape(v) for v in value] == [(6,), (3, 6)]
    answer.holds(shapes, "a tuple of z, shape (6,), and moves, shape (3, 6)")
    z, _moves = (np.asarray(v, float) for v in value)
    answer.holds(np.allclose(A @ z + c, 0, atol=1e-8), "A z + c must be 0", "not_on_the_seam")
    answer.holds(right(value, A, c), "each move changes one neuron, by 1", "moves_others")


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
    x = 3 * rng.normal(size=(60, 6))
    x = x[np.argsort(x @ A0[0])]  # the first inputs say nothing about the first neuron
    answers = answers_of(A0, b0, A1, b1)(x)
    hidden = x @ A0.T + b0
    on = hidden * (hidden > 0)

    def solved(table):
        return np.linalg.pinv(table) @ answers

    ones = np.ones((60, 1))
    linear, zero = solved(np.hstack([hidden, ones])), solved(on)
    sizes, switches = (solved(np.hstack([t, ones])) for t in (np.abs(hidden), hidden > 0))
    all_in_one = np.column_stack([b1, A1])
    projected = np.hstack([on, ones]).T @ answers
    unbiased = solved(np.hstack([np.maximum(hidden - b0, 0), ones]))
    learner.call("last_layer", A0, b0, x, answers).equals(
        (A1, b1),
        rtol=1e-6,
        atol=1e-7,
        mistakes={
            "transposed": (A1.T, b1),
            "forgot_relu": (linear[:-1].T, linear[-1]),
            "missing_bias": (unbiased[:-1].T, unbiased[-1]),
            "no_column_of_ones": (zero.T, np.zeros(2)),
            "no_column_of_ones__2": (zero[:-1].T, zero[-1]),
            "ones_first": (all_in_one[:, :-1], all_in_one[:, -1]),
            "absolute_not_relu": (sizes[:-1].T, sizes[-1]),
            "on_or_off": (switches[:-1].T, switches[-1]),
            "projected": (projected[:-1].T, projected[-1]),
        },
    )


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
