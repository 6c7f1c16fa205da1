"""Where only a box of inputs may be asked: segments, and rows all over it or on a hyperplane."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from mstheft.errors import ExtractionError
from mstheft.nn.functions import sigmoid
from mstheft.typing import Array, Oracle

Box = tuple[Array, Array]  # lower and upper walls, (d,) each

INSIDE = 1 - 1e-9  # of the way to the wall: a segment's end is not rounded out of the box
LOOSE = 0.05  # share of the box by which a point near its wall is moved off it
STEEPEST = 1e3  # of the bias of a coin that pushes a row towards a hyperplane
BISECTIONS = 60  # of that bias


def walls(d: int, low: ArrayLike | None, high: ArrayLike | None) -> Box | None:
    """Walls as (d,) each; None without walls. ValueError for a box that is none."""
    if low is None and high is None:
        return None
    try:
        lower, upper = (np.broadcast_to(np.asarray(each, float), d) for each in (low, high))
        good = bool((np.isfinite(lower) & np.isfinite(upper) & (lower < upper)).all())
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(
            f"expected low= and high= together, finite, ({d},) or one number, with low < high, got "
            f"{low!r} and {high!r}; give both, and leave out constant inputs"
        )
    return lower, upper


def limits(oracle: Oracle, low: ArrayLike | None, high: ArrayLike | None) -> Box | None:
    """The walls that are given, else those that the oracle says it has."""
    own = getattr(oracle, "allowed", None)
    if own is not None and low is None and high is None:
        low, high = own.low, own.high
    return walls(oracle.inputs, low, high)


def is_whole(oracle: Oracle) -> bool:
    """Does the oracle round rows to whole numbers?"""
    own = getattr(oracle, "allowed", None)
    return own is not None and own.whole


def refuse_whole(oracle: Oracle) -> None:
    """Raise `ExtractionError` where rows are rounded to whole numbers: no step is small there."""
    if is_whole(oracle):
        raise ExtractionError(
            "critical points",
            "needs differences over small steps, but the oracle rounds rows to whole numbers",
            "use direct.sweep, which takes whole steps",
        )


def middle(box: Box) -> tuple[Array, Array]:
    """The middle of a box, and a quarter of its diagonal."""
    return (box[0] + box[1]) / 2, (box[1] - box[0]) / 4


def scatter(rng: Generator, n: int, box: Box) -> Array:
    """Points all over a box, (n, d): each coordinate near one wall, near the upper with a chance q.

    A uniform point of a high-dimensional box lies near its middle, seen along any direction. Here
    q ~ U(0, 1) for each point, so that some are bright and some are dark all over.
    """
    low, high = box
    upper = rng.random((n, len(low))) < rng.uniform(0, 1, (n, 1))
    away = rng.uniform(-0.5, 0.5, (2, n, 1)).clip(0, None)  # half of them stay at the wall
    share = np.where(upper, 1 - away[0], away[1])
    inwards = LOOSE * rng.random(upper.shape)  # no two points share a coordinate
    return low + (high - low) * (share + inwards * np.where(share > 0.5, -1, 1))


def segment(rng: Generator, box: Box, endpoints: Array | None) -> tuple[Array, Array, float, float]:
    """A line through two points and how far it stays in the box: u, v, low, high of t.

    endpoints : (2, d) the points, or None for two that `scatter` draws
    """
    first, last = scatter(rng, 2, box) if endpoints is None else endpoints
    start, direction = (first + last) / 2, (last - first) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        met = np.sort([(wall - start) / direction for wall in box], axis=0)  # (2, d)
    return start, direction, INSIDE * float(np.nanmax(met[0])), INSIDE * float(np.nanmin(met[1]))


def inner_segment(
    rng: Generator, box: Box, endpoints: Array | None, room: float
) -> tuple[Array, Array, float, float]:
    """A segment that leaves a share `room` of the box free at every wall."""
    centre, off = middle(box)[0], room * (box[1] - box[0])
    through = scatter(rng, 2, box) if endpoints is None else endpoints
    within = box[0] + off, box[1] - off
    return segment(rng, within, centre + (1 - 2 * room) * (through - centre))


def anywhere(rng: Generator, box: Box, points: int) -> Array:
    """Rows for the check: half of them uniform, half from `scatter`, (points, d)."""
    low, high = box
    uniform = low + (high - low) * rng.random((points // 2, len(low)))
    return np.concatenate([uniform, scatter(rng, points - points // 2, box)])


def beside(rng: Generator, box: Box, normal: Array, offset: float, points: int) -> Array:
    """Rows all over a box on both sides of a hyperplane a·x + c = 0, (points, d).

        each coordinate near its upper wall with the chance  1 / (1 + exp(-λ a_j (high - low)_j)),
        λ such that a·x + c = 0 on average

    of all coins these are the fairest that do so. None where the hyperplane misses the box.
    """
    low, high = box
    size = normal * (high - low)
    pull, start = size / max(float(np.abs(size).max()), 1e-300), float(normal @ low) + offset
    if start + size.clip(0, None).sum() <= 0 or start + size.clip(None, 0).sum() >= 0:
        return np.zeros((0, len(low)))
    least, most = -STEEPEST, STEEPEST
    for _ in range(BISECTIONS):
        half = (least + most) / 2
        mean = LOOSE / 2 + (1 - LOOSE) * sigmoid(half * pull)
        least, most = (least, half) if start + size @ mean > 0 else (half, most)
    upper = rng.random((points, len(low))) < sigmoid(half * pull)
    inwards = LOOSE * rng.random(upper.shape)
    return low + (high - low) * np.where(upper, 1 - inwards, inwards)
