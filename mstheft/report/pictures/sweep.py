"""The pictures of the attacks that need few queries: the sweep, and smooth activations."""

from collections.abc import Iterator

import numpy as np

from mstheft.direct.hyperplanes.groups import solve_group
from mstheft.direct.line import Line
from mstheft.direct.smooth import attack as smooth_attack
from mstheft.direct.smooth.lines import along
from mstheft.direct.sweep.attack import Trace
from mstheft.nn import Network
from mstheft.plots import smooth, style, sweep
from mstheft.report.pictures.exact import aligned_pictures, line_pictures
from mstheft.report.tables import WIDE, Picture, picture
from mstheft.result import Result
from mstheft.typing import Array

HIGH = 4.6, 4.4  # inches
MEASURES = {
    "lines": "root mean\nsquare in V",
    "fit": "root mean\nsquare in V",
    "columns": "largest\nacross V",
    "verify": "largest on\nfresh inputs",
}


def sweep_pictures(victim: Network, result: Result, side: int | None = None) -> Iterator[Picture]:
    """The figures of `direct.sweep`, as far as the attack came; `side` as in `linear_pictures`."""
    trace = result.trace
    if not trace.lines:
        return
    yield from line_pictures(trace.lines[0])
    yield _jumps_picture(trace.lines[0])
    if trace.plans:
        yield picture(
            "gaps",
            sweep.gaps(trace.lines[0], trace.plans[0], style.axes(size=WIDE)),
            "A row of bars, a few of them filled.",
            "A Jacobian, the steepness along every input, is dear. So it is measured in a handful "
            "of wide gaps between bends (filled), and its change from one to the next is shared "
            "out among the neurons between them.",
        )
        yield from _group_picture(trace)
    if trace.signs is not None:
        yield picture(
            "signs",
            sweep.signs(trace.signs, style.axes(size=WIDE)),
            "Dots on two lines, at +1 and at -1.",
            "On which side is each neuron on? Earlier answers give it without a query: solved as "
            "ordinary numbers, the signs come out as +1 or -1 by themselves.",
        )
    if result.verified:
        yield from aligned_pictures(victim, result, side)


def smooth_pictures(victim: Network, result: Result, side: int | None = None) -> Iterator[Picture]:
    """The figures of `direct.smooth`, as far as the attack came."""
    trace = result.trace
    if trace.space is not None:
        yield picture(
            "spectrum",
            smooth.spectrum(trace.space.spectrum, trace.space.axes.shape[1], style.axes(size=WIDE)),
            "Dots that fall off a cliff after as many as there are neurons.",
            "All gradients lie in a small subspace, one dimension for each neuron: as many "
            "singular values stand out.",
        )
    if trace.directions is not None:
        yield from _hessian_pictures(trace.directions.turned)
    if trace.start is not None:
        yield _curve_picture(trace)
    if trace.errors:
        finite = {name: value for name, value in trace.errors.items() if np.isfinite(value)}
        labelled = {f"{name}\n{MEASURES[name]}": value for name, value in finite.items()}
        yield picture(
            "errors",
            smooth.errors(labelled, style.axes(size=WIDE)),
            "Dots on a log axis, the second far below the first.",
            "How far the copy is off after each stage. The first two dots are the root mean square "
            "of the same misses, inside the subspace V, before and after the fit. The last two are "
            "the largest of many misses, across V and on fresh inputs, and may well be higher.",
        )


def _jumps_picture(line: Line) -> Picture:
    flat = line.jumps.shape[1] <= 2
    return picture(
        "jumps",
        sweep.jumps(line, style.axes(size=HIGH)),
        f"Arrows{' of one length' if flat else ''} in all directions from the middle.",
        "At every bend the logits turn by the neuron's column in the last layer. Here each is an "
        f"arrow of length 1{'' if flat else '; shorter ones point out of the picture'}. Their "
        "directions differ, and so separate the neurons of a group.",
    )


def _group_picture(trace: Trace) -> Iterator[Picture]:
    """The largest group of the first line whose two Jacobians both passed their check."""
    line, plan = trace.lines[0], trace.plans[0]
    at = {site.t: site.jacobian for site in trace.sites}
    groups = [(a, b) for a, b in plan.groups if plan.t[a] in at and plan.t[b] in at]
    if not groups:
        return
    a, b = max(groups, key=lambda pair: pair[1] - pair[0])
    change, jumps = at[plan.t[b]] - at[plan.t[a]], line.jumps[a:b]
    yield picture(
        "group",
        sweep.group(change, jumps, solve_group(jumps, change), style.axes(size=(6.4, 3.4))),
        "A block of coloured cells equals a small block times another block.",
        "The group with the most bends. From one Jacobian to the next only its neurons switched, "
        "so the change is their slope jumps times their rows. Queries gave the change and the "
        "jumps: the rows follow from a small system of equations.",
    )


def _hessian_pictures(turned: Array) -> Iterator[Picture]:
    yield picture(
        "bends",
        smooth.bends(turned, style.axes(size=HIGH)),
        "A square of dark cells with a bright diagonal.",
        "Second derivatives along the recovered directions. Every direction bends with itself (the "
        "diagonal) and with no other, so each belongs to one neuron alone.",
    )
    yield picture(
        "separation",
        smooth.separation(turned, style.axes(size=WIDE)),
        "Rows of strokes between -1 and 1, one row for each Hessian.",
        "How each neuron's bend is shared out among the second derivatives. Two neurons with the "
        "same shares in every row could not be separated.",
    )


def _curve_picture(trace: smooth_attack.Trace) -> Picture:
    network, curves = trace.inside or trace.start, trace.curves
    assert network is not None
    assert curves is not None
    strongest = int(np.linalg.norm(network.weights, axis=0).argmax())
    answers, fit = along(curves, network, strongest)
    return picture(
        "curve",
        smooth.curve(curves.t, answers, fit, style.axes(size=WIDE)),
        "Dots on a smooth curve that bends.",
        "One neuron moved along its own direction, with all others at rest: the answers (dots) "
        "trace its activation, which gives its bias and scale.",
    )
