"""Learned copies: attacks that train a network on the answers of an oracle."""

from mstheft.learning import active, exact, jacobian, strategies

__all__ = ["active", "exact", "jacobian", "strategies"]
