"""Normals of flat pieces of the boundary: d points near by, bisected side by side."""

from __future__ import annotations

import numpy as np

from mstheft.direct.labels.boundary import BoundaryPoints, Piece, Scale, heights
from mstheft.typing import Array, Oracle

COARSE = 10  # halvings from which the tangent plane is guessed
FIRST = 12  # halvings after which a bend shows
NARROW = 2.0**-5  # half-width of the finer search around the guess, in radii
SHRINK = 8.0  # a radius that meets a bend is divided by it
TRIES = 4  # radii
EXACT = 1e-8  # error of a slope that needs no wider radius
WIDER = 4  # times the radius, as long as the error is larger


def tangent_guess(
    oracle: Oracle, point: Array, across: Array, classes: tuple[int, int], radius: float
) -> Array | None:
    """The normal to about 1 %, without any guess: slopes along the axes, in COARSE halvings.

        p + r e_i + t_i v  on the boundary   =>   n_i = -(n·v) t_i / r

    Slopes too steep for ± 4 r are sought again eight times and 64 times as high.
    Returns (d,), |n| = 1, or None. Costs about 10 d queries.
    """
    d, half = len(point), 4 * radius
    t = np.full(d, np.nan)
    for _ in range(3):
        left = np.flatnonzero(np.isnan(t))
        if len(left):
            rows = point + radius * np.eye(d)[left]
            t[left] = heights(oracle, rows, across, half, classes, COARSE)
            half *= 8
    if np.isnan(t).any() or not t.any():
        return None
    return -t / np.linalg.norm(t)


def normal(
    oracle: Oracle,
    point: Array,
    across: Array,
    classes: tuple[int, int],
    radius: float,
    scale: Scale,
) -> Piece | None:
    """The flat piece around a boundary point: its normal from d points near by.

        p + r (e_i - v_i v) + t_i v  on the boundary   =>   n_i = v_i - t_i / r,   where n·v = 1

    v is the guess of `tangent_guess`, so that t_i is halved from r / 32 to r precision. The d
    slopes fit n·v = 1 unless a bend lies between; then r is too large.
    point, across : (d,) on the boundary, and a direction that crosses it, into the first class
    radius : r, divided by 8 up to three times; where labels are too coarse for it, as those of a
        float32 victim, 4 times as large again and again, until a bend is met
    Returns None where no radius fits. Costs about d (7 + log2(1/precision)) queries.
    """
    for _ in range(TRIES):
        v = tangent_guess(oracle, point, across, classes, radius / 4)
        if v is not None:
            v *= np.sign(v @ across)
            slopes, error = slopes_beside(oracle, point, v, classes, radius, scale)
            while slopes is not None:
                v = slopes / np.linalg.norm(slopes)
                piece = Piece(point, v, classes, float(np.sqrt(len(v))) * error)
                radius *= WIDER
                if error < EXACT or radius > scale.unit:
                    return piece
                slopes, error = slopes_beside(
                    oracle, point, v, classes, radius, scale, max(8 * error, 2.0**-12)
                )
                if slopes is None:
                    return piece
        radius /= SHRINK
    return None


def slopes_beside(
    oracle: Oracle,
    point: Array,
    v: Array,
    classes: tuple[int, int],
    radius: float,
    scale: Scale,
    narrow: float = NARROW,
) -> tuple[Array | None, float]:
    """The slopes n_i = v_i - t_i / r of `normal` and the error of each; None if n·v is not 1.

    A bend shows after the first FIRST halvings, before the others are paid for.
    """
    rows = point + radius * (np.eye(len(v)) - np.outer(v, v))
    half, t = narrow * radius, np.zeros(len(v))
    smallest = max(scale.precision, scale.finest / radius)
    left = int(np.ceil(np.log2(half / (radius * smallest)))) + 1
    for digits in (left,) if left < 2 * FIRST else (FIRST, left - FIRST + 1):
        t = t + heights(oracle, rows + t[:, None] * v, v, half, classes, digits)
        half *= 2.0 ** (1 - digits)  # twice what is left
        slopes, error = v - t / radius, max(half / radius, smallest)
        if not abs(slopes @ v - 1) < 8 * error:
            return None, error
    return slopes, error


def pieces_around(oracle: Oracle, boundary: BoundaryPoints, scale: Scale) -> list[Piece]:
    """The flat piece around each point, where it can be measured: see `normal`."""
    pieces = [
        normal(oracle, point, v, (int(a), int(b)), scale.radius, scale)
        for point, v, (a, b) in zip(*boundary, strict=True)
    ]
    return [piece for piece in pieces if piece is not None]
