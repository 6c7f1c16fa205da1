"""How an oracle sees its victim, whatever kind of thing that is; `adapters` makes the views."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mstheft.typing import Array


@dataclass(frozen=True)
class View:
    """How the oracle sees its victim.

    answer : (n, *shape) rows -> (n, K) array of what `gives` says, or (n,) for labels
    gives : 'logits', 'log_probs', 'probs', 'top_k' or 'labels', or 'scores' for the decision
        values of a victim without probabilities
    shape : shape of one input
    outputs : number of logits K, or None before the first answer; 1 means one sigmoid
    dtype : of the numbers that the victim computes with, or None if it is not known
    named : does `answer` also take a name for the purchase, so that a purchase that is repeated
        under its name is paid once?
    decimals : to how many the victim rounds its answers, if it says so
    labels : rows -> (n,) its own decisions, which need not be the most likely classes
    adds_up : is a row of probabilities a distribution? Not where others have rounded or cut it
    is_assumed : did nobody say what it gives?
    """

    answer: Callable[..., ArrayLike]
    gives: str
    shape: tuple[int, ...]
    outputs: int | None
    dtype: np.dtype | None = None
    named: bool = False
    decimals: int | None = None
    labels: Callable[[Array], ArrayLike] | None = None
    adds_up: bool = True
    is_assumed: bool = False
