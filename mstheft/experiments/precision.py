"""What coarse answers leave of each attack: trained victims behind answers as users have them.

    rows        float64; a network that computes in float32; answers in float16 and bfloat16;
                logits and probabilities with 6 to 0 decimals
    columns     linear, relu (the lecture's four steps), sweep, smooth (tanh), deep (two hidden
                layers), learned to exact

Every attack measures the noise in the answers and chooses its steps by it, without an option.
"""

import itertools
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from mstheft import compare, progress
from mstheft.data import synthetic
from mstheft.direct import deep, linear, relu, smooth, sweep
from mstheft.direct.answers.noise import float_spacing, rms
from mstheft.errors import BudgetExhausted, ExtractionError, VictimError
from mstheft.experiments import tasks
from mstheft.learning import exact
from mstheft.nn import Network
from mstheft.nn.dense_pass import OUTPUTS
from mstheft.oracle import Oracle
from mstheft.result import Result, floor
from mstheft.typing import Array, Rng

Attack = Callable[..., Result]
Case = tuple[str, str, int]  # attack, answers, seed
ROWS = 2000  # fresh inputs on which copy and victim are compared
MOST = 100  # queries of an attack, in F of its victim
TRAINED = 4000  # rows on which a victim is trained
APART = 4.0  # distance of the centres of two clouds, in standard deviations of a cloud
FEWEST_PIXELS = 64  # of a drawn digit


@dataclass(frozen=True)
class Form:
    """A form of answers.

    output : 'logits' or 'probs'
    kind : 'float64'; 'float32', in which the network computes; 'float16' or 'bfloat16', to which a
        logit is rounded
    decimals : to which an answer is rounded
    """

    output: str = "logits"
    kind: str = "float64"
    decimals: int | None = None


