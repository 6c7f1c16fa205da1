"""Along a flat piece of the boundary until it bends, and around the corner onto the next piece.

                        In the plane of the walk u and the normal n the boundary is a
         p        x*    broken line. At x* a neuron of the first layer changes sides
     ----*--------*     (or a third class begins). On a circle around x* the label
                   \\    changes twice: behind us, and where the next piece goes on.
                    \\
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mstheft.direct.labels.boundary import DIGITS, Piece, Scale, bisect, heights, is_on
from mstheft.direct.labels.normals import normal
from mstheft.typing import Array, Oracle

STEPS = 28  # halvings of the way to a bend
BEHIND = 0.02  # half-angle of the circle that is taken for the piece behind
TURNED = 0.3  # half-angle in which the second circle is searched
FARTHEST = 0.5  # how far onto the next piece, in units of the walk


@dataclass(frozen=True)
class Corner:
    """A bend in a plane: where it is, and how the boundary goes on.

    point : (d,) x*
    onward : (d,) unit vector along the next piece
    across : (d,) orthogonal to it in the plane, into the first class
    first : (d,) a point of the next piece
    classes : of the next piece
    """

    point: Array
    onward: Array
    across: Array
    first: Array
    classes: tuple[int, int]


def walk_to_bend(oracle: Oracle, piece: Piece, direction: Array, scale: Scale) -> float | None:
    """How far a piece goes on along a direction in its plane, or None if farther than the reach.

        largest t with p + t u on the boundary, by halving [0, reach]

    Costs 2 queries, and 56 more where it bends. A bend is seen ε / slope too late (see `is_on`).
    """
    low, high = 0.0, scale.reach
    if is_on(oracle, piece, (piece.point + high * direction)[None], scale)[0]:
        return None
    for _ in range(STEPS):
        middle = (low + high) / 2
        if is_on(oracle, piece, (piece.point + middle * direction)[None], scale)[0]:
            low = middle
        else:
            high = middle
    return high


def turn_corner(
    oracle: Oracle, piece: Piece, direction: Array, t: float, scale: Scale
) -> Corner | None:
    """Around a bend at p + t u: the boundary's other crossing of a circle, and of one half as wide.

        p + t u + r (cos φ u + sin φ n),    φ halved from behind above to behind below

    The two crossings span the next line; it meets the line behind in x*.
    Returns None where another bend is as near. Costs about 92 queries.
    """
    plane = np.stack([direction, piece.normal])  # (2, d)
    centre, crossings, beyond = piece.point + t * direction, [], -1
    start, stop = np.pi - BEHIND, BEHIND - np.pi
    for radius in (scale.circle, scale.circle / 2):
        angle, beyond = _crossing(oracle, centre, radius * plane, piece.classes[0], (start, stop))
        if beyond < 0:
            return None
        crossings.append(radius * np.array([np.cos(angle), np.sin(angle)]))
        start, stop = angle + TURNED, angle - TURNED
    (x1, y1), (x2, y2) = crossings
    off = x2 - y2 * (x1 - x2) / (y1 - y2) if y1 != y2 else np.inf
    if abs(off) > scale.circle / 4:
        return None
    onward = (crossings[0] - crossings[1]) / np.linalg.norm(crossings[0] - crossings[1])
    across = np.array([-onward[1], onward[0]])
    return Corner(
        point=centre + off * direction,
        onward=onward @ plane,
        across=across @ plane,
        first=centre + crossings[0] @ plane,
        classes=(piece.classes[0], beyond),
    )


def _crossing(
    oracle: Oracle, centre: Array, axes: Array, label: int, angles: tuple[float, float]
) -> tuple[float, int]:
    """The angle at which an arc leaves a class, and the label beyond; -1 if it does not."""
    start, stop = angles

    def path(share: Array) -> Array:
        angle = start + share * (stop - start)
        return centre + np.column_stack([np.cos(angle), np.sin(angle)]) @ axes

    share, beyond = bisect(oracle, path, label, 1, DIGITS - 6)
    return start + float(share[0]) * (stop - start), int(beyond[0])


def next_point(
    oracle: Oracle, corner: Corner, scale: Scale, farthest: float = FARTHEST
) -> tuple[Array, float]:
    """A point well inside the next piece, and its distance from the corner.

    Goes twice as far each time, until the piece ends or `farthest` units are reached, and comes
    half way back. Costs about 40 queries.
    """
    line = Piece(corner.first, corner.across, corner.classes, 4 * scale.finest / scale.circle)
    far = scale.circle
    while far < farthest * scale.unit:
        if not is_on(oracle, line, (corner.first + 2 * far * corner.onward)[None], scale)[0]:
            break
        far *= 2
    point = corner.first + far / 2 * corner.onward
    half = 64 * scale.finest * (1 + far / scale.circle)
    digits = max(1, int(np.ceil(np.log2(2 * half / scale.finest))))
    height = heights(oracle, point[None], corner.across, half, corner.classes, digits)[0]
    if np.isnan(height):
        return corner.first, scale.circle
    return point + height * corner.across, far / 2 + scale.circle


def next_piece(
    oracle: Oracle, corner: Corner, scale: Scale, farthest: float = FARTHEST
) -> Piece | None:
    """The flat piece behind a corner, its normal measured there."""
    point, way = next_point(oracle, corner, scale, farthest)
    radius = min(way / 8, scale.radius)
    return normal(oracle, point, corner.across, corner.classes, radius, scale)
