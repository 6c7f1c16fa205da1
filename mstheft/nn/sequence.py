"""Layers for texts, (n, length) word numbers: embedding, convolution with max over time, GRU.

Padding has word number 0 and the embedding 0: a position whose vector is all zero is padding, and
the layers here leave it out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import DTypeLike

from mstheft.errors import WrongRows
from mstheft.nn.layers import Grads, Layer, Shape
from mstheft.typing import Array, Rng


def word_numbers(x: Array, words: int) -> np.ndarray:
    """Whole numbers from 0 to words - 1, of the shape of x; anything else is a `WrongRows`."""
    whole = x.astype(np.int64)
    if whole.size and not (whole.min() >= 0 and whole.max() < words and (whole == x).all()):
        got = f"{x.min():g} to {x.max():g}; encode the texts with the network's own vocabulary"
        raise WrongRows(f"expected whole word numbers from 0 to {words - 1}, got {got}")
    return whole


def text_length(layer: Layer, shape: Shape) -> int:
    """The length of a layer's input texts, each of shape (length,); ValueError for another."""
    wanted, advice = "texts of shape (length,)", "give one word number per position"
    layer.check_shape(len(shape) == 1, wanted, shape, advice)
    return shape[0]


class Embedding(Layer):
    """One vector per word: out[n, t] = W[x[n, t]], and 0 for word 0, the padding.

    words, size : numbers of words (with padding) and of entries in a vector
    params : W (words, size), N(0, 0.1²), its row 0 always 0
    """

    def __init__(self, words: int, size: int, *, rng: Rng = None, dtype: DTypeLike = np.float64):
        super().__init__()
        self.words, self.size = words, size
        weights = np.random.default_rng(rng).normal(0, 0.1, (words, size)).astype(dtype)
        weights[0] = 0
        self.params = {"W": weights}

    @classmethod
    def shapes(cls, words: int, size: int) -> dict[str, Shape]:
        """One row per word."""
        return {"W": (words, size)}

    def out_shape(self, shape: Shape) -> Shape:
        """(length,) -> (length, size)."""
        return text_length(self, shape), self.size

    def forward(self, x: Array, train: bool = False) -> tuple[Array, np.ndarray]:
        """(n, length) whole numbers -> (n, length, size)."""
        words = word_numbers(x, self.words)
        out = self.buffers.empty("out", (*words.shape, self.size), self.params["W"].dtype)
        return np.take(self.params["W"], words, axis=0, out=out, mode="clip"), words

    def backward(self, dout: Array, cache: np.ndarray, need_dx: bool = True) -> tuple[Array, Grads]:
        """dL/dW[w] = Σ of dout where x is w; word numbers have no derivative: dx = 0."""
        # sorted by word, all places of one word are one run, which `reduceat` adds up
        order = np.argsort(cache, axis=None, kind="stable")
        words, starts = np.unique(cache.ravel()[order], return_index=True)
        dw = self.buffers.empty("dW", self.params["W"].shape, dout.dtype)
        dw[...] = 0
        dw[words] = np.add.reduceat(dout.reshape(-1, self.size)[order], starts, axis=0)
        dw[0] = 0
        return np.zeros(cache.shape, dout.dtype), {"W": dw}


# for each window size: windows (n, steps, size, inputs), winning steps (n, filters), is it above 0?
MaxCache = tuple[list[tuple[Array, np.ndarray, np.ndarray]], Shape]


