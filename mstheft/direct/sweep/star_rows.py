"""The rows of all neurons of a star at once, from Jacobians at a few of its places.

    J(x_p)  =  M + Σ_i u_i a_iᵀ σ_ip / 2        K d equations at each place, (h + K) d unknowns

The places are chosen one by one, each so that the rows' expected errors fall most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mstheft.direct.answers.reader import SURE
from mstheft.direct.box import Box
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.direct.hyperplanes.jacobians import SHRINK, JacobianSite, measure, site_at
from mstheft.direct.line.critical_points import on_grid
from mstheft.direct.sweep.star import Ray, Star
from mstheft.typing import Array, Oracle

GOOD = 0.1  # expected error of an entry, relative to a typical one, at which no place is added
FINE = 0.01  # the same of one Jacobian: a longer step would only cross more hyperplanes
SHARE = 0.1  # of the way to the nearest known hyperplane that a step takes at most
WIDE = 1 / 16  # of the box, that it takes at most
MORE = 8  # places beyond those without which the equations are too few
GAIN = 0.5  # of the sum of log errors, for which a place is measured
OFF = 0.3  # relative miss of a·v, which the rays tell, from which a row is wrong
NARROW = 1e-4  # of a ray: between kinks so near to each other nothing is measured
TOLD = 1e-3  # relative singular value of directions below which kinks tell nothing
RIDGE = 1e-6  # of what is known of each row: where nothing is, some place shall tell first


@dataclass
class Place:
    """A Jacobian of a star: its ray and what was measured there."""

    ray: Ray
    site: JacobianSite

    @property
    def t(self) -> float:
        """Where on the ray."""
        return self.site.t

    @property
    def blur(self) -> float:
        """Rounding of an entry."""
        return self.site.noise / float(np.median(np.abs(self.site.steps))) / SURE


def typical_entries(star: Star, box: Box) -> Array:
    """Size of an entry of each row u_i a_iᵀ, (n,), from its jumps |a_i·v| on the rays."""
    sums: list[list[float]] = [[] for _ in star.directions]
    for ray in star.rays:
        length = float(np.linalg.norm(ray.line.direction))
        for i, (_, jump) in ray.crossed.items():
            sums[i].append(jump / length)
    return np.array([np.sqrt(np.mean(np.square(each))) if each else 0.0 for each in sums])


def equations(star: Star, ray: Ray, t: float) -> Array:
    """What a Jacobian there is made of, (K, K + n): the identity for M, and u_i σ_i."""
    u = star.directions
    return np.hstack([np.eye(u.shape[1]), u.T * star.sides(ray, t)])


def candidates(star: Star, box: Box, grid: float) -> list[tuple[Ray, float, float]]:
    """Places at which all sides are known, and the difference step to take there."""
    found, entry = [], float(np.median(typical_entries(star, box)))
    width = float(np.median(box[1] - box[0]))
    for ray, low, high in star.places():
        t = float(on_grid(np.array((low + high) / 2), grid))
        if high - low < max(2 * grid, NARROW):
            continue
        ways = [abs(t - at) for at, _ in ray.crossed.values()]
        length = float(np.linalg.norm(ray.line.direction))
        noise = float(np.interp(t, ray.line.t, ray.line.blurs))
        step = min(SHARE * min(ways, default=1.0) * length, WIDE * width, noise / (FINE * entry))
        found.append((ray, t, max(1.0, np.ceil(step)) if grid else step))
    return found


def add_places(
    oracle: Oracle, star: Star, places: list[Place], box: Box, grid: float
) -> list[Place]:
    """Measure Jacobians until all rows can be told. Costs d + 1 queries each."""
    K, n = star.directions.shape[1], len(star.directions)
    entries = typical_entries(star, box)
    scale = np.concatenate([np.full(K, np.median(entries)), entries])
    choice = candidates(star, box, grid)
    places = [place for place in places if place.t <= place.ray.end]
    known = RIDGE * np.eye(K + n) / GOOD**2
    for place in places:
        known += information(star, place.ray, place.t, place.blur, scale)
    worst = unknown(known, K)
    while choice and len(places) < (K + n) // K + MORE and worst > 0:
        left = []
        for ray, t, step in choice:
            blur = float(np.interp(t, ray.line.t, ray.line.blurs)) / SURE / step
            left.append(unknown(known + information(star, ray, t, blur, scale), K))
        best = int(np.argmin(left))
        if worst - left[best] < GAIN:
            break
        ray, t, step = choice.pop(best)
        place = measured(oracle, ray, t, step, box, grid)
        if place.site.passed:
            places.append(place)
            known += information(star, ray, t, place.blur, scale)
            worst = unknown(known, K)
    return places


def unknown(known: Array, outputs: int) -> float:
    """Σ log of the rows' expected errors over what is good enough."""
    errors = np.sqrt(np.diag(np.linalg.inv(known))[outputs:])
    return float(np.log(np.maximum(errors / GOOD, 1)).sum())


