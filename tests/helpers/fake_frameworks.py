"""What an oracle uses of PyTorch and of ONNX Runtime, in a few lines, where they are not installed.

A layer x -> x Wᵀ + b, and in training mode plus 100, as dropout would change the answers.
"""

from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np


class Tensor:
    def __init__(self, values, dtype, device="cpu"):
        self.values, self.dtype, self.device = values, dtype, device

    def is_floating_point(self):
        return "float" in self.dtype

    def detach(self):
        return self

    def cpu(self):
        return Tensor(self.values, self.dtype)

    def float(self):
        return Tensor(self.values.astype(np.float32), "torch.float32")

    def numpy(self):
        assert self.device == "cpu"
        assert self.dtype != "torch.bfloat16", "NumPy has none"
        return self.values


class Module:
    def __init__(self, *children):
        self.children, self.training = children, True

    def modules(self):
        yield self
        for child in self.children:
            yield from child.modules()

    def parameters(self):
        for child in self.children:
            yield from child.parameters()

    def eval(self):
        for each in self.modules():
            each.training = False

    def __call__(self, x):
        for child in self.children:
            x = child(x)
        return x


class Linear(Module):
    def __init__(self, weight, bias, dtype, device="meta"):
        super().__init__()
        self.in_features, self.dtype, self.device = weight.shape[1], dtype, device
        self.weight, self.bias, self.calls = weight, bias, []

    def parameters(self):
        yield Tensor(np.zeros(1), "torch.int64")  # a count, as batch norm has
        yield Tensor(self.weight, self.dtype, self.device)

    def __call__(self, x):
        assert (x.dtype, x.device) == (self.dtype, self.device)
        self.calls.append((len(x.values), Torch.gradients))
        out = x.values @ self.weight.T + self.bias + 100 * self.training
        return Tensor(out.astype(x.values.dtype), self.dtype, self.device)


class Torch:
    """The module `torch`."""

    gradients = True
    bfloat16, int64 = "torch.bfloat16", "torch.int64"
    nn = SimpleNamespace(Module=Module)

    @staticmethod
    def empty(size):
        return Tensor(np.empty(size), "torch.float32")

    @staticmethod
    def as_tensor(x, dtype, device):
        return Tensor(x, dtype, device)

    @staticmethod
    @contextmanager
    def no_grad():
        Torch.gradients = False
        yield
        Torch.gradients = True


class Session:
    """An ONNX Runtime session of a function.

    shape : of its input, the batch first;  outputs : {name: (type, function)}
    """

    def __init__(self, shape, outputs, kind="tensor(float)", inputs=1):
        self.shape, self.outputs, self.kind, self.inputs = shape, outputs, kind, inputs
        self.calls = []

    def get_inputs(self):
        return [SimpleNamespace(name="x", shape=self.shape, type=self.kind)] * self.inputs

    def get_outputs(self):
        named = self.outputs.items()
        return [SimpleNamespace(name=name, type=kind) for name, (kind, _) in named]

    def run(self, names, feed):
        x = feed["x"]
        self.calls.append(x.shape)
        assert len(x) == self.shape[0] or not isinstance(self.shape[0], int)
        return [self.outputs[name][1](x) for name in names]
