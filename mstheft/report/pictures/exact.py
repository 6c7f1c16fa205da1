"""The pictures of equation solving and of the four steps."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from mstheft.compare import alignment as symmetry
from mstheft.compare import parameters
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.direct.line import Line
from mstheft.direct.linear.attack import Trace
from mstheft.nn import Network
from mstheft.nn import functions as F
from mstheft.plots import linear as linear_plots
from mstheft.plots import lines, style, weights
from mstheft.report.formatting import WIDE, Picture
from mstheft.report.pictures.captions import captioned
from mstheft.report.pictures.polish import polish_pictures
from mstheft.result import Result

HIGH = 5.0, 4.4  # inches
SHOWN = 40  # equations drawn as dots on the logit line


def linear_pictures(victim: Network, result: Result, side: int | None = None) -> Iterator[Picture]:
    """The figures of `direct.linear`: equations, logit line, weights true and recovered.

    side : of the square images that the victim takes, None for other inputs
    """
    if not result.verified:
        return
    trace, one = result.trace, victim.outputs == 1
    chosen, other = (0, None) if one else (victim.outputs - 1, 0)
    system = trace.A, trace.rhs[:, chosen], trace.solution[:, chosen]
    yield captioned(
        "exact.equations", linear_plots.equations(*system, style.axes(size=WIDE)), rows=len(trace.A)
    )
    yield _logit_picture(trace, chosen, other)
    true, stolen = victim.dense()[0][0], result.model.dense()[0][0]
    if not one:
        true, stolen = true - true.mean(axis=0), stolen - stolen.mean(axis=0)
    yield from _weight_pictures(true, stolen, side, "class" if not one else "output")


def _logit_picture(trace: Trace, chosen: int, other: int | None) -> Picture:
    """Questions along the direction in which the probability grows fastest."""
    theta, z = trace.solution[:, chosen], trace.rhs[:, chosen]
    if other is not None:
        theta, z = theta - trace.solution[:, other], z - trace.rhs[:, other]
    size = np.linalg.norm(theta[:-1])
    position = trace.A[:, :-1] @ theta[:-1] / size
    wanted = np.linspace(position.min(), position.max(), SHOWN)
    order = np.argsort(position)
    shown = order[np.unique(np.searchsorted(position[order], wanted))]
    x, z = position[shown], z[shown]
    ax = linear_plots.logit_line(x, F.sigmoid(z), z, size * x + theta[-1], style.axes(size=WIDE))
    which = "" if other is None else f" of class {chosen}, held against class {other}"
    return captioned("exact.logit_line", ax, which=which)


def label_pictures(victim: Network, result: Result, side: int | None = None) -> Iterator[Picture]:
    """The figures of `direct.label_only`: weights divided by their length."""
    if result.verified:
        true, stolen = victim.dense()[0][0], result.model.dense()[0][0]
        true = true[1:] - true[:1] if len(true) == 2 else true
        true, stolen = true / np.linalg.norm(true), stolen / np.linalg.norm(stolen)
        yield from _weight_pictures(true, stolen, side, "output")


def labels_pictures(victim: Network, result: Result, side: int | None = None) -> Iterator[Picture]:
    """The rows that `direct.labels` found, each beside the victim's nearest, both of length 1."""
    if result.verified and len(result.trace.rows.planes):
        true = victim.dense()[0][0]
        true = true / np.linalg.norm(true, axis=1, keepdims=True)
        stolen = result.trace.rows.planes[:, :-1] @ result.trace.basis
        cosines = stolen @ true.T
        nearest = np.abs(cosines).argmax(axis=1)
        signs = np.sign(cosines[np.arange(len(stolen)), nearest])
        yield from _weight_pictures(true[nearest], stolen * signs[:, None], side, "neuron")


