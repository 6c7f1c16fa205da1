"""One hidden ReLU layer from labels alone."""

from mstheft.direct.labels.attack import extract

__all__ = ["extract"]
