"""Checks of exercise 11."""

import numpy as np


def test_standard_error(learner, rng):
    share, n = float(rng.uniform(0.6, 0.9)), int(rng.integers(200, 900))
    variance = share - share**2
    learner.call("standard_error", share, n).equals(
        (variance / n) ** 0.5,
        mistakes={
            "one_row": variance**0.5,
            "no_root": variance / n,
            "divided_by_n": variance**0.5 / n,
            "worst_case": 0.5 / n**0.5,
        },
    )


def test_last_rounds(learner, rng):
    curves = np.sort(rng.uniform(0.2, 0.6, (3, 4)), axis=1)  # three seeds, four rounds
    curves[:, 3] = curves[:, 2] - 0.05  # the last is not the best
    seeds, rounds = np.repeat([3, 7, 12], 4), np.tile(np.arange(4), 3)
    # the last rounds come first in the table, and that of the largest seed before the others
    middle = rng.permutation([0, 2, 4, 6, 8, 10])
    order = np.concatenate([[11, 3, 7], middle, rng.permutation([1, 5, 9])])
    flat = curves.ravel()[order]
    learner.call("last_rounds", seeds[order], rounds[order], flat).equals(
        curves[:, 3],
        mistakes={
            "best_round": curves[:, 2],
            "first_round": curves[:, 0],
            "last_line": curves[:, 1],
            "order_of_the_table": curves[[2, 0, 1], 3],
        },
    )


def test_paired_difference(learner, rng):
    b = rng.uniform(0.4, 0.5, 6)
    gains = np.array([0.05, 0.11, 0.08, 0.2, -0.03, 0.0])[rng.permutation(6)]
    a = b + gains
    learner.call("paired_difference", a, b).equals(
        (gains.mean(), 4),
        mistakes={
            "turned": (-gains.mean(), 1),
            "ties_count": (gains.mean(), 5),
            "share_of_seeds": (gains.mean(), 4 / 6),
            "difference_of_best": (a.max() - b.max(), 4),
        },
    )


def test_queries_to_reach(learner, rng):
    queries = np.cumsum(rng.integers(50, 150, 6))
    way = float(rng.uniform(0.6, 0.9))  # share of the way from the third round to the fourth
    agreement = np.array([0.1, 0.2, 0.3, 0.7, 0.25, 0.8]) + rng.uniform(0, 0.01, 6)
    level = agreement[2] + way * (agreement[3] - agreement[2])
    later = (level - agreement[4]) / (agreement[5] - agreement[4])
    learner.call("queries_to_reach", queries, agreement, level).equals(
        queries[2] + way * (queries[3] - queries[2]),
        mistakes={
            "next_round": float(queries[3]),
            "round_before": float(queries[2]),
            "last_crossing": queries[4] + later * (queries[5] - queries[4]),
            "middle": (queries[2] + queries[3]) / 2,
        },
    )


def test_queries_to_reach__never(learner, rng):
    agreement = np.sort(rng.uniform(0.1, 0.5, 5))
    learner.call("queries_to_reach", np.arange(1, 6) * 100, agreement, 0.9).equals(
        np.inf, mistakes={"never_reached": 500.0, "never_reached__2": np.nan}
    )