class Conv1DMax(Layer):
    """Convolutions over time with windows of several sizes, ReLU, and the maximum over time (Kim).

        out[n, f] = relu( max_t  b_f + Σ_{i,c} W[f, i, c] x[n, t + i, c] )

    A window counts if it begins on a word (the first one always does).
    inputs, filters : entries per position; filters for each of the `sizes`
    params : W3 (filters, 3·inputs), b3 (filters,), … for each size
    Source: Kim 2014, section 2.
    """

    def __init__(
        self,
        inputs: int,
        filters: int,
        sizes: Sequence[int] = (3, 4, 5),
        *,
        rng: Rng = None,
        dtype: DTypeLike = np.float64,
    ):
        super().__init__()
        self.inputs, self.filters, self.sizes = inputs, filters, tuple(sizes)
        rng = np.random.default_rng(rng)
        for name, shape in self.shapes(**self.config()).items():
            spread = np.sqrt(2 / shape[-1]) if name[0] == "W" else 0
            self.params[name] = rng.normal(0, spread, shape).astype(dtype)

    @classmethod
    def shapes(cls, inputs: int, filters: int, sizes: Sequence[int]) -> dict[str, Shape]:
        """Weights and biases of each window size."""
        shapes: dict[str, Shape] = {}
        for size in sizes:
            shapes |= {f"W{size}": (filters, size * inputs), f"b{size}": (filters,)}
        return shapes

    def out_shape(self, shape: Shape) -> Shape:
        """(length, inputs) -> (filters · number of sizes,)."""
        fits = len(shape) == 2 and shape[1] == self.inputs and shape[0] >= max(self.sizes)
        wanted = f"(length, {self.inputs}) with a length of at least {max(self.sizes)}"
        self.check_shape(fits, wanted, shape, "pad the texts or take smaller windows")
        return (self.filters * len(self.sizes),)

    def forward(self, x: Array, train: bool = False) -> tuple[Array, MaxCache]:
        """(n, length, inputs) -> (n, filters · number of sizes)."""
        n, length, _ = x.shape
        padding = np.logical_not(x.any(axis=2))  # (n, length)
        padding[:, 0] = False
        best, winners = [], []
        for size in self.sizes:
            steps = length - size + 1
            windows = self.buffers.empty(f"windows{size}", (n, steps, size, self.inputs), x.dtype)
            np.copyto(windows, sliding_window_view(x, size, axis=1).swapaxes(2, 3))
            flat = windows.reshape(n * steps, size * self.inputs)  # one window per row
            scores = self.buffers.empty(f"scores{size}", (n, steps, self.filters), x.dtype)
            np.matmul(flat, self.params[f"W{size}"].T, out=scores.reshape(n * steps, self.filters))
            scores[padding[:, :steps]] = -np.inf
            winner = scores.argmax(axis=1)  # (n, filters), a step
            top = np.take_along_axis(scores, winner[:, None], axis=1)[:, 0]
            best.append(np.maximum(top + self.params[f"b{size}"], 0))
            winners.append((windows, winner, best[-1] > 0))
        return np.concatenate(best, axis=1), (winners, x.shape)

    def backward(self, dout: Array, cache: MaxCache, need_dx: bool = True) -> tuple[Array, Grads]:
        """Only the winning window of each filter gets a gradient."""
        winners, shape = cache
        dx = self.buffers.empty("dx", shape, dout.dtype)
        dx[...] = 0
        grads: Grads = {}
        parts = np.split(dout, len(self.sizes), axis=1)
        for size, part, (windows, winner, alive) in zip(self.sizes, parts, winners, strict=True):
            n, steps = windows.shape[:2]
            part = part * alive
            dscores = self.buffers.empty(f"dscores{size}", (n, steps, self.filters), dout.dtype)
            dscores[...] = 0
            np.put_along_axis(dscores, winner[:, None], part[:, None], axis=1)
            flat = dscores.reshape(n * steps, self.filters)
            grads[f"W{size}"] = flat.T @ windows.reshape(n * steps, size * self.inputs)
            grads[f"b{size}"] = part.sum(axis=0)
            if need_dx:
                dwindows = (flat @ self.params[f"W{size}"]).reshape(windows.shape)
                for i in range(size):
                    dx[:, i : i + steps] += dwindows[:, :, i]
        return dx, grads


GRUCache = tuple[Array, Array, Array, Array, np.ndarray]  # as `forward` names them


