"""Known mistakes of exercise 09: each function is FUNCTION__KEY, and KEY its diagnosis."""

import numpy as np


def budget_for__rounding_forgotten(n, k):
    return int(np.ceil(n * k / 0.7))


def budget_for__not_whole(n, k):
    return n * k / 0.7


def budget_for__added_to_the_rest(n, k):
    return round(1.3 * n * k)


def budget_for__added_to_the_rest__2(n, k):
    return n * k + round(0.2 * n * k) + round(0.1 * n * k)


def budget_for__first_rows_forgotten(n, k):
    return enough(n * k, lambda b: round(0.2 * b))


def budget_for__first_rows_forgotten__2(n, k):
    return int(np.ceil(n * k / 0.8))


def budget_for__validation_forgotten(n, k):
    return enough(n * k, lambda b: round(0.1 * b))


def budget_for__rounds_alone(n, k):
    return n * k


def budget_for__one_round(n, k):
    return enough(k, lambda b: round(0.2 * b) + round(0.1 * b))


def budget_for__one_too_few(n, k):
    return enough(n * k, lambda b: round(0.2 * b) + round(0.1 * b)) - 1


def enough(need, less):
    budget = 0
    while budget - less(budget) < need:
        budget += 1
    return budget


def told(labels, sure, K, rest, low=0):
    soft = np.repeat(rest[:, None] * np.ones(1), K, axis=1)
    soft[np.arange(len(labels)), labels - low] = sure
    return soft


def targets__rest_left_out(y, c, K):
    return told(y, c, K, 0 * c)


def targets__rest_among_all(y, c, K):
    return told(y, c, K, (1 - c) / K)


def targets__rest_among_all__2(y, c, K):
    return told(y, c + (1 - c) / K, K, (1 - c) / K)


def targets__rest_not_divided(y, c, K):
    return told(y, c, K, 1 - c)


def targets__hard_labels(y, c, K):
    return np.eye(K)[y]


def targets__turned_round(y, c, K):
    return told(y, 1 - c, K, c / (K - 1))


def targets__counted_from_1(y, c, K):
    return told(y, c, K, (1 - c) / (K - 1), 1)


def targets__one_confidence_for_all(y, c, K):
    return one_for_all(y, c.mean(), K)


def targets__classes_that_occur(y, c, K):
    return told(y, c, y.max() + 1, (1 - c) / (K - 1))


def targets__classes_that_occur__2(y, c, K):
    return told(y, c, y.max() + 1, (1 - c) / y.max())


def targets__evenly(y, c, K):
    return np.full((len(y), K), 1 / K)


def targets__sure_for_all(y, c, K):
    return np.repeat(c[:, None], K, axis=1)


def targets__added_on_top(y, c, K):
    return told(y, c + (1 - c) / (K - 1), K, (1 - c) / (K - 1))


def targets__transposed(y, c, K):
    return told(y, c, K, (1 - c) / (K - 1)).T


def targets__class_1_is_told(y, c, K):
    return np.column_stack([1 - c, c]) if K == 2 else told(y, c, K, (1 - c) / (K - 1))


def one_for_all(y, mean, K):
    return told(y, mean, K, np.full(len(y), (1 - mean) / (K - 1)))


def soft_cross_entropy__not_averaged(logits, soft):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return float(-(soft * np.log(p)).sum()), p - soft


def soft_cross_entropy__slope_not_averaged(logits, soft):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return float(-(soft * np.log(p)).sum() / len(p)), p - soft


def soft_cross_entropy__sign_of_slope(logits, soft):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return float(-(soft * np.log(p)).sum() / len(p)), (soft - p) / len(p)


def soft_cross_entropy__mean_of_all(logits, soft):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return float(-(soft * np.log(p)).mean()), (p - soft) / len(p)


def soft_cross_entropy__hard_labels(logits, soft):
    soft = np.eye(soft.shape[1])[soft.argmax(axis=1)]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return float(-(soft * np.log(p)).sum() / len(p)), (p - soft) / len(p)


def soft_cross_entropy__nan(logits, soft):
    with np.errstate(all="ignore"):
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return float(-(soft * np.log(p)).sum() / len(p)), (p - soft) / len(p)


def pairs(table):
    """The victim's and the copy's labels, one of each for every row that was counted."""
    places = np.argwhere(table >= 0)
    return np.repeat(places, table.ravel(), axis=0).T


def macro_f1__nan(table):
    return float((2 * np.diag(table) / (table.sum(axis=0) + table.sum(axis=1))).mean())


