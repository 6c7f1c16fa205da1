"""Students of one hidden layer, for `learning.exact`: learned, settled, and all written down.

Trace, Try          what was asked, and every student on the way
Student             its weights, its misfit, and how much of that may be noise
wide_student        Adam, then Gauss-Newton steps; one twice as wide while it is stuck
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from mstheft.direct.answers.noise import Noise
from mstheft.direct.polishing.descent import DAMP
from mstheft.direct.polishing.error_bars import identifiable
from mstheft.direct.polishing.polish import Polished, Problem, allowed
from mstheft.errors import ExtractionError
from mstheft.nn import gauss_newton
from mstheft.nn.gauss_newton import DensePass, Fit, Weights
from mstheft.nn.network import Network
from mstheft.nn.student import as_network, epochs_of, logits_of, train
from mstheft.result import Result, count
from mstheft.typing import Array, Oracle

WIDER = 1.5  # width of the student, in widths of the victim
SURPLUS = 3  # answered numbers for each weight of a student, or it is too wide for the rows
BATCH = 32  # of Adam
EPOCHS, UPDATES = 50, 6000  # of the first student, at least; each later one has twice as many
STEPS = 60  # Gauss-Newton steps of a student, at the most
TRUST = 1.0  # of a step: the student has neurons to spare, so one that is lost does no harm
PATIENT = 0.05, 3  # the descent of a student ends when so many steps gain less than this share
FITS = 1e-4  # of the answers' spread: a student above this misfit, and the noise, is stuck
CLOSE = 1e-5  # of that spread: below this a student that is too wide need not be polished further
ENOUGH = 1e-3  # tolerance of LSMR in a step


# ---- what was asked, and what came of it


@dataclass(frozen=True)
class Try:
    """A student that was polished.

    kept : False if it was too narrow and the one before stayed
    ratio : of the misfit to the noise, 1 if nothing but noise is left
    """

    stage: str
    width: int
    misfit: float
    kept: bool
    ratio: float = 1.0


@dataclass
class Trace:
    """What was asked, and every student on the way.

    rows, answers : that the students are fitted to; fresh, fresh_answers : of the check
    tries : every student that was polished, in order
    polished : the last polish, with noise, bound and error bars; None before it
    noise : what chance adds to an answer, if anybody has measured it
    """

    rows: Array
    answers: Array
    fresh: Array
    fresh_answers: Array
    tries: list[Try] = field(default_factory=list)
    polished: Polished | None = None
    noise: Noise | None = None

    def note(self, stage: str, student: Student, kept: bool) -> None:
        """Write a student down."""
        self.tries.append(Try(stage, student.width, student.misfit, kept, student.ratio))

    @property
    def widths(self) -> list[int]:
        """Widths of the students that were kept."""
        return [each.width for each in self.tries if each.kept]

    @property
    def misfits(self) -> list[float]:
        """Misfits of the students that were kept."""
        return [each.misfit for each in self.tries if each.kept]

    @property
    def ratios(self) -> list[float]:
        """Ratios of the students that were kept."""
        return [each.ratio for each in self.tries if each.kept]


# ---- a student


@dataclass(frozen=True)
class Student:
    """A student of one hidden layer, and how well it fits the answers."""

    fit: Fit
    kind: Noise
    here: DensePass

    @property
    def width(self) -> int:
        """Hidden neurons."""
        return len(self.here.weights[0])

    @property
    def misfit(self) -> float:
        """Root mean square of answers - student's answers."""
        return self.fit.misfit(self.here.logits)

    @property
    def left(self) -> int:
        """N - P: answered numbers, less the weights that they tell."""
        free = identifiable(self.here.weights, self.fit.activations, self.fit.output)
        return max(1, self.fit.numbers - free)

    @property
    def floor(self) -> float:
        """The misfit that noise alone leaves: σ √((N - P) / N), answer units."""
        return math.sqrt(self.left) / self.fit.total

    @property
    def ratio(self) -> float:
        """Of the misfit to that of noise: 1 if nothing but noise is left."""
        return self.misfit / self.floor

    @property
    def limit(self) -> float:
        """The misfit up to which what is left may be noise."""
        return allowed(self.kind, True, self.left) * self.floor

    @property
    def noise(self) -> float:
        """σ of an answer, root mean square."""
        return self.fit.noise

    @property
    def spread(self) -> float:
        """Standard deviation of the answers over the rows."""
        return self.fit.spread

    @property
    def is_stuck(self) -> bool:
        """Is the misfit far above the noise?"""
        return self.misfit > max(self.limit, FITS * self.spread)

    @property
    def network(self) -> Network:
        """The student as a network, float64."""
        return as_network(self.here.weights)

    def at(self, weights: Weights) -> Student:
        """The student with other weights, of another width perhaps."""
        return replace(self, here=self.fit.at(weights))


