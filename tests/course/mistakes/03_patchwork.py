"""Known mistakes of exercise 03: FUNCTION__KEY, and KEY is the diagnosis that it must get."""

import itertools

import numpy as np


def unstable_neurons__missing_bias(A, b, low, high):
    return np.abs(A @ (low + high)) < np.abs(A) @ (high - low)


def unstable_neurons__two_corners(A, b, low, high):
    return (A @ low + b > 0) != (A @ high + b > 0)


def unstable_neurons__two_corners__2(A, b, low, high):
    return (A @ low + b < 0) & (A @ high + b > 0)


def unstable_neurons__subtracted_bias(A, b, low, high):
    return np.abs(A @ (low + high) / 2 - b) < np.abs(A) @ (high - low) / 2


def unstable_neurons__stable_not_unstable(A, b, low, high):
    return np.abs(A @ (low + high) / 2 + b) >= np.abs(A) @ (high - low) / 2


def unstable_neurons__on_somewhere(A, b, low, high):
    return A @ (low + high) / 2 + b + np.abs(A) @ (high - low) / 2 > 0


def unstable_neurons__off_somewhere(A, b, low, high):
    return A @ (low + high) / 2 + b - np.abs(A) @ (high - low) / 2 < 0


def unstable_neurons__on_in_the_middle(A, b, low, high):
    return A @ (low + high) / 2 + b > 0


def unstable_neurons__whole_width(A, b, low, high):
    return np.abs(A @ (low + high) / 2 + b) < np.abs(A) @ (high - low)


def unstable_neurons__only_half_the_reach(A, b, low, high):
    return np.abs(A @ (low + high) / 2 + b) < np.abs(A) @ (high - low) / 4


def unstable_neurons__one_number_for_all(A, b, low, high):
    return np.full(len(b), True)


def unstable_neurons__touched_counts(A, b, low, high):
    return np.abs(A @ (low + high) + 2 * b) <= np.abs(A) @ (high - low)


def unstable_neurons__ones_and_zeros(A, b, low, high):
    return (np.abs(A @ (low + high) + 2 * b) < np.abs(A) @ (high - low)).astype(int)


def patch_map__all_neurons(A0, b0, A1, b1, x):
    return A1 @ A0, A1 @ b0 + b1


def patch_map__forgot_b1(A0, b0, A1, b1, x):
    on = A0 @ x + b0 > 0
    return A1[:, on] @ A0[on], A1[:, on] @ b0[on]


def patch_map__transposed(A0, b0, A1, b1, x):
    on = A0 @ x + b0 > 0
    return (A1[:, on] @ A0[on]).T, A1[:, on] @ b0[on] + b1


def patch_map__value_for_constant(A0, b0, A1, b1, x):
    on = A0 @ x + b0 > 0
    return A1[:, on] @ A0[on], A1 @ np.maximum(A0 @ x + b0, 0) + b1


def scales_between__turned_round(A, b, B, c):
    return np.linalg.norm(A, axis=1) / np.linalg.norm(B, axis=1)


def scales_between__squared_length(A, b, B, c):
    return (B**2).sum(axis=1) / (A**2).sum(axis=1)


def scales_between__one_factor_for_all(A, b, B, c):
    return np.full(len(A), np.linalg.norm(B) / np.linalg.norm(A))


def scales_between__one_factor_for_all__2(A, b, B, c):
    return float(np.linalg.norm(B) / np.linalg.norm(A))


def scales_between__length_not_factor(A, b, B, c):
    return np.linalg.norm(B, axis=1)


def scales_between__wrong_axis(A, b, B, c):
    return np.linalg.norm(B, axis=0) / np.linalg.norm(A, axis=0)


def scales_between__entry_by_entry(A, b, B, c):
    return np.where(A == 0, np.nan, B / A)


def scales_between__logarithm(A, b, B, c):
    return np.log(np.linalg.norm(B, axis=1) / np.linalg.norm(A, axis=1))


def scales_between__direction_unchecked(A, b, B, c):
    return np.linalg.norm(B, axis=1) / np.linalg.norm(A, axis=1)


