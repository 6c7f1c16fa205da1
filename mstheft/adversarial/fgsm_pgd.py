"""Attacks that may move an input by a given size and make the loss as large as they can."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mstheft.adversarial.gradients import classes_of, inputs, lengths, loss_gradient
from mstheft.nn.network import Network
from mstheft.typing import Array, Rng


def fgsm(
    network: Network, x: ArrayLike, y: ArrayLike, eps: float, *, low: float = 0.0, high: float = 1.0
) -> Array:
    """One step of eps along the gradient's signs, which is optimal for a linear network.

        x' = clip( x + eps sgn ∂L(x, y)/∂x,  low, high )

    Among all moves with no entry above eps, this one makes <∂L/∂x, x' - x> largest.

    x : (n, d) or (n, *shape), inside [low, high]
    y : (n,) the classes whose loss grows
    Returns x' in the shape of x. One gradient per row.
    Source: Goodfellow, Shlens and Szegedy 2015, section 4.
    """
    start = inputs(network, x, low, high)
    classes = classes_of(y, len(start), network.outputs)
    _check_positive(eps)
    moved = start + network.dtype.type(eps) * np.sign(loss_gradient(network, start, classes))
    return np.clip(moved, low, high).reshape(np.shape(x))


def pgd(
    network: Network,
    x: ArrayLike,
    y: ArrayLike,
    eps: float,
    *,
    norm: str = "linf",
    step: float | None = None,
    steps: int = 20,
    rng: Rng,
    low: float = 0.0,
    high: float = 1.0,
) -> Array:
    """Steps up the loss from a random place in the ball of radius eps, back into it after each.

        x ← clip( Π_ball( x + step · v(∂L(x, y)/∂x) ),  low, high )

    v is the steepest direction of the norm: the signs for 'linf', the gradient divided by its
    length for 'l2'. Clipping never leads out of the ball, for its centre lies in the box.

    x, y, low, high : as in `fgsm`; eps : radius of the ball around each row
    norm : 'linf' or 'l2'; step : 2.5 eps / steps by default, enough to cross the ball
    Returns the last iterate in the shape of x. `steps` gradients per row.
    Source: Madry et al. 2018, section 2.1 and their choice of step in section 5.
    """
    if norm not in ("linf", "l2"):
        raise ValueError(f"expected norm='linf' or 'l2', got {norm!r}")
    start = inputs(network, x, low, high)
    classes = classes_of(y, len(start), network.outputs)
    step = 2.5 * eps / steps if step is None else step
    _check_positive(eps, step)
    moved = _in_ball(start.shape, eps, norm, np.random.default_rng(rng)).astype(network.dtype)
    near = np.clip(start + moved, low, high)
    for _ in range(steps):  # one gradient, one step, back into the ball and the box
        ahead = step * _steepest(loss_gradient(network, near, classes), norm)
        moved = _project(near + ahead - start, eps, norm)
        near = np.clip(start + moved, low, high).astype(network.dtype, copy=False)
    return near.reshape(np.shape(x))


def _check_positive(eps: float, step: float = 1.0) -> None:
    if not (0 < eps < np.inf and 0 < step < np.inf):
        raise ValueError(f"expected eps > 0 and step > 0, in input units, got {eps} and {step}")


def _in_ball(shape: tuple[int, ...], eps: float, norm: str, rng: np.random.Generator) -> Array:
    """Rows drawn uniformly from the ball: by direction and radius, P(radius < r) = (r/eps)^d."""
    if norm == "linf":
        return rng.uniform(-eps, eps, shape)
    directions = rng.normal(size=shape)  # (n, d), lengths do not matter
    radii = eps * rng.random(len(directions)) ** (1 / shape[1])
    return directions * (radii / lengths(directions))[:, None]


def _steepest(gradient: Array, norm: str) -> Array:
    if norm == "linf":
        return np.sign(gradient)
    size = lengths(gradient)[:, None]
    return np.divide(gradient, size, out=np.zeros_like(gradient, np.float64), where=size > 0)


def _project(moved: Array, eps: float, norm: str) -> Array:
    """The nearest point of the ball around 0."""
    if norm == "linf":
        return np.clip(moved, -eps, eps)
    return moved * (eps / np.maximum(lengths(moved), eps))[:, None]
