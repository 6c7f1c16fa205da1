"""Known mistakes of exercise 04: FUNCTION__KEY, and KEY is the diagnosis that it must get."""

import numpy as np


def slope_at__forgot_the_step(f, t, step):
    return f(t + step) - f(t)


def slope_at__both_sides(f, t, step):
    return (f(t + step) - f(t - step)) / (2 * step)


def slope_at__size_of_the_step(f, t, step):
    return (f(t + step) - f(t)) / abs(step)


def slope_at__other_side(f, t, step):
    return (f(t) - f(t - step)) / step


def meeting_point__height_not_place(left, right):
    (t_l, f_l, s_l), (t_r, f_r, s_r) = left, right
    return f_l + s_l * ((f_r - f_l + s_l * t_l - s_r * t_r) / (s_l - s_r) - t_l)


def meeting_point__sign(left, right):
    (t_l, f_l, s_l), (t_r, f_r, s_r) = left, right
    return (f_r - f_l + s_l * t_l - s_r * t_r) / (s_r - s_l)


def meeting_point__forgot_the_places(left, right):
    (_, f_l, s_l), (_, f_r, s_r) = left, right
    return (f_r - f_l) / (s_l - s_r)


def meeting_point__swapped_slopes(left, right):
    (t_l, f_l, s_l), (t_r, f_r, s_r) = left, right
    return (f_r - f_l + s_r * t_l - s_l * t_r) / (s_r - s_l)


def is_kink__swapped_sides(f, t_star, left, right, gap):
    before, after = t_star - gap, t_star + gap
    on_right = abs(f(before) - (right[1] + right[2] * (before - right[0]))) < 1e-8
    on_left = abs(f(after) - (left[1] + left[2] * (after - left[0]))) < 1e-8
    return bool(on_left and on_right)


def is_kink__not_looked_behind(f, t_star, left, right, gap):
    return bool(abs(f(t_star) - (left[1] + left[2] * (t_star - left[0]))) < 1e-8)


def is_kink__not_looked_behind__2(f, t_star, left, right, gap):
    before = t_star - gap
    return bool(abs(f(before) - (left[1] + left[2] * (before - left[0]))) < 1e-8)


def is_kink__not_looked_before(f, t_star, left, right, gap):
    after = t_star + gap
    return bool(abs(f(after) - (right[1] + right[2] * (after - right[0]))) < 1e-8)


def is_kink__exact_comparison(f, t_star, left, right, gap):
    before, after = t_star - gap, t_star + gap
    on_left = f(before) == left[1] + left[2] * (before - left[0])
    on_right = f(after) == right[1] + right[2] * (after - right[0])
    return bool(on_left and on_right)


def all_kinks__unchecked(f, low, high):
    step = 1e-3 * (high - low)
    left = low, f(low), slope_at(f, low, step)  # noqa: F821
    right = high, f(high), slope_at(f, high, -step)  # noqa: F821
    if abs(left[2] - right[2]) < 1e-7:
        return np.zeros(0)
    return np.array([meeting_point(left, right)])  # noqa: F821


def all_kinks__equal_slopes(f, low, high):
    width = high - low
    left = low, f(low), slope_at(f, low, 1e-3 * width)  # noqa: F821
    right = high, f(high), slope_at(f, high, -1e-3 * width)  # noqa: F821
    if abs(left[2] - right[2]) < 1e-7:
        return np.zeros(0)
    t_star, middle = meeting_point(left, right), (low + high) / 2  # noqa: F821
    inside = 0.01 * width < t_star - low < 0.99 * width
    if inside and is_kink(f, t_star, left, right, 0.005 * width):  # noqa: F821
        return np.array([t_star])
    return np.concatenate([all_kinks(f, low, middle), all_kinks(f, middle, high)])  # noqa: F821


def all_kinks__half_lost(f, low, high):
    width = high - low
    left = low, f(low), slope_at(f, low, 1e-3 * width)  # noqa: F821
    right = high, f(high), slope_at(f, high, -1e-3 * width)  # noqa: F821
    chord = (right[1] - left[1]) / width
    if max(abs(left[2] - chord), abs(right[2] - chord)) < 1e-7:
        return np.zeros(0)
    t_star, middle = meeting_point(left, right), (low + high) / 2  # noqa: F821
    inside = 0.01 * width < t_star - low < 0.99 * width
    if inside and is_kink(f, t_star, left, right, 0.005 * width):  # noqa: F821
        return np.array([t_star])
    return all_kinks(f, low, middle)  # noqa: F821


def all_kinks__unsorted(f, low, high):
    width = high - low
    left = low, f(low), slope_at(f, low, 1e-3 * width)  # noqa: F821
    right = high, f(high), slope_at(f, high, -1e-3 * width)  # noqa: F821
    chord = (right[1] - left[1]) / width
    if max(abs(left[2] - chord), abs(right[2] - chord)) < 1e-7:
        return np.zeros(0)
    middle = (low + high) / 2
    if abs(left[2] - right[2]) > 1e-7:
        t_star = meeting_point(left, right)  # noqa: F821
        inside = 0.01 * width < t_star - low < 0.99 * width
        if inside and is_kink(f, t_star, left, right, 0.005 * width):  # noqa: F821
            return np.array([t_star])
    return np.concatenate([all_kinks(f, middle, high), all_kinks(f, low, middle)])  # noqa: F821


def all_kinks__too_many(f, low, high):
    width = high - low
    left = low, f(low), slope_at(f, low, 1e-3 * width)  # noqa: F821
    right = high, f(high), slope_at(f, high, -1e-3 * width)  # noqa: F821
    chord = (right[1] - left[1]) / width
    if max(abs(left[2] - chord), abs(right[2] - chord)) < 1e-7:
        return np.zeros(0)
    middle = (low + high) / 2
    if abs(left[2] - right[2]) > 1e-7:
        t_star = meeting_point(left, right)  # noqa: F821
        inside = 0.01 * width < t_star - low < 0.99 * width
        if inside and is_kink(f, t_star, left, right, 0.005 * width):  # noqa: F821
            return np.array([t_star])
    found = np.concatenate([all_kinks(f, low, middle), all_kinks(f, middle, high)])  # noqa: F821
    return np.append(found, middle)