def macro_f1__diagonal_once(table):
    named = table.sum(axis=0) + table.sum(axis=1)
    return float((np.diag(table)[named > 0] / named[named > 0]).mean())


def macro_f1__agreement(table):
    told, said = pairs(table)
    return float((told == said).mean())


def macro_f1__jaccard(table):
    told, said = pairs(table)
    scores = []
    for c in np.union1d(told, said):
        both, one = ((told == c) & (said == c)).sum(), ((told == c) != (said == c)).sum()
        scores.append(both / (both + one))
    return float(np.mean(scores))


def macro_f1__all_classes(table):
    told, said = pairs(table)
    scores = []
    for c in range(max(told.max(), said.max()) + 1):
        both, one = ((told == c) & (said == c)).sum(), ((told == c) != (said == c)).sum()
        scores.append(2 * both / max(2 * both + one, 1))
    return float(np.mean(scores))


def macro_f1__only_told(table):
    told, said = pairs(table)
    scores = []
    for c in np.unique(told):
        both, one = ((told == c) & (said == c)).sum(), ((told == c) != (said == c)).sum()
        scores.append(2 * both / (2 * both + one))
    return float(np.mean(scores))


def divided(budget, rest, rounds):
    part = [rest // rounds + (i < rest % rounds) for i in range(rounds)]
    return round(0.2 * budget), round(0.1 * budget), part


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def with_softmax(answers, output, classes, of=softmax):
    if output == "label":
        return np.eye(classes)[answers]
    return answers if output == "probs" else of(answers)


def soft_cross_entropy__each_row(logits, soft):
    p = softmax(logits)
    return -(soft * np.log(p)).sum(axis=1), (p - soft) / len(p)


def soft_cross_entropy__divergence(logits, soft):
    p = softmax(logits)
    return float((soft * np.log(soft / p)).sum() / len(p)), (p - soft) / len(p)


def soft_cross_entropy__swapped_roles(logits, soft):
    p = softmax(logits)
    return float(-(p * np.log(soft)).sum() / len(p)), (p - soft) / len(p)


def soft_cross_entropy__slope_of_probabilities(logits, soft):
    p = softmax(logits)
    return float(-(soft * np.log(p)).sum() / len(p)), -soft / p / len(p)


def soft_cross_entropy__slope_of_logits(logits, soft):
    p = softmax(logits)
    return float(-(soft * np.log(p)).sum() / len(p)), (logits - soft) / len(p)


def soft_cross_entropy__no_normaliser(logits, soft):
    p = softmax(logits)
    return float(-(soft * logits).sum() / len(p)), (p - soft) / len(p)


def soft_cross_entropy__no_normaliser__2(logits, soft):
    p, shifted = softmax(logits), logits - logits.max(axis=1, keepdims=True)
    return float(-(soft * shifted).sum() / len(p)), (p - soft) / len(p)


def soft_cross_entropy__wrong_axis(logits, soft):
    p = softmax(logits.T).T
    return float(-(soft * np.log(p)).sum() / len(p)), (p - soft) / len(p)


def soft_cross_entropy__floored_log(logits, soft):
    p = softmax(logits - logits.max(axis=1, keepdims=True))
    return float(-(soft * np.log(p + 1e-12)).sum() / len(p)), (p - soft) / len(p)


def soft_cross_entropy__floored_log__2(logits, soft):
    p = softmax(logits - logits.max(axis=1, keepdims=True))
    return float(-(soft * np.log(np.clip(p, 1e-15, 1))).sum() / len(p)), (p - soft) / len(p)


def soft_cross_entropy__nan__2(logits, soft):
    p = softmax(logits - logits.max(axis=1, keepdims=True))
    with np.errstate(all="ignore"):
        return float(-(soft * np.log(p)).sum() / len(p)), (p - soft) / len(p)


def counted(told, said, classes=None):
    """TP, FP and FN of each class (of those that occur, or of `classes`)."""
    classes = np.union1d(told, said) if classes is None else classes
    is_told, is_said = (x == np.reshape(classes, (-1, 1)) for x in (told, said))
    return [(x & y).sum(axis=1) for x, y in ((is_told, is_said), (~is_told, is_said))] + [
        (is_told & ~is_said).sum(axis=1)
    ]


def f_of(told, said, classes=None):
    hits, wrongly, missed = counted(told, said, classes)
    return 2 * hits / np.maximum(2 * hits + wrongly + missed, 1)


def macro_f1__agreement__2(table):
    told, said = pairs(table)
    hits, wrongly, missed = (n.sum() for n in counted(told, said))
    return float(2 * hits / (2 * hits + wrongly + missed))


def macro_f1__only_said(table):
    told, said = pairs(table)
    return float(f_of(told, said, np.unique(said)).mean())


def macro_f1__only_both(table):
    told, said = pairs(table)
    hits, wrongly, missed = counted(told, said)
    with np.errstate(all="ignore"):
        precision, recall = hits / (hits + wrongly), hits / (hits + missed)
        return float(np.nanmean(2 * precision * recall / (precision + recall)))


def macro_f1__precision_alone(table):
    told, said = pairs(table)
    hits, wrongly, _ = counted(told, said)
    return float((hits / np.maximum(hits + wrongly, 1)).mean())


def macro_f1__precision_alone__2(table):
    told, said = pairs(table)
    hits, wrongly, _ = counted(told, said, np.unique(said))
    return float((hits / (hits + wrongly)).mean())


def macro_f1__recall_alone(table):
    told, said = pairs(table)
    hits, _, missed = counted(told, said)
    return float((hits / np.maximum(hits + missed, 1)).mean())


def macro_f1__recall_alone__2(table):
    told, said = pairs(table)
    hits, _, missed = counted(told, said, np.unique(told))
    return float((hits / (hits + missed)).mean())


def macro_f1__weighted(table):
    told, said = pairs(table)
    hits, _, missed = counted(told, said)
    return float(f_of(told, said) @ (hits + missed) / len(told))


def macro_f1__mean_of_precision_and_recall(table):
    return (macro_f1__precision_alone(table) + macro_f1__recall_alone(table)) / 2


def macro_f1__f_of_the_means(table):
    precision, recall = macro_f1__precision_alone(table), macro_f1__recall_alone(table)
    return 2 * precision * recall / (precision + recall)


def macro_f1__one_kind_of_error(table):
    told, said = pairs(table)
    hits, wrongly, _ = counted(told, said)
    return float((2 * hits / np.maximum(2 * hits + wrongly, 1)).mean())


def macro_f1__gaps_in_the_labels(table):
    told, said = pairs(table)
    return float(f_of(told, said, np.arange(len(np.union1d(told, said)))).mean())


def macro_f1__added_up(table):
    told, said = pairs(table)
    return float(f_of(told, said).sum())


def macro_f1__each_class(table):
    told, said = pairs(table)
    return f_of(told, said)


def reached(widths, misfits, shape, rows, decimals, step=12**-0.5, free=0, margin=1.1, lost=1):
    d, K = shape
    weights = widths * d + K * widths + K + free * widths
    return misfits <= margin * step * 10.0**-decimals * np.sqrt(1 - lost * weights / (rows * K))


def victim_width__smallest_misfit(widths, misfits, shape, rows, decimals):
    good = reached(widths, misfits, shape, rows, decimals)
    return int(widths[misfits.argmin()]) if good.any() else None


def victim_width__largest_error(widths, misfits, shape, rows, decimals):
    good = reached(widths, misfits, shape, rows, decimals, step=0.5)
    return int(widths[good].min()) if good.any() else None


def victim_width__freedom_forgotten(widths, misfits, shape, rows, decimals):
    good = reached(widths, misfits, shape, rows, decimals, lost=0)
    return int(widths[good].min()) if good.any() else None


def victim_width__scale_not_free(widths, misfits, shape, rows, decimals):
    good = reached(widths, misfits, shape, rows, decimals, free=1)
    return int(widths[good].min()) if good.any() else None


def victim_width__no_margin(widths, misfits, shape, rows, decimals):
    good = reached(widths, misfits, shape, rows, decimals, margin=1)
    return int(widths[good].min()) if good.any() else None


def victim_width__first_in_the_list(widths, misfits, shape, rows, decimals):
    good = reached(widths, misfits, shape, rows, decimals)
    return int(widths[good][0]) if good.any() else None


def victim_width__place_not_width(widths, misfits, shape, rows, decimals):
    good = reached(widths, misfits, shape, rows, decimals)
    return int(np.where(good, widths, 1000).argmin()) if good.any() else None


def victim_width__none_is_an_answer(widths, misfits, shape, rows, decimals):
    good = reached(widths, misfits, shape, rows, decimals)
    return int(widths[good].min()) if good.any() else int(widths[misfits.argmin()])


def victim_width__all_that_are_good(widths, misfits, shape, rows, decimals):
    good = reached(widths, misfits, shape, rows, decimals)
    return np.sort(widths[good]) if good.any() else None
