"""Networks in plain NumPy: layers, losses, training, storage. Nothing here knows about theft."""

from mstheft.nn import (
    bounds,
    fit,
    functions,
    gradcheck,
    layers,
    losses,
    network,
    optim,
    regions,
    symmetry,
    zoo,
)
from mstheft.nn.network import Network

__all__ = [
    "Network",
    "bounds",
    "fit",
    "functions",
    "gradcheck",
    "layers",
    "losses",
    "network",
    "optim",
    "regions",
    "symmetry",
    "zoo",
]
