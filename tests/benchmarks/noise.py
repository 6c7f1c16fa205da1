"""Answers as they come: float32, decimals, probabilities. What each attack still reaches.

    MSTHEFT_DATA=… python tests/benchmarks/noise.py [--only learned] [--seeds 3] [--table]

A row of the table is a function here: a victim, its answers, an attack. Victims compute in float32;
seeds draw victim, rows and copy. Queries, seconds and ratios are medians, errors the worst seed,
over the seeds that were verified. Every theft is written at once into `noise/runs.jsonl` beside
this file and is not repeated when the script is started again. The table of RESULTS.md tells all
of them, and of how many victims a row speaks; `--table` steals nothing more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from direct import trained
from results import aside, table, write
from runs import missing

import mstheft as mt
from mstheft.data import pools
from mstheft.experiments import precision

SEEDS = 10
RUNS = Path(__file__).parent / "noise" / "runs.jsonl"
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


def photographs(seed: int) -> Outcome:
    """784-32-10 trained on MNIST | float32 logits | learned to exact, 15,000 of Tiny ImageNet"""
    x, y = mt.data.images.mnist("train")
    network = trained(32, x, y, seed)
    victim = mt.Network(network.layers, network.shape, np.float32)
    rows = pools.pool("tiny-imagenet", (28, 28), 15_000, seed)
    attack = lambda box: mt.learning.exact.extract(box, rows=rows, hidden=32, rng=seed)  # noqa: E731
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


def sweep_128(seed: int) -> Outcome:
    """784-128-10, as PyTorch begins | float32 logits | sweep"""
    return swept([784, 128, 10], seed)


def swept_mnist(hidden: int, seed: int) -> Outcome:
    """The sweep on a float32 victim that has learned MNIST."""
    x, y = mt.data.images.mnist("train")
    network = trained(hidden, x, y, seed)
    victim = mt.Network(network.layers, network.shape, np.float32)
    test = mt.data.images.mnist("test").x
    return stolen(victim, lambda box: mt.direct.sweep.extract(box, rng=seed), x=test)


def mnist_16(seed: int) -> Outcome:
    """784-16-10 trained on MNIST | float32 logits | sweep"""
    return swept_mnist(16, seed)


def mnist_64(seed: int) -> Outcome:
    """784-64-10 trained on MNIST | float32 logits | sweep"""
    return swept_mnist(64, seed)


def mnist_128(seed: int) -> Outcome:
    """784-128-10 trained on MNIST | float32 logits | sweep"""
    return swept_mnist(128, seed)


def decimals_4(seed: int) -> Outcome:
    """64-32-10 trained on the digits, float64 | logits, 4 decimals, no walls | sweep"""
    return rounded(seed, 4)


def decimals_2(seed: int) -> Outcome:
    """64-32-10 trained on the digits, float64 | logits, 2 decimals, no walls | sweep"""
    return rounded(seed, 2)


def decimals_1(seed: int) -> Outcome:
    """64-32-10 trained on the digits, float64 | logits, 1 decimal, no walls | sweep"""
    return rounded(seed, 1)


def decimals_0(seed: int) -> Outcome:
    """64-32-10 trained on the digits, float64 | logits, 0 decimals, no walls | sweep"""
    return rounded(seed, 0)


def rounded(seed: int, decimals: int) -> Outcome:
    """The sweep behind so many decimals, which nobody declares."""
    victim, _ = digits(32, seed)
    gives = mt.Oracle(lambda x: np.round(victim.logits(x), decimals), inputs=64)
    attack = lambda box: mt.direct.sweep.extract(box, rng=seed)  # noqa: E731
    return stolen(victim, attack, gives)


def probable(seed: int, decimals: int | None) -> Outcome:
    """784-64-10 trained on MNIST, behind float32 probabilities, or so many decimals of these."""
    x, y = mt.data.images.mnist("train")
    network = trained(64, x, y, seed)
    victim = mt.Network(network.layers, network.shape, np.float32)
    gives: dict[str, Any] = {"inputs": 784, "gives": "probs", "output": "probs"}
    single = lambda x: victim.probs(x.astype(np.float32))  # noqa: E731
    answer = single if decimals is None else lambda x: np.round(single(x).astype(float), decimals)
    attack = lambda box: mt.learning.sketched.extract(box, rng=seed)  # noqa: E731
    test = mt.data.images.mnist("test").x
    return stolen(victim, attack, mt.Oracle(answer, **gives), test)


def probs_float32(seed: int) -> Outcome:
    """784-64-10 trained on MNIST | float32 probabilities | learned in a sketch"""
    return probable(seed, None)


def probs_4(seed: int) -> Outcome:
    """784-64-10 trained on MNIST | probabilities, 4 decimals | learned in a sketch"""
    return probable(seed, 4)


def probs_3(seed: int) -> Outcome:
    """784-64-10 trained on MNIST | probabilities, 3 decimals | learned in a sketch"""
    return probable(seed, 3)


def probs_2(seed: int) -> Outcome:
    """784-64-10 trained on MNIST | probabilities, 2 decimals | learned in a sketch"""
    return probable(seed, 2)


def digits_probs(seed: int) -> Outcome:
    """64-32-10 trained on the digits, ONNX Runtime | float32 probabilities | sweep"""
    network, x = digits(32, seed)
    victim = mt.Network(network.layers, network.shape, np.float32)
    oracle = mt.Oracle(session(victim), output="probs", gives="probs")
    return stolen(victim, lambda box: mt.direct.sweep.extract(box, rng=seed), oracle, x)


def session(network: mt.Network) -> Any:
    """The network with a softmax behind it, in ONNX Runtime."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    weights, nodes, name = [], [], "x"
    for n, (W, b) in enumerate(network.dense()):
        weights += [numpy_helper.from_array(W, f"W{n}"), numpy_helper.from_array(b, f"b{n}")]
        nodes.append(helper.make_node("Gemm", [name, f"W{n}", f"b{n}"], [f"z{n}"], transB=1))
        nodes.append(helper.make_node("Relu", [f"z{n}"], [f"h{n}"]))
        name = f"h{n}"
    nodes[-1] = helper.make_node("Softmax", [nodes[-1].input[0]], ["probabilities"], axis=1)
    width = {"x": network.inputs, "probabilities": network.outputs}
    ports = [
        helper.make_tensor_value_info(k, TensorProto.FLOAT, ["n", m]) for k, m in width.items()
    ]
    graph = helper.make_graph(nodes, "victim", ports[:1], ports[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    cpu = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=cpu)


def digits(hidden: int, seed: int) -> tuple[mt.Network, np.ndarray]:
    """A victim trained on the digits of scikit-learn, and their 1,797 images."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    network = mt.nn.zoo.mlp([64, hidden, 10], rng=seed)
    mt.nn.fit.fit(network, x / 16, y, epochs=60, batch=128, rng=seed)
    return network, x / 16


def boxed(seed: int, decimals: int | None) -> Outcome:
    """The sweep between the walls of [0, 1]^64: float32 logits, or so many decimals of these."""
    network, x = digits(32, seed)
    victim = mt.Network(network.layers, network.shape, np.float32)
    answer = lambda x: np.round(victim.logits(x).astype(float), decimals)  # noqa: E731
    oracle = mt.Oracle(victim if decimals is None else answer, inputs=64)
    attack = lambda oracle: mt.direct.sweep.extract(oracle, rng=seed, low=0, high=1)  # noqa: E731
    return stolen(victim, attack, oracle, x)


def box_float32(seed: int) -> Outcome:
    """64-32-10 trained on the digits | float32 logits, inputs in [0, 1]^64 | sweep"""
    return boxed(seed, None)


def box_4(seed: int) -> Outcome:
    """64-32-10 trained on the digits | logits, 4 decimals, inputs in [0, 1]^64 | sweep"""
    return boxed(seed, 4)


def box_2(seed: int) -> Outcome:
    """64-32-10 trained on the digits | logits, 2 decimals, inputs in [0, 1]^64 | sweep"""
    return boxed(seed, 2)


def box_1(seed: int) -> Outcome:
    """64-32-10 trained on the digits | logits, 1 decimal, inputs in [0, 1]^64 | sweep"""
    return boxed(seed, 1)


def box_0(seed: int) -> Outcome:
    """64-32-10 trained on the digits | logits, whole numbers, inputs in [0, 1]^64 | sweep"""
    return boxed(seed, 0)


def pixels(seed: int) -> Outcome:
    """784-32-10 trained on MNIST | float32 logits, whole pixels from 0 to 255 | sweep"""
    x, y = mt.data.images.mnist("train")
    (a0, b0), last = trained(32, x, y, seed).dense()
    network = mt.nn.zoo.given([(a0 / 255, b0), last])
    victim = mt.Network(network.layers, network.shape, np.float32)
    oracle = mt.Oracle(victim, inputs="pixels")
    attack = lambda oracle: mt.direct.sweep.extract(oracle, rng=seed)  # noqa: E731
    test = np.round(255 * mt.data.images.mnist("test").x)
    return stolen(victim, attack, oracle, test)


def short(seed: int, kind: str) -> Outcome:
    """Learned to exact from logits that are rounded to a short format."""
    victim, x = digits(16, seed)
    answer = lambda x: precision.rounded(victim.logits(x), precision.Form(kind=kind))  # noqa: E731
    oracle = mt.Oracle(answer, inputs=64)
    return stolen(victim, lambda box: mt.learning.exact.extract(box, rng=seed), oracle, x)


def float16(seed: int) -> Outcome:
    """64-16-10 trained on the digits | float16 logits | learned to exact, N(0, I)"""
    return short(seed, "float16")


def bfloat16(seed: int) -> Outcome:
    """64-16-10 trained on the digits | bfloat16 logits | learned to exact, N(0, I)"""
    return short(seed, "bfloat16")


def tanh_32(seed: int) -> Outcome:
    """784-32-10 tanh, as PyTorch begins | float32 logits | smooth"""
    return bent(seed, "tanh")


def sigmoid_32(seed: int) -> Outcome:
    """784-32-10 sigmoid, as PyTorch begins | float32 logits | smooth"""
    return bent(seed, "sigmoid")


def bent(seed: int, activation: str) -> Outcome:
    """The attack on smooth neurons."""
    victim = initialised([784, 32, 10], seed, activation)
    attack = lambda box: mt.direct.smooth.extract(box, activation=activation, rng=seed)  # noqa: E731
    return stolen(victim, attack)


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
    attack: Callable[[mt.Oracle], mt.result.Result],
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
        result = error.partial if isinstance(error.partial, mt.result.Result) else None
    took = time.perf_counter() - began
    floor = mt.result.floor(sum(W.size for W, _ in victim.dense()), victim.outputs)
    if result is None or result.model is None:
        nothing = dict.fromkeys(("noise", "ratio", "error", "agreement"), np.nan)
        return Outcome(False, False, oracle.count, floor, seconds=took, **nothing)
    for stage, note in result.notes.items():
        aside(f"  {stage}: {note} ({result.seconds[stage]:.0f} s)")
    off = victim.logits(x).astype(float) - result.model.logits(x)
    if oracle.output != "logits":
        off -= off.mean(axis=1, keepdims=True)
    trace = result.trace
    polished = getattr(getattr(trace, "polishing", trace), "polished", None)
    return Outcome(
        verified=result.verified,
        is_width=widths(result.model) == widths(victim),
        queries=oracle.count,
        floor=floor,
        noise=polished.noise if polished else np.nan,
        ratio=polished.ratio if polished else np.nan,
        error=float(np.abs(off).max()),
        agreement=mt.compare.agreement(victim, result.model, x),
        seconds=took,
    )


def widths(network: mt.Network) -> list[int]:
    """Of its layers, the last one too."""
    return [len(bias) for _, bias in network.dense()]


ROWS: dict[str, Callable[[int], Outcome]] = {
    "sweep-16": sweep_16,
    "sweep-64": sweep_64,
    "sweep-128": sweep_128,
    "mnist-16": mnist_16,
    "mnist-64": mnist_64,
    "mnist-128": mnist_128,
    "probs-float32": probs_float32,
    "probs-4": probs_4,
    "probs-3": probs_3,
    "probs-2": probs_2,
    "digits-probs": digits_probs,
    "pixels": pixels,
    "box-float32": box_float32,
    "box-4": box_4,
    "box-2": box_2,
    "box-1": box_1,
    "box-0": box_0,
    "decimals-4": decimals_4,
    "decimals-2": decimals_2,
    "decimals-1": decimals_1,
    "decimals-0": decimals_0,
    "tanh-32": tanh_32,
    "sigmoid-32": sigmoid_32,
    "deep-64": deep_64,
    "deep-784": deep_784,
    "float16": float16,
    "bfloat16": bfloat16,
    "learned": learned,
    "photographs": photographs,
}


def line(name: str, outcomes: list[Outcome]) -> list[str]:
    """A row of the table: its words are the docstring of its function."""
    kept = [each for each in outcomes if each.verified] or outcomes

    def middle(of: Callable[[Outcome], float]) -> float:
        return float(np.median([of(each) for each in kept]))

    return [
        *(ROWS[name].__doc__ or "").split(" | "),
        f"{sum(each.verified for each in outcomes)} of {len(outcomes)}",
        f"{sum(each.is_width for each in outcomes)} of {len(outcomes)}",
        f"{middle(lambda each: each.queries):,.0f}",
        f"{middle(lambda each: each.queries / each.floor):.1f}",
        f"{middle(lambda each: each.noise):.1e}",
        f"{middle(lambda each: each.ratio):.2f}",
        f"{max(each.error for each in kept):.1e}",
        f"{100 * min(each.agreement for each in kept):.2f} %",
        f"{middle(lambda each: each.seconds):.0f}",
    ]


def main() -> None:
    found = missing(__doc__, RUNS, ROWS, Outcome, lambda name, seed: ROWS[name](seed), SEEDS)
    text = table(HEAD.split(" | "), [line(name, outcomes) for name, outcomes in found.items()])
    print(text)
    write("noise", text)


if __name__ == "__main__":
    main()
