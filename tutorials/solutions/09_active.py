"""Solutions of exercise 09."""

import numpy as np


def shares(budget, rounds):
    """How a budget of queries is divided before the first one is asked."""
    held, first = round(0.2 * budget), round(0.1 * budget)
    rest = budget - held - first
    return held, first, [rest // rounds + (i < rest % rounds) for i in range(rounds)]


def targets(answers, output, classes):
    """What the copy is trained towards: probabilities out of whatever the oracle tells."""
    if output == "label":
        return np.eye(classes)[answers]
    if output == "probs":
        return answers
    weights = np.exp(answers - answers.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def soft_cross_entropy(logits, soft):
    """The loss of a copy against soft labels, and its slope with respect to the logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    n = len(logits)
    return float(-(soft * log_p).sum() / n), (np.exp(log_p) - soft) / n


def macro_f1(told, said):
    """How well the copy's labels meet the victim's, every class with equal weight."""
    scores = []
    for c in np.union1d(told, said):
        both = ((told == c) & (said == c)).sum()
        one = ((told == c) != (said == c)).sum()
        scores.append(2 * both / (2 * both + one))
    return float(np.mean(scores))
