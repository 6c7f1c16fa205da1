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


def attack_queries__forgot_the_walk(d, h, K, walk):
    return 6 * d * h + 2


def attack_queries__walk_for_each(d, h, K, walk):
    return h * walk + 6 * d * h + 2


def attack_queries__one_neuron_alone(d, h, K, walk):
    return walk + 6 * d - 3 + 3 * h + 2


def attack_queries__sizes_alone(d, h, K, walk):
    return walk + 3 * d * h + 3 * h + 2


def attack_queries__signs_alone(d, h, K, walk):
    return walk + 3 * (d - 1) * h + 3 * h + 2


def attack_queries__largest_not_left_out(d, h, K, walk):
    return walk + 6 * d * h + 3 * h + 2


def attack_queries__two_queries_a_bend(d, h, K, walk):
    return walk + h * (4 * d - 2) + 3 * h + 2


def attack_queries__one_query_a_bend(d, h, K, walk):
    return walk + h * (2 * d - 1) + 3 * h + 2


def attack_queries__neuron_signs_for_each(d, h, K, walk):
    return walk + h * (6 * d - 3) + 3 * h + h + 1


def attack_queries__neuron_signs_forgotten(d, h, K, walk):
    return walk + h * (6 * d - 3) + h + 1


def attack_queries__start_forgotten(d, h, K, walk):
    return walk + 6 * d * h + 1


def attack_queries__last_layer_forgotten(d, h, K, walk):
    return walk + h * (6 * d - 3) + 2 * h + 1


def attack_queries__last_layer_s_inputs(d, h, K, walk):
    return walk + h * (6 * d - 3) + 2 * h + 1 + d + 1


def attack_queries__numbers_not_queries(d, h, K, walk):
    return walk + h * (6 * d - 3) + 2 * h + 1 + K * (h + 1)


def attack_queries__numbers_not_queries__2(d, h, K, walk):
    return K * (walk + 6 * d * h + 2)


def asked(f, rows, offsets):
    z, moves = all_on_the_seam(rows, offsets)  # noqa: F821
    return z, moves, f(z[None]), f(z + moves), f(z - moves)


def hidden(A0, b0, x):
    return np.maximum(x @ A0.T + b0, 0)


def all_on_the_seam__rows_themselves__2(A, c):
    return (-(c @ A), A.copy())


def all_on_the_seam__forgot_offsets(A, c):
    P = np.linalg.pinv(A)
    return (np.zeros(A.shape[1]), P.T)


def all_on_the_seam__unit_moves(A, c):
    P = np.linalg.pinv(A)
    return (-P @ c, (P / np.linalg.norm(P, axis=0)).T)


def all_on_the_seam__moved_from_z(A, c):
    P = np.linalg.pinv(A)
    return (-P @ c, P.T - P @ c)


def neuron_signs__all_plus(f, A, c):
    return np.ones(len(A))


def neuron_signs__all_plus__2(f, A, c):
    _z, _m, h, p, _q = asked(f, A, c)
    return np.where((p != h).any(axis=1), 1.0, -1.0)


def neuron_signs__first_output_only(f, A, c):
    _z, _m, h, p, q = asked(f, A, c)
    return np.where(np.abs(p - h)[:, 0] > np.abs(q - h)[:, 0], 1.0, -1.0)


def neuron_signs__too_many_queries(f, A, c):
    z, m = all_on_the_seam(A, c)  # noqa: F821
    s = []
    for v in m:
        h = f(z[None])
        s.append(
            1.0 if np.abs(f((z + v)[None]) - h).max() > np.abs(f((z - v)[None]) - h).max() else -1.0
        )
    return np.array(s)


def last_layer__ones_first(A, b, x, a):
    s = np.linalg.lstsq(np.column_stack([np.ones(len(x)), hidden(A, b, x)]), a, rcond=None)[0]
    return (s[:-1].T, s[-1])


def last_layer__projected(A, b, x, a):
    T = np.column_stack([hidden(A, b, x), np.ones(len(x))])
    s = T.T @ a
    return (s[:-1].T, s[-1])


def last_layer__absolute_not_relu(A, b, x, a):
    T = np.column_stack([np.abs(x @ A.T + b), np.ones(len(x))])
    s = np.linalg.lstsq(T, a, rcond=None)[0]
    return (s[:-1].T, s[-1])


def last_layer__on_or_off(A, b, x, a):
    T = np.column_stack([x @ A.T + b > 0, np.ones(len(x))])
    s = np.linalg.lstsq(T.astype(float), a, rcond=None)[0]
    return (s[:-1].T, s[-1])
