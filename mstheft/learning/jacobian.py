"""Jacobian-based augmentation: query where the copy's own answers change fastest.

        S ← S ∪ { x + λ sgn ∂f̃_y(x)/∂x },    y the oracle's label, f̃ the copy

From some rows of the victim's kind, each round doubles what is labelled, but for rows that are
there already: S is a set, and none of it is bought twice. `extract` is the story;
`noise_pool` makes the rows of the plainest baseline of all, noise.
Source: Papernot et al. 2017, 'Practical black-box attacks against machine learning'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mstheft import progress
from mstheft.learning import arguments, defaults
from mstheft.learning.distinct import first_places, unlike
from mstheft.learning.result import Evaluate, LearnedResult, Round, evaluation
from mstheft.learning.targets import labels_of, targets
from mstheft.nn import augment as images
from mstheft.nn.bag import BagOfWords
from mstheft.nn.fit import fit
from mstheft.nn.network import Network
from mstheft.nn.sequence import Embedding
from mstheft.typing import Array, Oracle, Rng

CHUNK = 4096  # rows whose gradients are computed together


@dataclass
class Trace:
    """rows (n, …) in order of purchase, and their answers (n, K), or (n,) labels."""

    rows: Array
    answers: Array | None = None


def extract(
    oracle: Oracle,
    seed_rows: Array,
    new_copy: Callable[[], Network],
    *,
    rounds: int = defaults.ROUNDS,
    rng: Rng = None,
    lam: float = defaults.LAM,
    tau: int | None = None,
    sigma: int | None = None,
    kappa: int = 400,
    bounds: tuple[float, float] | None = None,
    budget: int | None = None,
    evaluate: Evaluate | None = None,
    epochs: int = defaults.EPOCHS,
    patience: int | None = defaults.PATIENCE,
    batch: int = defaults.BATCH,
    l2: float = 0.0,
    augment: str = defaults.AUGMENT,
) -> LearnedResult:
    """Learn a copy from seed rows and what grows out of them by the signs of its gradients.

    Round 0 labels the seed rows. Each of `rounds` rounds trains a fresh copy on all rows so far,
    moves every row by λ towards more (or less) of its label, and labels what comes out. The last
    copy is trained on everything.

    seed_rows : (n, d) or (n, *shape), some rows of each class, such as the thief's own drawings
    new_copy : builds an untrained Network with an output per class
    lam : λ, the step in each input number
    tau : the sign of λ changes after every tau rounds; never unless given
    sigma, kappa : from round sigma + 1 on only kappa of the new rows are queried, each equally
        likely (reservoir sampling); all of them unless sigma is given
    bounds : lowest and highest input number, new rows are clipped to it
    budget : rows to query in all; new rows beyond it are left out at random and the rounds end
    evaluate : evaluate(copy) -> a number or a dict of them, for the curve
    epochs, patience, batch, l2 : of the training, see `nn.fit.fit`; epochs at most. No row is held
        out, so training ends as in `active.extract` but by the mean loss on what is learned
    augment : a name of `nn.augment.KINDS`: images are moved or mirrored at every step
    Returns `LearnedResult`; its trace is a `Trace`, and notes["verify"] has the share of the last
        purchase on which the copy before it agreed.
    Costs n 2^rounds queries; less with reservoir or budget, and where rows of equal content come
    out, which are bought once.
    Raises ValueError for arguments that cannot work, `ExtractionError` where the answers do not
    suit the copy, `BudgetExhausted`; the error, Ctrl-C too, holds the result so far as `partial`.
    Source: Papernot et al. 2017, algorithm 1; the periodic sign and the reservoir: Papernot,
    McDaniel and Goodfellow 2016, 'Transferability in machine learning', arXiv 1605.07277.
    """
    copy = new_copy()
    rows = np.asarray(seed_rows, copy.dtype)
    rows = rows[first_places(rows)]
    room = int(len(rows) * 2**rounds) if budget is None else budget
    arguments.check(oracle, rows, copy, 1, epochs, batch)
    _check(copy, len(rows), room, rounds, tau, kappa)
    training: dict[str, Any] = {"epochs": epochs, "patience": patience, "batch": batch, "l2": l2}
    training |= {"cuts": defaults.CUTS, "least": defaults.LEAST}
    training["augment"] = images.named(augment, copy.shape)
    rng, result = np.random.default_rng(rng), LearnedResult(trace=Trace(rows[:0]))
    with progress.bar("rounds", rounds + 1, "round") as bar:
        for turn in range(rounds + 1):
            with result.stage("query" if turn else "seed", oracle):
                _buy(result, oracle, rows)
            room -= len(rows)
            with result.stage("train", oracle):
                _learn(result, oracle, new_copy(), training, rng, evaluate)
            bar.update(1)
            if turn == rounds or room == 0:
                break
            with result.stage("augment", oracle):
                labels = labels_of(targets(result.trace.answers, oracle.output, copy.outputs))
                step = step_of(turn, lam, tau)
                rows = grown(result.model, result.trace.rows, labels, step, bounds)
                rows = unlike(rows, result.trace.rows)
                if sigma is not None and turn >= sigma:
                    rows = reservoir(rows, kappa, rng)
                rows = reservoir(rows, room, rng)
    return result


augment = extract


def step_of(turn: int, lam: float, tau: int | None) -> float:
    """The periodic step:  λ (-1)^⌊turn / τ⌋."""
    return -lam if tau is not None and (turn // tau) % 2 else lam


def grown(
    copy: Network,
    x: Array,
    labels: np.ndarray,
    step: float,
    bounds: tuple[float, float] | None = None,
) -> Array:
    """x + step · sgn ∂f̃_y(x)/∂x, with f̃_y the copy's logit of the given label.

    copy : a Network that is differentiable in its inputs
    x : (n, d) or (n, *shape); labels : (n,) y of each row
    step : λ with its sign, in input units; bounds : results are clipped to them
    Returns rows of x's shape. With one sigmoid output f̃_0 = -f̃_1.
    Source: Papernot et al. 2017, equation 4 (their code takes the logits, as here).
    """
    out = np.empty_like(x)
    for i in range(0, len(x), CHUNK):
        part, y = x[i : i + CHUNK], labels[i : i + CHUNK]
        if copy.outputs == 1:
            towards = np.where(y == 1, 1.0, -1.0)[:, None]  # (n, 1)
        else:
            towards = np.eye(copy.outputs)[y]  # (n, K), picks the logit of y
        slope = copy.input_gradient(part, towards).reshape(part.shape)  # ∂f̃_y/∂x of each row
        out[i : i + CHUNK] = part + step * np.sign(slope)
    return out if bounds is None else np.clip(out, *bounds)


def reservoir(rows: Array, k: int, rng: Rng) -> Array:
    """k of the rows, each equally likely; all where there are no more. (n, …) -> (k, …).

    Row i replaces a random one of the k chosen so far with probability k / (i + 1).
    Source: Vitter 1985, algorithm R.
    """
    if len(rows) <= k:
        return rows
    rng, chosen = np.random.default_rng(rng), np.arange(k)
    places = rng.integers(np.arange(k, len(rows)) + 1)
    for i, place in enumerate(places, start=k):
        if place < k:
            chosen[place] = i
    return rows[chosen]


def noise_pool(shape: tuple[int, ...], n: int, rng: Rng, *, words: int | None = None) -> np.ndarray:
    """Rows that mean nothing: for `active.extract` with strategy 'random', the plainest baseline.

    shape : of one row; for texts (length,)
    n : number of rows; rng : Generator or int seed
    words : for texts, the size of the vocabulary: each place gets a word number 1 … words - 1, all
        equally likely and none of them the padding 0. Otherwise numbers are uniform in [0, 1)
    Returns (n, *shape) of float32, for texts int64.
    Source: Pal et al. 2020, 'uniform noise'.
    """
    rng = np.random.default_rng(rng)
    if words is not None:
        return rng.integers(1, words, size=(n, *shape))
    return rng.random((n, *shape), np.float32)


# ---- stages


def _check(copy: Network, n: int, room: int, rounds: int, tau: int | None, kappa: int) -> None:
    """Raise ValueError before any query for arguments that would fail after one."""
    for name, value, low in (("rounds", rounds, 0), ("tau", tau, 1), ("kappa", kappa, 1)):
        if value is not None and value < low:
            raise ValueError(f"expected {name}= of at least {low}, got {value}; change it")
    if room < n:
        raise ValueError(f"expected budget= of at least the {n} seed rows, got {room}; raise it")
    if isinstance(copy.layers[0], Embedding | BagOfWords):
        wanted = "expected a copy that is differentiable in its inputs"
        raise ValueError(f"{wanted}, got one of word numbers; use learning.active")


def _buy(result: LearnedResult, oracle: Oracle, rows: Array) -> None:
    trace, before = result.trace, len(result.trace.rows)
    if len(rows) == 0:  # all that came out had been bought
        result.chosen.append(np.arange(0))
        return
    answers = oracle.query(rows)
    trace.rows = np.concatenate([trace.rows, rows])
    trace.answers = answers if before == 0 else np.concatenate([trace.answers, answers])
    result.chosen.append(np.arange(before, len(trace.rows)))
    result.notes["query" if before else "seed"] = f"{len(trace.rows):,} labelled rows"
    if before:
        labels = labels_of(targets(answers, oracle.output, result.model.outputs))
        share = float((result.model.labels(rows) == labels).mean())
        result.notes["verify"] = (
            f"not verified, as no learned copy is: the copy before the last agreed on {share:.1%} "
            f"of the {len(rows):,} rows bought after it, which lie close beside its training rows"
        )
    else:
        result.notes["verify"] = "not verified: all rows were trained on"


def _learn(
    result: LearnedResult,
    oracle: Oracle,
    copy: Network,
    training: dict[str, Any],
    rng: np.random.Generator,
    evaluate: Evaluate | None,
) -> None:
    trace = result.trace
    soft = targets(trace.answers, oracle.output, copy.outputs)
    history = fit(copy, trace.rows, soft, **training, rng=rng)
    if history.interrupted:
        raise KeyboardInterrupt
    result.model, turn = copy, len(result.curve)
    result.curve.append(
        Round(
            round=turn,
            queries=len(trace.rows),
            epochs=len(history.loss),
            kept=history.best + 1,
            loss=history.loss[-1],
            evaluated=evaluation(evaluate, copy),
        )
    )
    result.notes["train"] = f"{turn + 1} copies, the last on {len(trace.rows):,} rows"
