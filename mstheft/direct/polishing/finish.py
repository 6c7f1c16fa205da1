"""The end of every attack where answers are coarse: polish a rough copy, then hold it to the noise.

    find (rough)  ->  polish on random rows  ->  drop spare neurons  ->  verify on fresh rows

A copy whose rows are right to some 20 % ends at the noise of the answers, if no neuron is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from mstheft.direct.answers.reader import Reader, as_single
from mstheft.direct.box import Box, beside
from mstheft.direct.polishing.error_bars import SURPLUS
from mstheft.direct.polishing.polish import TRUSTS, Polished, polish
from mstheft.direct.verify import verify_to_noise
from mstheft.nn import zoo
from mstheft.nn.dense_pass import forward
from mstheft.nn.gauss_newton import Weights, chain, with_ones
from mstheft.nn.network import Network
from mstheft.result import Result, floor
from mstheft.typing import Array, Rng

ROWS = 3.0  # random rows for the polishing, in F
LEAST = 500  # of them at least
BESIDE = 2  # rows of the check beside each hyperplane
NEWTON, ARRIVED = 20, 1e-6  # steps to where a neuron switches, and the last of them, input units
REACH = 3.0  # times √d: no row is asked farther out
STEPS = 15  # of Gauss-Newton: a copy with all of its neurons needs half of them
CHECKS = 200  # fresh rows on which a polished copy is judged
GAIN = 6.0  # χ² that a neuron fitted to noise alone explains at most, for each of its weights
SAME_PLANE = 1 - 1e-4  # cosine of two rows (a, c) that are one neuron
TWINS = 0.98  # the same where polishing got stuck: two rough rows of one neuron often are why


@dataclass
class Polishing:
    """Random rows and their answers, which every polishing of an attack uses, and its outcome.

    drawn : how many of the rows are random ones, not drawn for one neuron
    wanted : how many of these there shall be, in F
    box : walls between which rows lie, if there are any
    """

    rows: Array = field(default_factory=lambda: np.zeros((0, 0)))
    drawn: int = 0
    answers: Array = field(default_factory=lambda: np.zeros((0, 0)))
    polished: Polished | None = None
    wanted: float = ROWS
    box: Box | None = None


def finish(
    oracle: Reader,
    result: Result,
    polishing: Polishing,
    draw: Callable[[int], Array],
    rng: Rng,
) -> bool:
    """Polish `result.model`, drop its spare neurons, and verify it to the noise.

    draw : n -> (n, d) random rows of the kind on which the copy is to be right
    Costs 3 F queries the first time, 200 + 2 h for the check. Returns `result.verified`.
    """
    rng = np.random.default_rng(rng)
    refine(oracle, result, polishing, draw, rng, without_spare_neurons)
    return check(oracle, result, polishing, draw, rng, CHECKS)


def refine(
    oracle: Reader,
    result: Result,
    polishing: Polishing,
    draw: Callable[[int], Array],
    rng: np.random.Generator,
    smaller: Callable[[Network, Array, float], Network | None],
) -> bool:
    """Polish `result.model`, and once more without its spare neurons. Is what is left noise?

    smaller : copy, rows, noise -> the copy without spare neurons, None where there are none
    """
    with result.stage("polish", oracle):
        more_rows(oracle, polishing, result.model, draw, rng)
        form = {"output": oracle.output, "noise": oracle.declared, "rng": rng}
        data = polishing.rows, polishing.answers
        polished = polish(result.model, *data, steps=STEPS, trusts=TRUSTS[:1], **form)
        if polished.converged:
            fewer = smaller(polished.model, polishing.rows, polished.noise)
        else:
            fewer = without_spare_neurons(polished.model, polishing.rows, polished.noise, TWINS)
        if fewer is not None:
            again = polish(fewer, *data, steps=STEPS, trusts=TRUSTS[:1], **form)
            polished = again if again.converged else polished
        while polished.converged and len(polished.model.dense()) == 2:
            for fewer in leaner(polished, polishing.rows):
                again = polish(fewer, *data, steps=STEPS, trusts=TRUSTS[:1], **form)
                spared = (width(polished.model) - width(fewer)) * weights_of_a_neuron(fewer)
                worse = np.sqrt(1 + (GAIN - 1) * spared / polishing.answers.size)
                if again.converged and again.ratio <= worse * polished.ratio:
                    polished = again
                    break
            else:
                break
        polishing.polished, result.model = polished, polished.model
        result.notes["polish"] = (
            f"misfit {polished.misfit[0]:.1e}, then {polished.misfit[-1]:.1e} after "
            f"{polished.steps} steps; noise {polished.noise:.1e} ({polished.kind})"
        )
    return polished.converged


def check(
    oracle: Reader,
    result: Result,
    polishing: Polishing,
    draw: Callable[[int], Array],
    rng: np.random.Generator,
    checks: int,
) -> bool:
    """Verify a polished copy to the noise. Costs `checks` queries, and 2 for each hidden neuron."""
    polished = polishing.polished
    assert polished is not None
    beside = beside_hyperplanes(polished.model, BESIDE, rng, polishing.box)
    return verify_to_noise(result, oracle, as_single(np.vstack([draw(checks), beside])), polished)


def more_rows(
    oracle: Reader,
    polishing: Polishing,
    model: Network,
    draw: Callable[[int], Array],
    rng: np.random.Generator,
) -> None:
    """Ask the random rows that are wanted, at least 500, and more for neurons that are seldom on.

    Rows in which a neuron is off say nothing of its weights. One that is on in fewer than
    2 (in + 1) / K rows, two answered numbers for each of its weights, gets as many more. In a box
    one that is off as seldom, too: elsewhere it is one with the affine part of the copy.
    """
    dense = model.dense()
    weights, outputs = sum(w.size for w, _ in dense), len(dense[-1][1])
    wanted = max(LEAST, int(np.ceil(polishing.wanted * floor(weights, outputs)))) - polishing.drawn
    x = draw(max(0, wanted))
    seen = np.vstack([polishing.rows.reshape(-1, oracle.inputs), x])
    each = [np.full(len(b), w.shape[1] + 1) for w, b in dense[:-1]]  # weights of a neuron
    needed = np.ceil(SURPLUS * np.concatenate(each) / outputs).astype(int)
    seldom = np.zeros(len(needed), bool)
    if is_relu(model):
        on = active_rows(model, seen)
        seldom = (on if polishing.box is None else np.minimum(on, len(seen) - on)) < needed
    x = as_single(np.vstack([x, beside_hyperplanes(model, needed * seldom, rng, polishing.box)]))
    if len(x):
        y = oracle.query(x)
        first = not len(polishing.rows)
        polishing.rows = x if first else np.concatenate([polishing.rows, x])
        polishing.answers = y if first else np.concatenate([polishing.answers, y])
        polishing.drawn += max(0, wanted)


def is_relu(model: Network) -> bool:
    """Hidden layers of ReLUs, one or more, and nothing else?"""
    return set(chain(model)[1]) == {"relu"}


def active_rows(model: Network, rows: Array) -> np.ndarray:
    """In how many rows is each hidden neuron of a ReLU network on? (h1 + h2 + …,)"""
    weights, activations = chain(model)
    return np.concatenate(
        [on.sum(axis=0) for on in forward(weights, activations, with_ones(rows)).slopes]
    ).astype(int)


def beside_hyperplanes(
    model: Network, count: int | np.ndarray, rng: np.random.Generator, box: Box | None = None
) -> Array:
    """`count` rows for each hidden neuron of a ReLU network, on both sides of where it switches.

    First layer: N(p, I), with p the point of the hyperplane that is nearest to the origin. Deeper:
    `switching` rows, moved by N(0, 1) along the neuron's gradient. A neuron gets no row where p, or
    the row at which it switches, is farther out than 3 √d. In a box the rows of the first layer,
    of which nothing else is asked, are those of `box.beside`. Returns (n, d).
    """
    if not is_relu(model):
        return np.zeros((0, model.inputs))
    weights, _ = chain(model)
    widths = [len(matrix) for matrix in weights[:-1]]
    each = np.split(np.broadcast_to(count, sum(widths)), np.cumsum(widths)[:-1])
    a0, b0 = weights[0][:, :-1], weights[0][:, -1]
    if box is not None:
        planes = zip(a0, b0, each[0], strict=True)
        return np.vstack([beside(rng, box, a, c, int(n)) for a, c, n in planes])
    nearest = -(b0 / (a0**2).sum(axis=1))[:, None] * a0
    far = REACH * np.sqrt(a0.shape[1])
    points = np.repeat(nearest, each[0] * (np.linalg.norm(nearest, axis=1) < far), axis=0)
    rows = [points + rng.normal(size=points.shape)]
    for layer in range(1, len(widths)):
        start = rng.normal(size=(each[layer].sum(), a0.shape[1]))
        x, normal = switching(
            weights, layer, np.repeat(np.arange(widths[layer]), each[layer]), start
        )
        near = np.linalg.norm(x, axis=1) < far
        rows.append((x + rng.normal(size=(len(x), 1)) * normal)[near])
    return np.vstack(rows)


def switching(weights: Weights, layer: int, neuron: np.ndarray, x: Array) -> tuple[Array, Array]:
    """Rows at which neurons of a hidden layer, 0 the first, switch: Newton's steps from x.

        x  <-  x - z ∇z / |∇z|²

    neuron : (n,) which one, for each row of x (n, d). Returns the rows that have arrived, and the
    unit normals ∇z / |∇z| there.
    """
    for _ in range(NEWTON):
        here = forward(weights[: layer + 1], ["relu"] * layer, with_ones(x))
        z = np.take_along_axis(here.logits, neuron[:, None], axis=1)  # (n, 1)
        seed = np.zeros(here.logits.shape)
        np.put_along_axis(seed, neuron[:, None], 1.0, axis=1)
        gradient = here.gradients(seed)[0] @ weights[0][:, :-1]  # (n, d)
        length = np.maximum(np.linalg.norm(gradient, axis=1, keepdims=True), 1e-300)
        away = z / length
        x = x - away * gradient / length
    arrived = np.abs(away[:, 0]) < ARRIVED
    return x[arrived], (gradient / length)[arrived]


def without_spare_neurons(
    model: Network, rows: Array, noise: float, alike: float = SAME_PLANE
) -> Network | None:
    """One neuron for each hyperplane, and none whose part of the answers is below the noise.

    alike : the cosine of two rows (a, c) above which they are one
    None where no neuron is spare, and for networks of another depth or activation.
    """
    if len(model.dense()) != 2 or not is_relu(model):
        return None
    (a0, b0), (a1, b1) = model.dense()
    a1, planes = a1.copy(), np.hstack([a0, b0[:, None]])  # (h, d + 1)
    size = np.linalg.norm(planes, axis=1)
    parallel = planes @ planes.T > alike * np.outer(size, size)
    keep = np.ones(len(b0), bool)
    for i in range(len(b0)):
        same = np.flatnonzero(parallel[i, :i] & keep[:i])
        if len(same):
            a1[:, same[0]] += a1[:, i] * size[i] / size[same[0]]
            keep[i] = False
    part = keep * np.linalg.norm(a1, axis=0) * np.maximum(rows @ a0.T + b0, 0).std(axis=0)
    keep &= part > noise
    keep[np.argmax(part)] = True  # where noise drowns them all, one stays: it is still a network
    return None if keep.all() else zoo.given([(a0[keep], b0[keep]), (a1[:, keep], b1)])


def leaner(polished: Polished, rows: Array) -> Iterator[Network]:
    """Copies with fewer neurons that may explain the answers as well."""
    several, one = without_the_unsure(polished), without_the_unsure(polished, most=1)
    for fewer in (without_spare_neurons(polished.model, rows, 0.0, TWINS), several):
        if fewer is not None:
            yield fewer
    if one is not None and several is not None and width(one) > width(several):
        yield one


def without_the_unsure(polished: Polished, most: int | None = None) -> Network | None:
    """The copy without the neurons whose output weights noise explains: `most`, the least sure.

    A rough copy has neurons that are none; polished, each fits some noise. Told by its output
    weights over their error bars: a neuron of the victim has hundreds, one of noise a few. None
    where all are sure, and for networks of another depth or activation.
    """
    model, *_, bars, _ = polished.model, *polished.error_bars.values()  # …, W and b of the last
    if len(model.dense()) != 2 or not is_relu(model):
        return None
    (a0, b0), (a1, b1) = model.dense()
    told = a1 - a1.mean(axis=0) if polished.output != "logits" and len(a1) > 1 else a1  # the gauge
    sure = np.sum((told / bars) ** 2, axis=0)  # (h,) χ²
    sure[~np.isfinite(bars).all(axis=0)] = np.inf  # seldom on: nobody knows
    unsure = [i for i in np.argsort(sure) if sure[i] <= GAIN * weights_of_a_neuron(model)][:most]
    keep = ~np.isin(np.arange(len(b0)), unsure)
    if keep.all() or not keep.any():
        return None
    return zoo.given([(a0[keep], b0[keep]), (a1[:, keep], b1)])


def weights_of_a_neuron(model: Network) -> int:
    """Of the hidden layer, d + 1 + K: those into it, its bias, and those out of it."""
    (a0, _), (a1, _) = model.dense()
    return a0.shape[1] + 1 + len(a1)


def width(model: Network) -> int:
    """Hidden neurons."""
    return len(model.dense()[0][1])
