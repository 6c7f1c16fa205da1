"""Does what fools the copy fool the victim?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mstheft.adversarial.gradients import classes_of, inputs, lengths
from mstheft.nn.network import Network
from mstheft.typing import Array, Rng

HALVINGS = 50


@dataclass(frozen=True)
class Transfer:
    """Shares of rows on which the victim is fooled, among those that it gets right untouched.

    rows : how many those are
    copied : fooled by examples made on the copy
    white_box : fooled by examples made on the victim itself; None where it shows answers only
    noise : fooled by noise of the same length as the copy's examples, row by row
    size : mean L2 norm of the changes made on the copy, in input units
    """

    rows: int
    copied: float
    white_box: float | None
    noise: float
    size: float


def transferability(
    victim: Any,
    copy: Network,
    x: Any,
    y: Any,
    attack: Callable[[Network, Any, Any], Any],
    *,
    rng: Rng,
    low: float = 0.0,
    high: float = 1.0,
) -> Transfer:
    """Adversarial examples made on a copy, tried on its victim (lecture: 'transfer').

    victim : a Network; or an oracle, or a callable (n, d) -> labels (n,) or scores (n, K): then
        there is no white-box figure
    x, y : (n, d) inside [low, high], and (n,) the right classes
    attack : (network, x, y) -> changed x, for instance
        lambda f, x, y: fgsm(f, x, y, 0.1); what it returns is clipped to [low, high]
    rng : for the noise, a random direction in each row, drawn out until the clipped change is as
        long as the attack's
    Costs n answers of the victim and two more for each row that it gets right.
    Raises ValueError if that is none.
    Source: Papernot et al. 2017; the noise control is that of Szegedy et al. 2014, section 4.2.
    """
    start = inputs(copy, x, low, high)
    labels = _answers(victim)
    y = np.asarray(y)
    right = labels(start) == classes_of(y, len(start), max(copy.outputs, int(y.max(initial=0)) + 1))
    start, y = start[right], y[right]
    if len(start) == 0:
        raise ValueError("expected rows that the victim gets right, got none; check x and y")
    changed = _clipped(attack(copy, start, y), start, low, high)
    sizes = lengths(changed - start)
    noisy = noise(start, sizes, rng, low, high)
    white_box = None
    if isinstance(victim, Network):
        own = _clipped(attack(victim, start, y), start, low, high)
        white_box = float((labels(own) != y).mean())
    return Transfer(
        rows=len(start),
        copied=float((labels(changed) != y).mean()),
        white_box=white_box,
        noise=float((labels(noisy) != y).mean()),
        size=float(sizes.mean()),
    )


def noise(x: Array, sizes: Any, rng: Rng, low: float = 0.0, high: float = 1.0) -> Array:
    """Rows x + n inside [low, high], n in a random direction and ‖n‖₂ as given for each row.

        n = clip(x + s g, low, high) - x,   g ~ N(0, I),  s such that ‖n‖ = size

    ‖n‖ grows with s, so s is found by halving; a size beyond the corner of the box that g points
    to ends at that corner.

    x, sizes : (n, d) and (n,) -> (n, d)
    """
    directions = np.random.default_rng(rng).normal(size=x.shape).astype(x.dtype)
    sizes = np.asarray(sizes, np.float64)

    def added(scale: np.ndarray) -> Array:
        return np.clip(x + scale[:, None] * directions, low, high).astype(x.dtype)

    small, large = np.zeros(len(x)), sizes / lengths(directions)
    for _ in range(HALVINGS):
        short = lengths(added(large) - x) < sizes
        if not short.any():
            break
        large = np.where(short, 2 * large, large)
    for _ in range(HALVINGS):
        middle = (small + large) / 2
        short = lengths(added(middle) - x) < sizes
        small, large = np.where(short, middle, small), np.where(short, large, middle)
    return added(large)


def _answers(victim: Any) -> Callable[[Array], np.ndarray]:
    """Rows -> labels, from whatever stands for the victim."""
    if isinstance(victim, Network):
        return victim.labels
    ask = getattr(victim, "query", victim)
    if not callable(ask):
        raise ValueError(
            "expected the victim as a Network, an oracle or a callable (n, d) -> labels, got "
            f"{type(victim).__name__}; wrap it in a function"
        )

    def labels(x: Array) -> np.ndarray:
        told = np.asarray(ask(x))
        if told.ndim == 2 and told.shape[1] > 1:
            return told.argmax(axis=1)
        if told.shape != (len(x),) or told.dtype.kind not in "iu":
            raise ValueError(
                f"expected labels ({len(x)},) or scores ({len(x)}, K >= 2), got shape "
                f"{told.shape} of {told.dtype}; ask for labels: output='label'"
            )
        return told

    return labels


def _clipped(changed: Any, start: Array, low: float, high: float) -> Array:
    changed = np.asarray(changed, start.dtype)
    if changed.size != start.size or not np.isfinite(changed).all():
        raise ValueError(
            f"expected attack(network, x, y) to return finite rows like x, {start.shape}, got "
            f"shape {changed.shape}; return the changed inputs"
        )
    return np.clip(changed.reshape(start.shape), low, high)
