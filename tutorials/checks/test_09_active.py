"""Checks of exercise 09."""

import numpy as np

import mstheft as mt


def test_shares(learner, rng):
    tens = int(rng.integers(1, 5))
    budget = 200 * tens + 50  # 7/10 of it leave 3 over when divided by 4
    held, first, part = 40 * tens + 10, 20 * tens + 5, 35 * tens + 8
    right = [part + 1, part + 1, part + 1, part]
    more = 45 * tens + 11  # a quarter of what the first rows alone leave
    learner.call("shares", budget, 4).equals(
        (held, first, right),
        mistakes={
            "lost_rows": (held, first, [part] * 4),
            "rest_at_the_end": (held, first, [part] * 3 + [part + 3]),
            "rest_at_the_end__2": (held, first, [part + 3] + [part] * 3),
            "rest_at_the_end__3": (held, first, right[::-1]),
            "swapped": (first, held, right),
            "too_many_rows": (held, first, [part + 1] * 4),
            "fractions": (held, first, [part + 0.75] * 4),
            "share_of_the_rest": (held, 16 * tens + 4, [36 * tens + 9] * 4),
            "rest_too_large": (held, first, [held] * 4),
            "rest_too_large__2": (held, first, [50 * tens + 13] * 2 + [50 * tens + 12] * 2),
            "rest_too_large__3": (held, first, [more + 1] + [more] * 3),
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
            "fractions": (2 * tens + 0.6, tens + 0.3, [tens + 1] * 3 + [tens] * 4),
            "fractions__2": (2 * tens + 0.6, tens + 0.3, [tens + 0.3] * 7),
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
            "sum_of_all": np.exp(logits) / np.exp(logits).sum(),
            "hard_labels": mt.nn.losses.one_hot(logits.argmax(axis=1), 3),
            "no_exponential": logits / logits.sum(axis=1, keepdims=True),
            "each_for_itself": 1 / (1 + np.exp(-logits)),
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
        probs,
        mistakes={
            "softmax_twice": mt.nn.functions.softmax(probs),
            "hard_labels": mt.nn.losses.one_hot(probs.argmax(axis=1), 3),
        },
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
            "softmax_twice": mt.nn.functions.softmax(right),
        },
    )


def test_targets__large_logits(learner, rng):
    """So large that e^z is infinite, and so far apart that no single shift helps all rows."""
    logits = np.array([[900.0], [-900.0], [0.0]]) + rng.normal(size=(3, 3))
    learner.call("targets", logits, "logits", 3).equals(mt.nn.functions.softmax(logits))


def test_soft_cross_entropy(learner, rng):
    logits, soft = rng.normal(size=(6, 4)), rng.dirichlet(np.ones(4), size=6)
    loss, slope = mt.nn.losses.cross_entropy(logits, soft)
    p, down = (mt.nn.functions.softmax(z) for z in (logits, logits.T))
    shift = np.mean(logits.max(axis=1) - np.log(p.max(axis=1)))
    learner.call("soft_cross_entropy", logits, soft).equals(
        (loss, slope),
        mistakes={
            "not_averaged": (6 * loss, 6 * slope),
            "slope_not_averaged": (loss, 6 * slope),
            "sign_of_slope": (loss, -slope),
            "hard_labels": mt.nn.losses.cross_entropy(logits, soft.argmax(axis=1)),
            "mean_of_all": (loss / 4, slope),
            "mean_of_all__2": (loss / 4, slope / 4),
            "mean_of_all__3": (loss, slope / 4),
            "each_row": (-(soft * np.log(p)).sum(axis=1), slope),
            "divergence": (loss + (soft * np.log(soft)).sum() / 6, slope),
            "swapped_roles": (-(p * np.log(soft)).sum() / 6, slope),
            "slope_of_probabilities": (loss, -soft / p / 6),
            "slope_of_probabilities__2": (loss, -soft / p),
            "slope_of_logits": (loss, (logits - soft) / 6),
            "no_normaliser": (loss - shift + logits.max(axis=1).mean(), slope),
            "no_normaliser__2": (loss - shift, slope),
            "wrong_axis": (-(soft * np.log(down.T)).sum() / 6, (down.T - soft) / 6),
        },
    )


def test_soft_cross_entropy__large_logits(learner, rng):
    logits, soft = 1000 + rng.normal(size=(3, 3)), rng.dirichlet(np.ones(3), size=3)
    right = mt.nn.losses.cross_entropy(logits, soft)
    learner.call("soft_cross_entropy", logits, soft).equals(right)


def test_soft_cross_entropy__far_apart(learner, rng):
    logits = np.array([[0.0, -2000.0, -1.0], [900.0, 0.0, -900.0]]) + rng.normal(size=(2, 3))
    soft = rng.dirichlet(np.ones(3), size=2)
    loss, slope = mt.nn.losses.cross_entropy(logits, soft)
    p = mt.nn.functions.softmax(logits)  # 0 here and there
    floors = 10.0 ** -np.array([12, 10, 9, 8, 7, 15, 16, 20, 30, 300])
    floors = [*floors, np.finfo(float).eps, np.finfo(float).tiny]
    learner.call("soft_cross_entropy", logits, soft).equals(
        (loss, slope),
        mistakes={
            f"floored_log__{i}": (-(soft * np.log(p + floor)).sum() / 2, slope)
            for i, floor in enumerate(floors)
        },
    )


