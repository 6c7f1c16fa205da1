"""A hidden layer from labels alone: rows, queries, labels and time, seed by seed.

    MSTHEFT_DATA=… python tests/benchmarks/labels.py [--only 20-8-1] [--seeds 3] [--table]

A row of the table is a victim. Random ones are He-initialised with biases N(0, 0.3²), in float64; a
draw whose 2,000 rows of N(0, I) all have one label is drawn again. Trained ones are judged on their
images, too. Queries, seconds are medians over the seeds that were verified, labels the worst of
them; a row of a neuron is right when it is the victim's to 1e-4. Every theft is written at once
into `labels/runs.jsonl` beside this file and is not repeated when the script is started again;
`--table` steals nothing more.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from direct import trained
from results import aside, table, write
from runs import missing

import mstheft as mt

SEEDS = 10
RUNS = Path(__file__).parent / "labels" / "runs.jsonl"
HEAD = "victim | verified | rows right (median, least) | left open by labels | queries (median) | "
HEAD += "log2 (median, most) | labels equal, N(0, I) (worst) | of | images | seconds | goal"
GOALS = {
    "20-4-1": "2^16",
    "20-8-1": "2^16",
    "100-8-1": "2^17.8",
    "100-32-1": "2^19.5",
    "300-16-1": "2^21",
    "784-2-1": "2^20",
    "784-8-1": "2^20.5",
    "784-16-1": "2^21",
    "64-16-10 digits": "told",
    "784-32-10 MNIST float32": "99.9 % of the images",
}
BUDGET = 4_000_000
MANY, FEW = 1_000_000, 200_000  # rows judged, of up to 300 inputs and of more


@dataclass
class Outcome:
    """One theft. images : share of the test images with the same label, NaN without images"""

    verified: bool
    right: int
    open: int
    queries: int
    equal: float
    judged: int
    images: float
    seconds: float


def random(widths: list[int], seed: int) -> mt.Network:
    """A random victim with both labels."""
    rng = np.random.default_rng([seed, *widths])
    while True:
        victim = mt.nn.zoo.mlp(widths, bias=0.3, rng=rng)
        if len(np.unique(victim.labels(rng.normal(size=(2000, widths[0]))))) > 1:
            return victim


def digits(seed: int) -> tuple[mt.Network, np.ndarray]:
    """64-16-10 trained on the digits of scikit-learn, and their 1,797 images."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    network = mt.nn.zoo.mlp([64, 16, 10], rng=seed)
    mt.nn.fit.fit(network, x / 16, y, epochs=60, batch=128, rng=seed)
    return network, x / 16


def mnist(seed: int) -> tuple[mt.Network, np.ndarray]:
    """784-32-10 trained on MNIST, in float32, and the test images."""
    x, y = mt.data.images.mnist("train")
    network = trained(32, x, y, seed)
    victim = mt.Network(network.layers, network.shape, np.float32)
    return victim, mt.data.images.mnist("test").x.astype(np.float32)


def stolen(name: str, seed: int) -> Outcome:
    """One theft, judged on fresh rows."""
    images = None
    if name.endswith("digits"):
        victim, images = digits(seed)
    elif name.endswith("float32"):
        victim, images = mnist(seed)
    else:
        victim = random([int(n) for n in name.split("-")], seed)
    oracle, began = mt.Oracle(victim, output="label", budget=BUDGET), time.perf_counter()
    try:
        result = mt.direct.labels.extract(oracle, rng=seed)
    except mt.errors.MstheftError as error:
        aside(f"  {error}")
        result = error.partial
    took = time.perf_counter() - began
    judged = MANY if victim.inputs <= 300 else FEW
    trace, model = result.trace, result.model
    equal = np.nan if model is None else agreement(victim, model, judged, seed)
    seen = (
        np.nan if model is None or images is None else mt.compare.agreement(victim, model, images)
    )
    right = 0 if trace is None else right_rows(victim, trace)
    left = 0 if trace is None else trace.rows.undetermined
    return Outcome(result.verified, right, left, oracle.count, equal, judged, seen, took)


def right_rows(victim: mt.Network, trace: object) -> int:
    """How many of the victim's neurons have a row of the copy."""
    A0, b0 = victim.dense()[0]
    true = np.column_stack([A0, b0]) / np.linalg.norm(A0, axis=1, keepdims=True)
    planes = trace.rows.planes
    mine = np.column_stack([planes[:, :-1] @ trace.basis, planes[:, -1]])
    apart = [np.abs(true[:, None] - sign * mine).max(axis=2, initial=0) for sign in (1, -1)]
    return int((np.minimum(*apart).min(axis=1, initial=9) < 1e-4).sum())


def agreement(victim: mt.Network, model: mt.Network, rows: int, seed: int) -> float:
    """On fresh rows of N(0, I), 20,000 at a time."""
    rng, same = np.random.default_rng([seed, 999]), 0
    for _ in range(rows // 20_000):
        x = rng.normal(size=(20_000, victim.inputs))
        same += int((victim.labels(x) == model.labels(x)).sum())
    return same / rows


def line(name: str, outcomes: list[Outcome]) -> list[str]:
    """A row of the table."""
    kept = [each for each in outcomes if each.verified] or outcomes
    queries = [each.queries for each in kept]
    rights = [each.right for each in kept]
    images = min(each.images for each in kept)
    return [
        name,
        f"{sum(each.verified for each in outcomes)} of {len(outcomes)}",
        f"{np.median(rights):.0f}, {min(rights)}",
        f"{sum(each.open for each in kept)}",
        f"{np.median(queries):,.0f}",
        f"2^{np.log2(np.median(queries)):.1f}, 2^{np.log2(max(queries)):.1f}",
        f"{100 * min(each.equal for each in kept):.4f} %",
        f"{kept[0].judged:,}",
        "–" if np.isnan(images) else f"{100 * images:.2f} %",
        f"{np.median([each.seconds for each in kept]):.0f}",
        GOALS[name],
    ]


def main() -> None:
    found = missing(__doc__, RUNS, GOALS, Outcome, stolen, SEEDS)
    text = table(HEAD.split(" | "), [line(name, outcomes) for name, outcomes in found.items()])
    print(text)
    write("labels", text)


if __name__ == "__main__":
    main()
