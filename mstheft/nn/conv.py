"""Convolution over images, (n, height, width, channels): by tiles or bands, and slow by loops.

Windows of 3x3 over many channels go by the tiles of `winograd`, all others by bands of rows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from mstheft.nn.fast.buffers import pieces
from mstheft.nn.fast.winograd import ENOUGH, SIZE, Winograd
from mstheft.nn.layers import Grads, Layer
from mstheft.typing import Array, Rng

BANDS = 1 << 18  # numbers in a piece of bands: a megabyte of float32


def bands(x: Array, size: int, stride: int, pad: int, out: Array) -> Array:
    """The `size` rows of x that each row of windows covers, side by side, with zeros around.

        out[n, y, pad + j, i] = x[n, stride·y + i - pad, j]

    x (n, h, w, c) -> out (n, oh, W, size, c). In memory a window of size x size is then one run
    of numbers, from its first column to its last: no window is copied by itself, and the zeros
    left of a row stand to the right of the row before. W >= pad + w.
    """
    h, w = x.shape[1:3]
    out[:, :, :pad], out[:, :, pad + w :] = 0, 0
    for i in range(size):
        first = min(out.shape[1], max(0, -(-(pad - i) // stride)))
        last = max(first, min(out.shape[1], (h - 1 - i + pad) // stride + 1))
        rows = x[:, first * stride + i - pad :: stride][:, : last - first]
        target = out[:, :, pad : pad + w, i]
        target[:, :first], target[:, last:] = 0, 0
        if x.shape[3] < 8:  # short runs are slow to copy: one channel after the other
            for channel in range(x.shape[3]):
                target[:, first:last, :, channel] = rows[..., channel]
        else:
            target[:, first:last] = rows
    return out


def windows(memory: Array, size: int, width: int, count: int) -> Array:
    """Every window in the memory of such bands: (size, m, size·width) views, nothing is copied.

    width : numbers in a column of a band, size·c; count : windows, one starting at each column
    Window `o + size r` is [o, r]: those that start `size` columns apart do not overlap, so that
    each [o] is an ordinary matrix. m = ⌈count / size⌉.
    """
    step = memory.itemsize * width
    shape = size, -(-count // size), size * width
    return as_strided(memory, shape, (step, size * step, memory.itemsize), writeable=False)


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
        dtype: Any = np.float64,
    ):
        super().__init__()
        if size < 1 or stride < 1:
            raise ValueError(f"expected size= and stride= of at least 1, got {size} and {stride}")
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
        """(n, h, w, inputs) -> (n, oh, ow, filters): every window times the weights, by pieces."""
        out = self.buffers.empty("out", (len(x), *self.out_shape(x.shape[1:])), x.dtype)
        if self.tiled:
            weights = self.params["W"].transpose(1, 2, 3, 0)
            tiles = Winograd(self.pad, x.dtype, self.buffers)
            return tiles.convolve(x, weights, self.params["b"], out), x
        weights = self.params["W"].transpose(2, 1, 3, 0).reshape(-1, self.filters)
        (oh, ow), width = out.shape[1:3], x.shape[2] + self.pad
        bias, flat = np.tile(self.params["b"], ow), out.reshape(len(x), oh, -1)
        for rows in pieces(len(x), self._numbers(x, out), BANDS):
            found = self._windows("x", x[rows], self.stride, self.pad, (oh, width))
            sums = self._times(found, weights, (len(x[rows]), oh, width))
            if self.stride > 1:
                sums = np.ascontiguousarray(sums[:, :, :: self.stride])
            long = sums.reshape(*sums.shape[:2], -1)  # a sum over long rows is faster
            np.add(long[:, :, : flat.shape[2]], bias, out=flat[rows])
        return out, x

    def backward(self, dout: Array, cache: Any, need_dx: bool = True) -> tuple[Array, Grads]:
        """dL/dW from the windows; dL/dx as a convolution of dout with the flipped weights."""
        ones = np.ones(dout.size // self.filters, dout.dtype)
        dw = self._weight_gradient(cache, dout)
        grads = {"W": np.ascontiguousarray(dw), "b": ones @ dout.reshape(len(ones), -1)}
        return (self.input_gradient(dout, cache) if need_dx else dout), grads

    def _weight_gradient(self, x: Array, dout: Array) -> Array:
        """Σ over all positions of window times dL/dout: (filters, k, k, inputs)."""
        k, width = self.size, x.shape[2] + self.pad
        if self.tiled:
            tiles = Winograd(self.pad, x.dtype, self.buffers)
            return tiles.weight_gradient(x, dout).transpose(3, 0, 1, 2)
        dw = np.zeros((k * k * self.inputs, self.filters), dout.dtype)
        for rows in pieces(len(x), self._numbers(x, dout), BANDS):
            part = dout[rows]
            found = self._windows("x", x[rows], self.stride, self.pad, (part.shape[1], width))
            dw += np.matmul(found.swapaxes(1, 2), self._beside(part, width)).sum(axis=0)
        return dw.reshape(k, k, self.inputs, self.filters).transpose(3, 1, 0, 2)

    def input_gradient(self, dout: Array, cache: Any) -> Array:
        """dL/dx: the weights, turned by half a turn, over dout."""
        h, w = cache.shape[1:3]
        dx = self.buffers.empty("dx", cache.shape, dout.dtype)
        turned = self.params["W"][:, ::-1, ::-1]
        if self.tiled:
            tiles = Winograd(self.size - 1 - self.pad, dout.dtype, self.buffers)
            return tiles.convolve(dout, turned.transpose(1, 2, 0, 3), 0, dx)
        turned = turned.transpose(2, 1, 0, 3).reshape(-1, self.inputs)
        for rows in pieces(len(dx), self._numbers(dout, dx) * self.stride**2, BANDS):
            spread, shape = self._spread(dout[rows]), (h, w + self.pad)
            found = self._windows("dout", spread, 1, self.size - 1 - self.pad, shape)
            dx[rows] = self._times(found, turned, (len(spread), *shape))[:, :, :w]
        return dx

    @property
    def tiled(self) -> bool:
        """Are the windows such that Winograd's tiles pay off?"""
        plain = self.size == SIZE and self.stride == 1
        return plain and min(self.inputs, self.filters) >= ENOUGH

    def _numbers(self, x: Array, out: Array) -> int:
        """In the bands of x, or in the sums where these are more."""
        return max(self.size * x.size * out.shape[1] // x.shape[1], out.size * self.stride)

    def _windows(self, name: str, x: Array, stride: int, pad: int, shape: tuple[int, int]) -> Array:
        """The windows of x, framed by `pad` zeros, that start in `shape` rows and columns."""
        k, (rows, width), channels = self.size, shape, x.shape[3]
        count = len(x) * rows * width
        memory = self.buffers.empty(name, (count + 2 * k, k, channels), x.dtype)
        memory[count:] = 0
        bands(x, k, stride, pad, memory[:count].reshape(-1, rows, width, k, channels))
        return windows(memory, k, k * channels, count)

    def _times(self, found: Array, weights: Array, shape: tuple[int, ...]) -> Array:
        """Windows (k, m, ·) times weights (·, f), in the order of where they start: (*shape, f)."""
        k, m, f = self.size, found.shape[1], weights.shape[1]
        sums = self.buffers.empty("sums", (m * k, f), found.dtype)
        np.matmul(found, weights, out=sums.reshape(m, k, f).swapaxes(0, 1))
        return sums[: math.prod(shape)].reshape(*shape, f)

    def _beside(self, dout: Array, width: int) -> Array:
        """dout beside the windows that it belongs to, 0 beside the others: (k, m, filters)."""
        (n, oh, ow, f), k, stride = dout.shape, self.size, self.stride
        count = n * oh * width
        flat = self.buffers.empty("beside", (-(-count // k) * k, f), dout.dtype)
        flat[count:] = 0
        image = flat[:count].reshape(n, oh, width, f)
        image[:, :, ow * stride :] = 0
        for between in range(1, stride):
            image[:, :, between::stride] = 0
        image[:, :, : ow * stride : stride] = dout
        return flat.reshape(-1, k, f).swapaxes(0, 1)

    def _spread(self, dout: Array) -> Array:
        """dout with stride - 1 zeros between neighbours: where the windows stood in x."""
        if self.stride == 1:
            return dout
        n, oh, ow, f = dout.shape
        out = np.zeros((n, (oh - 1) * self.stride + 1, (ow - 1) * self.stride + 1, f), dout.dtype)
        out[:, :: self.stride, :: self.stride] = dout
        return out


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
