"""The equations of a linear victim: where to ask, and how far from there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mstheft import progress
from mstheft.direct.answers.noise import arithmetic, rms
from mstheft.direct.answers.reader import Reader, read, reader
from mstheft.direct.linear.uncertainty import absolute, blur, sigma
from mstheft.errors import ExtractionError
from mstheft.nn.network import Network
from mstheft.typing import Array, Rng

FIRST = 0.03  # length of the first step from the base point, input units
FAR = 1e9  # a victim whose answers are the same at such a distance is constant
SPREAD = 1.5  # logits wanted around the base point: there a rounded p shows most of z
SHARP = 1e-9  # an equation wrong by less is as good as any other
SHORT = 64  # or one whose step is shorter than the others by no more than this
COARSE = 1e-6  # blur of the best answers from which they are no floats
READABLE = 1.4  # coarse answers: a logit less certain than this is no equation
FINE = 1e-13  # σ of decimals, relative to the spread of the logits, that count as floats
DISTANT = 1e6  # σ over which logits are spread, where noise does not grow with them
TRIES = 100  # rows of scouting after which the victim is believed to be something else


# ---- stage 1: where the answers can be read


@dataclass
class Base:
    """The point around which everything is asked.

    x : (d,); answer : (K,) its logits; blur : how uncertain they are, three σ, logit units
    spread : how far at most the logits of equations lie from these, for probabilities
    """

    x: Array
    answer: Array
    blur: float
    spread: float = SPREAD


def even(oracle: Reader, outputs: int) -> float:
    """The blur of answers that are 0 in every logit, where probabilities show most."""
    return float(blur(oracle, np.zeros((1, outputs)))[0])


def limit(oracle: Reader, base: Base) -> float:
    """How uncertain an equation may be, logit units."""
    if oracle.output != "probs":
        return max(SHARP, SHORT * float(blur(oracle, base.answer[None])[0]))
    best = even(oracle, len(base.answer))
    return READABLE if best > COARSE else max(SHARP, SHORT * best)


def base_point(oracle: Reader, *, rng: Rng) -> Base:
    """A point with readable answers: the origin, or with two classes a point near their boundary.

                p = 1  ___________
                              ____/      .  logit: a straight line that p hides
                      _______/          .   where it saturates
                p = 0         ^ base

    At the origin p = σ(β). If β is so large that p has lost its digits there, a walk along one
    random direction finds a place where it has them: between two sides by halving, and as soon as
    two answers are finite along the straight line through them.

    Costs 1 query, a few more where the origin is saturated, at most 100.
    Raises `ExtractionError` if no readable point is found.
    Source: the formula of the error, δp / (p (1 - p)), is Tramèr's; the walk is ours.
    """
    direction = np.random.default_rng(rng).normal(size=oracle.inputs)
    direction /= np.linalg.norm(direction)
    t, margins = [0.0], []
    for _ in range(TRIES):
        answer = read(oracle, t[-1] * direction[None])
        base = _base(oracle, t[-1] * direction, answer)
        if base is not None:
            return base
        if answer.shape[1] > 2 or oracle.output == "logits":
            break
        margins.append(_margin(answer[0]))
        following = _next(np.array(t), np.array(margins))
        if not abs(following) < FAR * FAR:
            break
        t.append(following)
    raise ExtractionError(
        "base",
        f"needs a point with finite answers, off 0 and 1, but {len(t)} rows gave none",
        "ask for output='log_probs' or 'logits' or for more decimals",
    )


def _base(oracle: Reader, x: Array, answer: Array) -> Base | None:
    """Is this answer good enough to start from? With two classes there may be a better place."""
    base = Base(x, answer[0], float(blur(oracle, answer)[0]))
    wanted = limit(oracle, base)
    if oracle.output == "probs" and answer.shape[1] <= 2:
        best = even(oracle, answer.shape[1])
        wanted = max(3e-13, (2 if best > COARSE else 8) * best)
    return base if base.blur <= wanted < np.inf else None


def _margin(answer: Array) -> float:
    """Logit of class 1 against class 0, infinite where p is exactly 0 or 1."""
    answer = np.where(np.isnan(answer), -np.inf, answer)
    return float(answer[0] if len(answer) == 1 else answer[1] - answer[0])


def _next(t: Array, z: Array) -> float:
    """Where z = 0 is expected next: on the line, between the two sides, or further out."""
    finite = np.flatnonzero(np.isfinite(z))
    near = finite[np.argsort(np.abs(z[finite]), kind="stable")][:2]
    if len(near) == 2 and abs(z[near[0]] - z[near[1]]) > 1e-3 * abs(z[near[0]]) > 0:
        (a, b), (za, zb) = t[near], z[near]
        return float(a - za * (b - a) / (zb - za))
    up, down = t[z > 0], t[z <= 0]
    if len(up) and len(down):
        pairs = np.abs(up[:, None] - down)
        i, j = np.unravel_index(pairs.argmin(), pairs.shape)
        return float((up[i] + down[j]) / 2)
    return FIRST if len(t) == 1 else float(-t[-1] if t[-1] > 0 else -8 * t[-1])


# ---- stage 2: one equation per query


@dataclass
class System:
    """The equations A θ = rhs with θ = (weights; bias).

    A : (n, d+1) inputs and a column of ones; rhs : (n, K) logits
    step : how far from the base point most inputs lie, input units
    spread : how far this spreads the logits
    """

    A: Array
    rhs: Array
    step: float
    spread: float

    def joined(self, x: Array, answers: Array) -> System:
        """With the equations of further rows."""
        rows = np.hstack([x, np.ones((len(x), 1))])
        A, rhs = np.concatenate([self.A, rows]), np.concatenate([self.rhs, answers])
        return System(A, rhs, self.step, self.spread)

    def reach(self, x: Array) -> Array:
        """|x| over that of a usual equation, at least 1, (n,)."""
        usual = float(np.linalg.norm(self.A[0, :-1])) + self.step
        return np.maximum(1.0, np.linalg.norm(x, axis=1) / usual)

    def sigma(self, oracle: Reader) -> Array:
        """σ of each equation, (n,)."""
        return sigma(oracle, self.rhs, self.reach(self.A[:, :-1]))


def directions(d: int, *, rng: Rng) -> Array:
    """d orthogonal unit vectors (rows) of which none is special: (d, d), at O(d²) cost.

        cosines of d frequencies, random signs of the inputs, one random reflection

    Along such directions any weight vector, sparse ones too, shows slopes of one size, ‖w‖ / √d:
    one step length suits them all, and no row saturates because it met the one large weight.
    Source: the fast Johnson-Lindenstrauss transform, Ailon and Chazelle 2006; reflection ours.
    """
    rng = np.random.default_rng(rng)
    n = np.arange(d)
    rows = np.cos(np.pi * np.outer(n, n + 0.5) / d) * np.sqrt(2 / d)
    rows[0] /= np.sqrt(2)
    rows *= rng.choice([-1.0, 1.0], size=d)
    mirror = rng.normal(size=d)
    mirror /= np.linalg.norm(mirror)
    rows -= 2 * np.outer(rows @ mirror, mirror)
    return rows


@dataclass
class _Rows:
    """Of each row: length of its step (n,), logits (n, K), their blur (n,), ∞ if not asked yet."""

    length: Array
    rhs: Array
    blur: Array

    def measure(self, oracle: Reader, base: Base) -> float:
        """Blur of all rows and of the base point anew: each answer shows more of the grid.

        Returns how uncertain an equation may be.
        """
        self.blur, base.blur = blur(oracle, self.rhs), float(blur(oracle, base.answer[None])[0])
        return limit(oracle, base)


def equations(oracle: Reader, base: Base, *, rng: Rng, factor: int = 1) -> System:
    """Ask the base point plus a step along d orthogonal directions (`factor` times d when coarse).

        x_j = base + s_j h_j,     w·x_j + β = logit p_j

    The weights are unknown, and so is the right s: the first step is short, and each answer shows
    more of the slopes, so the rows go out in batches of 1, 2, 4, … with the step that should spread
    the logits by 1.5. A row whose answer is saturated goes out again at a quarter of its step.

    rng : Generator or seed; factor : directions per input
    Costs factor · d queries, and one for every row that is asked again, together at most 8 times as
    many and 100.
    Raises `ExtractionError` where the answers stay unreadable, or never change.
    """
    rng = np.random.default_rng(rng)
    h = np.concatenate([directions(oracle.inputs, rng=rng) for _ in range(factor)])
    h = h[rng.permutation(len(h))]
    # rounding repeats where inputs repeat, and no average helps: with more rows all lengths differ
    shares = np.ones(len(h)) if factor == 1 else rng.uniform(0.6, 1.4, len(h))
    rows, step = _ask(oracle, base, h, shares)
    start = System(np.append(base.x, 1.0)[None], base.answer[None], step, _spread(oracle, base))
    return start.joined(base.x + rows.length[:, None] * h, rows.rhs)


def _ask(oracle: Reader, base: Base, h: Array, shares: Array) -> tuple[_Rows, float]:
    """Ask base + step · share · h for every row until each is readable; also returns the step."""
    n, step, batch, began = len(h), FIRST, 1, oracle.count
    rows = _Rows(np.ones(n), np.full((n, len(base.answer)), np.inf), np.full(n, np.inf))
    pending: np.ndarray = np.arange(n)
    with progress.bar("equations", n, "row") as bar:
        while len(pending) and oracle.count - began < TRIES + (8 * n if batch > 1 else 0):
            block = pending[:batch]
            rows.length[block] = step * shares[block]
            rows.rhs[block] = read(oracle, base.x + rows.length[block, None] * h[block])
            allowed = rows.measure(oracle, base)
            saturated = block[rows.blur[block] > allowed]
            slope, weight = _slope(rows, base, allowed)
            if slope:
                step, batch = _spread(oracle, base) / slope / (1 + 10 / weight), 2 * batch
                shares[saturated] /= 4
            else:
                step = step / 4 if len(saturated) else step * 32
                if step > FAR:
                    raise ExtractionError(
                        "equations",
                        f"needs answers that change, but they are the same over {FAR:.0e}",
                        "the victim is constant, or flat there and not linear: use direct.relu",
                    )
            left = _unsettled(rows, allowed, step * shares) if slope else np.roll(pending, -1)
            bar.update(len(pending) - len(left))
            pending = left
    if len(pending):
        raise ExtractionError(
            "equations",
            f"needs answers off 0 and 1, but {len(pending):,} of {n:,} rows stay saturated",
            "ask for log_probs, logits or more decimals; or use direct.relu",
        )
    return rows, step


def _spread(oracle: Reader, base: Base) -> float:
    """How far the logits should lie from the base point's: far, but never so far as to saturate."""
    if oracle.output == "probs":
        blurred = float(blur(oracle, base.answer[None])[0])
        return float(np.clip(np.log(limit(oracle, base) / blurred) / 1.5, 0.1, base.spread))
    return max(SPREAD, float(np.abs(base.answer).max()), DISTANT * absolute(oracle))


