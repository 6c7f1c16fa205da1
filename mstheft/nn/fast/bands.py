"""Convolution from bands of rows: windows as views of one copy, in pieces that fit the cache.

im2col copies every pixel of x into k² windows. A band copies it k times: it holds the k rows that
one row of windows covers, and every window is a run of consecutive numbers in it.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import as_strided

from mstheft.nn.fast.buffers import Buffers, pieces
from mstheft.typing import Array

PIECE = 1 << 18  # numbers in a piece of bands: a megabyte of float32


def bands(x: Array, size: int, pad: int, out: Array) -> Array:
    """The `size` rows of x that each row of windows covers, side by side, with zeros around.

        out[n, y, pad + j, i] = x[n, y + i - pad, j]

    x (n, h, w, c) -> out (n, oh, W, size, c). In memory a window of size x size is then one run
    of numbers, from its first column to its last: no window is copied by itself, and the zeros
    left of a row lie to the right of the row before. W >= pad + w.
    """
    (h, w), oh = x.shape[1:3], out.shape[1]
    out[:, :, :pad], out[:, :, pad + w :] = 0, 0
    for i in range(size):
        first = min(oh, max(0, pad - i))  # rows of windows whose row i lies inside x
        last = max(first, min(oh, h - i + pad))
        rows = x[:, first + i - pad :][:, : last - first]
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


class Bands:
    """The methods of `conv.Im2col` for stride 1.

    x (n, h, w, c), W (f, k, k, c), b (f,), out and dout (n, oh, ow, f)
    """

    def __init__(self, size: int, pad: int, buffers: Buffers):
        self.size, self.pad, self.buffers = size, pad, buffers

    def forward(self, x: Array, W: Array, b: Array) -> Array:
        """The convolution, (n, oh, ow, f)."""
        oh, ow = (side + 2 * self.pad - self.size + 1 for side in x.shape[1:3])
        width = x.shape[2] + self.pad
        out = self.buffers.empty("out", (len(x), oh, ow, len(W)), x.dtype)
        weights = W.transpose(2, 1, 3, 0).reshape(-1, len(W))  # column by column: (k·k·c, f)
        bias, flat = np.tile(b, ow), out.reshape(len(x), oh, -1)  # sums over long rows are faster
        for rows in pieces(len(x), self._numbers(x, out), PIECE):
            columns = self._windows("x", x[rows], self.pad, (oh, width))
            sums = self._times(columns, weights, (len(x[rows]), oh, width))
            long = sums.reshape(*sums.shape[:2], -1)  # (n, oh, width·f)
            np.add(long[:, :, : flat.shape[2]], bias, out=flat[rows])
        return out

    def weight_gradient(self, x: Array, dout: Array) -> Array:
        """dL/dW, (f, k, k, c): Σ over all positions of window times dout."""
        k, c, f, width = self.size, x.shape[3], dout.shape[3], x.shape[2] + self.pad
        dW = np.zeros((k * k * c, f), dout.dtype)
        for rows in pieces(len(x), self._numbers(x, dout), PIECE):
            part = dout[rows]
            columns = self._windows("x", x[rows], self.pad, (part.shape[1], width))
            dW += np.matmul(columns.swapaxes(1, 2), self._beside(part, width)).sum(axis=0)
        return np.ascontiguousarray(dW.reshape(k, k, c, f).transpose(3, 1, 0, 2))

    def input_gradient(self, dout: Array, W: Array, shape: tuple[int, ...]) -> Array:
        """dL/dx, of `shape`: the weights, turned by half a turn, over dout."""
        n, h, w, c = shape
        dx = self.buffers.empty("dx", shape, dout.dtype)
        turned = W[:, ::-1, ::-1].transpose(2, 1, 0, 3).reshape(-1, c)  # (k·k·f, c)
        for rows in pieces(n, self._numbers(dout, dx), PIECE):
            part, places = dout[rows], (h, w + self.pad)
            columns = self._windows("dout", part, self.size - 1 - self.pad, places)
            dx[rows] = self._times(columns, turned, (len(part), *places))[:, :, :w]
        return dx

    def _numbers(self, x: Array, out: Array) -> int:
        """In the bands of x, or in the sums where these are more."""
        return max(self.size * x.size * out.shape[1] // x.shape[1], out.size)

    def _windows(self, name: str, x: Array, pad: int, shape: tuple[int, int]) -> Array:
        """The windows of x, framed by `pad` zeros, that start in `shape` rows and columns."""
        k, (rows, width), channels = self.size, shape, x.shape[3]
        count = len(x) * rows * width
        memory = self.buffers.empty(name, (count + 2 * k, k, channels), x.dtype)
        memory[count:] = 0
        bands(x, k, pad, memory[:count].reshape(-1, rows, width, k, channels))
        return windows(memory, k, k * channels, count)

    def _times(self, columns: Array, weights: Array, shape: tuple[int, ...]) -> Array:
        """Windows (k, m, ·) times weights (·, f), in the order of where they start: (*shape, f)."""
        k, m, f = self.size, columns.shape[1], weights.shape[1]
        sums = self.buffers.empty("sums", (m * k, f), columns.dtype)
        np.matmul(columns, weights, out=sums.reshape(m, k, f).swapaxes(0, 1))
        return sums[: math.prod(shape)].reshape(*shape, f)

    def _beside(self, dout: Array, width: int) -> Array:
        """dout beside the windows that it belongs to, 0 beside the others: (k, m, f)."""
        (n, oh, ow, f), k = dout.shape, self.size
        count = n * oh * width
        flat = self.buffers.empty("beside", (-(-count // k) * k, f), dout.dtype)
        flat[count:] = 0
        image = flat[:count].reshape(n, oh, width, f)
        image[:, :, ow:] = 0
        image[:, :, :ow] = dout
        return flat.reshape(-1, k, f).swapaxes(0, 1)