def information(star: Star, ray: Ray, t: float, blur: float, scale: Array) -> Array:
    """How much a Jacobian tells of M and the rows, in units of their typical entries."""
    there = equations(star, ray, t) * scale / max(blur, FINE * float(np.median(scale)))
    return there.T @ there


def measured(oracle: Oracle, ray: Ray, t: float, step: float, box: Box, grid: float) -> Place:
    """A Jacobian, once more at shorter steps if it disagrees with its line."""
    place = Place(ray, site_at(ray.line, t, step, ray.line.blurs, box))
    site = place.site
    if grid:
        site.point, site.steps = np.round(site.point), whole(site.steps)
    measure(oracle, site)
    if not site.passed and (step > 1 or not grid):
        site.steps /= SHRINK
        site.steps = whole(site.steps) if grid else site.steps
        measure(oracle, site)
    return place


def whole(steps: Array) -> Array:
    """Whole numbers instead, none of them 0."""
    return np.sign(steps) * np.maximum(1, np.round(np.abs(steps)))


def solve_rows(star: Star, places: list[Place]) -> tuple[Hyperplanes, np.ndarray]:
    """The hyperplanes of the neurons that the places tell, and which neurons these are."""
    K = star.directions.shape[1]
    weight = np.array([1 / place.blur for place in places])
    weight /= weight.max()
    left = np.vstack([w * equations(star, p.ray, p.t) for w, p in zip(weight, places, strict=True)])
    right = np.vstack([w * p.site.jacobian for w, p in zip(weight, places, strict=True)])
    rows = 2 * np.linalg.lstsq(left, right, rcond=None)[0][K:]  # (n, d)
    points, errors = np.zeros_like(rows), np.full(len(rows), np.inf)
    for i in range(len(rows)):
        mine = [(ray, *ray.crossed[i]) for ray in star.rays if i in ray.crossed]
        miss = np.array([abs(rows[i] @ ray.line.direction + jump) / jump for ray, _, jump in mine])
        errors[i] = np.median(miss)
        agree = [each for each, off in zip(mine, miss, strict=True) if off <= OFF]
        if agree:
            rows[i], points[i] = through(rows[i], agree)
    good = errors < OFF
    errors *= np.linalg.norm(rows, axis=1) / np.sqrt(rows.shape[1])
    return Hyperplanes(rows, points, star.directions, errors).only(good), good


def through(row: Array, kinks: list[tuple[Ray, float, float]]) -> tuple[Array, Array]:
    """The nearest row to a rough one that has all of these kinks, and a point of its hyperplane.

        a·v = -|jump|,    a·(p - p̄) = 0       p the kinks, p̄ their mean

    A base answer's rounding is the same in every column of a Jacobian, and adds up along a·x.
    """
    v = np.array([ray.line.direction for ray, _, _ in kinks])
    points = np.array([ray.line.points(np.array(t)) for ray, t, _ in kinks])
    middle = points.mean(axis=0)
    left = np.vstack([v, points - middle])
    right = np.concatenate([[-jump for _, _, jump in kinks], np.zeros(len(points))])
    return row + np.linalg.lstsq(left, right - left @ row, rcond=TOLD)[0], middle
