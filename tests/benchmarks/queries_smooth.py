"""Smooth networks stolen by their derivatives, measured: queries, error, time.

    python tests/benchmarks/queries_smooth.py [--only tanh-32,sigmoid-32,tanh-128] [--seeds N]

Prints a Markdown table. A failed seed counts as failed, with the queries that it spent; errors and
seconds are over the seeds that were verified. `--first` takes other victims.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

import mstheft as mt

ROWS: dict[str, tuple[str, list[int], int]] = {
    "tanh-32": ("tanh", [784, 32, 10], 50),
    "sigmoid-32": ("sigmoid", [784, 32, 10], 50),
    "softplus-32": ("softplus", [784, 32, 10], 50),
    "tanh-32-1": ("tanh", [784, 32, 1], 10),
    "tanh-128": ("tanh", [784, 128, 10], 10),
    "sigmoid-128": ("sigmoid", [784, 128, 10], 10),
    "softplus-128": ("softplus", [784, 128, 10], 10),
}


def seed_of(activation: str, widths: list[int], seed: int) -> tuple[Any, ...]:
    """(verified, queries, max |Δlogit| on 10,000 N(0, I) inputs, seconds) for one random victim."""
    victim = mt.nn.zoo.mlp(widths, activation=activation, bias=0.1, rng=seed)
    oracle = mt.Oracle(victim)
    began = time.perf_counter()
    try:
        result = mt.direct.smooth.extract(oracle, rng=seed + 10_000, activation=activation)
    except mt.errors.ExtractionError as error:
        print(f"<!-- {activation} {widths} seed {seed}: {error} -->", flush=True)
        return False, oracle.count, np.nan, np.nan
    took = time.perf_counter() - began
    x = np.random.default_rng(seed + 20_000).normal(size=(10_000, widths[0]))
    gap = np.abs(victim.logits(x) - result.model.logits(x)).max()
    return result.verified, oracle.count, gap, took


def row(name: str, seeds: range) -> str:
    """One line of the table."""
    activation, widths, _ = ROWS[name]
    d, h, outputs = widths
    floor = mt.result.floor(h * d + outputs * h, outputs)
    seen = [seed_of(activation, widths, seed) for seed in seeds]
    verified, queries, gaps, seconds = (np.array(each) for each in zip(*seen, strict=True))
    share, good = queries / floor, verified.astype(bool)
    told = [f"{activation} {'-'.join(map(str, widths))}", f"{good.sum()} of {len(good)}"]
    told += [f"{int(np.median(queries)):,}", f"{np.median(share):.2f} / {share.max():.2f}"]
    if good.any():
        told.append(f"{np.median(gaps[good]):.0e} / {gaps[good].max():.0e}")
        told.append(f"{np.median(seconds[good]):.1f} / {seconds[good].max():.1f}")
    return f"| {' | '.join(told)} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(ROWS), help=f"some of {', '.join(ROWS)}")
    parser.add_argument("--seeds", type=int, help="victims for each row")
    parser.add_argument("--first", type=int, default=0, help="seed of the first victim")
    chosen = parser.parse_args()
    print("| victim | verified | queries | queries / F, median / worst ", end="")
    print("| max abs Δlogit, median / worst | seconds, median / worst |")
    print(f"|{'---|' * 6}")
    for name in chosen.only.split(","):
        count = chosen.seeds or ROWS[name][2]
        print(row(name, range(chosen.first, chosen.first + count)), flush=True)
