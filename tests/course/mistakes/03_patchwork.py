"""Known mistakes of exercise 03: FUNCTION__KEY, and KEY is the diagnosis that it must get."""

import numpy as np


def neurons_on__missing_bias(A0, b0, x):
    return x @ A0.T > 0


def neurons_on__off_not_on(A0, b0, x):
    return x @ A0.T + b0 < 0


def neurons_on__values_not_sides(A0, b0, x):
    return np.maximum(x @ A0.T + b0, 0)


def neurons_on__transposed(A0, b0, x):
    return A0 @ x.T + b0[:, None] > 0


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


def rescale__missing_bias(A0, b0, A1, i, s):
    if s <= 0:
        raise ValueError("expected s > 0")
    A0, A1 = A0.copy(), A1.copy()
    A0[i] *= s
    A1[:, i] /= s
    return A0, b0, A1


def rescale__multiplied_output(A0, b0, A1, i, s):
    if s <= 0:
        raise ValueError("expected s > 0")
    A0, b0, A1 = A0.copy(), b0.copy(), A1.copy()
    A0[i] *= s
    b0[i] *= s
    A1[:, i] *= s
    return A0, b0, A1


def rescale__all_neurons(A0, b0, A1, i, s):
    if s <= 0:
        raise ValueError("expected s > 0")
    return A0 * s, b0 * s, A1 / s


def rescale__mutated(A0, b0, A1, i, s):
    if s <= 0:
        raise ValueError("expected s > 0")
    A0[i] *= s
    b0[i] *= s
    A1[:, i] /= s
    return A0, b0, A1


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


def unknowns__counted_everything(d, h, K):
    return h * d + h + K * h + K


def unknowns__forgot_b1(d, h, K):
    return h * d + K * h


def unknowns__floor_not_count(d, h, K):
    return (h * d + K * h + K) / K


def neurons_on__seam_counts_as_on(A, b, x):
    return x @ A.T + b >= 0


def neurons_on__ones_and_zeros(A, b, x):
    return (x @ A.T + b > 0).astype(int)


def neurons_on__subtracted_bias(A, b, x):
    return x @ A.T - b > 0


def neurons_on__pre_activations(A, b, x):
    return x @ A.T + b


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


def rescale__no_refusal(A0, b0, A1, i, s):
    if s < 0:
        raise ValueError("expected s > 0")
    A0, b0, A1 = (A0.copy(), b0.copy(), A1.copy())
    A0[i] *= s
    b0[i] *= s
    A1[:, i] /= s
    return (A0, b0, A1)


def rescale__no_refusal__2(A0, b0, A1, i, s):
    A0, b0, A1 = (A0.copy(), b0.copy(), A1.copy())
    A0[i] *= s
    b0[i] *= s
    A1[:, i] /= s
    return (A0, b0, A1)


def rescale__row_of_a1(A0, b0, A1, i, s):
    assert s > 0
    A0, b0, A1 = (A0.copy(), b0.copy(), A1.copy())
    A0[i] *= s
    b0[i] *= s
    A1[i] /= s
    return (A0, b0, A1)


def rescale__column_of_a0(A0, b0, A1, i, s):
    assert s > 0
    A0, b0, A1 = (A0.copy(), b0.copy(), A1.copy())
    A0[:, i] *= s
    b0[i] *= s
    A1[:, i] /= s
    return (A0, b0, A1)


def rescale__counted_from_one(A0, b0, A1, i, s):
    assert s > 0
    A0, b0, A1 = (A0.copy(), b0.copy(), A1.copy())
    i = i - 1
    A0[i] *= s
    b0[i] *= s
    A1[:, i] /= s
    return (A0, b0, A1)


def rescale__forgot_the_output(A0, b0, A1, i, s):
    assert s > 0
    A0, b0, A1 = (A0.copy(), b0.copy(), A1.copy())
    A0[i] *= s
    b0[i] *= s
    return (A0, b0, A1)


def rescale__turned_round(A0, b0, A1, i, s):
    assert s > 0
    A0, b0, A1 = (A0.copy(), b0.copy(), A1.copy())
    A0[i] /= s
    b0[i] /= s
    A1[:, i] *= s
    return (A0, b0, A1)


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


def unknowns__one_scale_in_all(d, h, K):
    return h * d + h + K * h + K - 1


def unknowns__swapped(d, h, K):
    return h * K + d * h + d


def unknowns__minus_h_too_often(d, h, K):
    return h * d + K * h + K - h