FORMS: dict[str, Form] = {
    "float64": Form(),
    "float32": Form(kind="float32"),
    "float16": Form(kind="float16"),
    "bfloat16": Form(kind="bfloat16"),
    **{f"logits-{k}": Form(decimals=k) for k in range(6, -1, -1)},
    "probs-float32": Form("probs", "float32"),
    **{f"probs-{k}": Form("probs", decimals=k) for k in range(6, -1, -1)},
}
HIDDEN: dict[str, Callable[[int], tuple[int, ...]]] = {
    "linear": lambda h: (),
    "relu": lambda h: (h,),
    "sweep": lambda h: (h,),
    "smooth": lambda h: (h,),
    "deep": lambda h: (h, h // 2),
    "learned": lambda h: (h,),
}
"""Name of an attack -> the hidden layers of its victims, out of the h of a shape d-h-K."""
ATTACKS: dict[str, Attack] = {
    "linear": linear.extract,
    "relu": relu.extract,
    "sweep": sweep.extract,
    "smooth": partial(smooth.extract, activation="tanh"),
    "deep": deep.extract,
    "learned": exact.extract,
}


@dataclass(frozen=True)
class Run:
    """One attack on one victim."""

    attack: str
    answers: str
    digits: float  # behind the point of the answers, for float formats of answers of size 1
    seed: int
    verified: bool
    error: float | None  # largest |Δlogit| on fresh N(0, I) rows; None without a copy
    ratio: float | None  # rms error of an answer over the Cramér-Rao bound; None if not polished
    agreement: float | None
    queries: int
    stage: str  # in which the attack failed, or ""


def study(
    shape: Sequence[int],
    *,
    seeds: int = 3,
    rng: int = 0,
    attacks: Sequence[str] = tuple(ATTACKS),
    answers: Sequence[str] = tuple(FORMS),
    done: Collection[Case] = (),
) -> Iterator[Run]:
    """The attacks behind each form of answers, on `seeds` trained victims each.

    shape : d, h, K of the victims; `HIDDEN` says what each attack makes of h
    attacks, answers : names of `ATTACKS` and `FORMS`
    done : (attack, answers, seed) that are left out
    """
    cases = [
        (name, form, seed)
        for seed, name, form in itertools.product(range(seeds), attacks, answers)
        if (name, form, seed) not in done
    ]
    task = lru_cache(1)(lambda seed: task_of(shape, [rng, seed, 0]))
    victim = lru_cache(1)(lambda name, seed: trained(name, task(seed), shape, [rng, seed, 2]))
    with progress.bar("attacks", len(cases), "run") as bar:
        for name, form, seed in cases:
            yield one(name, victim(name, seed), form, [rng, seed, 1])
            bar.update(1)


def task_of(shape: Sequence[int], rng: Rng) -> tasks.Task:
    """What victims d-…-K are trained on: digits drawn in √d × √d pixels, or else clouds.

    Clouds: y uniform, x ~ N(c_y, I), the centres c N(0, s² I) with s such that two of them are
    4 apart on the average: 2 d s² = 16.
    """
    rng, d, classes = np.random.default_rng(rng), shape[0], max(2, shape[-1])
    side = math.isqrt(d)
    if side**2 == d and d >= FEWEST_PIXELS and classes <= 10:
        x, y = synthetic.glyphs(TRAINED, rng=rng, size=side, classes=classes)
    else:
        centres = APART / np.sqrt(2 * d) * rng.normal(size=(classes, d))
        y = rng.integers(classes, size=TRAINED)
        x = centres[y] + rng.normal(size=(TRAINED, d))
    return tasks.Task("digits or clouds", x, y, x[:1], y[:1], "drawn on the spot")


def trained(name: str, task: tasks.Task, shape: Sequence[int], rng: Rng) -> Network:
    """The victim of an attack."""
    activation = "tanh" if name == "smooth" else "relu"
    return tasks.dense_victim(task, HIDDEN[name](shape[1]), activation, rng=rng)


def one(name: str, victim: Network, answers: str, rng: Sequence[int]) -> Run:
    """One attack, with 100 F queries at the most; a failure is a result too."""
    form, stage, result = FORMS[answers], "", Result()
    oracle = behind(victim, form)
    try:
        result = ATTACKS[name](oracle, rng=rng)
    except (BudgetExhausted, ExtractionError, VictimError) as failure:
        partial_result = getattr(failure, "partial", None)
        if isinstance(partial_result, Result):
            result = partial_result
        stage = getattr(failure, "stage", "") or result.stopped or "answers"
    copy, error, agreement, ratio = result.model, None, None, None
    if copy is not None:
        x = np.random.default_rng([*rng, 7]).normal(size=(ROWS, victim.inputs))
        gauge = form.output == "probs" and victim.outputs > 1
        judged = compare.summary(victim, copy, x, gauge=gauge)
        error, agreement = float(judged.difference.max), float(judged.agreement)
        ratio = over_bound(victim, result, [*rng, 8])
    verified = bool(result.verified) and not stage
    measures = verified, error, ratio, agreement, oracle.count, stage
    return Run(name, answers, digits(form), int(rng[1]), *measures)


def behind(victim: Network, form: Form) -> Oracle:
    """The victim with such answers, and a budget. The oracle does not say that they are rounded.

    Probabilities of 0 decimals are the exception: an oracle refuses answers such as (0, 0, 0)
    unless it knows that they are rounded.
    """
    network = Network(victim.copy().layers, victim.shape, _arithmetic(form))

    def answer(x: Array) -> Array:
        return rounded(network.logits(x) if form.output == "logits" else network.probs(x), form)

    budget = int(MOST * floor(sum(w.size for w, _ in victim.dense()), victim.outputs))
    if (form.output, form.decimals) == ("probs", 0):
        return Oracle(victim, "probs", budget=budget, decimals=0)
    inputs = victim.inputs
    return Oracle(answer, form.output, gives=form.output, inputs=inputs, budget=budget)


def _arithmetic(form: Form) -> type:
    return np.float32 if form.kind == "float32" else np.float64


def rounded(values: Array, form: Form) -> Array:
    """Answers in such a form, same shape."""
    if form.decimals is not None:
        return np.round(values, form.decimals)
    if form.kind == "bfloat16":
        spacing = float_spacing(values, form.kind)
        return np.round(values / spacing) * spacing
    with np.errstate(over="ignore"):  # float16 ends at 65,504
        return values.astype(form.kind).astype(_arithmetic(form))


def over_bound(victim: Network, result: Result, rng: Rng) -> float | None:
    """rms error of an answer on fresh rows, over the bound σ √(P / N) of `Polished`: 1 is best.

    The rows are normal, each number with the mean and the spread of the rows polished on. None for
    copies that are solved for and not polished. Below 1 where answers far out have told more than
    those that the bound counts; where the noise is that of arithmetic, σ is known to a factor.
    """
    trace = getattr(result.trace, "polishing", result.trace)
    polished = getattr(trace, "polished", None)
    if polished is None or not polished.bound > 0:
        return None
    x = np.random.default_rng(rng).normal(size=(ROWS, victim.inputs))
    if hasattr(trace, "rows"):  # the smooth attack asks N(0, I)
        x = trace.rows.mean(axis=0) + trace.rows.std(axis=0) * x
    answer = OUTPUTS[polished.output].answer
    a, b = (answer(each.logits(x)) for each in (victim, result.model))
    return rms(a - b) / float(polished.bound)


def digits(form: Form) -> float:
    """Decimal digits behind the point, for answers of size 1: -log10 ½ ε of a format."""
    if form.decimals is not None:
        return float(form.decimals)
    half = float(float_spacing(np.ones(()), form.kind)) / 2
    return -math.log10(half)


def table(runs: Sequence[Run]) -> list[list[str]]:
    """A line for each form: how many copies were verified, their median error and ratio.

    '6e-05 · 1.2 (3 of 3)': error 6e-05, 1.2 times the bound. A cell that was not run is empty.
    """
    names = [name for name in ATTACKS if any(run.attack == name for run in runs)]
    rows = [["answers", *names]]
    for answers in (name for name in FORMS if any(run.answers == name for run in runs)):
        cells = (
            [run for run in runs if (run.attack, run.answers) == (name, answers)] for name in names
        )
        rows.append([words(FORMS[answers]), *map(cell, cells)])
    return rows


def words(form: Form) -> str:
    """'probabilities, 3 decimals', 'float32 arithmetic'."""
    output = {"logits": "logits", "probs": "probabilities"}[form.output]
    if form.decimals is not None:
        return f"{output}, {form.decimals} decimal" + "s" * (form.decimals != 1)
    return f"{output}, {form.kind}" + " arithmetic" * (form.kind == "float32")


def cell(runs: Sequence[Run]) -> str:
    """The words for the runs of one attack and one form."""
    if not runs:
        return ""
    good = [run for run in runs if run.verified]
    errors = [run.error for run in good if run.error is not None]
    ratios = [run.ratio for run in good if run.ratio is not None]
    text = f"{np.median(errors):.0e}" if errors else "-"
    text += f" · {np.median(ratios):.1f}" if ratios else ""
    return f"{text} ({len(good)} of {len(runs)})"


def by_digits(runs: Sequence[Run], output: str) -> dict[str, tuple[list[float], list[float]]]:
    """{attack: (digits, errors)} of the verified copies behind 'logits' or 'probs'.

    Without float16 and bfloat16, whose digits lie behind the point of small answers only.
    """
    found: dict[str, tuple[list[float], list[float]]] = {}
    for run in runs:
        digits_of, errors = found.setdefault(run.attack, ([], []))
        form = FORMS[run.answers]
        if form.output != output or form.kind.endswith("float16"):
            continue
        if run.verified and run.error is not None:
            digits_of.append(run.digits)
            errors.append(run.error)
    return found
