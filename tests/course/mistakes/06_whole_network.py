"""Known mistakes of exercise 06: FUNCTION__KEY, and KEY is the diagnosis that it must get."""

import numpy as np


def all_on_the_seam__nearest_to_zero(A, c, x):
    return (-np.linalg.pinv(A) @ c, np.linalg.pinv(A).T)


def all_on_the_seam__added_to_x(A, c, x):
    return (x - np.linalg.pinv(A) @ c, np.linalg.pinv(A).T)


def all_on_the_seam__step_not_place(A, c, x):
    return (-np.linalg.pinv(A) @ (A @ x + c), np.linalg.pinv(A).T)


def all_on_the_seam__sign_of_z(A, c, x):
    return (x + np.linalg.pinv(A) @ (A @ x + c), np.linalg.pinv(A).T)


def all_on_the_seam__sign_of_z__2(A, c, x):
    return (x - np.linalg.pinv(A) @ (A @ x - c), np.linalg.pinv(A).T)


def all_on_the_seam__transposed(A, c, x):
    return (x - np.linalg.pinv(A) @ (A @ x + c), np.linalg.pinv(A))


def all_on_the_seam__rows_themselves(A, c, x):
    return (x - np.linalg.pinv(A) @ (A @ x + c), A.copy())


def all_on_the_seam__rows_themselves__2(A, c, x):
    return (x - (A @ x + c) @ A, A.copy())


def all_on_the_seam__forgot_offsets(A, c, x):
    return (x - np.linalg.pinv(A) @ (A @ x), np.linalg.pinv(A).T)


def all_on_the_seam__stayed_at_x(A, c, x):
    return (x.copy(), np.linalg.pinv(A).T)


def all_on_the_seam__not_on_the_seam(A, c, x):
    moves = A / (A**2).sum(axis=1, keepdims=True)
    return x - (A @ x + c) @ moves, moves


def all_on_the_seam__moves_others(A, c, x):
    moves = A / (A**2).sum(axis=1, keepdims=True)
    return x - np.linalg.pinv(A) @ (A @ x + c), moves


def all_on_the_seam__unit_moves(A, c, x):
    P = np.linalg.pinv(A)
    return x - P @ (A @ x + c), (P / np.linalg.norm(P, axis=0)).T


def all_on_the_seam__moved_from_z(A, c, x):
    P = np.linalg.pinv(A)
    z = x - P @ (A @ x + c)
    return z, P.T + z


def all_on_the_seam__not_the_nearest(A, c, x):
    P = np.linalg.pinv(A)
    bend = A if np.allclose(A @ A.T, np.diag(np.diag(A @ A.T))) else A * [1, 2, 1, 1, 1, 1]
    z = x - bend.T @ np.linalg.solve(A @ bend.T, A @ x + c)
    return z, P.T


def neuron_signs__which_side_is_on(f, rows, offsets):
    z, moves = all_on_the_seam(rows, offsets, 0 * rows[0])  # noqa: F821
    here, plus, minus = f(z[None]), f(z + moves), f(z - moves)
    moved = np.abs(plus - here).max(axis=1) > np.abs(minus - here).max(axis=1)
    return np.where(moved, -1.0, 1.0)


def neuron_signs__compared_values(f, rows, offsets):
    z, moves = all_on_the_seam(rows, offsets, 0 * rows[0])  # noqa: F821
    return np.where(f(z + moves).sum(axis=1) > f(z - moves).sum(axis=1), 1.0, -1.0)


def neuron_signs__compared_values__2(f, rows, offsets):
    z, moves = all_on_the_seam(rows, offsets, 0 * rows[0])  # noqa: F821
    return np.where(f(z + moves)[:, 0] > f(z - moves)[:, 0], 1.0, -1.0)


def neuron_signs__zero_or_one(f, rows, offsets):
    z, moves = all_on_the_seam(rows, offsets, 0 * rows[0])  # noqa: F821
    return (np.abs(f(z + moves) - f(z[None])).max(axis=1) > 1e-9).astype(float)


