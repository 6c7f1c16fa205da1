"""Checks of exercise 17."""

import numpy as np

from mstheft.course.learner import Counted
from mstheft.direct.smooth import lines as smooth_lines


def places_of(rng, h, weak, m=4, K=3, d=8):
    """Jacobians (m, K, d) of h neurons, of which the last is felt `weak` times as much."""
    rows = np.linalg.qr(rng.normal(size=(d, d)))[0][:h]
    rows[-1] *= weak
    mixed = rng.normal(size=(m, K, h))
    mixed[0], mixed[1] = np.eye(h)[[0, 1, 2]], np.eye(h)[[h - 3, h - 2, h - 1]]
    return mixed @ rows, m * K


def test_count_neurons(learner, rng):
    h = int(rng.integers(5, 7))
    jacobians, rows = places_of(rng, h, 1e-4)
    jacobians = 1e-8 * (jacobians + 1e-9 * rng.normal(size=jacobians.shape))
    learner.call("count_neurons", jacobians, 1e-6).equals(
        h,
        mistakes={
            "absolute_threshold": 0,
            "one_place": 3,
            "squared_values": h - 1,
            "added_up": rows,
            "machine_rounding": 8,
            "one_row_for_a_place": 4,
        },
    )


def test_count_neurons__share(learner, rng):
    """A neuron that is felt less than the share is not counted."""
    h = int(rng.integers(5, 7))
    jacobians, _ = places_of(rng, h, 1e-5)
    learner.call("count_neurons", jacobians, 1e-3).equals(
        h - 1, mistakes={"ignored_share": h, "squared_values": h - 2}
    )


def test_hessian(learner, rng):
    Q, q, x = rng.normal(size=(2, 4, 4)), rng.normal(size=(2, 4)), rng.normal(size=4)
    Q, d = Q + Q.transpose(0, 2, 1), 4
    c, constant, cubic = 0.1, 3 + rng.random(2), rng.uniform(1, 2, size=(2, 4))

    def ask(rows):
        square = np.einsum("ni,kij,nj->nk", rows, Q, rows) / 2
        return square + rows**3 @ cubic.T + rows @ q.T + constant

    def bent(at):  # the cubic terms are felt for i = j alone
        return Q + np.eye(d) * (6 * cubic * at)[:, None, :]

    here = ask(x[None])[0]
    single = (ask(x + c * np.eye(d)) - here).T
    sums = single[:, :, None] + single[:, None, :]
    right = bent(x + c)
    counted = Counted(ask, rows=True)
    learner.call("hessian", counted, x, c).equals(
        right,
        atol=1e-7,
        mistakes={
            "divided_by_c": right * c,
            "forgot_the_middle": right - (here / c**2)[:, None, None],
            "no_single_moves": right + sums / c**2,
            "symmetric_half": np.triu(right),
            "diagonal_left_out": right * (1 - np.eye(d)),
            "other_step": bent(x),
            "other_step__2": bent(x - c),
            "outputs_last": right.transpose(1, 2, 0),
            "symmetric_half__2": np.tril(right),
            "diagonal_alone": right * np.eye(d),
            "middle_twice": right + (here / c**2)[:, None, None],
            "middle_twice__2": right - 2 * (here / c**2)[:, None, None],
            "not_divided": right * c**2,
        },
    ).costs(counted.count, 1 + d + d * d)


def columns_alike(found, wanted):
    """Are the columns the same up to order and sign?"""
    if np.shape(found) != wanted.shape or not np.isfinite(found).all():
        return False
    away = np.minimum(
        np.abs(found[:, :, None] - wanted[:, None, :]).max(axis=0),
        np.abs(found[:, :, None] + wanted[:, None, :]).max(axis=0),
    )
    return bool((away.min(axis=0) < 1e-5).all() and (away.min(axis=1) < 1e-5).all())


def unit(columns):
    return columns / np.linalg.norm(columns, axis=0)


