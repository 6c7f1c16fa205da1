"""Exact recovery: attacks that solve for the weights instead of learning them."""

from mstheft.direct import deep, line, linear, relu, smooth, sweep
from mstheft.direct.linear import boundary

label_only = boundary  # its name before it became `boundary`

__all__ = ["boundary", "deep", "label_only", "line", "linear", "relu", "smooth", "sweep"]
