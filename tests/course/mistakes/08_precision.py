"""Known mistakes of exercise 08: each function is FUNCTION__KEY, and KEY its diagnosis."""

import math

import numpy as np


def noise_level__forgot_20(a):
    return float(np.sqrt(np.mean(np.diff(a, 3) ** 2)))


def noise_level__divided_by_20(a):
    return float(np.sqrt(np.mean(np.diff(a, 3) ** 2)) / 20)


def noise_level__second_differences(a):
    return float(np.sqrt(np.mean(np.diff(a, 2) ** 2) / 6))


def noise_level__six_is_for_the_second(a):
    return float(np.sqrt(np.mean(np.diff(a, 3) ** 2) / 6))


def noise_level__sum_of_the_sizes(a):
    return float(np.sqrt(np.mean(np.diff(a, 3) ** 2) / 8))


def noise_level__fourth_differences(a):
    return float(np.sqrt(np.mean(np.diff(a, 4) ** 2) / 70))


def noise_level__spread(a):
    return float(a.std())


def noise_level__without_their_mean(a):
    return float(np.diff(a, 3).std() / math.sqrt(20))


def noise_level__wrong_count(a):
    return float(np.sqrt((np.diff(a, 3) ** 2).sum() / len(a) / 20))


def noise_level__mean_of_sizes(a):
    return float(np.abs(np.diff(a, 3)).mean() / math.sqrt(20))


def noise_level__forgot_the_root(a):
    return float((np.diff(a, 3) ** 2).mean() / 20)


def noise_level__largest(a):
    return float(np.abs(np.diff(a, 3)).max() / math.sqrt(20))


def best_step__forward_difference(n, b):
    return 2 * math.sqrt(n / b)


def best_step__parts_made_equal(n, b):
    return (6 * n / b) ** (1 / 3)


def best_step__without_the_3(n, b):
    return (n / b) ** (1 / 3)


def best_step__square_root(n, b):
    return math.sqrt(3 * n / b)


def best_step__no_root(n, b):
    return 3 * n / b


def best_step__inverted(n, b):
    return (b / (3 * n)) ** (1 / 3)


def best_step__curl_above(n, b):
    return (3 * n * b) ** (1 / 3)


def best_step__three_below(n, b):
    return (n / (3 * b)) ** (1 / 3)


def best_step__error_not_step(n, b):
    return b / 6 * (3 * n / b) ** (2 / 3) + n / (3 * n / b) ** (1 / 3)


def best_step__whole_division(n, b):
    return (3 * n / b) ** (1 // 3)


def logit_error__whole_unit(p, d):
    return 2 * logit_errors(p, 0.5 * 10.0**-d)


def logit_error__two_classes(p, d):
    return 0.5 * 10.0**-d / (p * (1 - p))


def logit_error__one_of_the_two(p, d):
    return 0.5 * 10.0**-d / p


def logit_error__ratio_with_itself(p, d):
    return 0.5 * 10.0**-d * (1 / p + 1 / p.max(axis=1, keepdims=True))


def logit_error__subtracted(p, d):
    return 0.5 * 10.0**-d * (1 / p - 1 / p.max(axis=1, keepdims=True))


def logit_error__error_of_p(p, d):
    return np.full(p.shape, 0.5 * 10.0**-d)


def logit_error__wrong_axis(p, d):
    return logit_errors(p, 0.5 * 10.0**-d, p.max(axis=0))


def logit_error__largest_of_all(p, d):
    return logit_errors(p, 0.5 * 10.0**-d, p.max())


def logit_error__against_the_last(p, d):
    return 0.5 * 10.0**-d * (1 / p + 1 / p[:, -1:])


def logit_error__finite_at_the_end(p, d):
    return logit_errors(p, 0.5 * 10.0**-d)


def logit_error__end_too_wide(p, d):
    return np.where(p > 10.0**-d, logit_errors(p, 0.5 * 10.0**-d), np.inf)


def logit_error__no_infinity(p, d):
    return np.where(p > 0.5 * 10.0**-d, logit_errors(p, 0.5 * 10.0**-d), np.nan)


def logit_errors(p, delta, best=None):
    best = p.max(axis=1, keepdims=True) if best is None else best
    error = delta / p + delta / best
    return np.where(np.eye(p.shape[1])[p.argmax(axis=1)] > 0, 0, error)


def logit_error__whole_row(p, d):
    delta = 0.5 * 10.0**-d
    return np.where((p > delta).all(axis=1, keepdims=True), logit_errors(p, delta), np.inf)


def logit_error__added_by_squares(p, d):
    error = 0.5 * 10.0**-d * np.hypot(1 / p, 1 / p.max(axis=1, keepdims=True))
    return np.where(p == p.max(axis=1, keepdims=True), 0, error)


def decimals_needed__rounded_down(tolerance, step):
    return math.floor(-math.log10(tolerance * step))


def decimals_needed__one_answer(tolerance, step):
    return math.ceil(-math.log10(2 * tolerance * step))


def decimals_needed__forgot_the_step(tolerance, step):
    return math.ceil(-math.log10(tolerance))


def decimals_needed__natural_log(tolerance, step):
    return math.ceil(-math.log(tolerance * step))


def decimals_needed__rounded_down__2(t, s):
    return round(-math.log10(t * s))


def decimals_needed__one_too_many(t, s):
    return int(-math.log10(t * s)) + 1


def decimals_needed__counted_twice(t, s):
    return math.ceil(-math.log10(t * s / 2))
