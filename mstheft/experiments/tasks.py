"""Victims worth stealing from: a task (data with its test part), an architecture, training.

    task = load("cifar10")                                  # what is learned
    network = build("cnn", task, blocks=2, rng=0)           # what learns it
    history = train(network, task, epochs=5, rng=0)         # the best epoch is kept

Used by `mstheft train`, by the benchmarks, and wherever an experiment needs victim and test set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mstheft.data import images, synthetic, text
from mstheft.data.traffic_signs import gtsrb
from mstheft.data.vocabulary import Vocabulary
from mstheft.nn import Network, fit, optim, zoo
from mstheft.typing import Rng

LENGTHS = {"mr": 40, "ag-news": 60, "imdb": 300, "spam": 40, "topics": 40}  # words kept of a text
WORDS = 10_000  # in a vocabulary, at the most
GENERATED = 6000, 1000  # training and test items of tasks that are made on the spot
VALIDATION = 0.1  # share of the training part that picks the epoch


@dataclass(frozen=True)
class Task:
    """Data to learn, and to judge by.

    x, y, x_test, y_test : inputs (n, *shape), labels (n,); texts as word numbers (n, length)
    found : how much of the published set this is
    vocabulary : for texts, built from the training part
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    found: str
    vocabulary: Vocabulary | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return self.x.shape[1:]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(max(self.y.max(), self.y_test.max())) + 1


def _image_task(name: str, loader: Callable[..., Any]) -> Task:
    (x, y), (x_test, y_test) = (part := [loader("train"), loader("test")])
    found = "; ".join(each.found for each in part)
    return Task(name, x, y, x_test, y_test, found)


def _text_task(name: str, texts: list[str], y: Any, texts_test: list[str], y_test: Any) -> Task:
    vocabulary = Vocabulary.build(texts, size=WORDS, min_count=2)
    x, x_test = (vocabulary.encode(part, LENGTHS[name]) for part in (texts, texts_test))
    found = f"{len(texts):,} training texts, {len(texts_test):,} test texts"
    return Task(name, x, y, x_test, y_test, found, vocabulary)


def _read_text(name: str, loader: Callable[[str], Any]) -> Task:
    (texts, y), (texts_test, y_test) = loader("train"), loader("test")
    return _text_task(name, texts, y, texts_test, y_test)


def _made(name: str, make: Callable[..., Any], seed: int, side: int, channels: int) -> Task:
    n = GENERATED[0]
    x, y = make(n + GENERATED[1], rng=seed, size=side)
    x = x.reshape(len(x), side, side, channels).astype(np.float32)
    return Task(name, x[:n], y[:n], x[n:], y[n:], "drawn on the spot")


def _written(name: str, seed: int) -> Task:
    texts, y = synthetic.texts(sum(GENERATED), task=name, rng=seed)
    n = GENERATED[0]
    return _text_task(name, texts[:n], y[:n], texts[n:], y[n:])


def _compiled(seed: int) -> Task:
    x, y = synthetic.programs(sum(GENERATED), rng=seed)
    n = GENERATED[0]
    return Task("programs", x[:n], y[:n], x[n:], y[n:], "made up on the spot")


TASKS: dict[str, Callable[[int], Task]] = {
    "mnist": lambda seed: _image_task("mnist", _mnist),
    "cifar10": lambda seed: _image_task("cifar10", images.cifar10),
    "gtsrb": lambda seed: _image_task("gtsrb", gtsrb),
    "mr": lambda seed: _read_text("mr", text.mr),
    "imdb": lambda seed: _read_text("imdb", text.imdb),
    "ag-news": lambda seed: _read_text("ag-news", text.ag_news),
    "glyphs": lambda seed: _made("glyphs", synthetic.glyphs, seed, 28, 1),
    "signs": lambda seed: _made("signs", synthetic.signs, seed, 32, 3),
    "spam": lambda seed: _written("spam", seed),
    "topics": lambda seed: _written("topics", seed),
    "programs": _compiled,
}


def _mnist(split: str) -> Any:
    loaded = images.mnist(split, flat=False, dtype=np.float32)
    return type(loaded)(loaded.x.reshape(-1, 28, 28, 1), loaded.y, loaded.found)


