"""The black box between a victim and whoever asks it."""

from mstheft.oracle.oracle import Oracle

__all__ = ["Oracle"]
