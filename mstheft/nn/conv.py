"""Convolution over images, (n, height, width, channels): fast by patches, and slow by loops."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from mstheft.nn.buffers import split
from mstheft.nn.functions import Array
from mstheft.nn.layers import Grads, Layer


def patches(x: Array, size: int, stride: int, out: Array) -> Array:
    """Every window of x (n, h, w, c), copied side by side: out (n, oh, ow, size, size·c).

    A row of a window lies together in memory already, so `size` strided copies are enough.
    """
    n, _, _, c = x.shape
    (oh, ow), (s0, s1, s2, s3) = out.shape[1:3], x.strides

    def copy(rows: slice) -> None:
        part = x[rows]
        for i in range(size):
            windows = as_strided(
                part[:, i:],
                (len(part), oh, ow, size * c),
                (s0, s1 * stride, s2 * stride, s3),
                writeable=False,
            )
            out[rows, :, :, i] = windows

    split(copy, n, out.size)
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
        """(n, h, w, inputs) -> (n, oh, ow, filters): patches and one matrix product."""
        n, (oh, ow, _) = len(x), self.out_shape(x.shape[1:])
        framed = self.buffers.padded("framed", x, self.pad, self.pad) if self.pad else x
        windows = self.buffers.empty(
            "windows", (n, oh, ow, self.size, self.size * self.inputs), x.dtype
        )
        flat = patches(framed, self.size, self.stride, windows).reshape(n * oh * ow, -1)
        out = self.buffers.empty("out", (n, oh, ow, self.filters), x.dtype)
        np.matmul(
            flat, self.params["W"].reshape(self.filters, -1).T, out=out.reshape(len(flat), -1)
        )
        split(lambda rows: np.add(out[rows], self.params["b"], out=out[rows]), n, out.size)
        return out, (flat, x.shape)

    def backward(self, dout: Array, cache: Any, need_dx: bool = True) -> tuple[Array, Grads]:
        """dL/dW from the patches; dL/dx as a convolution of dout with the flipped weights."""
        flat, shape = cache
        flat_dout = dout.reshape(len(flat), -1)
        dw = (flat_dout.T @ flat).reshape(self.params["W"].shape)
        grads = {"W": dw, "b": np.ones(len(flat), dout.dtype) @ flat_dout}
        if not need_dx:
            return dout, grads
        n, h, w, c = shape
        before, size = self.size - 1 - self.pad, self.size
        framed = self.buffers.padded("dframed", dout, before, before, self.stride)
        framed = self._grown(framed, h + size - 1, w + size - 1)
        windows = self.buffers.empty("dwindows", (n, h, w, size, size * self.filters), dout.dtype)
        patches(framed, size, 1, windows)
        flipped = self.params["W"][:, ::-1, ::-1].transpose(1, 2, 0, 3).reshape(-1, c)
        dx = self.buffers.empty("dx", shape, dout.dtype)
        np.matmul(windows.reshape(n * h * w, -1), flipped, out=dx.reshape(n * h * w, c))
        return dx, grads

    @staticmethod
    def _grown(framed: Array, height: int, width: int) -> Array:
        """With more zeros below and to the right, where a stride left rows of x unused."""
        missing = height - framed.shape[1], width - framed.shape[2]
        if missing == (0, 0):
            return framed
        return np.pad(framed, ((0, 0), (0, missing[0]), (0, missing[1]), (0, 0)))


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