def relu_pictures(victim: Network, result: Result, side: int | None = None) -> Iterator[Picture]:
    """The figures of `direct.relu`, as far as the attack came; `side` as in `linear_pictures`."""
    trace = result.trace
    if trace.lines:
        yield from line_pictures(trace.lines[0])
    if trace.neurons:
        yield _curvature_picture(trace.neurons)
    if trace.polishing.polished:
        yield from polish_pictures(trace.polishing.polished, victim)
    if not result.verified:
        return
    signs = np.sign(trace.neurons.rows) * trace.neuron_signs[:, None]
    yield captioned("exact.signs", weights.signs(np.abs(signs), signs, style.axes(size=(5.8, 3.6))))
    yield from aligned_pictures(victim, result, side)


def exact_pictures(victim: Network, result: Result, side: int | None = None) -> Iterator[Picture]:
    """The figures of `learning.exact`: its last polish, and the weights of a verified copy."""
    if polished := getattr(result.trace, "polished", None):
        yield from polish_pictures(polished, victim)
    if result.verified:
        yield from aligned_pictures(victim, result, side)


def aligned_pictures(victim: Network, result: Result, side: int | None) -> Iterator[Picture]:
    """First-layer weights, true and recovered, in the victim's order and scale."""
    layers, copied = (parameters.layers_of(each) or [] for each in (victim, result.model))
    if len(layers) != 2 or len(layers[0][0]) != len(copied[0][0]):
        return  # the copy carries an affine remainder on neurons of its own
    match = symmetry.align(victim, result.model)
    rows = victim.dense()[0][0][match.neurons]
    yield from _weight_pictures(rows, rows + match.differences["A0"], side, "neuron")


def _middle(line: Line, kinks: int = 7, outputs: int = 3) -> Line:
    """The part of a line around its middle kinks, and the first few logits: enough to see bends."""
    first = max(0, (len(line.kinks) - kinks) // 2)
    middle = slice(first, first + kinks)
    edges = np.concatenate([[line.t[0]], line.kinks, [line.t[-1]]])
    low, high = edges[first], edges[min(first + kinks + 1, len(edges) - 1)]
    seen = (line.t > low) & (line.t < high)
    return replace(
        line,
        t=line.t[seen],
        answers=line.answers[seen, :outputs],
        kinks=line.kinks[middle],
        jumps=line.jumps[middle, :outputs],
        slopes=line.slopes[first : first + kinks + 1, :outputs],
    )


def line_pictures(line: Line) -> Iterator[Picture]:
    """A line with its kinks, and its slopes."""
    count = f"{len(line.kinks):,}"
    middle = _middle(line)
    shown = f"{len(middle.kinks)} of {count}"
    yield captioned(
        "exact.kinks",
        lines.kinks(middle, style.axes(size=WIDE)),
        shown=shown,
        count=count,
        in_view=len(middle.kinks),
    )
    yield captioned("exact.slopes", lines.slopes(line, style.axes(size=WIDE), scale="arctan"))


def _curvature_picture(neurons: Hyperplanes) -> Picture:
    """The absolute weights of the first neuron, as the second differences showed them."""
    k = int(neurons.outputs[0].argmax())
    values = np.abs(neurons.rows[0]) * neurons.outputs[0, k]
    return captioned(
        "exact.second_differences",
        weights.second_differences(np.arange(len(values)), values, style.axes(size=WIDE)),
        k=k,
    )


def _weight_pictures(
    true: np.ndarray, stolen: np.ndarray, side: int | None, what: str
) -> Iterator[Picture]:
    if side is not None:
        size = HIGH if len(true) == 1 else (5.0, 3.9)
        ax = weights.rows(true, stolen, style.axes(size=size), image_shape=(side, side), count=4)
        ax.set_xlabel(what)
        yield captioned("exact.rows", ax, what=what)
    yield captioned("exact.weights", weights.matrices(true, stolen, style.axes(size=HIGH)))
    yield captioned("exact.errors", weights.errors(stolen - true, style.axes(size=WIDE)))
