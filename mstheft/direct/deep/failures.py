"""How the attack on deep networks fails: every error names the layer and the stage."""

from __future__ import annotations

from typing import Any

import numpy as np

from mstheft.direct.deep.first_layer import independent
from mstheft.direct.deep.layers import Planes
from mstheft.errors import ExtractionError
from mstheft.result import Result

NOT_DEEP = (
    "layer 1: no kink on any line, so the victim is linear or its answers are too coarse",
    "try direct.linear, or ask for more digits",
)
ONE_OUTPUT = (
    "layer 1: expected K > 1 outputs, got 1: the direction of a slope jump in output space tells "
    "nothing there",
    "use direct.sweep if there is one hidden layer",
)
ONE_LAYER = (
    "layer 2: every kink found belongs to the first layer, so the victim has one hidden layer, or "
    "its second was off along all lines",
    "use direct.sweep for one hidden layer, or run again with another rng",
)
MISSING_ROWS = (
    "layer 1: rows of second-layer kinks lie outside of the span of the first-layer rows found, so "
    "one of these could not be measured, there are more than two hidden layers, or the answers are "
    "too coarse",
    "ask for more digits, or run again with another rng",
)
NO_FIRST = (
    "layer 1: no kink stands where the rows of the others predict one, so no row was measured well "
    "enough: the answers are too coarse",
    "ask for more digits",
)
DEPENDENT = (
    "layer 1: expected independent rows of A0, and so at most as many as inputs, but they are "
    "dependent: not every hidden value can be produced",
    "run again with another rng; a growing or rank-deficient first layer is outside of this "
    "method: learn a copy instead; with one neuron in the first layer use direct.sweep",
)
UNSURE = (
    "layer 1: kinks of the second layer contradict each other on which side a neuron is active: "
    "two neurons share one hyperplane with opposite sides, or more than two layers are hidden",
    "such a first layer is outside of this method; learn a copy instead",
)
NO_SECOND = (
    "layer 2: no segment in the positive orthant of hidden values gave a row",
    "ask for more digits, or use direct.sweep if there is one hidden layer",
)
NO_MIDDLE = (
    "layer 2: the segments behind the first layer do not agree on which kinks are of the second: "
    "its rows are dependent, as where it is wider than the first, or a neuron was not seen",
    "run again with another rng, or use layers=2 if two layers are hidden",
)
NO_THIRD = (
    "layer 3: no segment on which both other layers are wholly on gave a row",
    "run again with another rng, or use layers=2 if two layers are hidden",
)
UNVERIFIED_THIRD = (
    "layer 3: the copy does not answer like the victim on fresh inputs, so that a neuron of the "
    "third layer is missing that switches only where some of the second are off, or a rare one",
    "run again with another rng; the first two layers are in the partial result's trace",
)
UNVERIFIED = (
    "layer 2: the copy does not answer like the victim on fresh inputs, so that a rare neuron of "
    "it is missing, two of layer 1 share a hyperplane, more layers are hidden, or digits are few",
    "run again with another rng, ask for more digits, or use layers=3",
)


def failed(stage: str, why: tuple[str, str], result: Result) -> ExtractionError:
    """The error of a stage, out of an assumption and an advice."""
    return ExtractionError(stage, *why, partial=result)


def with_layer(error: ExtractionError, result: Result) -> ExtractionError:
    """The same error, with the layer that was being looked at where a line search has raised it."""
    if error.stage != "critical points":
        return error
    layer = 1 if result.trace.votes is None else 2
    why = f"layer {layer}: {error.assumption}"
    return ExtractionError(result.stopped, why, error.advice, partial=result)


def refuse_walls(low: Any, high: Any) -> None:
    """Raise ValueError for a box of inputs."""
    if low is not None or high is not None:
        raise ValueError(
            "expected unbounded inputs for two hidden layers, got low= or high=; leave them out, "
            "or learn a copy, or use direct.sweep for one hidden layer"
        )


def too_many(layer: int, found: int, widths: Any, result: Result) -> ExtractionError:
    """The error for more neurons than `hidden` says."""
    return ExtractionError(
        {1: "layers", 2: "second layer", 3: "third layer"}[layer],
        f"layer {layer}: expected {widths[layer - 1]} neurons as hidden={widths} says, "
        f"found {found}",
        "leave out hidden=",
        partial=result,
    )


def widths_of(hidden: Any) -> tuple[int, ...] | None:
    """(h1, h2) or (h1, h2, h3) out of what the caller says, or None."""
    if hidden is None:
        return None
    widths = np.atleast_1d(hidden)
    whole = widths.ndim == 1 and np.issubdtype(widths.dtype, np.integer)
    if not whole or len(widths) not in (2, 3) or widths.min() < 1:
        raise ValueError(
            f"expected hidden= as two whole numbers (h1, h2) or three, got {hidden!r}; use "
            "direct.sweep for one hidden layer, or leave it out"
        )
    return tuple(int(width) for width in widths)


def depth_of(layers: int | None, widths: tuple[int, ...] | None) -> int:
    """How many hidden layers the caller says, 2 unless anything is said."""
    told = len(widths) if widths is not None else 2
    if layers is not None and (layers not in (2, 3) or (widths is not None and layers != told)):
        raise ValueError(
            f"expected layers= as 2 or 3, and as many widths in hidden=, got {layers} and {widths}"
            "; leave one of them out"
        )
    return layers or told


def check_outputs(result: Result) -> None:
    """Are there several outputs, and kinks?"""
    lines = [bends.line for bends in result.trace.seen]
    if lines[0].answers.shape[1] < 2:
        raise failed("lines", ONE_OUTPUT, result)
    if not any(len(line.kinks) for line in lines):
        raise failed("lines", NOT_DEEP, result)


def check_first(planes: Planes, result: Result, widths: Any) -> None:
    """Can the hidden values of these neurons be produced, and is there a second layer?"""
    found = len(planes.rows)
    if not found:
        raise failed("layers", NO_FIRST, result)
    if not independent(planes):
        raise failed("layers", DEPENDENT, result)
    if widths is not None and found > widths[0]:
        raise too_many(1, found, widths, result)
    if all((bends.first >= 0).all() for bends in result.trace.seen):
        raise failed("layers", ONE_LAYER, result)
