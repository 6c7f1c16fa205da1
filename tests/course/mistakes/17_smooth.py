"""Known mistakes of exercise 17: each function is FUNCTION__KEY, and KEY its diagnosis."""

import numpy as np


def count_neurons__absolute_threshold(jacobians, share):
    values = np.linalg.svd(jacobians.reshape(-1, jacobians.shape[-1]), compute_uv=False)
    return int((values > share).sum())


def count_neurons__one_place(jacobians, share):
    values = np.linalg.svd(jacobians[0], compute_uv=False)
    return int((values > share * values[0]).sum())


def count_neurons__squared_values(jacobians, share):
    table = jacobians.reshape(-1, jacobians.shape[-1])
    values = np.linalg.eigvalsh(table.T @ table)
    return int((values > share * values.max()).sum())


def hessian_of(ask, x, c, single, middle):
    out = np.zeros((ask(x[None]).shape[1], len(x), len(x)))
    E = c * np.eye(len(x))
    for i in range(len(x)):
        for j in range(len(x)):
            f = ask(np.array([x + E[i] + E[j], x + E[i], x + E[j], x]))
            out[:, i, j] = f[0] - single * (f[1] + f[2]) + middle * f[3]
    return out


def hessian__divided_by_c(ask, x, c):
    return hessian_of(ask, x, c, 1, 1) / c


def hessian__forgot_the_middle(ask, x, c):
    return hessian_of(ask, x, c, 1, 0) / c**2


def hessian__no_single_moves(ask, x, c):
    return hessian_of(ask, x, c, 0, -1) / c**2


def hessian__symmetric_half(ask, x, c):
    return np.triu(hessian_of(ask, x, c, 1, 1)) / c**2


def hessian__sign(ask, x, c):
    return -hessian_of(ask, x, c, 1, 1) / c**2


def own_weights__directions_not_weights(X, Y):
    return np.real(np.linalg.eig(np.linalg.solve(Y, X))[1])


def own_weights__directions_not_weights__2(X, Y):
    return np.real(np.linalg.eig(np.linalg.solve(Y, X))[1]).T


def own_weights__as_columns(X, Y):
    return own_rows(X, Y).T


def own_weights__not_unit(X, Y):
    return 2 * own_rows(X, Y)


def own_weights__not_unit__2(X, Y):
    return np.linalg.inv(np.real(np.linalg.eig(np.linalg.solve(Y, X))[1]))


def own_weights__one_table_alone(X, Y):
    return np.linalg.eigh(X)[1].T


def own_weights__one_table_alone__2(X, Y):
    return np.linalg.eigh(Y)[1].T


def own_weights__symmetric_solver(X, Y):
    return np.linalg.eigh(np.linalg.solve(Y, X))[1].T


def own_weights__sum_or_difference(X, Y):
    return np.linalg.eigh(X - Y)[1].T


def own_weights__singular_vectors(X, Y):
    return np.linalg.svd(np.linalg.solve(Y, X))[2]


def own_weights__multiplied(X, Y):
    W = np.real(np.linalg.eig(Y @ X)[1])
    return (W / np.linalg.norm(W, axis=0)).T


def own_rows(X, Y):
    B = np.linalg.inv(np.real(np.linalg.eig(np.linalg.solve(Y, X))[1]))
    return B / np.linalg.norm(B, axis=1)[:, None]


def curve_misfit__no_constant(t, curve, z, s):
    shape = np.tanh(z + s * t)
    rest = curve - (shape @ curve) / (shape @ shape) * shape
    return float(np.linalg.norm(rest) / np.linalg.norm(curve - curve.mean()))


def curve_misfit__no_factor(t, curve, z, s):
    rest = curve - np.tanh(z + s * t)
    rest = rest - rest.mean()
    return float(np.linalg.norm(rest) / np.linalg.norm(curve - curve.mean()))


def curve_misfit__not_relative(t, curve, z, s):
    table = np.column_stack([np.tanh(z + s * t), np.ones(len(t))])
    return float(np.linalg.norm(curve - table @ np.linalg.lstsq(table, curve, rcond=None)[0]))


