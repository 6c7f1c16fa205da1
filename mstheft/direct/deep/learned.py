"""Coarse answers: a deep copy that is learned, pruned layer by layer, and polished to the noise.

    lines (how wide?)  ->  random rows  ->  for each hidden layer: train wide, prune it
                                        ->  polish all layers, prune again, verify to the noise

A student that is too wide learns every first-layer row of the victim, to some per cent, and holds
others beside them that hardly count: by how much the answers change without a neuron the two kinds
are told apart, with a factor of ten and more between them. Then the layers behind start anew, at
random, for a first layer that is known, and so on. No kink has to be measured, so that neither
float32 nor decimals do harm, and one output is enough. What is left is a rough copy of the right
widths, and polishing does the rest. A start behind which a neuron stays mirrored, relu(-z) with z
held by others, shows no gap or ends above the noise; the next start goes another way.

Source: Martinelli, Simsek, Gerstner and Brea 2024 ('Expand-and-Cluster', ICML) for the wide
students; `pruning` has the source of the costs. The order, layer by layer, is this project's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.noise import rms
from mstheft.direct.answers.reader import Reader, as_single
from mstheft.direct.deep import failures
from mstheft.direct.deep import kinks as deep_kinks
from mstheft.direct.deep.failures import Widths
from mstheft.direct.polishing.finish import Polishing, check, refine
from mstheft.nn.dense_pass import Weights, chain, forward, with_ones
from mstheft.nn.network import Network
from mstheft.nn.pruning import layer_costs, prune, without
from mstheft.nn.student import as_network, epochs_of, logits_of, train
from mstheft.result import Result
from mstheft.typing import Array

LINES = 2  # whose kinks tell how wide a student has to be
WIDER = 1.6  # width of a student, in widths of the victim where they are known
LEAST = 8  # neurons of its hidden layers at least
SURPLUS, ROWS = 5, 1500  # answered numbers for each weight of the first student, and rows more
BATCH, UPDATES = 64, 12_000  # of Adam
CLEAR = 3.0  # gap in cost between neurons of the victim and spare ones that needs no other try
UNCLEAR = 1.5  # a gap of less, after all tries, is none
TRIES = 3  # starts of a layer, each learning for longer, of which the widest gap is taken
STARTS = 4  # copies that are polished
SPARE = 3.0  # of the noise: a neuron of a polished copy that counts less is spare
CHECKS = 1000  # fresh rows of the check


def learned_copy(
    oracle: Reader, rng: Generator, result: Result, hidden: Widths, layers: int
) -> Result:
    """A verified copy of a victim whose answers are coarse. `trace.polishing` holds the rows.

    Costs the kinks of two lines, 1,500 rows and five answered numbers for each weight of the first
    student; and for each copy that is polished to the noise a check on 1,000 rows, and on two
    beside each neuron's hyperplane. Raises `ExtractionError` where no copy is verified.
    """
    trace = result.trace
    with result.stage("lines", oracle):
        trace.searched += [deep_kinks.search_line(oracle, rng) for _ in range(LINES)]
        failures.check_kinks(result)
        wide = students_widths(result, hidden, layers)
    draw = lambda n: rng.normal(size=(n, oracle.inputs))  # noqa: E731
    with result.stage("query", oracle):
        polishing = trace.polishing = ask(oracle, wide, draw)
    known: Weights = []
    for start in range(STARTS):
        with result.stage("students", oracle):
            known = known[:-1] if start % 2 else []  # the last layer is mostly what was wrong
            weights = learn(result, oracle, wide, known, rng)
            known, result.model = weights[:-1], as_network(weights)
        if not refine(oracle, result, polishing, draw, rng, without_spare_neurons):
            continue
        if check(oracle, result, polishing, draw, rng, CHECKS):
            failures.check_widths(result, hidden)
            return result
    raise failures.failed("polish", failures.UNLEARNED, result)


def students_widths(result: Result, hidden: Widths, layers: int) -> list[int]:
    """How wide the layers of a student are: as many neurons as a line has kinks.

    That is h1 and what the layers behind it add: each neuron of theirs about 1.3 kinks.
    """
    if hidden is not None:
        return [max(LEAST, math.ceil(WIDER * h)) for h in hidden]
    kinks = max(len(each.line.kinks) for each in result.trace.searched)
    return [max(LEAST, kinks)] * layers


def ask(oracle: Reader, wide: list[int], draw: Callable[[int], Array]) -> Polishing:
    """Random rows and their answers: the students learn from them, and the copy is polished."""
    widths = [oracle.inputs, *wide, oracle.outputs or 1]
    weights = sum((a + 1) * b for a, b in pairwise(widths))
    rows = as_single(draw(ROWS + math.ceil(SURPLUS * weights / widths[-1])))
    return Polishing(rows, len(rows), oracle.query(rows))


def learn(
    result: Result, oracle: Reader, wide: list[int], known: Weights, rng: Generator
) -> Weights:
    """[W b] of each layer of a rough copy that has the victim's widths, if all went well.

    known : the first layers, if they have been learned before
    """
    polishing: Polishing = result.trace.polishing
    x = polishing.rows
    z = logits_of(polishing.answers, oracle.output, oracle.outputs or 1)
    gaps = []
    for layer in range(len(known), len(wide)):
        weights, gap = learn_layer(x, z, known, wide[layer:], rng)
        known = weights[: layer + 1]
        gaps.append(gap)
        result.notes["students"] = (
            f"hidden neurons {', '.join(str(len(each)) for each in known)}; the last spare one "
            f"counts {min(gaps):.1f} times less than the first that stays"
        )
        if gap < UNCLEAR:
            raise failures.failed("students", failures.NO_GAP, result)
    return weights


def learn_layer(
    x: Array, z: Array, known: Weights, wide: list[int], rng: Generator
) -> tuple[Weights, float]:
    """One more layer behind the known ones: a student is trained, and pruned there.

    Tried again, for longer each time, while the gap is not clear. Returns all layers, those behind
    not pruned yet, and the gap.
    """
    layer, widths = len(known), [len(each) for each in known] + wide
    best: tuple[Weights, float] = [], 0.0
    for n in range(1, TRIES + 1):
        epochs = epochs_of(n * UPDATES, len(x), BATCH)
        weights = train(x, z, widths, epochs=epochs, batch=BATCH, rng=rng, known=known)
        here = forward(weights, ["relu"] * len(widths), with_ones(x))
        best = max(best, prune(here, layer, rms(here.logits - z), rng), key=lambda each: each[1])
        if best[1] >= CLEAR:
            break
    return best


def without_spare_neurons(model: Network, rows: Array, noise: float) -> Network | None:
    """The copy of any depth without neurons that the noise hides; None where none is spare.

    `finish.without_spare_neurons` is for one hidden layer: it also joins neurons of one hyperplane.
    """
    weights, activations = chain(model)
    widths, rng = [len(each) for each in weights], np.random.default_rng(0)
    for layer in range(len(activations)):
        here = forward(weights, activations, with_ones(rows))
        costs = layer_costs(here, layer, rng)
        kept = costs.order[np.count_nonzero(costs.costs < SPARE * noise) :]
        if 0 < len(kept) < widths[layer]:
            weights = without(here, layer, sorted(kept))
    return as_network(weights) if [len(each) for each in weights] != widths else None
