"""One hidden ReLU layer in fewer queries than it has parameters."""

from mstheft.direct.sweep.attack import extract
from mstheft.direct.sweep.stages import build, search

__all__ = ["build", "extract", "search"]
