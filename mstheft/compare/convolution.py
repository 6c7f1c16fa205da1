"""A convolution, recognised in the dense first layer of a copy.

    the row of filter f at (y, x):  A0[i, j, c] = r W[f, i - s y + p, j - s x + p, c],   r > 0

A convolution is a dense layer whose rows are sparse, shifted copies of a few kernels, and as such
an attack finds it. The scale r of a row is free, as the next layer can undo it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from mstheft.compare.parameters import Layers, checked_layers, largest
from mstheft.nn import zoo
from mstheft.nn.conv import Conv2D, im2col
from mstheft.nn.functions import relu
from mstheft.nn.layers import Activation, Flatten, Shape
from mstheft.nn.network import Network
from mstheft.typing import Array

ALIKE = 1e-4  # of a row: smaller weights are zeros, and rows that differ by less are the same
CHECKED = 1000  # rows to which both networks answer


@dataclass(frozen=True)
class Convolution:
    """A network whose first layer is a convolution, in place of a dense one.

    network : layer, relu, Flatten, then the dense layers
    layer : the convolution, with kernels of length 1, `size`, `stride` and `padding`
    explained : rows of the dense layer that are shifted kernels, of `rows` in all
    filled : neurons that the dense layer lacks, with the weights 0 behind them
    fewer : parameters that the convolution saves
    """

    network: Network
    layer: Conv2D
    explained: int
    rows: int
    filled: int
    fewer: int


@dataclass
class Windows:
    """The windows of a convolution, and the rows found in them.

    pixels : (P, size·size·c) the input under each weight of a window, -1 for padding
    kernels : weights and bias of each filter, (size·size·c + 1,)
    found : of each explained row its number, window, filter and scale, negative if turned around
    """

    size: int
    stride: int
    padding: str
    pixels: np.ndarray
    kernels: list[Array] = field(default_factory=list)
    found: list[tuple[int, int, int, float]] = field(default_factory=list)


def as_convolution(
    network: Network, shape: Shape, *, tolerance: float = 1e-8
) -> Convolution | None:
    """The same function with a convolution as its first layer; None if the first layer is none.

    1. size and stride, from the squares in which the rows lie      2. rows of equal kernels
    3. orientation, one for each filter                             4. the same answers?

    Clipped rows show the padding, 'same' or 'valid'. A dead neuron is missing in a copy: the kernel
    takes its place. Where no orientations were found, a copy has an affine remainder in their
    place; one sign for each filter explains it, or, for leaky ReLU, a kernel and its opposite.

    network : dense layers with relu between, such as a verified copy
    shape : of an input, (height, width) or (height, width, channels)
    tolerance : of the answers to 1,000 rows of N(0, I), relative to the largest
    Costs no query. Raises ValueError for other networks, or if the shape does not fit.
    """
    layers = checked_layers(network, "network")
    image = (*shape, 1) if len(shape) == 2 else tuple(shape)
    if len(layers) < 2 or len(image) != 3 or math.prod(image) != network.inputs:
        wanted = f"a hidden layer, and (height, width, channels) of {network.inputs} numbers"
        raise ValueError(f"expected {wanted}, got {len(layers)} layers and {shape}")
    x = np.random.default_rng(0).normal(size=(CHECKED, network.inputs))
    answers = zoo.given(layers).logits(x)
    rows, layers = len(layers[0][1]), _without_constants(layers)
    best: Convolution | None = None
    for windows in _candidates(layers[0][0], image):
        _place(windows, *layers[0])
        shared = np.bincount([place[2] for place in windows.found], minlength=1)
        if shared.min() < 2:
            continue  # a row that is like no other is no shifted kernel
        made, layer = _built(windows, layers, image)
        if largest(made.logits(x) - answers) > tolerance * largest(answers):
            continue
        fewer = _size(network) - _size(made)
        if fewer > (best.fewer if best else 0):
            there = {place[1:3] for place in windows.found}
            filled = len(windows.pixels) * len(windows.kernels) - len(there)
            best = Convolution(made, layer, len(windows.found), rows, filled, fewer)
    return best


def _size(network: Network) -> int:
    return sum(p.size for p in network.parameters().values())


def _without_constants(layers: Layers) -> Layers:
    """Neurons without input weights have a place in the next bias."""
    (A0, b0), (A1, b1), *later = layers
    alive = A0.any(axis=1)
    b1 = b1 + A1[:, ~alive] @ relu(b0[~alive])
    return [(A0[alive], b0[alive]), (A1[:, alive], b1), *later]


def _support(rows: Array) -> np.ndarray:
    """Which weights are not zero, (h, d)."""
    used: np.ndarray = np.abs(rows) > ALIKE * np.abs(rows).max(axis=1, keepdims=True)
    return used


def _candidates(rows: Array, image: Shape) -> Iterator[Windows]:
    """Every size in which rows lie, strides and paddings; one window alone would be dense."""
    used = _support(rows).reshape(-1, *image).max(axis=3)  # (h, height, width)
    lines = [used.max(axis=2), used.max(axis=1)]
    first = np.stack([each.argmax(axis=1) for each in lines], axis=1)  # (h, 2)
    last = np.stack([each.shape[1] - 1 - each[:, ::-1].argmax(axis=1) for each in lines], axis=1)
    sides = last - first + 1
    numbers = np.arange(1.0, 1 + math.prod(image)).reshape(1, *image)
    for size in np.unique(sides.max(axis=1)).tolist():
        corners = first[(sides == size).all(axis=1)]
        apart = int(np.gcd.reduce((corners - corners[:1]).ravel(), initial=0))
        most = (apart or max(image[:2])) if len(corners) else 0  # some row fills its square
        for stride in (n for n in range(1, most + 1) if apart % n == 0):
            for padding in ("valid", "same") if size % 2 else ("valid",):
                pad = (size - 1) // 2 if padding == "same" else 0
                if min(image[:2]) + 2 * pad < size:
                    continue
                pixels = im2col(numbers, size, stride, pad)[0]
                pixels = pixels.reshape(-1, pixels.shape[-1]).astype(int) - 1
                if len(pixels) > 1:
                    yield Windows(size, stride, padding, pixels)


def _place(windows: Windows, rows: Array, biases: Array) -> None:
    """Every row into the window and filter that it fits; fills `kernels` and `found`.

    The fullest rows come first: one that fits no kernel and no padding cuts is a new kernel.
    """
    used, pixels = _support(rows), windows.pixels
    inside = pixels >= 0
    covers = np.zeros((len(pixels), rows.shape[1] + 1))
    np.put_along_axis(covers, pixels, 1.0, axis=1)  # padding is the last column
    counts = used.sum(axis=1)
    fits = used @ covers[:, :-1].T == counts[:, None]  # (h, P)
    for i in np.argsort(-counts, kind="stable").tolist():
        at = np.flatnonzero(fits[i])
        values = np.where(inside[at], rows[i, pixels[at]], 0)  # (m, size·size·c)
        best = _nearest(windows.kernels, values, inside[at], biases[i])
        if best is not None:
            windows.found.append((i, int(at[best[0]]), *best[1:]))
        elif len(whole := np.flatnonzero(inside[at].all(axis=1))):
            if len(windows.kernels) > len(rows) / 2:
                return
            windows.found.append((i, int(at[whole[0]]), len(windows.kernels), 1.0))
            windows.kernels.append(np.append(values[whole[0]], biases[i]))


def _nearest(
    kernels: list[Array], values: Array, inside: np.ndarray, bias: float
) -> tuple[int, int, float] | None:
    """Window, filter and scale with  values = scale · kernel  where inside; None if there is none.

    values, inside : (m, size·size·c) a row in each of the windows that hold it
    """
    if not kernels or not len(values):
        return None
    weights, offsets = np.array(kernels)[:, :-1], np.array(kernels)[:, -1]
    parts = weights * inside[:, None]  # (m, F, size·size·c)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.einsum("mfk,mk->mf", parts, values) / (parts**2).sum(axis=2)
    away = np.linalg.norm(values[:, None] - scale[..., None] * parts, axis=2)  # (m, F)
    length = np.linalg.norm(values, axis=1)[:, None]
    aside = np.abs(bias - scale * offsets) / (length + abs(bias))
    off = np.nan_to_num(np.maximum(away / length, aside), nan=np.inf)
    m, f = np.unravel_index(off.argmin(), off.shape)
    return (int(m), int(f), float(scale[m, f])) if off[m, f] < ALIKE else None


def _kernels(windows: Windows, rows: Array, biases: Array) -> Array:
    """The median of the rows of each filter, of length 1; the scales follow. (F, … + 1).

    A row that crosses its hyperplane at a small angle is less exact; a median does not mind.
    """
    rescaled: list[list[Array]] = [[] for _ in windows.kernels]
    for i, p, f, scale in windows.found:
        inside = np.append(windows.pixels[p] >= 0, True)
        row = np.append(rows[i, windows.pixels[p]], biases[i])
        rescaled[f].append(np.where(inside, row / scale, np.nan))
    kernels: Array = np.array([np.nanmedian(each, axis=0) for each in rescaled])
    length = np.linalg.norm(kernels[:, :-1], axis=1)
    windows.found = [(i, p, f, scale * length[f]) for i, p, f, scale in windows.found]
    return kernels / length[:, None]


def _built(windows: Windows, layers: Layers, image: Shape) -> tuple[Network, Conv2D]:
    """The network with the convolution; what no kernel explains is taken as affine."""
    (A0, b0), (A1, b1), *later = layers
    kernels = _kernels(windows, A0, b0)
    shape = len(A1), len(windows.pixels), len(kernels)  # (K, P, F)
    halves: Array = np.zeros((2, *shape))  # next weights of relu(z) and of relu(-z)
    for i, p, f, scale in windows.found:
        halves[int(scale < 0), :, p, f] += abs(scale) * A1[:, i]
    rest = np.setdiff1d(np.arange(len(A0)), [place[0] for place in windows.found])
    affine = A1[:, rest] @ np.column_stack([A0, b0])[rest]  # (K, d + 1)
    if affine.any():
        halves, shift = _oriented(_layer(windows, kernels, image), image, halves, affine)
        b1 = b1 + shift
    weights = np.concatenate(list(halves), axis=2)  # (K, P, 2 F)
    used: np.ndarray = np.abs(weights).max(axis=(0, 1)) > 0
    used[0] |= not used.any()
    layer = _layer(windows, np.concatenate([kernels, -kernels])[used], image)
    weights = weights[..., used]
    behind = zoo.given([(weights.reshape(len(A1), -1), b1), *later]).layers
    return Network([layer, Activation("relu"), Flatten(), *behind], image), layer


def _layer(windows: Windows, kernels: Array, image: Shape) -> Conv2D:
    layer = Conv2D(image[2], len(kernels), windows.size, windows.stride, windows.padding, rng=0)
    W = kernels[:, :-1].reshape(layer.params["W"].shape)
    layer.params = {"W": np.ascontiguousarray(W), "b": kernels[:, -1].copy()}
    return layer


def _oriented(layer: Conv2D, image: Shape, halves: Array, affine: Array) -> tuple[Array, Array]:
    """One orientation s for each filter in place of the affine remainder: other halves, and b1's.

        relu(±z) = (|z| ± z) / 2 :   Σ_p s_f (g⁺ + g⁻) z_p  =  Σ_p (g⁺ - g⁻) z_p  +  Σ_rest g z

    s = ±1 for relu. Any other is leaky: (1 + s) / 2 of relu(z) and (1 - s) / 2 of relu(-z).

    halves : (2, K, P, F) g⁺ and g⁻; affine : (K, d + 1) Σ_rest g z
    """
    height, width, _ = layer.out_shape(image)

    def linear(weights: Array) -> Array:
        """Σ g z over windows and filters, (K, d + 1): the gradient of a convolution."""
        dout = weights.reshape(-1, height, width, layer.filters)
        dx = layer.input_gradient(dout, np.zeros((len(dout), *image))).reshape(len(dout), -1)
        return np.column_stack([dx, dout.sum(axis=(1, 2)) @ layer.params["b"]])

    both = halves[0] + halves[1]
    target = linear(halves[0] - halves[1]) + affine
    each = [linear(both * one)[:, :-1].ravel() for one in np.eye(layer.filters)]  # a filter each
    signs: Array = np.linalg.lstsq(np.stack(each, axis=1), target[:, :-1].ravel(), rcond=None)[0]
    signs = np.where(np.abs(np.abs(signs) - 1) < ALIKE, np.sign(signs), signs)
    shift: Array = (target - linear(both * signs))[:, -1] / 2
    return np.stack([both * (1 + signs) / 2, both * (1 - signs) / 2]), shift
