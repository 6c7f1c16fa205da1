"""Stage 1 on smooth networks: how many neurons are there, and in which few inputs can all be seen?

    f(x) = A1 σ(A0 x + b0) + b1,      x = Q y:      f(Q y) = A1 σ((A0 Q) y + b0) + b1

On any subspace the victim is again a network with one hidden layer, of the same neurons. So a
random sketch Q of a few more than h directions shows them all: the gradients at a few points lie
in the row space of A0 Q, and how many of their singular values stand above the rounding is h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mstheft.direct.answers import read
from mstheft.direct.line import measure_noise
from mstheft.errors import ExtractionError
from mstheft.nn.functions import Array

FIRST = 16  # directions of the first sketch; doubled until its spectrum shows a gap
MORE = 2  # points beyond the h / K that the gradients need
GAP = 1e-6  # singular values below this share of the largest are differences' errors, not neurons


@dataclass
class Subspace:
    """A subspace of the inputs in which every neuron moves and none moves alike.

    axes : (d, h) orthonormal V, so that x = V y
    points : (m, h) y of the points at which gradients were measured
    gradients : (m, K, h) of the answers with respect to y
    spectrum : singular values of the sketch's gradients, the first h above the gap
    sketch : number q of directions that were looked at
    noise : size of the rounding in an answer; reach : natural length in the space of inputs
    """

    axes: Array
    points: Array
    gradients: Array
    spectrum: Array
    sketch: int
    noise: float
    reach: float


def ask(oracle: Any, x: Array) -> Array:
    """Answers (n, K') that are independent of one another: K' = K - 1 where the gauge takes one.

    Centred logits (see `answers.read`) sum to zero: they are told in an orthonormal basis of what
    is left. Costs n queries. Raises `ExtractionError` for probabilities of exactly 0 or 1.
    """
    answers = read(oracle, x)
    if not np.isfinite(answers).all():
        raise ExtractionError(
            "answers",
            "expected finite answers, got others (probabilities may be rounded to exactly 0 or 1)",
            "ask the oracle for logits or log_probs, or for more decimals",
        )
    return np.asarray(answers @ free_directions(oracle, answers.shape[1]), float)


def free_directions(oracle: Any, outputs: int) -> Array:
    """(K, K') orthonormal columns: all of R^K for logits, else what is orthogonal to (1, …, 1)."""
    if oracle.output == "logits" or outputs == 1:
        return np.eye(outputs)
    return np.linalg.svd(np.ones((1, outputs)))[2][1:].T


def find_subspace(oracle: Any, rng: np.random.Generator, hidden: int | None = None) -> Subspace:
    """Sketches of 16, 32, 64, … random directions until the gradients' spectrum shows a gap.

    A sketch of q directions is believed if it shows at most q / 2 neurons, or if q = d. It is
    q = 2 h from the start where the width is known.
    Costs (q + 1) m + 1 queries for the last sketch, q < 4 h and m = q / 2 K + 2, and a third more
    for those before it.
    Raises `ExtractionError` where no answer moves.
    """
    d = oracle.inputs
    q = min(d, FIRST if hidden is None else 2 * hidden)
    noise = rounding(oracle, rng)
    while True:
        axes, points, gradients = sketch(oracle, q, noise, rng)
        rows = gradients.reshape(-1, q)
        spectrum, basis = np.linalg.svd(rows)[1:]
        h = count_neurons(spectrum, noise / step_of(d, noise) * np.sqrt(sum(rows.shape)))
        if 2 * h <= q or q == d:
            break
        q = min(d, 2 * q)
    if h == 0:
        raise ExtractionError(
            "subspace",
            f"the answers do not change with the inputs by more than their rounding, {noise:.1g}",
            "look at inputs of another scale, or ask for more digits",
        )
    basis = basis[:h].T
    return Subspace(axes @ basis, points @ basis, gradients @ basis, spectrum, q, noise, np.sqrt(d))


def rounding(oracle: Any, rng: np.random.Generator) -> float:
    """Size of the rounding in an answer at x ~ N(0, I). Costs 7 queries."""
    x, direction = rng.normal(size=(2, oracle.inputs))
    ask(oracle, x[None])
    return measure_noise(oracle, x, direction / np.linalg.norm(direction))


def step_of(inputs: int, noise: float) -> float:
    """Step of a first difference, c ~ noise^(1/2) √d: errors of c and noise / c are alike.

    A unit direction moves a neuron by its row's length / √d, so that c moves it by c / √d.
    """
    return float(np.clip(np.sqrt(noise), 3e-8, 1e-2)) * np.sqrt(inputs)


def sketch(
    oracle: Any, q: int, noise: float, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Gradients along q random orthonormal directions at m random points of their span.

        ∂_j f  ≈  (f(x + c Q_j) - f(x)) / c

    Nothing but their rank and roughly their span is needed, so that one side is enough.
    Returns Q (d, q), the points (m, q) and the gradients (m, K, q). Costs (q + 1) m + 1 queries.
    """
    d = oracle.inputs
    axes = np.linalg.qr(rng.normal(size=(d, q)))[0]
    outputs = ask(oracle, np.zeros((1, d))).shape[1]
    m = int(np.ceil(q / (outputs if q == d else 2 * outputs))) + MORE
    points = np.sqrt(d / q) * rng.normal(size=(m, q))
    step = step_of(d, noise)
    gradients = np.stack([gradient(oracle, axes, y, step) for y in points])
    return axes, points, gradients


def gradient(oracle: Any, axes: Array, point: Array, step: float) -> Array:
    """(K, q) slopes of the answers at x = Q y along all columns of Q. Costs q + 1 queries."""
    here = axes @ point
    answers = ask(oracle, here + step * np.vstack([np.zeros(len(here)), axes.T]))
    return (answers[1:] - answers[0]).T / step


def count_neurons(spectrum: Array, floor: float) -> int:
    """How many singular values are above the differences' rounding `floor` and truncation."""
    return int(np.sum(spectrum > max(10 * floor, GAP * spectrum.max(initial=0))))
