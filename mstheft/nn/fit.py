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
    falling: bool = False,
    rng: Rng = None,
) -> History:
    """Train in place: minimise loss + l2/2 Σ‖W‖² by mini-batches in a new random order per epoch.

    x : (n, d); targets : (n,) labels or (n, K) soft labels
    optimizer : Adam(1e-3) by default
    validation : (x, targets); the network ends with the parameters of the epoch of highest `score`
    patience : stop after so many epochs without a better score
    restless : patience starts anew after an epoch whose mean loss is still above this
    falling : the learning rate falls in a straight line to 0 at the end of the last epoch
    Ctrl-C ends training cleanly and sets `interrupted`: the network has its best parameters so
    far, or without `validation` those of the last step.
    """
    x, targets = np.asarray(x, network.dtype), np.asarray(targets)
    if len(x) != len(targets) or len(x) == 0:
        got = f"{len(targets)} targets for {len(x)} rows"
        raise ValueError(f"expected one target per row and at least one row, got {got}")
    if epochs < 1 or batch < 1:
        raise ValueError(f"expected epochs= and batch= of at least 1, got {epochs} and {batch}")
    if patience is not None and validation is None:
        raise ValueError("expected validation=(x, targets) with patience=, got none")
    rng = np.random.default_rng(rng)
    optimizer = optimizer or Adam()
    history, best_score, best_params, awake = History(), -np.inf, None, -1
    batches, start = -(-len(x) // batch), optimizer.rate
    with progress.bar("training", epochs * batches, "batch") as bar:

        def show(value: float) -> None:
            bar.update(1)
            bar.set_postfix_str(f"loss {value:.3f}")

        try:
            for epoch in range(epochs):
                done = (epoch * batches + np.arange(batches)) / (epochs * batches)  # share of steps
                rates = (start * (1 - done)).tolist() if falling else [start] * batches
                mean = _epoch(network, x, targets, batch, optimizer, rates, loss, l2, rng, show)
                history.loss.append(mean)
                if validation is None:
                    history.best = epoch
                    continue
                history.validation.append(score(network, *validation))
                if restless is not None and history.loss[-1] > restless:
                    awake = epoch
                if history.validation[-1] > best_score:
                    best_score, history.best = history.validation[-1], epoch
                    best_params = {k: p.copy() for k, p in network.parameters().items()}
                elif patience is not None and epoch - max(history.best, awake) >= patience:
                    break
        except KeyboardInterrupt:
            history.interrupted = True
        finally:
            optimizer.rate = start
    if best_params is not None:
        for name, value in network.parameters().items():
            value[...] = best_params[name]
    return history


def _epoch(
    network: Network,
    x: Array,
    targets: np.ndarray,
    batch: int,
    optimizer: SGD | Adam,
    rates: list[float],
    loss: Loss,
    l2: float,
    rng: np.random.Generator,
    show: Callable[[float], None],
) -> float:
    """One pass over the data; returns the mean loss without the L2 term."""
    order, total = rng.permutation(len(x)), 0.0
    params = network.parameters()
    for rate, start in zip(rates, range(0, len(x), batch), strict=True):
        rows, optimizer.rate = order[start : start + batch], rate
        value, grads = network.loss_gradients(x[rows], targets[rows], loss)
        if l2:
            for name in grads:
                if params[name].ndim > 1:  # weights; biases and the like are (n,)
                    grads[name] += l2 * params[name]
        optimizer.step(params, grads)
        total += value * len(rows)
        show(value)
    return total / len(x)
