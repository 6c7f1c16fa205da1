"""Training: mini-batches, L2, early stopping on validation data, a history, one progress bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mstheft import progress
from mstheft.nn.losses import cross_entropy
from mstheft.nn.network import Loss, Network
from mstheft.nn.optim import SGD, Adam
from mstheft.typing import Array, Rng

Augment = Callable[[Array, np.random.Generator], Array]
CUT = 0.2  # of the learning rate, where patience is used up


@dataclass
class History:
    """Measures of a training, one per epoch; `best` is the epoch of the final parameters."""

    loss: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    best: int = -1
    interrupted: bool = False


def accuracy(network: Network, x: Array, labels: np.ndarray) -> float:
    """Share of rows whose most likely class is the given one. (n, d), (n,) or (n, K) -> 0 … 1."""
    labels = np.asarray(labels)
    if labels.ndim == 2:
        labels = labels[:, 0] > 0.5 if labels.shape[1] == 1 else labels.argmax(axis=1)
    return float((network.labels(x) == labels).mean())


def minus_loss(network: Network, x: Array, targets: np.ndarray) -> float:
    """Minus the mean cross-entropy, a `score`: it uses all of a soft label, not its class alone."""
    return -cross_entropy(network.logits(x), targets)[0]


def fit(
    network: Network,
    x: Array,
    targets: np.ndarray,
    *,
    epochs: int = 10,
    batch: int = 128,
    optimizer: SGD | Adam | None = None,
    loss: Loss = cross_entropy,
    l2: float = 0.0,
    validation: tuple[Array, np.ndarray] | None = None,
    score: Callable[[Network, Array, np.ndarray], float] = accuracy,
    patience: int | None = None,
    restless: float | None = None,
    least: int = 0,
    cuts: int = 0,
    falling: bool = False,
    augment: Augment | None = None,
    rng: Rng = None,
) -> History:
    """Train in place: minimise loss + l2/2 Σ‖W‖² by mini-batches in a new random order per epoch.

    x : (n, d); targets : (n,) labels or (n, K) soft labels
    optimizer : Adam(1e-3) by default
    validation : (x, targets); the network ends with the parameters of the epoch of highest `score`
    patience : stop after so many epochs without a better score; without `validation`, without a
        lower mean loss
    restless : patience starts anew after an epoch whose mean loss is still above this
    least : so many steps patience lasts at least, where an epoch of few rows has few steps
    cuts : so many times the learning rate falls to a fifth where training would have stopped, and
        goes on from the best epoch's parameters. A rate that falls by plan needs to know the last
        epoch beforehand; this one falls when nothing more is learned at it
    falling : the learning rate falls in a straight line to 0 at the end of the last epoch
    augment : changes the rows of every batch, augment(x, rng), such as `nn.augment.named`
    Ctrl-C ends training cleanly and sets `interrupted`: the network has its best parameters so
    far, or without `validation` those of the last step.
    """
    x, targets = np.asarray(x, network.dtype), np.asarray(targets)
    if len(x) != len(targets) or len(x) == 0:
        got = f"{len(targets)} targets for {len(x)} rows"
        raise ValueError(f"expected one target per row and at least one row, got {got}")
    if epochs < 1 or batch < 1:
        raise ValueError(f"expected epochs= and batch= of at least 1, got {epochs} and {batch}")
    rng = np.random.default_rng(rng)
    optimizer = optimizer or Adam()
    history, best, awake = History(), _Best(network, keep=validation is not None), -1
    batches, start, rate = -(-len(x) // batch), optimizer.rate, optimizer.rate
    with progress.bar("training", epochs * batches, "batch") as bar:

        def show(value: float) -> None:
            bar.update(1)
            bar.set_postfix_str(f"loss {value:.3f}")

        try:
            for epoch in range(epochs):
                done = (epoch * batches + np.arange(batches)) / (epochs * batches)  # share of steps
                rates = (start * (1 - done)).tolist() if falling else [rate] * batches
                how = (batch, optimizer, rates, loss, l2, augment, rng, show)
                history.loss.append(_epoch(network, x, targets, *how))
                value = -history.loss[-1]
                if validation is not None:
                    value = score(network, *validation)
                    history.validation.append(value)
                if restless is not None and history.loss[-1] > restless:
                    awake = epoch
                waited = epoch - max(best.epoch, awake)
                if best.is_beaten(value):
                    best.take(value, epoch)
                elif patience is not None and waited >= patience and waited * batches >= least:
                    if cuts == 0:
                        break
                    cuts, rate, awake = cuts - 1, rate * CUT, epoch
                    best.restore()
        except KeyboardInterrupt:
            history.interrupted = True
        finally:
            optimizer.rate = start
    best.restore()
    history.best = len(history.loss) - 1 if validation is None else best.epoch
    return history


class _Best:
    """The epoch of the highest value so far, and with `keep` the network's parameters then."""

    def __init__(self, network: Network, keep: bool):
        self.params, self.keep = network.parameters(), keep
        self.value, self.epoch, self.copy = -np.inf, -1, dict[str, Array]()

    def is_beaten(self, value: float) -> bool:
        return value > self.value

    def take(self, value: float, epoch: int) -> None:
        self.value, self.epoch = value, epoch
        if self.keep:
            self.copy = {name: p.copy() for name, p in self.params.items()}

    def restore(self) -> None:
        for name, value in self.copy.items():
            self.params[name][...] = value


def _epoch(
    network: Network,
    x: Array,
    targets: np.ndarray,
    batch: int,
    optimizer: SGD | Adam,
    rates: list[float],
    loss: Loss,
    l2: float,
    augment: Augment | None,
    rng: np.random.Generator,
    show: Callable[[float], None],
) -> float:
    """One pass over the data; returns the mean loss without the L2 term."""
    order, total = rng.permutation(len(x)), 0.0
    params = network.parameters()
    for rate, start in zip(rates, range(0, len(x), batch), strict=True):
        rows, optimizer.rate = order[start : start + batch], rate
        part = x[rows] if augment is None else augment(x[rows], rng)
        value, grads = network.loss_gradients(part, targets[rows], loss)
        if l2:
            for name in grads:
                if params[name].ndim > 1:  # weights; biases and the like are (n,)
                    grads[name] += l2 * params[name]
        optimizer.step(params, grads)
        total += value * len(rows)
        show(value)
    return total / len(x)
