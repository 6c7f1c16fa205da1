"""Training and inference speed beside PyTorch's CPU build, in the same run.

    pip install -e '.[bench]' torch==2.13.0
    python tests/benchmarks/training.py [--only small,cnn3]

Same architecture, batch, optimiser (Adam) and dtype (float32), two threads each. The two take
turns in short bouts; printed, and written to RESULTS.md by a whole run, are medians over all
steps, and their ratio. The last line is the share of this machine's own matrix-product peak that
the forward pass of a convolution reaches.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from results import recorded
from torch import nn

import mstheft as mt
from mstheft.nn.conv import Conv2D
from mstheft.nn.fast.buffers import reused
from mstheft.nn.fast.threads import in_parts

BOUTS, WORDS, LENGTH = 5, 5000, 60
Step = Callable[[], Any]


class Kim(nn.Module):
    """Embedding 100, windows of 3, 4, 5 with 100 filters each, max over time, dropout, dense."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, 100)
        self.windows = nn.ModuleList([nn.Conv1d(100, 100, k) for k in (3, 4, 5)])
        self.drop, self.last = nn.Dropout(0.5), nn.Linear(300, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = self.words(x).transpose(1, 2)
        best = [torch.relu(window(seen)).max(2)[0] for window in self.windows]
        return self.last(self.drop(torch.cat(best, 1)))


class Gru(nn.Module):
    """Embedding 100, 64 units, the last state, dropout, dense."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.gru = nn.Embedding(WORDS, 100), nn.GRU(100, 64, batch_first=True)
        self.drop, self.last = nn.Dropout(0.1), nn.Linear(64, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.drop(self.gru(self.words(x))[0][:, -1]))


def block(inputs: int, filters: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for width in (inputs, filters):
        layers += [nn.Conv2d(width, filters, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(filters)]
    return [*layers, nn.MaxPool2d(2), nn.Dropout(0.1)]


def torch_small() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10)),
    )


def torch_cnn3() -> nn.Module:
    blocks = [*block(3, 32), *block(32, 64), *block(64, 128)]
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(2048, 10))


def torch_mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


zoo = mt.nn.zoo
WORK = {
    "small": "two convolutions, 28×28",
    "cnn3": "paper's 3-block CNN, 32×32×3",
    "mlp": "MLP 784-128-10",
    "kim": "Kim's text CNN",
    "gru": "GRU of 64 units",
}
CASES: dict[str, tuple[Any, Any, tuple[int, ...], int, int, float]] = {
    "small": (torch_small, lambda: zoo.small_cnn((28, 28, 1), 10), (128, 28, 28, 1), 10, 10, 1.0),
    "cnn3": (torch_cnn3, lambda: zoo.cnn((32, 32, 3), 10, 3), (64, 32, 32, 3), 10, 6, 1.2),
    "mlp": (
        torch_mlp,
        lambda: zoo.mlp([784, 128, 10], dtype=np.float32),
        (128, 784),
        10,
        200,
        1.0,
    ),
    "kim": (Kim, lambda: zoo.text_cnn(WORDS, LENGTH, 2), (50, LENGTH), 2, 20, 1.5),
    "gru": (Gru, lambda: zoo.text_gru(WORDS, LENGTH, 2), (50, LENGTH), 2, 20, 1.5),
}


def data(shape: tuple[int, ...], classes: int) -> tuple[np.ndarray, np.ndarray, torch.Tensor]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, shape[0])
    if shape[1:] == (LENGTH,):
        x = rng.integers(1, WORDS, shape)
        return x.astype(np.float32), y, torch.tensor(x)
    x = rng.random(shape, dtype=np.float32)
    theirs = torch.tensor(x)
    return x, y, theirs.permute(0, 3, 1, 2).contiguous() if x.ndim == 4 else theirs


def torch_steps(net: nn.Module, x: torch.Tensor, y: torch.Tensor) -> tuple[Step, Step]:
    optimizer, loss = torch.optim.Adam(net.parameters(), 1e-3), nn.CrossEntropyLoss()

    def train() -> float:
        net.train()
        optimizer.zero_grad()
        value = loss(net(x), y)
        value.backward()
        optimizer.step()
        return value.item()

    def answer() -> Any:
        net.eval()
        with torch.no_grad():
            return net(x)

    return train, answer


def our_steps(net: mt.Network, x: np.ndarray, y: np.ndarray) -> tuple[Step, Step]:
    optimizer, params = mt.nn.optim.Adam(), net.parameters()

    def train() -> float:
        value, grads = net.loss_gradients(x, y, mt.nn.losses.cross_entropy)
        optimizer.step(params, grads)
        return value

    return train, lambda: net.logits(x)


def in_turns(ours: Step, theirs: Step, steps: int) -> tuple[float, float]:
    """Median seconds of a step of ours and of theirs."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(BOUTS):
        for step, seen in zip((ours, theirs), times, strict=True):
            step()  # threads of the other library go to sleep
            for _ in range(steps):
                began = time.perf_counter()
                step()
                seen.append(time.perf_counter() - began)
    return float(np.median(times[0])), float(np.median(times[1]))


def peak() -> float:
    """Operations a second of a large float32 matrix product, the best of five."""
    a = np.random.default_rng(0).random((3000, 3000), dtype=np.float32)
    best = np.inf
    for _ in range(5):
        began = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - began)
    return 2 * 3000**3 / best


def convolution_share() -> str:
    """Forward pass of 32 -> 64 filters on 128 images of 14x14, as a share of the peak.

    Split over both cores, as a network does it; the operations are those of the plain sum.
    """
    layer = Conv2D(32, 64, dtype=np.float32)
    x = np.random.default_rng(0).random((128, 14, 14, 32), dtype=np.float32)
    times = []

    def forward(x: np.ndarray) -> None:
        with reused():
            layer.forward(x)

    for _ in range(30):
        began = time.perf_counter()
        in_parts(forward, x, numbers=2 * x.size)
        times.append(time.perf_counter() - began)
    speed = 2 * 128 * 14 * 14 * 9 * 32 * 64 / float(np.median(times[5:]))
    top = peak()
    return f"{speed / 1e9:.0f} of {top / 1e9:.0f} Gflop/s = {100 * speed / top:.0f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(CASES), help=f"some of {', '.join(CASES)}")
    only = parser.parse_args().only.split(",")
    torch.set_num_threads(2)
    with recorded("training", whole=only == list(CASES)):
        print("| work | mstheft, ms | PyTorch, ms | ratio | goal |\n|---|---|---|---|---|")
        rows(only)
    print(f"\nconvolution forward: {convolution_share()} of this machine's matrix-product peak")


def rows(only: list[str]) -> None:
    for name in only:
        theirs, ours, shape, classes, steps, goal = CASES[name]
        x, y, tx = data(shape, classes)
        net = ours()
        for what, own, other in zip(
            (f"{WORK[name]}, training step, batch {shape[0]}", "the same, inference"),
            our_steps(net, x, y),
            torch_steps(theirs(), tx, torch.tensor(y)),
            strict=True,
        ):
            a, b = in_turns(own, other, steps)
            print(
                f"| {what} | {milliseconds(a)} | {milliseconds(b)} | {a / b:.2f} "
                f"| {1.2 if what == 'the same, inference' else goal} |",
                flush=True,
            )


def milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.{1 if seconds >= 0.01 else 2}f}"


if __name__ == "__main__":
    main()
