"""What a copy is trained towards, made of what the oracle told, and how it is judged."""

from __future__ import annotations

from typing import Any

import numpy as np

from mstheft.errors import ExtractionError
from mstheft.nn.functions import sigmoid, softmax
from mstheft.nn.losses import one_hot
from mstheft.nn.network import Network
from mstheft.typing import Array


def targets(answers: Array, output: str, classes: int) -> Array:
    """Soft labels out of answers, or one-hot rows where only labels were told.

        logits      softmax (one logit: the sigmoid)
        log_probs   e^answer
        probs       as they are
        top_k       as they are: the classes that were not told have 0, a row's sum is below 1
        label       1 for the class, 0 for the others

    answers : (n, K), or (n,) for labels; output : the oracle's
    classes : outputs of the copy: 1 for a copy with one sigmoid, whose target is P(class 1)
    Returns (n, classes). Two classes and one sigmoid say the same and are turned into one another.
    Raises `ExtractionError` where the answers have more classes than the copy, or another number.
    """
    answers = np.asarray(answers)
    if output == "label":
        most = max(classes, 2)
        if answers.min() < 0 or answers.max() >= most:
            raise _other_classes(f"label {int(answers.max())}", classes)
        told = one_hot(answers, most)
    elif output == "logits":
        told = sigmoid(answers) if answers.shape[1] == 1 else softmax(answers)
    else:
        told = np.exp(answers) if output == "log_probs" else answers
    if {told.shape[1], classes} == {1, 2}:
        told = np.hstack([1 - told, told]) if classes == 2 else told[:, 1:]
    if told.shape[1] != classes:
        raise _other_classes(f"{told.shape[1]} numbers a row", classes)
    return told


def _other_classes(got: str, classes: int) -> ExtractionError:
    return ExtractionError(
        "answers",
        f"needs a copy with an output for each of the oracle's classes, but it has {classes} and "
        f"the oracle told {got}",
        "build it with as many outputs in new_copy",
    )


def labels_of(soft: Array) -> np.ndarray:
    """The most likely class of each row of targets: (n, K) -> (n,); with K = 1, P > 1/2."""
    if soft.shape[1] == 1:
        return (soft[:, 0] > 0.5).astype(np.int64)
    return soft.argmax(axis=1)


def macro_f1(copy: Network, x: Array, labels: np.ndarray) -> float:
    """Mean over classes of F1_c = 2 TP_c / (2 TP_c + FP_c + FN_c), every class with equal weight.

    x : (n, d); labels : (n,) the oracle's
    Classes that occur neither among the labels nor among the copy's are left out of the mean.
    """
    return f1_of(labels, copy.labels(x))


def f1_of(labels: Any, predicted: Any) -> float:
    """Macro-F1 of predicted against given labels, both (n,)."""
    size = int(max(np.max(labels), np.max(predicted))) + 1
    right = np.bincount(labels[labels == predicted], minlength=size)
    seen = np.bincount(labels, minlength=size) + np.bincount(predicted, minlength=size)
    occurs = seen > 0  # seen = 2 TP + FP + FN
    return float((2 * right[occurs] / seen[occurs]).mean())