def scales_between__direction_unchecked__2(A, b, B, c):
    return c / b


def scales_between__bias_unchecked(A, b, B, c):
    s = np.linalg.norm(B, axis=1) / np.linalg.norm(A, axis=1)
    if not np.allclose(B, s[:, None] * A):
        raise ValueError("another direction")
    return s


def scales_between__negative_factor(A, b, B, c):
    s = c / b
    if not np.allclose(B, s[:, None] * A):
        raise ValueError("another direction")
    return s


def normal_form__missing_bias(A0, b0, A1):
    length = np.linalg.norm(A0, axis=1)
    return A0 / length[:, None], b0, A1 * length


def normal_form__forgot_the_output(A0, b0, A1):
    length = np.linalg.norm(A0, axis=1)
    return A0 / length[:, None], b0 / length, A1


def normal_form__squared_length(A0, b0, A1):
    length = (A0**2).sum(axis=1)
    return A0 / length[:, None], b0 / length, A1 * length


def normal_form__divided_output(A0, b0, A1):
    length = np.linalg.norm(A0, axis=1)
    return A0 / length[:, None], b0 / length, A1 / length


def unknowns__counted_everything(w):
    return sum((a + 1) * b for a, b in itertools.pairwise(w))


def unknowns__forgot_the_last_bias(w):
    return sum(a * b for a, b in itertools.pairwise(w))


def unknowns__forgot_the_biases(w):
    return sum(a * b for a, b in itertools.pairwise(w)) - sum(w[1:-1])


def unknowns__minus_h_too_often(w):
    return unknowns__counted_everything(w) - 2 * sum(w[1:-1])


def unknowns__one_scale_in_all(w):
    return unknowns__counted_everything(w) - 1


def unknowns__one_scale_a_layer(w):
    return unknowns__counted_everything(w) - len(w) + 2


def unknowns__first_layer_s_scales(w):
    return unknowns__counted_everything(w) - w[1]


def unknowns__first_layer_s_scales__2(w):
    return unknowns__counted_everything(w) - w[-2]


def unknowns__inputs_have_scales(w):
    return unknowns__counted_everything(w) - sum(w[:-1])


def unknowns__bias_for_the_inputs(w):
    return sum(a * (b + 1) for a, b in itertools.pairwise(w)) - sum(w[1:-1])


def unknowns__one_hidden_layer(w):
    return w[0] * w[1] + w[1] * w[-1] + w[-1]


def unknowns__floor_not_count(w):
    return (unknowns__counted_everything(w) - sum(w[1:-1])) / w[-1]


def patch_map__all_in_the_constant(A0, b0, A1, b1, x):
    on = A0 @ x + b0 > 0
    return (A1 * on @ A0, A1 @ b0 + b1)


def patch_map__missing_bias(A0, b0, A1, b1, x):
    on = A0 @ x > 0
    return (A1 * on @ A0, A1 * on @ b0 + b1)


def patch_map__off_neurons(A0, b0, A1, b1, x):
    on = A0 @ x + b0 < 0
    return (A1 * on @ A0, A1 * on @ b0 + b1)


def patch_map__only_b1(A0, b0, A1, b1, x):
    on = A0 @ x + b0 > 0
    return (A1 * on @ A0, b1)


def normal_form__sum_of_sizes(A0, b0, A1):
    size = np.abs(A0).sum(axis=1)
    return (A0 / size[:, None], b0 / size, A1 * size)


def normal_form__one_length_for_all(A0, b0, A1):
    size = np.linalg.norm(A0)
    return (A0 / size, b0 / size, A1 * size)


def normal_form__largest_entry(A0, b0, A1):
    size = np.abs(A0).max(axis=1)
    return (A0 / size[:, None], b0 / size, A1 * size)


def normal_form__with_bias(A0, b0, A1):
    size = np.sqrt((A0**2).sum(axis=1) + b0**2)
    return (A0 / size[:, None], b0 / size, A1 * size)


def normal_form__signs_too(A0, b0, A1):
    size = np.linalg.norm(A0, axis=1) * np.sign(A0[:, 0])
    return (A0 / size[:, None], b0 / size, A1 * size)
