"""Model theft, explained by doing it: exact and learned copies of networks in plain NumPy."""

from mstheft import adversarial, compare, data, defend, direct, errors, learning, nn, oracle, plots
from mstheft.nn import Network
from mstheft.oracle import Oracle

__version__ = "0.1.0"
__all__ = [
    "Network",
    "Oracle",
    "adversarial",
    "compare",
    "data",
    "defend",
    "direct",
    "errors",
    "learning",
    "nn",
    "oracle",
    "plots",
]
