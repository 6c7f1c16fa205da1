"""The last stage of every attack: least squares over all weights and all answers paid for.

    minimise  Σ |y - o(f_θ(x))|² / σ²,    begun at a copy that is right to about 20 %

A rough copy goes in, and one comes out whose misfit is the noise of the answers: nothing better
can be had from them (`Polished.bound`). Nothing is asked. In reading order:

    polish              copy, rows, answers -> Polished
    readable            floating point probabilities as logarithms, which are nearly linear
    descend             Gauss-Newton steps, with their damping
    judged              is what is left noise? with its bound and the error bars of the weights

Source: Gauss-Newton is in any textbook; `nn.gauss_newton` has the parts and their sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mstheft.direct.noise import Noise, arithmetic, lattice, rms
from mstheft.nn import gauss_newton
from mstheft.nn.functions import logit
from mstheft.nn.gauss_newton import DensePass, Fit, Weights
from mstheft.nn.layers import Dense
from mstheft.nn.network import Network
from mstheft.typing import Array, Rng

STEPS = 60  # at the most
DAMP = 0.3  # of the first step; a third after every whole one, three times after a shortened one
MOST_DAMP = 100.0  # a step that fits no better even so ends the descent
SLOWEST = 1e-3  # a whole, undamped step that gains less than this share of the misfit is the last
TRUSTS = 0.25, 0.1  # how far a step may turn a neuron: at first, and in a second descent
HALF = 0.5  # a step that gains less than this share, above the noise, was not solved well enough
MOST_ITERATIONS = 320  # of LSMR in a step
LOOSE, TIGHT = 1e-2, 1e-8  # tolerances of LSMR: a share of the relative misfit between these
ROUNDED = 2.0  # converged: ratio below this where σ is that of arithmetic, known to a factor
SURPLUS = 2  # answered numbers for each weight of a neuron, in the rows where it is on
DRAWS = 2  # of noise, for the bound and error bars of large networks
KNOWN = 1.1  # and below this, and five of its own deviations, where σ is known
EXACT = 20_000_000, 1000  # numbers in a Jacobian, and weights, up to which it is formed


@dataclass(frozen=True)
class Polished:
    """A polished copy, and how good it is.

    model : the copy, float64; the one that was given is unchanged
    misfit : root mean square of answers - copy's answers, before and after every step
    noise : standard deviation σ of an answer, rms
    kind : where the noise comes from
    output : in which the misfit, noise and bound are: 'logits', 'probs' or 'log_probs'. Floating
        point probabilities are compared as logarithms (one sigmoid output: as logits)
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
    here, misfit = best_descent(fit, fit.at(weights), steps, trusts, free, rng)
    fit = problem.fit(here.weights, activations)  # σ anew: the copy's rounding is the victim's now
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
    return x, np.asarray(answers)


