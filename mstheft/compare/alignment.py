"""Symmetries: other parameters, the same function. An attack finds a copy only up to them.

Hidden layers are counted from 1 and their neurons from 0, as in `regions`. Every function returns
a new network and does not change its argument.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mstheft.compare.parameters import Layers, check_same_sizes, checked_layers, largest, layers_of
from mstheft.nn.layers import Activation, Dense, Flatten
from mstheft.nn.network import Network
from mstheft.typing import Array

MIRRORED = ("tanh", "sigmoid")  # activations whose neurons may change their sign
TIES = 1e-3  # weight of the output weights in a match: they decide between equal directions


def rescale(network: Network, layer: int, neuron: ArrayLike, factor: ArrayLike) -> Network:
    """Make one ReLU neuron larger and its output weights smaller by the same factor c > 0.

        A1_i relu(A0_i x + b0_i)  =  (A1_i / c) relu(c A0_i x + c b0_i)

    The two branches of the lecture, with z = A0_i x + b0_i:
        z ≤ 0:  c z ≤ 0 as well, and both sides are 0;
        z > 0:  c z > 0 as well, and (A1_i / c) (c z) = A1_i z.
    A negative c would swap the branches, and c = 0 would erase the neuron.

    layer : which hidden layer, 1 for the first
    neuron : (m,) which neurons of it, or one index
    factor : (m,) the c of each, or one for all; powers of two rescale without rounding
    Raises ValueError where it is no symmetry: another activation than relu, c ≤ 0, c not finite.
    Source: Jagielski et al. 2020, section 4.
    """
    twin = network.copy()
    inner, outer, names = _hidden(twin, layer)
    if any(name != "relu" for name in names):
        raise ValueError(f"expected relu after hidden layer {layer}, got {names}")
    neurons, factors = np.broadcast_arrays(np.atleast_1d(neuron), np.asarray(factor, float))
    if not (np.isfinite(factors) & (factors > 0)).all():
        raise ValueError(f"expected a finite factor > 0, got {factors}; other factors change f")
    inner["W"][neurons] *= factors[:, None]  # (m, d)
    inner["b"][neurons] *= factors
    outer["W"][:, neurons] /= factors  # (out, m)
    return twin


def flip(network: Network, layer: int, neuron: ArrayLike) -> Network:
    """Mirror tanh or sigmoid neurons: negate their weights, biases and output weights.

        A1_i tanh(z)  =  -A1_i tanh(-z)
        A1_i σ(z)     =  -A1_i σ(-z) + A1_i,     so that A1_i is added to the next bias

    softplus has no such twin: softplus(z) = softplus(-z) + z, and the z remains.

    layer : which hidden layer, 1 for the first; neuron : (m,) which neurons of it, or one index
    Raises ValueError for another activation.
    Source: Sussmann, Neural Networks 5, 1992 (tanh).
    """
    twin = network.copy()
    inner, outer, names = _hidden(twin, layer)
    if len(names) != 1 or names[0] not in MIRRORED:
        raise ValueError(f"expected tanh or sigmoid after hidden layer {layer}, got {names}")
    neurons = np.unique(neuron)
    if names[0] == "sigmoid":
        outer["b"] += outer["W"][:, neurons].sum(axis=1)
    for each in (inner["W"], inner["b"], outer["W"].T):
        each[neurons] *= -1
    return twin


def reorder(network: Network, layer: int, order: ArrayLike) -> Network:
    """Put the neurons of a hidden layer into another order: Σ_i A1_i σ(z_i) has none.

    layer : which hidden layer, 1 for the first
    order : (h,) a permutation; neuron i of the result is neuron order[i] of `network`
    Raises ValueError for an order that is no permutation.
    """
    twin = network.copy()
    inner, outer, _ = _hidden(twin, layer)
    rows, width = np.atleast_1d(order), len(inner["b"])
    if not np.array_equal(np.sort(rows), np.arange(width)):
        raise ValueError(f"expected order as a permutation of 0 to {width - 1}, got {rows}")
    inner["W"], inner["b"] = inner["W"][rows], inner["b"][rows]
    outer["W"] = outer["W"][:, rows]
    return twin


def center(network: Network) -> Network:
    """Fix the gauge: subtract the mean over classes from the last layer, so that Σ_k z_k(x) = 0.

        softmax(z - mean_j z_j)  =  softmax(z)

    Probabilities are unchanged, logits are not: a copy stolen from probabilities can only be
    compared after both networks are centred. Equal up to rounding; the twin is float64.

    Raises ValueError unless a Dense layer of two or more outputs comes last.
    Source: Tramèr et al. 2016, section 4.1.
    """
    twin = network.copy()
    last = twin.layers[-1] if twin.layers else None
    if not isinstance(last, Dense) or last.outputs < 2:
        raise ValueError(f"expected a Dense layer of two or more logits last, got {network}")
    last.params = {name: p - p.mean(axis=0, dtype=float) for name, p in last.params.items()}
    return Network(twin.layers, twin.shape, np.float64)


def _hidden(network: Network, layer: int) -> tuple[dict[str, Array], dict[str, Array], list[str]]:
    """Parameters into and out of a hidden layer, and the names of the activations between."""
    dense = [i for i, each in enumerate(network.layers) if isinstance(each, Dense)]
    if not 1 <= layer < len(dense):
        raise ValueError(f"expected one of the hidden layers 1 to {len(dense) - 1}, got {layer}")
    first, last = dense[layer - 1], dense[layer]
    between = [x for x in network.layers[first + 1 : last] if not isinstance(x, Flatten)]
    names = [each.name for each in between if isinstance(each, Activation)]
    if len(names) != len(between):
        raise ValueError(f"expected only activations after hidden layer {layer}, got {between}")
    return network.layers[first].params, network.layers[last].params, names


# ---- alignment


@dataclass(frozen=True)
class Alignment:
    """Which neuron of b is which neuron of a, and how far apart they are in a's units.

    Of h_a and h_b neurons m = min(h_a, h_b) are matched.

    neurons : (m,) the matched neurons of a, ascending; all of them unless a is wider
    order : (h_b,) neuron j of `model` is neuron order[j] of b. The first m belong to `neurons`,
        the rest is unmatched
    scale : (h_b,) positive factor on neuron order[j] of b; 1 for the unmatched
    model : b in that order and scale, in float64: the same function as b
    differences : 'A0' (m, d), 'b0' (m,), 'A1' (K, m), 'b1' (K,): model's numbers less a's
    error : the largest of them, max |θ̂ - θ|; unmatched neurons do not enter it
    unmatched_a, unmatched_b : neurons without a partner, by their number in a and in b
    """

    neurons: np.ndarray
    order: np.ndarray
    scale: Array
    model: Network
    differences: dict[str, Array]
    error: float
    unmatched_a: list[int]
    unmatched_b: list[int]


def align(a: Network, b: Network) -> Alignment:
    """Undo the symmetries of one hidden layer: fit b to a, neuron by neuron.

    1. Each neuron is given by its direction u_i = [A0_i, b0_i] / |[A0_i, b0_i]|, which no
       positive scale changes, and by A1_i |[A0_i, b0_i]|, which differs between duplicates.
    2. The permutation with the least sum of distances, by the Hungarian method.
    3. The scale of each neuron is |[A0_i, b0_i]| / |[Â0_j, b̂0_j]|.

    Only relu has that scale. For tanh, sigmoid and softplus the rows themselves are compared, up to
    their sign for the first two (see `flip`), and the scale is that sign.

    a : the victim; b : the copy, of any number of hidden neurons
    Raises ValueError unless both have one hidden layer of the same activation and equal d and K.
    Source: scipy.optimize.linear_sum_assignment.
    """
    names = [layer.name for layer in a.layers if isinstance(layer, Activation)]
    name = names[0] if names else "relu"
    first, second = _one_hidden(a, "a", name), _one_hidden(b, "b", name)
    check_same_sizes(a, b)
    neurons, partners, scale = _match(first, second, name)
    rest = np.setdiff1d(np.arange(len(second[0][1])), partners)
    order = np.concatenate([partners, rest])
    scale = np.concatenate([scale, np.ones(len(rest))])
    model = reorder(Network(b.copy().layers, b.shape, np.float64), 1, order)
    if name == "relu":
        model = rescale(model, 1, np.arange(len(order)), scale)
    elif (scale < 0).any():
        model = flip(model, 1, np.flatnonzero(scale < 0))
    differences = _differences(first, layers_of(model, name) or [], neurons)
    error = max(map(largest, differences.values()))
    alone = np.setdiff1d(np.arange(len(first[0][1])), neurons).tolist()
    return Alignment(neurons, order, scale, model, differences, error, alone, rest.tolist())


def align_layers(a: Network, b: Network) -> Network:
    """b in the order and scale of a's neurons, hidden layer by hidden layer, float64.

    Both have relu between dense layers of equal widths. Each layer is matched as `align` does it,
    by the directions of its rows, after the layers before it.
    """
    model = Network(b.copy().layers, b.shape, np.float64)
    first = checked_layers(a, "a")
    for depth in range(1, len(first)):
        none = np.zeros((1, len(first[depth - 1][1])))  # the next layer is not in order yet
        second = checked_layers(model, "b")[depth - 1]
        _, partners, scale = _match(
            [first[depth - 1], (none, none)], [second, (none, none)], "relu"
        )
        model = rescale(reorder(model, depth, partners), depth, np.arange(len(partners)), scale)
    return model


def _one_hidden(network: Network, name: str, activation: str) -> Layers:
    layers = checked_layers(network, name, activation)
    if len(layers) != 2:
        raise ValueError(f"expected {name} with one hidden layer, got {len(layers) - 1}")
    return layers


def _match(first: Layers, second: Layers, name: str) -> tuple[np.ndarray, np.ndarray, Array]:
    """Matched neurons of both networks, (m,) and (m,), and the scale of the second's, (m,)."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    sizes, rows, outputs = [], [], []  # of both networks: (h,), (h, d + 1), (h, K)
    for (weights, bias), (last, _) in (first, second):
        row = np.column_stack([weights, bias])  # (h, d + 1)
        size = np.linalg.norm(row, axis=1) if name == "relu" else np.ones(len(row))
        sizes.append(size)
        rows.append(row / np.where(size > 0, size, 1)[:, None])
        outputs.append(last.T * size[:, None])  # (h, K)
    row_unit = 1.0 if name == "relu" else max(map(largest, rows)) or 1.0
    output_unit = max(map(largest, outputs)) or 1.0

    def distance(sign: float) -> Array:
        near = cdist(rows[0], sign * rows[1]) / row_unit  # (h_a, h_b)
        return near + TIES * cdist(outputs[0], sign * outputs[1]) / output_unit

    same = distance(1)
    cost = np.minimum(same, distance(-1)) if name in MIRRORED else same
    neurons, partners = linear_sum_assignment(cost)  # (m,) each, m = min(h_a, h_b)
    sign = np.where((cost < same)[neurons, partners], -1.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = sizes[0][neurons] / sizes[1][partners]  # a row of zeros has no scale
    return neurons, partners, sign * np.where((ratio > 1e-100) & (ratio < 1e100), ratio, 1)


def _differences(first: Layers, second: Layers, neurons: np.ndarray) -> dict[str, Array]:
    (weights, bias), (last, final) = first
    (weights_, bias_), (last_, final_) = second
    m = len(neurons)
    return {
        "A0": weights_[:m] - weights[neurons],
        "b0": bias_[:m] - bias[neurons],
        "A1": last_[:, :m] - last[:, neurons],
        "b1": final_ - final,
    }
