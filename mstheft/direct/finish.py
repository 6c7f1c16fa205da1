"""The end of every attack where answers are coarse: polish a rough copy, then hold it to the noise.

    find (rough)  ->  polish on random rows  ->  drop spare neurons  ->  verify on fresh rows

A copy whose rows are right to some 20 % ends at the noise of the answers, if no neuron is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mstheft.direct.answers import Reader, as_single
from mstheft.direct.polish import SURPLUS, TRUSTS, Polished, polish
from mstheft.direct.verify import verify_to_noise
from mstheft.nn import zoo
from mstheft.nn.gauss_newton import chain
from mstheft.nn.network import Network
from mstheft.result import Result, floor
from mstheft.typing import Array, Rng

ROWS = 3.0  # random rows for the polishing, in F
LEAST = 500  # of them at least
BESIDE = 2  # rows of the check beside each hyperplane
REACH = 3.0  # times √d: no row is asked farther out
STEPS = 15  # of Gauss-Newton: a copy with all of its neurons needs half of them
CHECKS = 200  # fresh rows on which a polished copy is judged
SAME_PLANE = 1 - 1e-4  # cosine of two rows (a, c) that are one neuron
TWINS = 0.98  # the same where polishing got stuck: two rough rows of one neuron often are why


@dataclass
class Polishing:
    """Random rows and their answers, which every polishing of an attack uses, and its outcome.

    drawn : how many of the rows are random ones, not drawn for one neuron
    """

    rows: Array = field(default_factory=lambda: np.zeros((0, 0)))
    drawn: int = 0
    answers: Array = field(default_factory=lambda: np.zeros((0, 0)))
    polished: Polished | None = None


def finish(
    oracle: Reader,
    result: Result,
    polishing: Polishing,
    draw: Callable[[int], Array],
    rng: Rng,
) -> bool:
    """Polish `result.model`, drop its spare neurons, and verify it to the noise.

    draw : n -> (n, d) random rows of the kind on which the copy is to be right
    Costs 3 F queries the first time, 200 + 2 h for the check. Returns `result.verified`.
    """
    rng = np.random.default_rng(rng)
    with result.stage("polish", oracle):
        more_rows(oracle, polishing, result.model, draw, rng)
        told = {"output": oracle.output, "noise": oracle.declared, "rng": rng}
        data = polishing.rows, polishing.answers
        polished = polish(result.model, *data, steps=STEPS, trusts=TRUSTS[:1], **told)
        alike = SAME_PLANE if polished.converged else TWINS
        smaller = without_spare_neurons(polished.model, polishing.rows, polished.noise, alike)
        if smaller is not None:
            again = polish(smaller, *data, steps=STEPS, trusts=TRUSTS[:1], **told)
            polished = again if again.converged else polished
        polishing.polished, result.model = polished, polished.model
        result.notes["polish"] = (
            f"misfit {polished.misfit[0]:.1e}, then {polished.misfit[-1]:.1e} after "
            f"{polished.steps} steps; noise {polished.noise:.1e} ({polished.kind})"
        )
    beside = beside_hyperplanes(polished.model, BESIDE, rng)
    return verify_to_noise(result, oracle, as_single(np.vstack([draw(CHECKS), beside])), polished)


def more_rows(
    oracle: Reader,
    polishing: Polishing,
    model: Network,
    draw: Callable[[int], Array],
    rng: np.random.Generator,
) -> None:
    """Ask 3 F random rows, at least 500, and for a neuron that is seldom on rows around its own.

    A neuron that is on in too few rows is told by nothing: it gets as many rows beside its
    hyperplane as its weights need.
    """
    dense = model.dense()
    weights, outputs = sum(w.size for w, _ in dense), len(dense[-1][1])
    wanted = max(LEAST, int(np.ceil(ROWS * floor(weights, outputs)))) - polishing.drawn
    x = draw(max(0, wanted))
    seen = np.vstack([polishing.rows.reshape(-1, oracle.inputs), x])
    needed = int(np.ceil(SURPLUS * (oracle.inputs + 1) / outputs))
    seldom = active_rows(model, seen) < needed
    x = as_single(np.vstack([x, beside_hyperplanes(model, needed * seldom, rng)]))
    if len(x):
        y = oracle.query(x)
        first = not len(polishing.rows)
        polishing.rows = x if first else np.concatenate([polishing.rows, x])
        polishing.answers = y if first else np.concatenate([polishing.answers, y])
        polishing.drawn += max(0, wanted)


def is_one_layer(model: Network) -> bool:
    """One hidden layer of ReLUs?"""
    return len(model.dense()) == 2 and chain(model)[1] == ["relu"]


def active_rows(model: Network, rows: Array) -> np.ndarray:
    """In how many rows is each neuron of one hidden ReLU layer on? (h,), else none."""
    if not is_one_layer(model):
        return np.zeros(0, int)
    (a0, b0), _ = model.dense()
    return (rows @ a0.T + b0 > 0).sum(axis=0)


def beside_hyperplanes(model: Network, count: int | np.ndarray, rng: np.random.Generator) -> Array:
    """`count` rows for each neuron of one hidden ReLU layer, N(p, I), as (n, d).

    p : the point of its hyperplane next to the origin, where N(0, I) does not reach far less
    """
    (a0, b0), *_ = model.dense()
    if not is_one_layer(model):
        return np.zeros((0, a0.shape[1]))
    nearest = -(b0 / (a0**2).sum(axis=1))[:, None] * a0
    reachable = np.linalg.norm(nearest, axis=1) < REACH * np.sqrt(a0.shape[1])
    each = np.broadcast_to(count, len(b0)) * reachable
    points = np.repeat(nearest, each, axis=0)
    return points + rng.normal(size=points.shape)


def without_spare_neurons(
    model: Network, rows: Array, noise: float, alike: float = SAME_PLANE
) -> Network | None:
    """One neuron for each hyperplane, and none whose part of the answers is below the noise.

    alike : the cosine of two rows (a, c) above which they are one
    None where no neuron is spare, and for networks of another depth or activation.
    """
    if not is_one_layer(model):
        return None
    (a0, b0), (a1, b1) = model.dense()
    a1, planes = a1.copy(), np.hstack([a0, b0[:, None]])  # (h, d + 1)
    size = np.linalg.norm(planes, axis=1)
    parallel = planes @ planes.T > alike * np.outer(size, size)
    keep = np.ones(len(b0), bool)
    for i in range(len(b0)):
        same = np.flatnonzero(parallel[i, :i] & keep[:i])
        if len(same):
            a1[:, same[0]] += a1[:, i] * size[i] / size[same[0]]
            keep[i] = False
    part = np.linalg.norm(a1, axis=0) * np.maximum(rows @ a0.T + b0, 0).std(axis=0)
    keep &= part > noise
    return None if keep.all() else zoo.given([(a0[keep], b0[keep]), (a1[:, keep], b1)])
