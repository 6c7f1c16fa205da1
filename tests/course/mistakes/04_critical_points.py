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


def numbers(left, right):
    (a, fa, sa), (b, fb, sb) = left, right
    return np.atleast_1d(fb - fa + sa * a - sb * b), np.atleast_1d(sa - sb)


def best(p, q):
    return float(p @ q / (q @ q))


def meeting_point__mean_of_the_places(left, right):
    return float(np.divide(*numbers(left, right)).mean())


def meeting_point__median_of_the_places(left, right):
    return float(np.median(np.divide(*numbers(left, right))))


def meeting_point__first_output_alone(left, right):
    return float(np.divide(*numbers(left, right))[0])


def meeting_point__first_output_alone__2(left, right):
    return float(np.divide(*numbers(left, right))[-1])


def meeting_point__each_output(left, right):
    return np.divide(*numbers(left, right))


def meeting_point__not_divided(left, right):
    return float(np.dot(*numbers(left, right)))


def meeting_point__sign(left, right):
    return -best(*numbers(left, right))


def meeting_point__from_the_left_end(left, right):
    return best(*numbers(left, right)) - left[0]


def meeting_point__middle(left, right):
    return (left[0] + right[0]) / 2


def meeting_point__heights_not_place(left, right):
    return left[1] + left[2] * (best(*numbers(left, right)) - left[0])


def meeting_point__swapped_slopes(left, right):
    return best(numbers((*left[:2], right[2]), (*right[:2], left[2]))[0], left[2] - right[2])


def meeting_point__forgot_the_places(left, right):
    return best(right[1] - left[1], left[2] - right[2])


def meeting_point__one_product(left, right):
    return best(right[1] - left[1] + left[2] * left[0], left[2] - right[2])


def meeting_point__one_product__2(left, right):
    return best(right[1] - left[1] - right[2] * right[0], left[2] - right[2])


def meeting_point__strongest_bend_alone(left, right):
    p, q = numbers(left, right)
    k = np.abs(q).argmax()
    return float(p[k] / q[k])


def meeting_point__summed_before(left, right):
    p, q = numbers(left, right)
    return float(p.sum() / q.sum())


def meeting_point__weighted_by_size(left, right):
    p, q = numbers(left, right)
    return float(np.average(p / q, weights=np.abs(q)))


def meeting_point__other_way_round(left, right):
    p, q = numbers(left, right)
    return float(p @ p / (p @ q))


def meeting_point__divided_by_the_length(left, right):
    p, q = numbers(left, right)
    return float(p @ q / np.linalg.norm(q))


def meeting_point__swapped_heights(left, right):
    p, q = numbers(left, right)
    return best(p - 2 * (right[1] - left[1]), q)


def meeting_point__sign_of_products(left, right):
    p, q = numbers(left, right)
    return best(2 * (right[1] - left[1]) - p, q)


def meeting_point__size_of_the_difference(left, right):
    p, q = numbers(left, right)
    return float(p @ np.abs(q) / (q @ q))


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


def slope_at__too_many_queries(f, t, step):
    f(t + step / 2)
    return (f(t + step) - f(t)) / step


def slope_at__other_places(f, t, step):
    s = np.sign(step) * 1e-06
    return (f(t + s) - f(t)) / s


def slope_at__size_only(f, t, step):
    return abs(f(t + step) - f(t)) / abs(step)


def is_kink__ignored_gap(f, t, left, right, g):
    g = 0.001
    return bool(
        abs(f(t - g) - (left[1] + left[2] * (t - g - left[0]))) < 1e-08
        and abs(f(t + g) - (right[1] + right[2] * (t + g - right[0]))) < 1e-08
    )


def is_kink__loose(f, t, left, right, g):
    return bool(
        abs(f(t - g) - (left[1] + left[2] * (t - g - left[0]))) < 0.1
        and abs(f(t + g) - (right[1] + right[2] * (t + g - right[0]))) < 0.1
    )


def is_kink__too_many_queries(f, t, left, right, g):
    return bool(
        abs(f(t) - (left[1] + left[2] * (t - left[0]))) < 1e-08
        and abs(f(t - g) - (left[1] + left[2] * (t - g - left[0]))) < 1e-08
        and (abs(f(t + g) - (right[1] + right[2] * (t + g - right[0]))) < 1e-08)
    )


