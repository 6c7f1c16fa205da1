"""Pooling over images, (n, height, width, channels)."""

from __future__ import annotations

from typing import Any

import numpy as np

from mstheft.nn.buffers import split
from mstheft.nn.functions import Array
from mstheft.nn.layers import Grads, Layer


class MaxPool2D(Layer):
    """Largest value of each size x size window, windows side by side; what is left over is dropped.

    Backwards the whole gradient goes to the first largest value of a window, in reading order.
    """

    def __init__(self, size: int = 2):
        super().__init__()
        self.size = size

    def config(self) -> dict[str, Any]:
        """Window."""
        return {"size": self.size}

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """(h, w, c) -> (h // k, w // k, c)."""
        if len(shape) != 3 or min(shape[:2]) < self.size:
            raise ValueError(
                f"expected an image of shape (h, w, c) of at least {self.size} pixels a side for "
                f"MaxPool2D, got {shape}; pool less often or take larger images"
            )
        return shape[0] // self.size, shape[1] // self.size, shape[2]

    def _views(self, x: Array) -> list[Array]:
        """The size² arrays (n, oh, ow, c) that hold the same corner of every window."""
        k = self.size
        oh, ow = x.shape[1] // k, x.shape[2] // k
        return [x[:, i : oh * k : k, j : ow * k : k] for i in range(k) for j in range(k)]

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Any]:
        """(n, h, w, c) -> (n, h // k, w // k, c)."""
        n, h, w, c = x.shape
        out = self.buffers.empty("out", (n, h // self.size, w // self.size, c), x.dtype)

        def largest(rows: slice) -> None:
            first, *others = self._views(x[rows])
            best = out[rows]
            np.copyto(best, first)
            for other in others:
                np.maximum(best, other, out=best)

        split(largest, n, x.size)
        return out, (x, out)

    def backward(self, dout: Array, cache: Any, need_dx: bool = True) -> tuple[Array, Grads]:
        """dL/dx: dout where a window had its first largest value, 0 elsewhere."""
        x, out = cache
        dx = self.buffers.empty("dx", x.shape, x.dtype)

        def route(rows: slice) -> None:
            part, k = dx[rows], self.size
            part[:, out.shape[1] * k :], part[:, :, out.shape[2] * k :] = 0, 0
            left = dout[rows].copy()
            for source, target in zip(self._views(x[rows]), self._views(part), strict=True):
                np.multiply(left, source == out[rows], out=target)
                left -= target

        split(route, len(x), x.size)
        return dx, {}


class GlobalAveragePool(Layer):
    """Mean over all positions, (n, h, w, c) -> (n, c)."""

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """(h, w, c) -> (c,)."""
        if len(shape) != 3:
            raise ValueError(
                f"expected an image of shape (h, w, c) for GlobalAveragePool, got {shape}; "
                "put it right after the convolutions"
            )
        return shape[2:]

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Any]:
        """One number per channel."""
        return x.mean(axis=(1, 2)), x.shape

    def backward(self, dout: Array, cache: Any, need_dx: bool = True) -> tuple[Array, Grads]:
        """Every position gets its share."""
        share = dout[:, None, None] / (cache[1] * cache[2])
        return np.broadcast_to(share, cache).astype(dout.dtype), {}
