"""Attacks against defences and detectors on one victim."""
