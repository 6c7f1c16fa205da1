"""Logits out of whatever an oracle tells: direct attacks need answers that are linear in them.

And the two complaints that these attacks share: about such answers, and about the width.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mstheft.errors import ExtractionError
from mstheft.nn import functions as F
from mstheft.typing import Array, Oracle


def read(oracle: Oracle, x: Array) -> Array:
    """Ask rows x (n, d) and return answers (n, K) that are a fixed linear function of the logits.

    'logits'     as they are
    'log_probs'  log p_k - mean_j log p_j = z_k - mean_j z_j: the logits up to their mean (gauge)
    'probs'      the same of ln p; for one sigmoid output the logit ln p / (1-p)

    Costs n queries. Numbers that are no longer finite (p rounded to 0 or 1) come back as such.
    Raises `ExtractionError` for an oracle that tells less than all probabilities.
    """
    if oracle.output not in ("logits", "log_probs", "probs"):
        raise ExtractionError(
            "answers",
            "needs logits, log-probabilities or probabilities, but the oracle tells "
            f"{oracle.output!r}",
            "ask for more, or use direct.label_only where the victim is linear",
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
        return logs - logs.mean(axis=1, keepdims=True)


def unreadable(oracle: Oracle, stage: str, where: str = "") -> ExtractionError:
    """The error for answers that are no finite numbers."""
    if oracle.output == "logits":
        return ExtractionError(
            stage,
            f"expected finite answers, but {where}the victim answers NaN or infinity",
            "check the victim: logits have to be numbers wherever the attack asks",
        )
    return ExtractionError(
        stage,
        f"expected finite answers, but {where}probabilities are NaN, or rounded to exactly 0 or 1",
        "ask the oracle for logits or log_probs, or for more decimals",
    )


def check_width(hidden: Any) -> None:
    """Raise ValueError unless hidden= is None, for unknown, or a whole number of at least 1."""
    whole = isinstance(hidden, (int, np.integer)) and not isinstance(hidden, bool)
    if hidden is not None and not (whole and hidden >= 1):
        raise ValueError(
            f"expected hidden= as a whole number of at least 1, got {hidden!r}; leave it out if "
            "the width is not known"
        )
