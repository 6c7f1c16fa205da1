"""The six victims, trained on the real data, and what each reaches on its test part.

    MSTHEFT_DATA=… python tests/benchmarks/victims.py [--only mnist,cifar10] [--torch] [--save DIR]

One seed each, the settings below; with --torch the same architecture is trained in PyTorch for the
same epochs on the same arrays, as a yardstick. A row is printed as soon as it is there; a
run of all six, without --torch, writes the table of RESULTS.md.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
from results import recorded

from mstheft.experiments import tasks as victims
from mstheft.nn import augment, fit

GOALS = {"mnist": 99.0, "cifar10": 65.0, "gtsrb": 90.0, "mr": 73.0, "imdb": 82.0, "ag-news": 87.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(GOALS), help=f"some of {', '.join(GOALS)}")
    parser.add_argument("--torch", action="store_true", help="train PyTorch's twin beside each")
    parser.add_argument("--save", type=Path, help="a folder for the networks")
    args = parser.parse_args()
    only, twin = args.only.split(","), " PyTorch |" if args.torch else ""
    head = f"| victim | network | training items | accuracy | goal |{twin} seconds | memory, MiB |"
    with recorded("victims", whole=only == list(GOALS) and not args.torch):
        print(head + "\n|" + "---|" * (head.count("|") - 1))
        for name in only:
            print(row(name, args.torch, args.save), flush=True)


def row(name: str, torch: bool, save: Path | None) -> str:
    usual, how = victims.USUAL[name]
    architecture, blocks = victims.architecture(usual)
    shape = {"blocks": blocks} if blocks else {}
    task = victims.load(name)
    network = victims.build(architecture, task, **shape, rng=0)
    began = time.perf_counter()
    victims.train(network, task, **how, rng=0)
    took = time.perf_counter() - began
    reached = 100 * fit.accuracy(network, task.x_test, task.y_test)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    twin = f" {twin_accuracy(architecture, task, shape, how):.1f} % |" if torch else ""
    if save:
        network.save(save / f"{name}.npz")
    kind = f"{architecture} {shape.get('blocks', '')}".strip()
    return (
        f"| {name} | {kind}, {how['epochs']} epochs | {len(task.x):,} | {reached:.1f} % "
        f"| {GOALS[name]:.0f} % |{twin} {took:.0f} | {memory:.0f} |"
    )


def twin_accuracy(architecture: str, task: Any, shape: Any, how: Any) -> float:
    """The same network in PyTorch: same widths, dropout, optimiser, weight decay, split."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    torch.set_num_threads(2)
    net = torch_net(nn, architecture, task, shape.get("blocks", 3))
    texts = task.vocabulary is not None

    def tensor(x: np.ndarray) -> Any:
        return (
            torch.tensor(x) if texts else torch.tensor(np.ascontiguousarray(np.moveaxis(x, 3, 1)))
        )

    order = np.random.default_rng(0).permutation(len(task.x))
    held, used = np.split(order, [int(victims.VALIDATION * len(order))])
    optimizer, loss = (
        torch.optim.Adam(net.parameters(), 1e-3, weight_decay=1e-4),
        nn.CrossEntropyLoss(),
    )

    def accuracy(x: np.ndarray, y: np.ndarray) -> float:
        net.eval()
        with torch.no_grad():
            parts = [net(tensor(x[i : i + 500])).argmax(1).numpy() for i in range(0, len(x), 500)]
        return float((np.concatenate(parts) == y).mean())

    move, rng = augment.named(how.get("augment", "none"), task.shape), np.random.default_rng(0)
    best, kept, steps = -1.0, 0.0, how["epochs"] * -(-len(used) // how["batch"])
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    for _ in range(how["epochs"]):
        net.train()
        for rows in np.array_split(np.random.permutation(used), -(-len(used) // how["batch"])):  # noqa: NPY002
            optimizer.zero_grad()
            x = task.x[rows] if move is None else move(task.x[rows], rng)
            loss(net(tensor(x)), torch.tensor(task.y[rows])).backward()
            optimizer.step()
            falling.step()
        if (score := accuracy(task.x[held], task.y[held])) > best:
            best, kept = score, accuracy(task.x_test, task.y_test)
    return 100 * kept


def torch_net(nn: Any, architecture: str, task: Any, blocks: int) -> Any:
    if architecture == "text-cnn":
        return kim(nn, len(task.vocabulary), task.classes)
    height, width, channels = task.shape
    layers: list[Any] = []
    if architecture == "small":
        for a, b in ((channels, 32), (32, 64)):
            layers += [nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        features = 64 * (height // 4) * (width // 4)
        layers += [nn.Flatten(), nn.Linear(features, 128), nn.ReLU(), nn.Linear(128, task.classes)]
        return nn.Sequential(*layers)
    for filters in (32, 64, 128, 256)[:blocks]:
        for _ in range(2):
            layers += [
                nn.Conv2d(channels, filters, 3, padding=1),
                nn.ReLU(),
                nn.BatchNorm2d(filters),
            ]
            channels = filters
        layers += [nn.MaxPool2d(2), nn.Dropout(0.1)]
    sides = (height >> blocks) * (width >> blocks)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * sides, task.classes))


def kim(nn: Any, words: int, classes: int) -> Any:
    import torch

    class Kim(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(words, 100, padding_idx=0)
            self.windows = nn.ModuleList([nn.Conv1d(100, 100, k) for k in (3, 4, 5)])
            self.drop, self.last = nn.Dropout(0.5), nn.Linear(300, classes)

        def forward(self, x: Any) -> Any:
            seen = self.words(x).transpose(1, 2)
            best = [torch.relu(window(seen)).max(2)[0] for window in self.windows]
            return self.last(self.drop(torch.cat(best, 1)))

    return Kim()


if __name__ == "__main__":
    main()
