"""Solutions of exercise 08."""

import math

import numpy as np


def noise_level(answers):
    """The typical size of the rounding in an answer, seen from outside."""
    bends = answers[:-2] - 2 * answers[1:-1] + answers[2:]
    return float(np.sqrt((bends**2).mean() / 6))


def best_step(noise, bend):
    """The step at which a forward difference (f(x + c) - f(x)) / c is off least."""
    return 2 * math.sqrt(noise / bend)


def logit_error(p, decimals):
    """How far the logit of a rounded probability may be off."""
    delta = 0.5 * 10.0**-decimals
    known = (p > delta) & (p < 1 - delta)
    return np.where(known, delta / (p * (1 - p)), np.inf)


def decimals_needed(tolerance, step):
    """How many decimals must the answers have, so that a slope is off by at most `tolerance`?"""
    return math.ceil(-math.log10(tolerance * step))