def curve_misfit__not_centred(t, curve, z, s):
    table = np.column_stack([np.tanh(z + s * t), np.ones(len(t))])
    rest = curve - table @ np.linalg.lstsq(table, curve, rcond=None)[0]
    return float(np.linalg.norm(rest) / np.linalg.norm(curve))


def count_neurons__added_up(jacobians, share):
    values = np.linalg.svd(jacobians, compute_uv=False)
    return int((values > share * values.max(axis=1, keepdims=True)).sum())


def count_neurons__machine_rounding(jacobians, share):
    return int(np.linalg.matrix_rank(jacobians.reshape(-1, jacobians.shape[-1])))


def count_neurons__ignored_share(jacobians, share):
    values = np.linalg.svd(jacobians.reshape(-1, jacobians.shape[-1]), compute_uv=False)
    return int((values > 1e-6 * values[0]).sum())


def hessian__too_many_queries(ask, x, c):
    return hessian_of(ask, x, c, 1, 1) / c**2


def hessian__other_step(ask, x, c):
    out = np.zeros((ask(x[None]).shape[1], len(x), len(x)))
    E = c * np.eye(len(x))
    for i, e in enumerate(E):
        for j, g in enumerate(E):
            f = ask(np.array([x + e + g, x + e - g, x - e + g, x - e - g]))
            out[:, i, j] = (f[0] - f[1] - f[2] + f[3]) / (4 * c**2)
    return out


def hessian__diagonal_left_out(ask, x, c):
    return hessian_of(ask, x, c, 1, 1) / c**2 * (1 - np.eye(len(x)))


def hessian__raised(ask, x, c):
    return ask(x)


def curve_misfit__mean_for_the_constant(t, curve, z, s):
    shape, centred = np.tanh(z + s * t), curve - curve.mean()
    rest = centred - (shape @ centred) / (shape @ shape) * shape
    return float(np.linalg.norm(rest) / np.linalg.norm(centred))


def curve_misfit__no_z(t, curve, z, s):
    table = np.column_stack([np.tanh(s * t), np.ones(len(t))])
    rest = curve - table @ np.linalg.lstsq(table, curve, rcond=None)[0]
    return float(np.linalg.norm(rest) / np.linalg.norm(curve - curve.mean()))


def curve_misfit__squared(t, curve, z, s):
    table = np.column_stack([np.tanh(z + s * t), np.ones(len(t))])
    rest = curve - table @ np.linalg.lstsq(table, curve, rcond=None)[0]
    return float((rest @ rest) / ((curve - curve.mean()) @ (curve - curve.mean())))


def hessian__diagonal_alone(ask, x, c):
    return hessian_of(ask, x, c, 1, 1) / c**2 * np.eye(len(x))


def hessian__middle_twice(ask, x, c):
    return hessian_of(ask, x, c, 1, 2) / c**2


def hessian__not_divided(ask, x, c):
    return hessian_of(ask, x, c, 1, 1)


def share_left(curve, column):
    table = np.column_stack([column, np.ones(len(column))])
    rest = curve - table @ np.linalg.lstsq(table, curve, rcond=None)[0]
    return float(np.linalg.norm(rest) / np.linalg.norm(curve - curve.mean()))


def curve_misfit__nothing_fitted(t, curve, z, s):
    return float(np.linalg.norm(curve - np.tanh(z + s * t)) / np.linalg.norm(curve - curve.mean()))


def curve_misfit__sign_of_z(t, curve, z, s):
    return share_left(curve, np.tanh(s * t - z))


def curve_misfit__s_times_z(t, curve, z, s):
    return share_left(curve, np.tanh(s * (t + z)))


def curve_misfit__relative_to_the_fit(t, curve, z, s):
    left = share_left(curve, np.tanh(z + s * t))
    return left / np.sqrt(1 - left**2)


def curve_misfit__line_for_tanh(t, curve, z, s):
    return share_left(curve, z + s * t)
