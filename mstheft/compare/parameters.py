"""The parameters of networks of Dense layers with one activation between them, checked."""

import numpy as np

from mstheft.nn.layers import Activation, Dense, Flatten
from mstheft.nn.network import Network
from mstheft.typing import Array

Layers = list[tuple[Array, Array]]  # (W, b) of each Dense layer, in float64


def check_same_sizes(a: Network, b: Network) -> None:
    """Raise ValueError unless inputs d and outputs K are equal."""
    if (a.inputs, a.outputs) != (b.inputs, b.outputs):
        sizes = f"{a.inputs} to {a.outputs} and {b.inputs} to {b.outputs}"
        raise ValueError(f"expected two networks of equal inputs and outputs, got {sizes}")


def layers_of(network: Network, activation: str = "relu") -> Layers | None:
    """(W, b) of each Dense layer in float64; None unless that activation is between all of them."""
    layers = [layer for layer in network.layers if not isinstance(layer, Flatten)]
    dense, between = layers[::2], layers[1::2]
    alike = all(isinstance(each, Activation) and each.name == activation for each in between)
    if not (len(layers) % 2 and alike and all(isinstance(each, Dense) for each in dense)):
        return None
    return [(W.astype(np.float64), b.astype(np.float64)) for W, b in network.dense()]


def checked_layers(network: Network, name: str, activation: str = "relu") -> Layers:
    """`layers_of`, finite and below 1e100, or a ValueError that names the network."""
    layers = layers_of(network, activation)
    if layers is None:
        wanted = f"{name} as Dense layers with {activation} between them"
        raise ValueError(f"expected {wanted}, got {network}; compare the answers instead")
    if not all((np.abs(p) < 1e100).all() for pair in layers for p in pair):
        raise ValueError(f"expected finite parameters in {name}, below 1e100, got others")
    return layers


def largest(values: Array) -> float:
    """max |values|, 0 for none."""
    return float(np.abs(values).max(initial=0))
