"""Checks of exercise 03."""

import numpy as np

import mstheft as mt


def network(rng, d=3, h=5, k=2):
    """Random weights of a d-h-k network, no entry near zero, and an input with 3 neurons on."""
    shapes = ((h, d), (h,), (k, h), (k,))
    A0, b0, A1, b1 = (rng.choice([-1, 1], s) * rng.uniform(0.5, 2, s) for s in shapes)
    x = rng.normal(size=d)
    z = A0 @ x
    b0 = np.where(np.arange(h) < 3, 1, -1) * rng.uniform(0.5, 2, h) - z  # 0, 1, 2 on; 3, 4 off
    order = rng.permutation(h)
    return A0[order], b0[order], A1[:, order], b1, x, order < 3


def test_neurons_on(learner, rng):
    A0, x = rng.normal(size=(4, 3)), rng.normal(size=(6, 3))
    b0 = -np.median(x @ A0.T, axis=0) - rng.uniform(0.01, 0.02, 4)
    z = x @ A0.T + b0
    learner.call("neurons_on", A0, b0, x).equals(
        z > 0,
        mistakes={
            "missing_bias": z - b0 > 0,
            "off_not_on": z < 0,
            "values_not_sides": np.maximum(z, 0),
            "pre_activations": z,
            "transposed": (z > 0).T,
        },
    )


def test_neurons_on__bias(learner, rng):
    A0, x = rng.normal(size=(4, 3)), rng.normal(size=(6, 3))
    raw = x @ A0.T
    b0 = np.where(raw[0] > 0, -1, 1) * (np.abs(raw).max() + rng.uniform(0.5, 1))
    learner.call("neurons_on", A0, b0, x).equals(
        np.tile(raw[0] <= 0, (6, 1)),
        mistakes={"missing_bias": raw > 0, "subtracted_bias": raw - b0 > 0},
    )


def test_patch_map(learner, rng):
    A0, b0, A1, b1, x, on = network(rng)
    victim = mt.nn.zoo.given([(A0, b0), (A1, b1)])
    W = victim.jacobian(x[None])[0]
    c = victim.logits(x[None])[0] - W @ x
    everything, rest = A1 @ A0, A1[:, ~on] @ A0[~on]
    learner.call("patch_map", A0, b0, A1, b1, x).equals(
        (W, c),
        mistakes={
            "all_neurons": (everything, A1 @ b0 + b1),
            "forgot_b1": (W, c - b1),
            "only_b1": (W, b1),
            "transposed": (W.T, c),
            "value_for_constant": (W, W @ x + c),
            "off_neurons": (rest, A1[:, ~on] @ b0[~on] + b1),
        },
    )


def test_rescale(learner, rng):
    A0, b0, A1, _, _, _ = network(rng)
    i, s = int(rng.integers(5)), float(rng.uniform(1.5, 4))
    twin = mt.nn.symmetry.rescale(mt.nn.zoo.given([(A0, b0), (A1, np.zeros(2))]), 1, i, s)
    (A0_, b0_), (A1_, _) = twin.dense()
    multiplied = A1.copy()
    multiplied[:, i] *= s
    learner.call("rescale", A0, b0, A1, i, s).equals(
        (A0_, b0_, A1_),
        mistakes={
            "missing_bias": (A0_, b0, A1_),
            "multiplied_output": (A0_, b0_, multiplied),
            "forgot_the_output": (A0_, b0_, A1),
            "all_neurons": (A0 * s, b0 * s, A1 / s),
        },
    )


def test_rescale__negative(learner, rng):
    A0, b0, A1, _, _, _ = network(rng)
    s = -float(rng.uniform(1.5, 4))
    learner.refuses("rescale", A0, b0, A1, 1, s)


def test_normal_form(learner, rng):
    A0, b0, A1, _, _, _ = network(rng)
    directions = A0 / np.linalg.norm(A0, axis=1, keepdims=True)
    length = rng.uniform(2, 5, 5)
    largest = np.abs(directions).max(axis=1)
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
        },
    )


def test_unknowns(learner, rng):
    d, h, k = (int(n) for n in rng.permutation(np.arange(3, 12))[:3])
    learner.call("unknowns", d, h, k).equals(
        h * d + k * h + k,
        mistakes={
            "counted_everything": h * d + h + k * h + k,
            "forgot_b1": h * d + k * h,
            "minus_h_too_often": h * d + k * h + k - h,
            "floor_not_count": (h * d + k * h + k) / k,
        },
    )
