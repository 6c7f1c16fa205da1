"""The whole story in one run: small victims on drawn digits, stolen one after the other.

A tour is a list of chapters. Each chapter trains a victim, puts it behind an `Oracle`, hands the
oracle to one attack, and tells with pictures what every stage saw:

    Setting, Digits  ->  chapter(setting, digits)  ->  report.Chapter  ->  one HTML page

To add a chapter, add a function to `CHAPTERS`. Nothing here prints.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mstheft import compare, figures, finale, page, report, victims
from mstheft.data import images, pools, synthetic
from mstheft.defend.prada import Detector
from mstheft.direct import linear, relu, smooth, sweep
from mstheft.errors import DataError
from mstheft.learning import active, jacobian
from mstheft.learning.stolen import Stolen
from mstheft.nn import Network, fit, optim, zoo
from mstheft.oracle import Oracle
from mstheft.report import Chapter
from mstheft.result import Result

SMOOTH = 12  # smooth neurons
LETTERS, ASKED = 3000, 800  # what a learned copy may ask about, and how much of it
TRAINING = 40_000  # pictures shown to a victim, over all epochs


@dataclass(frozen=True)
class Setting:
    """How large the tour is; the seed decides everything that is random."""

    seed: int = 0
    train: int = 4000
    test: int = 1000
    side: int = 28
    hidden: int = 32


@dataclass(frozen=True)
class Digits:
    """Pictures to train a victim on, x (n, side²), and others to judge a copy on."""

    name: str
    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    side: int = 28

    def three_or_eight(self) -> Digits:
        """Only the digits 3 (class 0) and 8 (class 1)."""
        kept, judged = (np.isin(y, (3, 8)) for y in (self.y, self.y_test))
        y, y_test = ((each == 8).astype(np.int64) for each in (self.y[kept], self.y_test[judged]))
        name = f"{self.name}, 3 against 8"
        return Digits(name, self.x[kept], y, self.x_test[judged], y_test, self.side)


def glyphs(setting: Setting) -> Digits:
    """Digits drawn from fonts, without a download."""
    n = setting.train
    x, y = synthetic.glyphs(n + setting.test, rng=[setting.seed, 0], size=setting.side)  # type: ignore[arg-type]
    return Digits("drawn digits", x[:n], y[:n], x[n:], y[n:], setting.side)


def mnist() -> Digits:
    """The real ones, from the data folder."""
    try:
        return Digits("MNIST", *images.mnist("train"), *images.mnist("test"))
    except DataError as error:
        raise DataError(f"{error}; or use drawn digits, --data glyphs") from None


def trained(
    hidden: tuple[int, ...],
    digits: Digits,
    *,
    rng: np.random.Generator,
    l2: float = 1e-4,
    activation: str = "relu",
) -> Network:
    """A victim: hidden layers of these widths, and one output for each class (one for two)."""
    classes, n = int(digits.y.max()) + 1, len(digits.x)
    widths = [digits.x.shape[1], *hidden, 1 if classes == 2 else classes]
    victim = zoo.mlp(widths, activation=activation, rng=rng)
    history = fit.fit(
        victim,
        digits.x,
        digits.y,
        epochs=max(4, TRAINING // n),
        batch=256 if n > 20_000 else 128,
        optimizer=optim.Adam(3e-3),
        l2=l2,
        rng=rng,
    )
    if history.interrupted:
        raise KeyboardInterrupt("during the training of the victim, before any query")
    return victim


# ---- chapters


def logistic(setting: Setting, digits: Digits) -> Chapter:
    """Equation solving against one sigmoid."""
    digits = digits.three_or_eight()
    victim = trained((), digits, l2=1e-2, rng=np.random.default_rng([setting.seed, 1]))
    oracle = Oracle(victim, output="probs")
    result = linear.extract(oracle, rng=[setting.seed, 2])
    d = victim.inputs
    return Chapter(
        "Logistic regression: solve for the weights",
        [
            f"The victim tells 3 from 8 on pictures of {d:,} pixels. It multiplies every pixel "
            "with a weight, adds a bias, and squeezes the sum into a probability. We may only "
            "show it pictures and read the probability of an 8.",
            "Undo the squeezing, and each answer is an ordinary equation in the unknown weights. "
            f"There are {d:,} weights and one bias, so {d + 1:,} answers give them all, exactly. "
            "No training, no guessing.",
        ],
        list(figures.linear_pictures(victim, result, digits.side)),
        _numbers(victim, result, digits),
        report.stage_rows(result),
    )


def softmax(setting: Setting, digits: Digits) -> Chapter:
    """Equation solving against ten classes at once."""
    victim = trained((), digits, l2=1e-2, rng=np.random.default_rng([setting.seed, 3]))
    oracle = Oracle(victim, output="probs")
    result = linear.extract(oracle, rng=[setting.seed, 4])
    k = victim.outputs
    return Chapter(
        "Softmax regression: ten classes for the price of one",
        [
            f"Now the victim names all {k} digits and answers with {k} probabilities. One answer "
            f"is {k} numbers, so the bill does not grow: {victim.inputs + 1:,} questions are "
            "still enough.",
            "One thing can never be known. Adding the same picture to the weights of all classes "
            "changes no probability, so victim and copy are compared after their mean over the "
            "classes has been taken away.",
        ],
        list(figures.linear_pictures(victim, result, digits.side)),
        _numbers(victim, result, digits, gauge=True),
        report.stage_rows(result),
    )


def four_steps(setting: Setting, digits: Digits) -> Chapter:
    """The four-step attack against one hidden ReLU layer."""
    victim = trained((setting.hidden,), digits, rng=np.random.default_rng([setting.seed, 5]))
    oracle = Oracle(victim, output="logits")
    result = relu.extract(oracle, rng=[setting.seed, 6])
    return Chapter(
        "A hidden ReLU layer: four steps and a last layer",
        [
            f"This victim has {setting.hidden} hidden neurons. Each is a switch: off on one side "
            "of a flat wall through the space of pictures, on at the other side. The answers bend "
            "wherever a wall is crossed, and nowhere else. So the walls can be found from outside.",
            "Step 1: walk along a straight line and find every bend.",
            "Step 2: at each bend, measure how sharply the answer turns along each pixel. That "
            "gives the sizes of the weights.",
            "Step 3: measure along two pixels at once. Do they help each other or cancel? That "
            "gives the signs within a neuron.",
            "Step 4: find out on which side of its wall each neuron is on.",
            "What is left is linear, and is solved like the chapters before.",
        ],
        list(figures.relu_pictures(victim, result, digits.side)),
        _numbers(victim, result, digits),
        report.stage_rows(result),
    )


def one_sweep(setting: Setting, digits: Digits) -> Chapter:
    """The victim of the four steps again, in fewer queries."""
    victim = trained((setting.hidden,), digits, rng=np.random.default_rng([setting.seed, 5]))
    result = sweep.extract(Oracle(victim, output="logits"), rng=[setting.seed, 10])
    before = relu.extract(Oracle(victim, output="logits"), rng=[setting.seed, 6]).total
    return Chapter(
        "The same in fewer questions: one sweep",
        [
            "The four steps ask at every bend along every pixel. But one straight line crosses "
            "every wall once, and between two bends nothing changes: how steep the answers are "
            "along each pixel, the Jacobian, takes one question for each pixel. From one bend to "
            "the next it changes by the neuron that switched, and each answer has as many numbers "
            "as there are classes. So a few Jacobians are enough for all neurons.",
            f"The same victim as before: {before:,} questions in four steps, {result.total:,} in "
            f"one sweep, a factor of {before / result.total:.0f}.",
        ],
        list(figures.sweep_pictures(victim, result, digits.side)),
        _numbers(victim, result, digits),
        report.stage_rows(result),
    )


def smooth_neurons(setting: Setting, digits: Digits) -> Chapter:
    """A victim without bends."""
    victim = trained(
        (SMOOTH,), digits, activation="tanh", rng=np.random.default_rng([setting.seed, 11])
    )
    oracle = Oracle(victim, output="logits")
    result = smooth.extract(oracle, activation="tanh", rng=[setting.seed, 12])
    return Chapter(
        "No bends at all: smooth neurons",
        [
            f"The {SMOOTH} neurons of this victim do not switch, they bend gently (tanh). There is "
            "no line to walk and no kink to find. But all slopes lie in a small subspace, one "
            "dimension for each neuron, and inside it the second derivatives are diagonal in the "
            "neurons' own directions: an eigenvalue problem finds them.",
            "What is left are the scale and bias of each neuron, and a least-squares fit that ends "
            "at the rounding of the computer's own numbers.",
        ],
        list(figures.smooth_pictures(victim, result, digits.side)),
        _numbers(victim, result, digits),
        report.stage_rows(result),
    )


def learned_copy(setting: Setting, digits: Digits) -> Chapter:
    """A copy that learns: unrelated pictures, labelled by the victim; and who notices."""
    victim = trained((setting.hidden,), digits, rng=np.random.default_rng([setting.seed, 7]))
    told = victim.labels(digits.x_test)
    letters = pools.pool("letters", (digits.side, digits.side), LETTERS, [setting.seed, 8])  # type: ignore[arg-type]
    letters = letters.reshape(len(letters), -1)
    results, detectors = {}, {}
    for name in ("random", "k-center", "jacobian"):
        detectors[name] = Detector()
        oracle = Oracle(victim, output="probs", monitors=[detectors[name]])
        results[name] = _learn(name, oracle, letters, digits, setting, told)
    best = results["k-center"]
    return Chapter(
        "A copy that learns: ask about letters, learn the digits",
        [
            "Equations need to know what kind of network stands behind the counter. A thief who "
            "does not know can still let a network of his own learn from the answers. He has no "
            f"digits, only {LETTERS:,} drawn letters; he asks about {ASKED:,} of them and keeps "
            "the probabilities that come back.",
            "Which letters? Random ones, or in each round those that lie farthest from everything "
            "known so far in the eyes of the copy (k-center). The third attack has a few digits, "
            "and moves them along the copy's own gradients (Jacobian augmentation).",
            "A learned copy agrees most of the time and is never equal: compare its numbers with "
            "those of the chapters before.",
        ],
        [
            *figures.strategy_pictures(results, detectors),
            *(
                p
                for p in figures.learned_pictures(victim, best, digits.x_test)
                if p.name != "agreement"
            ),
        ],
        _numbers(victim, best, digits, gauge=True),
        report.stage_rows(best),
    )


def _learn(
    name: str,
    oracle: Oracle,
    letters: np.ndarray,
    digits: Digits,
    setting: Setting,
    told: np.ndarray,
) -> Stolen:
    def new_copy() -> Network:
        return zoo.mlp([letters.shape[1], 64, 10], rng=[setting.seed, 9], dtype=np.float32)

    def judge(copy: Network) -> float:
        return float((copy.labels(digits.x_test) == told).mean())

    common = {"rng": setting.seed, "evaluate": judge, "epochs": 30, "batch": 50}
    if name == "jacobian":
        few = digits.x[:: len(digits.x) // (ASKED // 8)][: ASKED // 8]
        return jacobian.augment(oracle, few, new_copy, rounds=3, bounds=(0, 1), **common)  # type: ignore[arg-type]
    spend = {"budget": ASKED, "rounds": 4, "strategy": name}
    return active.steal(oracle, letters, new_copy, **spend, **common)  # type: ignore[arg-type]


def arena(setting: Setting, digits: Digits) -> Chapter:
    """The victim of the four steps behind one defence after the other."""
    victim = trained((setting.hidden,), digits, rng=np.random.default_rng([setting.seed, 5]))
    shape = -1, digits.side, digits.side, 1
    x, x_test = (each.reshape(shape).astype(np.float32) for each in (digits.x, digits.x_test))
    task = victims.Task(digits.name, x, digits.y, x_test, digits.y_test, "")
    return finale.chapter(victim, task, setting.seed)


CHAPTERS: tuple[Callable[[Setting, Digits], Chapter], ...] = (
    logistic,
    softmax,
    four_steps,
    one_sweep,
    smooth_neurons,
    learned_copy,
    arena,
)

TITLE = "How to steal a neural network"
INTRO = (
    "Each victim on this page was trained a moment ago on digits drawn from fonts, and then put "
    "behind a counter: the thief may hand in inputs and read answers, and sees nothing else. At "
    "the end of each chapter the copy is held against the victim on pictures that neither the "
    "training nor the theft has used.",
    "F is the floor: the number of unknowns divided by the numbers in one answer. No attack on a "
    "network without special structure can do with fewer questions, so queries / F tells how "
    "thrifty a theft was. Do this only to models that are yours or that you may test.",
)


def run(
    folder: str | os.PathLike[str],
    setting: Setting | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Path:
    """Go through all chapters and write `folder`/index.html; returns its path.

    tell : called with a text when there is something to say
    """
    setting = setting or Setting()
    Path(folder).mkdir(parents=True, exist_ok=True)
    tell(f"drawing {setting.train + setting.test:,} digits ...")
    digits = glyphs(setting)
    done = []
    for number, chapter in enumerate(CHAPTERS, 1):
        done.append(chapter(setting, digits))
        tell(f"\n{number}. {report.chapter_text(done[-1])}")
    path = Path(folder) / "index.html"
    report.write(path, page.page(TITLE, INTRO, done))
    return path


def _numbers(victim: Network, result: Result, digits: Digits, gauge: bool = False) -> dict:
    """A chapter's line in the table of all chapters."""
    judged = compare.summary(victim, result.model, digits.x_test, labels=digits.y_test, gauge=gauge)
    return {
        "victim": "-".join(str(n) for n in [victim.inputs, *(len(b) for _, b in victim.dense())]),
        "accuracy": f"{100 * (judged.victim_accuracy or 0):.1f} %",
        "queries": f"{result.total:,}",
        "floor F": f"{result.floor:,.0f}",
        "queries / F": f"{result.total / result.floor:.2f}",
        "agreement": f"{100 * judged.agreement:.2f} %",
        "max |Δlogit|": f"{judged.difference.max:.1e}",
        "seconds": f"{sum(result.seconds.values()):.2f}",
    }
