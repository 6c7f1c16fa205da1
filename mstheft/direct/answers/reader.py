"""What an oracle answers, read as logits, and how exact each of them is.

Direct attacks need answers that are linear in the logits. `Reader` stands between an attack and its
oracle: it measures the noise of the answers, and nobody has to declare it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mstheft.direct.answers.noise import THIRD, Noise, lattice
from mstheft.errors import ExtractionError
from mstheft.nn import functions as F
from mstheft.result import Result
from mstheft.typing import Array, Oracle

STEP = np.pi * 1e-5  # between the rows that show the jitter, in directions; no round number
ELSEWHERE = np.sqrt(0.5)  # where they are asked again
SAMPLE = 64  # answers from which the grid is read
MANY, FEW, DISTINCT = 40, 4, 8  # numbers, different ones among them, or different ones alone
# that it takes to read a grid: some may be round by chance
SPREAD = 16  # rows along the line where those beside each other are equal
REPEATS = 14  # more answers to one row, once two of them have differed
ROUNDINGS = 0.5  # units in the last place that arithmetic inside a victim loses at least, σ
LOUD = 0.01  # of the answers' size: chance that adds more leaves nothing to be found
AVERAGE = "switch off dropout, batch norm in training mode or noise, or average several answers"
EXACT = 1e-11  # noise relative to the answers that counts as none
TINY = 1e-100
SURE = 3.0  # σ that rounding may reach


@dataclass
class Reader:
    """An oracle with the noise of its answers, measured.

    oracle : answers and counts
    jitter : standard deviation of a logit, beyond the rounding of the answer itself, for rows of a
        usual size: rounding inside the victim grows with |x|
    first : (9, K) the logits at which it was measured
    is_stochastic : two answers to one row differ
    apart : by so much, at most
    sample : (≤ 64, K) answers as they came, from which the grid is read
    """

    oracle: Oracle
    jitter: float = 0.0
    first: Array = field(default_factory=lambda: np.zeros((0, 1)))
    is_stochastic: bool = False
    apart: float = 0.0
    sample: Array = field(default_factory=lambda: np.zeros((0, 1)))
    _grid: Noise = field(default_factory=lambda: Noise("float64"))

    def __post_init__(self) -> None:
        if len(self.first):
            self.sample = self.first[:0]  # of the same format
            self._grid = self._declared() or self._format()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.oracle, name)  # count, left, budget, output, inputs, outputs, …

    @property
    def grid(self) -> Noise:
        """The grid on which the answers lie, as they come: decimals or a format."""
        return self._grid

    @property
    def is_exact(self) -> bool:
        """Is the noise so small that whatever is solved from the answers needs no polishing?"""
        size = float(np.abs(self.first).max(initial=TINY))
        return not self.is_stochastic and self.noise <= EXACT * size

    @property
    def noise(self) -> float:
        """Size of the noise in the answers at the start: three σ of the least exact output."""
        return SURE * float(self.sigma(self.first).max())

    @property
    def ulp(self) -> float:
        """Half a unit in the last place, relative: what arithmetic in that format loses."""
        kind = np.float32 if self.grid.kind == "float32" else np.float64
        return ROUNDINGS * float(np.finfo(kind).eps)

    @property
    def usual(self) -> float:
        """Size of a usual logit: rounding of smaller ones is no smaller."""
        size = float(np.abs(self.first[np.isfinite(self.first)]).max(initial=TINY))
        return size if self.output == "logits" else min(size, 1.0)

    @property
    def declared(self) -> Noise | None:
        """What `polish` has to be told of the noise: only what chance adds to the answers."""
        if self.is_stochastic:
            repeats = self.sample[len(self.first) :][:REPEATS]  # of one row; those before are not
            return Noise("stochastic", jitter=float(np.sqrt(repeats.var(axis=0, ddof=1).mean())))
        return None

    @property
    def chance(self) -> str:
        """What a stochastic victim does, in words."""
        return stochastic(self.apart)

    def warn(self, result: Result) -> None:
        """Note in a result that the victim is stochastic, if it is."""
        if self.is_stochastic:
            result.queries.setdefault("noise", 0)
            result.notes["noise"] = self.chance

    def query(self, x: Array) -> Array:
        """The oracle's own answers. Costs n queries."""
        answers = self.oracle.query(x)
        if len(self.sample) < SAMPLE:
            seen = answers[: SAMPLE - len(self.sample)]
            self.sample = np.concatenate([self.sample, seen]) if len(self.sample) else seen.copy()
            self._grid = self._declared() or self._measured()
        return answers

    def _declared(self) -> Noise | None:
        """Decimals that the oracle states."""
        k = self.oracle.decimals
        return None if k is None else Noise("decimals", k)

    def spacing(self, values: Array) -> Array:
        """u: the distance of neighbours on the grid, and in the format of the answers."""
        return np.maximum(self._grid.spacing(values), self._format().spacing(values))

    def _format(self) -> Noise:
        kind = self.sample.dtype
        return Noise(str(kind) if kind.kind == "f" else "float64")

    def _measured(self) -> Noise:
        """The grid of the sample, once it has enough different numbers; until then its format."""
        different = np.unique(self.sample).size
        if different >= DISTINCT or (different >= FEW and self.sample.size >= MANY):
            return lattice(self.sample)
        return self._format()

    def sigma(self, logits: Array, reach: Array | float = 1.0) -> Array:
        """Standard deviation of each logit that `read` has returned, (n, K).

            logits              √(u²/12 + jitter²),      u the spacing of the grid at that answer
            log_probs           the same, u at log p
            probs, softmax      u / p in place of u;     one sigmoid: u / (p (1 - p))

        and for a softmax that of the mean over the classes, which the gauge adds. Infinite where
        a number is not finite.

        reach : (n,) |x| over that of a usual row: rounding inside the victim grows with it
        """
        finite = np.isfinite(logits).all(axis=1, keepdims=True)
        z = np.where(finite, logits, 0.0).astype(float)
        jitter = self.jitter * np.reshape(reach, (-1, 1))
        largest = np.abs(z).max(axis=1, keepdims=True, initial=self.usual)
        jitter = np.maximum(jitter, self.ulp * largest)
        if self.output == "logits":
            sigma = np.hypot(self.spacing(z) / np.sqrt(12), jitter)
        elif z.shape[1] == 1:
            pair = np.hstack([F.sigmoid(-z), F.sigmoid(z)])  # (n, 2)
            with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
                if self.output == "log_probs":
                    lost = np.linalg.norm(self.spacing(np.log(pair)), axis=1, keepdims=True)
                else:
                    lost = self.spacing(pair[:, 1:]) / pair.prod(axis=1, keepdims=True)
            sigma = np.hypot(lost / np.sqrt(12), jitter)
        else:
            logs = F.log_softmax(z)
            with np.errstate(divide="ignore", over="ignore"):
                lost = self.spacing(logs)
                if self.output == "probs":
                    lost = self.spacing(np.exp(logs)) / np.exp(logs)
            sigma = np.hypot(lost / np.sqrt(12), jitter)
            sigma = np.hypot(sigma, np.linalg.norm(sigma, axis=1, keepdims=True) / z.shape[1])
        return np.where(finite, sigma, np.inf)


