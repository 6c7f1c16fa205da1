"""The second layer: once the first is known, every hidden value φ ≥ 0 can be produced.

    x = A0⁺ (φ - b0)   makes   A0 x + b0 = φ,    so that   f = A2 relu(A1 φ + b1) + b2:

inside of the positive orthant the victim is a network with one hidden layer, and it is stolen by
the sweep, on segments. As relu never gives anything outside of the orthant, what is right there is
right everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from mstheft.direct import line as lines
from mstheft.direct.deep.first_layer import First
from mstheft.direct.deep.kinks import Bends
from mstheft.direct.hyperplanes.hyperplanes import Neurons
from mstheft.direct.sweep.attack import refine, sweep_line
from mstheft.direct.sweep.signs import believed, explained, odd_part, solve_signs
from mstheft.errors import ExtractionError
from mstheft.result import Result
from mstheft.typing import Array, Oracle

SWITCHES = 1e-6  # relative distance from a hyperplane at which a neuron is said to switch


class Orthant:
    """The oracle seen from behind the first layer: it answers hidden values φ, (n, h1).

    It asks and counts where the real one does.
    """

    def __init__(self, oracle: Oracle, first: First):
        self.oracle, self.first = oracle, first
        self.inverse = np.linalg.pinv(first.A0)
        self.inputs = len(first.A0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.oracle, name)

    def query(self, phi: Array) -> Any:
        """Answers for rows x with A0 x + b0 = φ. Costs n queries."""
        return self.oracle.query(self.rows(phi))

    def rows(self, phi: Array) -> Array:
        """x with A0 x + b0 = φ, (n, h1) -> (n, d)."""
        return (phi - self.first.b0) @ self.inverse.T

    def segment(self, two: Array) -> lines.Line | None:
        """The kinks between two hidden values, (2, h1); None where probabilities tell nothing."""
        try:
            start, direction = two.mean(axis=0), (two[1] - two[0]) / 2
            return lines.search(self, start, direction, low=-1.0, high=1.0)
        except ExtractionError:
            if self.output == "logits":
                raise
            return None

    @property
    def box(self) -> tuple[Array, Array]:
        """The orthant's walls."""
        return np.zeros(self.inputs), np.full(self.inputs, np.inf)


def new_result(h1: int) -> Result:
    """An empty result of the sweep behind the first layer."""
    inner = Result(trace=SimpleNamespace(lines=[], plans=[], stands=[], signs=None, witness=None))
    inner.trace.neurons = Neurons.none(h1)
    return inner


def sweep_segment(view: Orthant, two: Array, inner: Result) -> None:
    """One segment: its kinks, and whole rows of A1 for those that no known neuron explains.

    Costs about 5.5 queries per kink and h1 + 1 per Jacobian: behind the first layer the input is
    narrow.
    """
    line = view.segment(two)
    if line is None:
        return
    inner.trace.lines.append(line)
    if len(line.kinks):
        sweep_line(view, line, inner, view.box)


def explained_at(phi: Array, inner: Result) -> np.ndarray:
    """At which hidden values (m, h1) does a known neuron of the second layer switch? (m,) bool."""
    neurons = inner.trace.neurons
    if not len(neurons.rows):
        return np.zeros(len(phi), bool)
    sides = np.abs(phi @ neurons.rows.T + neurons.offsets)
    size = np.linalg.norm(neurons.rows, axis=1) * (1 + np.linalg.norm(phi, axis=1))[:, None]
    return (sides < SWITCHES * size).any(axis=1)


def unexplained(seen: Sequence[Bends], first: First, inner: Result) -> list[tuple[int, int]]:
    """Kinks (line, kink) that no neuron, neither of the first nor of the second layer, explains."""
    found = []
    for n, bends in enumerate(seen):
        known = (bends.first >= 0) | explained_at(first.hidden(bends.points), inner)
        found += [(n, int(kink)) for kink in np.flatnonzero(~known)]
    return found


def finish(inner: Result) -> bool:
    """Orientations τ_j, A1, b1, A2, b2, refined on the answers of the segments. No queries.

    A neuron whose hyperplane misses the orthant never switches for any x: if it is always on, it is
    an affine function of φ. Where the signs do not come out as ±1 the affine remainder is carried
    exactly as pairs of opposite neurons, as in the sweep.
    Returns whether the signs were found; `inner.model` is φ -> f.
    """
    trace = inner.trace
    parts = trace.neurons.rows, trace.neurons.offsets, trace.neurons.outputs
    if not len(parts[0]):
        return False
    odd = odd_part(trace.stands, *parts)
    trace.signs = solve_signs(odd, parts[0], parts[2])
    signs = np.sign(trace.signs) if believed(trace.signs) else None
    if signs is not None and not explained(trace.stands, odd, parts[0], parts[2], signs):
        signs = None
    refine(inner, signs)
    return signs is not None
