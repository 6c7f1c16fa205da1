"""The classical direct attack, measured: queries, agreement, error, time; ART's version beside it.

    MSTHEFT_DATA=… python tests/benchmarks/direct.py [--only logistic,mnist,random,art]

Prints Markdown tables and writes them to RESULTS.md. Queries and seconds are medians over seeds,
agreement and error the worst of them; a failed seed counts as failed. The victims of `mnist` are
trained here, on the 60,000 real training images.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import time
from typing import Any

import numpy as np
from results import aside, recorded

import mstheft as mt

ART_SECONDS = 300


def logistic() -> None:
    """Logistic and softmax regression on 10,000 MNIST test images (d=784) or uniform inputs.

    Queries are those of the attack proper: the 100 rows of the check are not counted here.
    """
    header("victim | seeds | queries | verified | agreement | max relative Δlogit | seconds")
    for d, classes in [(20, 1), (784, 1), (3072, 1), (784, 10), (3072, 10)]:
        rows = [linear_seed(d, classes, seed) for seed in range(5)]
        name = f"logistic d={d}" if classes == 1 else f"softmax d={d}, K={classes}"
        print_row(name, rows, asked=lambda n, d=d: f"{n:,} (d+1 = {d + 1:,})")


def header(columns: str) -> None:
    print(f"| {columns} |\n|{'---|' * (columns.count('|') + 1)}")


def linear_seed(d: int, classes: int, seed: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    victim = mt.nn.zoo.mlp([d, classes], bias=1.0, rng=rng)
    victim.layers[0].params["W"] /= np.sqrt(2)
    oracle = mt.Oracle(victim, output="probs")
    began = time.perf_counter()
    result = mt.direct.linear.extract(oracle, rng=seed)
    took = time.perf_counter() - began
    x = mt.data.images.mnist("test").x if d == 784 else rng.uniform(size=(10_000, d))
    true, got = centred(victim.logits(x)), centred(result.model.logits(x))
    error = np.abs(true - got).max() / np.abs(true).max()
    agreement = mt.compare.agreement(victim, result.model, x)
    return result.verified, result.total - result.queries["verify"], agreement, error, took


def centred(z: np.ndarray) -> np.ndarray:
    return z if z.shape[1] == 1 else z - z.mean(axis=1, keepdims=True)


def print_row(name: str, rows: list[tuple[Any, ...]], asked: Any) -> None:
    verified, queries, agreement, errors, seconds = zip(*rows, strict=True)
    told = f" {100 * min(agreement):.2f} % |"
    print(
        f"| {name} | {len(rows)} | {asked(int(np.median(queries)))} "
        f"| {sum(verified)} of {len(rows)} |{told} {np.max(errors):.1e} "
        f"| {np.median(seconds):.2f} |",
        flush=True,
    )


def mnist(widths: tuple[int, ...] = (16, 32, 64, 128, 256, 512)) -> None:
    """ReLU networks trained on MNIST: agreement and error on the 10,000 test images."""
    x, y = mt.data.images.mnist("train")
    x_test, y_test = mt.data.images.mnist("test")
    header(
        "victim | accuracy | queries | limit | queries / F | agreement | max Δlogit | control | s"
    )
    for h in widths:
        victim, control = (trained(h, x, y, seed) for seed in (h, h + 1))
        oracle = mt.Oracle(victim)
        began = time.perf_counter()
        result = mt.direct.relu.extract(oracle, rng=h)
        took = time.perf_counter() - began
        gap = np.abs(victim.logits(x_test) - result.model.logits(x_test)).max()
        accuracy = mt.nn.fit.accuracy(victim, x_test, y_test)
        agreement = mt.compare.agreement(victim, result.model, x_test)
        alone = mt.compare.agreement(victim, control, x_test)
        print(
            f"| 784-{h}-10 | {100 * accuracy:.1f} % "
            f"| {oracle.count:,} = 2^{np.log2(oracle.count):.2f} "
            f"| 2^{17.2 + np.log2(h / 16):.1f} | {oracle.count / result.floor:.1f} "
            f"| {100 * agreement:.2f} % | {gap:.1e} | {100 * alone:.1f} % | {took:.1f} |",
            flush=True,
        )


def trained(h: int, x: np.ndarray, y: np.ndarray, seed: int) -> mt.Network:
    victim = mt.nn.zoo.mlp([784, h, 10], rng=seed)
    mt.nn.fit.fit(victim, x, y, epochs=5, batch=128, rng=seed)
    return victim


def random(seeds: int = 100) -> None:
    """He-initialised 784-64-10, biases N(0, 0.1²), judged on 10,000 N(0, I) inputs."""
    header("victim | seeds | queries | verified | agreement (worst) | max Δlogit | seconds")
    rows = [relu_seed(64, seed) for seed in range(seeds)]
    print_row("784-64-10", rows, asked=lambda n: f"{n:,} = 2^{np.log2(n):.2f}")


def relu_seed(h: int, seed: int) -> tuple[Any, ...]:
    victim = mt.nn.zoo.mlp([784, h, 10], bias=0.1, rng=seed)
    oracle = mt.Oracle(victim)
    began = time.perf_counter()
    try:
        result = mt.direct.relu.extract(oracle, rng=seed + 10_000)
    except mt.errors.ExtractionError:
        return False, oracle.count, 0.0, np.inf, time.perf_counter() - began
    took = time.perf_counter() - began
    x = np.random.default_rng(seed + 20_000).normal(size=(10_000, 784))
    gap = np.abs(victim.logits(x) - result.model.logits(x)).max()
    agreement = mt.compare.agreement(victim, result.model, x)
    return result.verified, oracle.count, agreement, gap, took


def art(seeds: int = 1) -> None:
    """The Adversarial Robustness Toolbox's FunctionallyEquivalentExtraction beside ours."""
    header("implementation | victim | seed | verified | agreement | queries | s | what happened")
    for h in (4, 16, 32):
        for seed in range(seeds):
            done, queries, agreement, gap, took = relu_seed(h, seed)
            print(
                f"| mstheft | 784-{h}-10 | {seed} | {'yes' if done else 'no'} | {agreement:.3f} "
                f"| {queries:,} | {took:.2f} | max Δlogit {gap:.0e} |",
                flush=True,
            )
            print(f"| ART 1.20.1 | 784-{h}-10 | {seed} | {art_in_time(h, seed)} |", flush=True)


