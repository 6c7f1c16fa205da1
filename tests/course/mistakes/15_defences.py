"""Known mistakes of exercise 15: each function is FUNCTION__KEY, and KEY its diagnosis."""

from math import erf, erfc, log

import numpy as np


def pulled(p, gamma):
    return 1 / (1 + np.exp(-gamma * np.log(p / (1 - p))))


def normal(rows):
    return rows / rows.sum(axis=1, keepdims=True)


def reverse_sigmoid__not_normalised(probs, beta, gamma):
    return probs - beta * (pulled(probs, gamma) - 0.5)


def reverse_sigmoid__forgot_the_half(probs, beta, gamma):
    return normal(probs - beta * pulled(probs, gamma))


def reverse_sigmoid__away_from_half(probs, beta, gamma):
    return normal(probs + beta * (pulled(probs, gamma) - 0.5))


def reverse_sigmoid__no_gamma(probs, beta, gamma):
    return normal(probs - beta * (pulled(probs, 1) - 0.5))


def reverse_sigmoid__gamma_outside(probs, beta, gamma):
    return normal(probs - beta * gamma * (pulled(probs, 1) - 0.5))


def reverse_sigmoid__sigmoid_of_p(probs, beta, gamma):
    return normal(probs - beta * (1 / (1 + np.exp(-gamma * probs)) - 0.5))


def reverse_sigmoid__down_the_columns(probs, beta, gamma):
    moved = probs - beta * (pulled(probs, gamma) - 0.5)
    return moved / moved.sum(axis=0)


def reverse_sigmoid__whole_table(probs, beta, gamma):
    moved = probs - beta * (pulled(probs, gamma) - 0.5)
    return moved / moved.sum()


def told_by(probs, beta, gamma, logit):
    return normal(probs - beta * (1 / (1 + np.exp(-gamma * logit(probs))) - 0.5))


def reverse_sigmoid__softmax(probs, beta, gamma):
    moved = np.exp(probs - beta * (pulled(probs, gamma) - 0.5))
    return moved / moved.sum(axis=1, keepdims=True)


def reverse_sigmoid__other_norm(probs, beta, gamma):
    moved = probs - beta * (pulled(probs, gamma) - 0.5)
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def reverse_sigmoid__log_base(probs, beta, gamma):
    return told_by(probs, beta, gamma, lambda p: np.log2(p / (1 - p)))


def reverse_sigmoid__log_base__2(probs, beta, gamma):
    return told_by(probs, beta, gamma, lambda p: np.log10(p / (1 - p)))


def reverse_sigmoid__log_of_p_alone(probs, beta, gamma):
    return told_by(probs, beta, gamma, np.log)


def reverse_sigmoid__odds_not_logit(probs, beta, gamma):
    return told_by(probs, beta, gamma, lambda p: p / (1 - p))


def reverse_sigmoid__swapped_numbers(probs, beta, gamma):
    return told_by(probs, gamma, beta, lambda p: np.log(p / (1 - p)))


def reverse_sigmoid__mutated(probs, beta, gamma):
    probs -= beta * (pulled(probs, gamma) - 0.5)
    return normal(probs)


def reverse_sigmoid__raised(probs, beta, gamma):
    moved = probs - beta * (pulled(probs, gamma) - 0.5)
    return moved / moved.sum(axis=1)


def count_votes__classes_nobody_says(said, classes):
    return (said[:, :, None] == np.arange(said.max() + 1)).sum(axis=0)


def count_votes__from_one(said, classes):
    return (said[:, :, None] == np.arange(1, classes + 1)).sum(axis=0)


def count_votes__shares(said, classes):
    return (said[:, :, None] == np.arange(classes)).mean(axis=0)


def count_votes__transpose(said, classes):
    return (said[:, :, None] == np.arange(classes)).sum(axis=0).T


def count_votes__by_teacher(said, classes):
    return (said[:, :, None] == np.arange(classes)).sum(axis=1)


def count_votes__winners(said, classes):
    return (said[:, :, None] == np.arange(classes)).sum(axis=0).argmax(axis=1)


def count_votes__said_or_not(said, classes):
    return (said[:, :, None] == np.arange(classes)).any(axis=0).astype(int)


def count_votes__all_questions(said, classes):
    return np.bincount(said.ravel(), minlength=classes)


def chances(votes, width):
    return [0.5 * erfc((max(votes) - v) / width) for v in votes]


def another_answer__winner_too(votes, sigma):
    return min(sum(chances(votes, 2 * sigma)), 1 - 1 / len(votes))


def another_answer__winner_too__2(votes, sigma):
    return sum(chances(votes, 2 * sigma))


