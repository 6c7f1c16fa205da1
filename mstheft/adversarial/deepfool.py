"""DeepFool: how far an input is from the nearest other class."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mstheft import progress
from mstheft.adversarial.gradients import batches, inputs, lengths, reads_words
from mstheft.nn.fast.buffers import reused
from mstheft.nn.fast.threads import in_parts
from mstheft.nn.network import Network
from mstheft.typing import Array

ROWS = 2048  # rows at work together; those that have flipped leave


@dataclass(frozen=True)
class DeepFool:
    """The result of `deepfool` for each of n rows.

    x : (n, …) the rows behind the boundary, in the shape of the input (of the embedded text)
    norms : (n,) ‖x' - x‖₂; no distance to the boundary where `flipped` is False
    steps : (n,) steps taken
    flipped : (n,) True where the network's label at x' is another one than at x
    """

    x: Array
    norms: np.ndarray
    steps: np.ndarray
    flipped: np.ndarray


def deepfool(
    network: Network,
    x: ArrayLike,
    *,
    overshoot: float = 0.02,
    steps: int = 50,
    rivals: int | None = None,
    low: float = -math.inf,
    high: float = math.inf,
) -> DeepFool:
    """A small change of each row after which the network gives another label.

    The network is replaced by its linear approximation at the current point, and the step goes to
    the nearest of the hyperplanes on which another class l has the same logit as the label k:

        w_l = ∂(f_l - f_k)/∂x      l* = argmin_l |f_l - f_k| / ‖w_l‖
        r = |f_l* - f_k| / ‖w_l*‖² · w_l*          x' = x + (1 + overshoot) Σ r

    until the label at x' is no longer k. On a linear network one step does it, and
    ‖x' - x‖ / (1 + overshoot) is the exact distance to the boundary. With one logit f the other
    class has logit 0, and the distance is |f| / ‖w‖. Called with steps=1, 2, … it gives the path.

    A network of word numbers (first layer an Embedding) has no gradient at its inputs. There the
    text is embedded and the rest of the network is fooled: x' and ‖x' - x‖ are of the embedded
    text, (n, length, size), and word vectors move, padding does not.

    x : (n, d) or (n, *shape)
    rivals : number of other classes to try in each step, those of largest logits; all K - 1 by
        default. Each costs one backward pass
    low, high : limits for the entries of x', none by default
    Costs (rivals + 2 forward) passes per step over the rows that have not flipped yet.
    Source: Moosavi-Dezfooli, Fawzi and Frossard 2016, algorithm 2; their code
    tries ten classes.
    """
    if not (overshoot > 0 and steps >= 1 and (rivals is None or rivals >= 1)):
        raise ValueError(f"expected all above 0, got {overshoot=}, {steps=}, {rivals=}")
    words = reads_words(network)
    rest = network
    if words:  # the network behind its first layer, with the same parameters
        after = network.layers[0].out_shape(network.shape)
        rest = Network(network.layers[1:], after, network.dtype)
    rows = np.asarray(x) if words else inputs(network, x, low, high)
    shape = rest.shape if words else np.shape(x)[1:]
    moved = np.empty((len(rows), rest.inputs), rest.dtype)
    steps_taken, flipped = np.zeros(len(rows), np.int64), np.zeros(len(rows), bool)
    norms = np.zeros(len(rows))
    with progress.bar("DeepFool", len(rows), "row") as bar:
        for start in range(0, len(rows), ROWS):
            part = slice(start, start + ROWS)
            clean, free = _embedded(network, rows[part]) if words else (rows[part], None)
            moved[part] = clean
            search = _Search(rest, clean, free, overshoot, rivals, (low, high))
            steps_taken[part], flipped[part] = search.run(moved[part], steps)
            norms[part] = lengths(moved[part] - clean)
            bar.update(len(clean))
    return DeepFool(moved.reshape(len(rows), *shape), norms, steps_taken, flipped)


@dataclass
class _Search:
    """One batch of rows on their way to the boundary; `free` (n, d) is 0 at fixed entries."""

    network: Network
    clean: Array
    free: Array | None
    overshoot: float
    rivals: int | None
    limits: tuple[float, float]

    def run(self, x: Array, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Move the rows of x, which start as the clean ones. Returns steps and flipped."""
        taken, flipped = np.zeros(len(x), np.int64), np.zeros(len(x), bool)
        labels = self.network.labels(x)
        total = np.zeros_like(x)  # Σ r of each row
        active = np.arange(len(x))
        for _ in range(steps):
            for part in batches(self.network, len(active)):
                at = active[part]
                numbers = len(at) * self.network.widest
                parts = in_parts(self._step, x[at], labels[at], at, numbers=numbers)
                total[at] += np.concatenate(parts)
            ahead = self.clean[active] + (1 + self.overshoot) * total[active]
            x[active] = np.clip(ahead, *self.limits)
            if self.limits != (-math.inf, math.inf):  # only what clipping has left counts
                total[active] = (x[active] - self.clean[active]) / (1 + self.overshoot)
            taken[active] += 1
            flipped[active] = self.network.labels(x[active]) != labels[active]
            active = active[~flipped[active]]
            if len(active) == 0:
                break
        return taken, flipped

    def _step(self, x: Array, labels: np.ndarray, at: np.ndarray) -> Array:
        """r of the docstring of `deepfool` for rows x (m, d), row numbers `at`. (m, d)."""
        nearest, step = np.full(len(x), np.inf), np.zeros_like(x)
        with reused():
            logits, caches = self.network.forward(x)
            # one logit becomes two scores, of which the first is always 0: (m, K), K >= 2
            zero = np.zeros_like(logits[:, :1])
            scores = np.hstack([zero, logits]) if logits.shape[1] == 1 else logits.copy()
            for rival in _rivals(scores, labels, self.rivals):
                gap, seed = _towards(scores, labels, rival)  # (m,), (m, K)
                # w_l, (m, d); of two scores made from one logit only the second has a gradient
                slope = self.network.to_inputs(seed[:, -logits.shape[1] :].copy(), caches)
                if self.free is not None:
                    slope = slope * self.free[at]
                size = lengths(slope)
                distance = np.divide(gap, size, out=np.full(len(x), np.inf), where=size > 0)
                closer = distance < nearest
                nearest[closer] = distance[closer]
                scale = distance / np.where(size > 0, size, 1)  # |f_l - f_k| / ‖w_l‖²
                step[closer] = scale[closer, None] * slope[closer]
        return step


