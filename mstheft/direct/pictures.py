"""Rows that look like pictures: wherever a network has learned to look, some of them switch it.

A random row of a box is grey all over, seen by a neuron whose weights go together like strokes: of
784-32-10 trained on MNIST two neurons in three never switch in 4,000 of them. Blots of all sizes,
black on white, switch each of them in one row of five.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from mstheft.direct.box import Box
from mstheft.nn.network import Network
from mstheft.typing import Array

FINE, COARSE = 1 / 25, 1 / 5  # size of the blots, in sides of the picture
DUST = 0.1  # share of single pixels that are turned over, at the most, in half of the pictures
GREY = 0.1  # share of the pictures whose colours are not those of the walls
POOL, ROUNDS, SHARE = 4, 30, 0.15  # rows for one that is chosen; and the share of each neuron
BLOCK = 1024  # pictures drawn at once
CHANNELS = 1, 3  # of a picture whose shape nobody says


def shape_of(oracle_shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Channels, height and width of what an oracle takes; for rows of no picture 1, 1, d."""
    if len(oracle_shape) == 3:
        first = min(oracle_shape) == oracle_shape[0]
        c, h, w = oracle_shape if first else (oracle_shape[2], *oracle_shape[:2])
        return c, h, w
    if len(oracle_shape) == 2:
        return 1, *oracle_shape
    d = math.prod(oracle_shape)
    for c in CHANNELS:
        side = math.isqrt(d // c)
        if side > 1 and c * side**2 == d:
            return c, side, side
    return 1, 1, d


def blots(rng: Generator, n: int, shape: tuple[int, ...]) -> np.ndarray:
    """Which pixels are bright, (n, d): smooth noise above a threshold, some bright and some dark.

    shape : of the oracle's input
    """
    if n > BLOCK:
        parts = [min(BLOCK, n - first) for first in range(0, n, BLOCK)]
        return np.concatenate([blots(rng, part, shape) for part in parts])
    c, *sides = shape_of(shape)
    size = 2 ** rng.uniform(math.log2(FINE), math.log2(COARSE), n)
    waved = np.fft.rfft2(rng.normal(size=(n, c, *sides)))
    for axis, side in zip((2, 3), sides, strict=True):
        waves = np.fft.fftfreq(side) if axis == 2 else np.fft.rfftfreq(side)
        smooth = np.exp(-2 * (math.pi * np.multiply.outer(size * max(sides), waves)) ** 2)
        waved *= np.expand_dims(smooth, (1, 5 - axis))
    field = np.fft.irfft2(waved, s=sides)  # (n, c, h, w)
    field /= field.std(axis=(1, 2, 3), keepdims=True)
    dust = DUST * rng.random((n, 1, 1, 1)) * (rng.random((n, 1, 1, 1)) < 0.5)
    bright = (field + rng.normal(size=(n, 1, 1, 1)) > 0) ^ (rng.random(field.shape) < dust)
    if len(shape) == 3 and min(shape) != shape[0]:
        bright = np.moveaxis(bright, 1, 3)
    return bright.reshape(n, math.prod(shape))


def pictures(rng: Generator, n: int, box: Box, shape: tuple[int, ...], grey: float = GREY) -> Array:
    """Pictures in the colours of the walls, (n, d); a share `grey` of them in two other ones."""
    low, high = box
    dark, light = np.zeros((n, 1)), np.ones((n, 1))
    is_grey = rng.random((n, 1)) < grey
    colours = rng.random((2, n, 1))
    dark, light = np.where(is_grey, colours, [dark, light])
    return low + (high - low) * np.where(blots(rng, n, shape), light, dark)


def balanced(
    rng: Generator, n: int, model: Network, draw: Callable[[int], Array], share: float = SHARE
) -> Array:
    """`n` of many rows, such that each neuron of a rough copy switches in many of them, (n, d).

    A neuron that is on in nearly all rows, with K others, is one with these. One row of those in
    which it is off is one equation for its d weights: there must be as many. No query: the rows
    are chosen by the copy. Each is as likely as Σ_i λ_i over the neurons whose rarer side it
    is on, λ such that none has less than its share.
    """
    (a0, b0), _ = model.dense()
    rows = draw(POOL * n)
    on = rows @ a0.T + b0 > 0
    rare = np.where(on.mean(axis=0) < 0.5, on, ~on)[:, (on != on[0]).any(axis=0)]
    likely, weight = np.ones(len(rows)), np.ones(rare.shape[1])
    for _ in range(ROUNDS):
        likely = 1 / POOL + rare @ weight
        weight *= np.maximum(1, share * likely.sum() / np.maximum(likely @ rare, 1e-300))
        weight /= max(weight.max(initial=0.0), 1e-300)
    return rows[rng.choice(len(rows), n, replace=False, p=likely / likely.sum())]