def ends(f, low, high):
    w = high - low
    left = low, f(low), slope_at(f, low, 1e-3 * w)  # noqa: F821
    return w, left, (high, f(high), slope_at(f, high, -1e-3 * w))  # noqa: F821


def met(f, low, high, w, left, right):
    if abs(left[2] - right[2]) > 1e-7:
        t = meeting_point(left, right)  # noqa: F821
        if 0.01 * w < t - low < 0.99 * w and is_kink(f, t, left, right, 0.005 * w):  # noqa: F821
            return t
    return None


def looked(f, low, high):
    w, left, right = ends(f, low, high)
    c = (right[1] - left[1]) / w
    if max(abs(left[2] - c), abs(right[2] - c)) < 1e-7:
        return np.zeros(0)
    t = met(f, low, high, w, left, right)
    return None if t is None else np.array([t])


def all_kinks__invented(f, low, high):
    w, left, right = ends(f, low, high)
    c = (right[1] - left[1]) / w
    if max(abs(left[2] - c), abs(right[2] - c)) < 1e-07:
        return np.array([low + 0.3 * w])
    t = met(f, low, high, w, left, right)
    if t is not None:
        return np.array([t])
    m = (low + high) / 2
    return np.concatenate([all_kinks(f, low, m), all_kinks(f, m, high)])  # noqa: F821


def all_kinks__invented__2(f, low, high):
    w, left, right = ends(f, low, high)
    c = (right[1] - left[1]) / w
    if max(abs(left[2] - c), abs(right[2] - c)) < 1e-07:
        return np.zeros(0)
    t = met(f, low, high, w, left, right)
    if t is not None:
        return np.array([t])
    m = (low + high) / 2
    return np.concatenate([all_kinks(f, low, m), [m + 0.01 * w], all_kinks(f, m, high)])  # noqa: F821


def all_kinks__twice(f, low, high):
    w, left, right = ends(f, low, high)
    c = (right[1] - left[1]) / w
    if max(abs(left[2] - c), abs(right[2] - c)) < 1e-07:
        return np.zeros(0)
    t = met(f, low, high, w, left, right)
    if t is not None:
        return np.array([t, t])
    m = (low + high) / 2
    return np.concatenate([all_kinks(f, low, m), all_kinks(f, m, high)])  # noqa: F821


def all_kinks__searched_once(f, low, high):
    a = looked(f, low, high)
    if a is not None:
        return a
    m = (low + high) / 2
    b, c = (looked(f, low, m), looked(f, m, high))
    return np.concatenate([np.zeros(0) if v is None else v for v in (b, c)])


def all_kinks__one_slope_only(f, low, high):
    w, left, right = ends(f, low, high)
    c = (right[1] - left[1]) / w
    if abs(left[2] - c) < 1e-07:
        return np.zeros(0)
    t = met(f, low, high, w, left, right)
    if t is not None:
        return np.array([t])
    m = (low + high) / 2
    return np.concatenate([all_kinks(f, low, m), all_kinks(f, m, high)])  # noqa: F821


def all_kinks__one_slope_only__2(f, low, high):
    w, left, right = ends(f, low, high)
    c = (right[1] - left[1]) / w
    if abs(right[2] - c) < 1e-07:
        return np.zeros(0)
    t = met(f, low, high, w, left, right)
    if t is not None:
        return np.array([t])
    m = (low + high) / 2
    return np.concatenate([all_kinks(f, low, m), all_kinks(f, m, high)])  # noqa: F821


def all_kinks__too_many_queries(f, low, high):
    w, left, right = ends(f, low, high)
    c = (f(high) - f(low)) / w
    f((low + high) / 2)
    if max(abs(left[2] - c), abs(right[2] - c)) < 1e-07:
        return np.zeros(0)
    t = met(f, low, high, w, left, right)
    if t is not None:
        return np.array([t])
    m = (low + high) / 2
    return np.concatenate([all_kinks(f, low, m), all_kinks(f, m, high)])  # noqa: F821


def all_kinks__too_many_queries__2(f, low, high):
    t = np.linspace(low, high, 301)
    v = np.array([f(s) for s in t])
    d = np.diff(v) / np.diff(t)
    k = []
    i = 0
    while i < len(d) - 1:
        if abs(d[i] - d[i + 1]) > 1e-07:
            j = min(i + 2, len(d) - 1)
            k.append(meeting_point((t[i], v[i], d[i]), (t[j + 1], v[j + 1], d[j])))  # noqa: F821
            i = j
        else:
            i += 1
    return np.array(k)