def _rivals(scores: Array, labels: np.ndarray, count: int | None) -> Iterator[np.ndarray]:
    """The other classes of each row, likeliest first: for each rank the (n,) classes."""
    ranked = np.argsort(-scores, axis=1, kind="stable")
    others = ranked[ranked != labels[:, None]].reshape(len(scores), -1)  # (n, K - 1)
    return iter(others[:, :count].T)


def _towards(scores: Array, labels: np.ndarray, rival: np.ndarray) -> tuple[np.ndarray, Array]:
    """|f_l - f_k|, (n,), and the seed e_l - e_k of its gradient, (n, K).

    A gap of 0 would give a step of 0, so four roundings of the logits are added.
    """
    rows = np.arange(len(scores))
    gap = np.abs(scores[rows, labels] - scores[rows, rival]).astype(np.float64)
    gap += 4 * np.finfo(scores.dtype).eps * np.abs(scores).max(axis=1)
    seed = np.zeros_like(scores)
    seed[rows, rival], seed[rows, labels] = 1, -1
    return gap, seed


def _embedded(network: Network, words: np.ndarray) -> tuple[Array, Array | None]:
    """Word numbers -> embedded texts (n, length · size), and 1 where there is a word, 0 padding.

    A bag of words has no padding: all of it may move.
    """
    vectors = network.layers[0].forward(words.reshape(len(words), *network.shape))[0]
    if vectors.ndim == 2:
        return vectors.copy(), None
    # (n, length, 1) & (size,) -> (n, length, size)
    word = (words.reshape(len(words), -1, 1) != 0) & np.ones(vectors.shape[2:], bool)
    return vectors.reshape(len(words), -1).copy(), word.reshape(len(words), -1)