class GRU(Layer):
    """Gated recurrent unit, read from the first word to the last; gives its last state.

        r = σ(W_r x + b_r + U_r h + c_r)      z = σ(W_z x + b_z + U_z h + c_z)
        n = tanh(W_n x + b_n + r ∘ (U_n h + c_n))      h ← (1 - z) ∘ n + z ∘ h

    Padding leaves the state as it is. The equations are those of cuDNN and PyTorch, where r is
    applied after the matrix product (Cho et al. 2014 apply it before).
    inputs, units : widths of x and h
    params : W (3 units, inputs), U (3 units, units), b, c (3 units,), in the order r, z, n;
        drawn uniformly from ±1/√units
    """

    def __init__(self, inputs: int, units: int, *, rng: Rng = None, dtype: DTypeLike = np.float64):
        super().__init__()
        self.inputs, self.units = inputs, units
        rng, bound = np.random.default_rng(rng), 1 / np.sqrt(units)
        self.params = {
            name: rng.uniform(-bound, bound, shape).astype(dtype)
            for name, shape in self.shapes(**self.config()).items()
        }

    @classmethod
    def shapes(cls, inputs: int, units: int) -> dict[str, Shape]:
        """Three gates on top of one another."""
        rows = 3 * units
        return {"W": (rows, inputs), "U": (rows, units), "b": (rows,), "c": (rows,)}

    def out_shape(self, shape: Shape) -> Shape:
        """(length, inputs) -> (units,)."""
        fits = len(shape) == 2 and shape[1] == self.inputs
        self.check_shape(fits, f"(length, {self.inputs})", shape, "put an Embedding before it")
        return (self.units,)

    def forward(self, x: Array, train: bool = False) -> tuple[Array, GRUCache]:
        """(n, length, inputs) -> (n, units)."""
        n, length, _ = x.shape
        u, dtype = self.units, x.dtype
        is_word = x.any(axis=2).T[:, :, None]  # (length, n, 1)
        by_time = np.ascontiguousarray(x.swapaxes(0, 1)).reshape(length * n, self.inputs)
        from_x = (by_time @ self.params["W"].T + self.params["b"]).reshape(length, n, 3 * u)
        gates = self.buffers.empty("gates", (length, n, 3 * u), dtype)  # r, z, n
        memory = self.buffers.empty("memory", (length, n, u), dtype)  # U_n h + c_n
        states = self.buffers.empty("states", (length + 1, n, u), dtype)
        states[0] = 0
        weights = np.ascontiguousarray(self.params["U"].T)
        for t in range(length):
            h, gate = states[t], gates[t]
            from_h = h @ weights
            from_h += self.params["c"]  # (n, 3u)
            memory[t] = from_h[:, 2 * u :]
            gate[:, : 2 * u] = _sigmoid(from_x[t, :, : 2 * u] + from_h[:, : 2 * u])  # r and z
            r, z = gate[:, :u], gate[:, u : 2 * u]
            gate[:, 2 * u :] = np.tanh(from_x[t, :, 2 * u :] + r * memory[t])  # n
            moved = gate[:, 2 * u :] + z * (h - gate[:, 2 * u :])  # (1 - z) n + z h
            states[t + 1] = np.where(is_word[t], moved, h)
        return states[-1].copy(), (by_time, gates, memory, states, is_word)

    def backward(self, dout: Array, cache: GRUCache, need_dx: bool = True) -> tuple[Array, Grads]:
        """Backpropagation through time: dh is carried from the last word to the first."""
        by_time, gates, memory, states, is_word = cache
        (length, n, _), u = gates.shape, self.units
        dfrom_x = self.buffers.empty("dfrom_x", gates.shape, dout.dtype)
        dfrom_h = self.buffers.empty("dfrom_h", gates.shape, dout.dtype)
        dh = dout
        for t in range(length - 1, -1, -1):
            r, z, new = gates[t, :, :u], gates[t, :, u : 2 * u], gates[t, :, 2 * u :]
            seen = dh * is_word[t]
            dnew = seen * (1 - z) * (1 - new * new)  # at the argument of tanh
            part = dfrom_x[t]
            part[:, :u] = dnew * memory[t] * r * (1 - r)
            part[:, u : 2 * u] = seen * (states[t] - new) * z * (1 - z)
            part[:, 2 * u :] = dnew
            dfrom_h[t] = part
            dfrom_h[t, :, 2 * u :] *= r
            # padding passes dh on; a word passes on z's share and what U brought in
            dh = dh - seen + seen * z + dfrom_h[t] @ self.params["U"]
        flat_x = dfrom_x.reshape(length * n, -1)  # (length·n, 3u)
        flat_h = dfrom_h.reshape(length * n, -1)
        grads = {"W": flat_x.T @ by_time, "U": flat_h.T @ states[:-1].reshape(length * n, -1)}
        grads |= {"b": flat_x.sum(axis=0), "c": flat_h.sum(axis=0)}
        if not need_dx:
            return dout, grads
        dx = (flat_x @ self.params["W"]).reshape(length, n, self.inputs).swapaxes(0, 1)
        return np.ascontiguousarray(dx), grads


def _sigmoid(z: Array) -> Array:
    """σ(z) = (1 + tanh(z/2)) / 2: as exact as `sigmoid` here, with one function call."""
    return 0.5 + 0.5 * np.tanh(0.5 * z)
