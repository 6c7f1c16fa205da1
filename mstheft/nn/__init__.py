"""Networks in plain NumPy: layers, losses, training, storage. Nothing here knows about theft."""

from mstheft.nn import fit, functions, gradcheck, layers, losses, network, optim, regions, zoo
from mstheft.nn.network import Network

__all__ = ["Network", "fit", "functions", "gradcheck", "layers", "losses", "network", "optim"]
__all__ += ["regions", "zoo"]
