"""The end of every attack where answers are coarse: polish a rough copy, then hold it to the noise.

    find (rough)  ->  polish on random rows  ->  drop spare neurons  ->  verify on fresh rows

A copy whose rows are right to some 20 % ends at the noise of the answers, if no neuron is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mstheft.direct.answers import Reader
from mstheft.direct.polish import TRUSTS, Polished, polish
from mstheft.direct.verify import verify_to_noise
from mstheft.nn import zoo
from mstheft.nn.gauss_newton import chain
from mstheft.nn.network import Network
from mstheft.result import Result
from mstheft.typing import Array, Rng

ROWS = 3.0  # random rows for the polishing, in F
STEPS = 15  # of Gauss-Newton: a copy with all of its neurons needs half of them
CHECKS = 200  # fresh rows on which a polished copy is judged
SAME_PLANE = 1 - 1e-4  # cosine of two rows (a, c) that are one neuron


@dataclass
class Polishing:
    """Random rows and their answers, which every polishing of an attack uses, and its outcome."""

    rows: Array = field(default_factory=lambda: np.zeros((0, 0)))
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
    Costs 3 F queries the first time, 200 for the check. Returns `result.verified`.
    """
    rng = np.random.default_rng(rng)
    with result.stage("polish", oracle):
        more_rows(oracle, polishing, int(np.ceil(ROWS * result.floor)), draw)
        told = {"output": oracle.output, "noise": oracle.declared, "rng": rng}
        data = polishing.rows, polishing.answers
        polished = polish(result.model, *data, steps=STEPS, trusts=TRUSTS[:1], **told)
        if polished.converged:
            smaller = without_spare_neurons(polished.model, polishing.rows, polished.noise)
            if smaller is not None:
                again = polish(smaller, *data, steps=STEPS, trusts=TRUSTS[:1], **told)
                polished = again if again.converged else polished
        polishing.polished, result.model = polished, polished.model
        result.notes["polish"] = (
            f"misfit {polished.misfit[0]:.1e}, then {polished.misfit[-1]:.1e} after "
            f"{polished.steps} steps; noise {polished.noise:.1e} ({polished.kind})"
        )
    return verify_to_noise(result, oracle, as_single(draw(CHECKS)), polished)


def more_rows(
    oracle: Reader, polishing: Polishing, wanted: int, draw: Callable[[int], Array]
) -> None:
    """Ask random rows until there are `wanted` of them."""
    missing = wanted - len(polishing.rows)
    if missing > 0:
        x = as_single(draw(missing))
        y = oracle.query(x)
        first = not len(polishing.rows)
        polishing.rows = x if first else np.concatenate([polishing.rows, x])
        polishing.answers = y if first else np.concatenate([polishing.answers, y])


def as_single(x: Array) -> Array:
    """Rows that float32 holds exactly: a victim in float32 sees just these."""
    return x.astype(np.float32).astype(np.float64)


def without_spare_neurons(model: Network, rows: Array, noise: float) -> Network | None:
    """One neuron for each hyperplane, and none whose part of the answers is below the noise.

    None where no neuron is spare, and for networks of another depth or activation.
    """
    if len(model.dense()) != 2 or chain(model)[1] != ["relu"]:
        return None
    (a0, b0), (a1, b1) = model.dense()
    a1, planes = a1.copy(), np.hstack([a0, b0[:, None]])  # (h, d + 1)
    size = np.linalg.norm(planes, axis=1)
    alike = planes @ planes.T > SAME_PLANE * np.outer(size, size)
    keep = np.ones(len(b0), bool)
    for i in range(len(b0)):
        same = np.flatnonzero(alike[i, :i] & keep[:i])
        if len(same):
            a1[:, same[0]] += a1[:, i] * size[i] / size[same[0]]
            keep[i] = False
    part = np.linalg.norm(a1, axis=0) * np.maximum(rows @ a0.T + b0, 0).std(axis=0)
    keep &= part > noise
    return None if keep.all() else zoo.given([(a0[keep], b0[keep]), (a1[:, keep], b1)])