def reader(
    oracle: Oracle,
    start: Array | None = None,
    direction: Array | None = None,
    *,
    loudest: float = LOUD,
) -> Reader:
    """Measure how exact an oracle's answers are, near x = start. Costs 9 queries, 16 if they
    vary, 25 if they hardly change.

    One row is asked twice: where the answers differ, the victim is stochastic (dropout left on, a
    defence that adds noise), and 14 more of them give σ. Else four rows close together lie on one
    smooth piece almost surely, so that their third difference is rounding: the jitter, at two
    places, of which the lower counts. It is never believed to be below half a unit in the last
    place of the answers; where it is large chance may have spared the first two, and 14 more tell.
    A `Reader` is returned as it is, at no cost. Raises `ExtractionError` for answers that are no
    finite numbers, or tell less than all probabilities, and for a victim whose chance is louder
    than `loudest`, relative to the size of its answers: after two rows.
    """
    if hasattr(oracle, "sigma"):
        return oracle  # type: ignore[return-value]
    if start is None or direction is None:
        start, direction = np.random.default_rng(0).normal(size=(2, oracle.inputs))
    read_by = Reader(oracle)
    steps = STEP * np.array([0, 0, 1, 2, 3, 0, 1, 2, 3])
    steps[5:] += ELSEWHERE
    x = start + np.multiply.outer(steps, direction)
    z = read_by.first = read(read_by, x[:2])
    if not np.array_equal(z[0], z[1]):
        heard(read_by, z, loudest)
        return repeated(read_by, x[0], loudest)
    if not np.isfinite(z).all():
        raise unreadable(oracle, "critical points", "at the start of a line ")
    z = np.concatenate([z, read(read_by, x[2:])])
    z = read_by.first = z[np.isfinite(z).all(axis=1)]
    if (z[1:5] == z[1]).all():  # a coarse grid, or nothing changes here: what do others show?
        read(read_by, start + np.multiply.outer(np.linspace(-1, 1, SPREAD), direction))
    stencils = z[1:5].astype(float), z[5:].astype(float)
    third = [np.median(np.abs(np.diff(each, 3, axis=0))) for each in stencils if len(each) == 4]
    seen = float(min(third, default=0.0)) / THIRD / 0.6745  # of a normal distribution
    read_by.jitter = float(np.sqrt(max(seen**2 - float(read_by.sigma(z).mean()) ** 2, 0.0)))
    if read_by.jitter > LOUD * read_by.usual:
        return repeated(read_by, x[0], loudest)
    return read_by


