"""Checks of exercise 19."""

import numpy as np


def test_sweep_price(learner, rng):
    d, K, groups = (int(n) for n in rng.integers([50, 3, 3], [900, 12, 9]))
    rest = 5.4 * groups * K + 100
    learner.call("sweep_price", d, groups * K, K).equals(
        rest + (d + 1) * (groups + 1),
        mistakes={
            "one_jacobian_less": rest + (d + 1) * groups,
            "d_for_d_plus_1": rest + d * (groups + 1),
        },
    )


def test_sweep_price__rounded_up(learner, rng):
    d, K = int(rng.integers(50, 900)), int(rng.integers(3, 12))
    groups = int(rng.integers(3, 9))
    h = (groups - 1) * K + int(rng.integers(1, K))
    rest = 5.4 * h + 100
    learner.call("sweep_price", d, h, K).equals(
        rest + (d + 1) * (groups + 1),
        mistakes={
            "rounded_down": rest + (d + 1) * groups,
            "d_for_d_plus_1": rest + d * (groups + 1),
            "one_q_for_all": rest + 2.6 * h + (d + 1) * (groups + 1),
        },
    )


def test_sweep_price__one_output(learner, rng):
    d, h = int(rng.integers(50, 900)), int(rng.integers(5, 40))
    right = 8.0 * h + (d + 1) * (h + 1) + 100
    learner.call("sweep_price", d, h, 1).equals(right, mistakes={"one_q_for_all": right - 2.6 * h})


def test_wrong_on_at_most(learner, rng):
    n, delta = int(rng.integers(20, 80)), float(rng.uniform(0.05, 0.08))
    missed = (1 - delta) ** n
    learner.call("wrong_on_at_most", n, 1 - missed).equals(
        delta,
        mistakes={
            "rule_of_three": 3 / n,
            "forgot_one_minus": 1 - delta,
            "root_of_confidence": 1 - (1 - missed) ** (1 / n),
            "divided": 1 - missed / n,
            "divided__2": (1 - missed) / n,
        },
    )


def test_best_agreement(learner, rng):
    queries = np.array([100, 200, 400]) + rng.integers(0, 30, 3)
    agreement = np.sort(rng.uniform([0.2, 0.5, 0.8], [0.3, 0.6, 0.9]))
    middle = (queries[:-1] + queries[1:]) / 2
    price = float(queries[2] + 50)
    budgets = np.array([queries[0] / 2, middle[0], middle[1], queries[2] + 20, price, 2 * price])
    half = (agreement[:-1] + agreement[1:]) / 2
    learned = np.array([0, half[0], half[1], agreement[2]])
    learner.call("best_agreement", budgets, price, queries, agreement).equals(
        np.array([*learned, 1, 1]),
        mistakes={
            "first_value_before": np.array([agreement[0], *learned[1:], 1, 1]),
            "price_not_enough": np.array([*learned, agreement[2], 1]),
            "learned_alone": np.array([*learned, agreement[2], agreement[2]]),
            "direct_alone": np.array([0.0, 0, 0, 0, 1, 1]),
            "no_lines": np.array([0, agreement[0], agreement[1], agreement[2], 1, 1]),
        },
    )


def test_choose_attack(learner, rng):
    price = int(rng.integers(500, 900))
    learner.call("choose_attack", "logits", None, 1, "relu", price, price).equals("sweep")
    learner.call("choose_attack", "probs", 9, 1, "tanh", price, price + 100).equals(
        "smooth", mistakes={"wrong_activation": "sweep"}
    )
    learner.call("choose_attack", "probs", None, 0, "none", price, 2 * price).equals("linear")


def test_choose_attack__labels(learner, rng):
    price = int(rng.integers(500, 900))
    learner.call("choose_attack", "label", None, 1, "relu", price, 2 * price).equals(
        "learn", mistakes={"labels_have_no_slope": "sweep"}
    )
    learner.call("choose_attack", "label", None, 0, "none", price, 2 * price).equals(
        "label only", mistakes={"labels_have_no_slope": "linear", "linear_survives": "learn"}
    )


def test_choose_attack__rounded(learner, rng):
    price, decimals = int(rng.integers(500, 900)), int(rng.integers(1, 5))
    learner.call("choose_attack", "logits", decimals, 1, "relu", price, 2 * price).equals(
        "learn", mistakes={"ignored_rounding": "sweep"}
    )
    learner.call("choose_attack", "logits", decimals, 0, "none", price, 2 * price).equals(
        "linear", mistakes={"linear_survives": "learn"}
    )


def test_choose_attack__deep(learner, rng):
    layers, price = int(rng.integers(2, 6)), int(rng.integers(500, 900))
    learner.call("choose_attack", "logits", None, layers, "relu", price, 2 * price).equals(
        "learn", mistakes={"ignored_depth": "sweep"}
    )


def test_choose_attack__budget(learner, rng):
    price = int(rng.integers(500, 900))
    learner.call("choose_attack", "probs", None, 1, "relu", price, price - 1).equals(
        "learn", mistakes={"ignored_budget": "sweep"}
    )
