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


def box_of(rng):
    """Neurons whose z goes over known ranges in a box, and the box. Weights of both signs."""
    low = rng.uniform(0.5, 2, 4)
    high = low + rng.uniform(1, 2, 4)
    A0 = rng.uniform(1, 2, (40, 4)) * rng.choice([-1, 1], (40, 4))
    reach = np.abs(A0) @ (high - low)
    inside, outside = rng.uniform(0.05, 0.95, 24), rng.uniform(0.05, 0.9, 16)
    share = np.concatenate([inside, -outside[:8], 1 + outside[8:]])  # unstable, on, off
    share = rng.permutation(share)
    smallest = np.minimum(A0 * low, A0 * high).sum(axis=1)
    return A0, -smallest - share * reach, low, high, share


def test_unstable_neurons(learner, rng):
    A0, b0, low, high, share = box_of(rng)
    right = (share > 0) & (share < 1)
    ends = [A0 @ x + b0 for x in (low, high)]
    middle = A0 @ (low + high) / 2
    reach = np.abs(A0) @ (high - low)
    answer = learner.call("unstable_neurons", A0, b0, low, high).equals(
        right,
        mistakes={
            "two_corners": (ends[0] > 0) != (ends[1] > 0),
            "missing_bias": np.abs(middle) < reach / 2,
            "subtracted_bias": np.abs(middle - b0) < reach / 2,
            "stable_not_unstable": ~right,
            "on_somewhere": share < 1,
            "off_somewhere": share > 0,
            "on_in_the_middle": share < 0.5,
            "whole_width": np.abs(middle + b0) < reach,
            "only_half_the_reach": np.abs(middle + b0) < reach / 4,
            "two_corners__2": (ends[0] < 0) & (ends[1] > 0),
            "one_number_for_all": np.full(40, True),
        },
    )
    told = np.asarray(answer.value).dtype.kind == "b"
    answer.holds(told, "True and False, dtype bool", "ones_and_zeros")


def test_unstable_neurons__bias(learner, rng):
    """Without its bias every neuron would be of the other kind."""
    A0, b0, low, high, _ = box_of(rng)
    reach = np.abs(A0) @ (high - low)
    inside = np.arange(40) % 2 == 0
    high = (high - low) / 2
    low = -high
    b0 = np.where(inside, 0.2, 0.6) * reach * rng.choice([-1, 1], 40)
    learner.call("unstable_neurons", A0, b0, low, high).equals(
        inside,
        mistakes={"missing_bias": np.full(40, True)},
    )


def test_unstable_neurons__touched(learner):
    """A seam that only touches a corner of the box cuts nothing off."""
    A0, b0 = np.array([[1.0, 1.0], [1.0, -1.0], [-2.0, 1.0]]), np.array([0.0, -2.0, 1.0])
    learner.call("unstable_neurons", A0, b0, np.zeros(2), 2 * np.ones(2)).equals(
        np.array([False, False, True]), mistakes={"touched_counts": np.array([True, True, True])}
    )


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


def layers_of(rng):
    """A hidden layer with a zero here and there, and factors above and below 1."""
    A0, b0, *_ = network(rng)
    A0[[0, 1, 2], [0, 1, 2]] = 0
    return A0, b0, rng.permutation([0.3, 0.7, 1.5, 2.5, 4.0]) * rng.uniform(0.9, 1.1, 5)


def test_scales_between(learner, rng):
    A0, b0, s = layers_of(rng)
    B0 = s[:, None] * A0
    answer = learner.call("scales_between", A0, b0, B0, s * b0)
    answer.equals(
        s,
        mistakes={
            "turned_round": 1 / s,
            "squared_length": s**2,
            "logarithm": np.log(s),
            "one_factor_for_all": np.full(5, np.linalg.norm(B0) / np.linalg.norm(A0)),
            "one_factor_for_all__2": float(np.linalg.norm(B0) / np.linalg.norm(A0)),
            "length_not_factor": np.linalg.norm(B0, axis=1),
            "wrong_axis": np.linalg.norm(B0, axis=0) / np.linalg.norm(A0, axis=0),
            "entry_by_entry": np.where(A0 == 0, np.nan, s[:, None]),
        },
    )


def test_scales_between__other_direction(learner, rng):
    A0, b0, s = layers_of(rng)
    B0 = s[:, None] * A0
    turned = np.roll(A0[3], 1) * np.linalg.norm(A0[3]) / np.linalg.norm(np.roll(A0[3], 1))
    B0[3] = s[3] * turned
    learner.refuses(
        "scales_between", A0, b0, B0, s * b0,
        mistakes={"direction_unchecked": s},
    )  # fmt: skip


def test_scales_between__other_bias(learner, rng):
    A0, b0, s = layers_of(rng)
    moved = s * b0 * np.array([1, 1, 1, 1, 1.5])
    learner.refuses(
        "scales_between", A0, b0, s[:, None] * A0, moved, mistakes={"bias_unchecked": s}
    )


def test_scales_between__turned_sign(learner, rng):
    A0, b0, s = layers_of(rng)
    turned = s * [1, 1, 1, -1, 1]
    learner.refuses(
        "scales_between", A0, b0, turned[:, None] * A0, turned * b0,
        mistakes={"negative_factor": turned, "negative_factor__2": s},
    )  # fmt: skip


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
    d, a, b, c, k = (int(n) for n in rng.permutation(np.arange(5, 20))[:5])
    matrices = d * a + a * b + b * c + c * k
    hidden = a + b + c
    learner.call("unknowns", [d, a, b, c, k]).equals(
        matrices + k,
        mistakes={
            "counted_everything": matrices + hidden + k,
            "forgot_the_last_bias": matrices,
            "forgot_the_biases": matrices - hidden,
            "minus_h_too_often": matrices + k - hidden,
            "one_scale_in_all": matrices + hidden + k - 1,
            "one_scale_a_layer": matrices + hidden + k - 3,
            "first_layer_s_scales": matrices + hidden + k - a,
            "first_layer_s_scales__2": matrices + hidden + k - c,
            "inputs_have_scales": matrices + k - d,
            "outputs_have_scales": matrices,
            "bias_for_the_inputs": matrices + d,
            "one_hidden_layer": d * a + a * k + k,
            "floor_not_count": (matrices + k) / k,
        },
    )


def test_unknowns__no_hidden_layer(learner, rng):
    d, k = (int(n) for n in rng.permutation(np.arange(3, 12))[:2])
    learner.call("unknowns", [d, k]).equals(
        d * k + k, mistakes={"a_hidden_layer_must_be": d * k, "a_hidden_layer_must_be__2": k}
    )
