"""The pictures of the attacks that need few queries: the sweep, and smooth activations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mstheft.figures.exact import aligned_pictures, line_pictures
from mstheft.nn import Network
from mstheft.plots import smooth, style, sweep
from mstheft.report import Picture, picture
from mstheft.result import Result

WIDE = (5.0, 3.4)  # inches: small, so that words stay readable on a phone


def sweep_pictures(victim: Network, result: Result, side: int | None = None) -> Iterator[Picture]:
    """The figures of `direct.sweep`, as far as the attack came; `side` as in `linear_pictures`."""
    trace = result.trace
    if not trace.lines:
        return
    yield from line_pictures(trace.lines[0])
    yield picture(
        "jumps",
        sweep.jumps(trace.lines[0], style.axes(size=(4.6, 4.4))),
        "Arrows of one length in all directions from the middle.",
        "At every bend the logits turn by an amount that is the neuron's column in the last layer. "
        "Here each is an arrow, seen along two of the logits. Their directions differ, which is "
        "what tells the neurons of a group apart.",
    )
    if trace.plans:
        yield picture(
            "gaps",
            sweep.gaps(trace.lines[0], trace.plans[0], style.axes(size=WIDE)),
            "A row of bars, a few of them filled.",
            "A Jacobian, the steepness along every input, is dear. So it is measured only in a few "
            "wide gaps between bends (filled), and its change from one to the next is shared out "
            "among the neurons between them.",
        )
    if trace.signs is not None:
        yield picture(
            "signs",
            sweep.signs(trace.signs, style.axes(size=WIDE)),
            "Dots on two lines, at +1 and at -1.",
            "On which side is each neuron on? The answers paid for already say it: solved as "
            "ordinary numbers, the signs come out as +1 or -1 by themselves.",
        )
    if result.verified:
        yield from aligned_pictures(victim, result, side)


def smooth_pictures(victim: Network, result: Result, side: int | None = None) -> Iterator[Picture]:
    """The figures of `direct.smooth`, as far as the attack came."""
    trace = result.trace
    if hasattr(trace, "space"):
        yield picture(
            "spectrum",
            smooth.spectrum(trace.space.spectrum, trace.space.axes.shape[1], style.axes(size=WIDE)),
            "Dots that fall off a cliff after as many as there are neurons.",
            "All gradients lie in a small subspace, one dimension for each neuron: as many "
            "singular values stand out.",
        )
    if hasattr(trace, "errors"):
        kept = {name: value for name, value in trace.errors.items() if np.isfinite(value)}
        yield picture(
            "errors",
            smooth.errors(kept, style.axes(size=WIDE)),
            "A falling curve of errors.",
            "How far the copy is off after each step.",
        )
