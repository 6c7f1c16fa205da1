"""The chapters of the direct attacks: a victim, an attack, and its story in plain words."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mstheft import compare
from mstheft.data import synthetic
from mstheft.direct import deep, linear, relu, smooth, sweep
from mstheft.experiments.tasks import Task, dense_victim, drawn
from mstheft.nn import Network
from mstheft.oracle import Oracle
from mstheft.report import formatting, pictures
from mstheft.report.formatting import Chapter, Picture
from mstheft.report.tour.words import words
from mstheft.result import Result

SMOOTH = 12  # smooth neurons
DEEP = 24, 12  # neurons of two hidden layers


@dataclass(frozen=True)
class Setting:
    """How large the tour is; the seed decides everything that is random."""

    seed: int = 0
    train: int = 4000
    test: int = 1000
    side: int = 28
    hidden: int = 32


def glyphs(setting: Setting) -> Task:
    """Digits drawn from fonts, as images in float64: what every victim of the tour learns."""
    sizes, shape = (setting.train, setting.test), (setting.side, setting.side, 1)
    return drawn(synthetic.glyphs, sizes, shape, "drawn digits", [setting.seed, 0], np.float64)


def relu_victim(setting: Setting, digits: Task) -> Network:
    """The victim of three chapters."""
    return dense_victim(digits, (setting.hidden,), rng=[setting.seed, 5])


def logistic(setting: Setting, digits: Task) -> Chapter:
    """Equation solving against one sigmoid."""
    digits = digits.two_classes(3, 8)
    victim = dense_victim(digits, l2=1e-2, rng=[setting.seed, 1])
    result = linear.extract(Oracle(victim, output="probs"), rng=[setting.seed, 2])
    d = victim.inputs
    figures = pictures.linear_pictures(victim, result, setting.side)
    text = words("logistic", d=d, answers=d + 1)
    return chapter(text, figures, victim, result, digits)


def softmax(setting: Setting, digits: Task) -> Chapter:
    """Equation solving against ten classes at once."""
    victim = dense_victim(digits, l2=1e-2, rng=[setting.seed, 3])
    result = linear.extract(Oracle(victim, output="probs"), rng=[setting.seed, 4])
    k = victim.outputs
    figures = pictures.linear_pictures(victim, result, setting.side)
    text = words("softmax", k=k, answers=victim.inputs + 1)
    return chapter(text, figures, victim, result, digits, gauge=True)


def four_steps(setting: Setting, digits: Task) -> Chapter:
    """The four-step attack against one hidden ReLU layer."""
    victim = relu_victim(setting, digits)
    result = relu.extract(Oracle(victim, output="logits"), rng=[setting.seed, 6])
    figures = pictures.relu_pictures(victim, result, setting.side)
    text = words("four_steps", hidden=setting.hidden)
    return chapter(text, figures, victim, result, digits)


def one_sweep(setting: Setting, digits: Task) -> Chapter:
    """The victim of the four steps again, in fewer queries."""
    victim = relu_victim(setting, digits)
    result = sweep.extract(Oracle(victim, output="logits"), rng=[setting.seed, 10])
    before = relu.extract(Oracle(victim, output="logits"), rng=[setting.seed, 6]).total
    figures = pictures.sweep_pictures(victim, result, setting.side)
    text = words("one_sweep", before=before, total=result.total, factor=before / result.total)
    return chapter(text, figures, victim, result, digits)


def smooth_neurons(setting: Setting, digits: Task) -> Chapter:
    """A victim without bends."""
    victim = dense_victim(digits, (SMOOTH,), activation="tanh", rng=[setting.seed, 11])
    oracle = Oracle(victim, output="logits")
    result = smooth.extract(oracle, activation="tanh", rng=[setting.seed, 12])
    figures = pictures.smooth_pictures(victim, result, setting.side)
    text = words("smooth_neurons", neurons=SMOOTH)
    return chapter(text, figures, victim, result, digits)


def two_layers(setting: Setting, digits: Task) -> Chapter:
    """A deeper victim: whose kink is this?"""
    hidden = tuple(min(n, setting.side**2 // 4) for n in DEEP)
    victim = dense_victim(digits, hidden, rng=[setting.seed, 13])
    result = deep.extract(Oracle(victim, output="logits"), rng=[setting.seed, 14])
    figures = pictures.deep_pictures(victim, result, setting.side)
    text = words("two_layers", first=hidden[0], second=hidden[1])
    return chapter(text, figures, victim, result, digits)


def chapter(
    text: tuple[str, list[str]],
    figures: Iterable[Picture],
    victim: Network,
    result: Result,
    digits: Task,
    *,
    gauge: bool = False,
) -> Chapter:
    """A chapter with the numbers of its victim and the stages of its attack."""
    line = numbers(victim, result, digits, gauge)
    return Chapter(*text, list(figures), line, formatting.stage_rows(result))


def numbers(victim: Network, result: Result, digits: Task, gauge: bool = False) -> dict[str, str]:
    """A chapter's line in the table of all chapters."""
    x, labels = digits.flat().x_test, digits.y_test
    judged = compare.summary(victim, result.model, x, labels=labels, gauge=gauge)
    return {
        "victim": widths(victim),
        "accuracy": f"{100 * (judged.victim_accuracy or 0):.1f} %",
        "queries": f"{result.total:,}",
        "floor F": f"{result.floor:,.0f}",
        "queries / F": f"{result.total / result.floor:.2f}",
        "agreement": f"{100 * judged.agreement:.2f} %",
        "max |Δlogit|": f"{judged.difference.max:.1e}",
        "seconds": f"{sum(result.seconds.values()):.2f}",
    }


def widths(network: Network) -> str:
    """The layers of a dense network: '784-32-10'."""
    return "-".join(str(n) for n in [network.inputs, *(len(b) for _, b in network.dense())])
