"""The second layer: once the first is known, every hidden value φ ≥ 0 can be produced.

    x = A0⁺ (φ - b0)   makes   A0 x + b0 = φ,    so that   f = A2 relu(A1 φ + b1) + b2:

inside of the positive orthant the victim is a network with one hidden layer, and it is stolen by
the sweep, on segments. As relu never gives anything outside of the orthant, what is right there is
right everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mstheft.direct import line as lines
from mstheft.direct.answers.reader import Reader
from mstheft.direct.box import Box
from mstheft.direct.deep.first_layer import OrientedLayer
from mstheft.direct.deep.kinks import LineKinks
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.direct.sweep import attack as sweep
from mstheft.errors import ExtractionError
from mstheft.result import Result
from mstheft.typing import Array

SWITCHES = 1e-6  # relative distance from a hyperplane at which a neuron is taken to switch


class Orthant:
    """The oracle seen from behind the first layer: it answers hidden values φ, (n, h1).

    It asks and counts where the real one does.
    """

    def __init__(self, oracle: Reader, first: OrientedLayer):
        self.oracle, self.first = oracle, first
        self.inverse = np.linalg.pinv(first.A0)
        self.inputs = len(first.A0)
        self.strain = 1.0  # |A0| |x| over |φ|: how much more A0 x is rounded than φ

    def __getattr__(self, name: str) -> Any:
        return getattr(self.oracle, name)

    @property
    def ulp(self) -> float:
        """Rounding of an answer on the last segment, relative: rows x far out, of φ that are not.

        Where A0 is nearly singular, |x| may be a hundred times |φ|.
        """
        return self.oracle.ulp * self.strain

    def query(self, phi: Array) -> Array:
        """Answers for rows x with A0 x + b0 = φ. Costs n queries."""
        return self.oracle.query(self.rows(phi))

    def rows(self, phi: Array) -> Array:
        """x with A0 x + b0 = φ, (n, h1) -> (n, d)."""
        return (phi - self.first.b0) @ self.inverse.T

    def segment(self, endpoints: Array) -> lines.Line | None:
        """The kinks between two hidden values, (2, h1); None where probabilities are 0 or 1."""
        try:
            cancelled = np.abs(self.rows(endpoints)) @ np.abs(self.first.A0).T
            self.strain = max(1.0, float(cancelled.max() / np.abs(endpoints).max()))
            start, direction = endpoints.mean(axis=0), (endpoints[1] - endpoints[0]) / 2
            return lines.search(self, start, direction, low=-1.0, high=1.0)
        except ExtractionError:
            if self.output == "logits":
                raise
            return None

    @property
    def box(self) -> Box:
        """The orthant's walls."""
        return np.zeros(self.inputs), np.full(self.inputs, np.inf)


def new_result(h1: int) -> Result:
    """An empty result of the sweep behind the first layer."""
    return Result(trace=sweep.Trace(Hyperplanes.none(h1)))


def sweep_segment(view: Orthant, endpoints: Array, inner: Result) -> None:
    """One segment: its kinks, and whole rows of A1 for those that no known neuron explains.

    Costs about 5.5 queries per kink and h1 + 1 per Jacobian: behind the first layer the input is
    narrow.
    """
    line = view.segment(endpoints)
    if line is None:
        return
    inner.trace.lines.append(line)
    if len(line.kinks):
        sweep.sweep_line(view, line, inner, view.box)


def explained_at(phi: Array, neurons: Hyperplanes) -> np.ndarray:
    """At which hidden values (m, h1) does a known neuron of the second layer switch? (m,) bool."""
    sides = np.abs(phi @ neurons.rows.T + neurons.offsets)  # (m, h)
    size = np.linalg.norm(neurons.rows, axis=1) * (1 + np.linalg.norm(phi, axis=1))[:, None]
    return (sides < SWITCHES * size).any(axis=1)


def unexplained(
    searched: Sequence[LineKinks], first: OrientedLayer, inner: Result
) -> list[tuple[int, int]]:
    """Kinks (line, kink) that no neuron, neither of the first nor of the second layer, explains."""
    pairs = []
    for n, kinks in enumerate(searched):
        behind = explained_at(first.hidden(kinks.points), inner.trace.neurons)
        pairs += [(n, int(kink)) for kink in np.flatnonzero((kinks.first < 0) & ~behind)]
    return pairs


def finish(inner: Result) -> bool:
    """Orientations τ_j, A1, b1, A2, b2, refined on the answers of the segments. No queries.

    A neuron whose hyperplane misses the orthant never switches for any x: if it is always on, it is
    an affine function of φ. Where the signs do not come out as ±1 the affine remainder is carried
    exactly as pairs of opposite neurons, as in the sweep.
    Returns whether the signs were determined; `inner.model` is φ -> f.
    """
    if not len(inner.trace.neurons):
        return False
    signs = sweep.orient(inner.trace)
    sweep.refine(inner, signs)
    return signs is not None