# How many rows of each kind, such that no two mistakes give nearly the same score.
COUNTS = [
    (7, 6, 2, 8, 2, 10, 3),
    (4, 13, 9, 6, 2, 6, 9),
    (11, 3, 7, 15, 9, 14, 6),
    (11, 10, 4, 11, 6, 9, 13),
    (5, 7, 10, 15, 4, 14, 3),
    (9, 11, 15, 9, 3, 5, 13),
]


def test_macro_f1(learner, rng):
    a, b, c, e, f, g, h = COUNTS[rng.integers(len(COUNTS))]
    told = np.repeat([0, 0, 2, 7, 7, 9, 8], [a, b, c, e, f, g, h])
    said = np.repeat([0, 2, 2, 7, 6, 0, 7], [a, b, c, e, f, g, h])
    hits = np.array([a, c, e, 0, 0, 0])  # of the classes 0, 2, 7, 6, 9, 8
    of_victim = np.array([a + b, c, e + f, 0, g, h])
    of_copy = np.array([a + g, b + c, e + h, f, 0, 0])
    each = hits / ((of_victim + of_copy) / 2)
    total = each.sum()
    precision, recall = hits / np.maximum(of_copy, 1), hits / np.maximum(of_victim, 1)
    missed, wrongly = of_victim - hits, of_copy - hits
    order = rng.permutation(len(told))
    learner.call("macro_f1", told[order], said[order]).equals(
        total / 6,
        mistakes={
            "agreement": hits.sum() / len(told),
            "jaccard": (each / (2 - each)).sum() / 6,
            "all_classes": total / 10,
            "all_classes__2": total / 8,
            "only_told": total / 5,
            "only_said": total / 4,
            "only_both": total / 3,
            "precision_alone": precision.sum() / 6,
            "precision_alone__2": precision.sum() / 5,
            "precision_alone__3": precision.sum() / 4,
            "recall_alone": recall.sum() / 6,
            "recall_alone__2": recall.sum() / 5,
            "recall_alone__3": recall.sum() / 4,
            "weighted": each @ of_victim / len(told),
            "mean_of_precision_and_recall": (precision + recall).sum() / 12,
            "f_of_the_means": 2 / (6 / precision.sum() + 6 / recall.sum()),
            "f_of_the_means__2": 2 / (4 / precision.sum() + 5 / recall.sum()),
            "one_kind_of_error": (2 * hits / np.maximum(2 * hits + missed, 1)).sum() / 6,
            "one_kind_of_error__2": (2 * hits / np.maximum(2 * hits + wrongly, 1)).sum() / 6,
            "gaps_in_the_labels": (each[0] + each[1]) / 6,
            "added_up": total,
            "each_class": each[[0, 1, 3, 2, 5, 4]],
        },
    )


def students(rng):
    """Widths, misfits in units of the noise's, and what each is there for."""
    shape, rows, decimals = (5, 3), int(rng.integers(125, 140)), int(rng.integers(2, 5))
    widths = np.arange(10, 18) + int(rng.integers(0, 3))
    nu = 10.0**-decimals / np.sqrt(12)
    left = np.sqrt(1 - (widths * 5 + 3 * widths + 3) / (rows * 3))  # shares of nu
    #               far off  half a step  no P   victim  margin     no margin      wide
    misfits = nu * np.array([5, 1.4, 1.0, 1.09, 1.03, 1.02, 0.98, 0.9])
    misfits[3:] *= left[3:]
    return widths, misfits, shape, rows, decimals


def test_victim_width(learner, rng):
    widths, misfits, shape, rows, decimals = students(rng)
    order = np.append(5, rng.permutation(np.delete(np.arange(8), 5)))  # a wider one first
    place = int(np.flatnonzero(order == 3)[0])
    given = widths[order], misfits[order], shape, rows, decimals
    learner.call("victim_width", *given).equals(
        int(widths[3]),
        mistakes={
            "smallest_misfit": int(widths[7]),
            "narrowest_of_all": int(widths[0]),
            "largest_error": int(widths[1]),
            "freedom_forgotten": int(widths[2]),
            "scale_not_free": int(widths[4]),
            "first_in_the_list": int(widths[5]),
            "no_margin": int(widths[6]),
            "place_not_width": place,
            "all_that_are_good": np.sort(widths[3:]),
            "all_that_are_good__2": widths[order][order >= 3],
        },
    )


def test_victim_width__none(learner, rng):
    """All of them stuck: then the victim has other widths, or luck was bad."""
    widths, misfits, shape, rows, decimals = students(rng)
    order = rng.permutation(8)
    stuck = 3 * misfits + 10.0**-decimals
    learner.call("victim_width", widths[order], stuck[order], shape, rows, decimals).equals(
        None,
        mistakes={
            "none_is_an_answer": int(widths[stuck.argmin()]),
            "none_is_an_answer__2": int(widths.min()),
            "none_is_an_answer__3": int(widths.max()),
            "none_is_an_answer__4": 0,
        },
    )
