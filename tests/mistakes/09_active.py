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
