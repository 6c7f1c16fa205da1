"""A copy beside its victim: every comparison that applies to the two, in one table."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mstheft.compare.agreement import (
    Answers,
    Difference,
    control,
    differences,
    labels_of,
    scores_of,
)
from mstheft.compare.alignment import align, center
from mstheft.compare.certificate import certificate
from mstheft.compare.parameters import largest, layers_of
from mstheft.nn.network import Network
from mstheft.typing import Array


@dataclass(frozen=True)
class Summary:
    """A copy beside its victim; None where a line does not apply. `str()` gives a table.

    rows : number of inputs compared
    agreement : share of equal labels; control : that of a network trained without the victim
    difference : max and mean |Δlogit|
    victim_accuracy, copy_accuracy : shares of right labels
    parameter_error : max |θ̂ - θ| after alignment
    certificate : bound of |Δlogit| on the smallest box that holds all the inputs
    """

    rows: int
    agreement: float
    control: float | None
    difference: Difference
    victim_accuracy: float | None
    copy_accuracy: float | None
    parameter_error: float | None
    certificate: float | None

    def __str__(self) -> str:
        lines = [
            ("inputs compared", f"{self.rows:,}"),
            ("agreement", _share(self.agreement, self.rows)),
            ("  without the victim", _share(self.control, self.rows)),
            ("max |Δlogit|", f"{self.difference.max:.2e}"),
            ("mean |Δlogit|", f"{self.difference.mean:.2e}"),
            ("accuracy of the victim", _share(self.victim_accuracy, self.rows)),
            ("accuracy of the copy", _share(self.copy_accuracy, self.rows)),
            ("max |Δparameter|, aligned", _number(self.parameter_error)),
            ("certified |Δlogit|, same box", _number(self.certificate)),
        ]
        return "\n".join(f"{name:<30}{value}" for name, value in lines if value)


def summary(
    victim: Answers,
    copy: Answers,
    x: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    independent: Answers | None = None,
    gauge: bool = False,
) -> Summary:
    """All comparisons of this room on rows x (n, d), as far as they apply to these two.

    labels : (n,) the right classes, counted as the networks do
    independent : a network trained without the victim, see `control`
    gauge : compare logits and parameters after centring them over classes, as
        `logit_difference` does
    Parameters are compared for networks of one hidden ReLU layer or none; certificates are for
    these and for deeper ReLU networks of equal widths.
    """
    x = np.asarray(x)
    first, second = scores_of(victim, copy, x)
    apart = differences(first, second, gauge=gauge)
    error, bound = _by_parameters(victim, copy, x, gauge)
    return Summary(
        rows=len(first),
        agreement=float((labels_of(first) == labels_of(second)).mean()),
        control=None if independent is None else control(victim, independent, x),
        difference=Difference(float(apart.max()), float(apart.mean())),
        victim_accuracy=_accuracy(first, labels),
        copy_accuracy=_accuracy(second, labels),
        parameter_error=error,
        certificate=bound,
    )


def _accuracy(scores: Array, labels: ArrayLike | None) -> float | None:
    if labels is None:
        return None
    right = np.asarray(labels)
    if right.shape != (len(scores),) or right.dtype.kind not in "iu":
        got = f"shape {right.shape} of {right.dtype}"
        raise ValueError(f"expected labels as ({len(scores)},) whole numbers, got {got}")
    return float((labels_of(scores) == right).mean())


def _by_parameters(
    victim: Answers, copy: Answers, x: Array, gauge: bool
) -> tuple[float | None, float | None]:
    """Parameter error and certificate, each None where it does not apply."""
    if not (isinstance(victim, Network) and isinstance(copy, Network)):
        return None, None
    if gauge:
        victim, copy = center(victim), center(copy)
    first, second = layers_of(victim), layers_of(copy)
    if first is None or second is None or len(first) != len(second):
        return None, None
    if [len(bias) for _, bias in first] != [len(bias) for _, bias in second]:
        return None, None  # the same function may well have another number of neurons
    error = None
    if len(first) == 1:
        error = max(largest(q - p) for p, q in zip(first[0], second[0], strict=True))
    elif len(first) == 2:
        error = align(victim, copy).error
    rows = x.astype(np.float64).reshape(len(x), -1)  # (n, d)
    return error, certificate(victim, copy, rows.min(axis=0), rows.max(axis=0))


def _share(share: float | None, n: int) -> str:
    """Rounded down, so that only all is 100 %."""
    if share is None:
        return ""
    count = round(share * n)
    return f"{math.floor(10_000 * count / n) / 100:.2f} %  ({count:,} of {n:,})"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2e}"
