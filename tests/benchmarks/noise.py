"""Answers as they come: float32, decimals, probabilities. What each attack still reaches.

    MSTHEFT_DATA=… python tests/benchmarks/noise.py [--only learned] [--seeds 3]

A row of the table is a function here: a victim, its answers, an attack. Victims compute in float32;
seeds draw victim, rows and copy. Queries, seconds and ratios are medians, errors the worst seed,
over the seeds that were verified. Writes the table of RESULTS.md when all rows and seeds are run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from direct import trained
from results import aside, recorded, table

import mstheft as mt

SEEDS = 3  # a theft takes minutes
HEAD = "victim | answers | attack | verified | right width | queries | queries / F | noise"
HEAD += " | misfit / noise | max Δlogit | agreement | seconds"


@dataclass
class Outcome:
    """One theft, judged on the test images."""

    verified: bool
    is_width: bool
    queries: int
    floor: float
    noise: float
    ratio: float
    error: float
    agreement: float
    seconds: float


def learned(seed: int) -> Outcome:
    """784-32-10 trained on MNIST | float32 logits | learned to exact, N(0, I)"""
    x, y = mt.data.images.mnist("train")
    network = trained(32, x, y, seed)
    victim = mt.Network(network.layers, network.shape, np.float32)
    attack = lambda oracle: mt.learning.exact.extract(oracle, hidden=32, rng=seed)  # noqa: E731
    return stolen(victim, attack, x=mt.data.images.mnist("test").x)


def initialised(shape: list[int], seed: int, activation: str = "relu") -> mt.Network:
    """A float32 victim with the weights that PyTorch begins with: U(-1/√d, 1/√d), biases too."""
    rng = np.random.default_rng([seed, 7])
    network = mt.nn.zoo.mlp(shape, activation=activation, rng=rng, dtype=np.float32)
    for weights, bias in network.dense():
        for values in (weights, bias):
            values[...] = rng.uniform(-1, 1, values.shape) / np.sqrt(weights.shape[1])
    return network


def swept(shape: list[int], seed: int) -> Outcome:
    """The sweep on such a victim."""
    return stolen(initialised(shape, seed), lambda box: mt.direct.sweep.extract(box, rng=seed))


def sweep_16(seed: int) -> Outcome:
    """784-16-10, as PyTorch begins | float32 logits | sweep"""
    return swept([784, 16, 10], seed)


def sweep_64(seed: int) -> Outcome:
    """784-64-10, as PyTorch begins | float32 logits | sweep"""
    return swept([784, 64, 10], seed)


def decimals_4(seed: int) -> Outcome:
    """64-32-10, as PyTorch begins, float64 | logits, 4 decimals, no walls | sweep"""
    return rounded(seed, 4)


def decimals_2(seed: int) -> Outcome:
    """64-32-10, as PyTorch begins, float64 | logits, 2 decimals, no walls | sweep"""
    return rounded(seed, 2)


def decimals_1(seed: int) -> Outcome:
    """64-32-10, as PyTorch begins, float64 | logits, 1 decimal, no walls | sweep"""
    return rounded(seed, 1)


def rounded(seed: int, decimals: int) -> Outcome:
    """The sweep behind so many decimals, which nobody declares."""
    single = initialised([64, 32, 10], seed)
    victim = mt.Network(single.layers, single.shape, np.float64)
    gives = mt.Oracle(lambda x: np.round(victim.logits(x), decimals), inputs=64)
    return stolen(victim, lambda box: mt.direct.sweep.extract(box, rng=seed), gives)


def tanh_32(seed: int) -> Outcome:
    """784-32-10 tanh, as PyTorch begins | float32 logits | smooth"""
    victim = initialised([784, 32, 10], seed, "tanh")
    return stolen(victim, lambda box: mt.direct.smooth.extract(box, activation="tanh", rng=seed))


def deep_64(seed: int) -> Outcome:
    """64-32-16-10, He | float32 logits | deep"""
    return behind([64, 32, 16, 10], seed)


def deep_784(seed: int) -> Outcome:
    """784-64-32-10, He | float32 logits | deep"""
    return behind([784, 64, 32, 10], seed)


def behind(shape: list[int], seed: int) -> Outcome:
    """The deep attack on a He-initialised float32 victim with biases N(0, 0.1²)."""
    exact = mt.nn.zoo.mlp(shape, bias=0.1, rng=seed)
    victim = mt.Network(exact.layers, exact.shape, np.float32)
    return stolen(victim, lambda box: mt.direct.deep.extract(box, rng=seed))


def stolen(
    victim: mt.Network,
    attack: Callable[[mt.Oracle], mt.Result],
    oracle: mt.Oracle | None = None,
    x: np.ndarray | None = None,
) -> Outcome:
    """Run an attack that polishes at its end. One that stops is judged by its partial result.

    x : rows on which the copy is judged; 2,000 of N(0, I) unless given
    """
    oracle, began = oracle or mt.Oracle(victim), time.perf_counter()
    x = np.random.default_rng(99).normal(size=(2000, victim.inputs)) if x is None else x
    x = x.astype(np.float32)
    try:
        result = attack(oracle)
    except mt.errors.ExtractionError as error:
        aside(f"  {error}")
        result = error.partial
    took = time.perf_counter() - began
    for stage, note in result.notes.items():
        aside(f"  {stage}: {note} ({result.seconds[stage]:.0f} s)")
    (A0, _), _ = victim.dense()
    trace = result.trace
    polished = trace.polishing.polished if hasattr(trace, "polishing") else trace.polished
    return Outcome(
        verified=result.verified,
        is_width=len(result.model.dense()[0][0]) == len(A0),
        queries=oracle.count,
        floor=mt.result.floor(sum(W.size for W, _ in victim.dense()), victim.outputs),
        noise=polished.noise if polished else np.nan,
        ratio=polished.ratio if polished else np.nan,
        error=float(np.abs(victim.logits(x).astype(float) - result.model.logits(x)).max()),
        agreement=mt.compare.agreement(victim, result.model, x),
        seconds=took,
    )


ROWS: dict[str, Callable[[int], Outcome]] = {
    "sweep-16": sweep_16,
    "sweep-64": sweep_64,
    "decimals-4": decimals_4,
    "decimals-2": decimals_2,
    "decimals-1": decimals_1,
    "tanh-32": tanh_32,
    "learned": learned,
    "deep-64": deep_64,
    "deep-784": deep_784,
}


def line(name: str, seeds: int) -> list[str]:
    """A row of the table: its words are the docstring of its function."""
    outcomes = []
    for seed in range(seeds):
        outcomes.append(ROWS[name](seed))
        aside(f"{name}, seed {seed}: {outcomes[-1]}")
    kept = [each for each in outcomes if each.verified] or outcomes

    def middle(of: Callable[[Outcome], float]) -> float:
        return float(np.median([of(each) for each in kept]))

    return [
        *(ROWS[name].__doc__ or "").split(" | "),
        f"{sum(each.verified for each in outcomes)} of {seeds}",
        f"{sum(each.is_width for each in outcomes)} of {seeds}",
        f"{middle(lambda each: each.queries):,.0f}",
        f"{middle(lambda each: each.queries / each.floor):.1f}",
        f"{middle(lambda each: each.noise):.1e}",
        f"{middle(lambda each: each.ratio):.2f}",
        f"{max(each.error for each in kept):.1e}",
        f"{100 * min(each.agreement for each in kept):.2f} %",
        f"{middle(lambda each: each.seconds):.0f}",
    ]


def lines(names: list[str], seeds: int) -> Iterator[list[str]]:
    """The rows of these names."""
    for name in names:
        yield line(name, seeds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(ROWS), help=f"some of {', '.join(ROWS)}")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    args = parser.parse_args()
    names = args.only.split(",")
    with recorded("noise", whole=names == list(ROWS) and args.seeds == SEEDS):
        print(table(HEAD.split(" | "), list(lines(names, args.seeds))))


if __name__ == "__main__":
    main()
