"""No hidden layer: by equations from numbers or top-k answers, by hyperplanes from labels."""

from mstheft.direct.linear.attack import extract

__all__ = ["extract"]
