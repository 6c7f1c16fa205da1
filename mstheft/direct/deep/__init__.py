"""Two or three hidden ReLU layers, peeled from both ends."""

from mstheft.direct.deep.attack import extract

__all__ = ["extract"]
