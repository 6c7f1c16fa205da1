"""Checks of exercise 17."""

import numpy as np

from mstheft.direct import smooth_lines


def test_count_neurons(learner, rng):
    rows = np.linalg.qr(rng.normal(size=(8, 8)))[0][:5]
    rows[4] *= 1e-4  # a neuron that is hardly felt
    mixed = np.stack([np.eye(5)[[0, 1, 2]], np.eye(5)[[2, 3, 4]], rng.normal(size=(3, 5)) / 5])
    jacobians = 1e3 * mixed @ rows + 1e-5 * rng.normal(size=(3, 3, 8))
    learner.call("count_neurons", jacobians, 1e-6).equals(
        5, mistakes={"absolute_threshold": 8, "one_place": 3, "squared_values": 4}
    )


def test_hessian(learner, rng):
    Q, q, x = rng.normal(size=(2, 4, 4)), rng.normal(size=(2, 4)), rng.normal(size=4)
    Q = Q + Q.transpose(0, 2, 1)
    c, constant = 0.1, 3 + rng.random(2)

    def ask(rows):
        return np.einsum("ni,kij,nj->nk", rows, Q, rows) / 2 + rows @ q.T + constant

    slope, own, here = Q @ x + q, np.einsum("kii->ki", Q), ask(x[None])[0]
    single = c * slope + c**2 / 2 * own
    sums = single[:, :, None] + single[:, None, :]
    learner.call("hessian", ask, x, c).equals(
        Q,
        atol=1e-7,
        mistakes={
            "divided_by_c": Q * c,
            "forgot_the_middle": Q - (here / c**2)[:, None, None],
            "no_single_moves": Q + sums / c**2,
            "symmetric_half": np.triu(Q),
        },
    )


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


def test_dual_directions(learner, rng):
    turn, other = (np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(2))
    B = turn * np.array([1.0, 1.4, 0.7, 1.2]) @ other
    ends = np.array([2.0, -1.0, 0.5, 1.0]), rng.choice([-1, 1], 4) * np.array([1.0, 0.8, 1.5, 1.2])
    X, Y = (B.T @ np.diag(each) @ B for each in ends)
    answer = learner.call("dual_directions", X, Y)
    found, right = np.asarray(answer.value), np.linalg.inv(B)
    wrong = {
        "one_table_alone": np.linalg.eigh(X)[1],
        "one_table_alone__2": np.linalg.eigh(Y)[1],
        "rows_of_b": unit(B.T),
    }
    answer.holds(found.shape == (4, 4), "the answer has the shape (4, 4)", mistake="shape")
    mistake = next((key for key, each in wrong.items() if columns_alike(found, each)), None)
    if mistake is None and np.isrealobj(found) and columns_alike(found.T, unit(right)):
        mistake = "as_rows"
    if mistake is None and (np.linalg.norm(found, axis=0) > 0).all():
        mistake = "not_unit" if columns_alike(unit(found), unit(right)) else "multiplied"
    answer.holds(
        columns_alike(found, unit(right)),
        "each column w has length 1, and X w is a multiple of Y w",
        mistake=mistake and mistake.split("__")[0],
    )


def test_curve_misfit(learner, rng):
    t = np.linspace(-3, 3, 30)
    z, s = rng.uniform(-0.5, 0.5), rng.uniform(0.7, 1.3)
    shape = np.tanh(z + s * t)
    curve = 2 * shape + 5 + 0.3 * rng.normal(size=30)
    size = np.linalg.norm(curve - curve.mean())
    right = float(np.linalg.norm(smooth_lines.unexplained(shape, (curve - curve.mean()) / size)))
    alone = curve - (shape @ curve) / (shape @ shape) * shape
    learner.call("curve_misfit", t, curve, z, s).equals(
        right,
        mistakes={
            "no_constant": np.linalg.norm(alone) / size,
            "no_factor": np.linalg.norm(curve - shape - (curve - shape).mean()) / size,
            "not_relative": right * size,
            "not_centred": right * size / np.linalg.norm(curve),
        },
    )


def test_curve_misfit__exact(learner, rng):
    t = rng.uniform(-3, 3, 20)
    z, s, a, b = rng.uniform(0.5, 1, 4)
    learner.call("curve_misfit", t, a * np.tanh(z - s * t) + b, z, -s).equals(0.0, atol=1e-9)
