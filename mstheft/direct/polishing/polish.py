"""The last stage of every attack: least squares over all weights and all answers paid for.

    minimise  Σ |y - o(f_θ(x))|² / σ²,    begun at a copy that is right to about 20 %

A rough copy goes in, and one comes out whose misfit is the noise of the answers: nothing better
can be had from them (`Polished.bound`). Nothing is asked. In reading order:

    polish              copy, rows, answers -> Polished
    readable            floating point probabilities as logarithms, which are nearly linear
    judged              is what is left noise?

The steps between are in `descent`, the bound and the error bars of the weights in `error_bars`.

Source: Gauss-Newton is in any textbook; `nn.gauss_newton` has the parts and their sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mstheft import progress
from mstheft.direct.answers.noise import Noise, arithmetic, lattice, rms
from mstheft.direct.polishing.descent import ROUNDED, best_descent
from mstheft.direct.polishing.error_bars import (
    from_draws,
    from_jacobian,
    identifiable,
    named,
    seldom_on,
    without,
)
from mstheft.nn import gauss_newton
from mstheft.nn.functions import logit
from mstheft.nn.gauss_newton import DensePass, Fit, Weights
from mstheft.nn.network import Network
from mstheft.typing import Array, Rng

STEPS = 60  # at the most
RANGES = {"probs": (-0.1, 1.1), "top_k": (-0.1, 1.1), "log_probs": (-np.inf, 0.1)}  # with noise
TRUSTS = 0.25, 0.1  # how far a step may turn a neuron: at first, and in a second descent
KNOWN = 1.1  # and below this, and five of its own deviations, where σ is known
EXACT = 20_000_000, 1000  # numbers in a Jacobian, and weights, up to which it is formed


@dataclass(frozen=True)
class Polished:
    """A polished copy, and how good it is.

    model : the copy, float64; the one that was given is unchanged
    misfit : root mean square of answers - copy's answers, before and after every step
    noise : standard deviation σ of an answer, rms
    kind : where the noise comes from
    output : in which the misfit, noise and bound are: 'logits', 'log_probs', 'probs' or 'top_k'.
        Floating point probabilities are compared as logarithms (one sigmoid output: as logits)
    bound : Cramér-Rao: no unbiased copy has a smaller rms error of an answer on fresh rows of the
        same kind. That is σ √(P / N) or more, with P identifiable weights and N answered numbers:
        more because rows that are few do not tell all weights equally well
    ratio : √(Σ (y - o)² / σ² / (N - P)): 1 if nothing but noise is left
    converged : is the ratio that of noise? Where not, some neurons are wrong
    error_bars : standard deviation of every weight, by name as in `Network.parameters()`, as far
        as it changes an answer: symmetries have none. Grown by the ratio where that is above 1;
        infinite for the neurons of `seldom_on`
    seldom_on : (hidden layer from 1, neuron) of neurons that are on in too few rows to tell their
        weights. The misfit hardly sees them, fresh rows may: a converged copy can be wrong there
    asked, given : the form of the answers, and the noise, that `polish` was given
    by : how bound and error bars were found: 'jacobian', exactly; or 'draws', by simulation, good
        to some per cent for the bound and to about a third for a bar
    """

    model: Network
    misfit: list[float]
    noise: float
    kind: Noise
    output: str
    bound: float
    ratio: float
    converged: bool
    error_bars: dict[str, Array]
    seldom_on: list[tuple[int, int]]
    by: str
    asked: str = "logits"
    given: Noise | Array | float | None = None

    def against(self, x: Array, answers: Array) -> tuple[Array, Array]:
        """What the copy misses of answers to other rows, and the size that is expected: both (m,).

        √(σ² + bound²) of every answered number; in the units of `output`.
        """
        weights, activations = gauss_newton.chain(self.model)
        problem = Problem(self.model, x, answers, self.asked, self.given)
        fit = problem.fit(weights, activations)
        seen = fit.precision > 0
        off = fit.answers - fit.link.answer(fit.at(weights).logits)
        size = np.hypot(1 / fit.precision[seen], self.bound * max(1.0, self.ratio))
        return off[seen], size

    def spread(self, answers: Array) -> float:
        """Standard deviation of the answers over the rows, rms over the classes; of `output`."""
        values = readable(answers, self.asked, self.kind, np.ones(np.shape(answers)))[0]
        return rms(values[np.isfinite(values).all(axis=1)].std(axis=0))

    @property
    def steps(self) -> int:
        """Gauss-Newton steps taken."""
        return len(self.misfit) - 1


def polish(
    model: Network,
    x: Array,
    answers: Array,
    *,
    output: str = "logits",
    noise: Noise | Array | float | None = None,
    steps: int = STEPS,
    trusts: Sequence[float] = TRUSTS,
    rng: Rng = None,
) -> Polished:
    """Fit all weights of a copy to all answers. No queries.

    model : dense layers of any depth and activation, of the victim's shape or wider
    x : (n, d) rows as the victim saw them: rounded to float32 where it computes in float32
    answers : (n, K) logits, log-probabilities or probabilities; for 'top_k' zeros are unknown.
        Infinities and NaN count for nothing
    noise : what `measure_noise` returned, or σ: a number, or one for each row (n, 1) or answer
        (n, K). Measured from the answers' grid and the copy's own rounding unless given
    steps : of a descent, at the most
    trusts : how far a step may turn a neuron, in a first descent, and in others if that does not
        end in the noise
    Raises ValueError for labels, for shapes that do not fit, and for fewer answers than weights.
    """
    x, answers = _checked(model, x, answers, output)
    weights, activations = gauss_newton.chain(model)
    problem = Problem(model, x, answers, output, noise)
    fit = problem.fit(weights, activations)
    free = identifiable(weights, activations, fit.output)
    _enough(fit, free)
    rng = np.random.default_rng(rng)
    with progress.bar("polish", None, "step") as bar:
        here, misfit = best_descent(fit, fit.at(weights), steps, trusts, free, rng, bar)
        bar.set_postfix_str(f"misfit {misfit[-1]:.1e}, error bars")
        fit = problem.fit(here.weights, activations)  # σ anew: the copy's rounding is the victim's
        return judged(problem, fit, here, misfit, rng)


def _checked(model: Network, x: Array, answers: Array, output: str) -> tuple[Array, Array]:
    if output not in gauss_newton.OUTPUTS:
        raise ValueError(
            f"expected output= to be one of {sorted(gauss_newton.OUTPUTS)}, got {output!r}"
        )
    x = np.asarray(x, np.float64).reshape(len(x), -1)
    outputs = 2 if (output, model.outputs) == ("log_probs", 1) else model.outputs
    if x.shape[1] != model.inputs or np.shape(answers) != (len(x), outputs):
        raise ValueError(
            f"expected rows (n, {model.inputs}) and answers (n, {outputs}), got {x.shape} and "
            f"{np.shape(answers)}; one row of answers per row asked"
        )
    answers = np.asarray(answers)
    low, high = RANGES.get(output, (-np.inf, np.inf))
    outside = np.isfinite(answers) & ~((low <= answers) & (answers <= high))
    if outside.any():
        got = f"got {answers[outside][0]:.4g}; say what the answers are"
        raise ValueError(f"expected answers from {low} to {high} for {output=}, {got}")
    return x, answers


def _enough(fit: Fit, free: int) -> None:
    if fit.numbers <= free:
        raise ValueError(
            f"expected more answered numbers than the {free:,} free weights, got {fit.numbers:,}; "
            "ask more rows, or polish a smaller copy"
        )


# ---- answers that are nearly linear in the weights, and how much each counts


@dataclass(frozen=True)
class Problem:
    """What was asked, what came back, and what is known of the noise."""

    model: Network
    x: Array
    answers: Array
    output: str
    given: Noise | Array | float | None

    def kind(self, weights: Weights) -> Noise:
        """The noise, with the rounding inside a network of these weights where none was given."""
        if isinstance(self.given, Noise):
            return self.given
        if self.given is not None:
            return Noise("given", jitter=rms(np.asarray(self.given)))
        grid = lattice(self.answers)
        copy = gauss_newton.assemble(self.model, weights)
        return replace(grid, jitter=arithmetic(copy, self.x, grid.kind))

    def fit(self, weights: Weights, activations: list[str]) -> Fit:
        """The least squares problem, each answer weighted by 1/σ."""
        kind = self.kind(weights)
        sigma = self.sigma(kind)
        answers, output, sigma = readable(self.answers, self.output, kind, sigma)
        seen = np.isfinite(answers) & np.isfinite(sigma)
        if self.output == "top_k":
            seen &= self.answers > 0
        precision = np.where(seen, 1 / np.where(seen, sigma, 1), 0.0)
        rows = gauss_newton.with_ones(self.x)
        return Fit(rows, activations, np.where(seen, answers, 0.0), precision, output)

    def sigma(self, kind: Noise) -> Array:
        """σ of each answer as it came, (n, K)."""
        if self.given is not None and not isinstance(self.given, Noise):
            return np.broadcast_to(np.asarray(self.given, float), self.answers.shape)
        probable = self.given is None and self.output in ("probs", "top_k")
        jitter = kind.jitter * slope(self.answers, self.output) if probable else kind.jitter
        return np.hypot(replace(kind, jitter=0.0).of(self.answers), jitter)


def slope(probs: Array, output: str) -> Array:
    """|dp| where the logits move by 1: p (1 - p) of one sigmoid, p of a softmax."""
    p = probs.astype(np.float64)
    return p * (1 - p) if output == "probs" and p.shape[1] == 1 else p


def readable(answers: Array, output: str, noise: Noise, sigma: Array) -> tuple[Array, str, Array]:
    """Floating point probabilities as logarithms: a small p has as many digits as a large one.

    softmax:        log p,    σ / p
    one sigmoid:    logit p,  σ / (p (1 - p))
    These are linear in the logits, and every digit of a small p counts. Decimals have no digits
    there: such probabilities stay what they are. Returns answers, output and σ.
    """
    values = answers.astype(np.float64)
    if output not in ("probs", "top_k") or not noise.is_relative:
        return values, output, sigma
    with np.errstate(divide="ignore", invalid="ignore"):
        if values.shape[1] == 1:
            return logit(values), "logits", sigma / (values * (1 - values))
        return np.log(values), "log_probs", sigma / values


# ---- is what is left noise?


def judged(
    problem: Problem, fit: Fit, here: DensePass, misfit: list[float], rng: np.random.Generator
) -> Polished:
    """Ratio, bound and error bars, from the Jacobian where it can be formed."""
    free = identifiable(here.weights, fit.activations, fit.output)
    weights = sum(matrix.size for matrix in here.weights)
    small = weights <= EXACT[1] and fit.answers.size * weights <= EXACT[0]
    if small:
        free, bound, bars = from_jacobian(fit, here)
    else:
        bound, bars = from_draws(fit, here, rng)
    left = float(np.sum(fit.residual(here.logits) ** 2))
    ratio = float(np.sqrt(left / max(1, fit.numbers - free)))
    kind, seldom = problem.kind(here.weights), seldom_on(fit, here)
    return Polished(
        model=gauss_newton.assemble(problem.model, here.weights),
        misfit=misfit,
        noise=fit.noise,
        kind=kind,
        output=fit.output,
        bound=bound,
        ratio=ratio,
        converged=ratio < allowed(kind, problem.given is None, fit.numbers - free),
        error_bars=named(problem.model, without(seldom, [max(1.0, ratio) * bar for bar in bars])),
        seldom_on=[(i + 1, int(k)) for i, few in enumerate(seldom) for k in np.flatnonzero(few)],
        by="jacobian" if small else "draws",
        asked=problem.output,
        given=problem.given,
    )


def allowed(kind: Noise, measured: bool, left: int) -> float:
    """The ratio up to which a misfit counts as noise. A ratio of noise is 1 ± 1/√(2 left).

    σ of arithmetic, and of chance that a few answers have shown, is only known to a factor.
    """
    if (measured and kind.is_relative) or kind.kind == "stochastic":
        return ROUNDED
    return KNOWN + 5 / float(np.sqrt(2 * max(1, left)))