def _slope(rows: _Rows, base: Base, allowed: float) -> tuple[float, float]:
    """Size of the slopes seen so far, (Σ change² / Σ length²)^½, and for how many rows it counts.

    Zero while no change stands out from the noise. Long rows count most, as they show most.
    """
    good = np.flatnonzero(rows.blur <= allowed)
    change = np.abs(rows.rhs[good] - base.answer).max(axis=1)
    if not (change > 2 * (rows.blur[good] + base.blur)).any():
        return 0.0, 0.0
    length = np.linalg.norm(rows.length[good])
    return float(np.linalg.norm(change) / length), float((rows.length[good].sum() / length) ** 2)


def _unsettled(rows: _Rows, allowed: float, goal: Array) -> np.ndarray:
    """Rows still to be asked: not yet, saturated, or over a step so short that digits are lost."""
    short = (goal > SHORT * rows.length) & (rows.blur * goal > SHARP * rows.length)
    return np.flatnonzero((rows.blur > allowed) | short)


# ---- where more than rounding to float64 is in the answers


def measure(oracle: Reader, base: Base, system: System, copy: Network, *, rng: Rng) -> None:
    """Measure what chance or arithmetic adds to the answers around the base point.

    What rounding in a victim of such weights costs is told by the copy, too (`noise.arithmetic`):
    rows far from the base point show it, where their answers are no larger than its own.
    Costs 9 queries, 16 if two answers to one row differ, see `answers.reader`.
    """
    direction = np.random.default_rng(rng).normal(size=oracle.inputs)
    direction *= system.step / np.linalg.norm(direction)
    measured = reader(oracle.oracle, base.x, direction, loudest=np.inf)
    oracle.first, oracle.jitter = measured.first, measured.jitter
    oracle.is_stochastic, oracle.apart = measured.is_stochastic, measured.apart
    if oracle.grid.is_relative and not oracle.is_stochastic:
        x = system.A[:, :-1]
        inside = arithmetic(copy, x, oracle.grid.kind) / rms(system.reach(x))
        oracle.jitter = max(oracle.jitter, inside)


def rows_wanted(oracle: Reader, base: Base) -> int:
    """Equations for each unknown: 1 if answers are floats, of 9 decimals or more; else 4 to 64.

    Ten times the noise, relative to the spread of the logits, takes twice as many.
    """
    share = sigma(oracle, base.answer[None])[0] / _spread(oracle, base)
    if share < (COARSE if oracle.grid.is_relative else FINE):
        return 1
    return int(2 ** np.clip(np.ceil(6 + np.log10(share)), 2, 6))
