"""Checks of exercise 03."""

import numpy as np

import mstheft as mt


def network(rng, d=3, h=5, k=2):
    """Random weights of a d-h-k network, no entry near zero, and an input with 3 neurons on.

    Without its bias, one neuron that is on would be off, and one that is off would be on.
    """
    shapes = ((h, d), (h,), (k, h), (k,))
    A0, b0, A1, b1 = (rng.choice([-1, 1], s) * rng.uniform(0.5, 2, s) for s in shapes)
    x = rng.normal(size=d)
    for i, side in enumerate([-1, 1, 1, 1]):
        A0[i] *= side * np.sign(A0[i] @ x)
    z = A0 @ x
    b0 = np.where(np.arange(h) < 3, 1, -1) * rng.uniform(0.5, 2, h) - z  # 0, 1, 2 on; 3, 4 off
    order = rng.permutation(h)
    return A0[order], b0[order], A1[:, order], b1, x, order < 3


def test_neurons_on(learner, rng):
    A0, x = rng.normal(size=(4, 3)), rng.normal(size=(6, 3))
    ordered = np.sort(x @ A0.T, axis=0)  # one of six inputs is on at a seam, or five are
    b0 = -np.where([True, False, True, False], ordered[:2].mean(axis=0), ordered[4:].mean(axis=0))
    z = x @ A0.T + b0
    answer = learner.call("neurons_on", A0, b0, x).equals(
        z > 0,
        mistakes={
            "missing_bias": z - b0 > 0,
            "subtracted_bias": z - 2 * b0 > 0,
            "off_not_on": z < 0,
            "values_not_sides": np.maximum(z, 0),
            "pre_activations": z,
            "transposed": (z > 0).T,
        },
    )
    told = np.asarray(answer.value).dtype.kind == "b"
    answer.holds(told, "True and False, dtype bool", "ones_and_zeros")


def test_neurons_on__bias(learner, rng):
    A0, x = rng.normal(size=(4, 3)), rng.normal(size=(6, 3))
    raw = x @ A0.T
    b0 = np.where(raw[0] > 0, -1, 1) * (np.abs(raw).max() + rng.uniform(0.5, 1))
    learner.call("neurons_on", A0, b0, x).equals(
        np.tile(raw[0] <= 0, (6, 1)),
        mistakes={"missing_bias": raw > 0, "subtracted_bias": raw - b0 > 0},
    )


def test_neurons_on__on_the_seam(learner, rng):
    A0 = rng.choice([-2.0, -1.0, 1.0, 2.0], (4, 3))  # whole numbers: sums are exact
    x = rng.choice([-3.0, -1.0, 2.0, 4.0], (6, 3))
    b0 = -(A0 @ x[rng.integers(6)])
    z = x @ A0.T + b0
    learner.call("neurons_on", A0, b0, x).equals(z > 0, mistakes={"seam_counts_as_on": z >= 0})


def test_patch_map(learner, rng):
    A0, b0, A1, b1, x, on = network(rng)
    victim = mt.nn.zoo.given([(A0, b0), (A1, b1)])
    W = victim.jacobian(x[None])[0]
    c = victim.logits(x[None])[0] - W @ x
    raw = A0 @ x > 0
    everything, rest = A1 @ A0, A1[:, ~on] @ A0[~on]
    learner.call("patch_map", A0, b0, A1, b1, x).equals(
        (W, c),
        mistakes={
            "all_neurons": (everything, A1 @ b0 + b1),
            "forgot_b1": (W, c - b1),
            "only_b1": (W, b1),
            "all_in_the_constant": (W, A1 @ b0 + b1),
            "missing_bias": (A1[:, raw] @ A0[raw], A1[:, raw] @ b0[raw] + b1),
            "transposed": (W.T, c),
            "value_for_constant": (W, W @ x + c),
            "off_neurons": (rest, A1[:, ~on] @ b0[~on] + b1),
        },
    )


