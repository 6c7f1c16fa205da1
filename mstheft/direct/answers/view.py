"""Where probabilities can be read: a centre and a scale of the queries, and the oracle seen there.

    f(c + s y)  =  A1 relu((s A0) y + (A0 c + b0)) + b1

is the same network in other units of its input. Far out one class swallows the others, and its
probability of 1 tells nothing; nearby all logits are alike, and drown in rounding. In between there
is a scale s at which answers tell most, and an attack that draws y ~ N(0, I) stays there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mstheft.direct.answers.reader import TINY, Reader, read, reader
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.nn.network import Network
from mstheft.result import Result
from mstheft.typing import Array, Oracle, Rng

ROWS = 8  # whose answers judge a scale
HALVINGS = 20  # of a scale, doublings too
BETTER = 1.2, 1.5  # how much more answers must tell at half the scale, and at twice the scale
MOVES = 12  # of a centre at which one class has swallowed the others
LOST = 1e-4  # of the digits of a format: where fewer are left of a logit, p lies near 0 or 1
NEARBY = 0.1  # of a row: there the noise is measured, near the centre
REACH = -1, 4  # how far a move looks around, as powers of two


class View:
    """An oracle asked at c + s y for rows y, and counted there.

    centre, scale : (d,) c, and s
    """

    def __init__(self, oracle: Oracle, centre: Array, scale: float):
        self.oracle = oracle
        self.centre, self.scale = centre, scale

    def __getattr__(self, name: str) -> Any:
        return getattr(self.oracle, name)

    def query(self, y: Array) -> Array:
        """The answers to c + s y, for rows y (n, d). Costs n queries."""
        return self.oracle.query(self.centre + self.scale * y)

    def near(self, model: Network) -> Network:
        """A copy in the units of y as one in those of the victim's inputs."""
        (w, b), *rest = model.dense()
        w = w / self.scale
        return zoo.given([(w, b - w @ self.centre), *rest])


def readable_view(oracle: Oracle, *, rng: Rng = None) -> tuple[Reader, View | None]:
    """The oracle with its noise, seen from where its probabilities tell most, and that view.

    The view is None for logits, for a stochastic victim, and for exact probabilities that N(0, I)
    does not saturate. For all others the scale is halved, or doubled, from 1 while the answers
    tell more:

        s  =  argmax  spread of the logits on N(c, s² I)  /  σ of a logit there

    The centre c is the origin, unless no scale is readable there, or so near to p = 0 or 1 that
    floating point has four digits less of a logit than it might: then at most 12 steps lead away
    from it, each to the one of eight rows around c at which most classes can be read.
    Costs 9 to 25 queries, and for coarse probabilities about 50 more.
    Raises `ExtractionError` where nothing can be read, or chance is louder than the answers.
    """
    if oracle.output not in ("probs", "log_probs"):
        return reader(oracle), None
    try:
        here = reader(oracle)
        if here.is_exact or here.is_stochastic:
            return here, None
    except ExtractionError as error:
        if error.stage == "answers":
            raise
        here = Reader(oracle)
    rng = np.random.default_rng(rng)
    centre: Array = np.zeros(oracle.inputs)
    rows: Array = rng.normal(size=(ROWS, oracle.inputs))
    scale, best = best_scale(here, centre, rows)
    enough = LOST / here.grid.spacing(np.ones(1))[0] if here.grid.is_relative else TINY
    for _ in range(MOVES):
        if best >= enough:
            break
        reach = 2 ** rng.uniform(*REACH, (ROWS, 1))
        around = centre + reach * rng.normal(size=rows.shape)
        centre = clearest(here, np.vstack([centre, around]))
        scale, best = best_scale(here, centre, rows)
    view = View(oracle, centre, scale or 1.0)
    return reader(view, NEARBY * rows[0], rows[1]), view


def undo(view: View | None, result: Result) -> None:
    """Put the copy of a result, if it has one, in the units of the victim's inputs."""
    if view is not None and result.model is not None:
        result.model = view.near(result.model)


def best_scale(oracle: Reader, centre: Array, rows: Array) -> tuple[float, float]:
    """The power of two at which answers tell most, and `told` there; 0 where none is readable."""

    def judged(scale: float) -> float:
        return told(oracle, centre + scale * rows, scale)

    scale, best = 1.0, judged(1.0)
    for factor, gain in zip((0.5, 2.0), BETTER, strict=True):
        if scale != 1.0:
            break  # answers tell more nearby, so not farther out
        for _ in range(HALVINGS):
            other = judged(factor * scale)
            if other <= gain * best and best > 0:
                break
            scale, best = factor * scale, other
        if not best:
            return 0.0, 0.0
    return scale, best


def told(oracle: Reader, x: Array, reach: float) -> float:
    """Spread of the logits over their σ, on rows x (n, d); 0 where most rows have no finite logits.

    reach : |x| over that of a usual row, for `Reader.sigma`. Costs n queries.
    """
    z = read(oracle, x).astype(float)
    finite = np.isfinite(z).all(axis=1)
    if 2 * finite.sum() <= len(x):
        return 0.0
    sigma = np.sqrt(np.mean(oracle.sigma(z, reach) ** 2, axis=1))  # (n,)
    return float(z[finite].std(axis=0).max() / np.median(sigma))


def clearest(oracle: Reader, x: Array) -> Array:
    """The row (d,) at which most classes have p > 0; of several, that with the largest second p."""
    p = oracle.query(x).astype(float)
    p = np.exp(p) if oracle.output == "log_probs" else p
    p = np.hstack([p, 1 - p]) if p.shape[1] == 1 else p
    order = np.lexsort([np.sort(p, axis=1)[:, -2], (p > 0).sum(axis=1)])
    row: Array = x[order[-1]]
    return row
