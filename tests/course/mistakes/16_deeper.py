"""Known mistakes of exercise 16: each function is FUNCTION__KEY, and KEY its diagnosis."""

import numpy as np


def kink_pair__other_way_round(before, after, v):
    change = before - after
    g = change @ v
    return g, g @ change / (g @ g)


def kink_pair__swapped(before, after, v):
    change = after - before
    g = change @ v
    return g @ change / (g @ g), g


def kink_pair__not_scaled(before, after, v):
    change = after - before
    g = change @ v
    return g, g @ change


def kink_pair__divided_by_length(before, after, v):
    change = after - before
    g = change @ v
    return g, g @ change / np.linalg.norm(g)


def kink_pair__unit_row(before, after, v):
    change = after - before
    a = (change @ v) @ change
    return change @ v, a / np.linalg.norm(a)


def kink_pair__one_side_only(before, after, v):
    g = after @ v
    return g, g @ after / (g @ g)


def kink_pair__unit_direction(before, after, v):
    change = after - before
    g = change @ v / np.linalg.norm(v)
    return g, g @ change / (g @ g)


def kink_pair__one_output_alone(before, after, v):
    change = after - before
    g = change @ v
    return g, change[0] / g[0]


def wall_meets__size_of_the_speed(a, p, u, v):
    return np.einsum("nd,nd->n", a, p - u) / np.abs(a @ v)


def wall_meets__nearest_point__2(a, p, u, v):
    a = a / np.linalg.norm(a, axis=1, keepdims=True)
    return np.einsum("nd,nd->n", a, p - u)


def wall_meets__one_point_for_all(a, p, u, v):
    return a @ (p[0] - u) / (a @ v)


def wall_meets__points_not_t(a, p, u, v):
    return u + (np.einsum("nd,nd->n", a, p - u) / (a @ v))[:, None] * v


def wall_meets__sign(a, p, u, v):
    return np.einsum("nd,nd->n", a, u - p) / (a @ v)


def wall_meets__forgot_the_start(a, p, u, v):
    return np.einsum("nd,nd->n", a, p) / (a @ v)


def wall_meets__added_the_start(a, p, u, v):
    return np.einsum("nd,nd->n", a, p + u) / (a @ v)


def wall_meets__not_divided(a, p, u, v):
    return np.einsum("nd,nd->n", a, p - u)


def wall_meets__divided_by_length(a, p, u, v):
    return np.einsum("nd,nd->n", a, p - u) / np.linalg.norm(v)


def wall_meets__projected(a, p, u, v):
    return (p - u) @ v / (v @ v)


def wall_meets__nearest_point(a, p, u, v):
    return np.einsum("nd,nd->n", a, p - u) / (a**2).sum(axis=1)


def found(A, rows):
    return np.linalg.lstsq(A.T, rows.T, rcond=None)[0].T


def heard(beta):
    return np.abs(beta) > 1e-6 * np.abs(beta).max(axis=1, keepdims=True)


def active_sides__sign(A, c, rows, places):
    sides = np.sign(places @ A.T + c)
    return np.sign(np.where(heard(found(A, rows)), -sides, sides).sum(axis=0))


def active_sides__sum_not_sign(A, c, rows, places):
    sides = np.sign(places @ A.T + c)
    return np.where(heard(found(A, rows)), sides, -sides).sum(axis=0)


def active_sides__signed_coefficient(A, c, rows, places):
    return np.sign((found(A, rows) * (places @ A.T + c)).sum(axis=0))


def active_sides__coefficients_alone(A, c, rows, places):
    beta = found(A, rows)
    return np.sign((np.sign(beta) * heard(beta)).sum(axis=0))


def active_sides__sides_alone(A, c, rows, places):
    return np.sign(np.sign(places @ A.T + c).sum(axis=0))


def active_sides__forgot_offset(A, c, rows, places):
    sides = np.sign(places @ A.T)
    return np.sign(np.where(heard(found(A, rows)), sides, -sides).sum(axis=0))


def active_sides__zeros_not_counted(A, c, rows, places):
    sides = np.sign(places @ A.T + c)
    return np.sign((heard(found(A, rows)) * sides).sum(axis=0))


def active_sides__sides_alone__2(A, c, rows, places):
    beta, sides = found(A, rows), np.sign(places @ A.T + c)
    return np.sign(np.where(beta != 0, sides, -sides).sum(axis=0))


def active_sides__sides_alone__3(A, c, rows, places):
    sides = np.sign(places @ A.T + c)
    return np.sign(np.where(heard(rows @ A.T), sides, -sides).sum(axis=0))


def active_sides__absolute_threshold(A, c, rows, places):
    sides = np.sign(places @ A.T + c)
    return np.sign(np.where(np.abs(found(A, rows)) > 1e-6, sides, -sides).sum(axis=0))


def active_sides__absolute_threshold__2(A, c, rows, places):
    beta, sides = np.abs(found(A, rows)), np.sign(places @ A.T + c)
    return np.sign(np.where(beta > 1e-6 * beta.max(), sides, -sides).sum(axis=0))


def active_sides__positive_alone(A, c, rows, places):
    beta, sides = found(A, rows), np.sign(places @ A.T + c)
    on = beta > 1e-6 * np.abs(beta).max(axis=1, keepdims=True)
    return np.sign(np.where(on, sides, -sides).sum(axis=0))


def active_sides__one_kink_alone(A, c, rows, places):
    sides = np.sign(places[0] @ A.T + c)
    return np.where(heard(found(A, rows[:1]))[0], sides, -sides)


def active_sides__size_of_the_side(A, c, rows, places):
    sides = places @ A.T + c
    return np.sign(np.where(heard(found(A, rows)), sides, -sides).sum(axis=0))


def active_sides__a_kink_left_out(A, c, rows, places):
    sides = np.sign(places @ A.T + c)
    return np.sign(np.where(heard(found(A, rows)), sides, -sides)[1:].sum(axis=0))


def inputs_for__added_the_bias(A, b, wish):
    if (wish < 0).any():
        raise ValueError
    return (wish + b) @ np.linalg.pinv(A).T


def inputs_for__forgot_the_bias(A, b, wish):
    if (wish < 0).any():
        raise ValueError
    return wish @ np.linalg.pinv(A).T


def inputs_for__transpose_for_inverse(A, b, wish):
    if (wish < 0).any():
        raise ValueError
    return (wish - b) @ A


def inputs_for__allowed_negative(A, b, wish):
    return (wish - b) @ np.linalg.pinv(A).T


def inputs_for__clipped(A, b, wish):
    return (np.maximum(wish, 0) - b) @ np.linalg.pinv(A).T


def inputs_for__transpose_for_inverse__2(A, b, wish):
    if (wish < 0).any():
        raise ValueError
    return (wish - b) @ (A / (A**2).sum(axis=1, keepdims=True))


def inputs_for__not_the_shortest(A, b, wish):
    if (wish < 0).any():
        raise ValueError
    x = np.zeros((len(wish), A.shape[1]))
    x[:, : len(A)] = np.linalg.solve(A[:, : len(A)], (wish - b).T).T
    return x


def inputs_for__raised(A, b, wish):
    if (wish <= 0).any():
        raise ValueError
    return (wish - b) @ np.linalg.pinv(A).T
