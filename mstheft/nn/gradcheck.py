"""Are these derivatives right? Random projections against central differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from mstheft.nn.layers import Layer
from mstheft.nn.network import Loss, Network
from mstheft.typing import Array, Rng

TRIALS = 5  # random directions for each gradient


def directional_error(
    function: Callable[[Array], float], gradient: Array, x: Array, *, rng: Rng = None
) -> float:
    """Largest relative disagreement between a gradient and central differences.

        | (F(x + εu) - F(x - εu)) / 2ε  -  <gradient, u> |  /  (|…| + |…| + 1e-8)

    u is a random unit direction, so that one number watches every entry of the gradient. With
    ε = 1e-5 times the size of x, a right gradient in float64 shows about 1e-9 and less than 1e-6;
    a gradient wrong by 0.1 % in everything shows 5e-4. F must not have a kink within ε of x.

    function : (array like x) -> float
    gradient, x : float64 arrays of one shape, else a ValueError: broadcasting would hide a fault
    Returns infinity where either side is not finite: a NaN must not pass for a small error.
    Source: HIPS autograd's test_util checks by random projection too.
    """
    if gradient.shape != x.shape or {gradient.dtype, x.dtype} != {np.dtype(np.float64)}:
        got = f"a gradient of {gradient.shape}, {gradient.dtype}, and x of {x.shape}, {x.dtype}"
        raise ValueError(f"expected float64 arrays of one shape, got {got}")
    rng = np.random.default_rng(rng)
    step = 1e-5 * max(1.0, float(np.abs(x).max(initial=0)))
    worst = 0.0
    for _ in range(TRIALS):
        u = rng.normal(size=x.shape)
        u /= np.linalg.norm(u)
        measured = (function(x + step * u) - function(x - step * u)) / (2 * step)
        claimed = float((gradient * u).sum())
        error = abs(measured - claimed) / (abs(measured) + abs(claimed) + 1e-8)
        worst = max(worst, error if np.isfinite(error) else np.inf)
    return worst


def network_error(
    network: Network, loss: Loss, x: ArrayLike, targets: np.ndarray, *, rng: Rng = None
) -> dict[str, float]:
    """`directional_error` of every parameter of a network and of its input, by name ('x').

    Runs the network in evaluation mode; it must be float64. Returns {'x': …, '0.W': …, …}.
    """
    rng = np.random.default_rng(rng)
    x = np.asarray(x, np.float64)
    logits, caches = network.forward(x)
    dx, layer_grads = network.backward(loss(logits, targets)[1], caches)

    def value_at(moved: Array) -> float:
        return loss(network.forward(moved)[0], targets)[0]

    errors = {"x": directional_error(value_at, dx.reshape(x.shape), x, rng=rng)}
    for i, (layer, grads) in enumerate(zip(network.layers, layer_grads, strict=True)):
        for name, gradient in grads.items():

            def value(moved: Array, layer: Layer = layer, name: str = name) -> float:
                own, layer.params[name] = layer.params[name], moved
                try:
                    return value_at(x)
                finally:
                    layer.params[name] = own

            errors[f"{i}.{name}"] = directional_error(value, gradient, layer.params[name], rng=rng)
    return errors
