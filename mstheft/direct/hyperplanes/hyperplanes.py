"""What is known of a network's neurons, and what a new line adds to it. No queries here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mstheft.direct.line import Line
from mstheft.nn.network import Network
from mstheft.typing import Array

SAME = 1e-7  # relative difference of two slopes that are taken to be equal
CLEAR = 0.01  # of the least slope jump: two slopes that differ by less have no kink between them
ALIKE = 1e-2  # relative distance up to which coarse answers may make one neuron look like two


@dataclass
class Neurons:
    """What is known of the neurons, up to their signs.

    rows : (h, d) a_i, scaled so that |a_i·v| = 1 on the line that showed the neuron
    kinks : (h, d) points x(t_i) on the hyperplanes, so that c_i = -a_i·x(t_i)
    outputs : (h, K) A1_i = g_i in that scale, sign included, whichever way the neuron switches
    blurs : (h,) relative rounding of g_i: large where another kink is near
    """

    rows: Array
    kinks: Array
    outputs: Array
    blurs: Array

    @classmethod
    def none(cls, d: int) -> Neurons:
        """No neuron of d inputs; how many outputs there are is not known yet."""
        return cls(np.zeros((0, d)), np.zeros((0, d)), np.zeros((0, 0)), np.zeros(0))

    @property
    def offsets(self) -> Array:
        """c_i, (h,): the hyperplanes are a_i·x + c_i = 0."""
        return -np.einsum("hd,hd->h", self.rows, self.kinks)

    def only(self, kept: Array) -> Neurons:
        """Some of them."""
        return Neurons(self.rows[kept], self.kinks[kept], self.outputs[kept], self.blurs[kept])

    def and_also(self, other: Neurons) -> Neurons:
        """These and others."""
        if len(self.rows) == 0:
            return other
        mine, theirs = vars(self), vars(other)
        return Neurons(*(np.concatenate([mine[name], theirs[name]]) for name in mine))


def match(line: Line, neurons: Neurons) -> tuple[np.ndarray, np.ndarray]:
    """Which neuron is which kink of a line? No queries.

    Neuron i predicts a kink at t = -(a_i·u + c_i) / (a_i·v) with the jump g_i |a_i·v|; both must
    agree. Returns (n,) the neuron of each kink, -1 for none, and (h,) which neurons predict a kink
    within the line's reach where there is none: these are wrong.
    """
    partner = np.full(len(line.kinks), -1)
    ghosts = np.zeros(len(neurons.rows), bool)
    if not len(ghosts):
        return partner, ghosts
    speed = neurons.rows @ line.direction
    with np.errstate(divide="ignore", invalid="ignore"):
        known = -(neurons.rows @ line.start + neurons.offsets) / speed
    size = np.linalg.norm(line.jumps, axis=1)
    rounding = 1e4 * line.noise / max(float(np.median(size)) if len(size) else 1.0, 1e-300)
    allowed = float(np.clip(rounding, 1e-6, ALIKE))
    if len(partner):
        away = np.abs(line.kinks[:, None] - known) / (1 + np.abs(line.kinks[:, None]))
        jumps = neurons.outputs * np.abs(speed)[:, None]
        differ = np.linalg.norm(line.jumps[:, None] - jumps, axis=2) / size[:, None]
        away = np.where(differ < np.sqrt(allowed), away, np.inf)
        nearest = away.argmin(axis=1)
        good = away[np.arange(len(partner)), nearest] <= allowed
        partner[good] = nearest[good]
    inside = (known > 0.9 * line.t[0]) & (known < 0.9 * line.t[-1])
    for a, b in line.unresolved:
        inside &= (known < a) | (known > b)
    ghosts = inside & ~np.isin(np.arange(len(ghosts)), partner)
    return partner, ghosts


def jump_blurs(line: Line, noise: Array) -> Array:
    """Relative rounding of each g_i, (n,): of the slopes of the pieces left and right of it.

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


def sharper(neurons: Neurons, partner: np.ndarray, blurs: Array) -> np.ndarray:
    """Which neurons does a line show sharper than they are known, of the blurred half? (h,)

    Once a copy has failed although no neuron is missing, these are measured again.
    partner, blurs : (n,) each kink's neuron, and what `jump_blurs` says of the kink
    """
    again = np.zeros(len(neurons.rows), bool)
    mine = neurons.blurs[partner]
    again[partner] = (mine >= np.median(neurons.blurs)) & (blurs < mine)
    return again


def right_slopes(line: Line, model: Network | None) -> np.ndarray:
    """On which pieces of a line is the copy's slope right? There its Jacobian is too. No queries.

    A copy that lacks a neuron is exact on one side of that neuron's hyperplane.
    Returns (n+1,), all False without a copy.
    """
    if model is None:
        return np.zeros(len(line.slopes), bool)
    edges = np.concatenate([line.t[:1], line.kinks, line.t[-1:]])
    (a0, b0), (a1, _) = model.dense()
    on = line.points((edges[:-1] + edges[1:]) / 2) @ a0.T + b0 > 0
    slopes = (on * (a0 @ line.direction)) @ a1.T
    least = np.linalg.norm(line.jumps, axis=1).min(initial=np.inf)
    allowed = min(SAME * float(np.abs(line.slopes).max()), CLEAR * float(least))
    return np.abs(slopes - line.slopes).max(axis=1) <= allowed
