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
from mstheft.report import pictures, tables
from mstheft.report.tables import Chapter, Picture
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
    return drawn("drawn digits", synthetic.glyphs, sizes, shape, [setting.seed, 0], np.float64)


def relu_victim(setting: Setting, digits: Task) -> Network:
    """The victim of three chapters."""
    return dense_victim(digits, (setting.hidden,), rng=[setting.seed, 5])


def logistic(setting: Setting, digits: Task) -> Chapter:
    """Equation solving against one sigmoid."""
    digits = digits.two_classes(3, 8)
    victim = dense_victim(digits, l2=1e-2, rng=[setting.seed, 1])
    oracle = Oracle(victim, output="probs")
    result = linear.extract(oracle, rng=[setting.seed, 2])
    d = victim.inputs
    return chapter(
        "Logistic regression: solve for the weights",
        [
            f"The victim separates 3 from 8 on pictures of {d:,} pixels. It multiplies every pixel "
            "with a weight, adds a bias, and squeezes the sum into a probability. We may only "
            "show it pictures and read the probability of an 8.",
            "Undo the squeezing, and each answer is an ordinary equation in the unknown weights. "
            f"There are {d:,} weights and one bias, so {d + 1:,} answers give them all, exactly. "
            "No training, no guessing.",
        ],
        pictures.linear_pictures(victim, result, setting.side),
        numbers(victim, result, digits),
        result,
    )


def softmax(setting: Setting, digits: Task) -> Chapter:
    """Equation solving against ten classes at once."""
    victim = dense_victim(digits, l2=1e-2, rng=[setting.seed, 3])
    oracle = Oracle(victim, output="probs")
    result = linear.extract(oracle, rng=[setting.seed, 4])
    k = victim.outputs
    return chapter(
        "Softmax regression: ten classes for the price of one",
        [
            f"Now the victim names all {k} digits and answers with {k} probabilities. One answer "
            f"is {k} numbers, so the bill does not grow: {victim.inputs + 1:,} questions are "
            "still enough.",
            "One thing stays hidden. Adding the same picture to the weights of all classes "
            "changes no probability, so victim and copy are compared after their mean over the "
            "classes has been taken away.",
        ],
        pictures.linear_pictures(victim, result, setting.side),
        numbers(victim, result, digits, gauge=True),
        result,
    )


def four_steps(setting: Setting, digits: Task) -> Chapter:
    """The four-step attack against one hidden ReLU layer."""
    victim = relu_victim(setting, digits)
    oracle = Oracle(victim, output="logits")
    result = relu.extract(oracle, rng=[setting.seed, 6])
    return chapter(
        "A hidden ReLU layer: four steps and a last layer",
        [
            f"This victim has {setting.hidden} hidden neurons. Each is a switch: off on one side "
            "of a flat wall through the space of pictures, on at the other side. The answers bend "
            "wherever a wall is crossed, and nowhere else. So the walls show from outside.",
            "Step 1: walk along a straight line and find every bend.",
            "Step 2: at each bend, measure how sharply the answer turns along each pixel. That "
            "gives the sizes of the weights.",
            "Step 3: measure along two pixels at once. Do they help each other or cancel? That "
            "gives the signs within a neuron.",
            "Step 4: find out on which side of its wall each neuron is on.",
            "What is left is linear, and is solved like the chapters before.",
        ],
        pictures.relu_pictures(victim, result, setting.side),
        numbers(victim, result, digits),
        result,
    )


def one_sweep(setting: Setting, digits: Task) -> Chapter:
    """The victim of the four steps again, in fewer queries."""
    victim = relu_victim(setting, digits)
    result = sweep.extract(Oracle(victim, output="logits"), rng=[setting.seed, 10])
    before = relu.extract(Oracle(victim, output="logits"), rng=[setting.seed, 6]).total
    return chapter(
        "The same in fewer questions: one sweep",
        [
            "The four steps ask at every bend along every pixel. But one straight line crosses "
            "every wall once. Between two bends the steepness of the answers along the pixels, "
            "the Jacobian, is constant, and takes one question for each pixel. At a bend it "
            "changes by the neuron that switches, and each answer has as many numbers as there are "
            "classes. So a handful of Jacobians are enough for all neurons.",
            f"The same victim as before: {before:,} questions in four steps, {result.total:,} in "
            f"one sweep, a factor of {before / result.total:.0f}.",
        ],
        pictures.sweep_pictures(victim, result, setting.side),
        numbers(victim, result, digits),
        result,
    )


def smooth_neurons(setting: Setting, digits: Task) -> Chapter:
    """A victim without bends."""
    victim = dense_victim(digits, (SMOOTH,), activation="tanh", rng=[setting.seed, 11])
    oracle = Oracle(victim, output="logits")
    result = smooth.extract(oracle, activation="tanh", rng=[setting.seed, 12])
    return chapter(
        "No bends at all: smooth neurons",
        [
            f"The {SMOOTH} neurons of this victim do not switch, they bend gently (tanh). There is "
            "no line to walk and no kink to find. But all slopes lie in a small subspace, one "
            "dimension for each neuron, and inside it the second derivatives are diagonal in the "
            "neurons' own directions: an eigenvalue problem finds them.",
            "What is left are the scale and bias of each neuron, and a least-squares fit that ends "
            "at the rounding of the computer's own numbers.",
        ],
        pictures.smooth_pictures(victim, result, setting.side),
        numbers(victim, result, digits),
        result,
    )


def two_layers(setting: Setting, digits: Task) -> Chapter:
    """A deeper victim: whose kink is this?"""
    hidden = tuple(min(n, setting.side**2 // 4) for n in DEEP)
    victim = dense_victim(digits, hidden, rng=[setting.seed, 13])
    result = deep.extract(Oracle(victim, output="logits"), rng=[setting.seed, 14])
    return chapter(
        "Two hidden layers: whose bend is this?",
        [
            f"Behind the first {hidden[0]} neurons of this victim come {hidden[1]} others, whose "
            "inputs are the outputs of the first. They too bend the answers where they switch, and "
            "a bend does not show from which layer it comes.",
            "Two things give it away. A wall of the first layer is flat, so one bend predicts a "
            "bend on every other line. And a neuron of the second layer turns the logits the same "
            "way at each of its bends.",
            "With the first layer in hand, we can make pictures that give its neurons any values "
            "we like. What is left is a network with one hidden layer, and the sweep steals that.",
        ],
        pictures.deep_pictures(victim, result, setting.side),
        numbers(victim, result, digits),
        result,
    )


def chapter(
    title: str, text: list[str], figures: Iterable[Picture], numbers: dict[str, str], result: Result
) -> Chapter:
    """A chapter with the stages of its attack."""
    return Chapter(title, text, list(figures), numbers, tables.stage_rows(result))


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
