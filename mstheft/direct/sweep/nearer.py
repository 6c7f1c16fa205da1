"""Neurons whose kink lies far out on the line, measured once more where the rounding is small.

A hyperplane that the line meets only at |t| = 1000 runs nearly along it: it is far away on the line
and yet near it. Once the rows are known roughly, a point beside the line and beyond such
hyperplanes is easily found, and the answers there are a thousand times finer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mstheft.direct.hyperplanes.hyperplanes import Neurons
from mstheft.direct.hyperplanes.jacobians import Stand
from mstheft.direct.sweep.signs import weight
from mstheft.nn.network import Network
from mstheft.typing import Array

FAR = 300.0  # times as far out as the nearest place: kinks there are worth another Jacobian
OUT = 10.0  # the same, for kinks that are taken along
TRIES = 64  # points tried, of which the one with the most room is taken
SHARE = 0.25  # of the way to the nearest hyperplane that a difference step takes
ROUGH = 1e-4  # relative error up to which the rows known before must be right


def farthest(stands: Sequence[Stand], neurons: Neurons) -> np.ndarray:
    """The neurons to be measured nearer, (m,), the farthest first; m ≤ K - 2, or 1 for K = 2.

    None for K = 1, where one Jacobian mends no more than one row, nor where no kink is that far.
    """
    classes = neurons.outputs.shape[1]
    near = min(float(np.linalg.norm(place.point)) for place in stands)
    away = np.linalg.norm(neurons.kinks, axis=1) / max(near, 1e-300)
    if classes < 2 or away.max() < FAR:
        return np.zeros(0, int)
    order = np.argsort(-away)[: max(1, classes - 2)]
    return order[away[order] > OUT]


def nearer(
    stands: Sequence[Stand],
    neurons: Neurons,
    model: Network,
    which: np.ndarray,
    rng: np.random.Generator,
) -> Stand:
    """A place beyond the hyperplanes of some neurons and near the finest place on the line.

        x = x0 - pinv(A) (1 + r) y(x0):   y_i(x) = -r y_i(x0) for these neurons, r ~ U(0.3, 3)

    which : (m,) the neurons, whose rows A must be independent
    Each input has its own difference step, a quarter of the way to the nearest hyperplane, for the
    rows are known. No queries.
    """
    start = max(stands, key=weight)
    rows, offsets = neurons.rows, neurons.offsets
    back = np.linalg.pinv(rows[which]) * (rows[which] @ start.point + offsets[which])
    points = start.point - (1 + rng.uniform(0.3, 3, (TRIES, len(which)))) @ back.T
    entries = np.abs(rows).max(axis=1)
    room = (np.abs(points @ rows.T + offsets) / entries).min(axis=1)
    point = points[room.argmax()]
    away = np.abs(rows @ point + offsets)[:, None]
    steps = SHARE * (away / np.maximum(np.abs(rows), 1e-3 * entries[:, None])).min(axis=0)
    slope = model.jacobian(point[None])[0] @ start.direction
    return Stand(
        t=start.t,
        point=point,
        direction=start.direction,
        slope=slope,
        slope_noise=ROUGH * float(np.abs(slope).max()),
        noise=start.noise * max(1.0, float(np.linalg.norm(point) / np.linalg.norm(start.point))),
        steps=steps,
    )


def feet(
    stands: Sequence[Stand], place: Stand, neurons: Neurons, model: Network, which: np.ndarray
) -> Array:
    """Points on the hyperplanes of these neurons near `place`, (m, d), from answers paid for.

    A row that is off by δ moves an offset read at a far kink by |x(t_i)| δ. Between the finest
    place on the line and this one just these neurons have changed sides, so that

        (f - f̂)(place) - (f - f̂)(start)  =  Σ_i ±g_i Δc_i,     K equations for m < K unknowns

    and the foot of the perpendicular is read off c_i + Δc_i.
    """
    start = max((each for each in stands if each is not place), key=weight)
    rows, offsets = neurons.rows[which], neurons.offsets[which]
    points = np.array([place.point, start.point])
    answers = np.array([place.answer, start.answer])
    change = np.subtract(*(answers - model.logits(points)))
    turned = np.subtract(*np.sign(points @ rows.T + offsets)) / 2
    moved = np.linalg.lstsq(neurons.outputs[which].T * turned, change, rcond=None)[0]
    side = rows @ place.point + offsets + moved
    return place.point - rows * (side / (rows**2).sum(axis=1))[:, None]
