"""Victims worth stealing from: a task (data with its test part), a network, training.

task = load("cifar10")                                  # data with a test part
network = build("cnn-2", task, rng=0)                   # an untrained network
history = train(network, task, epochs=5, rng=0)         # returns to the best epoch
network = victim("usual", task, folder=folder)          # all of it, or the file of last time
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from mstheft.data import images, synthetic, text
from mstheft.data.traffic_signs import gtsrb
from mstheft.data.vocabulary import Vocabulary
from mstheft.nn import Network, fit, optim, zoo
from mstheft.nn.augment import named as images_moved
from mstheft.typing import Rng

LENGTHS = {"mr": 40, "ag-news": 60, "imdb": 300, "spam": 40, "topics": 40}  # words of a text
WORDS = 10_000  # in a vocabulary, at the most
GENERATED = 6000, 1000  # training and test items of tasks that are made on the spot
VALIDATION = 0.1  # share of the training part that picks the epoch
DENSE_ROWS = 40_000  # rows shown to a victim of the exact attacks, over all epochs


# ---- tasks


@dataclass(frozen=True)
class Task:
    """Training and test data. x : inputs (n, *shape), texts as word numbers (n, length);
    y : labels (n,)."""

    name: str
    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    extent: str  # how much of the published set this is
    vocabulary: Vocabulary | None = None  # of texts, built from the training part

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return self.x.shape[1:]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(max(self.y.max(), self.y_test.max())) + 1

    @property
    def kind(self) -> str:
        """'texts', 'images' or 'rows of numbers'."""
        if self.vocabulary is not None:
            return "texts"
        return "images" if len(self.shape) == 3 else "rows of numbers"

    def flat(self) -> "Task":
        """The same inputs as rows, (n, d)."""
        x, x_test = (part.reshape(len(part), -1) for part in (self.x, self.x_test))
        return replace(self, x=x, x_test=x_test)

    def astype(self, dtype: DTypeLike) -> "Task":
        """The same inputs as numbers of another type."""
        return replace(self, x=self.x.astype(dtype), x_test=self.x_test.astype(dtype))

    def two_classes(self, first: int, second: int) -> "Task":
        """Only the inputs of two classes, which become 0 and 1."""
        used, judged = (np.isin(labels, (first, second)) for labels in (self.y, self.y_test))
        labels = self.y[used], self.y_test[judged]
        y, y_test = ((each == second).astype(np.int64) for each in labels)
        x, x_test = self.x[used], self.x_test[judged]
        name = f"{self.name}, {first} against {second}"
        return replace(self, name=name, x=x, y=y, x_test=x_test, y_test=y_test)


def load(name: str, *, seed: int = 0, dtype: DTypeLike = np.float32) -> Task:
    """A task by name. seed : of generated data;  dtype : of images.

    Raises ValueError for an unknown name and `DataError` where real data is missing.
    """
    if name not in TASKS:
        raise ValueError(f"expected data= to be one of {sorted(TASKS)}, got {name!r}")
    return TASKS[name](name, seed, dtype)


cached = cache(load)  # the same task, for many runs of one process


def drawn(
    draw: Callable[..., Any],
    sizes: tuple[int, int],
    shape: tuple[int, int, int],
    name: str,
    rng: Rng,
    dtype: DTypeLike = np.float32,
) -> Task:
    """Generated images.

    draw : of `data.synthetic`;  sizes : of the training and the test part;  shape : of one image
    """
    x, y = draw(sum(sizes), rng=rng, size=shape[0])
    x, n = x.reshape(len(x), *shape).astype(dtype), sizes[0]
    return Task(name, x[:n], y[:n], x[n:], y[n:], "drawn on the spot")


def _files(loader: Callable[..., Any], name: str, seed: int, dtype: DTypeLike) -> Task:
    parts = [loader(split, flat=False, dtype=dtype) for split in ("train", "test")]
    (x, y), (x_test, y_test) = parts
    x, x_test = (part.reshape(*part.shape[:3], -1) for part in (x, x_test))  # grey: (n, h, w, 1)
    return Task(name, x, y, x_test, y_test, "; ".join(part.extent for part in parts))


def _text_files(loader: Callable[[str], Any], name: str, seed: int, dtype: DTypeLike) -> Task:
    return _encoded(name, *loader("train"), *loader("test"))


def _written(name: str, seed: int, dtype: DTypeLike) -> Task:
    (texts, y), n = synthetic.texts(sum(GENERATED), task=name, rng=seed), GENERATED[0]
    return _encoded(name, texts[:n], y[:n], texts[n:], y[n:])


def _encoded(name: str, texts: list[str], y: Any, texts_test: list[str], y_test: Any) -> Task:
    vocabulary = Vocabulary.build(texts, size=WORDS, min_count=2)
    x, x_test = (vocabulary.encode(part, LENGTHS[name]) for part in (texts, texts_test))
    extent = f"{len(texts):,} training texts, {len(texts_test):,} test texts"
    return Task(name, x, y, x_test, y_test, extent, vocabulary)


def _compiled(name: str, seed: int, dtype: DTypeLike) -> Task:
    (x, y), n = synthetic.programs(sum(GENERATED), rng=seed), GENERATED[0]
    return Task(name, x[:n], y[:n], x[n:], y[n:], "made up on the spot")


IMAGES: dict[str, Callable[[str, int, DTypeLike], Task]] = {
    "mnist": partial(_files, images.mnist),
    "cifar10": partial(_files, images.cifar10),
    "gtsrb": partial(_files, gtsrb),
    "glyphs": lambda *how: drawn(synthetic.glyphs, GENERATED, (28, 28, 1), *how),
    "small-glyphs": lambda *how: drawn(synthetic.glyphs, GENERATED, (8, 8, 1), *how),
    "signs": lambda *how: drawn(synthetic.signs, GENERATED, (32, 32, 3), *how),
}
TASKS: dict[str, Callable[[str, int, DTypeLike], Task]] = {
    **IMAGES,
    "mr": partial(_text_files, text.mr),
    "imdb": partial(_text_files, text.imdb),
    "ag-news": partial(_text_files, text.ag_news),
    "spam": _written,
    "topics": _written,
    "programs": _compiled,
}


# ---- networks

FITTING = {
    "images": ("softmax", "mlp", "tiny", "small", "cnn"),
    "rows of numbers": ("softmax", "mlp"),
    "texts": ("text-bag", "text-cnn", "text-gru"),
}
ARCHITECTURES = FITTING["images"] + FITTING["texts"]
FILTERS = {"tiny": (16, 32), "small": (32, 64)}
# A small copy and a pool made on the spot, for each kind of data.
SUITABLE = {
    "images": {"copy": "small", "pool": "letters"},
    "rows of numbers": {"copy": "mlp", "pool": "programs"},
    "texts": {"copy": "text-cnn", "pool": "topics"},
}


def architecture(network: str) -> tuple[str, int | None]:
    """('cnn', 2) of 'cnn-2', ('mlp', 32) of 'mlp-32', ('text-cnn', None) of 'text-cnn'.

    Raises ValueError for another name.
    """
    if network in ARCHITECTURES:
        return network, None
    sized = re.fullmatch("(cnn)-([1-4])|(mlp)-([1-9][0-9]{0,4})", network)
    if sized is None:
        words = ", ".join(ARCHITECTURES)
        raise ValueError(f"expected a network of {words}, cnn-BLOCKS, mlp-NEURONS, got {network!r}")
    kind, size = filter(None, sized.groups())
    return kind, int(size)


def build(
    network: str, task: Task, *, hidden: int = 128, blocks: int = 3, rng: Rng = None
) -> Network:
    """An untrained network for a task: dense in float64, as exact attacks need, others in float32.

    network : one of `ARCHITECTURES`, cnn-2 (two blocks), mlp-32 (hidden neurons)
    hidden : neurons of 'mlp'; blocks : of 'cnn', 1 to 4
    Raises ValueError for an unknown network, or one for the other kind of data.
    """
    kind, size = architecture(network)
    if kind not in FITTING[task.kind]:
        fitting = ", ".join(FITTING[task.kind])
        raise ValueError(f"{network} does not fit: {task.name} holds {task.kind}; take {fitting}")
    if task.vocabulary is not None:
        words, length = len(task.vocabulary), task.shape[0]
        make: Callable[..., Network] = getattr(zoo, kind.replace("-", "_"))
        return make(words, length, task.classes, rng=rng, dtype=np.float32)
    if kind in ("softmax", "mlp"):
        layers = [] if kind == "softmax" else [size or hidden]
        return zoo.mlp([int(np.prod(task.shape)), *layers, task.classes], rng=rng)
    height, width, channels = task.shape
    if kind == "cnn":
        return zoo.cnn((height, width, channels), task.classes, size or blocks, rng=rng)
    return zoo.small_cnn((height, width, channels), task.classes, FILTERS[kind], rng=rng)


# ---- training


def train(
    network: Network,
    task: Task,
    *,
    epochs: int = 10,
    batch: int = 64,
    rate: float = 1e-3,
    l2: float = 1e-4,
    patience: int | None = None,
    validation: float = VALIDATION,
    falling: bool = True,
    augment: str = "none",
    rng: Rng = None,
) -> fit.History:
    """Train in place on the training part, without a share that picks the best epoch.

    rate : of Adam at the start;  falling : it falls to 0 over the epochs
    augment : a name of `nn.augment.KINDS`: images are moved or mirrored at every step
    validation : that share; 0 trains on everything up to the last epoch
    Ctrl-C ends the training with the best epoch so far. The test part is not used.
    """
    rng = np.random.default_rng(rng)
    network.about = {"data": task.name}
    x, y = task.x, task.y
    how: dict[str, Any] = {"epochs": epochs, "batch": batch, "l2": l2, "patience": patience}
    how |= {"falling": falling, "augment": images_moved(augment, task.shape)}
    if validation:
        first, rest = np.split(rng.permutation(len(x)), [int(validation * len(x))])
        x, y, how["validation"] = x[rest], y[rest], (x[first], y[first])
    return fit.fit(network, x, y, optimizer=optim.Adam(rate), rng=rng, **how)


# Real tasks with a network and a training that do well on two cores.
USUAL: dict[str, tuple[str, dict[str, Any]]] = {
    "mnist": ("small", {"epochs": 8, "batch": 128}),
    "cifar10": ("cnn-3", {"epochs": 15, "batch": 64, "augment": "flips+crops"}),
    "gtsrb": ("cnn-3", {"epochs": 25, "batch": 64, "augment": "crops"}),
    "mr": ("text-cnn", {"epochs": 5, "batch": 50}),
    "imdb": ("text-cnn", {"epochs": 15, "batch": 50}),
    "ag-news": ("text-cnn", {"epochs": 5, "batch": 50}),
}


def victim(
    network: str, task: Task, *, epochs: int = 5, rng: Rng = 0, folder: Path | None = None
) -> Network:
    """A trained victim; from the folder where it lies there, saved there if not.

    network : as `build` takes it; 'usual' for the one of `USUAL`, or the small one of `SUITABLE`
    epochs : of its training; those of `USUAL` have their own
    Ctrl-C ends it with KeyboardInterrupt: a half-trained victim would serve all later runs.
    """
    path = folder and folder / victim_file(network, task.name, epochs)
    if path and path.exists():
        return Network.load(path)
    how: dict[str, Any] = {"epochs": epochs}
    if network == "usual":
        network, how = usual(task), USUAL.get(task.name, ("", how))[1]
    made = _trained(build(network, task, rng=rng), task, **how, rng=rng)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        made.save(path)
    return made


def usual(task: Task) -> str:
    """The network of `USUAL` for a task, or the small one of `SUITABLE`."""
    return USUAL[task.name][0] if task.name in USUAL else SUITABLE[task.kind]["copy"]


def victim_file(network: str, data: str, epochs: int) -> str:
    """The file name of a victim: runs against the same victim share it."""
    own = network == "usual" and data in USUAL
    return f"{data}-{network}.npz" if own else f"{data}-{network}-{epochs}.npz"


def dense_victim(
    task: Task,
    hidden: Sequence[int] = (),
    activation: str = "relu",
    l2: float = 1e-4,
    rng: Rng = None,
) -> Network:
    """A victim for the exact attacks, trained in seconds; for two classes it has one output."""
    rng, n = np.random.default_rng(rng), len(task.x)
    widths = [int(np.prod(task.shape)), *hidden, 1 if task.classes == 2 else task.classes]
    network = zoo.mlp(widths, activation=activation, rng=rng)
    how = {"epochs": max(4, DENSE_ROWS // n), "batch": 256 if n > 20_000 else 128}
    quick = {"rate": 3e-3, "validation": 0, "falling": False}
    return _trained(network, task.flat(), **how, **quick, l2=l2, rng=rng)


def _trained(network: Network, task: Task, **training: Any) -> Network:
    if train(network, task, **training).interrupted:
        raise KeyboardInterrupt("during the training of the victim, before any query")
    return network
