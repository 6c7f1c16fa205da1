"""Data to train victims on: drawn on the spot (`synthetic`) or read from files (`images`)."""

from mstheft.data import images, store, synthetic

__all__ = ["images", "store", "synthetic"]
