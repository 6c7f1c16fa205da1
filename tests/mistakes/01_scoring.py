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
