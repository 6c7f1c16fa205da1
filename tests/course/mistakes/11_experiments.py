"""Known mistakes of exercise 11: each function is FUNCTION__KEY, and KEY its diagnosis."""

import math

import numpy as np


def rows_needed__rounded_down(p, e):
    return int(p * (1 - p) / e**2)


def rows_needed__not_whole(p, e):
    return p * (1 - p) / e**2


def rows_needed__not_squared(p, e):
    return math.ceil(p * (1 - p) / e)


def rows_needed__root_kept(p, e):
    return math.ceil(math.sqrt(p * (1 - p)) / e)


def rows_needed__worst_case(p, e):
    return math.ceil(0.25 / e**2)


def rows_needed__share_alone(p, e):
    return math.ceil(p / e**2)


def rows_needed__share_alone__2(p, e):
    return math.ceil((1 - p) / e**2)


def rows_needed__interval(p, e):
    return math.ceil(1.96**2 * p * (1 - p) / e**2)


def rows_needed__interval__2(p, e):
    return math.ceil(4 * p * (1 - p) / e**2)


def rows_needed__one_too_many(p, e):
    return int(round(p * (1 - p) / e**2, 9)) + 1


def last_rounds__best_round(seeds, rounds, agreement):
    return np.array([agreement[seeds == seed].max() for seed in np.unique(seeds)])


def last_rounds__first_round(seeds, rounds, agreement):
    return np.array([agreement[(seeds == s) & (rounds == 0)][0] for s in np.unique(seeds)])


def last_rounds__last_line(seeds, rounds, agreement):
    return np.array([agreement[seeds == seed][-1] for seed in np.unique(seeds)])


def last_rounds__order_of_the_table(seeds, rounds, agreement):
    order = list(dict.fromkeys(seeds.tolist()))
    return np.array([agreement[seeds == s][rounds[seeds == s].argmax()] for s in order])


def last_rounds__same_round_for_all(seeds, rounds, agreement):
    last = rounds == rounds.max()
    return agreement[last][np.argsort(seeds[last])]


def last_rounds__place_among_its_own(seeds, rounds, agreement):
    return np.array([agreement[rounds[seeds == s].argmax()] for s in np.unique(seeds)])


def last_rounds__sorted_the_answer(seeds, rounds, agreement):
    each = [agreement[seeds == s][rounds[seeds == s].argmax()] for s in np.unique(seeds)]
    return np.sort(each)


def last_rounds__round_not_agreement(seeds, rounds, agreement):
    return np.array([rounds[seeds == s].max() for s in np.unique(seeds)])


def last_rounds__mean_of_the_run(seeds, rounds, agreement):
    return np.array([agreement[seeds == s].mean() for s in np.unique(seeds)])


def paired_difference__turned(a, b):
    return float((b - a).mean()), int((b > a).sum())


def paired_difference__ties_count(a, b):
    return float((a - b).mean()), int((a >= b).sum())


def paired_difference__share_of_seeds(a, b):
    return float((a - b).mean()), float((a > b).mean())


def paired_difference__difference_of_best(a, b):
    return float(a.max() - b.max()), int((a > b).sum())


def paired_difference__size_of_differences(a, b):
    return float(np.abs(a - b).mean()), int((a > b).sum())


def paired_difference__wins_alone(a, b):
    return float((a - b)[a > b].mean()), int((a > b).sum())


def paired_difference__wins_less_losses(a, b):
    return float((a - b).mean()), int(np.sign(a - b).sum())


def paired_difference__median(a, b):
    return float(np.median(a - b)), int((a > b).sum())


def paired_difference__reversed(a, b):
    return int((a > b).sum()), float((a - b).mean())


def queries_to_reach__next_round(queries, agreement, level):
    return float(queries[np.argmax(agreement >= level)]) if agreement.max() >= level else np.inf


def queries_to_reach__round_before(queries, agreement, level):
    if agreement.max() < level:
        return np.inf
    return float(queries[np.argmax(agreement >= level) - 1])


def queries_to_reach__last_crossing(queries, agreement, level):
    found = np.inf
    for i in range(1, len(queries)):
        if agreement[i - 1] < level <= agreement[i]:
            share = (level - agreement[i - 1]) / (agreement[i] - agreement[i - 1])
            found = queries[i - 1] + share * (queries[i] - queries[i - 1])
    return float(found)


def queries_to_reach__middle(queries, agreement, level):
    if agreement.max() < level:
        return np.inf
    i = int(np.argmax(agreement >= level))
    return float((queries[i - 1] + queries[i]) / 2)


def queries_to_reach__never_reached(queries, agreement, level):
    for i in range(1, len(queries)):
        if agreement[i] >= level:
            share = (level - agreement[i - 1]) / (agreement[i] - agreement[i - 1])
            return float(queries[i - 1] + share * (queries[i] - queries[i - 1]))
    return float(queries[-1])


def between(queries, agreement, level, first, last, reached):
    for i in range(first, last):
        if reached(agreement[i], level):
            share = (level - agreement[i - 1]) / (agreement[i] - agreement[i - 1])
            return float(queries[i - 1] + share * (queries[i] - queries[i - 1]))
    return np.inf


def queries_to_reach__an_end_left_out(queries, agreement, level):
    return between(queries, agreement, level, 1, len(queries) - 1, lambda a, b: a >= b)


def queries_to_reach__an_end_left_out__2(queries, agreement, level):
    return between(queries, agreement, level, 2, len(queries), lambda a, b: a >= b)


def queries_to_reach__only_above(queries, agreement, level):
    return between(queries, agreement, level, 1, len(queries), lambda a, b: a > b)


def queries_to_reach__last_crossing__2(queries, agreement, level):
    return float(np.interp(level, agreement, queries))


def queries_to_reach__agreement_must_rise(queries, agreement, level):
    return float(np.interp(level, np.maximum.accumulate(agreement), queries))


def queries_to_reach__from_the_far_end(queries, agreement, level):
    i = int(np.argmax(agreement >= level))
    share = (agreement[i] - level) / (agreement[i] - agreement[i - 1])
    return float(queries[i - 1] + share * (queries[i] - queries[i - 1]))
