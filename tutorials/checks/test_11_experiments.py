"""Checks of exercise 11."""

import numpy as np


def test_rows_needed(learner, rng):
    share, n = float(rng.uniform(0.6, 0.9)), int(rng.integers(200, 900))
    variance = share - share**2
    wobble = (variance / (n - 0.7)) ** 0.5
    exact = variance / wobble**2
    learner.call("rows_needed", share, wobble).equals(
        n,
        mistakes={
            "rounded_down": n - 1,
            "not_whole": exact,
            "not_squared": int(np.ceil(variance / wobble)),
            "root_kept": int(np.ceil(variance**0.5 / wobble)),
            "worst_case": int(np.ceil(0.25 / wobble**2)),
            "share_alone": int(np.ceil(share / wobble**2)),
            "share_alone__2": int(np.ceil((1 - share) / wobble**2)),
            "interval": int(np.ceil(1.96**2 * exact)),
            "interval__2": int(np.ceil(4 * exact)),
            "error_of_one": wobble,
            "error_of_n": (variance / n) ** 0.5,
        },
    )


def test_rows_needed__just_enough(learner, rng):
    n = int(rng.integers(3, 9)) ** 2 * 100
    learner.call("rows_needed", 0.5, float(0.5 / n**0.5)).equals(
        n, mistakes={"one_too_many": n + 1}
    )


def test_last_rounds(learner, rng):
    # four seeds with runs of five, four, six and three rounds, the last of which is not the best
    seeds, rounds, agreement = [], [], []
    lengths, first, best, last = [5, 4, 6, 3], [], [], []
    for i, n in enumerate(rng.permutation(4)):
        curve = [0.3, 0.1, 0.4, 0.2][i] + np.sort(rng.uniform(0, 0.09, lengths[n]))
        curve[-1] = curve[-2] - 0.05
        seeds += [[3, 7, 12, 20][i]] * len(curve)
        rounds += range(len(curve))
        agreement += curve.tolist()
        first.append(curve[0])
        best.append(curve[-2])
        last.append(curve[-1])
    s, r, a = np.array(seeds), np.array(rounds), np.array(agreement)
    first, best, last = np.array(first), np.array(best), np.array(last)
    ends = np.append(s[1:] != s[:-1], True)
    # the last rounds come first in the table, those of the large seeds before the others; the
    # lines at the end of the table are second rounds
    order = np.concatenate(
        [
            np.flatnonzero(ends)[[3, 1, 2, 0]],
            rng.permutation(np.flatnonzero(~ends & (r != 1))),
            rng.permutation(np.flatnonzero(~ends & (r == 1))),
        ]
    )
    s, r, a = s[order], r[order], a[order]
    at = [int(np.flatnonzero(s == seed)[-1]) for seed in (3, 7, 12, 20)]
    inner = [int(np.argmax(r[s == seed])) for seed in (3, 7, 12, 20)]
    learner.call("last_rounds", s, r, a).equals(
        last,
        mistakes={
            "best_round": best,
            "first_round": first,
            "last_line": a[at],
            "order_of_the_table": last[[3, 1, 2, 0]],
            "same_round_for_all": a[r == r.max()],
            "place_among_its_own": a[inner],
            "sorted_the_answer": np.sort(last),
            "round_not_agreement": np.array([r[s == seed].max() for seed in (3, 7, 12, 20)]),
            "mean_of_the_run": np.array([a[s == seed].mean() for seed in (3, 7, 12, 20)]),
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
            "size_of_differences": (np.abs(gains).mean(), 4),
            "wins_alone": (gains[gains > 0].mean(), 4),
            "wins_less_losses": (gains.mean(), 3),
            "losses": (gains.mean(), 1),
            "median": (np.median(gains), 4),
            "relative": ((gains / b).mean(), 4),
        },
    )


def test_queries_to_reach(learner, rng):
    queries = np.cumsum(rng.integers(50, 150, 7))
    way = float(rng.uniform(0.6, 0.9))  # share of the way from the fourth round to the fifth
    agreement = np.array([0.1, 0.3, 0.25, 0.2, 0.7, 0.15, 0.8]) + rng.uniform(0, 0.01, 7)
    level = agreement[3] + way * (agreement[4] - agreement[3])
    later = (level - agreement[5]) / (agreement[6] - agreement[5])
    step = queries[4] - queries[3]
    learner.call("queries_to_reach", queries, agreement, level).equals(
        queries[3] + way * step,
        mistakes={
            "next_round": float(queries[4]),
            "round_before": float(queries[3]),
            "last_crossing": queries[5] + later * (queries[6] - queries[5]),
            "middle": (queries[3] + queries[4]) / 2,
            "from_the_far_end": queries[3] + (1 - way) * step,
            "forgot_the_start": way * step,
            "through_the_origin": level / agreement[4] * queries[4],
            "agreement_must_rise": np.interp(level, agreement, queries),
            "agreement_must_rise__2": np.interp(level, np.maximum.accumulate(agreement), queries),
            "agreement_must_rise__3": np.interp(level, np.sort(agreement), queries),
        },
    )


def test_queries_to_reach__two_rounds(learner, rng):
    queries = np.cumsum(rng.integers(50, 150, 2))
    way, agreement = float(rng.uniform(0.2, 0.4)), np.sort(rng.uniform([0.1, 0.5], [0.2, 0.6]))
    level = agreement[0] + way * (agreement[1] - agreement[0])
    learner.call("queries_to_reach", queries, agreement, level).equals(
        queries[0] + way * (queries[1] - queries[0]), mistakes={"an_end_left_out": np.inf}
    )


def test_queries_to_reach__touches(learner, rng):
    queries = np.cumsum(rng.integers(50, 150, 5))
    agreement = np.array([0.1, 0.25, 0.5, 0.375, 0.75])
    learner.call("queries_to_reach", queries, agreement, 0.5).equals(
        float(queries[2]),
        mistakes={"only_above": queries[3] + (queries[4] - queries[3]) / 3},
    )


def test_queries_to_reach__never(learner, rng):
    agreement = np.sort(rng.uniform(0.1, 0.5, 5))
    learner.call("queries_to_reach", np.arange(1, 6) * 100, agreement, 0.9).equals(
        np.inf,
        mistakes={
            "never_reached": 500.0,
            "never_reached__2": np.nan,
            "never_reached__3": -1.0,
            "never_reached__4": 0.0,
            "never_reached__5": None,
        },
    )
