"""Checks of exercise 01."""

import numpy as np

import mstheft as mt


def test_labels(learner, rng):
    n, k = 7, 4
    scores = rng.normal(size=(n, k))
    where = rng.permutation(np.arange(n) % k)
    scores[np.arange(n), where] += 10
    learner.call("labels", scores).equals(
        where,
        mistakes={
            "largest_score": scores[np.arange(n), where],
            "wrong_axis": np.array([np.flatnonzero(c == c.max())[0] for c in scores.T]),
            "counted_from_one": where + 1,
            "smallest": np.array([np.flatnonzero(r == r.min())[0] for r in scores]),
        },
    )


def test_labels__one_column(learner, rng):
    sides = rng.permutation(np.arange(8) % 2)
    scores = ((2 * sides - 1) * rng.uniform(0.05, 0.4, 8))[:, None]
    learner.call("labels", scores).equals(
        sides, mistakes={"always_zero": 0 * sides, "negative_is_one": 1 - sides}
    )


def test_agreement(learner, rng):
    n, k, same = 20, 3, int(rng.integers(11, 18))
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
    n, same = 20, int(rng.integers(11, 18))
    f = rng.uniform(0.1, 3, (n, 1)) * rng.choice([-1, 1], (n, 1))
    g = rng.uniform(0.1, 3, (n, 1)) * np.sign(f) * np.where(np.arange(n) < same, 1, -1)[:, None]
    learner.call("agreement", f, g).equals(same / n, mistakes={"always_zero": 1.0})


def test_largest_difference(learner, rng):
    victim, apart, worst = differing(rng, -1)
    copy = victim + apart + rng.uniform(4, 9, (5, 1))
    by_column = (copy - victim) - (copy - victim).mean(axis=0)
    learner.call("largest_difference", victim, copy).equals(
        worst,
        mistakes={
            "kept_the_gauge": np.abs(copy - victim).max(),
            "missing_abs": worst / 3,
            "mean_not_max": np.abs(apart).mean(),
            "wrong_axis": np.abs(by_column).max(),
        },
    )


def test_largest_difference__other_sign(learner, rng):
    victim, apart, worst = differing(rng, 1)
    copy = victim + apart + rng.uniform(4, 9, (5, 1))
    learner.call("largest_difference", victim, copy).equals(
        worst, mistakes={"missing_abs": worst / 3}
    )


def differing(rng, sign):
    """Logits, differences whose rows have mean 0, and the largest of them, which has that sign."""
    worst = float(rng.uniform(2, 4))
    pattern = np.array([3.0, -1.0, -1.0, -1.0]) / 3
    sizes = worst * sign * np.array([0.1, 0.2, 1.0, 0.15, 0.05])
    apart = sizes[:, None] * np.stack([rng.permutation(pattern) for _ in range(5)])
    return rng.normal(size=(5, 4)), apart, worst


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
        },
    )
