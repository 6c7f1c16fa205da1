"""The pictures of the attack on two or three hidden layers."""

from collections.abc import Iterator

import numpy as np

from mstheft.compare import alignment as symmetry
from mstheft.compare import parameters
from mstheft.direct.deep.attack import Trace
from mstheft.direct.deep.first_layer import Votes
from mstheft.direct.deep.kinks import LineKinks
from mstheft.direct.hyperplanes.hyperplanes import crossings
from mstheft.nn import Network, zoo
from mstheft.nn.regions import slice_regions
from mstheft.plots import deep, style
from mstheft.report.formatting import WIDE, Picture
from mstheft.report.pictures.captions import captioned
from mstheft.report.pictures.exact import line_pictures
from mstheft.result import Result

SQUARE = (4.8, 4.7)  # inches
SHOWN = 3  # lines of which the slope jumps are drawn
GRID = 250  # points along a side of the slice


def deep_pictures(victim: Network, result: Result, side: int | None = None) -> Iterator[Picture]:
    """The figures of `direct.deep`, as far as the attack came; `side` as in `linear_pictures`."""
    trace = result.trace
    if not trace.searched:
        return
    yield from line_pictures(trace.searched[0].line)
    if trace.votes is not None:
        yield from _layer_pictures(trace)
        yield from _vote_picture(trace.votes)
    if result.verified:
        yield _slice_picture(result)
        if errors := errors_by_layer(victim, result.model):
            yield captioned("deep.errors", deep.errors(errors, style.axes(size=WIDE)))


def _layer_pictures(trace: Trace) -> Iterator[Picture]:
    """Which kink is of which layer, in two ways, of which the first is for two layers only."""
    shown = [(kinks.directions, _layers(kinks)) for kinks in trace.searched[:SHOWN]]
    if trace.searched[0].line.jumps.shape[1] > 1 and trace.layers == 2:
        yield captioned(
            "deep.directions", deep.directions(shown, style.axes(size=(4.6, 4.4))), lines=len(shown)
        )
    t, _ = crossings(trace.searched[1].line, trace.searched[0].planes)
    yield captioned(
        "deep.layers",
        deep.meeting(trace.searched[1].line, t, _layers(trace.searched[0]), style.axes(size=WIDE)),
    )


def _vote_picture(votes: Votes) -> Iterator[Picture]:
    """One kink of the second layer and its zeros: that with the most neurons on either side."""
    on = votes.hidden > 0
    if not len(on):
        return
    kink = int(np.minimum(on.sum(axis=1), (~on).sum(axis=1)).argmax())
    yield captioned(
        "deep.votes",
        deep.coefficients(votes.beta[kink], on[kink], style.axes(size=WIDE), zero=votes.zero[kink]),
    )


def _slice_picture(result: Result) -> Picture:
    """The copy on the plane of two searched lines, and the kinks of the first line."""
    first, second = result.trace.searched[:2]
    start, length = first.line.start, float(np.linalg.norm(first.line.direction))
    across, up = (np.linalg.qr(np.stack([first.line.direction, second.line.direction]).T)[0]).T
    across = across * np.sign(across @ first.line.direction)
    at = first.line.kinks * length
    extent = 1.5 * float(np.median(np.abs(at)))
    plane = slice_regions(result.model, start, across, up, extent=extent, points=GRID)
    near = np.abs(at) < extent
    kinks = at[near], layers_of(result.model, first.points)[near]
    return captioned(
        "deep.boundaries", deep.boundaries(plane, style.axes(size=SQUARE), kinks=kinks)
    )


def errors_by_layer(victim: Network, copy: Network) -> dict[str, np.ndarray]:
    """Relative error of each neuron's weights and bias, layer by layer; none for other widths.

    From the first hidden layer on, the copy's neurons are put into the victim's order and scale.
    """
    layers, copied = (parameters.layers_of(each) for each in (victim, copy))
    if not layers or not copied or [w.shape for w, _ in layers] != [w.shape for w, _ in copied]:
        return {}
    twin = zoo.given(copied)
    for n in range(len(layers) - 1):
        pair = zoo.given(layers[n : n + 2]), zoo.given(twin.dense()[n : n + 2])
        match = symmetry.align(*pair)
        twin = symmetry.reorder(twin, n + 1, match.order)
        twin = symmetry.rescale(twin, n + 1, np.arange(len(match.order)), match.scale)
    errors = {}
    for n, (true, stolen) in enumerate(zip(layers, twin.dense(), strict=True)):
        rows, others = (np.column_stack(each) for each in (true, stolen))
        size = np.linalg.norm(rows, axis=1)
        name = f"hidden {n + 1}" if n + 1 < len(layers) else "last"
        errors[name] = np.linalg.norm(others - rows, axis=1) / np.where(size > 0, size, 1)
    return errors


def layers_of(copy: Network, points: np.ndarray) -> np.ndarray:
    """Which hidden layer of a network switches nearest to each point, 1 … , (n, d) -> (n,)."""
    hidden, nearest = points, []
    for weights, bias in copy.dense()[:-1]:
        z = hidden @ weights.T + bias  # (n, h)
        size = np.abs(hidden) @ np.abs(weights).T + np.abs(bias)
        nearest.append((np.abs(z) / np.maximum(size, 1e-300)).min(axis=1))
        hidden = np.maximum(z, 0)
    layers: np.ndarray = np.argmin(nearest, axis=0) + 1  # (layers, n) -> (n,)
    return layers


def _layers(kinks: LineKinks) -> np.ndarray:
    """1 for kinks of the first layer, 2 for the others, (n,)."""
    return np.where(kinks.first >= 0, 1, 2)
