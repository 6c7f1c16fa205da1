"""Checks of exercise 01."""

import numpy as np

import mstheft as mt


def test_labels(learner, rng):
    n, k = 7, 4
    scores = rng.uniform(-6, -3, (n, k))
    where = rng.permutation(np.arange(n) % k)
    lowest = (where + 1) % k
    scores[np.arange(n), where] = -rng.uniform(1, 2, n)
    scores[np.arange(n), lowest] = -rng.uniform(20, 30, n)
    learner.call("labels", scores).equals(
        where,
        mistakes={
            "largest_score": scores[np.arange(n), where],
            "wrong_axis": np.array([np.flatnonzero(c == c.max())[0] for c in scores.T]),
            "counted_from_one": where + 1,
            "largest_size": lowest,
        },
    )


def test_labels__one_column(learner, rng):
    order = rng.permutation(8)
    sides, small = (order % 2), (order // 2 % 2)  # two of each kind lie between -1/2 and 1/2
    sizes = np.where(small, rng.uniform(0.05, 0.4, 8), rng.uniform(2, 5, 8))
    answer = learner.call("labels", ((2 * sides - 1) * sizes)[:, None])
    answer.equals(
        sides,
        mistakes={
            "always_zero": 0 * sides,
            "negative_is_one": 1 - sides,
            "above_half": sides * (sizes > 0.5),
            "minus_one": 2 * sides - 1,
        },
    )
    whole = np.asarray(answer.value).dtype.kind in "iu"
    answer.holds(whole, "whole numbers, 0 and 1", "truth_values")


def test_labels__zero(learner, rng):
    scores = np.array([[0.0], [rng.uniform(0.1, 3)], [-rng.uniform(0.1, 3)]])
    learner.call("labels", scores).equals(
        np.array([0, 1, 0]), mistakes={"zero_is_one": np.array([1, 1, 0])}
    )


def test_labels__two_columns(learner, rng):
    order = rng.permutation(4)
    first = np.array([-3, -2, 2, 3])[order] * rng.uniform(500, 600)
    above = np.array([1, -1, 1, -1])[order]
    learner.call("labels", np.stack([first, first + above], axis=1)).equals(
        (above > 0).astype(int),
        mistakes={
            "two_columns": (first + above > 0).astype(int),
            "two_columns__2": (first > 0).astype(int),
        },
    )


def test_agreement(learner, rng):
    n, k = int(rng.integers(21, 29)), 3
    same = n - int(rng.integers(2, 5))
    f, g = rng.normal(size=(2, n, k))
    where = rng.integers(k, size=n)
    other = np.where(np.arange(n) < same, where, (where + 1) % k)
    f[np.arange(n), where] += 10
    g[np.arange(n), other] += 10
    learner.call("agreement", f, g).equals(
        same / n,
        mistakes={
            "counted": same,
            "disagreement": 1 - same / n,
            "compared_scores": 0.0,
            "divided_by_everything": same / (n * k),
        },
    )


def test_agreement__one_column(learner, rng):
    n = int(rng.integers(21, 29))
    same = n - int(rng.integers(2, 5))
    f = rng.uniform(0.1, 3, (n, 1)) * rng.choice([-1, 1], (n, 1))
    f[-2:] = np.abs(f[-2:]) * [[1], [-1]]  # labels differ both ways: their counts tell nothing
    g = rng.uniform(0.1, 3, (n, 1)) * np.sign(f) * np.where(np.arange(n) < same, 1, -1)[:, None]
    learner.call("agreement", f, g).equals(same / n, mistakes={"always_zero": 1.0})


def test_largest_difference(learner, rng):
    own, apart, worst = differing(rng, -1)
    shift = rng.uniform(4, 9, (5, 1))
    victim = own + rng.uniform(1, 3, (5, 1))
    copy = own + apart + shift
    differ = copy - victim
    learner.call("largest_difference", victim, copy).equals(
        worst,
        mistakes={
            "kept_the_gauge": np.abs(differ).max(),
            "missing_abs": apart.max(),
            "mean_not_max": np.abs(apart).mean(),
            "wrong_axis": np.abs(differ - differ.mean(axis=0)).max(),
            "centred_one": np.abs(apart + shift).max(),
            "centred_one__2": np.abs(apart - victim + own).max(),
            "one_class": np.abs(apart - apart[:, :1]).max(),
            "one_class__2": np.abs(apart - apart[:, 3:]).max(),
            "one_mean": np.abs(differ - differ.mean()).max(),
            "spread": np.ptp(apart, axis=1).max(),
            "length": np.linalg.norm(apart, axis=1).max(),
            "sizes_apart": np.abs(np.abs(own) - np.abs(own + apart)).max(),
        },
    )


def test_largest_difference__other_sign(learner, rng):
    own, apart, worst = differing(rng, 1)
    copy = own + apart + rng.uniform(4, 9, (5, 1))
    learner.call("largest_difference", own + rng.uniform(1, 3, (5, 1)), copy).equals(
        worst, mistakes={"missing_abs": -apart.min()}
    )


def differing(rng, sign):
    """Logits and differences, both with row means 0, and the largest of these, of that sign."""
    worst = float(rng.uniform(2, 4))
    pattern = np.array([3.0, -1.35, -1.0, -0.65]) / 3
    sizes = worst * sign * np.array([0.1, 0.2, 1.0, 0.15, 0.05])
    order = np.stack([rng.permutation(4) for _ in range(5)])
    order[2] = np.append(rng.permutation([0, 1]), rng.permutation([2, 3]))[[2, 0, 1, 3]]
    own = np.array([1.2, 0.4, -0.5, -1.1])[order[::-1]] * rng.uniform(0.5, 1, (5, 1))
    own[2] = -sign * np.array([0.9, -0.2, -0.3, -0.4])[order[2]]
    return own, sizes[:, None] * pattern[order], worst


def test_largest_difference__same(learner, rng):
    logits = rng.normal(size=(4, 3))
    learner.call("largest_difference", logits, logits + rng.uniform(2, 5, (4, 1))).equals(0.0)


def test_at_most(learner, rng):
    n, confidence = int(rng.integers(8, 60)), float(rng.uniform(0.85, 0.99))
    expected = mt.compare.interval(0, n, 1 - 2 * (1 - confidence))[1]  # two-sided, one tail of it
    learner.call("at_most", n, confidence).equals(
        expected,
        mistakes={
            "confidence_for_the_rest": 1 - confidence ** (1 / n),
            "rule_of_three": 3 / n,
            "not_the_share": (1 - confidence) ** (1 / n),
            "forgot_the_root": 1 - (1 - confidence) ** n,
            "approximated": -np.log(1 - confidence) / n,
            "always_95": mt.compare.interval(0, n, 0.9)[1],
            "two_sided": mt.compare.interval(0, n, confidence)[1],
            "whole_division": 0.0,
            "percent": 100 * expected,
        },
    )
