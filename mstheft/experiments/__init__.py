"""Experiments of many thefts: victims to train, learned thefts, grids, the arena."""
