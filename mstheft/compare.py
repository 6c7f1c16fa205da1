"""Comparing two networks: the same answers, the same function, the same parameters?

From the weakest statement to the strongest:

    agreement, fidelity       how often the labels are equal
    logit_difference          how far the logits are apart on given rows
    functional_equivalence    (ε, δ): |f - g| ≤ ε but for a share δ of the inputs, by sampling
    certificate               (ε, 0): |f - g| ≤ ε on a whole box, by arithmetic
    align                     the parameters, up to order and scale (from nn.symmetry)

A network is called `a` or `b` where its parameters are read, and `f` or `g` where only its answers
are: those may be any callable (n, d) -> (n, K) as well. Source: MATHS 12; Jagielski et al. 2020,
section 3 (fidelity and functional equivalence).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mstheft.nn import symmetry
from mstheft.nn.bounds import certificate
from mstheft.nn.functions import Array
from mstheft.nn.network import BATCH, Network
from mstheft.nn.symmetry import align, largest, relu_layers, same_ends

Answers = Network | Callable[[Any], Any]
Sample = Callable[[np.random.Generator, int], Any]

# ---- answers on given rows


def agreement(f: Answers, g: Answers, x: Any) -> float:
    """Share of rows on which the labels agree: (1/n) Σ_i [argmax f(x_i) = argmax g(x_i)].

    f, g : Networks, or callables (n, d) -> (n, K) scores; with K = 1 a score above 0 is class 1
    x : (n, d)
    """
    first, second = _both(f, g, x)
    return float((_labels(first) == _labels(second)).mean())


def control(victim: Answers, independent: Answers, x: Any) -> float:
    """Agreement that is reached without theft: of the victim and a network that never saw it.

    Two networks that solve one task well agree on most of its inputs. Only what a copy's
    agreement has above this number was learned from the victim's answers.

    independent : trained on the task's own labels, of the copy's architecture and from as many
        samples as the copy; whoever trains it must see to that, here it cannot be known
    x : (n, d) the rows on which the copy is judged
    """
    if independent is victim:
        raise ValueError("expected a network trained without the victim, got the victim; train one")
    return agreement(victim, independent, x)


class Difference(NamedTuple):
    """max and mean of |Δlogit| over rows and classes, in logits."""

    max: float
    mean: float


def logit_difference(f: Answers, g: Answers, x: Any, *, gauge: bool = False) -> Difference:
    """How far the logits of f and g are apart on rows x, (n, d).

    gauge : subtract the mean over classes from both first. Probabilities do not tell it, so a
        copy stolen from them cannot know it. Needs K ≥ 2
    """
    apart = _apart(*_both(f, g, x), gauge=gauge)
    return Difference(float(apart.max()), float(apart.mean()))


# ---- answers under a distribution of inputs


class Fidelity(NamedTuple):
    """A share of agreeing labels among n drawn inputs, and its confidence interval."""

    agreement: float
    low: float
    high: float
    n: int
    confidence: float


def fidelity(
    f: Answers, g: Answers, sample: Sample, n: int, rng: Any, confidence: float = 0.95
) -> Fidelity:
    """P(labels agree) under any distribution of inputs, estimated from n draws.

    sample : sample(rng, m) -> (m, d) independent rows; called for at most 4096 at a time
    rng : a Generator or a seed
    The interval is `interval`'s.
    """

    _drawn(n, confidence)

    def same(first: Array, second: Array) -> np.ndarray:
        return _labels(first) == _labels(second)

    count = _count(same, f, g, sample, n, rng)
    return Fidelity(count / n, *interval(count, n, confidence), n, confidence)


@dataclass(frozen=True)
class Equivalence:
    """What n draws tell of δ = P(max_k |f_k - g_k| > ε).

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
    rng: Any,
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
    _drawn(n, confidence)
    if not 0 <= epsilon < math.inf:
        raise ValueError(f"expected a finite epsilon >= 0, got {epsilon}; give it in logits")

    def differ(first: Array, second: Array) -> np.ndarray:
        return _apart(first, second).max(axis=1) > epsilon

    failures = _count(differ, f, g, sample, n, rng)
    low, high = interval(failures, n, confidence)
    at_most = _at_most(failures, n, 1 - confidence)
    return Equivalence(epsilon, failures, n, confidence, failures / n, low, high, at_most)


