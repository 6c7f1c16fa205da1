"""Logits out of whatever an oracle answers: direct attacks need answers that are linear in them.

And the complaints that these attacks share: about such answers, and about the width.
"""

from __future__ import annotations

import numpy as np

from mstheft.errors import ExtractionError
from mstheft.nn import functions as F
from mstheft.typing import Array, Oracle


def read(oracle: Oracle, x: Array) -> Array:
    """Ask rows x (n, d) and return answers (n, K) that are a fixed linear function of the logits.

    'logits'     as they are
    'log_probs'  log p_k - mean_j log p_j = z_k - mean_j z_j: the logits up to their mean (gauge)
    'probs'      the same of ln p; for one sigmoid output the logit ln p / (1-p)

    Costs n queries. Numbers that are no longer finite (p rounded to 0 or 1) come back infinite.
    Raises `ExtractionError` for an oracle that answers with less than all probabilities.
    """
    if oracle.output not in ("logits", "log_probs", "probs"):
        raise ExtractionError(
            "answers",
            f"needs logits or all probabilities, but the oracle answers {oracle.output!r}",
            "ask for more, or use direct.boundary where the victim is linear",
        )
    answers = oracle.query(x)
    if oracle.output == "logits":
        return answers
    if answers.shape[1] == 1:
        return F.logit(answers)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = answers if oracle.output == "log_probs" else np.log(answers)
        if oracle.outputs == 1:
            return logs[:, 1:] - logs[:, :1]
        centred = logs - logs.mean(axis=1, keepdims=True)
        return np.where(logs == -np.inf, -np.inf, centred)  # never NaN, unless the answer is


def read_finite(oracle: Oracle, x: Array) -> tuple[Array, Array]:
    """The rows whose answers are finite, and these: a probability of 0 or 1 has no logit."""
    answers = read(oracle, x)
    finite = np.isfinite(answers).all(axis=1)
    return x[finite], answers[finite]


def unreadable(oracle: Oracle, stage: str, where: str = "") -> ExtractionError:
    """The error for answers that are no finite numbers."""
    if oracle.output == "logits":
        came, advice = "the victim answers NaN or infinity", "check the victim's logits"
    else:
        came = "probabilities are NaN, or rounded to exactly 0 or 1"
        advice = "ask the oracle for logits or log_probs, or for more decimals"
    return ExtractionError(stage, f"expected finite answers, but {where}{came}", advice)


def check_width(hidden: int | None) -> None:
    """Raise ValueError unless hidden= is None, for unknown, or a whole number of at least 1."""
    if hidden is not None and (np.asarray(hidden).dtype.kind not in "iu" or np.min(hidden) < 1):
        raise ValueError(
            f"expected hidden= as a whole number of at least 1, got {hidden!r}; leave it out if "
            "the width is not known"
        )
