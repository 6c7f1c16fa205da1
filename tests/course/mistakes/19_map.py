"""Known mistakes of exercise 19: each function is FUNCTION__KEY, and KEY its diagnosis."""

import math

import numpy as np


def sweep_price__rounded_down(d, h, K):
    return float((8 if K == 1 else 5.4) * h + (d + 1) * (h // K + 1) + 100)


def sweep_price__one_jacobian_less(d, h, K):
    return float((8 if K == 1 else 5.4) * h + (d + 1) * math.ceil(h / K) + 100)


def sweep_price__d_for_d_plus_1(d, h, K):
    return float((8 if K == 1 else 5.4) * h + d * (math.ceil(h / K) + 1) + 100)


def sweep_price__one_q_for_all(d, h, K):
    return float(5.4 * h + (d + 1) * (math.ceil(h / K) + 1) + 100)


def wrong_on_at_most__rule_of_three(n, confidence):
    return 3 / n


def wrong_on_at_most__root_of_confidence(n, confidence):
    return 1 - confidence ** (1 / n)


def wrong_on_at_most__forgot_one_minus(n, confidence):
    return (1 - confidence) ** (1 / n)


def wrong_on_at_most__divided(n, confidence):
    return 1 - (1 - confidence) / n


def best_agreement__first_value_before(budgets, price, queries, agreement):
    return np.where(budgets >= price, 1.0, np.interp(budgets, queries, agreement))


def best_agreement__price_not_enough(budgets, price, queries, agreement):
    return np.where(budgets > price, 1.0, np.interp(budgets, queries, agreement, left=0))


def best_agreement__learned_alone(budgets, price, queries, agreement):
    return np.interp(budgets, queries, agreement, left=0)


def best_agreement__direct_alone(budgets, price, queries, agreement):
    return np.where(budgets >= price, 1.0, 0.0)


def best_agreement__no_lines(budgets, price, queries, agreement):
    place = np.searchsorted(queries, budgets, side="right")
    learned = np.concatenate([[0.0], agreement])[place]
    return np.where(budgets >= price, 1.0, learned)


def few_of(decimals):
    return decimals is not None and decimals < 5


def of_labels(layers, activation, dear):
    if layers == 0:
        return "label only"
    return "labels" if layers == 1 and activation == "relu" and not dear else "learn"


def direct(layers, activation):
    if layers == 0:
        return "linear"
    if activation != "relu":
        return "smooth"
    return "sweep" if layers == 1 else "deep"


def choose_attack__labels_have_no_slope(output, decimals, layers, activation, price, budget):
    if decimals is not None and decimals < 5 and layers > 0:
        return "learn"
    if price > budget or (layers > 1 and activation != "relu"):
        return "learn"
    return direct(layers, activation)


def choose_attack__ignored_rounding(output, decimals, layers, activation, price, budget):
    if output == "label":
        return of_labels(layers, activation, price > budget)
    if price > budget or (layers > 1 and activation != "relu"):
        return "learn"
    return direct(layers, activation)


def choose_attack__linear_survives(output, decimals, layers, activation, price, budget):
    if output == "label":
        return of_labels(layers, activation, price > budget)
    if few_of(decimals) or (layers > 1 and activation != "relu") or price > budget:
        return "learn"
    return direct(layers, activation)


def choose_attack__ignored_depth(output, decimals, layers, activation, price, budget):
    if output == "label":
        return of_labels(layers, activation, price > budget)
    if decimals is not None and decimals < 5 and layers > 0:
        return "learn"
    if price > budget:
        return "learn"
    return direct(min(layers, 1), activation)


def choose_attack__ignored_budget(output, decimals, layers, activation, price, budget):
    if output == "label":
        return of_labels(layers, activation, price > budget)
    if (layers > 1 and activation != "relu") or (few_of(decimals) and layers > 0):
        return "learn"
    return direct(layers, activation)


def choose_attack__wrong_activation(output, decimals, layers, activation, price, budget):
    if output == "label":
        return of_labels(layers, activation, price > budget)
    if price > budget or (few_of(decimals) and layers > 0):
        return "learn"
    return "linear" if layers == 0 else "sweep"


def sweep_price__one_jacobian_more(d, h, K):
    return float((8 if K == 1 else 5.4) * h + (d + 1) * (h // K + 2) + 100)


def sweep_price__rounded_down__2(d, h, K):
    return float((8 if K == 1 else 5.4) * h + (d + 1) * (round(h / K) + 1) + 100)


def sweep_price__eight_for_two(d, h, K):
    return float((8 if K < 3 else 5.4) * h + (d + 1) * (math.ceil(h / K) + 1) + 100)


def sweep_price__forgot_the_check(d, h, K):
    return float((8 if K == 1 else 5.4) * h + (d + 1) * (math.ceil(h / K) + 1))


def wrong_on_at_most__small_delta(n, confidence):
    return -math.log(1 - confidence) / n


def wrong_on_at_most__power_for_root(n, confidence):
    return 1 - (1 - confidence) ** n


def best_agreement__nothing_after(budgets, price, queries, agreement):
    learned = np.interp(budgets, queries, agreement, left=0, right=0)
    return np.where(budgets >= price, 1.0, learned)


def best_agreement__direct_after_the_curve(budgets, price, queries, agreement):
    learned = np.interp(budgets, queries, agreement, left=0)
    return np.where((budgets >= price) & (budgets > queries[-1]), 1.0, learned)


def best_agreement__sorted_the_answer(budgets, price, queries, agreement):
    learned = np.interp(budgets, queries, agreement, left=0)
    return np.sort(np.where(budgets >= price, 1.0, learned))


def chosen(output, few, layers, activation, dear):
    if output == "label":
        return of_labels(layers, activation, dear)
    if (few and layers > 0) or (layers > 1 and activation != "relu") or dear:
        return "learn"
    return direct(layers, activation)


def choose_attack__five_are_enough(output, decimals, layers, activation, price, budget):
    few = decimals is not None and decimals <= 5
    return chosen(output, few, layers, activation, price > budget)


def choose_attack__zero_is_not_none(output, decimals, layers, activation, price, budget):
    return chosen(output, decimals and decimals < 5, layers, activation, price > budget)


def choose_attack__budget_equal_to_price(output, decimals, layers, activation, price, budget):
    few = decimals is not None and decimals < 5
    return chosen(output, few, layers, activation, price >= budget)


def choose_attack__ignored_budget__2(output, decimals, layers, activation, price, budget):
    few = decimals is not None and decimals < 5
    return chosen(output, few, layers, activation, price > budget and layers > 0)


def choose_attack__activation_of_no_layer(output, decimals, layers, activation, price, budget):
    few = decimals is not None and decimals < 5
    said = chosen(output, few, layers, activation, price > budget)
    return "sweep" if said == "linear" and activation == "relu" else said


def choose_attack__wrong_activation__2(output, decimals, layers, activation, price, budget):
    few = decimals is not None and decimals < 5
    said = chosen(output, few, layers, activation, price > budget)
    return "sweep" if said == "smooth" and activation != "tanh" else said


def price_of(d, groups, kinks):
    return float(kinks + (d + 1) * (groups + 1) + 100)


def sweep_price__forgot_q(d, h, K):
    return price_of(d, math.ceil(h / K), h)


def sweep_price__one_neuron_each(d, h, K):
    return price_of(d, h, 5.4 * h)


def sweep_price__swapped_q(d, h, K):
    return price_of(d, math.ceil(h / K), (5.4 if K == 1 else 8) * h)


def sweep_price__not_rounded(d, h, K):
    return price_of(d, h / K, (8 if K == 1 else 5.4) * h)


def sweep_price__brackets(d, h, K):
    return float((8 if K == 1 else 5.4) * h + d + 1 * (math.ceil(h / K) + 1) + 100)


def wrong_on_at_most__percent(n, confidence):
    return 100 * (1 - (1 - confidence) ** (1 / n))


def wrong_on_at_most__divided__2(n, confidence):
    return (1 - confidence) / n


def best_agreement__worse_of_both(budgets, price, queries, agreement):
    learned = np.interp(budgets, queries, agreement, left=0)
    return np.minimum(learned, np.where(budgets >= price, 1.0, 0.0))


def best_agreement__mean_of_both(budgets, price, queries, agreement):
    learned = np.interp(budgets, queries, agreement, left=0)
    return (learned + np.where(budgets >= price, 1.0, 0.0)) / 2


def best_agreement__below_the_price(budgets, price, queries, agreement):
    return np.where(budgets < price, 1.0, np.interp(budgets, queries, agreement, left=0))


def best_agreement__line_from_zero(budgets, price, queries, agreement):
    learned = np.interp(budgets, [0, *queries], [0, *agreement])
    return np.where(budgets >= price, 1.0, learned)


def choose_attack__none_is_exact(output, decimals, layers, activation, price, budget):
    return chosen(output, decimals is None or decimals < 5, layers, activation, price > budget)


def choose_attack__labels_of_a_network__2(output, decimals, layers, activation, price, budget):
    found = chosen(output, few_of(decimals), layers, activation, price > budget)
    return "learn" if found == "labels" else found


def choose_attack__all_networks_from_labels(output, decimals, layers, activation, price, budget):
    if output == "label" and layers > 0:
        return "labels"
    return chosen(output, few_of(decimals), layers, activation, price > budget)


def choose_attack__depth_is_no_wall(output, decimals, layers, activation, price, budget):
    found = chosen(output, few_of(decimals), layers, activation, price > budget)
    return "learn" if found == "deep" else found


def choose_attack__deep_of_another_activation(output, decimals, layers, activation, price, budget):
    if layers > 1 and output != "label" and not few_of(decimals) and price <= budget:
        return "deep"
    return chosen(output, few_of(decimals), layers, activation, price > budget)