def interval(count: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact two-sided confidence interval of a share that was seen `count` times in n draws.

    The ends are the shares under which so many, or so few, have probability (1 - confidence) / 2:
    quantiles of Beta(count, n - count + 1) and Beta(count + 1, n - count).
    Source: Clopper and Pearson 1934.
    """
    _drawn(n, confidence)
    if not 0 <= count <= n:
        raise ValueError(f"expected 0 <= count <= n, got {count} of {n}; count among the draws")
    tail = (1 - confidence) / 2
    return 1 - _at_most(n - count, n, tail), _at_most(count, n, tail)


# ---- all at once


@dataclass(frozen=True)
class Summary:
    """A copy beside its victim; None where a line does not apply. `str()` gives a table.

    rows : number of inputs compared
    agreement : share of equal labels; control : that of a network trained without the victim
    difference : max and mean |Δlogit|
    victim_accuracy, copy_accuracy : shares of right labels
    parameter_error : max |θ̂ - θ| after alignment
    certificate : bound of |Δlogit| on the smallest box that holds all the inputs
    """

    rows: int
    agreement: float
    control: float | None
    difference: Difference
    victim_accuracy: float | None
    copy_accuracy: float | None
    parameter_error: float | None
    certificate: float | None

    def __str__(self) -> str:
        lines = [
            ("inputs compared", f"{self.rows:,}"),
            ("agreement", _share(self.agreement, self.rows)),
            ("  without the victim", _share(self.control, self.rows)),
            ("max |Δlogit|", f"{self.difference.max:.2e}"),
            ("mean |Δlogit|", f"{self.difference.mean:.2e}"),
            ("accuracy of the victim", _share(self.victim_accuracy, self.rows)),
            ("accuracy of the copy", _share(self.copy_accuracy, self.rows)),
            ("max |Δparameter|, aligned", _number(self.parameter_error)),
            ("certified |Δlogit|, same box", _number(self.certificate)),
        ]
        return "\n".join(f"{name:<30}{value}" for name, value in lines if value)


def summary(
    victim: Answers,
    copy: Answers,
    x: Any,
    *,
    labels: Any = None,
    independent: Answers | None = None,
    gauge: bool = False,
) -> Summary:
    """Everything above on rows x (n, d), as far as it applies to these two.

    labels : (n,) the right classes, counted as the networks do
    independent : a network trained without the victim, see `control`
    gauge : compare logits and parameters after centring them over classes, as
        `logit_difference` does
    Parameters are compared for networks of one hidden ReLU layer or none; certificates are for
    these and for deeper ReLU networks of equal widths.
    """
    first, second = _both(victim, copy, x)
    right = None if labels is None else _right(labels, len(first))
    apart = _apart(first, second, gauge=gauge)
    error, bound = _by_parameters(victim, copy, x, gauge)
    return Summary(
        rows=len(first),
        agreement=float((_labels(first) == _labels(second)).mean()),
        control=None if independent is None else control(victim, independent, x),
        difference=Difference(float(apart.max()), float(apart.mean())),
        victim_accuracy=None if right is None else float((_labels(first) == right).mean()),
        copy_accuracy=None if right is None else float((_labels(second) == right).mean()),
        parameter_error=error,
        certificate=bound,
    )


def _by_parameters(
    victim: Answers, copy: Answers, x: Any, gauge: bool
) -> tuple[float | None, float | None]:
    """Parameter error and certificate, each None where it does not apply."""
    if not (isinstance(victim, Network) and isinstance(copy, Network)):
        return None, None
    if gauge:
        victim, copy = symmetry.center(victim), symmetry.center(copy)
    first, second = relu_layers(victim), relu_layers(copy)
    if first is None or second is None or len(first) != len(second):
        return None, None
    error, one_hidden = None, len(first) == 2
    if one_hidden:
        error = align(victim, copy).error
    elif len(first) == 1:
        pairs = zip(first[0], second[0], strict=True)
        error = max(largest(p_ - p) for p, p_ in pairs)
    elif [len(bias) for _, bias in first] != [len(bias) for _, bias in second]:
        return None, None
    rows = np.asarray(x, np.float64).reshape(len(x), -1)
    return error, certificate(victim, copy, rows.min(axis=0), rows.max(axis=0))


def _share(share: float | None, n: int) -> str:
    """Rounded down, so that only all is 100 %."""
    if share is None:
        return ""
    count = round(share * n)
    return f"{math.floor(10_000 * count / n) / 100:.2f} %  ({count:,} of {n:,})"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2e}"


# ---- answers and parameters, checked


def _both(f: Answers, g: Answers, x: Any) -> tuple[Array, Array]:
    """Scores of both on rows x, (n, K) each."""
    if isinstance(f, Network) and isinstance(g, Network):
        same_ends(f, g)
    x = np.asarray(x)
    if x.ndim < 2 or len(x) == 0:
        raise ValueError(
            f"expected rows (n, d) with n >= 1, got shape {x.shape}; a single input goes in as "
            "x[None]"
        )
    first, second = _scores(f, x), _scores(g, x)
    if first.shape != second.shape:
        raise ValueError(
            f"expected answers of one shape, got {first.shape} and {second.shape}; "
            "compare networks of the same classes"
        )
    return first, second


def _scores(f: Answers, x: Any) -> Array:
    if isinstance(f, Network):
        scores = f.logits(x.reshape(len(x), -1))
    elif callable(f):
        scores = np.asarray(f(x))
    else:
        raise ValueError(
            f"expected a Network or a callable (n, d) -> (n, K), got {type(f).__name__}; "
            "wrap it in a function"
        )
    if scores.ndim != 2 or len(scores) != len(x) or scores.dtype.kind not in "fiu":
        raise ValueError(
            f"expected ({len(x)}, K) real scores for {len(x)} rows, got shape {scores.shape} of "
            f"{scores.dtype}; return one row of scores per input"
        )
    if np.isnan(scores).any():
        raise ValueError("expected scores without NaN, got NaN; check the rows and the network")
    return scores.astype(np.float64)


def _labels(scores: Array) -> np.ndarray:
    return (scores[:, 0] > 0).astype(np.int64) if scores.shape[1] == 1 else scores.argmax(axis=1)


def _right(labels: Any, n: int) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"expected labels as ({n},) whole numbers, got shape {labels.shape} of "
            f"{labels.dtype}; give one class per row"
        )
    return labels


def _apart(first: Array, second: Array, gauge: bool = False) -> Array:
    """|Δlogit|, (n, K)."""
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("expected finite logits, got infinite ones; compare labels instead")
    if gauge:
        if first.shape[1] < 2:
            raise ValueError("expected two or more classes with gauge=True, got 1; leave it out")
        first, second = (z - z.mean(axis=1, keepdims=True) for z in (first, second))
    return np.abs(first - second)


def _count(
    judge: Callable[[Array, Array], np.ndarray],
    f: Answers,
    g: Answers,
    sample: Sample,
    n: int,
    rng: Any,
) -> int:
    """How many of n drawn rows the judge says yes to."""
    rng = np.random.default_rng(rng)
    count = 0
    for start in range(0, int(n), BATCH):
        size = min(BATCH, int(n) - start)
        x = np.asarray(sample(rng, size))
        if x.ndim < 2 or len(x) != size:
            raise ValueError(
                f"expected sample(rng, {size}) to return {size} rows, got shape {x.shape}; "
                "it draws as many rows as it is asked for"
            )
        count += int(judge(*_both(f, g, x)).sum())
    return count


def _drawn(n: int, confidence: float) -> None:
    if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 1:
        raise ValueError(f"expected n as a whole number >= 1, got {n!r}; say how many draws")
    if not 0 < confidence < 1:
        raise ValueError(f"expected 0 < confidence < 1, got {confidence}; 0.95 is usual")


def _at_most(count: int, n: int, tail: float) -> float:
    """The share under which `count` or fewer of n have probability `tail`."""
    from scipy.special import betaincinv

    return 1.0 if count == n else float(betaincinv(count + 1, n - count, 1 - tail))
