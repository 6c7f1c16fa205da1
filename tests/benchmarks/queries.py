"""Exact copies in fewer queries than parameters: queries, error and time, seed by seed.

    MSTHEFT_DATA=… python tests/benchmarks/queries.py [--only 784-128-10,small] [--seeds N]

Prints a Markdown table and writes it to RESULTS.md. F = (number of weights + K) / K is the floor
below which no generic network is determined. Errors are on 10,000 N(0, I) inputs, on the 10,000
test images for trained victims. A failed seed counts as failed: lines that are searched again are
part of the attack, and their queries are counted. Victims: He-initialised, biases N(0, 0.1²),
float64.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from judged import gaussian, judge, run
from results import aside

import mstheft as mt

SMALL = 10_000  # random small victims, d, h, K up to 30, 20, 5
WRONG = 1e-5  # a verified copy of a small victim that is off by more is a wrong one

COLUMNS = (
    *("victim", "verified", "queries (median)", "queries / F (median, worst)"),
    *("max abs Δlogit (median, worst)", "agreement (worst)", "seconds (median)"),
    *("published", "goal"),
)


@dataclass
class Case:
    """A row of the table.

    name : d-h-K, after what the victim is
    victim : seed -> Network; test : (Network, seed) -> inputs to judge on
    steal : (oracle, seed) -> Result
    seeds : how many; published : queries of the literature for the same size, log2
    goal : what issue and design ask for
    """

    name: str
    victim: Callable[[int], Any]
    test: Callable[[Any, int], np.ndarray]
    steal: Callable[[Any, int], Any]
    seeds: int
    goal: str
    published: float | None = None


def random(shape: str, activation: str = "relu") -> Callable[[int], Any]:
    widths = [int(n) for n in shape.split("-")]
    return lambda seed: mt.nn.zoo.mlp(widths, activation=activation, bias=0.1, rng=seed)


def trained(name: str, hidden: int, epochs: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A network of the real training images in float32, its weights then taken as float64."""
    read = getattr(mt.data.images, name)

    def victim(seed: int) -> Any:
        x, y = read("train", flat=True, dtype=np.float32)
        network = mt.nn.zoo.mlp([x.shape[1], hidden, 10], rng=seed, dtype=np.float32)
        mt.nn.fit.fit(network, x, y, epochs=epochs, batch=128, rng=seed)
        return mt.nn.zoo.given(network.dense())

    return victim, lambda network, seed: read("test", flat=True, dtype=np.float64).x


def sweep(oracle: Any, seed: int) -> Any:
    return mt.direct.sweep.extract(oracle, rng=seed + 10_000)


def relu_case(shape: str, seeds: int, goal: str, published: float | None = None) -> Case:
    return Case(shape, random(shape), gaussian, sweep, seeds, goal, published)


def smooth_case(activation: str, shape: str, seeds: int, goal: str) -> Case:
    def steal(oracle: Any, seed: int) -> Any:
        return mt.direct.smooth.extract(oracle, rng=seed + 10_000, activation=activation)

    name = f"{activation} {shape}"
    return Case(name, random(shape, activation), gaussian, steal, seeds, goal)


def trained_case(name: str, shape: str, epochs: int, goal: str) -> Case:
    victim, test = trained(name, int(shape.split("-")[1]), epochs)
    return Case(f"{shape} {name}", victim, test, sweep, 5, goal)


SWEEP = [
    relu_case("784-128-10", 200, "≤ 1.40 median, 1.6 worst; 1e-8, 1e-6 worst; 2 s", 20.2),
    relu_case("784-128-1", 50, "≤ 1.05; 1e-7; 10 s", 21.5),
    relu_case("784-512-10", 50, "≤ 1.35; 1e-7; 15 s"),
    relu_case("3072-256-10", 20, "≤ 1.35; 1e-7; 20 s"),
    trained_case("mnist", "784-512-10", 3, "≤ 1.5; 1e-6, 100 %; 30 s"),
    trained_case("cifar10", "3072-256-10", 5, "≤ 1.5; 1e-6, 100 %; 30 s"),
]
SMOOTH = [
    smooth_case("tanh", "784-32-10", 50, "≤ 5; 1e-9; 20 s"),
    smooth_case("sigmoid", "784-32-10", 50, "≤ 5; 1e-9; 20 s"),
    smooth_case("softplus", "784-32-10", 10, ""),
    smooth_case("tanh", "784-32-1", 10, ""),
    smooth_case("tanh", "784-128-10", 10, "≤ 5; 1e-8; 120 s"),
    smooth_case("sigmoid", "784-128-10", 5, ""),
]
CASES = [*SWEEP, *SMOOTH]


def one(case: Case, seed: int) -> dict[str, float]:
    """A seed: verified, queries, queries / F, error, agreement, seconds."""
    victim = case.victim(seed)
    oracle = mt.Oracle(victim)
    began = time.perf_counter()
    model = None
    try:
        model = case.steal(oracle, seed).model
    except mt.errors.ExtractionError as error:
        aside(f"{case.name}, seed {seed}: {error}")
    took = time.perf_counter() - began
    return {**judge(victim, model, oracle, case.test(victim, seed)), "seconds": took}


def row(case: Case, seeds: int) -> None:
    told = [one(case, seed) for seed in range(seeds)]
    every = {key: np.array([each[key] for each in told]) for key in told[0]}
    count, F = np.median(every["queries"]), every["F"]
    published = "–"
    if case.published is not None:
        published = f"2^{case.published} ({2**case.published / count:.0f} times as many)"
    print(
        f"| {case.name} | {every['verified'].sum()} of {seeds} "
        f"| {count:,.0f} = 2^{np.log2(count):.2f} | {np.median(F):.3f}, {F.max():.3f} "
        f"| {np.median(every['error']):.1e}, {every['error'].max():.1e} "
        f"| {100 * every['agreement'].min():.2f} % | {np.median(every['seconds']):.1f} "
        f"| {published} | {case.goal} |",
        flush=True,
    )


def small(seeds: int) -> None:
    """Random small victims, d, h, K drawn up to 30, 20, 5: does any hang, or come back wrong?"""
    verified, wrong, slowest, ratios = 0, [], 0.0, []
    for seed in range(seeds):
        rng = np.random.default_rng([seed, 5])
        d, h, K = (int(rng.integers(1, most + 1)) for most in (30, 20, 5))
        told = one(relu_case(f"{d}-{h}-{K}", 1, ""), seed)
        verified += bool(told["verified"])
        slowest = max(slowest, told["seconds"])
        ratios.append(told["F"])
        if told["verified"] and not told["error"] < WRONG:
            wrong.append(seed)
    print(
        f"{seeds:,} random small victims (d, h, K drawn up to 30, 20, 5, with h ≥ d and K = 1\n"
        f"among them): {verified:,} came back verified, {seeds - verified:,} ended in an\n"
        f"ExtractionError, {len(wrong)} came back verified and wrong {wrong}; the slowest took\n"
        f"{slowest:.1f} s, and the median of queries / F is {np.median(ratios):.2f}.",
        flush=True,
    )


if __name__ == "__main__":
    run("queries", __doc__.splitlines()[0], CASES, COLUMNS, row, small, SMALL)
