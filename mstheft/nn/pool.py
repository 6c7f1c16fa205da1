"""Pooling over images, (n, height, width, channels)."""

from __future__ import annotations

import numpy as np

from mstheft.nn.fast.buffers import pieces
from mstheft.nn.layers import Grads, Layer, Shape
from mstheft.typing import Array

PoolCache = tuple[Array, Array, Array]  # x, the largest of rows, the largest of all


class MaxPool2D(Layer):
    """Largest value of each size x size window, windows side by side; what is left over is dropped.

    Backwards the whole gradient goes to one largest value of a window: of the uppermost in each
    column the leftmost.
    """

    def __init__(self, size: int = 2):
        super().__init__()
        if size < 1:
            raise ValueError(f"expected size= of at least 1 for MaxPool2D, got {size}")
        self.size = size

    def out_shape(self, shape: Shape) -> Shape:
        """(h, w, c) -> (h // k, w // k, c)."""
        fits = len(shape) == 3 and min(shape[:2]) >= self.size
        wanted = f"images (h, w, c) of at least {self.size} pixels a side"
        self.check_shape(fits, wanted, shape, "pool less often or take larger images")
        return shape[0] // self.size, shape[1] // self.size, shape[2]

    def _rows(self, x: Array) -> list[Array]:
        """The first, second, … row of every window: size arrays (n, oh, ow·size, c)."""
        k = self.size
        oh, ow = x.shape[1] // k, x.shape[2] // k
        return [x[:, i : oh * k : k, : ow * k] for i in range(k)]

    def _columns(self, best: Array) -> list[Array]:
        """The same for columns, from the largest of the rows: size arrays (n, oh, ow, c)."""
        return [best[:, :, j :: self.size] for j in range(self.size)]

    def forward(self, x: Array, train: bool = False) -> tuple[Array, PoolCache]:
        """(n, h, w, c) -> (n, h // k, w // k, c): the largest of rows, then of columns."""
        n, (oh, ow, c) = len(x), self.out_shape(x.shape[1:])
        best = self.buffers.empty("best", (n, oh, ow * self.size, c), x.dtype)
        out = self.buffers.empty("out", (n, oh, ow, c), x.dtype)
        for part in pieces(n, x.size):
            _largest(self._rows(x[part]), best[part])
            _largest(self._columns(best[part]), out[part])
        return out, (x, best, out)

    def backward(self, dout: Array, cache: PoolCache, need_dx: bool = True) -> tuple[Array, Grads]:
        """dL/dx: dout where a window had its largest value, 0 elsewhere."""
        x, best, out = cache
        dx = self.buffers.empty("dx", x.shape, x.dtype)
        dx[:, out.shape[1] * self.size :], dx[:, :, out.shape[2] * self.size :] = 0, 0
        for part in pieces(len(x), x.size):
            dbest = np.empty_like(best[part])  # (rows, oh, ow·k, c)
            columns = self._columns(best[part]), self._columns(dbest)
            _route(dout[part].copy(), out[part], *columns)
            _route(dbest, best[part], self._rows(x[part]), self._rows(dx[part]))
        return dx, {}


def _largest(values: list[Array], out: Array) -> None:
    """Element by element the largest of several arrays."""
    np.maximum(values[0], values[-1], out=out)
    for other in values[1:-1]:
        np.maximum(out, other, out=out)


def _route(gradient: Array, best: Array, values: list[Array], targets: list[Array]) -> None:
    """Give each number of the gradient to the first value that equals the best; uses it up."""
    for i, (value, target) in enumerate(zip(values[:-1], targets[:-1], strict=True)):
        np.multiply(gradient, value == best, out=target)
        last = i == len(values) - 2
        np.subtract(gradient, target, out=targets[-1] if last else gradient)
    if len(values) == 1:
        targets[0][...] = gradient


class GlobalAveragePool(Layer):
    """Mean over all positions, (n, h, w, c) -> (n, c)."""

    def out_shape(self, shape: Shape) -> Shape:
        """(h, w, c) -> (c,)."""
        self.check_shape(len(shape) == 3, "images (h, w, c)", shape, "put it after convolutions")
        return shape[2:]

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Shape]:
        """One number per channel."""
        return x.mean(axis=(1, 2)), x.shape

    def backward(self, dout: Array, cache: Shape, need_dx: bool = True) -> tuple[Array, Grads]:
        """Every position gets its share."""
        share = dout[:, None, None] / (cache[1] * cache[2])  # (n, 1, 1, c)
        return np.broadcast_to(share, cache).astype(dout.dtype), {}