def test_rescale(learner, rng):
    # more inputs and outputs than neurons: every neuron's number is also that of a wrong line
    A0, b0, A1, _, _, _ = network(rng, d=7, k=6)
    i, s = int(rng.integers(5)), float(rng.uniform(1.5, 4))

    def scaled(i, s):
        twin = mt.nn.zoo.given([(A0, b0), (A1, np.zeros(6))])
        (A0_, b0_), (A1_, _) = mt.compare.alignment.rescale(twin, 1, i, s).dense()
        return A0_, b0_, A1_

    right, inverse = scaled(i, s), scaled(i, 1 / s)
    column, row = A0.copy(), A1.copy()
    column[:, i], row[i] = s * A0[:, i], A1[i] / s
    learner.call("rescale", A0, b0, A1, i, s).equals(
        right,
        mistakes={
            "missing_bias": (right[0], b0, right[2]),
            "multiplied_output": (right[0], right[1], inverse[2]),
            "forgot_the_output": (right[0], right[1], A1),
            "all_neurons": (A0 * s, b0 * s, A1 / s),
            "turned_round": inverse,
            "row_of_a1": (right[0], right[1], row),
            "column_of_a0": (column, right[1], right[2]),
            "counted_from_one": scaled((i - 1) % 5, s),
        },
    )


def test_rescale__smaller(learner, rng):
    A0, b0, A1, _, _, _ = network(rng)
    s = float(rng.uniform(0.1, 0.7))
    a0, b, a1 = A0.copy(), b0.copy(), A1.copy()
    a0[2], b[2], a1[:, 2] = A0[2] * s, b0[2] * s, A1[:, 2] / s
    learner.call("rescale", A0, b0, A1, 2, s).equals((a0, b, a1))


def test_rescale__negative(learner, rng):
    A0, b0, A1, _, _, _ = network(rng)
    s = -float(rng.uniform(1.5, 4))
    learner.refuses("rescale", A0, b0, A1, 1, s)


def test_rescale__zero(learner, rng):
    A0, b0, A1, _, _, _ = network(rng)
    learner.refuses("rescale", A0, b0, A1, 1, 0.0)


def test_normal_form(learner, rng):
    A0, b0, A1, _, _, _ = network(rng)
    A0[:2, 0] = np.abs(A0[:2, 0]) * [1, -1]
    directions = A0 / np.linalg.norm(A0, axis=1, keepdims=True)
    length = rng.uniform(2, 5, 5)
    largest, sizes = np.abs(directions).max(axis=1), np.abs(directions).sum(axis=1)
    first = np.sign(directions[:, 0])
    one = np.linalg.norm(length)  # of the matrix as a whole
    with_bias = np.sqrt(1 + b0**2)
    A0, b0_unit = directions * length[:, None], b0
    answer = learner.call("normal_form", A0, b0_unit * length, A1 / length)
    answer.equals(
        (directions, b0_unit, A1),
        mistakes={
            "missing_bias": (directions, b0_unit * length, A1),
            "forgot_the_output": (directions, b0_unit, A1 / length),
            "divided_output": (directions, b0_unit, A1 / length**2),
            "squared_length": (directions / length[:, None], b0_unit / length, A1 * length),
            "largest_entry": (directions / largest[:, None], b0_unit / largest, A1 * largest),
            "sum_of_sizes": (directions / sizes[:, None], b0_unit / sizes, A1 * sizes),
            "one_length_for_all": (A0 / one, b0_unit * length / one, A1 / length * one),
            "with_bias": (directions / with_bias[:, None], b0_unit / with_bias, A1 * with_bias),
            "signs_too": (directions * first[:, None], b0_unit * first, A1 * first),
        },
    )


def test_unknowns(learner, rng):
    (d, k), h = (int(n) for n in rng.permutation(np.arange(3, 12))[:2]), int(rng.integers(12, 19))
    learner.call("unknowns", d, h, k).equals(
        h * d + k * h + k,
        mistakes={
            "counted_everything": h * d + h + k * h + k,
            "forgot_b1": h * d + k * h,
            "minus_h_too_often": h * d + k * h + k - h,
            "one_scale_in_all": h * d + h + k * h + k - 1,
            "swapped": h * k + d * h + d,
            "floor_not_count": (h * d + k * h + k) / k,
        },
    )
