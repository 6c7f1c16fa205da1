"""The targets of a copy, made of the oracle's answers, and the score of the copy."""

import numpy as np
from numpy.typing import ArrayLike

from mstheft.errors import ExtractionError
from mstheft.nn.functions import sigmoid, softmax
from mstheft.nn.losses import one_hot
from mstheft.nn.network import Network
from mstheft.typing import Array


def targets(answers: Array, output: str, classes: int) -> Array:
    """Soft labels out of answers, or one-hot rows where the answers are labels.

        logits      softmax (one logit: the sigmoid)
        log_probs   e^answer
        probs       as they are
        top_k       as they are: the other classes have 0, and a row's sum is below 1
        label       1 for the class, 0 for the others

    answers : (n, K), or (n,) for labels; output : the oracle's
    classes : outputs of the copy: 1 for a copy with one sigmoid, whose target is P(class 1)
    Returns (n, classes). Two classes and one sigmoid mean the same, each is turned into the other.
    Raises `ExtractionError` where the answers have another number of classes than the copy.
    """
    answers = np.asarray(answers)
    if output == "label":
        most = max(classes, 2)
        if answers.min() < 0 or answers.max() >= most:
            raise _other_classes(f"labels {answers.min()} to {answers.max()}", classes)
        soft = one_hot(answers, most)  # (n,) -> (n, K)
    elif output == "logits":
        soft = sigmoid(answers) if answers.shape[1] == 1 else softmax(answers)
    else:
        soft = np.exp(answers) if output == "log_probs" else answers
    if {soft.shape[1], classes} == {1, 2}:  # (1 - p, p) of two classes is p of one sigmoid
        soft = np.hstack([1 - soft, soft]) if classes == 2 else soft[:, 1:]
    if soft.shape[1] != classes:
        raise _other_classes(f"rows of {soft.shape[1]} numbers", classes)
    return soft


def _other_classes(got: str, classes: int) -> ExtractionError:
    shapes = f"but it has {classes} and the answers are {got}"
    assumption = f"needs a copy with an output for each class of the oracle, {shapes}"
    return ExtractionError("answers", assumption, "build it with as many outputs in new_copy")


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


def f1_of(labels: ArrayLike, predicted: ArrayLike) -> float:
    """Macro-F1 of predicted against given labels, both (n,)."""
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    size = int(max(labels.max(), predicted.max())) + 1
    true_positives = np.bincount(labels[labels == predicted], minlength=size)  # (K,)
    # 2 TP + FP + FN: how often a class is given and how often it is predicted
    given, guessed = (np.bincount(each, minlength=size) for each in (labels, predicted))
    occurs = given + guessed > 0
    return float((2 * true_positives[occurs] / (given + guessed)[occurs]).mean())
