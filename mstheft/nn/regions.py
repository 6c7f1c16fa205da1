"""The linear regions of a ReLU network on a plane through its input space.

A ReLU network folds its input space along hyperplanes, and between the folds it is affine.
With r the region that x lies in, that is the set of hidden neurons that are on there,

    f(x) = W_r x + c_r,    W_r = A_L D_r … A1 D_r A0   (D_r: 1 where a neuron is on, else 0),

so the gradient is the same everywhere in a region and jumps where a neuron changes sides:

              neuron 1
        off      |      on             first hidden layer: straight lines
    -------------+------------ neuron 2
                 |   \\
                 |    `---- neuron 3   deeper layers: lines that bend at earlier ones

Here the owner of a network draws its regions from its parameters; `direct/` recovers the same from
answers alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mstheft.nn.layers import Activation, Dense, Flatten
from mstheft.nn.losses import one_hot
from mstheft.nn.network import Network
from mstheft.typing import Array


@dataclass(frozen=True)
class Boundary:
    """Where one hidden neuron changes sides: the contour `values` = 0."""

    layer: int  # 1 for the first hidden layer
    neuron: int  # its row in that layer, from 0
    values: Array  # (points, points) its pre-activation at y[j], x[i]


@dataclass(frozen=True)
class Slice:
    """A network on a plane through its input space, x ↦ origin + x across + y up.

    Arrays over the grid are indexed [j, i] for y[j], x[i].
    """

    x: Array  # (points,) grid coordinates
    y: Array
    region: np.ndarray  # (points, points) int, the row of `patterns` there
    patterns: np.ndarray  # (regions, hidden neurons) bool, True where on; first layer first
    boundaries: list[Boundary]  # one for each neuron that changes sides in view
    label: np.ndarray  # (points, points) int, the most likely class
    logit: int  # the output of the gradients
    gradient_at: Array  # (m, 2) positions x, y
    gradient: Array  # (m, 2) ∂logit/∂x, ∂logit/∂y there, in logits per unit of x and y

    @property
    def active(self) -> np.ndarray:
        """(regions,) neurons that are on. Neighbours differ by one, as a fold turns one neuron."""
        return self.patterns.sum(axis=1)


def slice_regions(
    network: Network,
    origin: ArrayLike,
    across: ArrayLike,
    up: ArrayLike,
    *,
    extent: float = 3.0,
    points: int = 400,
    logit: int = 0,
    arrows: int = 12,
) -> Slice:
    """Regions, boundaries and gradients on the square -extent ≤ x, y ≤ extent of a plane.

    network : Dense and relu layers, of any depth; a Flatten may come first
    origin, across, up : (d,) the plane origin + x across + y up; x and y are in input units
        along unit vectors
    extent : half the side of the square
    points : grid points along each side, at least 2; the result holds points² numbers per neuron
    logit : the output whose gradient is taken
    arrows : at least 1; the gradient is taken at arrows² points, the centres of equal squares
    """
    if not (extent > 0 and points >= 2 and arrows >= 1):
        got = f"{extent}, {points}, {arrows}"
        raise ValueError(f"expected extent > 0, points >= 2 and arrows >= 1, got {got}")
    plane = restrict(network, origin, across, up)
    along = np.linspace(-extent, extent, points)
    hidden, owners, label = _evaluate(plane, along)
    patterns, region = _distinct(hidden > 0)
    centres = np.meshgrid(*2 * [extent * (2 * np.arange(arrows) + 1 - arrows) / arrows])
    at = np.stack([axis.ravel() for axis in centres], axis=1)  # (arrows², 2)
    gradient = plane.input_gradient(at, one_hot(np.full(len(at), logit), plane.outputs))
    boundaries = [
        Boundary(layer, neuron, values)
        for (layer, neuron), values in zip(owners, hidden, strict=True)
        if values.min() < 0 < values.max()
    ]
    grid = along, along.copy(), region, patterns, boundaries, label
    return Slice(*grid, logit, at, gradient)


def restrict(network: Network, origin: ArrayLike, across: ArrayLike, up: ArrayLike) -> Network:
    """The network on a plane, which is itself a network of two inputs, in float64.

        A0 (o + x p + y q) + b0  =  [A0 p, A0 q] (x, y) + (A0 o + b0)

    Only the first layer sees the input, so the plane is folded into that layer alone.

    origin, across, up : (d,) the o, p and q above
    Raises ValueError unless the layers are Dense, relu and Flatten.
    """
    layers = [each for each in network.copy().layers if not isinstance(each, Flatten)]
    dense = [isinstance(each, Dense) for each in layers]
    relu = [isinstance(each, Activation) and each.name == "relu" for each in layers]
    if not all(np.logical_or(dense, relu)) or dense[:1] != [True]:
        raise ValueError(f"expected Dense and relu layers, a Dense layer first, got {network}")
    o, p, q = (np.reshape(v, network.inputs) for v in (origin, across, up))  # (d,)
    weights, bias = (layers[0].params[name].astype(np.float64) for name in ("W", "b"))  # (h, d)
    first = Dense(2, len(bias))
    first.params = {"W": np.stack([weights @ p, weights @ q], axis=1), "b": weights @ o + bias}
    return Network([first, *layers[1:]], 2, np.float64)


def _evaluate(plane: Network, along: Array) -> tuple[Array, list[tuple[int, int]], np.ndarray]:
    """Pre-activations (neurons, points, points), their (layer, neuron), labels (points, points).

    A wide network on a fine grid has many: they are computed row by row of the grid, and stored
    as float32, which is enough for their signs.
    """
    relus = [i for i, layer in enumerate(plane.layers) if isinstance(layer, Activation)]
    caches = plane.forward(np.zeros((1, 2)))[1]
    owners = [(n + 1, k) for n, i in enumerate(relus) for k in range(caches[i].shape[1])]
    hidden = np.empty((len(owners), len(along), len(along)), np.float32)
    label = np.empty((len(along), len(along)), np.int64)
    for j, y in enumerate(along):
        row = np.stack([along, np.full_like(along, y)], axis=1)  # (points, 2)
        caches = plane.forward(row)[1]
        if relus:
            hidden[:, j] = np.concatenate([caches[i] for i in relus], axis=1).T
        label[j] = plane.labels(row)
    return hidden, owners, label


def _distinct(on: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(neurons, a, b) bool -> the distinct patterns (regions, neurons) and which holds (a, b)."""
    neurons, *sides = on.shape
    if not neurons:
        return np.zeros((1, 0), bool), np.zeros(sides, np.int64)
    packed = np.packbits(on.reshape(neurons, -1).T, axis=1)  # one row of bytes per grid point
    packed, region = np.unique(packed, axis=0, return_inverse=True)
    patterns = np.unpackbits(packed, axis=1, count=neurons).astype(bool)
    return patterns, region.reshape(sides)
