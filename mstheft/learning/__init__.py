"""Learned copies: attacks that train a network on the answers of an oracle."""

from mstheft.learning import active, jacobian, strategies

__all__ = ["active", "jacobian", "strategies"]