def test_own_weights(learner, rng):
    turn, other = (np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(2))
    B = turn * np.array([1.0, 1.4, 0.7, 1.2]) @ other
    ends = np.array([2.0, -1.0, 0.5, 1.0]), rng.choice([-1, 1], 4) * np.array([1.0, 0.8, 1.5, 1.2])
    X, Y = (B.T @ np.diag(each) @ B for each in ends)
    answer = learner.call("own_weights", X, Y)
    found, right, dual = np.asarray(answer.value), unit(B.T), np.linalg.inv(B)
    quotient = dual * (ends[0] / ends[1]) @ B
    wrong = {
        "directions_not_weights": unit(dual),
        "directions_as_columns": np.linalg.inv(unit(right.T)),
        "one_table_alone": np.linalg.eigh(X)[1],
        "one_table_alone__2": np.linalg.eigh(Y)[1],
        "symmetric_solver": np.linalg.eigh(quotient)[1],
        "multiplied": unit(np.linalg.inv(np.real(np.linalg.eig(Y @ X)[1])).T),
        "multiplied__2": unit(np.real(np.linalg.eig(Y @ X)[1])),
        "multiplied__3": unit(np.real(np.linalg.eig(X @ Y)[1])),
        "sum_or_difference": np.linalg.eigh(X + Y)[1],
        "sum_or_difference__2": np.linalg.eigh(X - Y)[1],
        "singular_vectors": np.linalg.svd(quotient)[2].T,
        "singular_vectors__2": np.linalg.svd(quotient)[0],
    }
    answer.holds(found.shape == (4, 4), "the answer has the shape (4, 4)", mistake="shape")
    real = np.isrealobj(found)
    mistake = next(
        (key for key, each in wrong.items() if real and columns_alike(found.T, each)), None
    )
    if real and columns_alike(found, right):
        mistake = "as_columns"
    if real and columns_alike(unit(found), unit(dual)):
        mistake = "directions_not_weights"
    if mistake is None and real and (np.linalg.norm(found, axis=1) > 0).all():
        mistake = "not_unit" if columns_alike(unit(found.T), right) else None
    answer.holds(
        real and columns_alike(found.T, right),
        "each row has length 1 and is a neuron's: at right angles to all w but its own",
        mistake=mistake and mistake.split("__")[0],
    )


def test_curve_misfit(learner, rng):
    t = np.linspace(-3, 3, 30)
    z, s = rng.choice([-1, 1]) * rng.uniform(0.3, 0.6), rng.uniform(1.4, 1.8)
    shape = np.tanh(z + s * t)
    curve = 2 * shape + 5 + 0.3 * rng.normal(size=30)
    size = np.linalg.norm(curve - curve.mean())
    right = float(np.linalg.norm(smooth_lines.unexplained(shape, (curve - curve.mean()) / size)))

    def misfit(column):
        return float(
            np.linalg.norm(smooth_lines.unexplained(column, (curve - curve.mean()) / size))
        )

    centred = curve - curve.mean() - (shape @ (curve - curve.mean())) / (shape @ shape) * shape
    alone = curve - (shape @ curve) / (shape @ shape) * shape
    learner.call("curve_misfit", t, curve, z, s).equals(
        right,
        mistakes={
            "no_constant": np.linalg.norm(alone) / size,
            "no_factor": np.linalg.norm(curve - shape - (curve - shape).mean()) / size,
            "not_relative": right * size,
            "not_relative__2": right * size / np.sqrt(30),
            "mean_for_the_constant": np.linalg.norm(centred) / size,
            "explained_share": 1 - right**2,
            "explained_share__2": 1 - right,
            "no_z": misfit(np.tanh(s * t)),
            "no_s": misfit(np.tanh(z + t)),
            "swapped_z_and_s": misfit(np.tanh(s + z * t)),
            "not_centred": right * size / np.linalg.norm(curve),
            "nothing_fitted": np.linalg.norm(curve - shape) / size,
            "sign_of_z": misfit(np.tanh(s * t - z)),
            "s_times_z": misfit(np.tanh(s * (t + z))),
            "relative_to_the_fit": right / np.sqrt(1 - right**2),
            "line_for_tanh": misfit(t),
        },
    )


def test_curve_misfit__exact(learner, rng):
    t = rng.uniform(-3, 3, 20)
    z, s, a, b = rng.uniform(0.5, 1, 4)
    learner.call("curve_misfit", t, a * np.tanh(z - s * t) + b, z, -s).equals(0.0, atol=1e-9)
