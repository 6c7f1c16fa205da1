"""Known mistakes of exercise 08: each function is FUNCTION__KEY, and KEY its diagnosis."""

import math

import numpy as np


def noise_level__forgot_6(answers):
    return float(np.sqrt(np.mean(np.diff(answers, 2) ** 2)))


def noise_level__divided_by_6(answers):
    return float(np.sqrt(np.mean(np.diff(answers, 2) ** 2)) / 6)


def noise_level__first_differences(answers):
    return float(np.sqrt(np.mean(np.diff(answers) ** 2) / 2))


def noise_level__spread(answers):
    return float(answers.std())


def best_step__without_the_2(noise, bend):
    return math.sqrt(noise / bend)


def best_step__one_answer(noise, bend):
    return math.sqrt(2 * noise / bend)


def best_step__no_root(noise, bend):
    return 4 * noise / bend


def best_step__inverted(noise, bend):
    return 2 * math.sqrt(bend / noise)


def logit_error__whole_unit(p, decimals):
    return 10.0**-decimals / (p * (1 - p))


def logit_error__error_of_p(p, decimals):
    return np.full(p.shape, 0.5 * 10.0**-decimals)


def logit_error__multiplied(p, decimals):
    return 0.5 * 10.0**-decimals * p * (1 - p)


def logit_error__one_side(p, decimals):
    return 0.5 * 10.0**-decimals / p


def logit_error__finite_at_the_ends(p, decimals):
    return 0.5 * 10.0**-decimals / (p * (1 - p))


def decimals_needed__rounded_down(tolerance, step):
    return math.floor(-math.log10(tolerance * step))


def decimals_needed__one_answer(tolerance, step):
    return math.ceil(-math.log10(2 * tolerance * step))


def decimals_needed__forgot_the_step(tolerance, step):
    return math.ceil(-math.log10(tolerance))


def decimals_needed__natural_log(tolerance, step):
    return math.ceil(-math.log(tolerance * step))


def noise_level__without_their_mean(a):
    return float(np.diff(a, 2).std() / math.sqrt(6))


def noise_level__wrong_count(a):
    return float(np.sqrt((np.diff(a, 2) ** 2).sum() / len(a) / 6))


def noise_level__mean_of_sizes(a):
    return float(np.abs(np.diff(a, 2)).mean() / math.sqrt(6))


def noise_level__forgot_the_root(a):
    return float((np.diff(a, 2) ** 2).mean() / 6)


def noise_level__largest(a):
    return float(np.abs(np.diff(a, 2)).max() / math.sqrt(6))


def best_step__error_not_step(n, b):
    return 2 * math.sqrt(n * b)


def logit_error__one_end(p, d):
    e = 0.5 * 10.0 ** (-d)
    return np.where(p > e, e / (p * (1 - p)), np.inf)


def logit_error__one_end__2(p, d):
    e = 0.5 * 10.0 ** (-d)
    return np.where(p < 1 - e, e / (p * (1 - p)), np.inf)


def logit_error__ends_too_wide(p, d):
    e = 0.5 * 10.0 ** (-d)
    return np.where((p > 2 * e) & (p < 1 - 2 * e), e / (p * (1 - p)), np.inf)


def logit_error__no_infinity(p, d):
    e = 0.5 * 10.0 ** (-d)
    return np.where((p > e) & (p < 1 - e), e / (p * (1 - p)), np.nan)


def decimals_needed__rounded_down__2(t, s):
    return round(-math.log10(t * s))


def decimals_needed__one_too_many(t, s):
    return int(-math.log10(t * s)) + 1


def decimals_needed__counted_twice(t, s):
    return math.ceil(-math.log10(t * s / 2))