def wide_student(oracle: Oracle, result: Result, hidden: int, rng: np.random.Generator) -> Student:
    """Train and polish a student 1.5 times as wide; while it is stuck, one twice as wide."""
    trace: Trace = result.trace
    outputs = oracle.outputs or trace.answers.shape[1]
    with result.stage("train", oracle):
        most = widest(trace, numbers(outputs, oracle.output), outputs)
    width, longer, last = min(math.ceil(WIDER * hidden), most), 1, False
    while True:
        with result.stage("train", oracle):
            network = learned(trace, width, oracle.output, outputs, longer, rng)
            problem = Problem(network, trace.rows, trace.answers, oracle.output, trace.noise)
            weights, activations = gauss_newton.chain(network)
            fit = problem.fit(weights, activations)
            student = Student(fit, problem.kind(weights), fit.at(weights))
            result.notes["train"] = f"{count(width, 'neuron')}, misfit {student.misfit:.1e}"
        with result.stage("polish", oracle):
            student = settle(student, max(student.limit, CLOSE * student.spread), PATIENT, rng)
            result.model = student.network
            trace.note("polish", student, not student.is_stuck)
            if not student.is_stuck:
                result.notes["polish"] = f"misfit {student.misfit:.1e}, noise {student.noise:.1e}"
                return student
            if last:
                raise stuck("polish", student.misfit, student.noise, student.width)
        width, longer, last = min(2 * width, most), 2 * longer, width == most


def numbers(outputs: int, output: str) -> int:
    """Independent numbers in an answer: K, of probabilities one less."""
    return outputs if output == "logits" or outputs == 1 else outputs - 1


def widest(trace: Trace, each: int, outputs: int) -> int:
    """The width at which the answers are SURPLUS times the weights. each : numbers in an answer"""
    n, d = trace.rows.shape
    width = int((n * each / SURPLUS - outputs) / (d + 1 + outputs))
    if width < 1:
        raise ExtractionError(
            "train",
            f"expected {SURPLUS} answered numbers for each weight of one neuron, got {n:,} rows",
            "give more rows",
        )
    return width


def stuck(stage: str, misfit: float, noise: float, width: int) -> ExtractionError:
    """The error of a student whose misfit is not that of the noise."""
    return ExtractionError(
        stage,
        f"the misfit stopped at {misfit:.1e}, over a noise of {noise:.1e}, "
        f"with {count(width, 'neuron')}",
        "give more rows, or rows that see every direction; the victim must have one hidden "
        "relu layer",
    )


def learned(
    trace: Trace, width: int, output: str, outputs: int, longer: int, rng: np.random.Generator
) -> Network:
    """A float64 network of that width, learned by Adam from the answers."""
    logits = logits_of(trace.answers, output, outputs)
    epochs = longer * max(EPOCHS, epochs_of(UPDATES, len(logits), BATCH))
    weights = train(trace.rows, logits, [width], epochs=epochs, batch=BATCH, rng=rng)
    return as_network(weights)


def settle(
    student: Student, goal: float, patience: tuple[float, int], rng: np.random.Generator
) -> Student:
    """Gauss-Newton steps until the misfit is below the goal, or too many in a row gain little."""
    fit, here, damp, idle = student.fit, student.here, DAMP, 0
    misfit, (share, most) = student.misfit, patience
    for _ in range(STEPS):
        if misfit <= goal or idle == most:
            break
        taken = gauss_newton.step(fit, here, damp=damp, enough=ENOUGH, trust=TRUST, rng=rng)
        idle = idle + 1 if taken.misfit > (1 - share) * misfit else 0
        here, misfit = taken.here, taken.misfit
        damp *= 1 / 3 if taken.share == 1 else 3
    return replace(student, here=here)
