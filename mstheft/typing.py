"""Types that appear everywhere: arrays, seeds, and the black box that an attack queries."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

Rng = int | Sequence[int] | np.random.Generator | None
"""What `rng=` takes, as `numpy.random.default_rng` does: None for a random seed."""


class Oracle(Protocol):
    """The black box as an attack sees it: a `mstheft.Oracle`, or one that a lesson writes.

    output : the form of the answers: 'logits', 'log_probs', 'probs', 'top_k' or 'label'
    decimals : of rounded answers, None for others
    inputs, shape : d, and the shape of one input
    outputs : K, the number of logits; None before it shows
    count, left, budget : rows answered so far, rows that are left, and both together
    """

    output: str
    decimals: int | None
    inputs: int
    shape: tuple[int, ...]
    outputs: int | None
    count: int
    budget: int | None

    @property
    def left(self) -> int | None:
        """Rows that it still answers; None without a budget."""

    def query(self, x: Array) -> Any:
        """Answers for rows x, (n, d) -> (n, K), or (n,) for labels. Costs n queries."""
