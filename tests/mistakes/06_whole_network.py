"""Known mistakes of exercise 06: FUNCTION__KEY, and KEY is the diagnosis that it must get."""

import numpy as np


def all_on_the_seam__sign_of_z(rows, offsets):
    inverse = np.linalg.pinv(rows)
    return inverse @ offsets, inverse.T


def all_on_the_seam__transposed(rows, offsets):
    inverse = np.linalg.pinv(rows)
    return -inverse @ offsets, inverse


def all_on_the_seam__rows_themselves(rows, offsets):
    return -np.linalg.pinv(rows) @ offsets, rows.copy()


def all_on_the_seam__not_on_the_seam(rows, offsets):
    moves = rows / (rows**2).sum(axis=1, keepdims=True)
    return -(offsets @ moves), moves


def all_on_the_seam__moves_others(rows, offsets):
    moves = rows / (rows**2).sum(axis=1, keepdims=True)
    return -np.linalg.pinv(rows) @ offsets, moves


def neuron_signs__which_side_is_on(f, rows, offsets):
    z, moves = all_on_the_seam(rows, offsets)  # noqa: F821
    here, plus, minus = f(z[None]), f(z + moves), f(z - moves)
    moved = np.abs(plus - here).max(axis=1) > np.abs(minus - here).max(axis=1)
    return np.where(moved, -1.0, 1.0)


def neuron_signs__compared_values(f, rows, offsets):
    z, moves = all_on_the_seam(rows, offsets)  # noqa: F821
    return np.where(f(z + moves).sum(axis=1) > f(z - moves).sum(axis=1), 1.0, -1.0)


def neuron_signs__compared_values__2(f, rows, offsets):
    z, moves = all_on_the_seam(rows, offsets)  # noqa: F821
    return np.where(f(z + moves)[:, 0] > f(z - moves)[:, 0], 1.0, -1.0)


def neuron_signs__zero_or_one(f, rows, offsets):
    z, moves = all_on_the_seam(rows, offsets)  # noqa: F821
    return (np.abs(f(z + moves) - f(z[None])).max(axis=1) > 1e-9).astype(float)


def last_layer__transposed(A0, b0, x, answers):
    table = np.column_stack([np.maximum(x @ A0.T + b0, 0), np.ones(len(x))])
    solution = np.linalg.lstsq(table, answers, rcond=None)[0]
    return solution[:-1], solution[-1]


def last_layer__forgot_relu(A0, b0, x, answers):
    table = np.column_stack([x @ A0.T + b0, np.ones(len(x))])
    solution = np.linalg.lstsq(table, answers, rcond=None)[0]
    return solution[:-1].T, solution[-1]


def last_layer__no_column_of_ones(A0, b0, x, answers):
    solution = np.linalg.lstsq(np.maximum(x @ A0.T + b0, 0), answers, rcond=None)[0]
    return solution.T, np.zeros(answers.shape[1])


def last_layer__missing_bias(A0, b0, x, answers):
    table = np.column_stack([np.maximum(x @ A0.T, 0), np.ones(len(x))])
    solution = np.linalg.lstsq(table, answers, rcond=None)[0]
    return solution[:-1].T, solution[-1]


def copy_answers__forgot_relu(A0, b0, A1, b1, x):
    return (x @ A0.T + b0) @ A1.T + b1


def copy_answers__missing_bias(A0, b0, A1, b1, x):
    return np.maximum(x @ A0.T, 0) @ A1.T + b1


def copy_answers__forgot_b1(A0, b0, A1, b1, x):
    return np.maximum(x @ A0.T + b0, 0) @ A1.T


def copy_answers__relu_at_the_end(A0, b0, A1, b1, x):
    return np.maximum(np.maximum(x @ A0.T + b0, 0) @ A1.T + b1, 0)
