"""Lifting: in the values of the layers before it a neuron is linear, and its bent boundary is flat.

    relu(z) = (z + |z|)/2,      φ(x) = (|R h + o|, h),      z_j = w_j·φ + β_j,    h = h(x)

R, o are the rows of the last known layer, their signs unknown; h are the values before it. One kink
of neuron j, with its row n, gives d equations for w_j. The others come from a walk along the
boundary, to where it meets the hyperplane of a known neuron: there n becomes n + c r, r is known,
and the number c is one more equation. Where the boundary lies behind the wall is asked twice, so
that the error of c does not depend on how far the walk has come.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from mstheft.direct.answers.reader import Reader, read
from mstheft.nn.functions import relu
from mstheft.typing import Array

RANK = 1e-9  # singular values below this share of the largest count as 0
SEEN = 1e-7  # share of an equation outside of what is known from which it tells something new
STEPS, FAR = 60, 30.0  # hyperplanes that a walk crosses, and its length, at the most
WALKS, WALLS = 20, 5  # walks tried for the next wall, and walls of which the nearest is taken
ROOM = 0.012  # times 1 + |x|: how far from the wall the answers are asked, at the most
TRIES = (5.0, 0.4), (30.0, 0.4), (5.0, 0.04), (30.0, 0.04)
INNER, NEARER = 0.8, 0.3  # where the inner answers lie, and the second kink
SPAN = 0.25  # half the length over which the second kink is sought
SAME = 1e-3  # relative distance of c by one kink and by two
PLACES, ENOUGH, AWAY = 20, 3, (3, 9)  # places tried, as many hits or misses decide; walls between
STEADY = 0.7  # share of steady jumps in the last hidden layer: some are spoilt by a kink nearby
FAILS = 8  # walls that fail before the boundary is given up, and one more for every two that do not


@dataclass
class Prefix:
    """The layers that are known: `oriented` ones (A, b), and perhaps one with unknown signs.

    inputs : d
    """

    inputs: int
    oriented: list[tuple[Array, Array]] = field(default_factory=list)
    last: tuple[Array, Array] | None = None

    @property
    def layers(self) -> list[tuple[Array, Array]]:
        """All of them."""
        return self.oriented + ([] if self.last is None else [self.last])

    @property
    def unsigned(self) -> tuple[Array, Array]:
        """The last one, where there is one."""
        assert self.last is not None
        return self.last

    def before(self, x: Array) -> Array:
        """h: the values of the oriented layers, (n, d) -> (n, p)."""
        for a, b in self.oriented:
            x = relu(x @ a.T + b)
        return x

    def features(self, x: Array) -> Array:
        """[φ 1], (n, d) -> (n, m + 1)."""
        h, ones = self.before(x), np.ones((len(x), 1))
        if self.last is None:
            return np.hstack([h, ones])
        return np.hstack([np.abs(h @ self.last[0].T + self.last[1]), h, ones])

    def sides(self, x: Array) -> np.ndarray:
        """Which of the H known neurons are on at x (d,); for unknown signs: z > 0. (H,) bool."""
        sides = []
        for a, b in self.layers:
            z = a @ x + b
            sides.append(z > 0)
            x = relu(z)
        return np.concatenate(sides)

    def cell(self, x: Array, sides: np.ndarray) -> tuple[Array, Array, Array]:
        """z (H,), their gradients (H, d) and ∂[φ 1]/∂x (m + 1, d) as `sides` says, at x (d,)."""
        h, slope, at = x, np.eye(len(x)), 0
        values, gradients = [], []
        for n, (a, b) in enumerate(self.layers):
            z, gradient = a @ h + b, a @ slope if n else a
            on = sides[at : at + len(b)]
            at += len(b)
            values.append(z)
            gradients.append(gradient)
            if n < len(self.oriented):
                h, slope = z * on, gradient * on[:, None]
        parts: list[Array] = [slope, np.zeros((1, len(x)))]
        if self.last is not None:
            parts.insert(0, np.where(on, 1.0, -1.0)[:, None] * gradient)
        return np.concatenate(values), np.vstack(gradients), np.vstack(parts)


@dataclass
class Boundary:
    """What is known of a neuron: it switches where w·[φ 1] = 0.

    weights : (m + 1,) w; free : (m + 1, r) orthonormal directions of which nothing is known
    output : (K,) slope jump for a row of the length of w
    points : on the boundary, (d,) each; passed, failed : walls that were measured, or were not
    steady : walls at which the slope jump was that of `output`, as always in the last hidden layer
    """

    weights: Array
    free: Array
    output: Array
    points: list[Array]
    passed: int = 0
    failed: int = 0
    steady: int = 0

    @property
    def is_steady(self) -> bool:
        """Is its output direction the same everywhere, as in the last hidden layer?"""
        return self.steady >= STEADY * self.passed


def begin(prefix: Prefix, x: Array, row: Array, output: Array) -> tuple[Boundary, float]:
    """What one kink at x (d,) with its row (d,) tells; and the share of the row that does not fit.

    A row outside of what the known layers span is of no neuron behind them, or one is missing.
    """
    phi = prefix.features(x[None])
    matrix = np.vstack([prefix.cell(x, prefix.sides(x))[2].T, phi])
    right = np.append(row, 0.0)
    u, size, v = np.linalg.svd(matrix)
    rank = int((size > RANK * size[0]).sum())
    w = v[:rank].T @ ((u[:, :rank].T @ right) / size[:rank])
    left = float(np.linalg.norm(matrix @ w - right) / np.linalg.norm(row))
    return Boundary(w, v[rank:].T.copy(), output, [x]), left


def learn(boundary: Boundary, equation: Array, value: float) -> None:
    """One more equation, equation·w = value."""
    v = boundary.free.T @ equation
    w = boundary.weights
    boundary.weights = w + boundary.free @ v * (value - equation @ w) / (v @ v)
    others = np.linalg.svd(v[None])[2][1:]  # (r - 1, r), orthogonal to v
    boundary.free = boundary.free @ others.T


@dataclass
class Wall:
    """Where a boundary meets the hyperplane of a known neuron behind which it is not known.

    x, sides : there, on the far side; neuron : whose; way : (d,) unit vector of the walk
    normal, row : gradients of the boundary before the wall, and of the known neuron
    equation : (m + 1,) of which the value c is wanted
    """

    x: Array
    sides: np.ndarray
    neuron: int
    way: Array
    normal: Array
    row: Array
    equation: Array


def walk(
    prefix: Prefix, boundary: Boundary, x: Array, rng: Generator, crossings: int = STEPS
) -> Wall | None:
    """Along the boundary from x in a random direction to the first such wall. No queries.

    crossings : or to so many walls of which all is known
    """
    sides, way, walked, crossed = prefix.sides(x), rng.normal(size=len(x)), 0.0, -1
    for n in range(1, crossings + 1):
        z, rows, slopes = prefix.cell(x, sides)
        normal = slopes.T @ boundary.weights
        size = normal @ normal
        if size == 0:
            return None
        x = x - (prefix.features(x[None])[0] @ boundary.weights) / size * normal
        way = way - (way @ normal) / size * normal
        way = way / max(np.linalg.norm(way), 1e-300)
        speed = rows @ way
        if crossed >= 0 and speed[crossed] * (1 if sides[crossed] else -1) <= 0:
            return None  # the boundary turns back at this wall
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.where(np.where(sides, speed < 0, speed > 0), np.maximum(-z / speed, 0), np.inf)
        if crossed >= 0:
            t[crossed] = np.inf
        crossed = int(t.argmin())
        walked += float(t[crossed])
        if walked > FAR:
            return None
        x, sides, row = x + t[crossed] * way, sides.copy(), rows[crossed]
        sides[crossed] = ~sides[crossed]
        equation = (prefix.cell(x, sides)[2] - slopes) @ row / (row @ row)
        is_new = np.linalg.norm(boundary.free.T @ equation) > SEEN * np.linalg.norm(equation)
        if is_new or n == crossings < STEPS:
            wall = Wall(x, sides, crossed, way, normal, row, equation)
            return wall if is_new == (crossings == STEPS) else None
    return None


def measure(
    oracle: Reader, prefix: Prefix, boundary: Boundary, wall: Wall, reach: float, part: float
) -> tuple[float, Array, bool] | None:
    """c behind a wall, a point of the boundary there, and whether the jump is the expected one.

        kink at  x + ρ way + t p,  p ⟂ row:     n·p t + c ρ row·way = 0

    The line of two kinks, at ρ and 0.3 ρ, must lead back to where the boundary meets the wall.
    reach : how far along p is searched, in ρ; part : of the room that there is
    None where no kink was found, or that is not so. Costs 7 queries, 4 or 5 without a kink.
    """
    n, row = wall.normal, wall.row
    p = n - (n @ row) / (row @ row) * row
    if np.linalg.norm(p) < 1e-3 * np.linalg.norm(n):
        return None
    p = p / np.linalg.norm(p)
    z, rows, _ = prefix.cell(wall.x, wall.sides)
    others = np.arange(len(z)) != wall.neuron
    away = np.abs(z[others]) / np.maximum(np.linalg.norm(rows[others], axis=1), 1e-300)
    far = 1 + float(np.linalg.norm(wall.x))
    room = part * min(0.5 * float(away.min(initial=np.inf)), 2.5 * ROOM * far)
    rho, span = room / (1 + reach), room * reach / (1 + reach)
    if room < 1e-9 * far:
        return None
    y = wall.x + rho * wall.way
    f = read(oracle, y + span * np.array([-1, -INNER, INNER, 1])[:, None] * p)
    left, right = (f[1] - f[0]) / (span * (1 - INNER)), (f[3] - f[2]) / (span * (1 - INNER))
    jump, noise = right - left, 100 * float(oracle.sigma(f).max())
    if not np.linalg.norm(jump) > noise / span:
        return None
    t = meeting(f[0], left, f[3], right, span)
    if abs(t) > INNER * span:
        return None
    if np.abs(read(oracle, (y + t * p)[None])[0] - f[0] - left * (t + span)).max() > noise:
        return None
    nearer, near = wall.x + NEARER * rho * wall.way, SPAN * span
    g = read(oracle, nearer + (NEARER * t + near * np.array([-1, 1]))[:, None] * p)
    second = meeting(g[0], left, g[1], right, near)
    if abs(second) > near:
        return None
    second += NEARER * t
    run = (1 - NEARER) * rho * (row @ wall.way)
    c = -float((t - second) * (n @ p)) / run
    before = -float(t * (n @ p)) / (rho * (row @ wall.way))
    if abs(c - before) > SAME * (abs(c) + np.linalg.norm(n) / np.linalg.norm(row)):
        return None
    wanted = boundary.output * abs(n @ p)
    steady = np.linalg.norm(jump - wanted) < 1e-4 * np.linalg.norm(wanted) + 3 * noise / span
    point: Array = y + t * p
    return float(c), point, bool(steady)


def meeting(first: Array, left: Array, last: Array, right: Array, span: float) -> float:
    """Where two lines meet: through `first` at -span, and through `last` at span."""
    jump, gap = right - left, last - right * span - first - left * span
    return -float(gap @ jump) / float(jump @ jump)


def explore(oracle: Reader, prefix: Prefix, boundary: Boundary, rng: Generator) -> bool:
    """Walks until what can be reached of a boundary is known. Is it one of the next layer?

    Costs about 7 queries for each number that one kink has not told.
    """
    while boundary.free.shape[1]:
        walls: list[Wall] = []
        for _ in range(WALKS):
            start = boundary.points[rng.integers(len(boundary.points))]
            wall = walk(prefix, boundary, start, rng)
            walls += [] if wall is None else [wall]
            if len(walls) == WALLS:
                break
        if not walls:
            return True
        nearest = min(walls, key=lambda each: float(np.linalg.norm(each.x)))
        wall = walls[rng.integers(len(walls))] if boundary.failed else nearest
        for reach, part in TRIES:
            told = measure(oracle, prefix, boundary, wall, reach, part)
            if told is not None:
                break
        else:
            boundary.failed += 1
            if boundary.failed > FAILS + boundary.passed // 2:
                return False
            continue
        learn(boundary, wall.equation, told[0])
        boundary.points.append(told[1])
        boundary.passed += 1
        boundary.steady += told[2]
    return True


def audit(oracle: Reader, prefix: Prefix, boundary: Boundary, rng: Generator) -> tuple[int, int]:
    """Does the victim bend where the boundary is said to be, several cells away?

    That of a later layer has bent, unseen, at neurons that are not known yet. Where all behind a
    neuron is off nothing bends, either. Returns hits and misses. Costs 7 queries a place.
    """
    hits = misses = 0
    for _ in range(PLACES):
        start = boundary.points[rng.integers(len(boundary.points))]
        wall = walk(prefix, boundary, start, rng, int(rng.integers(*AWAY)))
        if wall is None:
            continue
        c, is_there = float(wall.equation @ boundary.weights), False
        for reach, part in TRIES[:3]:
            told = measure(oracle, prefix, boundary, wall, reach, part)
            if told is not None:
                size = abs(c) + np.linalg.norm(wall.normal) / np.linalg.norm(wall.row)
                is_there = abs(told[0] - c) < SAME * size
                break
        hits, misses = hits + is_there, misses + (not is_there)
        if hits == ENOUGH or misses == ENOUGH:
            break
    return hits, misses
