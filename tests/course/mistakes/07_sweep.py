"""Known mistakes of exercise 07: each function is FUNCTION__KEY, and KEY its diagnosis."""

import numpy as np


def widest__forgot_last_bias(q, d, K):
    return q * K // (d + K)


def widest__counted_the_free_ones(q, d, K):
    return (q - 1) * K // (d + K + 1)


def widest__one_number_an_answer(q, d, K):
    return (q - K) // (d + K)


def widest__one_number_an_answer__2(q, d, K):
    return (q - 1) // (d + K)


def widest__rounded_up(q, d, K):
    return -(-(q - 1) * K // (d + K))


def widest__not_whole(q, d, K):
    return (q - 1) * K / (d + K)


def widest__forgot_a_matrix(q, d, K):
    return (q - 1) * K // d


def widest__swapped(q, d, K):
    return (q - 1) * d // (d + K)


def widest__floor_not_width(q, d, K):
    return (q * (d + K) + K) / K


def widest__one_too_few(q, d, K):
    return ((q - 1) * K - 1) // (d + K)


def widest__below_zero(q, d, K):
    return (q - 1) * K // (d + K)


def jacobian__not_divided(ask, x, c):
    answers = ask(np.vstack([x, x + c * np.eye(len(x))]))
    return (answers[1:] - answers[0]).T


def jacobian__sign(ask, x, c):
    answers = ask(np.vstack([x, x + c * np.eye(len(x))]))
    return (answers[0] - answers[1:]).T / c


def jacobian__transpose(ask, x, c):
    answers = ask(np.vstack([x, x + c * np.eye(len(x))]))
    return (answers[1:] - answers[0]) / c


def jacobian__step_one(ask, x, c):
    answers = ask(np.vstack([x, x + c * np.eye(len(x))]))
    return (answers[1:] - answers[0]).T / c**2


def jacobian__forgot_the_middle(ask, x, c):
    return ask(x + c * np.eye(len(x))).T / c


def jacobian__half(ask, x, c):
    answers = ask(np.vstack([x, x + c * np.eye(len(x))]))
    return (answers[1:] - answers[0]).T / (2 * c)


def solve_group__projected(jumps, change):
    return jumps @ change


def solve_group__unit_jumps(jumps, change):
    unit = jumps / np.linalg.norm(jumps, axis=1, keepdims=True)
    return np.linalg.lstsq(unit.T, change, rcond=None)[0]


def solve_group__not_transposed(jumps, change):
    if jumps.shape[0] < jumps.shape[1]:
        return np.linalg.lstsq(jumps.T, change, rcond=None)[0]
    return np.linalg.lstsq(jumps, change, rcond=None)[0]


def solve_group__transpose(jumps, change):
    return np.linalg.lstsq(jumps.T, change, rcond=None)[0].T


def orientations__forgot_factor_2(J, x, rows, offsets, jumps):
    even = (jumps.T * np.sign(rows @ x + offsets)) @ rows
    equations = np.einsum("hk,hd->kdh", jumps, rows).reshape(-1, len(rows))
    return np.linalg.lstsq(equations, (J - even).ravel(), rcond=None)[0]


def orientations__forgot_even_part(J, x, rows, offsets, jumps):
    equations = np.einsum("hk,hd->kdh", jumps, rows).reshape(-1, len(rows))
    return np.linalg.lstsq(equations, (2 * J).ravel(), rcond=None)[0]


def orientations__value_for_sign(J, x, rows, offsets, jumps):
    even = (jumps.T * (rows @ x + offsets)) @ rows
    equations = np.einsum("hk,hd->kdh", jumps, rows).reshape(-1, len(rows))
    return np.linalg.lstsq(equations, (2 * J - even).ravel(), rcond=None)[0]


def solved(J, y, rows, jumps):
    even = (jumps.T * np.sign(y)) @ rows
    equations = np.einsum("hk,hd->kdh", jumps, rows).reshape(-1, len(rows))
    return np.linalg.lstsq(equations, (2 * J - even).ravel(), rcond=None)[0]


def jacobian__too_many_queries(ask, x, c):
    E = np.eye(len(x))
    return np.array([(ask((x + c * e)[None])[0] - ask(x[None])[0]) / c for e in E]).T


def jacobian__too_many_queries__2(ask, x, c):
    E = c * np.eye(len(x))
    return ((ask(x + E) - ask(x - E)) / (2 * c)).T


def jacobian__other_step(ask, x, c):
    c = 1e-06
    a = ask(np.vstack([x, x + c * np.eye(len(x))]))
    return (a[1:] - a[0]).T / c


def jacobian__backward(ask, x, c):
    a = ask(np.vstack([x, x - c * np.eye(len(x))]))
    return (a[0] - a[1:]).T / c


def jacobian__neighbours(ask, x, c):
    a = ask(np.vstack([x, x + c * np.eye(len(x))]))
    return np.diff(a, axis=0).T / c


def solve_group__projected__2(j, ch):
    return j / (j**2).sum(axis=1, keepdims=True) @ ch


def solve_group__some_equations(j, ch):
    return np.linalg.lstsq(j.T[: len(j)], ch[: len(j)], rcond=None)[0]


def orientations__rounded(J, x, rows, offsets, jumps):
    return np.sign(solved(J, rows @ x + offsets, rows, jumps))


def orientations__forgot_offsets(J, x, rows, offsets, jumps):
    return solved(J, rows @ x, rows, jumps)


def orientations__added_the_even_part(J, x, rows, offsets, jumps):
    return solved(J, -rows @ x - offsets, rows, jumps)


def orientations__side_of_x(J, x, rows, offsets, jumps):
    return np.sign(rows @ x + offsets)
