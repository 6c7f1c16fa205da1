"""Learned copies: attacks that train a network on what the oracle told."""

from mstheft.learning import active, jacobian, strategies

__all__ = ["active", "jacobian", "strategies"]
