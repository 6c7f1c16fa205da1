"""How the attack on deep networks fails: every error names the layer and the stage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mstheft.errors import ExtractionError
from mstheft.result import Result

Widths = Sequence[int] | None

NOT_DEEP = (
    "layer 1: no kink on any line, so the victim is linear or its answers are too coarse",
    "try direct.linear, or ask for more digits",
)
UNSURE = (
    "layer 1: kinks of the second layer contradict each other on which side a neuron is active",
    "use layers= for more hidden layers; opposite neurons on one hyperplane are out of reach",
)
NO_FIRST = (
    "layer 1: no kink lies where the rows of the others predict one: the answers are too coarse",
    "ask for more digits, or run again with another rng",
)
NO_SECOND = (
    "layer 2: no kink is one of a neuron behind the first layer",
    "use direct.sweep if there is one hidden layer, or ask for more digits",
)
NO_MIDDLE = (
    "layer 2: the segments behind the first layer do not agree on which kinks are of the second",
    "run again with another rng, or use layers=2 if two layers are hidden",
)
NO_THIRD = (
    "layer 3: no segment on which both other layers are wholly on gave a row",
    "run again with another rng, or use layers=2 if two layers are hidden",
)
UNVERIFIED_THIRD = (
    "layer 3: the copy is wrong on fresh inputs, so a neuron of the third layer is missing",
    "run again with another rng; the first two layers are in the partial result's trace",
)
NO_GAP = (
    "layer 1 or deeper: the students' neurons do not part into needed and spare ones",
    "run again with another rng, or ask for more digits; the victim must be a ReLU network",
)
UNLEARNED = (
    "layer 1 or deeper: no student came down to the noise of the answers, or none was right on "
    "fresh inputs",
    "run again with another rng, say how many hidden layers there are, or ask for more digits",
)
UNVERIFIED = (
    "layer 2 or deeper: the copy is wrong on fresh inputs, so a rare neuron is missing",
    "run again with another rng, or ask for more digits",
)


def failed(stage: str, why: tuple[str, str], result: Result) -> ExtractionError:
    """The error of a stage, out of an assumption and an advice."""
    return ExtractionError(stage, *why, partial=result)


def with_layer(error: ExtractionError, result: Result) -> ExtractionError:
    """The same error, with the layer that was being measured where a line search has raised it."""
    if error.stage != "critical points":
        return error
    layer = 1 if result.trace.votes is None else 2
    why = f"layer {layer}: {error.assumption}"
    return ExtractionError(result.stopped, why, error.advice, partial=result)


def too_many(layer: int, neurons: int, widths: Sequence[int], result: Result) -> ExtractionError:
    """The error for more neurons than `hidden` allows."""
    return ExtractionError(
        {1: "layers", 2: "second layer", 3: "third layer"}[layer],
        f"layer {layer}: expected {widths[layer - 1]} neurons as in hidden={tuple(widths)}, "
        f"but {neurons} switch",
        "leave out hidden=",
        partial=result,
    )


def check_arguments(hidden: Widths, layers: int | None) -> int:
    """How many hidden layers: `layers`, else as many as there are widths, else 2."""
    widths = np.array((1, 1) if hidden is None else hidden)
    if widths.dtype.kind != "i" or widths.ndim != 1 or len(widths) < 2 or widths.min() < 1:
        raise ValueError(
            f"expected hidden= as two whole numbers (h1, h2) or more, got {hidden!r}; use "
            "direct.sweep for one hidden layer, or leave it out"
        )
    if layers is not None and (layers < 2 or (hidden is not None and layers != len(widths))):
        raise ValueError(
            f"expected layers= of at least 2, and as many widths in hidden=, got {layers} and "
            f"{hidden}; leave one of them out"
        )
    return layers or len(widths)


def check_kinks(result: Result) -> None:
    """Are there kinks?"""
    if not any(len(kinks.line.kinks) for kinks in result.trace.searched):
        raise failed("lines", NOT_DEEP, result)


def check_widths(result: Result, widths: Widths) -> None:
    """Has a copy more neurons in a layer than `hidden` allows?"""
    for layer, (_, bias) in enumerate(result.model.dense()[:-1]):
        if widths is not None and len(bias) > widths[layer]:
            raise too_many(layer + 1, len(bias), widths, result)
