"""Far queries against decimals: where inputs have no walls, rounding can be outrun.

    f(R x) / R  =  A1 relu(A0 x + b0 / R) + b1 / R

is the same network with smaller biases, and its answers are rounded R times finer. What is found
so is exact but for the biases: they come back on rows at smaller and smaller R, and the last of
these, at about 100, stay beside the near ones, since they hold the weights 100 times better.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.reader import Reader
from mstheft.direct.polishing.error_bars import identifiable
from mstheft.direct.polishing.polish import Polished, polish
from mstheft.nn import zoo
from mstheft.nn.gauss_newton import chain
from mstheft.nn.network import Network
from mstheft.typing import Array

STRIDE = 1e5  # from one scale to the next, on the way back to the origin
DECADES = 3.0  # over which the distances of rows are spread
LAST, NEAR_ENOUGH = 100.0, 1000.0  # the last scale, and one that need not be followed by it
DIGITS = 12  # decimals that a far answer shall have, per unit of its input


class FarView:
    """The oracle asked R times as far out: it answers f(R x) / R, and counts where it does."""

    def __init__(self, oracle: Reader):
        self.oracle = oracle.oracle
        self.scale = 10.0 ** (DIGITS - (oracle.grid.decimals or 0))
        self.decimals: int | None = DIGITS

    def __getattr__(self, name: str) -> Any:
        return getattr(self.oracle, name)

    def query(self, x: Array) -> Array:
        """f(R x) / R for rows x (n, d). Costs n queries."""
        return self.oracle.query(self.scale * x) / self.scale

    @property
    def following(self) -> float:
        """The next scale on the way back to the origin."""
        return max(LAST, self.scale / STRIDE)

    def near(self, model: Network) -> Network:
        """A copy at this scale as one of the victim: its biases times the scale."""
        return zoo.given([(w, self.scale * b) for w, b in model.dense()])

    def nearer(self, model: Network, rows: Array) -> tuple[Network, Array]:
        """The copy at a scale 10⁵ times nearer, at least 100, and the answers there.

        Its biases come back by polishing: a row that is off by 10⁻¹¹ moves a far hyperplane by
        much, seen from the origin.
        rows : (n, d) random rows; they are asked at the new scale. Costs n queries.
        """
        before, self.scale = self.scale, self.following
        grown = before / self.scale
        model = zoo.given([(w, grown * b) for w, b in model.dense()])
        answers = self.query(rows)
        return polish(model, rows, answers).model, answers


def spread(rows: Array, rng: Generator) -> Array:
    """Rows at 1 to 1,000 times their distance: the far ones tell slopes, so the near ones biases.

    At one distance a bias and the slope of its neuron are nearly the same to the answers.
    """
    return rows * 10 ** rng.uniform(0, DECADES, size=(len(rows), 1))


def nearby(polished: Polished, rows: Array) -> Polished:
    """The same, with the bound of near rows: σ √(P / N), and not that of rows as far as these."""
    weights, activations = chain(polished.model)
    share = identifiable(weights, activations, polished.output) / (len(rows) * len(weights[-1]))
    return replace(polished, bound=min(polished.bound, polished.noise * float(np.sqrt(share))))


def can_be_outrun(oracle: Reader) -> bool:
    """Are the answers logits on a grid of decimals, and not far ones already?"""
    is_near = not isinstance(oracle.oracle, FarView)
    return (
        is_near
        and oracle.output == "logits"
        and oracle.grid.kind == "decimals"
        and not oracle.is_exact
    )
