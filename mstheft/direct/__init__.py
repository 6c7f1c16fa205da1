"""Exact recovery: attacks that solve for the weights instead of learning them."""