def both(rows, offsets, x, answers):
    """Weights of both sides, signs, weights and biases."""
    y = x @ rows.T + offsets
    table = np.column_stack([np.maximum(y, 0), np.maximum(-y, 0), np.ones(len(x))])
    s, h = np.linalg.lstsq(table, answers, rcond=None)[0], len(rows)
    up, down = s[:h].T, s[h : 2 * h].T
    signs = np.where(np.abs(up).max(axis=0) > np.abs(down).max(axis=0), 1.0, -1.0)
    return up, down, signs, np.where(signs > 0, up, down), s[-1]


def last_layer__transposed(rows, offsets, x, answers):
    _, _, s, A1, b1 = both(rows, offsets, x, answers)
    return s, A1.T, b1


def last_layer__which_side_is_on(rows, offsets, x, answers):
    _, _, s, A1, b1 = both(rows, offsets, x, answers)
    return -s, A1, b1


def last_layer__weights_of_one_side(rows, offsets, x, answers):
    up, _, s, _, b1 = both(rows, offsets, x, answers)
    return s, up, b1


def last_layer__weights_turned(rows, offsets, x, answers):
    up, down, s, _, b1 = both(rows, offsets, x, answers)
    return s, up - down, b1


def last_layer__zero_or_one(rows, offsets, x, answers):
    _, _, s, A1, b1 = both(rows, offsets, x, answers)
    return (s > 0).astype(float), A1, b1


def last_layer__both_sides(rows, offsets, x, answers):
    up, down, s, _, b1 = both(rows, offsets, x, answers)
    return s, np.hstack([up, down]), b1


def last_layer__signs_left_out(rows, offsets, x, answers):
    return both(rows, offsets, x, answers)[3:]


def last_layer__one_side_solved(rows, offsets, x, answers):
    table = np.column_stack([np.maximum(x @ rows.T + offsets, 0), np.ones(len(x))])
    s = np.linalg.lstsq(table, answers, rcond=None)[0]
    return np.ones(len(rows)), s[:-1].T, s[-1]


def last_layer__forgot_relu(rows, offsets, x, answers):
    table = np.column_stack([x @ rows.T + offsets, np.ones(len(x))])
    s = np.linalg.lstsq(table, answers, rcond=None)[0]
    return np.ones(len(rows)), s[:-1].T, s[-1]


def last_layer__compared_values(rows, offsets, x, answers):
    up, down, _, A1, b1 = both(rows, offsets, x, answers)
    return np.where(up.sum(axis=0) > down.sum(axis=0), 1.0, -1.0), A1, b1


def last_layer__missing_bias(rows, offsets, x, answers):
    return both(rows, 0 * offsets, x, answers)[2:]


def last_layer__no_column_of_ones(rows, offsets, x, answers):
    _, _, s, A1, b1 = both(rows, offsets, x, answers)
    return s, A1, 0 * b1


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
    z, moves = all_on_the_seam(rows, offsets, 0 * rows[0])  # noqa: F821
    return z, moves, f(z[None]), f(z + moves), f(z - moves)


def hidden(A0, b0, x):
    return np.maximum(x @ A0.T + b0, 0)


def neuron_signs__all_plus(f, A, c):
    return np.ones(len(A))


def neuron_signs__all_plus__2(f, A, c):
    _z, _m, h, p, _q = asked(f, A, c)
    return np.where((p != h).any(axis=1), 1.0, -1.0)


def neuron_signs__first_output_only(f, A, c):
    _z, _m, h, p, q = asked(f, A, c)
    return np.where(np.abs(p - h)[:, 0] > np.abs(q - h)[:, 0], 1.0, -1.0)


def neuron_signs__too_many_queries(f, A, c):
    z, m = all_on_the_seam(A, c, 0 * A[0])  # noqa: F821
    s = []
    for v in m:
        h = f(z[None])
        s.append(
            1.0 if np.abs(f((z + v)[None]) - h).max() > np.abs(f((z - v)[None]) - h).max() else -1.0
        )
    return np.array(s)
