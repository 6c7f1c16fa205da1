"""Hyperplanes at which neurons switch, and where a line crosses them. No queries here."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from mstheft.direct.box import Box
from mstheft.direct.line import Line
from mstheft.nn.network import Network
from mstheft.typing import Array

SAME = 1e-7  # relative difference of two slopes that are taken to be equal
ALIKE = 1e-2  # relative distance up to which coarse answers may make one neuron look like two
OFF = 3.0  # δt by which a crossing may miss its kink
MOST_OFF = 0.1  # the same at the most, relative to 1 + |t|
ON = 1.0  # times what changes it in a box: so far from 0 is a neuron that is always on
AFFINE = 1e-9  # relative size from which a part of an affine remainder is carried


@dataclass
class Hyperplanes:
    """Hyperplanes a_i·(x - p_i) = 0 at which neurons switch, whichever side is the active one.

    rows : (h, d) a_i, in any scale and with any sign
    points : (h, d) p_i, a critical point of each neuron, so that c_i = -a_i·p_i
    outputs : (h, K) g_i, the output weights in the scale of a_i. Their signs are known: a kink
        bends by g_i |a_i·v|, whichever way the neuron switches
    errors : (h,) expected error of an entry of a_i
    """

    rows: Array
    points: Array
    outputs: Array
    errors: Array

    @classmethod
    def none(cls, d: int) -> Hyperplanes:
        """No neuron of d inputs; the number of outputs is not known yet."""
        return cls(np.zeros((0, d)), np.zeros((0, d)), np.zeros((0, 0)), np.zeros(0))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def offsets(self) -> Array:
        """c_i, (h,): the hyperplanes are a_i·x + c_i = 0."""
        return -np.einsum("hd,hd->h", self.rows, self.points)

    @property
    def relative_errors(self) -> Array:
        """Expected error of an entry over the length of the row, (h,)."""
        return self.errors / np.linalg.norm(self.rows, axis=1)

    def only(self, which: np.ndarray | slice) -> Hyperplanes:
        """Some of them, by index or mask."""
        return Hyperplanes(*(getattr(self, each.name)[which] for each in fields(self)))

    def and_also(self, other: Hyperplanes) -> Hyperplanes:
        """These and others."""
        if len(self) == 0:
            return other
        names = [each.name for each in fields(self)]
        return Hyperplanes(
            *(np.concatenate([getattr(self, name), getattr(other, name)]) for name in names)
        )


def with_neuron(neurons: Hyperplanes, new: Hyperplanes) -> Hyperplanes:
    """Add a neuron; if it is known already, its more exact row stays. No queries.

    Two rows are of one neuron if they are parallel and their hyperplanes contain the same points.
    """
    if not len(neurons):
        return new
    lengths = np.linalg.norm(neurons.rows, axis=1)
    unit, other = neurons.rows / lengths[:, None], new.rows[0] / np.linalg.norm(new.rows[0])
    slack = np.minimum(ALIKE, neurons.relative_errors + new.relative_errors)
    apart = np.abs(new.points @ neurons.rows.T + neurons.offsets)[0] / lengths
    turn = np.abs(unit * np.sign(unit @ other)[:, None] - other).max(axis=1)
    way = 1 + np.linalg.norm(neurons.points - new.points, axis=1)
    alike = np.flatnonzero((turn <= slack) & (apart <= slack * way))
    if not len(alike):
        return neurons.and_also(new)
    first = alike[0]
    if new.relative_errors[0] >= neurons.relative_errors[first]:
        return neurons
    before, after = neurons.only(slice(first)), neurons.only(slice(first + 1, None))
    return before.and_also(new).and_also(after)


def crossings(line: Line, planes: Hyperplanes) -> tuple[Array, Array]:
    """Where a line u + t v crosses known hyperplanes: the critical points of their neurons.

        t_i = a_i·(p_i - u) / a_i·v  =  -(a_i·u + c_i) / (a_i·v)
        δt_i = δa_i (|p_i| + |u + t_i v|) / |a_i·v|

    A row that is off by δa turns its hyperplane about p_i, the more the farther the line is away.
    Returns t (h,), infinite for a parallel line, and δt (h,).
    """
    speed = planes.rows @ line.direction
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.einsum("hd,hd->h", planes.rows, planes.points - line.start) / speed
        reach = np.linalg.norm(planes.points, axis=1) + np.linalg.norm(line.points(t), axis=1)
        return t, planes.errors * reach / np.abs(speed)


def match(line: Line, planes: Hyperplanes) -> tuple[np.ndarray, np.ndarray]:
    """Which neuron is which kink of a line?

    A neuron predicts a kink where the line crosses its hyperplane, with the jump g_i |a_i·v|; both
    must agree. Returns (n,) the neuron of each kink, -1 for none, and (h,) which neurons predict a
    kink within the line's reach where there is none: these are wrong.
    """
    neuron = np.full(len(line.kinks), -1)
    if not len(planes):
        return neuron, np.zeros(0, bool)
    t, off = crossings(line, planes)
    size = np.linalg.norm(line.jumps, axis=1)
    rounding = 1e4 * line.noise / max(float(np.median(size)) if len(size) else 1.0, 1e-300)
    allowed = np.clip(rounding, 1e-6, ALIKE) + OFF * np.nan_to_num(off) / (1 + np.abs(t))  # (h,)
    allowed = np.minimum(allowed, MOST_OFF)
    if len(neuron):
        away = np.abs(line.kinks[:, None] - t) / (1 + np.abs(line.kinks[:, None]))  # (n, h)
        jumps = planes.outputs * np.abs(planes.rows @ line.direction)[:, None]
        differ = np.linalg.norm(line.jumps[:, None] - jumps, axis=2) / size[:, None]
        away = np.where(differ < np.sqrt(allowed), away / allowed, np.inf)
        nearest = away.argmin(axis=1)
        good = away[np.arange(len(neuron)), nearest] <= 1
        neuron[good] = nearest[good]
    inside = (t > 0.9 * line.t[0]) & (t < 0.9 * line.t[-1])
    for a, b in line.unresolved:
        inside &= (t < a) | (t > b)
    return neuron, inside & ~np.isin(np.arange(len(planes)), neuron)


def jump_blurs(line: Line, noise: Array) -> Array:
    """Relative rounding of each slope jump g_i, (n,): of the pieces left and right of its kink.

    Infinite where sharpened kinks have come so near to each other that no answer lies between.
    """
    piece = np.searchsorted(line.kinks, line.t)
    blurs = [
        noise[mine].max() / max(line.t[mine].std() * np.sqrt(mine.sum()), 1e-300)
        if mine.any()
        else np.inf
        for mine in (piece == i for i in range(len(line.slopes)))
    ]
    return np.maximum(blurs[:-1], blurs[1:]) / np.linalg.norm(line.jumps, axis=1)


def shown_sharper(planes: Hyperplanes, neuron: np.ndarray, blurs: Array) -> np.ndarray:
    """Which neurons of the less exact half does a line show more exactly? (h,)

    neuron, blurs : (n,) which neuron each kink of the line is, and its relative rounding
    """
    again = np.zeros(len(planes), bool)
    if not len(planes):
        return again
    before = planes.relative_errors
    mine = before[neuron]
    again[neuron] = (mine >= np.median(before)) & (blurs < mine)
    return again


def right_slopes(line: Line, model: Network | None, is_rough: bool = False) -> np.ndarray:
    """On which pieces of a line is the copy's slope right? There its Jacobian is too.

    A copy that lacks a neuron is exact on one side of that neuron's hyperplane. Slopes are equal
    up to rounding; a slope jump, however small, stands above a hundredth of the least one. A rough
    copy, which is polished afterwards, need not do better than that.
    Returns (n+1,), all False without a copy.
    """
    if model is None:
        return np.zeros(len(line.slopes), bool)
    edges = np.concatenate([line.t[:1], line.kinks, line.t[-1:]])
    (a0, b0), (a1, _) = model.dense()
    on = line.points((edges[:-1] + edges[1:]) / 2) @ a0.T + b0 > 0
    slopes = (on * (a0 @ line.direction)) @ a1.T
    least = np.linalg.norm(line.jumps, axis=1).min(initial=np.inf)
    allowed = 0.01 * float(least)
    if not is_rough:
        allowed = min(SAME * float(np.abs(line.slopes).max()), allowed)
    return np.abs(slopes - line.slopes).max(axis=1) <= allowed


def oriented(planes: Hyperplanes, signs: Array) -> tuple[Array, Array, Array]:
    """A0, b0, A1 with every neuron turned to its active side."""
    return planes.rows * signs[:, None], planes.offsets * signs, planes.outputs.T


def with_remainder(
    planes: Hyperplanes, affine: Array, box: Box | None = None
) -> tuple[Array, Array, Array]:
    """A0, b0, A1 without knowing any sign: all are taken as +, and the rest is affine.

        relu(-y) = relu(y) - y :   f(x) = Σ_i g_i relu(a_i·x + c_i) + M x + m

    M = Σ_r u_r v_rᵀ is carried as pairs of opposite neurons, relu(z) - relu(-z) = z: min(K, d)
    pairs at the most. For more neurons than the answers give signs for, opposite twins on one
    hyperplane, and neurons that never switch.

    In a box one neuron that is on all over it does as well as a pair.

    affine : (K, d) M; m becomes part of the last bias
    Returns A0, b0, A1 with h + 2 rank(M) neurons, in a box h + rank(M).
    """
    u, size, v = np.linalg.svd(affine, full_matrices=False)
    largest = [np.linalg.norm(each, axis=1).max() for each in (planes.outputs, planes.rows)]
    wanted = size > AFFINE * largest[0] * largest[1]
    root = np.sqrt(size[wanted])
    u, v = u[:, wanted] * root, v[wanted] * root[:, None]  # (K, r), (r, d)
    if box is not None:
        lowest = np.minimum(v * box[0], v * box[1]).sum(axis=1)  # of v·x in the box
        on = ON * np.abs(v * (box[1] - box[0])).sum(axis=1) - lowest
        a0, a1 = np.concatenate([planes.rows, v]), np.hstack([planes.outputs.T, u])
        return a0, np.concatenate([planes.offsets, on]), a1
    a0, a1 = np.concatenate([planes.rows, v, -v]), np.hstack([planes.outputs.T, u, -u])
    return a0, np.concatenate([planes.offsets, np.zeros(2 * len(v))]), a1
