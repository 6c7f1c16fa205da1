"""Jacobians at chosen sites of a line, each with a check that costs nothing.

Inside a linear region forward differences are exact for any step; what can go wrong is a step that
leaves the region. The line knows the slope J v at each site, so every crossing shows at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mstheft.direct.answers.reader import read
from mstheft.direct.box import Box
from mstheft.direct.line import Line
from mstheft.typing import Array, Oracle

BLOCK = 512  # rows asked at once
SHRINK = 8  # a Jacobian that fails its check is repeated at this part of the step
PASS = 5  # times the expected rounding up to which the check is passed


@dataclass
class JacobianSite:
    """A site between two kinks of a line, and what is measured there.

    t, point, direction : x = u + t v, (d,) each
    slope : (K,) J v as the line's piece shows it, with its rounding slope_noise
    noise : rounding of an answer here
    steps : (d,) difference steps c_j, each negative where the upper wall of a box is nearer
    answer : (K,) f(x); jacobian : (K, d)
    from_copy : the Jacobian is that of a copy whose slope along the line is right here
    """

    t: float
    point: Array
    direction: Array
    slope: Array
    slope_noise: float
    noise: float
    steps: Array
    answer: Array = field(default_factory=lambda: np.zeros(0))
    jacobian: Array = field(default_factory=lambda: np.zeros((0, 0)))
    from_copy: bool = False

    @property
    def miss(self) -> float:
        """max |J v - slope|: what a step across another hyperplane adds; infinite for no number."""
        with np.errstate(invalid="ignore"):
            miss = float(np.abs(self.jacobian @ self.direction - self.slope).max())
        return miss if np.isfinite(miss) else np.inf

    @property
    def allowed(self) -> float:
        """The miss that rounding explains."""
        return PASS * self.blur_along(self.direction) + PASS * self.slope_noise

    def blur_along(self, direction: Array) -> float:
        """Rounding of the measured J v for any v.

        Each moved answer adds its own, at random; that of f(x) itself is the same in every column.
        """
        shares = direction / self.steps
        return self.noise * float(np.linalg.norm(shares) + np.abs(shares.sum()))

    @property
    def passed(self) -> bool:
        """Does the Jacobian agree with the line? If it does not, a step crossed a hyperplane."""
        return self.from_copy or self.miss <= self.allowed


def site_at(
    line: Line, t: float, step: float, noise: Array, box: Box | None = None
) -> JacobianSite:
    """A site on the line at which nothing has been asked yet."""
    piece = int(np.searchsorted(line.kinks, t))
    mine = np.searchsorted(line.kinks, line.t) == piece
    spread = np.sqrt(((line.t[mine] - line.t[mine].mean()) ** 2).sum()) if mine.any() else 0.0
    point = line.points(np.array(t))
    steps = np.full(len(point), float(step))
    if box is not None:
        up, down = box[1] - point, point - box[0]
        steps = np.where(up >= down, 1, -1) * np.minimum(steps, np.maximum(up, down))
    return JacobianSite(
        t=float(t),
        point=point,
        direction=line.direction,
        slope=line.slopes[piece],
        slope_noise=float(noise[mine].max(initial=0) / max(spread, 1e-300)),
        noise=float(np.interp(t, line.t, noise)),
        steps=steps,
    )


def measure(oracle: Oracle, site: JacobianSite, columns: np.ndarray | None = None) -> None:
    """Forward differences, J_j = (f(x + c_j e_j) - f(x)) / c_j, exact up to rounding / c_j.

    columns : (n,) which j, all unless given
    Costs a query per column, and one more the first time, for f(x).
    """
    d = len(site.point)
    if site.answer.size == 0:
        site.answer = read(oracle, site.point[None])[0].astype(float)
        site.jacobian = np.zeros((len(site.answer), d))
    columns = np.arange(d) if columns is None else columns
    for start in range(0, len(columns), BLOCK):
        block = columns[start : start + BLOCK]
        moved = np.tile(site.point, (len(block), 1))  # (n, d)
        at = np.arange(len(block)), block
        moved[at] += site.steps[block]
        site.steps[block] = moved[at] - site.point[block]  # as the sum was rounded
        with np.errstate(invalid="ignore"):  # a probability may have underflowed
            change = read(oracle, moved).astype(float) - site.answer
        site.jacobian[:, block] = (change / site.steps[block, None]).T


def repeat(oracle: Oracle, site: JacobianSite, columns: np.ndarray | None) -> None:
    """The same at an eighth of the step, for the columns whose step may have crossed, or all."""
    site.steps[slice(None) if columns is None else columns] /= SHRINK
    measure(oracle, site, columns)
