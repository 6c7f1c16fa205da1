"""Checks of exercise 09."""

import numpy as np

import mstheft as mt


def test_shares(learner, rng):
    budget = 40 * int(rng.integers(3, 9)) + 10  # 7/10 of it leave 3 over when divided by 4
    held, first, part = budget // 5, budget // 10, 7 * budget // 40
    right = [part + 1, part + 1, part + 1, part]
    learner.call("shares", budget, 4).equals(
        (held, first, right),
        mistakes={
            "lost_rows": (held, first, [part] * 4),
            "rest_at_the_end": (held, first, [part] * 3 + [part + 3]),
            "swapped": (first, held, right),
        },
    )


def test_shares__rounded(learner, rng):
    tens = int(rng.integers(4, 15))  # of 10 tens + 3 rows 20 % is 2 tens + 0.6, 10 % is tens + 0.3
    right = (2 * tens + 1, tens, [tens + 1] * 2 + [tens] * 5)
    learner.call("shares", 10 * tens + 3, 7).equals(
        right,
        mistakes={
            "cut_off": (2 * tens, tens, [tens + 1] * 3 + [tens] * 4),
            "rounded_up": (2 * tens + 1, tens + 1, [tens + 1] + [tens] * 6),
        },
    )


def test_targets(learner, rng):
    logits = rng.normal(size=(5, 3))
    learner.call("targets", logits, "logits", 3).equals(
        mt.nn.functions.softmax(logits),
        mistakes={
            "raw_logits": logits,
            "not_divided": np.exp(logits),
            "wrong_axis": mt.nn.functions.softmax(logits.T).T,
        },
    )


def test_targets__log_probs(learner, rng):
    probs = rng.dirichlet(np.ones(3), size=5)
    learner.call("targets", np.log(probs), "log_probs", 3).equals(
        probs, mistakes={"raw_logs": np.log(probs)}
    )


def test_targets__probs(learner, rng):
    probs = rng.dirichlet(np.ones(3), size=5)
    learner.call("targets", probs, "probs", 3).equals(
        probs, mistakes={"softmax_twice": mt.nn.functions.softmax(probs)}
    )


def test_targets__label(learner, rng):
    labels = rng.permutation([0, 1, 2, 3, 1, 2, 0])
    right = mt.nn.losses.one_hot(labels, 5)  # the last class does not occur
    learner.call("targets", labels, "label", 5).equals(
        right,
        mistakes={
            "counted_from_1": np.roll(right, -1, axis=1),
            "raw_labels": labels,
            "classes_that_occur": right[:, :4],
        },
    )


def test_soft_cross_entropy(learner, rng):
    logits, soft = rng.normal(size=(6, 4)), rng.dirichlet(np.ones(4), size=6)
    loss, slope = mt.nn.losses.cross_entropy(logits, soft)
    learner.call("soft_cross_entropy", logits, soft).equals(
        (loss, slope),
        mistakes={
            "not_averaged": (6 * loss, 6 * slope),
            "slope_not_averaged": (loss, 6 * slope),
            "sign_of_slope": (loss, -slope),
            "hard_labels": mt.nn.losses.cross_entropy(logits, soft.argmax(axis=1)),
            "mean_of_all": (loss / 4, slope),
        },
    )


def test_soft_cross_entropy__large_logits(learner, rng):
    logits, soft = 1000 + rng.normal(size=(3, 3)), rng.dirichlet(np.ones(3), size=3)
    right = mt.nn.losses.cross_entropy(logits, soft)
    learner.call("soft_cross_entropy", logits, soft).equals(right)


def test_soft_cross_entropy__far_apart(learner, rng):
    logits = np.array([[0.0, -2000.0, -1.0], [900.0, 0.0, -900.0]]) + rng.normal(size=(2, 3))
    soft = rng.dirichlet(np.ones(3), size=2)
    right = mt.nn.losses.cross_entropy(logits, soft)
    learner.call("soft_cross_entropy", logits, soft).equals(right)


def test_macro_f1(learner, rng):
    a, b, c, e, f = (int(n) for n in rng.permutation([11, 2, 7, 5, 3]))
    told = np.repeat([0, 0, 1, 3, 3], [a, b, c, e, f])
    said = np.repeat([0, 1, 1, 3, 4], [a, b, c, e, f])
    total = 2 * a / (2 * a + b) + 2 * c / (2 * c + b) + 2 * e / (2 * e + f)
    order = rng.permutation(len(told))
    learner.call("macro_f1", told[order], said[order]).equals(
        total / 4,
        mistakes={
            "agreement": (a + c + e) / len(told),
            "jaccard": (a / (a + b) + c / (c + b) + e / (e + f)) / 4,
            "all_classes": total / 5,
            "only_told": total / 3,
        },
    )
