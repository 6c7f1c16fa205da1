"""Stage 1 on smooth networks: how many neurons are there, and in which few inputs can all be seen?

    f(x) = A1 σ(A0 x + b0) + b1,      x = Q y:      f(Q y) = A1 σ((A0 Q) y + b0) + b1

On any subspace the victim is again a network with one hidden layer, of the same neurons. So a
random sketch Q of a few more than h directions shows them all: the gradients at a few points lie
in the row space of A0 Q, and how many of their singular values are above the rounding is h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.reader import read, reader, unreadable
from mstheft.errors import ExtractionError
from mstheft.typing import Array, Oracle

FIRST = 16  # directions of the first sketch; doubled until its spectrum shows a gap
MORE = 2  # points beyond the h / K that the gradients need
SAMPLE = 8  # inputs whose answers show how far answers spread
GAP = 1e-6  # singular values below this share of the largest are differences' errors, not neurons


@dataclass
class Subspace:
    """A subspace of the inputs in which every neuron moves and none moves alike.

    axes : (d, h) orthonormal V, so that x = V y
    points : (m, h) y of the points at which gradients were measured
    gradients : (m, K, h) of the answers with respect to y
    spectrum : singular values of the sketch's gradients, the first h above the gap
    sketch : number q of directions of the sketch
    noise : size of the noise in an answer, three σ; spread : standard deviation of the answers
    reach : natural length in the space of inputs; is_coarse : answers are no exact float64
    """

    axes: Array
    points: Array
    gradients: Array
    spectrum: Array
    sketch: int
    noise: float
    spread: float
    reach: float
    is_coarse: bool

    @property
    def share(self) -> float:
        """Rounding relative to the spread of the answers, at most 1: steps follow it."""
        return self.noise / max(self.spread, self.noise)


def ask(oracle: Oracle, x: Array) -> Array:
    """Answers (n, K') that are independent of one another: K' = K - 1 where the gauge takes one.

    Centred logits (see `answers.read`) sum to zero: they are given in an orthonormal basis of what
    is left. Costs n queries. Raises `ExtractionError` for NaN, or probabilities of exactly 0 or 1.
    """
    answers = read(oracle, x)
    if not np.isfinite(answers).all():
        raise unreadable(oracle, "answers")
    return np.asarray(answers @ free_directions(oracle, answers.shape[1]), float)


def free_directions(oracle: Oracle, outputs: int) -> Array:
    """(K, K') orthonormal columns: all of R^K for logits, else what is orthogonal to (1, …, 1)."""
    if oracle.output == "logits" or outputs == 1:
        return np.eye(outputs)
    return np.linalg.svd(np.ones((1, outputs)))[2][1:].T


def find_subspace(
    oracle: Oracle, rng: Generator, hidden: int | None = None, scale: float = 1.0
) -> Subspace:
    """Sketches of 16, 32, 64, … random directions until the gradients' spectrum shows a gap.

    A sketch of q directions is believed if it shows at most q / 2 neurons, or if q = d. It is
    q = 2 h from the start where the width is known.
    scale : of the inputs asked, N(0, scale² I)
    Costs (q + 1) m + 1 queries for the last sketch, q < 4 h and m = q / 2 K + 2, and a third more
    for those before it; and 17 for `rounding`.
    Raises `ExtractionError` where no answer moves, and for more neurons than `hidden`.
    """
    d = oracle.inputs
    q = min(d, FIRST if hidden is None else 2 * hidden)
    noise, spread, is_coarse = rounding(oracle, scale, rng)
    reach = scale * np.sqrt(d)
    step = first_step(reach, noise / max(spread, noise))
    while True:
        axes, points, gradients = sketch(oracle, q, reach, step, rng)
        rows = gradients.reshape(-1, q)  # (m K, q)
        spectrum, basis = np.linalg.svd(rows)[1:]
        h = count_neurons(spectrum, noise / step * np.sqrt(sum(rows.shape)))
        if 2 * h <= q or q == d:
            break
        q = min(d, 2 * q)
    if h == 0:
        raise ExtractionError(
            "subspace",
            f"the answers do not change by more than their rounding, {noise:.1g}",
            "ask for more digits; if all neurons are saturated, steal lambda x: victim(0.01 * x)",
        )
    if hidden is not None and h > hidden:
        raise ExtractionError(
            "subspace",
            f"expected hidden={hidden} neurons, but the gradients show {h}",
            "leave out hidden=, or ask for more digits if the answers are coarse",
        )
    basis = basis[:h].T
    in_basis = axes @ basis, points @ basis, gradients @ basis
    return Subspace(*in_basis, spectrum, q, noise, spread, reach, is_coarse)


def rounding(oracle: Oracle, scale: float, rng: Generator) -> tuple[float, float, bool]:
    """Noise in an answer at x ~ N(0, scale² I), how far such answers spread, are they coarse?

    The spread is the largest standard deviation of an output. Costs 8 queries, and 9 or 16 where
    the noise has not been measured before, see `answers.reader`.
    """
    x = scale * rng.normal(size=(SAMPLE, oracle.inputs))
    direction = rng.normal(size=oracle.inputs)
    spread = float(ask(oracle, x).std(axis=0).max())
    measured = reader(oracle, x[0], direction / np.linalg.norm(direction))
    return measured.noise, spread, not measured.is_exact


def first_step(reach: float, share: float) -> float:
    """Step of a first difference, c ~ share^(1/2) √d: errors of c and share / c are alike.

    A unit direction moves a neuron by its row's length / √d, so that c moves it by c / √d.
    reach : √d, or less nearer the origin; share : rounding relative to the spread of the answers
    """
    return float(np.clip(np.sqrt(share), 3e-8, 1e-2)) * reach


def sketch(
    oracle: Oracle, q: int, reach: float, step: float, rng: Generator
) -> tuple[Array, Array, Array]:
    """Gradients along q random orthonormal directions at m random points of their span.

        ∂_j f  ≈  (f(x + c Q_j) - f(x)) / c

    Nothing but their rank and roughly their span is needed, so that one side is enough.
    reach : typical length of a point; step : c
    Returns Q (d, q), the points (m, q) and the gradients (m, K, q). Costs (q + 1) m + 1 queries.
    """
    d = oracle.inputs
    axes = np.linalg.qr(rng.normal(size=(d, q)))[0]
    outputs = ask(oracle, np.zeros((1, d))).shape[1]
    m = int(np.ceil(q / (outputs if q == d else 2 * outputs))) + MORE
    points = reach / np.sqrt(q) * rng.normal(size=(m, q))
    gradients = np.stack([gradient(oracle, axes, y, step) for y in points])
    return axes, points, gradients


def gradient(oracle: Oracle, axes: Array, point: Array, step: float) -> Array:
    """(K, q) slopes of the answers at x = Q y along all columns of Q. Costs q + 1 queries."""
    here = axes @ point
    answers = ask(oracle, here + step * np.vstack([np.zeros(len(here)), axes.T]))
    return (answers[1:] - answers[0]).T / step


def count_neurons(spectrum: Array, floor: float) -> int:
    """How many singular values are above the differences' rounding `floor` and truncation."""
    return int(np.sum(spectrum > max(10 * floor, GAP * spectrum.max(initial=0))))
