"""Does what fools the copy fool the victim?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mstheft.adversarial.gradients import classes_of, inputs, lengths
from mstheft.nn.network import Network
from mstheft.typing import Array, Oracle, Rng

HALVINGS = 50
Victim = Network | Oracle | Callable[[Array], ArrayLike]


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
    victim: Victim,
    copy: Network,
    x: ArrayLike,
    y: ArrayLike,
    attack: Callable[[Network, Array, np.ndarray], ArrayLike],
    *,
    rng: Rng,
    low: float = 0.0,
    high: float = 1.0,
) -> Transfer:
    """Adversarial examples made on a copy, tried on its victim (lecture: 'transfer').

    victim : a Network; or, without a white-box figure, an oracle or a callable
        (n, d) -> labels (n,) or scores (n, K)
    x, y : (n, d) inside [low, high], and (n,) the right classes
    attack : (network, x, y) -> changed x, for instance lambda f, x, y: fgsm(f, x, y, 0.1); the
        result is clipped to [low, high]
    rng : for the noise, see `noise`
    Costs n answers of the victim and two more for each row that it gets right.
    Source: Papernot et al. 2017; the noise control is that of Szegedy et al. 2014, section 4.2.
    """
    start, labels = inputs(copy, x, low, high), _answers(victim)
    most = max(copy.outputs, int(np.max(y, initial=0)) + 1)
    classes = classes_of(y, len(start), most)
    right = labels(start) == classes
    start, classes = start[right], classes[right]
    if len(start) == 0:
        raise ValueError("expected rows that the victim gets right, got none; check x and y")
    changed = _clipped(attack(copy, start, classes), start, low, high)
    sizes = lengths(changed - start)
    noisy = noise(start, sizes, rng, low, high)

    def fooled(rows: Array) -> float:
        return float((labels(rows) != classes).mean())

    white_box = None
    if isinstance(victim, Network):
        white_box = fooled(_clipped(attack(victim, start, classes), start, low, high))
    return Transfer(len(start), fooled(changed), white_box, fooled(noisy), float(sizes.mean()))


def noise(x: Array, sizes: ArrayLike, rng: Rng, low: float = 0.0, high: float = 1.0) -> Array:
    """Rows x + n inside [low, high], n in a random direction and ‖n‖₂ as given for each row.

        n = clip(x + s g, low, high) - x,   g ~ N(0, I),  s such that ‖n‖ = size

    ‖n‖ grows with s, so halving finds s. Where even the corner of the box that g points to is
    nearer than the size, the row ends in that corner.

    x, sizes : (n, d) and (n,) -> (n, d)
    """
    directions = np.random.default_rng(rng).normal(size=x.shape).astype(x.dtype)  # (n, d)
    sizes = np.asarray(sizes, np.float64)

    def added(scale: np.ndarray) -> Array:
        return np.clip(x + scale[:, None] * directions, low, high).astype(x.dtype)

    small, large = np.zeros(len(x)), sizes / lengths(directions)
    for _ in range(HALVINGS):  # double until the clipped noise is long enough
        short = lengths(added(large) - x) < sizes
        if not short.any():
            break
        large = np.where(short, 2 * large, large)
    for _ in range(HALVINGS):  # small is too short, large is not
        middle = (small + large) / 2
        short = lengths(added(middle) - x) < sizes
        small, large = np.where(short, middle, small), np.where(short, large, middle)
    return added(large)


def _answers(victim: Victim) -> Callable[[Array], np.ndarray]:
    """The victim as a function from rows to labels."""
    if isinstance(victim, Network):
        return victim.labels
    query = victim if callable(victim) else victim.query

    def labels(x: Array) -> np.ndarray:
        answers = np.asarray(query(x))
        if answers.ndim == 2 and answers.shape[1] > 1:
            return answers.argmax(axis=1)
        if answers.shape != (len(x),) or answers.dtype.kind not in "iu":
            wanted, got = f"labels ({len(x)},)", f"shape {answers.shape} of {answers.dtype}"
            raise ValueError(f"expected {wanted}, got {got}; ask for labels: output='label'")
        return answers

    return labels


def _clipped(changed: ArrayLike, start: Array, low: float, high: float) -> Array:
    rows = np.asarray(changed, start.dtype)
    if rows.size != start.size or not np.isfinite(rows).all():
        wanted, got = f"finite rows like x, {start.shape}", f"shape {rows.shape}"
        raise ValueError(f"expected attack(network, x, y) to return {wanted}, got {got}")
    return np.clip(rows.reshape(start.shape), low, high)
