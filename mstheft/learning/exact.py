"""Learned to exact: an exact copy from rows that the thief just has, chosen by nobody.

        rows --> oracle --> train a wide student --> polish --> merge twins --> eliminate --> check
                              ^                        |                        backwards
                              +--- twice as wide <-----+ where it is stuck

A student of the victim's own width gets stuck in a local minimum; one of 1.5 times that width does
not, and has every neuron of the victim among its own. What it has too many is taken away again,
until the next one less can no longer explain the answers: the width comes out by itself.
In reading order:

    extract             the story
    train               Adam on the answers, in float32
    settle              Gauss-Newton steps, until the misfit is that of the noise
    merge, eliminate    fewer neurons, the last layer refitted, settled again; mirrored ones turned
    verify              fresh rows, against the noise and the bound

Source: Martinelli, Simsek, Gerstner and Brea 2024 ('Expand-and-Cluster', ICML), which has neither
the Gauss-Newton steps nor a noise to stop at; Hassibi and Stork 1993 (optimal brain surgeon).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mstheft.direct.answers import as_single, check_width
from mstheft.direct.diagnosis import diagnosed
from mstheft.direct.noise import Noise
from mstheft.direct.polish import DAMP, Polished, Problem, allowed, identifiable, polish
from mstheft.errors import ExtractionError
from mstheft.nn import gauss_newton, zoo
from mstheft.nn.fit import fit as train_network
from mstheft.nn.functions import logit
from mstheft.nn.gauss_newton import DensePass, Fit, Weights
from mstheft.nn.losses import squared_error
from mstheft.nn.network import Network
from mstheft.nn.optim import Adam
from mstheft.result import Result, count, floor
from mstheft.typing import Array, Oracle, Rng

OUTPUTS = ("logits", "log_probs", "probs")
FRESH = 200  # rows of the check
TIMES = 6  # rows that are drawn, in F
GUESS = 32  # neurons of the victim, where nobody knows
WIDER = 1.5  # width of the student, in widths of the victim
SURPLUS = 3  # answered numbers for each weight of a student, or it is too wide for the rows
RATE, BATCH = 3e-3, 32  # of Adam
EPOCHS, UPDATES = 50, 6000  # of the first student, at least; each later one has twice as many
STEPS = 60  # Gauss-Newton steps of a student, at the most
TRUST = 1.0  # of a step: the student has neurons to spare, so one that is lost does no harm
PATIENT = 0.05, 3  # the descent of a student ends when so many steps gain less than this share
STRICT = 0.4, 2  # that of a student that has lost a neuron: a true one is missed at once
FITS = 1e-4  # of the answers' spread: a student above this misfit, and the noise, is stuck
CLOSE = 1e-5  # of that spread: below this a student that is too wide need not be polished further
GROWTH = 2.0  # of the lowest misfit: a drop after which the misfit stays below this is free
PARALLEL = 0.98  # |cos| of two neurons' [row offset] that are one
ENOUGH = 1e-3  # tolerance of LSMR in a step
MOST = 5.0  # the largest |Δ| of the check, in its rms where σ is known; σ of arithmetic is uneven
UNSURE = 3.0  # σ: a bound of more is no excuse for a copy
ALWAYS = 0.98  # of the rows: a neuron that is on in more of them is a linear part
RIDGE = 1e-13  # of the largest eigenvalue of HᵀH: below this is rounding


@dataclass(frozen=True)
class Try:
    """A student that was polished. kept : False if it was too narrow and the one before stayed."""

    stage: str
    width: int
    misfit: float
    kept: bool


@dataclass
class Trace:
    """What was asked, and every student on the way.

    rows, answers : that the students are fitted to; fresh, fresh_answers : of the check
    tries : every student that was polished, in order
    polished : the last polish, with noise, bound and error bars; None before it
    """

    rows: Array
    answers: Array
    fresh: Array
    fresh_answers: Array
    tries: list[Try] = field(default_factory=list)
    polished: Polished | None = None

    def note(self, stage: str, student: Student, kept: bool) -> None:
        """Write a student down."""
        self.tries.append(Try(stage, student.width, student.misfit, kept))

    @property
    def widths(self) -> list[int]:
        """Of the students that were kept."""
        return [each.width for each in self.tries if each.kept]

    @property
    def misfits(self) -> list[float]:
        """Of the students that were kept."""
        return [each.misfit for each in self.tries if each.kept]


@diagnosed
def extract(
    oracle: Oracle, *, rows: Array | int | None = None, hidden: int | None = None, rng: Rng = None
) -> Result:
    """An exact copy of a network with one hidden relu layer, from rows that nobody chose.

    rows : (n, d) or (n, *shape), what the thief has; they must see every direction, so that
        pictures do badly. The last 200 of them, or a fifth, are kept for the check. A number: so
        many of N(0, I). None: 6 F of these, and 200 more, where F is the floor of the width
    hidden : the victim's width; unknown, 32 is the first guess. A student that is stuck is
        replaced by one twice as wide while there are two answered numbers for each of its weights
    Costs n queries: each row is asked once, and nothing else, so PRADA sees the thief's own rows.
    Rows are rounded to float32 before they are asked, so that every victim sees the same.
    Returns a `Result` with a `Trace`. `verified`: the misfit is that of the noise, on the rows and
    on the fresh ones; `error` is the largest |Δ| there, in the unit of `trace.polished.output`.
    Raises ExtractionError where the misfit stays above the noise: it names both and the number of
    neurons, and holds the copy as `partial.model`.
    """
    check_width(hidden)
    if oracle.output not in OUTPUTS:
        raise ValueError(
            f"expected an oracle that answers one of {OUTPUTS}, got {oracle.output!r}; ask for one"
        )
    rng = np.random.default_rng(rng)
    rows = rng.normal(size=(rows, oracle.inputs)) if isinstance(rows, int) else rows
    if rows is not None and len(rows) < 5:
        raise ValueError(f"expected rows= of at least 5, a fifth for the check, got {len(rows)}")
    result = Result()
    trace = result.trace = asked(oracle, result, rows, hidden, rng)
    student = wide_student(oracle, result, hidden or GUESS, rng)
    with result.stage("merge", oracle):
        student = merge(student, trace, rng)
        result.notes["merge"] = f"{count(student.width, 'neuron')} without twins"
    with result.stage("eliminate", oracle):
        student = eliminate(student, trace, rng)
        polished = trace.polished = polish(
            student.network, trace.rows, trace.answers, output=oracle.output, rng=rng
        )
        result.model = polished.model
        if not polished.converged:
            raise stuck("eliminate", polished.misfit[-1], polished.noise, student.width)
        result.notes["eliminate"] = (
            f"{count(student.width, 'neuron')}; misfit {polished.misfit[-1]:.1e}, noise "
            f"{polished.noise:.1e} ({polished.kind})"
        )
    with result.stage("verify", oracle):
        verify(result, oracle.output)
    result.queries["verify"] = result.queries.pop("verify")  # its rows were asked first
    return result


steal = extract


# ---- what is asked


def asked(
    oracle: Oracle, result: Result, rows: Array | None, hidden: int | None, rng: np.random.Generator
) -> Trace:
    """Ask the rows of the check, then the others."""
    if rows is None:
        fresh = as_single(rng.normal(size=(FRESH, oracle.inputs)))
    else:
        rows = as_single(np.asarray(rows).reshape(len(rows), -1))
        held = min(FRESH, len(rows) // 5)
        rows, fresh = rows[: len(rows) - held], rows[len(rows) - held :]
    with result.stage("verify", oracle):
        fresh_answers = oracle.query(fresh)
    with result.stage("query", oracle):
        if rows is None:
            d, K, h = oracle.inputs, oracle.outputs or fresh_answers.shape[1], hidden or GUESS
            n = math.ceil(TIMES * floor(h * d + K * h, numbers(K, oracle.output)))
            rows = as_single(rng.normal(size=(n, d)))
        answers = oracle.query(rows)
    result.notes["query"] = f"{count(len(rows), 'row')}, each asked once"
    return Trace(rows, answers, fresh, fresh_answers)


def numbers(outputs: int, output: str) -> int:
    """Independent numbers in an answer: K, of probabilities one less."""
    return outputs if output == "logits" or outputs == 1 else outputs - 1


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
    def limit(self) -> float:
        """The misfit up to which what is left may be noise."""
        free = identifiable(self.here.weights, self.fit.activations, self.fit.output)
        left = max(1, np.count_nonzero(self.fit.precision) - free)
        return allowed(self.kind, True, left) * math.sqrt(left) / self.fit.total

    @property
    def noise(self) -> float:
        """σ of an answer, root mean square."""
        return math.sqrt(np.count_nonzero(self.fit.precision)) / self.fit.total

    @property
    def spread(self) -> float:
        """Standard deviation of the answers over the rows."""
        return float(np.sqrt(np.mean(np.var(self.fit.answers, axis=0))))

    @property
    def is_stuck(self) -> bool:
        """Is the misfit far above the noise?"""
        return self.misfit > max(self.limit, FITS * self.spread)

    @property
    def network(self) -> Network:
        """Itself, float64."""
        return zoo.given([(w[:, :-1], w[:, -1]) for w in self.here.weights])

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
            network = train(trace, width, oracle.output, outputs, longer, rng)
            problem = Problem(network, trace.rows, trace.answers, oracle.output, None)
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


def train(
    trace: Trace, width: int, output: str, outputs: int, longer: int, rng: np.random.Generator
) -> Network:
    """A float64 network of that width, learned by Adam from the answers.

    In float32, from rows and to logits of mean 0 and spread 1; then the scales go into the weights.
    """
    logits = logits_of(trace.answers, output, outputs)
    centre, size = trace.rows.mean(axis=0), trace.rows.std() or 1.0
    middle, spread = logits.mean(axis=0), logits.std() or 1.0
    d = trace.rows.shape[1]
    network = zoo.mlp([d, width, outputs], rng=rng, dtype=np.float32)
    x, z = (trace.rows - centre) / size, (logits - middle) / spread
    epochs = longer * max(EPOCHS, math.ceil(UPDATES / math.ceil(len(x) / BATCH)))
    how: Any = {"epochs": epochs, "batch": BATCH, "optimizer": Adam(RATE), "falling": True}
    train_network(network, x, z.astype(np.float32), loss=squared_error, rng=rng, **how)
    (A0, b0), (A1, b1) = ((W.astype(float), b.astype(float)) for W, b in network.dense())
    return zoo.given([(A0 / size, b0 - A0 @ centre / size), (spread * A1, spread * b1 + middle)])


def logits_of(answers: Array, output: str, outputs: int) -> Array:
    """The logits, (n, K), up to their mean; a probability of 0 counts as half the smallest one."""
    values = answers.astype(np.float64)
    if output == "logits":
        return values
    if output == "log_probs":
        values = np.exp(values)
    values = np.maximum(values, values[values > 0].min() / 2)
    if outputs == 1:
        return logit(np.minimum(values[:, -1:], 1 - (1 - values[values < 1].max()) / 2))
    logs = np.log(values)
    return logs - logs.mean(axis=1, keepdims=True)


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


# ---- fewer neurons


def merge(student: Student, trace: Trace, rng: np.random.Generator) -> Student:
    """One neuron of every group of parallel ones: that which moves the logits the most.

    Neurons with |cos| > PARALLEL of [row offset], in the units of the rows' spread, are one.
    Where the misfit does not come back, all of them stay.
    """
    first, last = student.here.weights
    centre, size = trace.rows.mean(axis=0), trace.rows.std() or 1.0
    units = np.hstack([size * first[:, :-1], first[:, -1:] + first[:, :-1] @ centre[:, None]])
    norms = np.linalg.norm(units, axis=1)
    units = units / np.maximum(norms, 1e-300)[:, None]
    kept: list[int] = []
    for i in np.argsort(-norms * np.linalg.norm(last[:, :-1], axis=0), kind="stable"):
        if not kept or np.max(np.abs(units[kept] @ units[i])) <= PARALLEL:
            kept.append(int(i))
    if len(kept) == student.width:
        return student
    weights = refitted(student.here, sorted(kept))
    return narrower("merge", student, weights, trace, rng) or student


def eliminate(student: Student, trace: Trace, rng: np.random.Generator) -> Student:
    """Drop neurons until none can be spared; turn the mirrored ones round, and drop again."""
    student = dropped(student, trace, rng)
    weights = turned(student)
    there = None if weights is None else narrower("turn", student, weights, trace, rng)
    return student if there is None else dropped(there, trace, rng)


def dropped(student: Student, trace: Trace, rng: np.random.Generator) -> Student:
    """Drop the neurons that cost least, several at once, then one, until none can be spared.

    Where one is refused two at once are tried: a pair may only go together.
    """
    many = max(1, student.width // 4)
    while student.width > 1:
        for some in (many, 2) if many == 1 else (many,):
            kept = spared(student, min(some, student.width - 1))
            there = narrower("eliminate", student, refitted(student.here, kept), trace, rng)
            if there:
                break
        if there:
            student, many = there, min(many, max(1, there.width // 4))
        elif many == 1:
            break
        else:
            many //= 2
    return student


def turned(student: Student) -> Weights | None:
    """Mirrored neurons turned round, and those that are always on left out; None if none is.

        a relu(-z) = a relu(z) - a z

    A student may have neurons of the wrong sign, all of which together one or more neurons that are
    always on make good: their linear part M [x 1] is the sum of these a z. The turned ones are
    those with s > ½ in the least squares problem M + Σ s_i a_i [w_i b_i] = 0, offsets left out.
    """
    first, last = student.here.weights
    always = np.mean(student.here.slopes[0] != 0, axis=0) > ALWAYS
    if not always.any() or always.all():
        return None
    parts = last[:, :-1].T[:, :, None] * first[:, None, :-1]  # (h, K, d) a_i w_iᵀ
    if student.fit.output != "logits" and len(last) > 1:
        parts = parts - parts.mean(axis=1, keepdims=True)  # probabilities do not see the mean
    linear = parts[always].sum(axis=0).ravel()
    others = parts[~always].reshape(np.count_nonzero(~always), -1)
    share = np.linalg.lstsq(others.T, -linear, rcond=None)[0]
    signed = np.where(share > 0.5, -1.0, 1.0)[:, None] * first[~always]
    here = student.fit.at([signed, last[:, [*np.flatnonzero(~always), -1]]])
    return [signed, last_layer(here.inputs[1], student.here.logits)]


def narrower(
    stage: str, student: Student, weights: Weights, trace: Trace, rng: np.random.Generator
) -> Student | None:
    """The student with these weights, settled; None if it fits the answers no more."""
    there = student.at(weights)
    best = min(trace.misfits)
    goal = there.limit if best <= GROWTH * there.limit else GROWTH * best
    there = settle(there, goal, STRICT, rng)
    trace.note(stage, there, there.misfit <= goal)
    return there if there.misfit <= goal else None


def refitted(here: DensePass, kept: list[int]) -> Weights:
    """These neurons, and the last layer that gives the logits from them."""
    return [here.weights[0][kept], last_layer(here.inputs[1][:, [*kept, -1]], here.logits)]


def last_layer(H: Array, logits: Array) -> Array:
    """The last layer from activations with their 1, by least squares. (K, h + 1)"""
    return np.linalg.lstsq(H, logits, rcond=None)[0].T


def spared(student: Student, some: int) -> list[int]:
    """The neurons that stay when `some` are dropped, one after the other, each the cheapest.

        |A1_i|² / [(HᵀH)⁻¹]_ii

    is how much Σ |Δ logits|² grows without neuron i, the last layer refitted; H are the hidden
    activations with a 1 appended. Source: Hassibi and Stork 1993.
    """
    H, kept = student.here.inputs[1], list(range(student.width))
    gram, moment = H.T @ H, H.T @ student.here.logits
    for _ in range(some):
        places = [*kept, -1]
        part = gram[np.ix_(places, places)]
        size, v = np.linalg.eigh(part)
        inverse = (v / np.maximum(size, RIDGE * size[-1])) @ v.T
        last = inverse @ moment[places]  # (kept + 1, K)
        cost = np.sum(last**2, axis=1)[:-1] / np.diag(inverse)[:-1]
        kept.pop(int(np.argmin(cost)))
    return kept


# ---- the check


def verify(result: Result, output: str) -> None:
    """The copy on rows that nothing was fitted to.

        √mean (Δ² / (σ² + bound²)) ≤ the ratio that is allowed on the rows themselves,  and
        max |Δ| / √(σ² + bound²) ≤ MOST times its square

    bound : Cramér-Rao, of `Polished`: nobody's copy answers fresh rows better. Beyond UNSURE σ it
    excuses nothing: there the rows do not tell the weights. Costs no query.
    """
    trace: Trace = result.trace
    polished = trace.polished
    assert polished is not None
    problem = Problem(polished.model, trace.fresh, trace.fresh_answers, output, None)
    fit = problem.fit(*gauss_newton.chain(polished.model))
    seen = fit.precision > 0
    misses = np.abs(fit.answers - fit.link.answer(polished.model.logits(trace.fresh)))[seen]
    bound = min(polished.bound, UNSURE * polished.noise)
    uneven = max(1.0, polished.ratio)  # σ of arithmetic is known to a factor; the rows tell it
    ratios = misses / (uneven * np.hypot(1 / fit.precision[seen], bound))
    most = allowed(polished.kind, True, len(ratios))
    result.error = float(misses.max(initial=0))
    ratio = float(np.sqrt(np.mean(ratios**2)))
    result.verified = bool(len(ratios) and ratio <= most and ratios.max() <= MOST * most**2)
    verdict = "answers like the victim" if result.verified else "does not answer alike"
    result.notes["verify"] = (
        f"the copy {verdict} on {count(len(trace.fresh), 'fresh row')}: max |Δ| "
        f"{result.error:.1e}, {ratio:.2f} of noise and bound; up to "
        f"{300 / len(trace.fresh):.1f} % of such rows may differ"
    )
