"""A victim with one hidden ReLU layer, a line through it, and the truth in the line's scale."""

from dataclasses import dataclass

import numpy as np
from victims import victim_of

from mstheft.direct import line as lines
from mstheft.direct.hyperplanes import groups, jacobians
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.direct.hyperplanes.plan import plan
from mstheft.direct.sweep import search
from mstheft.nn import Network
from mstheft.oracle import Oracle


@dataclass
class KnownLine:
    """The true neurons in the order of their kinks t, with a·v = 1; signs: the active sides."""

    victim: Network
    oracle: Oracle
    line: lines.Line
    t: np.ndarray
    planes: Hyperplanes
    signs: np.ndarray
    noise: np.ndarray


def known(seed=3, d=12, h=9, K=4):
    victim = victim_of(seed, d, h, K)
    (A0, b0), (A1, _) = victim.dense()
    line = search(Oracle(victim), np.random.default_rng(seed))
    t = -(A0 @ line.start + b0) / (A0 @ line.direction)
    order = np.argsort(t)
    A0, A1, t = A0[order], A1[:, order], t[order]
    speed = A0 @ line.direction
    rows = A0 / speed[:, None]
    errors = 1e-12 * np.linalg.norm(rows, axis=1)
    planes = Hyperplanes(rows, line.points(t), A1.T * np.abs(speed)[:, None], errors)
    noise = line.blurs
    return KnownLine(victim, Oracle(victim), line, t, planes, np.sign(speed), noise)


def sites_of(case):
    """The plan for the whole line, and its measured sites by gap."""
    chosen = plan(case.line, case.noise)
    sites = groups.planned_sites(case.line, chosen, case.noise)
    for site in sites.values():
        jacobians.measure(case.oracle, site)
    return chosen, sites


def made_line(kinks, jumps, unresolved=()):
    """A line with given kinks, for the planner."""
    kinks, jumps = np.asarray(kinks, float), np.asarray(jumps, float)
    t = np.array([-1e6, *np.linspace(-50, 50, 11), 1e6])
    return lines.Line(
        np.zeros(9), np.ones(9), t, np.zeros((len(t), jumps.shape[1])), kinks,
        np.zeros((len(kinks) + 1, jumps.shape[1])), jumps, list(unresolved), 1e-15,
        1e-15 * (1 + np.abs(t)),
    )  # fmt: skip
