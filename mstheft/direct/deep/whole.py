"""A deep copy of any depth and widths, by lifting: layer after layer, then where it is wrong.

whole       layers behind the first, until no kink gives another one
lifted      the stages: rows, layers, the last layer, lines to where the copy is wrong, the check
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from mstheft.direct import line as lines
from mstheft.direct.answers.reader import Reader, read
from mstheft.direct.deep import failures as deep_failures
from mstheft.direct.deep import first_layer as deep_first
from mstheft.direct.deep import kinks as deep_kinks
from mstheft.direct.deep import layers as deep_layers
from mstheft.direct.deep.boundary import Boundary, Prefix
from mstheft.direct.deep.kinks import LineKinks
from mstheft.direct.deep.lifting import layer
from mstheft.direct.deep.segments import Checks
from mstheft.direct.deep.signs import outputs, with_layer
from mstheft.direct.deep.verification import thorough
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.direct.polishing.finish import STEPS
from mstheft.direct.polishing.polish import TRUSTS, polish
from mstheft.nn.network import Network
from mstheft.result import Result, floor
from mstheft.typing import Array

ROWS = 3.0  # rows for the last layer, in unknown numbers
BESIDE = 0.3  # standard deviation of those beside a boundary
LINES = 5  # at least, where there are as many neurons as inputs, or more
ENDINGS = 12  # lines to where the copy is wrong, and checks, before the attack gives up
NEAR = 10.0  # times as far out as N(0, I): the rows of a check that lead to what is missing
LEAST = 300  # of the rows to which a copy is fitted; those where it is most wrong come to these
MORE = 100  # rows asked after each line
UNSURE = 0.3  # share of lines that must bend where no hyperplane is met by more

Layers = list[tuple[Prefix, list[Boundary]]]  # each hidden layer from the second, those before


def last_of(first: Prefix, copy: Layers) -> Prefix:
    """All hidden layers, the last with unknown signs; the first alone where no other is seen."""
    return with_layer(*copy[-1]) if copy else first


def rows_for(first: Prefix, copy: Layers, rng: Generator) -> Array:
    """Rows from which the last layer is solved: random ones, and some beside every boundary."""
    size = last_of(first, copy).features(np.zeros((1, first.inputs))).shape[1]
    x = rng.normal(size=(int(ROWS * size), first.inputs))
    neurons = copy[-1][1] if copy else []
    beside = [each.points[n % len(each.points)] for each in neurons for n in range(4)]
    near = np.array(beside).reshape(-1, first.inputs)
    return np.vstack([x, near + BESIDE * rng.normal(size=near.shape)])


def whole(oracle: Reader, rng: Generator, searched: Sequence[LineKinks], first: Prefix) -> Layers:
    """All layers behind the first, one after the other."""
    copy: Layers = []
    behind(oracle, rng, searched, first, copy)
    return copy


def behind(
    oracle: Reader, rng: Generator, searched: Sequence[LineKinks], prefix: Prefix, copy: Layers
) -> None:
    """Add layers to a copy until no kink gives another one."""
    while True:
        now, neurons = layer(oracle, rng, searched, prefix)
        if not neurons:
            return
        copy.append((now, neurons))
        prefix = with_layer(now, neurons)


def more(
    oracle: Reader, rng: Generator, searched: Sequence[LineKinks], first: Prefix, copy: Layers
) -> bool:
    """Neurons that the last line shows, of the last layer or of one before it. Were there any?

    What lies behind a layer with one more neuron is found anew.
    """
    for at in reversed(range(len(copy))):
        prefix, neurons = copy[at]
        found = layer(oracle, rng, searched, prefix, neurons, begun=searched[-1:])[1]
        if len(found) > len(neurons):
            last = at == len(copy) - 1
            copy[at:] = [(prefix, found)]
            if not last:
                behind(oracle, rng, searched, with_layer(prefix, found), copy)
            return True
    before = len(copy)
    behind(oracle, rng, searched[-1:], last_of(first, copy), copy)
    return len(copy) > before


def wrong_way(rng: Generator, model: Network, asked: Checks, tolerance: float) -> Array | None:
    """From where the copy is right to where it is wrong, (2, d); None where it is right."""
    x, size = asked.x, asked.answers[asked.reach[:, 0] == 1].std(axis=0).max()
    miss = np.abs(model.logits(x) - asked.answers).max(axis=1)
    wrong = ~(miss <= tolerance * size * asked.reach[:, 0])
    if not wrong.any():
        return None
    if wrong.all():
        return rng.normal(size=(2, x.shape[1]))
    worst = x[rng.choice(np.flatnonzero(wrong))]
    away = np.linalg.norm(x[~wrong] - worst, axis=1)
    return np.array([x[~wrong][away.argmin()], worst])


def near(oracle: Reader, x: Array) -> Checks:
    """The answers to rows that are as large as those of N(0, I)."""
    return Checks(x, np.ones((len(x), 1)), read(oracle, x))


def rows_to_polish(model: Network) -> int:
    """Rows whose answers are more than the weights of a copy, by a half."""
    dense = model.dense()
    return int(1.5 * floor(sum(w.size for w, _ in dense), len(dense[-1][1])))


def polished(oracle: Reader, rng: Generator, result: Result, asked: Checks) -> Checks:
    """The copy fitted to what was asked, and to half as many answers more than weights.

    Costs the rows of N(0, I) that are missing for that, which are returned with the others.
    """
    wanted = rows_to_polish(result.model)
    with result.stage("polish", oracle):
        if wanted > len(asked.x):
            x = rng.normal(size=(wanted - len(asked.x), oracle.inputs))
            asked = asked.and_also(near(oracle, x))
        miss = np.abs(result.model.logits(asked.x) - asked.answers).max(axis=1)
        worst = np.argsort(-miss)[:wanted]
        rows = np.union1d(worst, rng.permutation(len(miss))[: max(wanted, LEAST)])
        better = polish(
            *(result.model, asked.x[rows], asked.answers[rows]),
            steps=STEPS,
            trusts=TRUSTS[:1],
            rng=rng,
        )
        result.model = better.model
    return asked


def lifted(
    oracle: Reader, rng: Generator, result: Result, planes: Hyperplanes, tolerance: float
) -> None:
    """The sure way, any depth and widths: layer after layer, then lines to where it is wrong."""
    trace = result.trace
    if len(planes) >= oracle.inputs:  # one more is not betrayed by rows that the others do not span
        with result.stage("lines", oracle):
            while len(trace.searched) < LINES:
                trace.searched.append(deep_kinks.search_line(oracle, rng))
    with result.stage("jacobians", oracle):
        for kinks in trace.searched:
            deep_first.take_known(trace.searched, planes)
            deep_kinks.measure_rows(oracle, kinks)
            planes = deep_first.find(trace.searched)
    if not len(planes):
        planes = deep_layers.first_layer(trace.searched, sure=UNSURE)
    if not len(planes):
        raise deep_failures.failed("layers", deep_failures.NO_FIRST, result)
    rows = deep_first.unit(planes)
    first = Prefix(oracle.inputs, [], (rows.rows, rows.offsets))
    with result.stage("lifting", oracle):
        trace.lifted = whole(oracle, rng, trace.searched, first)
        asked = near(oracle, rows_for(first, trace.lifted, rng))
    for _ in range(ENDINGS):
        with result.stage("witness", oracle):
            result.model = outputs(last_of(first, trace.lifted), asked.x, asked.answers)
            pair = wrong_way(rng, result.model, asked, tolerance)
        if pair is not None or trace.checks:
            asked = polished(oracle, rng, result, asked)
            if wrong_way(rng, result.model, asked, tolerance) is None:
                pair = None
        if pair is None:
            if thorough(oracle, rng, result, tolerance, trace.searched[0].line.noise):
                return
            asked = asked.and_also(trace.checks[-1].within(NEAR))
            continue
        with result.stage("witness", oracle):
            line = lines.search(oracle, pair[0], pair[1] - pair[0], low=-0.5, high=1.5)
            trace.searched.append(deep_kinks.on_line(oracle, line))
            more(oracle, rng, trace.searched, first, trace.lifted)
            asked = asked.and_also(near(oracle, rng.normal(size=(MORE, oracle.inputs))))
    if not trace.lifted:
        raise deep_failures.failed("layers", deep_failures.NO_SECOND, result)
    raise deep_failures.failed("verify", deep_failures.UNVERIFIED, result)
