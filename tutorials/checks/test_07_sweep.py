"""Checks of exercise 07."""

import numpy as np

import mstheft as mt


def test_floor_queries(learner, rng):
    d, h, K = (int(n) for n in rng.integers([20, 8, 2], [90, 30, 7]))
    whole = h * d + K * h + K
    learner.call("floor_queries", d, h, K).equals(
        whole / K,
        mistakes={
            "counted_the_free_ones": (whole + h) / K,
            "forgot_last_bias": whole / K - 1,
            "not_divided": float(whole),
        },
    )


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
        },
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
        rows, mistakes={"projected": jumps @ change, "unit_jumps": rows * sizes}
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
    y = sides * rng.uniform(0.5, 2, size=h)
    on = signs * y > 0
    jacobian = (jumps.T * (signs * on)) @ rows
    learner.call("orientations", jacobian, x, rows, y - rows @ x, jumps).equals(
        signs,
        mistakes={
            "forgot_factor_2": (signs - sides) / 2,
            "forgot_even_part": signs + sides,
            "value_for_sign": signs + sides - y,
        },
    )
