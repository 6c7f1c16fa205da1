"""Exact recovery: attacks that solve for the weights instead of learning them."""

from mstheft.direct import deep, label_only, line, linear, relu, smooth, sweep

__all__ = ["deep", "label_only", "line", "linear", "relu", "smooth", "sweep"]