def _enough(fit: Fit, free: int) -> None:
    numbers = np.count_nonzero(fit.precision)
    if numbers <= free:
        raise ValueError(
            f"expected more answered numbers than the {free:,} free weights, got {numbers:,}; "
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
            return Noise("given", jitter=float(np.sqrt(np.mean(np.square(self.given)))))
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


# ---- the descent


def best_descent(
    fit: Fit,
    start: DensePass,
    steps: int,
    trusts: Sequence[float],
    free: int,
    rng: np.random.Generator,
) -> tuple[DensePass, list[float]]:
    """The descent with the first trust that ends in the noise, else the one that ends lowest.

    A neuron that is on in few rows is held by few answers and easily lost; smaller steps keep it.
    """
    descents = []
    for trust in trusts:
        descents.append(descend(fit, start, steps, free, trust, rng))
        if descents[-1][1][-1] <= ceiling(fit, free):
            break
    return min(descents, key=lambda descent: descent[1][-1])


def ceiling(fit: Fit, free: int) -> float:
    """The misfit up to which what is left may be noise: ROUNDED σ √((N - P) / N), answer units."""
    return float(ROUNDED * np.sqrt(max(0, np.count_nonzero(fit.precision) - free)) / fit.total)


def descend(
    fit: Fit, here: DensePass, steps: int, free: int, trust: float, rng: np.random.Generator
) -> tuple[DensePass, list[float]]:
    """Gauss-Newton steps until one gains nothing: the last pass, and the misfit at every pass.

    Damped at first (Levenberg), less after every whole step, more after a shortened one. Above the
    noise, where a step gains little, the linear problem was not solved well enough: LSMR gets twice
    the iterations (deep networks of one output need that).
    """
    size = float(np.sqrt(np.mean(np.var(fit.answers, axis=0)))) or 1.0
    noisy = ceiling(fit, free)
    misfit, damp, iterations = [fit.misfit(here.logits)], DAMP, gauss_newton.ITERATIONS
    while len(misfit) <= steps and damp < MOST_DAMP:
        enough = float(np.clip(LOOSE * misfit[-1] / size, TIGHT, LOOSE))
        taken = gauss_newton.step(
            fit, here, damp=damp, enough=enough, iterations=iterations, trust=trust, rng=rng
        )
        here, gain = taken.here, 1 - taken.misfit / (misfit[-1] or 1.0)
        if taken.share:
            misfit.append(taken.misfit)
        if gain < HALF and taken.misfit > noisy:
            iterations = min(2 * iterations, MOST_ITERATIONS)
        patient = iterations == MOST_ITERATIONS or taken.misfit <= noisy
        if gain < SLOWEST and damp < DAMP / 10 and patient:
            break
        damp *= 1 / 3 if taken.share == 1 else 3
    return here, misfit


# ---- is what is left noise?


def judged(
    problem: Problem, fit: Fit, here: DensePass, misfit: list[float], rng: np.random.Generator
) -> Polished:
    """Ratio, bound and error bars, from the Jacobian where it can be formed."""
    free = identifiable(here.weights, fit.activations, fit.output)
    numbers = np.count_nonzero(fit.precision)
    noise = float(np.sqrt(numbers)) / fit.total
    weights = sum(matrix.size for matrix in here.weights)
    small = weights <= EXACT[1] and fit.answers.size * weights <= EXACT[0]
    if small:
        free, bound, bars = from_jacobian(fit, here)
    else:
        bound, bars = from_draws(fit, here, rng)
    left = float(np.sum(fit.residual(here.logits) ** 2))
    ratio = float(np.sqrt(left / max(1, numbers - free)))
    kind, seldom = problem.kind(here.weights), seldom_on(fit, here)
    return Polished(
        model=gauss_newton.assemble(problem.model, here.weights),
        misfit=misfit,
        noise=noise,
        kind=kind,
        output=fit.output,
        bound=bound,
        ratio=ratio,
        converged=ratio < allowed(kind, problem.given is None, numbers - free),
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


def identifiable(weights: Weights, activations: Sequence[str], output: str) -> int:
    """P: the weights, less one for the scale of every relu, less the gauge of a softmax."""
    scales = zip(weights, activations, strict=False)
    free = sum(matrix.size for matrix in weights)
    free -= sum(len(matrix) for matrix, name in scales if name == "relu")
    is_softmax = output != "logits" and len(weights[-1]) > 1
    return free - weights[-1].shape[1] * is_softmax


def from_jacobian(fit: Fit, here: DensePass) -> tuple[int, float, Weights]:
    """P, the bound and the error bars, exactly: (JᵀJ)⁺ is the covariance of the weights.

    B_i = J_i (JᵀJ)^{-1/2} of row i,  H_i = B_i B_iᵀ (K, K) its leverage. Left out, that row would
    be predicted with covariance H_i (I - H_i)⁻¹: so would a fresh row of the same kind.
    """
    J = gauss_newton.jacobian(fit, here)  # (n, K, P)
    tall = J.reshape(-1, J.shape[2])
    size, v = np.linalg.eigh(tall.T @ tall)
    kept = size > 1e-13 * len(size) * size[-1]
    root = v[:, kept] / np.sqrt(size[kept])  # (P, rank)
    B = J @ root
    H = B @ B.transpose(0, 2, 1)
    room = np.eye(J.shape[1]) * (1 + 1e-9) - H
    fresh = np.abs(np.einsum("nkk->nk", np.linalg.solve(room, H)))  # H and (I - H)⁻¹ commute
    seen = fit.precision > 0
    bound = float(np.sqrt(np.mean(fresh[seen] / fit.precision[seen] ** 2)))
    bars = gauss_newton.unflat(np.linalg.norm(root, axis=1), here.weights)
    return int(kept.sum()), bound, bars


def from_draws(fit: Fit, here: DensePass, rng: np.random.Generator) -> tuple[float, Weights]:
    """The bound and the error bars by simulation, where J is too large to be formed.

    Pure noise ε ~ N(0, 1) in place of the residual moves the weights by p = J⁺ ε, whose covariance
    is (JᵀJ)⁺. A few rows are left out of it: there J p is the error of an answer to a fresh row.
    The bars take their pattern over a neuron's weights from the preconditioner, diag P², and their
    size from the neuron's part of the draws.
    """
    scale = gauss_newton.kronecker(fit, here, rng)
    n = len(fit.rows)
    fresh = rng.permutation(n) < max(n // 50, min(100, n // 10))
    train = replace(fit, precision=np.where(fresh[:, None], 0, fit.precision))
    moves, errors = [], []
    for _ in range(DRAWS):
        noise = rng.normal(size=fit.answers.shape) * (train.precision > 0)
        moves.append(gauss_newton.solve(train, here, noise, scale, enough=1e-4, iterations=80))
        error = fit.link.push(here.logits, here.jvp(moves[-1]))
        errors.append(error[fresh[:, None] & (fit.precision > 0)])
    bound = float(np.sqrt(np.mean(np.square(errors))))
    layers = zip(scale.left, scale.right, zip(*moves, strict=True), strict=True)
    return bound, [_bars(left, right, np.stack(drawn)) for left, right, drawn in layers]


def _bars(left: Array, right: Array, drawn: Array) -> Array:
    """Error bars of a layer (out, in + 1), from P_g, P_a and the draws (draws, out, in + 1)."""
    pattern = np.outer(np.linalg.norm(left, axis=1), np.linalg.norm(right, axis=1))
    with np.errstate(invalid="ignore"):  # of a neuron that is never on nothing is known
        size = np.sqrt(np.mean((drawn / pattern) ** 2, axis=(0, 2)))
    return size[:, None] * pattern


def seldom_on(fit: Fit, here: DensePass) -> list[np.ndarray]:
    """Of each hidden layer, (out,) bool: is the neuron on in too few rows to tell its weights?

    That is in rows with fewer than SURPLUS answered numbers for each of its in + 1 weights.
    """
    numbers = np.count_nonzero(fit.precision, axis=1)  # (n,) answered
    layers = zip(here.slopes, here.weights, strict=False)
    return [numbers @ (slope != 0) < SURPLUS * matrix.shape[1] for slope, matrix in layers]


def without(seldom: list[np.ndarray], bars: Weights) -> Weights:
    """The bars, infinite for the weights into and out of neurons that are seldom on."""
    bars = [bar.copy() for bar in bars]
    for few, before, after in zip(seldom, bars[:-1], bars[1:], strict=True):
        before[few] = np.inf
        after[:, :-1][:, few] = np.inf
    return bars


def named(model: Network, bars: Weights) -> dict[str, Array]:
    """Matrices [W b] under the names of `Network.parameters()`."""
    places = [i for i, layer in enumerate(model.layers) if isinstance(layer, Dense)]
    pairs = zip(places, bars, strict=True)
    return {f"{i}.{k}": p for i, bar in pairs for k, p in (("W", bar[:, :-1]), ("b", bar[:, -1]))}
