"""Far queries against decimals: where inputs have no walls, rounding can be outrun.

    f(R x) / R  =  A1 relu(A0 x + b0 / R) + b1 / R

is the same network with smaller biases, and its answers are rounded R times finer. What is found
so is exact but for the biases, which come back with the rounding of an answer near the origin.
"""

from __future__ import annotations

from typing import Any

from mstheft.direct.answers.reader import Reader
from mstheft.direct.polishing.polish import polish
from mstheft.nn import zoo
from mstheft.nn.network import Network
from mstheft.typing import Array

STRIDE = 1e5  # from one scale to the next, on the way back to the origin
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

    def near(self, model: Network) -> Network:
        """A copy at this scale as one of the victim: its biases times the scale."""
        return zoo.given([(w, self.scale * b) for w, b in model.dense()])

    def nearer(self, model: Network, rows: Array) -> Network:
        """The copy at a scale 10⁵ times nearer, at least 1: its biases come back by polishing.

        A row that is off by 10⁻¹¹ moves a far hyperplane by much, seen from the origin.
        rows : (n, d) random rows; they are asked at the new scale. Costs n queries.
        """
        before, self.scale = self.scale, max(1.0, self.scale / STRIDE)
        grown = before / self.scale
        model = zoo.given([(w, grown * b) for w, b in model.dense()])
        return polish(model, rows, self.query(rows)).model


def can_be_outrun(oracle: Reader) -> bool:
    """Are the answers logits on a grid of decimals, and not far ones already?"""
    is_near = not isinstance(oracle.oracle, FarView)
    return (
        is_near
        and oracle.output == "logits"
        and oracle.grid.kind == "decimals"
        and not oracle.is_exact
    )