def load(name: str, *, seed: int = 0) -> Task:
    """A task by name; `seed` matters for those that are made on the spot.

    Raises ValueError for an unknown name and `DataError` where real data is missing.
    """
    if name not in TASKS:
        raise ValueError(f"expected data= to be one of {sorted(TASKS)}, got {name!r}")
    return TASKS[name](seed)


ARCHITECTURES = ("softmax", "mlp", "tiny", "small", "cnn", "text-bag", "text-cnn", "text-gru")

# Real tasks with an architecture, its options and a training that do well on two cores.
USUAL: dict[str, tuple[str, dict[str, int], dict[str, int]]] = {
    "mnist": ("small", {}, {"epochs": 8, "batch": 128}),
    "cifar10": ("cnn", {"blocks": 3}, {"epochs": 15, "batch": 64}),
    "gtsrb": ("cnn", {"blocks": 3}, {"epochs": 25, "batch": 64}),
    "mr": ("text-cnn", {}, {"epochs": 5, "batch": 50}),
    "imdb": ("text-cnn", {}, {"epochs": 15, "batch": 50}),
    "ag-news": ("text-cnn", {}, {"epochs": 5, "batch": 50}),
}


def build(
    architecture: str, task: Task, *, hidden: int = 128, blocks: int = 3, rng: Rng = None
) -> Network:
    """An untrained network for a task: dense ones in float64, as exact attacks take them, others
    in float32.

    hidden : neurons of 'mlp'; blocks : of 'cnn', 1 to 4
    Raises ValueError for an unknown architecture, or one for the other kind of data.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"expected an architecture of {ARCHITECTURES}, got {architecture!r}")
    texts = task.vocabulary is not None
    if texts != architecture.startswith("text"):
        raise _misfit(architecture, task)
    single = np.float32
    if task.vocabulary is not None:
        make: Callable[..., Network] = {
            "text-bag": zoo.text_bag,
            "text-cnn": zoo.text_cnn,
            "text-gru": zoo.text_gru,
        }[architecture]
        return make(len(task.vocabulary), task.shape[0], task.classes, rng=rng, dtype=single)
    if architecture in ("tiny", "small", "cnn"):
        if len(task.shape) != 3:
            raise _misfit(architecture, task)
        height, width, channels = task.shape
        shape = height, width, channels
        if architecture != "cnn":
            filters = (32, 64) if architecture == "small" else (16, 32)
            return zoo.small_cnn(shape, task.classes, filters, rng=rng)
        return zoo.cnn(shape, task.classes, blocks, rng=rng)
    inputs = int(np.prod(task.shape))
    widths = [inputs, task.classes] if architecture == "softmax" else [inputs, hidden, task.classes]
    return zoo.mlp(widths, rng=rng)


def _misfit(architecture: str, task: Task) -> ValueError:
    if task.vocabulary is not None:
        kind = "texts; take text-bag, text-cnn or text-gru"
    elif len(task.shape) == 3:
        kind = "images; take mlp, small or cnn"
    else:
        kind = "rows of numbers; take softmax or mlp"
    return ValueError(f"{architecture} does not fit: {task.name} holds {kind}")


def train(
    network: Network,
    task: Task,
    *,
    epochs: int = 10,
    batch: int = 64,
    rate: float = 1e-3,
    l2: float = 1e-4,
    patience: int | None = None,
    rng: Rng = None,
) -> fit.History:
    """Train in place on nine tenths of the training part; the rest picks the epoch that is kept.

    rate : of Adam at the start; it falls to 0 over the epochs
    Ctrl-C ends cleanly with the best epoch so far. The test part is not looked at.
    """
    rng = np.random.default_rng(rng)
    order = rng.permutation(len(task.x))
    network.about = {"data": task.name}
    held, used = np.split(order, [int(VALIDATION * len(order))])
    return fit.fit(
        network,
        task.x[used],
        task.y[used],
        epochs=epochs,
        batch=batch,
        optimizer=optim.Adam(rate),
        l2=l2,
        validation=(task.x[held], task.y[held]),
        patience=patience,
        falling=True,
        rng=rng,
    )
