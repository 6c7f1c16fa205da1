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
HEAD += " | misfit / noise | max Δlogit on test images | agreement | seconds"


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
    return stolen(victim, lambda oracle: mt.learning.exact.extract(oracle, hidden=32, rng=seed))


def stolen(victim: mt.Network, attack: Callable[[mt.Oracle], mt.Result]) -> Outcome:
    """Run an attack that polishes at its end. One that stops is judged by its partial result."""
    oracle, began = mt.Oracle(victim), time.perf_counter()
    try:
        result = attack(oracle)
    except mt.errors.ExtractionError as error:
        aside(f"  {error}")
        result = error.partial
    took = time.perf_counter() - began
    for stage, note in result.notes.items():
        aside(f"  {stage}: {note} ({result.seconds[stage]:.0f} s)")
    x = mt.data.images.mnist("test").x
    (A0, _), _ = victim.dense()
    polished = result.trace.polished
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


ROWS: dict[str, Callable[[int], Outcome]] = {"learned": learned}


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
