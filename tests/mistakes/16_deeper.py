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


def active_sides__exactly_zero(A, c, rows, places):
    beta, sides = found(A, rows).round(14), np.sign(places @ A.T + c)
    return np.sign(np.where(beta != 0, sides, -sides).sum(axis=0))


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
