"""The other side: what a prediction service can do against those who copy it."""

from mstheft.defend import prada

__all__ = ["prada"]
