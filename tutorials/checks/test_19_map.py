"""Checks of exercise 19."""

import numpy as np


def test_sweep_price(learner, rng):
    d, K, groups = (int(n) for n in rng.integers([50, 3, 3], [900, 12, 9]))
    rest = 5.4 * groups * K + 100
    learner.call("sweep_price", d, groups * K, K).equals(
        rest + (d + 1) * (groups + 1),
        mistakes={
            "one_jacobian_less": rest + (d + 1) * groups,
            "one_jacobian_more": rest + (d + 1) * (groups + 2),
            "forgot_the_check": rest + (d + 1) * (groups + 1) - 100,
            "brackets": rest + (d + 1) * groups + 1,
            "brackets__2": rest + d + 1 + groups,
            "forgot_q": rest - 4.4 * groups * K + (d + 1) * (groups + 1),
            "one_neuron_each": rest + (d + 1) * (groups * K + 1),
            "swapped_q": rest + 2.6 * groups * K + (d + 1) * (groups + 1),
            "d_for_d_plus_1": rest + d * (groups + 1),
        },
    )


def test_sweep_price__rounded_up(learner, rng):
    d, K = int(rng.integers(50, 900)), int(rng.integers(3, 12))
    groups = int(rng.integers(3, 9))
    h = (groups - 1) * K + 1  # one neuron is left over, nearer to rounding down
    rest = 5.4 * h + 100
    learner.call("sweep_price", d, h, K).equals(
        rest + (d + 1) * (groups + 1),
        mistakes={
            "rounded_down": rest + (d + 1) * groups,
            "d_for_d_plus_1": rest + d * (groups + 1),
            "one_q_for_all": rest + 2.6 * h + (d + 1) * (groups + 1),
            "not_rounded": rest + (d + 1) * (h / K + 1),
        },
    )


def test_sweep_price__one_output(learner, rng):
    d, h = int(rng.integers(50, 900)), int(rng.integers(5, 40))
    right = 8.0 * h + (d + 1) * (h + 1) + 100
    learner.call("sweep_price", d, h, 1).equals(right, mistakes={"one_q_for_all": right - 2.6 * h})


def test_sweep_price__few_neurons(learner, rng):
    """Two outputs are more than one; and fewer neurons than outputs are one group."""
    d = int(rng.integers(50, 900))
    right = 5.4 * 6 + (d + 1) * 4 + 100
    learner.call("sweep_price", d, 6, 2).equals(right, mistakes={"eight_for_two": right + 2.6 * 6})
    learner.call("sweep_price", d, 4, 9).equals(
        5.4 * 4 + (d + 1) * 2 + 100, mistakes={"rounded_down": 5.4 * 4 + (d + 1) + 100}
    )


def test_wrong_on_at_most(learner, rng):
    n, delta = int(rng.integers(20, 80)), float(rng.uniform(0.05, 0.08))
    missed = (1 - delta) ** n
    learner.call("wrong_on_at_most", n, 1 - missed).equals(
        delta,
        mistakes={
            "rule_of_three": 3 / n,
            "forgot_one_minus": 1 - delta,
            "root_of_confidence": 1 - (1 - missed) ** (1 / n),
            "small_delta": -np.log(missed) / n,
            "power_for_root": 1 - missed**n,
            "always_95": 1 - 0.05 ** (1 / n),
            "divided": 1 - missed / n,
            "divided__2": (1 - missed) / n,
            "divided__3": missed / n,
            "root_of_confidence__2": (1 - missed) ** (1 / n),
            "power_for_root__2": 1 - (1 - missed) ** n,
            "small_delta__2": -np.log2(missed) / n,
            "percent": 100 * delta,
        },
    )


def test_best_agreement(learner, rng):
    queries = np.array([100, 200, 400]) + rng.integers(0, 30, 3)
    agreement = np.sort(rng.uniform([0.2, 0.5, 0.8], [0.3, 0.6, 0.9]))
    middle = (queries[:-1] + queries[1:]) / 2
    price = float(queries[2] + 50)
    budgets = np.array([queries[0] / 2, middle[0], middle[1], queries[2] + 20, price, 2 * price])
    half, last = (agreement[:-1] + agreement[1:]) / 2, agreement[2]
    rising = last + 20 * (last - agreement[1]) / (queries[2] - queries[1])
    order = rng.permutation(6)  # budgets come in any order

    def answer(before, first, second, after, at_price=1.0, above=1.0):
        return np.array([before, first, second, after, at_price, above])[order]

    learner.call("best_agreement", budgets[order], price, queries, agreement).equals(
        answer(0, *half, last),
        mistakes={
            "first_value_before": answer(agreement[0], *half, last),
            "price_not_enough": answer(0, *half, last, last),
            "learned_alone": answer(0, *half, last, last, last),
            "direct_alone": answer(0, 0, 0, 0),
            "no_lines": answer(0, *agreement[:2], last),
            "no_lines__2": answer(0, *agreement[1:], last),
            "nothing_after": answer(0, *half, 0),
            "all_after": answer(0, *half, 1),
            "kept_rising": answer(0, *half, rising),
            "added_up": answer(0, *half, last, 1 + last, 1 + last),
            "sorted_the_answer": np.sort(answer(0, *half, last)),
            "worse_of_both": answer(0, 0, 0, 0, last, last),
            "mean_of_both": answer(0, *(half / 2), last / 2, (1 + last) / 2, (1 + last) / 2),
            "below_the_price": answer(1, 1, 1, 1, last, last),
            "line_from_zero": answer(agreement[0] * budgets[0] / queries[0], *half, last),
        },
    )