def repeated(oracle: Reader, row: Array, loudest: float) -> Reader:
    """The reader of a victim that may be stochastic: σ from 14 more answers to one row (d,)."""
    oracle.sample = oracle.sample[: len(oracle.first)]
    z = np.concatenate([oracle.first[:2], read(oracle, np.repeat(row[None], REPEATS, axis=0))])
    if (z == z[0]).all():
        return oracle
    oracle.is_stochastic = True
    heard(oracle, z, loudest)
    z = z[np.isfinite(z).all(axis=1)]
    oracle.jitter = float(z.std(axis=0, ddof=1).mean())
    return oracle


def heard(oracle: Reader, z: Array, loudest: float) -> None:
    """Raise `ExtractionError` if answers (n, K) to one row differ by more than can be read."""
    finite = z[np.isfinite(z).all(axis=1)]
    oracle.apart = float(np.ptp(finite, axis=0).max()) if len(finite) else np.inf
    if len(finite) < 2 or finite.std(axis=0, ddof=1).mean() > loudest * np.abs(finite).max():
        raise ExtractionError("answers", stochastic(oracle.apart), AVERAGE)


def stochastic(apart: float) -> str:
    """In words."""
    return f"the victim is stochastic: two answers to one row differ by up to {apart:.1g}"


def read(oracle: Oracle, x: Array) -> Array:
    """Ask rows x (n, d) and return answers (n, K) that are a fixed linear function of the logits.

    'logits'     as they are
    'log_probs'  log p_k - mean_j log p_j = z_k - mean_j z_j: the logits up to their mean (gauge)
    'probs'      the same of ln p; for one sigmoid output the logit ln p / (1-p)

    Costs n queries. Numbers that are no longer finite (p rounded to 0 or 1) come back infinite.
    Raises `ExtractionError` for an oracle that answers with less than all probabilities.
    """
    if oracle.output not in ("logits", "log_probs", "probs"):
        raise ExtractionError(
            "answers",
            f"needs logits or all probabilities, but the oracle answers {oracle.output!r}",
            "ask for more, or use direct.boundary where the victim is linear",
        )
    answers = oracle.query(x)
    if oracle.output == "logits":
        return answers
    if answers.shape[1] == 1:
        return F.logit(answers)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = answers if oracle.output == "log_probs" else np.log(answers)
        if oracle.outputs == 1:
            return logs[:, 1:] - logs[:, :1]
        centred = logs - logs.mean(axis=1, keepdims=True)
        return np.where(logs == -np.inf, -np.inf, centred)  # never NaN, unless the answer is


def as_single(x: Array) -> Array:
    """Rows that float32 holds exactly, as float64: a victim in float32 sees just these."""
    return x.astype(np.float32).astype(np.float64)


def read_finite(oracle: Oracle, x: Array) -> tuple[Array, Array]:
    """The rows whose answers are finite, and these: a probability of 0 or 1 has no logit."""
    answers = read(oracle, x)
    finite = np.isfinite(answers).all(axis=1)
    return x[finite], answers[finite]


def unreadable(oracle: Oracle, stage: str, where: str = "") -> ExtractionError:
    """The error for answers that are no finite numbers."""
    if oracle.output == "logits":
        came, advice = "the victim answers NaN or infinity", "check the victim's logits"
    else:
        came = "probabilities are NaN, or rounded to exactly 0 or 1"
        advice = "ask the oracle for logits or log_probs, or for more decimals"
    return ExtractionError(stage, f"expected finite answers, but {where}{came}", advice)


def check_width(hidden: int | None) -> None:
    """Raise ValueError unless hidden= is None, for unknown, or a whole number of at least 1."""
    if hidden is not None and (np.asarray(hidden).dtype.kind not in "iu" or np.min(hidden) < 1):
        raise ValueError(
            f"expected hidden= as a whole number of at least 1, got {hidden!r}; leave it out if "
            "the width is not known"
        )
