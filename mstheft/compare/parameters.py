"""The parameters of networks of Dense layers with one activation between them, checked."""

from __future__ import annotations

import numpy as np

from mstheft.nn.layers import Activation, Dense, Flatten
from mstheft.nn.network import Network
from mstheft.typing import Array

Layers = list[tuple[Array, Array]]


def same_ends(a: Network, b: Network) -> None:
    """Raise ValueError unless inputs d and outputs K are equal."""
    if (a.inputs, a.outputs) != (b.inputs, b.outputs):
        raise ValueError(
            f"expected two networks of equal inputs and outputs, got {a.inputs} to {a.outputs} and "
            f"{b.inputs} to {b.outputs}; compare copies with their own victim"
        )


def relu_layers(network: Network) -> Layers | None:
    """(W, b) of each Dense layer in float64; None unless they alternate with single relus."""
    return layers_of(network, "relu")


def layers_of(network: Network, activation: str) -> Layers | None:
    """(W, b) of each Dense layer in float64; None unless that activation is between all of them."""
    layers = [layer for layer in network.layers if not isinstance(layer, Flatten)]
    dense, between = layers[::2], layers[1::2]
    alike = all(isinstance(each, Activation) and each.name == activation for each in between)
    if not (len(layers) % 2 and alike and all(isinstance(each, Dense) for each in dense)):
        return None
    return [(W.astype(np.float64), b.astype(np.float64)) for W, b in network.dense()]


def relu_only(network: Network, name: str, activation: str = "relu") -> Layers:
    """The same, or ValueError with the name of the network; parameters are finite."""
    layers = layers_of(network, activation)
    if layers is None:
        raise ValueError(
            f"expected {name} as Dense layers with {activation} between them, got {network}; "
            "compare the answers of other networks, with functional_equivalence"
        )
    if not all((np.abs(p) < 1e100).all() for pair in layers for p in pair):
        raise ValueError(
            f"expected finite parameters in {name}, below 1e100, got NaN or others; train again"
        )
    return layers


def activation_of(network: Network) -> str:
    """Name of the first activation, relu where there is none."""
    names = [layer.name for layer in network.layers if isinstance(layer, Activation)]
    return names[0] if names else "relu"


def one_hidden(network: Network, name: str, activation: str) -> Layers:
    """The same, or ValueError where there is not exactly one hidden layer."""
    layers = relu_only(network, name, activation)
    if len(layers) != 2:
        raise ValueError(
            f"expected {name} with one hidden layer, got {len(layers) - 1}; other networks cannot "
            "be aligned, compare their answers"
        )
    return layers


def largest(values: Array) -> float:
    """max |values|, 0 for none."""
    return float(np.abs(values).max(initial=0))