def test_best_agreement__cheap(learner, rng):
    """The direct attack costs less than the learned copy's first point."""
    queries, agreement = np.array([100, 200]), np.array([0.4, 0.6])
    price = int(rng.integers(20, 80))
    budgets = np.array([price - 1, price, 90, 150, 300])
    learner.call("best_agreement", budgets, price, queries, agreement).equals(
        np.array([0.0, 1, 1, 1, 1]),
        mistakes={
            "learned_first": np.array([0.0, 1, 1, 0.5, 0.6]),
            "direct_after_the_curve": np.array([0.0, 0, 0, 0.5, 1]),
        },
    )


def test_choose_attack(learner, rng):
    price = int(rng.integers(500, 900))
    learner.call("choose_attack", "logits", None, 1, "relu", price, 2 * price).equals(
        "sweep", mistakes={"none_is_exact": "learn", "wrong_activation": "smooth"}
    )
    learner.call("choose_attack", "logits", None, 1, "relu", price, price).equals(
        "sweep", mistakes={"budget_equal_to_price": "learn"}
    )
    for activation in ("tanh", "sigmoid", "gelu"):
        learner.call("choose_attack", "probs", 9, 1, activation, price, price + 100).equals(
            "smooth", mistakes={"wrong_activation": "sweep", "wrong_activation__2": "learn"}
        )
    for activation in ("none", "relu"):
        learner.call("choose_attack", "probs", None, 0, activation, price, 2 * price).equals(
            "linear",
            mistakes={"activation_of_no_layer": "sweep", "activation_of_no_layer__2": "smooth"},
        )


def test_choose_attack__labels(learner, rng):
    price = int(rng.integers(500, 900))
    learner.call("choose_attack", "label", None, 1, "relu", price, price).equals(
        "labels",
        mistakes={
            "labels_have_no_slope": "sweep",
            "labels_of_a_network": "label only",
            "labels_of_a_network__2": "learn",
        },
    )
    for layers, activation, budget in (
        (1, "relu", price - 1), (1, "tanh", 2 * price), (2, "relu", 2 * price),
    ):  # fmt: skip
        learner.call("choose_attack", "label", None, layers, activation, price, budget).equals(
            "learn",
            mistakes={
                "labels_have_no_slope": "deep",
                "labels_have_no_slope__2": "smooth",
                "labels_of_a_network": "label only",
                "all_networks_from_labels": "labels",
            },
        )
    for decimals, budget in ((None, 2 * price), (None, price - 1), (2, 2 * price)):
        learner.call("choose_attack", "label", decimals, 0, "none", price, budget).equals(
            "label only", mistakes={"labels_have_no_slope": "linear", "linear_survives": "learn"}
        )


def test_choose_attack__rounded(learner, rng):
    price = int(rng.integers(500, 900))
    for decimals in (3, 4, 0):
        learner.call("choose_attack", "logits", decimals, 1, "relu", price, 2 * price).equals(
            "learn", mistakes={"zero_is_not_none" if decimals == 0 else "ignored_rounding": "sweep"}
        )
    learner.call("choose_attack", "logits", 5, 1, "relu", price, 2 * price).equals(
        "sweep", mistakes={"five_are_enough": "learn"}
    )
    for decimals in (2, 0):
        learner.call("choose_attack", "logits", decimals, 0, "none", price, 2 * price).equals(
            "linear", mistakes={"linear_survives": "learn"}
        )


def test_choose_attack__deep(learner, rng):
    price = int(rng.integers(500, 900))
    for layers in (2, 5):
        learner.call("choose_attack", "logits", None, layers, "relu", price, 2 * price).equals(
            "deep", mistakes={"ignored_depth": "sweep", "depth_is_no_wall": "learn"}
        )
    learner.call("choose_attack", "logits", None, 3, "tanh", price, 2 * price).equals(
        "learn", mistakes={"ignored_depth": "smooth", "deep_of_another_activation": "deep"}
    )


def test_choose_attack__budget(learner, rng):
    price = int(rng.integers(500, 900))
    for layers, activation in ((1, "relu"), (1, "tanh"), (0, "none")):
        learner.call("choose_attack", "probs", None, layers, activation, price, price - 1).equals(
            "learn",
            mistakes={
                "ignored_budget": "sweep",
                "ignored_budget__2": "smooth",
                "ignored_budget__3": "linear",
            },
        )
