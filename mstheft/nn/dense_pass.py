"""Dense networks as one matrix a layer, a pass through them, and its derivative in both directions.

    chain, assemble     a network as [W b] of each layer, and back
    DensePass           a forward pass; `jvp` sends tangents forwards, `vjp` gradients backwards
    OUTPUTS             from logits to answers, and the derivative in both directions

`gauss_newton` fits a network to answers with them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mstheft.nn import functions as F
from mstheft.nn.layers import Activation, Dense, Flatten
from mstheft.nn.network import Network
from mstheft.typing import Array

Weights = list[Array]  # [W b] of each layer, (out, in + 1)


# ---- a network as one matrix a layer


def chain(network: Network) -> tuple[Weights, list[str]]:
    """[W b] of every Dense layer, float64, and the activations between them ('identity' for none).

    Raises ValueError for layers other than Dense and Activation, after a Flatten perhaps.
    """
    weights: Weights = []
    activations: list[str] = []
    layers = network.layers
    for layer in layers[isinstance(layers[0], Flatten) :]:
        if isinstance(layer, Dense):
            activations += ["identity"] * (len(weights) - len(activations))
            columns = [layer.params["W"], layer.params["b"][:, None]]
            weights.append(np.hstack(columns).astype(np.float64))
        elif isinstance(layer, Activation) and len(activations) == len(weights) - 1:
            activations.append(layer.name)
        else:
            raise _not_dense(layer)
    if not weights or len(activations) == len(weights):
        raise _not_dense("a network that does not end in Dense")
    return weights, activations


def _not_dense(layer: object) -> ValueError:
    what = layer if isinstance(layer, str) else type(layer).__name__
    wanted = "Dense layers with at most one Activation between two of them"
    return ValueError(f"expected {wanted}, got {what}; other networks cannot be polished")


def assemble(network: Network, weights: Weights) -> Network:
    """A float64 copy of the network with these weights."""
    copy = network.copy()
    dense = (layer for layer in copy.layers if isinstance(layer, Dense))
    for layer, matrix in zip(dense, weights, strict=True):
        layer.params = {"W": matrix[:, :-1].copy(), "b": matrix[:, -1].copy()}
    return Network(copy.layers, copy.shape, np.float64)


def with_ones(a: Array) -> Array:
    """(n, in) -> (n, in + 1) with a last column of ones, which meets the bias."""
    return np.hstack([a, np.ones((len(a), 1))])


def flat(weights: Weights) -> Array:
    """All matrices as one vector, (P,)."""
    return np.concatenate([matrix.ravel() for matrix in weights])


def unflat(vector: Array, like: Weights) -> Weights:
    """The vector (P,) as matrices of the shapes of `like`."""
    parts = np.split(vector, np.cumsum([matrix.size for matrix in like])[:-1])  # one a matrix
    return [part.reshape(matrix.shape) for part, matrix in zip(parts, like, strict=True)]


# ---- a pass, and its derivative in both directions


@dataclass(frozen=True)
class DensePass:
    """A forward pass a_0 = x, z_l = W_l [a_l 1], a_{l+1} = σ(z_l), and its derivative."""

    weights: Weights  # [W b] of each layer, (out, in + 1)
    inputs: list[Array]  # [a_l 1] of each layer, (n, in + 1)
    slopes: list[Array]  # σ'(z_l) of each hidden layer, (n, out)
    logits: Array  # z of the last layer, (n, K)

    def jvp(self, tangent: Weights) -> Array:
        """How the logits move when the weights do: J p, one pass forwards. (n, K)

        ż_l = Ẇ_l [a_l 1] + W_l ȧ_l,    ȧ_{l+1} = σ'(z_l) ∘ ż_l,    ȧ_0 = 0
        """
        dz = self.inputs[0] @ tangent[0].T
        layers = self.slopes, self.inputs[1:], self.weights[1:], tangent[1:]
        for slope, a, matrix, moved in zip(*layers, strict=True):
            dz = a @ moved.T + (slope * dz) @ matrix[:, :-1].T  # (n, out)
        return dz

    def vjp(self, dlogits: Array) -> Weights:
        """Jᵀ r, one pass backwards: Σ_n g_l [a_l 1]ᵀ with g_l of `gradients`. (n, K) -> weights."""
        return [g.T @ a for g, a in zip(self.gradients(dlogits), self.inputs, strict=True)]

    def single(self) -> "DensePass":
        """The same in float32."""
        parts = self.weights, self.inputs, self.slopes, [self.logits]
        w, a, slopes, (logits,) = ([each.astype(np.float32) for each in part] for part in parts)
        return DensePass(w, a, slopes, logits)

    def gradients(self, dlogits: Array) -> list[Array]:
        """g_l = dL/dz_l of each layer, (n, out): g_l = σ'(z_l) ∘ (W_{l+1}ᵀ g_{l+1})."""
        gradients = [dlogits]
        for slope, matrix in zip(self.slopes[::-1], self.weights[:0:-1], strict=True):
            gradients.append(slope * (gradients[-1] @ matrix[:, :-1]))  # (n, in): no bias
        return gradients[::-1]


def forward(weights: Weights, activations: Sequence[str], rows: Array) -> DensePass:
    """The pass of `rows`, (n, d + 1) with their ones."""
    inputs, slopes = [rows], []
    z = rows @ weights[0].T
    for name, matrix in zip(activations, weights[1:], strict=True):
        value, slope = activation(name)
        slopes.append(slope(z))
        inputs.append(with_ones(value(z)))
        z = inputs[-1] @ matrix.T
    return DensePass(weights, inputs, slopes, z)


def activation(name: str) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """The function of that name and its derivative; 'identity' is one."""
    if name == "identity":
        return (lambda z: z), np.ones_like
    return Activation.FUNCTIONS[name]


# ---- the answers of a victim: logits, probabilities or their logarithms


@dataclass(frozen=True)
class Output:
    """o(z), and its derivative at z: `push` sends dz to do, `pull` dL/do to dL/dz."""

    answer: Callable[[Array], Array]
    push: Callable[[Array, Array], Array]
    pull: Callable[[Array, Array], Array]


def _pair(z: Array) -> Array:
    """One sigmoid logit as two: softmax of (0, z) is (1 - p, p)."""
    return np.hstack([np.zeros_like(z), z]) if z.shape[1] == 1 else z


def _push_log(z: Array, dz: Array) -> Array:
    """d log p_k = dz_k - <p, dz>."""
    dz = _pair(dz)
    return dz - (F.softmax(_pair(z)) * dz).sum(axis=1, keepdims=True)


def _pull_log(z: Array, dlog: Array) -> Array:
    """dL/dz; of a pair only the second logit is a parameter's."""
    return F.log_softmax_grad(_pair(z), dlog)[:, -z.shape[1] :]


def _probs(z: Array) -> Array:
    return F.sigmoid(z) if z.shape[1] == 1 else F.softmax(z)


def _probs_grad(z: Array, d: Array) -> Array:
    """(diag p - p pᵀ) d, the same in both directions since the matrix is symmetric."""
    return F.sigmoid_grad(z) * d if z.shape[1] == 1 else F.softmax_grad(z, d)


_PROBS = Output(_probs, _probs_grad, _probs_grad)

OUTPUTS: dict[str, Output] = {
    "logits": Output(lambda z: z, lambda z, d: d, lambda z, d: d),
    "log_probs": Output(lambda z: F.log_softmax(_pair(z)), _push_log, _pull_log),
    "probs": _PROBS,
    "top_k": _PROBS,
}
