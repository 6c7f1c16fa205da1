"""Convolution over images, (n, height, width, channels): by im2col, and slow by loops.

im2col makes every window one row of a matrix, so that a convolution is a matrix product. For
stride 1 `nn.fast` computes the same products faster; a test holds both equal.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import DTypeLike

from mstheft.nn.fast.bands import Bands
from mstheft.nn.fast.buffers import Buffers
from mstheft.nn.fast.winograd import ENOUGH, SIZE, Winograd
from mstheft.nn.layers import Grads, Layer, Shape
from mstheft.nn.norm import column_sums
from mstheft.typing import Array, Rng


def im2col(x: Array, size: int, stride: int, pad: int) -> Array:
    """Every size x size window of x, with zeros around, as a row: -> (n, oh, ow, size·size·c)."""
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    windows = sliding_window_view(x, (size, size), axis=(1, 2))[:, ::stride, ::stride]
    windows = windows.transpose(0, 1, 2, 4, 5, 3)  # (n, oh, ow, size, size, c)
    return windows.reshape(*windows.shape[:3], -1)


def col2im(columns: Array, shape: Shape, size: int, stride: int, pad: int) -> Array:
    """The transpose of `im2col`: add each number to the pixel that it was copied from.

    columns (n, oh, ow, size·size·c) -> an array of `shape`, (n, h, w, c)
    """
    (n, h, w, c), (oh, ow) = shape, columns.shape[1:3]
    padded = np.zeros((n, h + 2 * pad, w + 2 * pad, c), columns.dtype)
    windows = columns.reshape(n, oh, ow, size, size, c)
    for i in range(size):
        for j in range(size):
            # pixel (i, j) of all windows, (n, oh, ow, c): one pixel every `stride`
            target = padded[:, i : i + stride * oh : stride, j : j + stride * ow : stride]
            target += windows[:, :, :, i, j]
    return padded[:, pad : pad + h, pad : pad + w]


class Im2col:
    """A convolution's forward pass and both its gradients, each one matrix product.

        out = col Wᵀ + b      dL/dW = doutᵀ col      dL/dcol = dout W,      col = im2col(x)

    x (n, h, w, c), W (f, k, k, c), b (f,), out and dout (n, oh, ow, f)
    """

    def __init__(self, size: int, stride: int, pad: int):
        self.window = size, stride, pad

    def forward(self, x: Array, W: Array, b: Array) -> Array:
        """The convolution, (n, oh, ow, f)."""
        columns = im2col(x, *self.window)  # (n, oh, ow, k·k·c)
        return columns @ W.reshape(len(W), -1).T + b

    def weight_gradient(self, x: Array, dout: Array) -> Array:
        """dL/dW, (f, k, k, c)."""
        size, channels, filters = self.window[0], x.shape[3], dout.shape[3]
        columns = im2col(x, *self.window).reshape(-1, size * size * channels)  # (n·oh·ow, k·k·c)
        dW = dout.reshape(-1, filters).T @ columns  # (f, k·k·c)
        return dW.reshape(filters, size, size, channels)

    def input_gradient(self, dout: Array, W: Array, shape: Shape) -> Array:
        """dL/dx, of `shape` (n, h, w, c)."""
        dcolumns = dout @ W.reshape(len(W), -1)  # (n, oh, ow, k·k·c)
        return col2im(dcolumns, shape, *self.window)


def _fastest(
    inputs: int, filters: int, size: int, stride: int, pad: int, buffers: Buffers
) -> Im2col | Winograd | Bands:
    """What computes the same as `Im2col(size, stride, pad)` in the least time."""
    if stride > 1:
        return Im2col(size, stride, pad)
    if size == SIZE and min(inputs, filters) >= ENOUGH:
        return Winograd(pad, buffers)
    return Bands(size, pad, buffers)


class Conv2D(Layer):
    """Convolution (cross-correlation, as everywhere in this field) plus bias.

        out[n, y, x, f] = b_f + Σ_{i,j,c} W[f, i, j, c] in[n, s y + i - p, s x + j - p, c]

    inputs, filters : channels in and out
    size, stride : k and s; padding 'same' puts p = (k-1)//2 zeros around (k odd), 'valid' none
    params : W (filters, k, k, inputs), He-initialised with k² · inputs as fan-in; b (filters,)
    """

    def __init__(
        self,
        inputs: int,
        filters: int,
        size: int = 3,
        stride: int = 1,
        padding: str = "same",
        *,
        rng: Rng = None,
        dtype: DTypeLike = np.float64,
    ):
        super().__init__()
        if size < 1 or stride < 1:
            raise ValueError(f"expected size= and stride= of at least 1, got {size} and {stride}")
        if padding not in ("same", "valid") or (padding == "same" and size % 2 == 0):
            raise ValueError(
                f"expected padding 'valid', or 'same' with an odd size, got {padding!r}"
            )
        self.inputs, self.filters, self.size = inputs, filters, size
        self.stride, self.padding = stride, padding
        shapes = self.shapes(**self.config())
        fan_in = size * size * inputs
        weights = np.random.default_rng(rng).normal(0, np.sqrt(2 / fan_in), shapes["W"])
        self.params = {"W": weights.astype(dtype), "b": np.zeros(filters, dtype)}
        self.method = _fastest(inputs, filters, size, stride, self.pad, self.buffers)

    @classmethod
    def shapes(
        cls, inputs: int, filters: int, size: int, stride: int, padding: str
    ) -> dict[str, Shape]:
        """Weights as (out, window, in)."""
        return {"W": (filters, size, size, inputs), "b": (filters,)}

    def out_shape(self, shape: Shape) -> Shape:
        """(h, w, inputs) -> (oh, ow, filters)."""
        image = len(shape) == 3 and shape[2] == self.inputs
        fits = image and min(shape[:2]) + 2 * self.pad >= self.size
        side = self.size - 2 * self.pad
        wanted = f"images (h, w, {self.inputs}) of at least {side} pixels a side"
        self.check_shape(fits, wanted, shape, "change inputs= or size=")
        oh, ow = ((side + 2 * self.pad - self.size) // self.stride + 1 for side in shape[:2])
        return oh, ow, self.filters

    @property
    def pad(self) -> int:
        """Zeros put around the image, p."""
        return (self.size - 1) // 2 if self.padding == "same" else 0

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Array]:
        """(n, h, w, inputs) -> (n, oh, ow, filters): every window times the weights."""
        return self.method.forward(x, self.params["W"], self.params["b"]), x

    def backward(self, dout: Array, cache: Array, need_dx: bool = True) -> tuple[Array, Grads]:
        """dL/dW and dL/dx as in `Im2col`, dL/db = Σ dout over samples and positions."""
        dW = self.method.weight_gradient(cache, dout)
        grads = {"W": dW, "b": column_sums(dout.reshape(-1, self.filters))}
        return (self.input_gradient(dout, cache) if need_dx else dout), grads

    def input_gradient(self, dout: Array, cache: Array) -> Array:
        """dL/dx, (n, h, w, inputs)."""
        return self.method.input_gradient(dout, self.params["W"], cache.shape)


def conv2d_naive(x: Array, weights: Array, bias: Array, stride: int, pad: int) -> Array:
    """The sum of the docstring of `Conv2D`, in loops: slow and obvious. For tests and lessons."""
    n, h, w, _ = x.shape
    filters, size = weights.shape[:2]
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    oh, ow = ((side + 2 * pad - size) // stride + 1 for side in (h, w))
    out = np.zeros((n, oh, ow, filters), x.dtype)
    for y in range(oh):
        for z in range(ow):
            window = x[:, y * stride : y * stride + size, z * stride : z * stride + size]
            for f in range(filters):
                out[:, y, z, f] = (window * weights[f]).sum(axis=(1, 2, 3)) + bias[f]
    return out
