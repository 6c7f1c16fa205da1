"""Learned copies: attacks that train a network on the answers of an oracle.

active      ActiveThief's rounds; `strategies` pick its queries, with k-center in `kcenter`
exact       one hidden ReLU layer to the noise, from rows that nobody chose
jacobian    Jacobian-based augmentation, the queries that PRADA notices
sketched    exact, on a random subspace first: few decimals in few queries
steal       whatever it is: recognised, then the attack that fits, learned or not
"""

from mstheft.learning import active, exact, jacobian, sketched, steal, strategies

__all__ = ["active", "exact", "jacobian", "sketched", "steal", "strategies"]
