"""Learned copies: attacks that train a network on the answers of an oracle.

active      ActiveThief's rounds; `strategies` pick its queries, with k-center in `kcenter`
exact       one hidden ReLU layer to the noise, from rows that nobody chose
jacobian    Jacobian-based augmentation, the queries that PRADA notices
"""

from mstheft.learning import active, exact, jacobian, strategies

__all__ = ["active", "exact", "jacobian", "strategies"]