def art_in_time(h: int, seed: int) -> str:
    """Run in a process of its own, since it may not come back."""
    count = mp.get_context("fork").Value("q", 0)
    ours, theirs = mp.get_context("fork").Pipe(duplex=False)
    process = mp.get_context("fork").Process(target=art_once, args=(h, seed, count, theirs))
    began = time.perf_counter()
    process.start()
    theirs.close()
    told = None
    try:
        if ours.poll(ART_SECONDS):
            told = ours.recv()
    except EOFError:
        told = (False, float("nan"), "died without a word")
    process.kill()
    process.join()
    verified, agreement, what = told or (False, float("nan"), f"stopped after {ART_SECONDS} s")
    took = time.perf_counter() - began
    return (
        f"{'yes' if verified else 'no'} | {agreement:.3f} | {count.value:,} | {took:.1f} | {what}"
    )


def art_once(h: int, seed: int, count: Any, pipe: Any) -> None:
    """ART's attack as it stands, on a float64 victim: its own wrapper would round to float32."""
    from art.attacks.extraction import FunctionallyEquivalentExtraction
    from art.estimators.classification.blackbox import BlackBoxClassifierNeuralNetwork

    np.random.seed(seed)  # noqa: NPY002 (it draws from the global generator)
    victim = mt.nn.zoo.mlp([784, h, 10], bias=0.1, rng=seed)

    class Answers(BlackBoxClassifierNeuralNetwork):
        def predict(self, x: np.ndarray, batch_size: int = 128, **kwargs: Any) -> np.ndarray:
            count.value += len(x)
            return victim.logits(np.asarray(x, np.float64))

    x = np.random.default_rng(seed + 20_000).normal(size=(10_000, 784))
    try:
        attack = FunctionallyEquivalentExtraction(Answers(victim.logits, (784,), 10), h)
        attack.extract(np.random.default_rng(seed + 1).normal(size=(100, 784)))
        hidden = np.maximum(attack.w_0.T @ x.T + attack.b_0, 0)
        answers = (attack.w_1.T @ hidden + attack.b_1).T
        agreement = float((answers.argmax(1) == victim.labels(x)).mean())
        gap = np.abs(answers - victim.logits(x)).max()
        pipe.send((bool(gap < 1e-5), agreement, f"max Δlogit {gap:.0e}"))
    except Exception as error:
        pipe.send((False, float("nan"), f"{type(error).__name__} {str(error)[:60]}"))


PARTS = {"logistic": logistic, "mnist": mnist, "random": random, "art": art}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    for part in parser.parse_args().only.split(","):
        aside(f"{part}: {PARTS[part].__doc__.splitlines()[0]}")
        with recorded(f"direct-{part}"):
            PARTS[part]()
