"""Convolution with 3x3 windows in a quarter of the multiplications: Winograd's tiles.

Four outputs of a window of three are the coefficients of a product of polynomials, read backwards,
and a product of degree five is known from its values at six points. So six multiplications do
where the sum takes twelve; over rows and columns it is 36 instead of 144:

    y = Aᵀ ( (G g Gᵀ) ∘ (Bᵀ d B) ) A       d 6x6 numbers of x, g the window, y 4x4 outputs

The tiles of all positions lie side by side, (36, tiles·channels), so that each transform is two
matrix products, one over rows and one over columns, and so is each of the 36 points one: tiles x
channels times channels x filters.
Sources: Lavin and Gray 2016, section 4; Winograd 1980 for the construction.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import as_strided

from mstheft.nn.fast.buffers import Buffers, pieces
from mstheft.typing import Array

TILE, SIZE = 4, 3  # outputs a side of a tile, and the window
SIDE = TILE + SIZE - 1  # numbers of x a side that a tile is made of
POINTS = 0, 1, -1, 2, -2  # and infinity, where a polynomial's value is its leading coefficient
ONE = SIDE + 1  # the place of (1, 1): what is added there is added to each output of a tile
ENOUGH = 16  # channels and filters from which on the transforms cost less than they save
PIECE = 1 << 18  # numbers of a piece's tiles: a megabyte of float32


def matrices() -> tuple[Array, Array, Array]:
    """A (6, 4), G (6, 3), B (6, 6): values at the points of polynomials with so many coefficients.

    Polynomials p, q of 4 and 3 coefficients: the values of p·q are (A p) ∘ (G q), and V⁻¹ makes
    its coefficients of them, V (6, 6) the values of six coefficients. The sum over windows is the
    transpose of p -> p·q, thus B = V⁻¹; its factors that are not whole numbers are given to G.
    """
    values = [np.vander(POINTS, n, increasing=True) for n in (TILE, SIZE, SIDE)]
    a, g, full = (np.vstack([v, np.eye(v.shape[1])[-1]]) for v in values)
    apart = [math.prod(p - q for q in POINTS if q != p) for p in POINTS]
    scale = np.array([*apart, 1.0])
    return a, g / scale[:, None], np.rint(np.linalg.inv(full) * scale)


A, G, B = matrices()


class Winograd:
    """The methods of `conv.Im2col`: x (n, h, w, c), W (f, 3, 3, c), b (f,), dout (n, oh, ow, f)."""

    def __init__(self, pad: int, buffers: Buffers):
        self.pad, self.buffers = pad, buffers

    def forward(self, x: Array, W: Array, b: Array) -> Array:
        """The convolution, (n, oh, ow, f)."""
        oh, ow = (side + 2 * self.pad - SIZE + 1 for side in x.shape[1:3])
        out = self.buffers.empty("out", (len(x), oh, ow, len(W)), x.dtype)
        return self._convolve(x, W.transpose(1, 2, 3, 0), b, self.pad, out)

    def weight_gradient(self, x: Array, dout: Array) -> Array:
        """dL/dW, (f, 3, 3, c): the transposes of the steps of `_convolve`."""
        c, f = x.shape[3], dout.shape[3]
        dpoints = np.zeros((SIDE * SIDE, c, f), x.dtype)
        for rows in _pieces(x, dout):
            tiles = self._tiles(x[rows], dout[rows], self.pad).swapaxes(1, 2)  # (36, c, tiles)
            part = self.buffers.empty("part", dpoints.shape, x.dtype)
            dpoints += np.matmul(tiles, self._split(dout[rows]), out=part)
        dW = self._both(G.T, dpoints.reshape(SIDE, SIDE, c * f), "points")  # (3, 3, c f)
        return np.ascontiguousarray(dW.reshape(SIZE, SIZE, c, f).transpose(3, 0, 1, 2))

    def input_gradient(self, dout: Array, W: Array, shape: tuple[int, ...]) -> Array:
        """dL/dx, of `shape`: the weights, turned by half a turn, over dout."""
        dx = self.buffers.empty("dx", shape, dout.dtype)
        turned = W[:, ::-1, ::-1].transpose(1, 2, 0, 3)  # (3, 3, f, c)
        return self._convolve(dout, turned, 0.0, SIZE - 1 - self.pad, dx)

    def _convolve(
        self, x: Array, weights: Array, bias: Array | float, pad: int, out: Array
    ) -> Array:
        """x (n, h, w, c), weights (3, 3, c, f), bias (f,) -> out (n, oh, ow, f)."""
        c, f = weights.shape[2:]
        points = self._both(G, weights.reshape(SIZE, SIZE, c * f), "points")
        for rows in _pieces(x, out):
            tiles = self._tiles(x[rows], out[rows], pad)
            sums = self.buffers.empty("sums", (SIDE * SIDE, tiles.shape[1], f), x.dtype)
            np.matmul(tiles, points.reshape(-1, c, f), out=sums)
            sums[ONE] += bias
            self._join(sums, out[rows])
        return out

    def _tiles(self, x: Array, out: Array, p: int) -> Array:
        """Bᵀ d B of every tile of x, framed by p zeros: (36, tiles, c)."""
        n, down, across, _ = _grid(out)
        h, w, c = x.shape[1:]
        shape = n, TILE * down + SIZE - 1, TILE * across + SIZE - 1, c
        frame = self.buffers.empty("frame", shape, x.dtype)
        frame[:, :p], frame[:, p + h :], frame[:, :, :p], frame[:, :, p + w :] = 0, 0, 0, 0
        frame[:, p : p + h, p : p + w] = x
        cut = self.buffers.empty("cut", (SIDE, SIDE, n, down, across, c), x.dtype)
        np.copyto(cut, _blocks(frame, SIDE, down, across))
        tiles = self._both(B.T, cut.reshape(SIDE, SIDE, -1), "tiles")
        return tiles.reshape(SIDE * SIDE, -1, c)

    def _join(self, sums: Array, out: Array) -> None:
        """Aᵀ m A of every tile, (36, tiles, f), put to its place."""
        n, down, across, f = _grid(out)
        outputs = self._both(A.T, sums.reshape(SIDE, SIDE, -1), "cut")
        frame = self._whole(out)
        _blocks(frame, TILE, down, across)[...] = outputs.reshape(TILE, TILE, n, down, across, f)
        if frame is not out:
            out[...] = frame[:, : out.shape[1], : out.shape[2]]

    def _split(self, dout: Array) -> Array:
        """A dy Aᵀ of every tile, the transpose of `_join`: (36, tiles, f)."""
        n, down, across, f = _grid(dout)
        frame, (h, w) = self._whole(dout), dout.shape[1:3]
        if frame is not dout:
            frame[:, h:], frame[:, :, w:] = 0, 0
            frame[:, :h, :w] = dout
        cut = self.buffers.empty("cut", (TILE, TILE, n, down, across, f), dout.dtype)
        np.copyto(cut, _blocks(frame, TILE, down, across))
        tiles = self._both(A, cut.reshape(TILE, TILE, -1), "sums")
        return tiles.reshape(SIDE * SIDE, -1, f)

    def _both(self, matrix: Array, blocks: Array, name: str) -> Array:
        """M b Mᵀ of every block b, (p, p, m) -> (q, q, m): over the rows, then over the columns."""
        (q, p), m = matrix.shape, blocks.shape[2]
        half = self.buffers.empty("half", (q, p, m), blocks.dtype)
        matrix = matrix.astype(blocks.dtype)
        np.matmul(matrix, blocks.reshape(p, p * m), out=half.reshape(q, p * m))
        return np.matmul(matrix, half, out=self.buffers.empty(name, (q, q, m), blocks.dtype))

    def _whole(self, out: Array) -> Array:
        """`out` itself if it is made of whole tiles, otherwise memory that is."""
        n, down, across, f = _grid(out)
        shape = n, TILE * down, TILE * across, f
        return out if out.shape == shape else self.buffers.empty("whole", shape, out.dtype)


def _pieces(x: Array, out: Array) -> Iterator[slice]:
    """Samples whose tiles fit the cache."""
    n, down, across, f = _grid(out)
    return pieces(n, n * SIDE * SIDE * down * across * max(x.shape[3], f), PIECE)


def _grid(out: Array) -> tuple[int, int, int, int]:
    """Samples, tiles down and across, filters of an output; the last tiles may stick out."""
    n, h, w, f = out.shape
    return n, -(-h // TILE), -(-w // TILE), f


def _blocks(frame: Array, side: int, down: int, across: int) -> Array:
    """Blocks of side x side numbers, TILE apart: a view (side, side, n, down, across, c)."""
    sample, row, column, channel = frame.strides
    shape = side, side, len(frame), down, across, frame.shape[3]
    return as_strided(frame, shape, (row, column, sample, TILE * row, TILE * column, channel))
