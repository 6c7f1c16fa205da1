"""Two networks under a distribution of inputs: shares estimated from draws, with intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mstheft.compare.agreement import Answers, differences, labels_of, scores_of
from mstheft.nn.network import BATCH
from mstheft.typing import Array, Rng

Sample = Callable[[np.random.Generator, int], ArrayLike]  # (rng, m) -> (m, d)


class Fidelity(NamedTuple):
    """A share of agreeing labels among n drawn inputs, and its confidence interval."""

    agreement: float
    low: float
    high: float
    n: int
    confidence: float


def fidelity(
    f: Answers, g: Answers, sample: Sample, n: int, rng: Rng, confidence: float = 0.95
) -> Fidelity:
    """P(labels agree) under any distribution of inputs, estimated from n draws.

    sample : sample(rng, m) -> (m, d) independent rows; called for at most 4096 at a time
    rng : a Generator or a seed
    The interval is `interval`'s.
    """
    _check_draws(n, confidence)
    draws = _draws(f, g, sample, n, rng)
    count = sum(int((labels_of(first) == labels_of(second)).sum()) for first, second in draws)
    return Fidelity(count / n, *interval(count, n, confidence), n, confidence)


@dataclass(frozen=True)
class Equivalence:
    """The estimate of δ = P(max_k |f_k - g_k| > ε) from n draws.

    failures : draws on which the difference was above `epsilon`
    delta : failures / n
    low, high : two-sided confidence interval of δ
    at_most : one-sided: δ is at most this with `confidence`; about 3 / n for no failures and 95 %
    """

    epsilon: float
    failures: int
    n: int
    confidence: float
    delta: float
    low: float
    high: float
    at_most: float

    def __str__(self) -> str:
        return (
            f"|f - g| > {self.epsilon:.3g} on {self.failures:,} of {self.n:,} inputs: with "
            f"{100 * self.confidence:g} % confidence on at most a share of {self.at_most:.3g}"
        )


def functional_equivalence(
    f: Answers,
    g: Answers,
    epsilon: float,
    sample: Sample,
    n: int,
    rng: Rng,
    confidence: float = 0.95,
) -> Equivalence:
    """(ε, δ) functional equivalence by sampling: P(max_k |f_k(x) - g_k(x)| > ε) ≤ δ.

    Failures in n independent draws are binomial, so that no failure at all has probability
    (1 - δ)^n. It is below 1 - confidence unless

        δ ≤ 1 - (1 - confidence)^(1/n)  ≈  -ln(1 - confidence) / n  =  3.00 / n   at 95 %,

    the rule of three: 0 failures in 10,000 draws prove δ ≤ 0.0003 with 95 % confidence, and
    never δ = 0. That takes a `certificate`.

    epsilon : ε ≥ 0, in logits; a difference of exactly ε is no failure
    sample, rng : as in `fidelity`
    Source: Jagielski et al. 2020, section 3; Clopper and Pearson 1934.
    """
    _check_draws(n, confidence)
    if not 0 <= epsilon < math.inf:
        raise ValueError(f"expected a finite epsilon >= 0, got {epsilon}")
    draws = _draws(f, g, sample, n, rng)
    failures = sum(int((differences(*pair).max(axis=1) > epsilon).sum()) for pair in draws)
    low, high = interval(failures, n, confidence)
    at_most = _at_most(failures, n, 1 - confidence)
    return Equivalence(epsilon, failures, n, confidence, failures / n, low, high, at_most)


def interval(count: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact two-sided confidence interval of a share that was seen `count` times in n draws.

    The ends are the shares under which at least, or at most, `count` have probability
    (1 - confidence) / 2: quantiles of Beta(count, n - count + 1) and Beta(count + 1, n - count).
    Source: Clopper and Pearson 1934.
    """
    _check_draws(n, confidence)
    if not 0 <= count <= n:
        raise ValueError(f"expected 0 <= count <= n, got {count} of {n}")
    tail = (1 - confidence) / 2
    return 1 - _at_most(n - count, n, tail), _at_most(count, n, tail)


def _draws(
    f: Answers, g: Answers, sample: Sample, n: int, rng: Rng
) -> Iterator[tuple[Array, Array]]:
    """Scores of both, (m, K), on n drawn rows, m at a time."""
    rng = np.random.default_rng(rng)
    for start in range(0, n, BATCH):
        size = min(BATCH, n - start)
        x = np.asarray(sample(rng, size))
        if x.ndim < 2 or len(x) != size:
            raise ValueError(f"expected sample(rng, {size}) to return {size} rows, got {x.shape}")
        yield scores_of(f, g, x)


def _check_draws(n: int, confidence: float) -> None:
    if n < 1 or not 0 < confidence < 1:
        raise ValueError(f"expected n >= 1 and 0 < confidence < 1, got {n} and {confidence}")


def _at_most(count: int, n: int, tail: float) -> float:
    """The share under which `count` or fewer of n have probability `tail`."""
    from scipy.special import betaincinv

    return 1.0 if count == n else float(betaincinv(count + 1, n - count, 1 - tail))
