"""Layers: `forward(x) -> out, cache` and `backward(dout, cache) -> dx, grads`.

A layer owns its parameters in the dictionary `params`; `grads` has the same keys. The cache
holds what the backward pass needs, so that a layer itself keeps no memory of a call.
Rows are samples throughout: x is (n, ...).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from mstheft.nn import functions as F
from mstheft.nn.fast.buffers import Buffers, pieces, reusing
from mstheft.typing import Array, Rng

Grads = dict[str, Array]


class Layer:
    """What every layer offers. `config` is all that is needed to build it again, but for params."""

    def __init__(self) -> None:
        self.params: dict[str, Array] = {}
        self.buffers = Buffers()

    def config(self) -> dict[str, Any]:
        """Arguments of the constructor, as plain JSON values."""
        return {}

    @classmethod
    def shapes(cls, **config: Any) -> dict[str, tuple[int, ...]]:
        """Parameter names and shapes for such a `config`, before anything is allocated."""
        return {}

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of one output for one input of such a shape; ValueError if it does not fit."""
        return shape

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Any]:
        """(n, ...) -> the layer's output and the cache for `backward`."""
        raise NotImplementedError

    def backward(self, dout: Array, cache: Any, need_dx: bool = True) -> tuple[Array, Grads]:
        """dL/dout -> (dL/dx, {name: dL/dparam}); dx may be skipped where nobody reads it."""
        raise NotImplementedError

    def input_gradient(self, dout: Array, cache: Any) -> Array:
        """dL/dout -> dL/dx alone; a layer whose dL/dparams is dear leaves it out here."""
        return self.backward(dout, cache)[0]


class Dense(Layer):
    """Affine layer: out = x Wᵀ + b.

    params : W (out, in), b (out,)
    Initial weights are He's: W ~ N(0, 2 / in), b = 0 (He et al. 2015, equation 10).
    """

    def __init__(self, inputs: int, outputs: int, *, rng: Rng = None, dtype: Any = np.float64):
        super().__init__()
        for name, width in (("inputs", inputs), ("outputs", outputs)):
            if not isinstance(width, int | np.integer) or isinstance(width, bool) or width < 1:
                raise ValueError(
                    f"expected {name} of Dense as a positive whole number, got {width!r}; change it"
                )
        self.inputs, self.outputs = int(inputs), int(outputs)
        shapes = self.shapes(**self.config())
        weights = np.random.default_rng(rng).normal(0, np.sqrt(2 / inputs), shapes["W"])
        self.params = {"W": weights.astype(dtype), "b": np.zeros(shapes["b"], dtype)}

    def config(self) -> dict[str, Any]:
        """Widths."""
        return {"inputs": self.inputs, "outputs": self.outputs}

    @classmethod
    def shapes(cls, **config: Any) -> dict[str, tuple[int, ...]]:
        """Weights as (out, in), as in the papers."""
        return {"W": (config["outputs"], config["inputs"]), "b": (config["outputs"],)}

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """(in,) -> (out,)."""
        if shape != (self.inputs,):
            raise ValueError(
                f"expected an input of shape ({self.inputs},) for Dense, got {shape}; "
                "change its inputs or put a Flatten before it"
            )
        return (self.outputs,)

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Any]:
        """(n, in) -> (n, out)."""
        out = self.buffers.empty("out", (len(x), self.outputs), x.dtype)
        np.matmul(x, self.params["W"].T, out=out)
        out += self.params["b"]
        return out, x

    def backward(self, dout: Array, cache: Any, need_dx: bool = True) -> tuple[Array, Grads]:
        """dL/dx = dout W, dL/dW = doutᵀ x, dL/db = Σ_n dout."""
        dw = self.buffers.empty("dW", self.params["W"].shape, dout.dtype)
        grads = {"W": np.matmul(dout.T, cache, out=dw), "b": dout.sum(axis=0)}
        return (self.input_gradient(dout, cache) if need_dx else dout), grads

    def input_gradient(self, dout: Array, cache: Any) -> Array:
        """dL/dx = dout W."""
        dx = self.buffers.empty("dx", cache.shape, dout.dtype)
        return np.matmul(dout, self.params["W"], out=dx)


class Activation(Layer):
    """An activation function, element by element.

    name : 'relu', 'tanh', 'sigmoid' or 'softplus'
    """

    FUNCTIONS: ClassVar[dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]]] = {
        "relu": (F.relu, F.relu_grad),
        "tanh": (F.tanh, F.tanh_grad),
        "sigmoid": (F.sigmoid, F.sigmoid_grad),
        "softplus": (F.softplus, F.softplus_grad),
    }

    def __init__(self, name: str):
        super().__init__()
        if name not in self.FUNCTIONS:
            raise ValueError(
                f"expected an activation from {sorted(self.FUNCTIONS)}, got {name!r}; pick one"
            )
        self.name = name
        self.function, self.derivative = self.FUNCTIONS[name]

    def config(self) -> dict[str, Any]:
        """Name."""
        return {"name": self.name}

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Any]:
        """Same shape in and out; a ReLU works in place where memory is used again anyway."""
        if self.name == "relu" and reusing():
            return np.maximum(x, 0, out=x), x
        return self.function(x), x

    def backward(self, dout: Array, cache: Any, need_dx: bool = True) -> tuple[Array, Grads]:
        """dL/dx = dout ∘ σ'(x); a ReLU's derivative is the same whether x or relu(x) was kept."""
        if self.name == "relu" and reusing():
            for rows in pieces(len(dout), dout.size):
                dout[rows] *= cache[rows] > 0
            return dout, {}
        return dout * self.derivative(cache), {}


class Flatten(Layer):
    """(n, a, b, ...) -> (n, a·b·...), row-major."""

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """(a, b, ...) -> (a·b·...,)."""
        return (math.prod(shape),)

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Any]:
        """Keeps the rows, joins the rest."""
        return x.reshape(len(x), math.prod(x.shape[1:])), x.shape

    def backward(self, dout: Array, cache: Any, need_dx: bool = True) -> tuple[Array, Grads]:
        """The same numbers in the input's shape."""
        return dout.reshape(cache), {}
