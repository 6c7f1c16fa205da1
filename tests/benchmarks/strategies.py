"""k-center beside its bare matrix products in time and memory, and DeepFool, which DFAL lives on.

    MSTHEFT_DATA=… python tests/benchmarks/strategies.py [--pool 100000] [--choose 10000] [--naive]

The bare products are those of all pool outputs with all chosen ones, (n, K) @ (K, k), in float64
and in blocks, at the fastest of several block sizes: what any greedy must compute that looks at
every distance. They are run three times and the median is printed. DeepFool moves 5,000 MNIST test
images across the boundary of a small CNN that was trained on 10,000 others for an epoch, once.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from mstheft.adversarial import deepfool
from mstheft.data import images
from mstheft.learning import kcenter
from mstheft.nn import fit, zoo
from mstheft.nn.functions import softmax

GOAL_RATIO, GOAL_MEMORY = 3, 500
MOVED, GOAL_SECONDS = 5000, 60


def seconds(work: Callable[[], Any], times: int = 3) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return float(np.median(took))


def products(outputs: np.ndarray, k: int, centres: int, block: int) -> None:
    rows = outputs.astype(np.float64)
    step = max(1, block // centres)
    out = np.empty((step, centres))
    for j in range(0, k, centres):
        across = np.ascontiguousarray(rows[j : min(j + centres, k)].T)
        for i in range(0, len(rows), step):
            part = rows[i : i + step]
            np.matmul(part, across, out=out[: len(part), : across.shape[1]])


def peak(work: Callable[[], Any]) -> float:
    """MiB that Python and NumPy had at once, beside what was there before."""
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 2**20


def clouds(n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Outputs as copies give them: unsure, sure, saturated; and with many rows in one place."""
    logits = rng.normal(size=(n, 10))
    named = {"unsure": 1, "sure": 4, "saturated": 30}
    outputs = {name: softmax(scale * logits) for name, scale in named.items()}
    return {**outputs, "rounded": np.round(outputs["saturated"], 3)}


def moved() -> str:
    """DeepFool on test images, all of one batch's rows at a time."""
    (x, y), (x_test, _) = (images.mnist(part, dtype=np.float32) for part in ("train", "test"))
    network = zoo.small_cnn((28, 28, 1), 10, rng=0)
    fit.fit(network, x[:10_000], y[:10_000], epochs=1, rng=0)
    began = time.perf_counter()
    found = deepfool(network, x_test[:MOVED])
    took = time.perf_counter() - began
    return (
        f"DeepFool, {MOVED:,} MNIST images, small CNN: {took:.1f} s, {found.flipped.mean():.1%} "
        f"flipped, {found.steps.mean():.1f} steps on average; goal: {GOAL_SECONDS} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pool", type=int, default=100_000)
    parser.add_argument("--choose", type=int, default=10_000)
    parser.add_argument("--naive", action="store_true", help="compare with the naive greedy too")
    asked = parser.parse_args()
    n, k = asked.pool, asked.choose
    labelled, free = np.arange(n // 100), np.arange(n // 100, n)
    sizes = [(c, b) for c in (128, 1024) for b in (1 << 15, 1 << 17)]
    print(f"k-center, {k:,} of {n:,}, K = 10, {len(labelled):,} labelled")
    print(f"{'outputs':<12}{'products':>10}{'greedy':>10}{'ratio':>8}{'MiB':>8}")
    for name, outputs in clouds(n, np.random.default_rng(0)).items():
        bare = min(seconds(lambda o=outputs, s=s: products(o, k, *s)) for s in sizes)
        greedy = seconds(lambda o=outputs: kcenter.greedy(o, labelled, free, k))
        memory = peak(lambda o=outputs: kcenter.greedy(o, labelled, free, k))
        print(
            f"{name:<12}{bare:>9.2f}s{greedy:>9.2f}s{greedy / bare:>8.2f}{memory:>8.0f}", flush=True
        )
        if asked.naive:
            same = np.array_equal(
                kcenter.greedy(outputs, labelled, free, k),
                kcenter.greedy_naive(outputs, labelled, free, k),
            )
            print(f"{'':<12}{'equal to the naive greedy' if same else 'DIFFERS FROM THE NAIVE'}")
    print(f"goals: ratio at most {GOAL_RATIO}, memory below {GOAL_MEMORY} MiB")
    print(moved())


if __name__ == "__main__":
    main()
