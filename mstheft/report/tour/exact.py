"""The chapters of the direct attacks: a victim, an attack, and its story in plain words."""

from __future__ import annotations

import numpy as np

from mstheft import compare
from mstheft.direct import deep, linear, relu, smooth, sweep
from mstheft.nn import Network
from mstheft.oracle import Oracle
from mstheft.report import pictures as figures
from mstheft.report import tables as report
from mstheft.report.tables import Chapter
from mstheft.report.tour.digits import Digits, Setting, trained
from mstheft.result import Result

SMOOTH = 12  # smooth neurons
DEEP = 24, 12  # neurons of two hidden layers


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
        numbers(victim, result, digits),
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
        numbers(victim, result, digits, gauge=True),
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
        numbers(victim, result, digits),
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
        numbers(victim, result, digits),
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
        numbers(victim, result, digits),
        report.stage_rows(result),
    )


def two_layers(setting: Setting, digits: Digits) -> Chapter:
    """A deeper victim: whose kink is this?"""
    hidden = tuple(min(n, digits.side**2 // 4) for n in DEEP)
    victim = trained(hidden, digits, rng=np.random.default_rng([setting.seed, 13]))
    result = deep.extract(Oracle(victim, output="logits"), rng=[setting.seed, 14])
    return Chapter(
        "Two hidden layers: whose bend is this?",
        [
            f"Behind the first {hidden[0]} neurons of this victim stand {hidden[1]} others, which "
            "see only what the first let through. They too bend the answers where they switch, "
            "and a bend does not say from which layer it comes.",
            "Two things give it away. A wall of the first layer is flat, so one bend tells where "
            "every other line must bend. And a neuron of the second layer always turns the logits "
            "the same way, wherever it is met.",
            "Once the first layer is known, pictures can be made that give its neurons any values "
            "we like. What is left is a network with one hidden layer, and the sweep steals that.",
        ],
        list(figures.deep_pictures(victim, result, digits.side)),
        numbers(victim, result, digits),
        report.stage_rows(result),
    )


def numbers(victim: Network, result: Result, digits: Digits, gauge: bool = False) -> dict:
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
