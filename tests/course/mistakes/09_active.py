"""Known mistakes of exercise 09: each function is FUNCTION__KEY, and KEY its diagnosis."""

import numpy as np


def shares__lost_rows(budget, rounds):
    held, first = round(0.2 * budget), round(0.1 * budget)
    return held, first, [(budget - held - first) // rounds] * rounds


def shares__rest_at_the_end(budget, rounds):
    held, first = round(0.2 * budget), round(0.1 * budget)
    rest = budget - held - first
    return held, first, [rest // rounds] * (rounds - 1) + [rest // rounds + rest % rounds]


def shares__swapped(budget, rounds):
    held, first = round(0.1 * budget), round(0.2 * budget)
    rest = budget - held - first
    return held, first, [rest // rounds + (i < rest % rounds) for i in range(rounds)]


def targets__raw_logits(answers, output, classes):
    return np.eye(classes)[answers] if output == "label" else answers


def targets__not_divided(answers, output, classes):
    return np.eye(classes)[answers] if output == "label" else np.exp(answers)


def targets__raw_logs(answers, output, classes):
    if output == "logits":
        return np.exp(answers) / np.exp(answers).sum(axis=1, keepdims=True)
    return np.eye(classes)[answers] if output == "label" else answers


def targets__softmax_twice(answers, output, classes):
    if output == "label":
        return np.eye(classes)[answers]
    return np.exp(answers) / np.exp(answers).sum(axis=1, keepdims=True)


def targets__counted_from_1(answers, output, classes):
    if output == "label":
        return np.eye(classes)[answers - 1]
    if output == "probs":
        return answers
    return np.exp(answers) / np.exp(answers).sum(axis=1, keepdims=True)


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


def macro_f1__agreement(told, said):
    return float((told == said).mean())


def macro_f1__jaccard(told, said):
    scores = []
    for c in np.union1d(told, said):
        both, one = ((told == c) & (said == c)).sum(), ((told == c) != (said == c)).sum()
        scores.append(both / (both + one))
    return float(np.mean(scores))


def macro_f1__all_classes(told, said):
    scores = []
    for c in range(max(told.max(), said.max()) + 1):
        both, one = ((told == c) & (said == c)).sum(), ((told == c) != (said == c)).sum()
        scores.append(2 * both / max(2 * both + one, 1))
    return float(np.mean(scores))


def macro_f1__only_told(told, said):
    scores = []
    for c in np.unique(told):
        both, one = ((told == c) & (said == c)).sum(), ((told == c) != (said == c)).sum()
        scores.append(2 * both / (2 * both + one))
    return float(np.mean(scores))


def shares__cut_off(budget, rounds):
    held, first = budget // 5, budget // 10
    rest = budget - held - first
    return held, first, [rest // rounds + (i < rest % rounds) for i in range(rounds)]


def shares__rounded_up(budget, rounds):
    held, first = -(-budget // 5), -(-budget // 10)
    rest = budget - held - first
    return held, first, [rest // rounds + (i < rest % rounds) for i in range(rounds)]


def targets__classes_that_occur(answers, output, classes):
    if output == "label":
        return np.eye(answers.max() + 1)[answers]
    if output == "probs":
        return answers
    return np.exp(answers) / np.exp(answers).sum(axis=1, keepdims=True)


def targets__wrong_axis(answers, output, classes):
    return np.exp(answers) / np.exp(answers).sum(axis=0)


def divided(budget, rest, rounds):
    part = [rest // rounds + (i < rest % rounds) for i in range(rounds)]
    return round(0.2 * budget), round(0.1 * budget), part


def shares__rest_at_the_end__2(budget, rounds):
    rest = budget - round(0.2 * budget) - round(0.1 * budget)
    held, first, part = divided(budget, rest, rounds)
    return held, first, part[::-1]


def shares__too_many_rows(budget, rounds):
    held, first = round(0.2 * budget), round(0.1 * budget)
    return held, first, [-(-(budget - held - first) // rounds)] * rounds


def shares__fractions(budget, rounds):
    held, first = round(0.2 * budget), round(0.1 * budget)
    return held, first, [(budget - held - first) / rounds] * rounds


def shares__fractions__2(budget, rounds):
    held, first = 0.2 * budget, 0.1 * budget
    rest = budget - held - first
    return held, first, [rest // rounds + (i < rest % rounds) for i in range(rounds)]


def shares__share_of_the_rest(budget, rounds):
    held = round(0.2 * budget)
    first = round(0.1 * (budget - held))
    rest = budget - held - first
    return held, first, [rest // rounds + (i < rest % rounds) for i in range(rounds)]


def shares__rest_too_large(budget, rounds):
    return divided(budget, budget, rounds)


def shares__rest_too_large__2(budget, rounds):
    return divided(budget, budget - round(0.2 * budget), rounds)


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def with_softmax(answers, output, classes, of=softmax):
    if output == "label":
        return np.eye(classes)[answers]
    return answers if output == "probs" else of(answers)


def targets__sum_of_all(answers, output, classes):
    return with_softmax(answers, output, classes, lambda z: np.exp(z) / np.exp(z).sum())


def targets__hard_labels(answers, output, classes):
    return np.eye(classes)[answers if output == "label" else answers.argmax(axis=1)]


def targets__no_exponential(answers, output, classes):
    return with_softmax(answers, output, classes, lambda z: z / z.sum(axis=1, keepdims=True))


def targets__each_for_itself(answers, output, classes):
    return with_softmax(answers, output, classes, lambda z: 1 / (1 + np.exp(-z)))


def targets__nan(answers, output, classes):
    with np.errstate(all="ignore"):
        return with_softmax(answers, output, classes)


def targets__nan__2(answers, output, classes):
    with np.errstate(all="ignore"):
        return with_softmax(answers, output, classes, lambda z: softmax(z - z.max()))


def targets__softmax_twice__2(answers, output, classes):
    if output == "label":
        return softmax(np.eye(classes)[answers])
    shifted = answers - answers.max(axis=1, keepdims=True)
    return answers if output == "probs" else softmax(shifted)


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


def macro_f1__agreement__2(told, said):
    hits, wrongly, missed = (n.sum() for n in counted(told, said))
    return float(2 * hits / (2 * hits + wrongly + missed))


def macro_f1__only_said(told, said):
    return float(f_of(told, said, np.unique(said)).mean())


def macro_f1__only_both(told, said):
    hits, wrongly, missed = counted(told, said)
    with np.errstate(all="ignore"):
        precision, recall = hits / (hits + wrongly), hits / (hits + missed)
        return float(np.nanmean(2 * precision * recall / (precision + recall)))


def macro_f1__precision_alone(told, said):
    hits, wrongly, _ = counted(told, said)
    return float((hits / np.maximum(hits + wrongly, 1)).mean())


def macro_f1__precision_alone__2(told, said):
    hits, wrongly, _ = counted(told, said, np.unique(said))
    return float((hits / (hits + wrongly)).mean())


def macro_f1__recall_alone(told, said):
    hits, _, missed = counted(told, said)
    return float((hits / np.maximum(hits + missed, 1)).mean())


def macro_f1__recall_alone__2(told, said):
    hits, _, missed = counted(told, said, np.unique(told))
    return float((hits / (hits + missed)).mean())


def macro_f1__weighted(told, said):
    hits, _, missed = counted(told, said)
    return float(f_of(told, said) @ (hits + missed) / len(told))


def macro_f1__mean_of_precision_and_recall(told, said):
    return (macro_f1__precision_alone(told, said) + macro_f1__recall_alone(told, said)) / 2


def macro_f1__f_of_the_means(told, said):
    precision, recall = macro_f1__precision_alone(told, said), macro_f1__recall_alone(told, said)
    return 2 * precision * recall / (precision + recall)


def macro_f1__one_kind_of_error(told, said):
    hits, wrongly, _ = counted(told, said)
    return float((2 * hits / np.maximum(2 * hits + wrongly, 1)).mean())


def macro_f1__gaps_in_the_labels(told, said):
    return float(f_of(told, said, np.arange(len(np.union1d(told, said)))).mean())


def macro_f1__added_up(told, said):
    return float(f_of(told, said).sum())


def macro_f1__each_class(told, said):
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