def another_answer__factor_2(votes, sigma):
    return min(2 * (sum(chances(votes, 2 * sigma)) - 0.5), 1 - 1 / len(votes))


def another_answer__runner_up_alone(votes, sigma):
    return 0.5 * erfc((np.sort(votes)[-1] - np.sort(votes)[-2]) / (2 * sigma))


def another_answer__one_noise(votes, sigma):
    return min(sum(chances(votes, np.sqrt(2) * sigma)) - 0.5, 1 - 1 / len(votes))


def another_answer__no_limit(votes, sigma):
    return sum(chances(votes, 2 * sigma)) - 0.5


def another_answer__limit_of_one(votes, sigma):
    return min(sum(chances(votes, 2 * sigma)) - 0.5, 1.0)


def another_answer__not_doubled(votes, sigma):
    return min(sum(chances(votes, sigma)) - 0.5, 1 - 1 / len(votes))


def another_answer__sigma_squared(votes, sigma):
    return min(sum(chances(votes, 2 * sigma**2)) - 0.5, 1 - 1 / len(votes))


def another_answer__gap_turned(votes, sigma):
    q = sum(0.5 * erfc((v - max(votes)) / (2 * sigma)) for v in votes) - 0.5
    return min(q, 1 - 1 / len(votes))


def another_answer__chance_of_any(votes, sigma):
    each = np.sort(chances(votes, 2 * sigma))[:-1]
    return float(min(1 - np.prod(1 - each), 1 - 1 / len(votes)))


def another_answer__equal_ones_left_out(votes, sigma):
    rivals = votes[votes != votes.max()]
    q = sum(0.5 * erfc((votes.max() - v) / (2 * sigma)) for v in rivals)
    return float(min(q, 1 - 1 / len(votes)))


def another_answer__other_limit(votes, sigma):
    return min(sum(chances(votes, 2 * sigma)) - 0.5, 0.5)


def another_answer__rounded_away(votes, sigma):
    rivals = np.delete(votes, np.argmax(votes))
    q = sum(0.5 * (1 - erf((max(votes) - v) / (2 * sigma))) for v in rivals)
    return float(min(q, 1 - 1 / len(votes)))


def cheapest(totals, orders):
    return float(totals.min()), float(orders[totals.argmin()])


def bill__forgot_delta(costs, orders, delta):
    return cheapest(costs.sum(axis=0), orders)


def bill__sign_of_log(costs, orders, delta):
    return cheapest(costs.sum(axis=0) + log(delta) / (orders - 1), orders)


def bill__order_not_less_one(costs, orders, delta):
    return cheapest(costs.sum(axis=0) + log(1 / delta) / orders, orders)


def bill__not_divided(costs, orders, delta):
    return cheapest(costs.sum(axis=0) + log(1 / delta), orders)


def bill__log_10(costs, orders, delta):
    return cheapest(costs.sum(axis=0) + np.log10(1 / delta) / (orders - 1), orders)


def bill__averaged(costs, orders, delta):
    return cheapest(costs.mean(axis=0) + log(1 / delta) / (orders - 1), orders)


def bill__place_not_order(costs, orders, delta):
    totals = costs.sum(axis=0) + log(1 / delta) / (orders - 1)
    return float(totals.min()), int(totals.argmin())


def bill__best_of_each(costs, orders, delta):
    each = (costs + log(1 / delta) / (orders - 1)).min(axis=1)
    totals = costs.sum(axis=0) + log(1 / delta) / (orders - 1)
    return float(each.sum()), float(orders[totals.argmin()])


def bill__epsilon_alone(costs, orders, delta):
    return float((costs.sum(axis=0) + log(1 / delta) / (orders - 1)).min())


def bill__log_2(costs, orders, delta):
    return cheapest(costs.sum(axis=0) + np.log2(1 / delta) / (orders - 1), orders)


def bill__delta_paid_each_time(costs, orders, delta):
    return cheapest((costs + log(1 / delta) / (orders - 1)).sum(axis=0), orders)


def bill__one_answer_alone(costs, orders, delta):
    return cheapest(costs.max(axis=0) + log(1 / delta) / (orders - 1), orders)


def bill__order_of_the_costs(costs, orders, delta):
    i = int(costs.sum(axis=0).argmin())
    return float(costs.sum(axis=0)[i] + log(1 / delta) / (orders[i] - 1)), float(orders[i])


def bill__an_end_left_out(costs, orders, delta):
    totals = costs.sum(axis=0) + log(1 / delta) / (orders - 1)
    return cheapest(totals[:-1], orders) if len(orders) < 5 else cheapest(totals, orders)


def bill__reversed(costs, orders, delta):
    return cheapest(costs.sum(axis=0) + log(1 / delta) / (orders - 1), orders)[::-1]
