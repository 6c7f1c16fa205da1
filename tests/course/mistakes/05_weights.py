"""Known mistakes of exercise 05: FUNCTION__KEY, and KEY is the diagnosis that it must get."""

import numpy as np


def second_difference__divided_by_c_squared(f, x, e, c):
    return (f(x + c * e) - 2 * f(x) + f(x - c * e)) / c**2


def second_difference__gradient(f, x, e, c):
    return (f(x + c * e) - f(x)) / c


def second_difference__gradient__2(f, x, e, c):
    return (f(x + c * e) - f(x - c * e)) / (2 * c)


def second_difference__forgot_to_divide(f, x, e, c):
    return f(x + c * e) - 2 * f(x) + f(x - c * e)


def second_difference__middle_once(f, x, e, c):
    return (f(x + c * e) - f(x) + f(x - c * e)) / c


def absolute_row__missing_abs(f, x, c):
    return np.array([second_difference(f, x, e, c) for e in np.eye(len(x))])  # noqa: F821


def absolute_row__gradient(f, x, c):
    return np.abs([(f(x + c * e) - f(x)) / c for e in np.eye(len(x))])


def absolute_row__negated_always(f, x, c):
    return -np.array([second_difference(f, x, e, c) for e in np.eye(len(x))])  # noqa: F821


def absolute_row__divided_by_c_squared(f, x, c):
    return np.abs([second_difference(f, x, e, c) for e in np.eye(len(x))]) / c  # noqa: F821


def relative_signs__all_plus(f, x, c, sizes):
    return np.ones(len(x))


def relative_signs__missing_abs(f, x, c, sizes):
    k, axes, signs = int(sizes.argmax()), np.eye(len(x)), np.ones(len(x))
    for j in range(len(x)):
        if j != k:
            together = second_difference(f, x, axes[j] + axes[k], c)  # noqa: F821
            nearer = abs(together - sizes[k] - sizes[j]) < abs(together - sizes[k] + sizes[j])
            signs[j] = 1.0 if nearer else -1.0
    return signs


def relative_signs__swapped_sum_and_difference(f, x, c, sizes):
    k, axes, signs = int(sizes.argmax()), np.eye(len(x)), np.ones(len(x))
    for j in range(len(x)):
        if j != k:
            together = abs(second_difference(f, x, axes[j] - axes[k], c))  # noqa: F821
            nearer = abs(together - sizes[k] - sizes[j]) < abs(together - sizes[k] + sizes[j])
            signs[j] = 1.0 if nearer else -1.0
    return signs


def relative_signs__first_as_partner(f, x, c, sizes):
    axes, signs = np.eye(len(x)), np.ones(len(x))
    for j in range(1, len(x)):
        together = abs(second_difference(f, x, axes[j] + axes[0], c))  # noqa: F821
        difference = abs(sizes[0] - sizes[j])
        nearer = abs(together - sizes[0] - sizes[j]) < abs(together - difference)
        signs[j] = 1.0 if nearer else -1.0
    return signs


def row_up_to_sign__all_plus(f, x, v, jump, c):
    return absolute_row(f, x, c)  # noqa: F821


def row_up_to_sign__signs_only(f, x, v, jump, c):
    return relative_signs(f, x, c, absolute_row(f, x, c))  # noqa: F821


def row_up_to_sign__crossed_another_seam(f, x, v, jump, c):
    sizes = absolute_row(f, x, c)  # noqa: F821
    return sizes * relative_signs(f, x, c, sizes)  # noqa: F821


def row_up_to_sign__no_refusal(f, x, v, jump, c):
    for _ in range(8):
        sizes = absolute_row(f, x, c)  # noqa: F821
        row = sizes * relative_signs(f, x, c, sizes)  # noqa: F821
        if abs(abs(row @ v) - jump) < 1e-6 * jump:
            break
        c /= 8
    return row


def against(f, x, c, sizes, k):
    axes, signs = np.eye(len(x)), np.ones(len(x))
    for j in range(len(x)):
        if j != k:
            together = abs(second_difference(f, x, axes[j] + axes[k], c))  # noqa: F821
            equal, opposite = sizes[k] + sizes[j], abs(sizes[k] - sizes[j])
            signs[j] = 1.0 if abs(together - equal) < abs(together - opposite) else -1.0
    return signs


def fits(row, v, jump):
    return abs(abs(row @ v) - jump) < 1e-6 * jump


