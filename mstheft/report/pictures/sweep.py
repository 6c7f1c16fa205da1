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
from mstheft.report.formatting import WIDE, Picture
from mstheft.report.pictures.captions import captioned
from mstheft.report.pictures.exact import aligned_pictures, line_pictures
from mstheft.report.pictures.polish import polish_pictures
from mstheft.result import Result

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
        yield captioned(
            "sweep.gaps", sweep.gaps(trace.lines[0], trace.plans[0], style.axes(size=WIDE))
        )
        yield from _group_picture(trace)
    if trace.signs is not None:
        yield captioned("sweep.signs", sweep.signs(trace.signs, style.axes(size=WIDE)))
    if trace.polishing.polished:
        yield from polish_pictures(trace.polishing.polished, victim)
    if result.verified:
        yield from aligned_pictures(victim, result, side)


def smooth_pictures(victim: Network, result: Result, side: int | None = None) -> Iterator[Picture]:
    """The figures of `direct.smooth`, as far as the attack came."""
    trace = result.trace
    if trace.space is not None:
        yield captioned(
            "sweep.spectrum",
            smooth.spectrum(trace.space.spectrum, trace.space.axes.shape[1], style.axes(size=WIDE)),
        )
    if trace.directions is not None:
        turned = trace.directions.turned
        yield captioned("sweep.bends", smooth.bends(turned, style.axes(size=HIGH)))
        yield captioned("sweep.separation", smooth.separation(turned, style.axes(size=WIDE)))
    if trace.start is not None:
        yield _curve_picture(trace)
    if trace.errors:
        finite = {name: value for name, value in trace.errors.items() if np.isfinite(value)}
        labelled = {f"{name}\n{MEASURES[name]}": value for name, value in finite.items()}
        yield captioned("sweep.errors", smooth.errors(labelled, style.axes(size=WIDE)))
    if trace.polished:
        yield from polish_pictures(trace.polished, victim)


def _jumps_picture(line: Line) -> Picture:
    flat = line.jumps.shape[1] <= 2
    length = " of one length" if flat else ""
    shorter = "" if flat else "; shorter ones point out of the picture"
    ax = sweep.jumps(line, style.axes(size=HIGH))
    return captioned("sweep.jumps", ax, alt_length=length, shorter=shorter)


def _group_picture(trace: Trace) -> Iterator[Picture]:
    """The largest group of the first line whose two Jacobians both passed their check."""
    line, plan = trace.lines[0], trace.plans[0]
    at = {site.t: site.jacobian for site in trace.sites}
    groups = [(a, b) for a, b in plan.groups if plan.t[a] in at and plan.t[b] in at]
    if not groups:
        return
    a, b = max(groups, key=lambda pair: pair[1] - pair[0])
    change, jumps = at[plan.t[b]] - at[plan.t[a]], line.jumps[a:b]  # (K, d), (m, K)
    ax = style.axes(size=(6.4, 3.4))
    yield captioned("sweep.group", sweep.group(change, jumps, solve_group(jumps, change), ax))


def _curve_picture(trace: smooth_attack.Trace) -> Picture:
    network, curves = trace.inside or trace.start, trace.curves
    assert network is not None
    assert curves is not None
    strongest = int(np.linalg.norm(network.weights, axis=0).argmax())
    answers, fit = along(curves, network, strongest)
    return captioned("sweep.curve", smooth.curve(curves.t, answers, fit, style.axes(size=WIDE)))
