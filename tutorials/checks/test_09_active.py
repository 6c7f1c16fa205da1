"""Checks of exercise 09."""

import numpy as np

import mstheft as mt


def test_budget_for(learner, rng):
    while True:  # a case in which the rounding of the two parts decides
        rounds, k = int(rng.integers(6, 15)), int(rng.integers(31, 80))
        need = rounds * k
        right = next(b for b in range(need, 2 * need) if b - round(b / 5) - round(b / 10) >= need)
        up = int(np.ceil(need / 0.7))
        if right != up and right != round(need / 0.7):
            break
    learner.call("budget_for", rounds, k).equals(
        right,
        mistakes={
            "rounding_forgotten": up,
            "rounding_forgotten__2": round(need / 0.7),
            "rounding_forgotten__3": int(need / 0.7),
            "not_whole": need / 0.7,
            "added_to_the_rest": round(1.3 * need),
            "added_to_the_rest__2": need + round(0.2 * need) + round(0.1 * need),
            "added_to_the_rest__3": int(np.ceil(1.3 * need)),
            "added_to_the_rest__4": 1.3 * need,
            "first_rows_forgotten": least(need, (0.2,)),
            "first_rows_forgotten__2": int(np.ceil(need / 0.8)),
            "validation_forgotten": least(need, (0.1,)),
            "validation_forgotten__2": int(np.ceil(need / 0.9)),
            "rounds_alone": need,
            "one_round": least(k, (0.2, 0.1)),
            "one_too_few": right - 1,
        },
    )


def least(need, parts):
    """The smallest budget of which so much is left after these parts."""
    return next(b for b in range(need, 2 * need) if b - sum(round(p * b) for p in parts) >= need)


def test_targets(learner, rng):
    labels = rng.permutation([0, 1, 2, 3, 1, 2, 0])
    confidence = rng.uniform(0.3, 0.95, 7)
    hot = mt.nn.losses.one_hot(labels, 5)  # the last class does not occur
    sure, rest = confidence[:, None], (1 - confidence)[:, None]
    right = hot * sure + (1 - hot) * rest / 4
    learner.call("targets", labels, confidence, 5).equals(
        right,
        mistakes={
            "rest_left_out": hot * sure,
            "rest_among_all": hot * sure + (1 - hot) * rest / 5,
            "rest_among_all__2": hot * sure + rest / 5,
            "rest_not_divided": hot * sure + (1 - hot) * rest,
            "hard_labels": hot,
            "turned_round": hot * rest + (1 - hot) * sure / 4,
            "counted_from_1": np.roll(hot, -1, axis=1) * (sure - rest / 4) + rest / 4,
            "one_confidence_for_all": hot * sure.mean() + (1 - hot) * rest.mean() / 4,
            "classes_that_occur": right[:, :4],
            "classes_that_occur__2": (hot * sure + (1 - hot) * rest / 3)[:, :4],
            "classes_that_occur__3": hot * sure + (1 - hot) * rest / 3,
            "evenly": np.full((7, 5), 0.2),
            "sure_for_all": np.tile(sure, 5),
            "divided_afterwards": (hot * sure + (1 - hot)) / (sure + 4),
            "added_on_top": right + hot * rest / 4,
            "transposed": right.T,
        },
    )


def test_targets__two_classes(learner, rng):
    labels, confidence = np.array([1, 0, 1]), rng.uniform(0.55, 0.95, 3)
    right = np.array(
        [[1 - c, c] if k else [c, 1 - c] for k, c in zip(labels, confidence, strict=True)]
    )
    learner.call("targets", labels, confidence, 2).equals(
        right, mistakes={"class_1_is_told": np.column_stack([1 - confidence, confidence])}
    )


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
    table = np.zeros((10, 10), int)
    np.add.at(table, (told, said), 1)
    learner.call("macro_f1", table).equals(
        total / 6,
        mistakes={
            "agreement": hits.sum() / len(told),
            "jaccard": (each / (2 - each)).sum() / 6,
            "all_classes": total / 10,
            "diagonal_once": total / 12,
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
