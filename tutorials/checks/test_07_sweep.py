"""Checks of exercise 07."""

import numpy as np

import mstheft as mt
from mstheft.course.learner import Counted


def test_widest(learner, rng):
    d, K = int(rng.integers(41, 60)), int(rng.integers(3, 6))
    h = int(rng.integers(200, 300))
    budget = (h * (d + K) + K + d // 2) // K  # not enough for one neuron more
    numbers = budget * K
    learner.call("widest", budget, d, K).equals(
        h,
        mistakes={
            "counted_the_free_ones": (numbers - K) // (d + K + 1),
            "one_number_an_answer": (budget - K) // (d + K),
            "one_number_an_answer__2": (budget - 1) // (d + K),
            "rounded_up": h + 1,
            "not_whole": (numbers - K) / (d + K),
            "forgot_a_matrix": (numbers - K) // d,
            "forgot_a_matrix__2": (numbers - K) // K,
            "swapped": (budget * d - d) // (d + K),
            "floor_not_width": (budget * (d + K) + K) / K,
            "floor_not_width__2": (budget * (d + K) + K) // K,
        },
    )


def test_widest__last_bias(learner, rng):
    """What b1 takes decides about the last neuron."""
    d, K, h = int(rng.integers(41, 60)), int(rng.integers(3, 6)), int(rng.integers(200, 300))
    budget = (h * (d + K) + K + d + K - 1) // K
    learner.call("widest", budget, d, K).equals(h, mistakes={"forgot_last_bias": h + 1})


def test_widest__just_enough(learner, rng):
    d, K, n = 4, 3, int(rng.integers(3, 30))
    h = 3 * n
    learner.call("widest", 7 * n + 1, d, K).equals(
        h, mistakes={"one_too_few": h - 1, "rounded_up": h + 1}
    )


def test_widest__none(learner):
    learner.call("widest", 1, 9, 2).equals(0)
    learner.call("widest", 0, 3, 4).equals(0, mistakes={"below_zero": -1})


def test_jacobian(learner, rng):
    A, b, x = rng.normal(size=(3, 5)), rng.normal(size=3), rng.normal(size=5)
    oracle = mt.Oracle(mt.nn.zoo.given([(A, b)]))
    c = float(rng.uniform(0.05, 0.2))
    here = (A @ x + b)[:, None]
    learner.call("jacobian", oracle.query, x, c).equals(
        A,
        mistakes={
            "not_divided": A * c,
            "step_one": A / c,
            "forgot_the_middle": A + here / c,
            "neighbours": np.diff(A, axis=1, prepend=0),
        },
    ).costs(oracle.count, 6)


def test_jacobian__curved(learner, rng):
    A, x, c = rng.normal(size=(3, 5)), rng.uniform(0.5, 2, 5), float(rng.uniform(0.05, 0.2))
    ask = Counted(lambda x: np.square(x) @ A.T, rows=True)
    learner.call("jacobian", ask, x, c).equals(
        A * (2 * x + c),
        mistakes={"backward": A * (2 * x - c), "other_step": A * 2 * x},
        rtol=1e-4,
    )


def test_jacobian__relu(learner, rng):
    rows, x = rng.normal(size=(4, 6)), rng.normal(size=6)
    sides = rng.choice([-1.0, 1.0], size=4)
    bias = 2 * sides - rows @ x  # two away from every wall
    last = rng.normal(size=(3, 4))
    oracle = mt.Oracle(mt.nn.zoo.given([(rows, bias), (last, np.zeros(3))]))
    learner.call("jacobian", oracle.query, x, 1e-3).equals((last * (sides > 0)) @ rows, atol=1e-6)


def test_solve_group(learner, rng):
    jumps, rows = rng.normal(size=(3, 5)), rng.normal(size=(3, 7))
    sizes = np.linalg.norm(jumps, axis=1)[:, None]
    change = jumps.T @ rows
    learner.call("solve_group", jumps, change).equals(
        rows,
        mistakes={
            "projected": jumps @ change,
            "projected__2": jumps @ change / sizes**2,
            "unit_jumps": rows * sizes,
        },
    )


def test_solve_group__rounded(learner, rng):
    """Answers are rounded: no rows fit all equations, and those that fit best are asked."""
    across = np.linalg.qr(rng.normal(size=(5, 5)))[0]  # two directions no jump has a part in
    jumps, rows = rng.normal(size=(3, 3)) @ across[:3], rng.normal(size=(3, 7))
    change = jumps.T @ rows + across[3:].T @ rng.normal(size=(2, 7)) / 100
    learner.call("solve_group", jumps, change).equals(
        rows, mistakes={"some_equations": np.linalg.solve(jumps[:, :3].T, change[:3])}
    )


def test_solve_group__as_many_as_outputs(learner, rng):
    turned = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    jumps = turned * rng.uniform(1, 3, size=4)
    rows = rng.normal(size=(4, 6))
    change = jumps.T @ rows
    learner.call("solve_group", jumps, change).equals(
        rows, mistakes={"not_transposed": np.linalg.solve(jumps, change)}
    )


def test_orientations(learner, rng):
    h, d, K = 5, 6, 4
    rows, jumps, x = rng.normal(size=(h, d)), rng.normal(size=(h, K)), rng.normal(size=d)
    signs = rng.choice([-1.0, 1.0], size=h)
    sides = signs * np.array([1, -1, 1, -1, 1])  # so that some are on at x, and some are off
    turn = sides[:4] * np.array([-1, -1, -1, 1])  # offsets decide the sides of three
    rows[:4] *= (turn * np.sign(rows[:4] @ x))[:, None]
    y = sides * rng.uniform(0.5, 2, size=h)
    on = signs * y > 0
    jacobian = (jumps.T * (signs * on)) @ rows
    learner.call("orientations", jacobian, x, rows, y - rows @ x, jumps).equals(
        signs,
        mistakes={
            "forgot_factor_2": (signs - sides) / 2,
            "forgot_even_part": signs + sides,
            "value_for_sign": signs + sides - y,
            "forgot_offsets": signs + sides - np.sign(rows @ x),
            "added_the_even_part": signs + 2 * sides,
            "side_of_x": sides,
        },
    )


def test_orientations__rounded(learner, rng):
    """The Jacobian is rounded: the numbers are off -1 and 1, and fit the equations best."""
    h, d, K = 5, 6, 4
    rows, jumps, x = rng.normal(size=(h, d)), rng.normal(size=(h, K)), rng.normal(size=d)
    nearly = rng.choice([-1, 1], size=h) * rng.uniform(0.8, 1.2, size=h)
    y = rng.choice([-1, 1], size=h) * rng.uniform(0.5, 2, size=h)
    tables = (jumps[:, :, None] * rows[:, None, :]).reshape(h, -1)
    noise = rng.normal(size=(3, K * d)) / 20
    across = np.linalg.qr(np.vstack([tables, noise]).T)[0][:, h:]
    rest = (across @ rng.normal(size=3) / 20).reshape(K, d)
    jacobian = ((jumps.T * (nearly + np.sign(y))) @ rows + rest) / 2
    learner.call("orientations", jacobian, x, rows, y - rows @ x, jumps).equals(
        nearly, mistakes={"rounded": np.sign(nearly)}
    )
