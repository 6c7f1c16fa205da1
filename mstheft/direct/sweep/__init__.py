"""One hidden ReLU layer in fewer queries than it has parameters."""

from mstheft.direct.sweep.attack import build, extract, search

__all__ = ["build", "extract", "search"]
