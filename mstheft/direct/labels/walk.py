"""Along a flat piece of the boundary until it bends, and around the corner onto the next piece.

                        In the plane of the walk u and the normal n the boundary is a
         p        x*    broken line. At x* a neuron of the first layer changes sides
     ----*--------*     (or a third class begins); on a circle around x* the label
                   \\    changes twice: behind us, and where the next piece goes on.
                    \\
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mstheft.direct.labels.boundary import DIGITS, Piece, bisect, heights, is_on, normal
from mstheft.typing import Array, Oracle

STEPS = 28  # halvings of the way to a bend
CIRCLE = 2.0**-11  # radius of the circle around a bend, in units of the walk
BEHIND = 0.02  # half-angle of the circle that is taken for the piece behind
TURNED = 0.3  # half-angle in which the second circle is searched
FARTHEST = 0.5  # how far onto the next piece, in units of the walk


@dataclass(frozen=True)
class Corner:
    """A bend in a plane: where it is, and how the boundary goes on.

    point : (d,) x*; onward : (d,) unit vector along the next piece; across : (d,) ⟂ to it in the
    plane, into the first class; first : (d,) a point of the next piece; classes : of that piece
    """

    point: Array
    onward: Array
    across: Array
    first: Array
    classes: tuple[int, int]


def walk_to_bend(
    oracle: Oracle, piece: Piece, direction: Array, reach: float, ruler: float
) -> float | None:
    """How far the piece goes on along a direction in its plane, or None if farther than reach.

        largest t with p + t u on the boundary, by halving [0, reach]

    Costs 2 queries, and 56 more where it bends. A bend is seen ε / slope too late (see `is_on`).
    """
    low, high = 0.0, reach
    if is_on(oracle, piece, (piece.point + high * direction)[None], ruler)[0]:
        return None
    for _ in range(STEPS):
        middle = (low + high) / 2
        if is_on(oracle, piece, (piece.point + middle * direction)[None], ruler)[0]:
            low = middle
        else:
            high = middle
    return high


def turn_corner(oracle: Oracle, piece: Piece, direction: Array, t: float, unit: float):
    """Around a bend at p + t u: the boundary's other crossing of a circle, and of one half as wide.

        p + t u + r (cos φ u + sin φ n),    φ halved from behind above to behind below

    The two crossings span the next line; it meets the line behind in x*.
    Returns a `Corner`, or None where other bends are as near. Costs about 90 queries.
    """
    centre, a = piece.point + t * direction, piece.classes[0]
    found, start, stop = [], np.pi - BEHIND, BEHIND - np.pi
    for radius in (CIRCLE * unit, CIRCLE * unit / 2):

        def path(share, radius=radius, start=start, stop=stop):
            angle = start + share * (stop - start)
            circle = np.column_stack([np.cos(angle), np.sin(angle)])
            return centre + radius * circle @ np.stack([direction, piece.normal])

        share, beyond = bisect(oracle, path, a, 1, DIGITS - 6)
        if beyond[0] < 0:
            return None
        angle = start + share[0] * (stop - start)
        found.append(radius * np.array([np.cos(angle), np.sin(angle)]))
        start, stop = angle + TURNED, angle - TURNED
    (x1, y1), (x2, y2) = found
    if y1 == y2:
        return None
    off = x2 - y2 * (x1 - x2) / (y1 - y2)
    if abs(off) > CIRCLE * unit / 4:
        return None
    frame = np.stack([direction, piece.normal])
    onward = (found[0] - found[1]) / np.hypot(*(found[0] - found[1]))
    across = np.array([-onward[1], onward[0]])
    return Corner(
        centre + off * direction,
        onward @ frame,
        across @ frame,
        centre + found[0] @ frame,
        (a, int(beyond[0])),
    )


def next_point(
    oracle: Oracle, corner: Corner, unit: float, ruler: float, farthest: float = FARTHEST
) -> tuple[Array, float]:
    """A point well inside the next piece, and its distance from the corner.

    Goes twice as far each time, until the piece ends or `farthest` is reached, and comes half way
    back. Costs about 20 queries and one bisection.
    """
    circle = CIRCLE * unit
    line = Piece(corner.first, corner.across, corner.classes, 4 * ruler / circle)
    far = circle
    while far < farthest * unit:
        if not is_on(oracle, line, (corner.first + 2 * far * corner.onward)[None], ruler)[0]:
            break
        far *= 2
    point = corner.first + far / 2 * corner.onward
    half = 64 * ruler * (1 + far / circle)
    digits = max(1, int(np.ceil(np.log2(2 * half / ruler))))
    height = heights(oracle, point[None], corner.across, half, corner.classes, digits)[0]
    if np.isnan(height):
        return corner.first, circle
    return point + height * corner.across, far / 2 + circle


def next_piece(
    oracle: Oracle,
    corner: Corner,
    unit: float,
    precision: float,
    ruler: float,
    farthest: float = FARTHEST,
) -> Piece | None:
    """The flat piece behind a corner, its normal measured there."""
    point, way = next_point(oracle, corner, unit, ruler, farthest)
    radius = min(way / 8, RADIUS * unit)
    return normal(oracle, point, corner.across, corner.classes, radius, precision, ruler)


RADIUS = 2.0**-9  # of the points that tell a normal, in units of the walk
