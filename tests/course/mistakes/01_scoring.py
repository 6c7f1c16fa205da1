"""Known mistakes of exercise 01: FUNCTION__KEY, and KEY is the diagnosis that it must get."""

import numpy as np


def labels__wrong_axis(scores):
    return scores.argmax(axis=0)


def labels__largest_score(scores):
    return scores.max(axis=1)


def labels__always_zero(scores):
    return scores.argmax(axis=1)


def labels__negative_is_one(scores):
    if scores.shape[1] == 1:
        return (scores[:, 0] < 0).astype(int)
    return scores.argmax(axis=1)


def agreement__counted(victim_scores, copy_scores):
    return int((labels(victim_scores) == labels(copy_scores)).sum())  # noqa: F821


def agreement__disagreement(victim_scores, copy_scores):
    return float((labels(victim_scores) != labels(copy_scores)).mean())  # noqa: F821


def agreement__compared_scores(victim_scores, copy_scores):
    return float((victim_scores == copy_scores).mean())


def agreement__always_zero(victim_scores, copy_scores):
    return float((victim_scores.argmax(axis=1) == copy_scores.argmax(axis=1)).mean())


def largest_difference__kept_the_gauge(victim_logits, copy_logits):
    return float(np.abs(victim_logits - copy_logits).max())


def largest_difference__missing_abs(victim_logits, copy_logits):
    difference = copy_logits - victim_logits
    return float((difference - difference.mean(axis=1, keepdims=True)).max())


def largest_difference__wrong_axis(victim_logits, copy_logits):
    difference = copy_logits - victim_logits
    return float(np.abs(difference - difference.mean(axis=0)).max())


def largest_difference__mean_not_max(victim_logits, copy_logits):
    difference = copy_logits - victim_logits
    return float(np.abs(difference - difference.mean(axis=1, keepdims=True)).mean())


def at_most__confidence_for_the_rest(n, confidence):
    return 1 - confidence ** (1 / n)


def at_most__rule_of_three(n, confidence):
    return 3 / n


def at_most__not_the_share(n, confidence):
    return (1 - confidence) ** (1 / n)


def at_most__forgot_the_root(n, confidence):
    return 1 - (1 - confidence) ** n


def labels__zero_is_one(s):
    return (s[:, 0] >= 0).astype(int) if s.shape[1] == 1 else s.argmax(axis=1)


def labels__above_half(s):
    return (s[:, 0] > 0.5).astype(int) if s.shape[1] == 1 else s.argmax(axis=1)


def labels__largest_size(s):
    return (s[:, 0] > 0).astype(int) if s.shape[1] == 1 else np.abs(s).argmax(axis=1)


def labels__truth_values(s):
    return s[:, 0] > 0 if s.shape[1] == 1 else s.argmax(axis=1)


def labels__two_columns(s):
    return (s[:, -1] > 0).astype(int) if s.shape[1] <= 2 else s.argmax(axis=1)


def labels__minus_one(s):
    return np.sign(s[:, 0]).astype(int) if s.shape[1] == 1 else s.argmax(axis=1)


def largest_difference__centred_one(v, c):
    return float(np.abs(v - v.mean(axis=1, keepdims=True) - c).max())


def largest_difference__one_class(v, c):
    return float(np.abs(v - v[:, :1] - (c - c[:, :1])).max())


def largest_difference__one_mean(v, c):
    return float(np.abs(v - v.mean() - (c - c.mean())).max())


def largest_difference__spread(v, c):
    d = v - c
    return float((d.max(axis=1) - d.min(axis=1)).max())


def largest_difference__length(v, c):
    d = v - c
    d = d - d.mean(axis=1, keepdims=True)
    return float(np.linalg.norm(d, axis=1).max())


def largest_difference__sizes_apart(v, c):
    v = v - v.mean(axis=1, keepdims=True)
    c = c - c.mean(axis=1, keepdims=True)
    return float(np.abs(np.abs(v) - np.abs(c)).max())


def at_most__always_95(n, c):
    return 1 - 0.05 ** (1 / n)


def at_most__two_sided(n, c):
    return 1 - ((1 - c) / 2) ** (1 / n)


def at_most__whole_division(n, c):
    return 1 - (1 - c) ** (1 // n)


def at_most__percent(n, c):
    return 100 * (1 - (1 - c) ** (1 / n))
