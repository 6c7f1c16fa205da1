"""Layers: `forward(x) -> out, cache` and `backward(dout, cache) -> dx, grads`.

A layer owns its parameters in the dictionary `params`; `grads` has the same keys. The cache
holds the arrays for the backward pass, so that a layer itself has no memory of a call.
Rows are samples throughout: x is (n, ...).
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from mstheft.nn import functions as F
from mstheft.nn.fast.buffers import Buffers, pieces, reusing
from mstheft.typing import Array, Rng

Grads = dict[str, Array]
Shape = tuple[int, ...]  # of one input or output, without the n samples


class Layer:
    """The interface of a layer, which `config` and `params` describe completely.

    A layer has an attribute for each argument of its constructor, but for rng and dtype.
    """

    def __init__(self) -> None:
        self.params: dict[str, Array] = {}
        self.buffers = Buffers()

    def config(self) -> dict[str, Any]:
        """Arguments of the constructor but for rng and dtype, as plain JSON values."""
        return {name: getattr(self, name) for name in self.arguments()}

    @classmethod
    def arguments(cls) -> list[str]:
        """Names of the arguments in `config`."""
        return [name for name in inspect.signature(cls).parameters if name not in ("rng", "dtype")]

    @classmethod
    def shapes(cls, *args: Any, **config: Any) -> dict[str, Shape]:
        """Parameter names and shapes for such a `config`, before anything is allocated."""
        return {}

    def check_shape(self, fits: bool, wanted: str, shape: Shape, advice: str) -> None:
        """Raise the ValueError of `out_shape` where the inputs do not fit."""
        if not fits:
            name = type(self).__name__
            raise ValueError(f"expected {wanted} for {name}, got {shape}; {advice}")

    def out_shape(self, shape: Shape) -> Shape:
        """Shape of one output for one input of such a shape; ValueError if it does not fit."""
        return shape

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Any]:
        """(n, ...) -> the layer's output and the cache for `backward`."""
        raise NotImplementedError

    def backward(self, dout: Array, cache: Any, need_dx: bool = True) -> tuple[Array, Grads]:
        """dL/dout -> (dL/dx, {name: dL/dparam}); a layer may skip dx where `need_dx` is False."""
        raise NotImplementedError

    def input_gradient(self, dout: Array, cache: Any) -> Array:
        """dL/dout -> dL/dx alone; a layer whose dL/dparams is dear leaves it out here."""
        return self.backward(dout, cache)[0]


class Dense(Layer):
    """Affine layer: out = x Wᵀ + b.

    params : W (out, in), b (out,)
    Initial weights are He's: W ~ N(0, 2 / in), b = 0 (He et al. 2015, equation 10).
    """

    def __init__(
        self, inputs: int, outputs: int, *, rng: Rng = None, dtype: DTypeLike = np.float64
    ):
        super().__init__()
        for name, width in (("inputs", inputs), ("outputs", outputs)):
            if not isinstance(width, int | np.integer) or isinstance(width, bool) or width < 1:
                wanted = f"{name} of Dense as a positive whole number"
                raise ValueError(f"expected {wanted}, got {width!r}")
        self.inputs, self.outputs = int(inputs), int(outputs)
        shapes = self.shapes(**self.config())
        weights = np.random.default_rng(rng).normal(0, np.sqrt(2 / inputs), shapes["W"])
        self.params = {"W": weights.astype(dtype), "b": np.zeros(shapes["b"], dtype)}

    @classmethod
    def shapes(cls, inputs: int, outputs: int) -> dict[str, Shape]:
        """Weights as (out, in), as in the papers."""
        return {"W": (outputs, inputs), "b": (outputs,)}

    def out_shape(self, shape: Shape) -> Shape:
        """(in,) -> (out,)."""
        wanted, advice = f"an input of shape ({self.inputs},)", "put a Flatten before it"
        self.check_shape(shape == (self.inputs,), wanted, shape, f"change inputs= or {advice}")
        return (self.outputs,)

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Array]:
        """(n, in) -> (n, out)."""
        out = self.buffers.empty("out", (len(x), self.outputs), x.dtype)
        np.matmul(x, self.params["W"].T, out=out)  # (n, out)
        out += self.params["b"]
        return out, x

    def backward(self, dout: Array, cache: Array, need_dx: bool = True) -> tuple[Array, Grads]:
        """dL/dx = dout W, dL/dW = doutᵀ x, dL/db = Σ_n dout."""
        dw = self.buffers.empty("dW", self.params["W"].shape, dout.dtype)
        # (out, n) (n, in) -> (out, in)
        grads = {"W": np.matmul(dout.T, cache, out=dw), "b": dout.sum(axis=0)}
        return (self.input_gradient(dout, cache) if need_dx else dout), grads

    def input_gradient(self, dout: Array, cache: Array) -> Array:
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
            raise ValueError(f"expected an activation from {[*self.FUNCTIONS]}, got {name!r}")
        self.name = name
        self.function, self.derivative = self.FUNCTIONS[name]

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Array]:
        """Same shape in and out; a ReLU works in place inside `reused()`."""
        if self.name == "relu" and reusing():
            return np.maximum(x, 0, out=x), x
        return self.function(x), x

    def backward(self, dout: Array, cache: Array, need_dx: bool = True) -> tuple[Array, Grads]:
        """dL/dx = dout ∘ σ'(x); for a ReLU the cache may hold x or relu(x)."""
        if self.name == "relu" and reusing():
            for rows in pieces(len(dout), dout.size):
                dout[rows] *= cache[rows] > 0
            return dout, {}
        return dout * self.derivative(cache), {}


class Flatten(Layer):
    """(n, a, b, ...) -> (n, a·b·...), row-major."""

    def out_shape(self, shape: Shape) -> Shape:
        """(a, b, ...) -> (a·b·...,)."""
        return (math.prod(shape),)

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Shape]:
        """Keeps the rows, joins the rest."""
        return x.reshape(len(x), math.prod(x.shape[1:])), x.shape

    def backward(self, dout: Array, cache: Shape, need_dx: bool = True) -> tuple[Array, Grads]:
        """The same numbers in the input's shape."""
        return dout.reshape(cache), {}
