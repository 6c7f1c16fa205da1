"""A point of a box at which the copy is right, and one at which it is wrong."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.reader import read
from mstheft.direct.box import Box, anywhere
from mstheft.direct.verify import blur, expected
from mstheft.nn.network import Network
from mstheft.typing import Array, Oracle

CHECKS = 20  # times 50 points that are tried for a witness


def witness(
    oracle: Oracle, model: Network, noise: float, tolerance: float, rng: Generator, box: Box
) -> Array | None:
    """A point of the box at which the copy is right and one at which it is wrong, (2, d).

    A hyperplane that no segment has met so far lies between the two, so the next segment goes
    through both. None if the copy is right at all of 1,000 points. Costs 50 to 1,000 queries.
    """
    for _ in range(CHECKS):
        x = anywhere(rng, box, 50)
        answers = read(oracle, x)
        with np.errstate(invalid="ignore"):
            miss = np.abs(answers - expected(oracle, model, x)).max(axis=1)
            allowed = blur(oracle, answers).max(axis=1) + 1000 * noise
        finite = np.isfinite(miss)
        if not finite.any():
            continue
        allowed = allowed + tolerance * answers[finite].std(axis=0).max()
        share = (miss / allowed)[finite]
        if share.max() > 1:
            return x[finite][[share.argmin(), share.argmax()]]
    return None