def second_difference__size_only(f, x, e, c):
    return abs(f(x + c * e) - 2 * f(x) + f(x - c * e)) / c


def second_difference__unit_direction(f, x, e, c):
    n = np.linalg.norm(e)
    return (f(x + c * e) - 2 * f(x) + f(x - c * e)) / (c * n)


def second_difference__too_many_queries(f, x, e, c):
    return (f(x + c * e) - f(x) - f(x) + f(x - c * e)) / c


def second_difference__half_the_step(f, x, e, c):
    return (f(x + c * e) - 2 * f(x) + f(x - c * e)) / (2 * c)


def second_difference__added_the_middle(f, x, e, c):
    return (f(x + c * e) + 2 * f(x) + f(x - c * e)) / c


def second_difference__other_step(f, x, e, c):
    c = 0.0001
    return (f(x + c * e) - 2 * f(x) + f(x - c * e)) / c


def absolute_row__normalised(f, x, c):
    r = np.abs([second_difference(f, x, e, c) for e in np.eye(len(x))])  # noqa: F821
    return r / r.max()


def absolute_row__normalised__2(f, x, c):
    r = np.abs([second_difference(f, x, e, c) for e in np.eye(len(x))])  # noqa: F821
    return r / np.linalg.norm(r)


def absolute_row__too_many_queries(f, x, c):
    return np.array(
        [max(second_difference(f, x, e, c), -second_difference(f, x, e, c)) for e in np.eye(len(x))]  # noqa: F821
    )


def absolute_row__summed(f, x, c):
    return np.abs([second_difference(f, x, e, c) for e in np.eye(len(x))]).sum()  # noqa: F821


def absolute_row__forgot_to_divide(f, x, c):
    return c * np.abs([second_difference(f, x, e, c) for e in np.eye(len(x))])  # noqa: F821


def relative_signs__first_as_partner__2(f, x, c, s):
    return against(f, x, c, s, int(s.argmin()))


def relative_signs__too_many_queries(f, x, c, s):
    return against(f, x, c, absolute_row(f, x, c), int(s.argmax()))  # noqa: F821


def relative_signs__too_many_queries__2(f, x, c, s):
    d = len(x)
    k = int(s.argmax())
    E = np.eye(d)
    g = np.ones(d)
    for j in range(d):
        if j != k:
            g[j] = (
                1.0
                if abs(second_difference(f, x, E[j] + E[k], c))  # noqa: F821
                > abs(second_difference(f, x, E[k], c))  # noqa: F821
                else -1.0
            )
    return g


def relative_signs__pivot_zero(f, x, c, s):
    g = against(f, x, c, s, int(s.argmax()))
    g[s.argmax()] = 0
    return g


def relative_signs__zero_or_one(f, x, c, s):
    return (against(f, x, c, s, int(s.argmax())) > 0).astype(float)


def row_up_to_sign__loose(f, x, v, jump, c):
    for _ in range(8):
        s = absolute_row(f, x, c)  # noqa: F821
        r = s * relative_signs(f, x, c, s)  # noqa: F821
        if abs(abs(r @ v) - jump) < 0.002 * jump:
            return r
        c /= 8
    raise ValueError("x")


def row_up_to_sign__sign(f, x, v, jump, c):
    for _ in range(8):
        s = absolute_row(f, x, c)  # noqa: F821
        r = s * relative_signs(f, x, c, s)  # noqa: F821
        if fits(r, v, jump):
            return -r
        c /= 8
    raise ValueError("x")


def row_up_to_sign__too_many_queries(f, x, v, jump, c):
    for _ in range(8):
        r = absolute_row(f, x, c) * relative_signs(f, x, c, absolute_row(f, x, c))  # noqa: F821
        if fits(r, v, jump):
            return r
        c /= 8
    raise ValueError("x")


def row_up_to_sign__too_many_queries__2(f, x, v, jump, c):
    best = None
    for _ in range(8):
        s = absolute_row(f, x, c)  # noqa: F821
        r = s * relative_signs(f, x, c, s)  # noqa: F821
        if best is None and fits(r, v, jump):
            best = r
        c /= 8
    if best is None:
        raise ValueError("x")
    return best


def row_up_to_sign__unit_length(f, x, v, jump, c):
    for _ in range(8):
        s = absolute_row(f, x, c)  # noqa: F821
        r = s * relative_signs(f, x, c, s)  # noqa: F821
        if fits(r, v, jump):
            return r / np.linalg.norm(r)
        c /= 8
    raise ValueError("x")
