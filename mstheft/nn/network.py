"""A network: layers in a row, answers in batches, gradients, and a file format of its own."""

from __future__ import annotations

import copy
import math
import operator
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from mstheft.nn import functions as F
from mstheft.nn import storage
from mstheft.nn.bag import BagOfWords
from mstheft.nn.conv import Conv2D
from mstheft.nn.fast.buffers import reused
from mstheft.nn.fast.threads import in_parts
from mstheft.nn.layers import Activation, Dense, Flatten, Grads, Layer, Shape
from mstheft.nn.norm import BatchNorm, Dropout
from mstheft.nn.pool import GlobalAveragePool, MaxPool2D
from mstheft.nn.sequence import GRU, Conv1DMax, Embedding
from mstheft.typing import Array

BATCH = 4096
Loss = Callable[[Array, np.ndarray], tuple[float, Array]]  # logits, targets -> L, dL/dlogits
KINDS: dict[str, type[Layer]] = {
    kind.__name__: kind
    for kind in (
        *(Dense, Activation, Flatten),
        *(Conv2D, MaxPool2D, BatchNorm, Dropout, GlobalAveragePool),
        *(Embedding, Conv1DMax, GRU, BagOfWords),
    )
}


class Network:
    """Layers applied one after the other; the last one gives the logits.

    layers : the layers, the first to see the input first
    shape : shape of one input, for instance 784 or (28, 28, 1)
    dtype : float64 or float32; inputs are converted to it

    Inputs may come as (n, *shape) or flat as (n, d) with d = Π shape; a network of flat inputs
    takes images of d numbers too.

    outputs : K
    widest : numbers in the largest output of a layer
    about : words that are saved with the network, such as the name of the training data
    """

    def __init__(self, layers: Sequence[Layer], shape: int | Shape, dtype: DTypeLike | None = None):
        self.layers = list(layers)
        self.about: dict[str, str] = {}
        sizes = shape if isinstance(shape, Sequence) else (shape,)
        self.shape = tuple(operator.index(n) for n in sizes)
        self.outputs, self.widest = _chain(self.layers, self.shape)
        dtypes = {p.dtype for layer in self.layers for p in layer.params.values()}
        own = dtypes.pop() if len(dtypes) == 1 else np.float64
        self.dtype: np.dtype[Any] = np.dtype(own if dtype is None else dtype)
        if self.dtype not in (np.dtype(np.float64), np.dtype(np.float32)):
            raise ValueError(f"expected dtype float64 or float32, got {self.dtype}")
        for layer in self.layers:
            layer.params = {k: np.ascontiguousarray(p, self.dtype) for k, p in layer.params.items()}

    @property
    def inputs(self) -> int:
        """Numbers in one input, d."""
        return math.prod(self.shape)

    def __repr__(self) -> str:
        kinds = ", ".join(f"{type(layer).__name__}{layer.config() or ''}" for layer in self.layers)
        return f"Network(shape={self.shape}, dtype={self.dtype}, [{kinds}])"

    # ---- answers

    def logits(self, x: ArrayLike, batch: int | None = None) -> Array:
        """(n, d) or (n, *shape) -> (n, K), computed `batch` rows at a time in the same memory."""
        rows = self._rows(x)
        batch = batch or max(1, BATCH * 784 // max(784, self.widest))
        out = np.empty((len(rows), self.outputs), self.dtype)

        def answer(x: Array, out: Array) -> None:
            with reused():
                out[...] = self.forward(x)[0]

        for i in range(0, len(rows), batch):
            part = rows[i : i + batch]
            in_parts(answer, part, out[i : i + batch], numbers=len(part) * self.widest)
        return out

    def probs(self, x: ArrayLike, batch: int | None = None) -> Array:
        """(n, d) -> (n, K) softmax of the logits; with K = 1, (n, 1) sigmoid: P(class 1)."""
        logits = self.logits(x, batch)
        return F.sigmoid(logits) if logits.shape[1] == 1 else F.softmax(logits)

    def labels(self, x: ArrayLike, batch: int | None = None) -> np.ndarray:
        """(n, d) -> (n,) the most likely class; with K = 1, 1 where the logit is positive."""
        logits = self.logits(x, batch)
        if logits.shape[1] == 1:
            return (logits[:, 0] > 0).astype(np.int64)
        return logits.argmax(axis=1)

    # ---- passes

    def forward(self, x: ArrayLike, train: bool = False) -> tuple[Array, list[Any]]:
        """All layers forwards: (n, d) -> logits (n, K), and one cache per layer."""
        rows = out = self._rows(x)
        caches = []
        for layer in self.layers:
            if isinstance(layer, Activation) and np.may_share_memory(out, rows):
                out = out.copy()  # an activation may work in place: spare the caller's array
            out, cache = layer.forward(out, train)
            caches.append(cache)
        return out, caches

    def backward(
        self, dlogits: Array, caches: list[Any], need_dx: bool = True
    ) -> tuple[Array, list[Grads]]:
        """All layers backwards: dL/dlogits (n, K) -> dL/dx and dL/dparams, one dict per layer."""
        grads: list[Grads] = []
        for depth in range(len(self.layers) - 1, -1, -1):
            layer = self.layers[depth]
            dlogits, own = layer.backward(dlogits, caches[depth], need_dx or depth > 0)
            grads.append(own)
        return dlogits, grads[::-1]

    def to_inputs(self, dlogits: Array, caches: list[Any]) -> Array:
        """The backward pass of `forward`'s caches to the inputs alone: (n, K) -> (n, d)."""
        for layer, cache in zip(self.layers[::-1], caches[::-1], strict=True):
            dlogits = layer.input_gradient(dlogits, cache)
        return dlogits.reshape(len(dlogits), self.inputs)

    def input_gradient(self, x: ArrayLike, dlogits: ArrayLike) -> Array:
        """Gradient of Σ_k dlogits_k logit_k(x) at each input x. (n, d), (n, K) -> (n, d)."""
        logits, caches = self.forward(x)
        dlogits = np.asarray(dlogits, self.dtype)
        if dlogits.shape != logits.shape:
            raise ValueError(f"expected dlogits of shape {logits.shape}, got {dlogits.shape}")
        return self.to_inputs(dlogits, caches)

    def loss_gradients(self, x: ArrayLike, targets: np.ndarray, loss: Loss) -> tuple[float, Grads]:
        """A training step's forward and backward pass: the loss and dL/dparams by name.

        loss : (logits, targets) -> (mean over the rows, dL/dlogits)
        Dropout and batch norm are on. Large batches are split among threads. The next call in this
        thread overwrites the gradients: copy them to use them later.
        """
        x = self._rows(x)
        if len(targets) != len(x):
            raise ValueError(f"expected one target per row, got {len(targets)} for {len(x)} rows")
        total = len(x)

        def step(x: Array, targets: np.ndarray) -> tuple[float, list[Grads]]:
            with reused():
                logits, caches = self.forward(x, train=True)
                value, dlogits = loss(logits, targets)
                share = len(x) / total  # of this part of the batch in its mean
                dlogits = np.asarray(share * dlogits, self.dtype)
                return share * value, self.backward(dlogits, caches, need_dx=False)[1]

        (value, grads), *others = in_parts(step, x, targets, numbers=total * self.widest)
        for other_value, other_grads in others:
            value += other_value
            for own, other in zip(grads, other_grads, strict=True):
                for name in own:
                    own[name] += other[name]
        named = {f"{i}.{name}": g for i, own in enumerate(grads) for name, g in own.items()}
        return float(value), named

    def jacobian(self, x: ArrayLike) -> Array:
        """J_kj = ∂ logit_k / ∂ x_j at each row, one backward pass per k. (n, d) -> (n, K, d)."""
        logits, caches = self.forward(x)
        rows = []
        for k in range(logits.shape[1]):
            seed = np.zeros_like(logits)
            seed[:, k] = 1  # e_k for every input
            rows.append(self.to_inputs(seed, caches).copy())  # (n, d)
        return np.stack(rows, axis=1)  # (n, K, d)

    # ---- parameters

    def parameters(self) -> dict[str, Array]:
        """All parameters by name, '0.W', '0.b', '2.W' …; the arrays themselves, not copies."""
        layers = enumerate(self.layers)
        return {f"{i}.{name}": p for i, layer in layers for name, p in layer.params.items()}

    def dense(self) -> list[tuple[Array, Array]]:
        """(W, b) of every Dense layer, first to last: (A0, b0), (A1, b1) with one hidden layer."""
        return [(la.params["W"], la.params["b"]) for la in self.layers if isinstance(la, Dense)]

    def copy(self) -> Network:
        """A network of its own with equal parameters."""
        return copy.deepcopy(self)

    # ---- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to an `.npz` file, whole or not at all."""
        storage.write(path, self._spec(), self.parameters())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Network:
        """Read a network written by `save`; pickles are refused, damage is a `DataError`."""
        return storage.read(path, _expected, _build)

    def _spec(self) -> dict[str, Any]:
        layers = [{"kind": type(layer).__name__, **layer.config()} for layer in self.layers]
        spec = {"shape": list(self.shape), "dtype": self.dtype.name, "layers": layers}
        return spec | ({"about": self.about} if self.about else {})

    def _rows(self, x: ArrayLike) -> Array:
        x = np.asarray(x, self.dtype)
        if x.ndim >= 2 and x.shape[1:] == self.shape:
            return x
        flat = x.ndim == 2 or (x.ndim > 2 and len(self.shape) == 1)
        if flat and math.prod(x.shape[1:]) == self.inputs:
            return x.reshape(len(x), *self.shape)
        shaped = f" or (n, {', '.join(map(str, self.shape))})" if len(self.shape) > 1 else ""
        wanted = f"(n, {self.inputs}){shaped}"
        advice = "a single input goes in as x[None]"
        raise ValueError(f"expected inputs of shape {wanted}, got {x.shape}; {advice}")


def _chain(layers: Sequence[Layer], shape: Shape) -> tuple[int, int]:
    """Do the layers fit one another? Returns the number of logits K and the widest output."""
    if not shape or min(shape) < 1:
        raise ValueError(f"expected a shape of positive whole numbers, got {shape}")
    widest = math.prod(shape)
    for i, layer in enumerate(layers):
        try:
            shape = layer.out_shape(shape)
        except ValueError as error:
            raise ValueError(f"layer {i} does not fit: {error}") from None
        widest = max(widest, math.prod(shape))
    if len(shape) != 1:
        wanted = "(K,) logits from the last layer"
        raise ValueError(f"expected {wanted}, got {shape}; add Flatten or Dense")
    return shape[0], widest


def _kind(spec: dict[str, Any]) -> tuple[type[Layer], dict[str, Any]]:
    """The class of a described layer and its arguments; only what `config` writes passes."""
    config = dict(spec)
    name = config.pop("kind")
    if name not in KINDS:
        raise ValueError(f"expected layers of the kinds {sorted(KINDS)}, got {name!r}")
    names = sorted(KINDS[name].arguments())
    if sorted(config) != names:
        raise ValueError(f"expected {names} to describe a {name}, got {sorted(config)}")
    return KINDS[name], config


def _expected(spec: dict[str, Any]) -> dict[str, Shape]:
    """Parameter shapes of a network with such a spec, without building it."""
    shapes: dict[str, Shape] = {}
    for i, layer in enumerate(spec["layers"]):
        kind, config = _kind(layer)
        shapes |= {f"{i}.{name}": shape for name, shape in kind.shapes(**config).items()}
    return shapes


def _build(spec: dict[str, Any], params: dict[str, Array]) -> Network:
    layers = []
    for i, layer_spec in enumerate(spec["layers"]):
        kind, config = _kind(layer_spec)
        layer = kind(**config)
        layer.params = {name: params[f"{i}.{name}"] for name in layer.params}
        layers.append(layer)
    network = Network(layers, tuple(spec["shape"]), np.dtype(spec["dtype"]))
    network.about = {str(name): str(word) for name, word in spec.get("about", {}).items()}
    return network
