"""Convolution over images, (n, height, width, channels): fast by patches, and slow by loops."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from mstheft.nn.buffers import pieces
from mstheft.nn.functions import Array
from mstheft.nn.layers import Grads, Layer

PATCHES = 1 << 19  # numbers in a piece of patches: two megabytes of float32


def patches(x: Array, size: int, stride: int, out: Array) -> Array:
    """Every window of x (n, h, w, c), copied side by side: out (n, oh, ow, size, size·c).

    A row of a window lies together in memory already, so `size` strided copies are enough.
    """
    n, _, _, c = x.shape
    (oh, ow), (s0, s1, s2, s3) = out.shape[1:3], x.strides
    shape, strides = (n, oh, ow, size * c), (s0, s1 * stride, s2 * stride, s3)
    for i in range(size):
        out[:, :, :, i] = as_strided(x[:, i:], shape, strides, writeable=False)
    return out


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
        rng: Any = None,
        dtype: Any = np.float64,
    ):
        super().__init__()
        if padding not in ("same", "valid") or (padding == "same" and size % 2 == 0):
            raise ValueError(
                f"expected padding 'same' (with an odd size) or 'valid', got {padding!r}, {size}"
            )
        self.inputs, self.filters, self.size = inputs, filters, size
        self.stride, self.padding = stride, padding
        shapes = self.shapes(**self.config())
        fan_in = size * size * inputs
        weights = np.random.default_rng(rng).normal(0, np.sqrt(2 / fan_in), shapes["W"])
        self.params = {"W": weights.astype(dtype), "b": np.zeros(filters, dtype)}

    def config(self) -> dict[str, Any]:
        """Channels, window, stride, padding."""
        names = ("inputs", "filters", "size", "stride", "padding")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def shapes(cls, **config: Any) -> dict[str, tuple[int, ...]]:
        """Weights as (out, window, in)."""
        size, filters = config["size"], config["filters"]
        return {"W": (filters, size, size, config["inputs"]), "b": (filters,)}

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """(h, w, inputs) -> (oh, ow, filters)."""
        if len(shape) != 3 or shape[2] != self.inputs or min(shape[:2]) + 2 * self.pad < self.size:
            raise ValueError(
                f"expected an image of shape (h, w, {self.inputs}) of at least {self.size} pixels "
                f"a side for Conv2D, got {shape}; change inputs= or size="
            )
        oh, ow = ((side + 2 * self.pad - self.size) // self.stride + 1 for side in shape[:2])
        return oh, ow, self.filters

    @property
    def pad(self) -> int:
        """Zeros put around the image, p."""
        return (self.size - 1) // 2 if self.padding == "same" else 0

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Any]:
        """(n, h, w, inputs) -> (n, oh, ow, filters): patches and a matrix product, by pieces."""
        out = self.buffers.empty("out", (len(x), *self.out_shape(x.shape[1:])), x.dtype)
        weights = np.ascontiguousarray(self.params["W"].reshape(self.filters, -1).T)
        for rows in pieces(len(x), self._patched(x, out), PATCHES):
            flat = self._flat_patches(x[rows], out.shape[1:3])
            part = out[rows]
            np.matmul(flat, weights, out=part.reshape(len(flat), -1))
            part += self.params["b"]
        return out, x

    def backward(self, dout: Array, cache: Any, need_dx: bool = True) -> tuple[Array, Grads]:
        """dL/dW from the patches; dL/dx as a convolution of dout with the flipped weights."""
        x = cache
        dw = np.zeros((self.params["W"][0].size, self.filters), dout.dtype)
        dx = self.buffers.empty("dx", x.shape, dout.dtype) if need_dx else dout
        flipped = self.params["W"][:, ::-1, ::-1].transpose(1, 2, 0, 3).reshape(-1, self.inputs)
        for rows in pieces(len(x), self._patched(x, dout), PATCHES):
            part = dout[rows].reshape(-1, self.filters)
            dw += self._flat_patches(x[rows], dout.shape[1:3]).T @ part
            if need_dx:
                flat = self._flat_gradients(dout[rows], x.shape[1:3])
                np.matmul(flat, flipped, out=dx[rows].reshape(len(flat), -1))
        ones = np.ones(dout.size // self.filters, dout.dtype)
        dw = np.ascontiguousarray(dw.T).reshape(self.params["W"].shape)
        grads = {"W": dw, "b": ones @ dout.reshape(len(ones), -1)}
        return dx, grads

    def _patched(self, x: Array, out: Array) -> int:
        """Numbers in all the patches of x, or of dout where these are more."""
        return self.size**2 * max(out.size // self.filters * self.inputs, out.size)

    def _flat_patches(self, x: Array, sides: tuple[int, ...]) -> Array:
        """(n, h, w, inputs) -> one row of k²·inputs numbers for each of n·oh·ow windows."""
        (n, h, w, c), k, pad = x.shape, self.size, self.pad
        if pad:
            x = self.buffers.padded("framed", x, pad, (h + 2 * pad, w + 2 * pad), 1)
        windows = self.buffers.empty("windows", (n, *sides, k, k * c), x.dtype)
        return patches(x, k, self.stride, windows).reshape(-1, k * k * c)

    def _flat_gradients(self, dout: Array, sides: tuple[int, ...]) -> Array:
        """The windows of dout that each number of x has acted in, n·h·w rows of k²·filters."""
        (h, w), k = sides, self.size
        frame = h + k - 1, w + k - 1
        framed = self.buffers.padded("dframed", dout, k - 1 - self.pad, frame, self.stride)
        windows = self.buffers.empty("dwindows", (len(dout), h, w, k, k * self.filters), dout.dtype)
        return patches(framed, k, 1, windows).reshape(-1, k * k * self.filters)


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
