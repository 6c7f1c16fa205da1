"""Gauss-Newton for dense networks, without ever forming the Jacobian.

    minimise  Σ |w ∘ (y - o(f_θ(x)))|²    over all parameters θ at once

f_θ are the logits, o turns them into answers (logits, probabilities, …), w = 1/σ of every answered
number, 0 where there is none. In reading order, after `dense_pass`:

    Fit                 the least squares problem: residuals and misfit
    Kronecker           a preconditioner, layer by layer
    solve, trusted      one linear problem by LSMR; no neuron turned farther than is linear
    step                one step, halved until the misfit falls
    jacobian            the slow obvious twin: J as a matrix

Source: Martens and Grosse 2015 (K-FAC) for the preconditioner; Fong and Saunders 2011 for LSMR.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mstheft import progress
from mstheft.nn.dense_pass import OUTPUTS as OUTPUTS
from mstheft.nn.dense_pass import DensePass, Output, Weights, flat, forward, unflat
from mstheft.nn.dense_pass import activation as activation
from mstheft.nn.dense_pass import assemble as assemble
from mstheft.nn.dense_pass import chain as chain
from mstheft.nn.dense_pass import with_ones as with_ones
from mstheft.typing import Array, Rng

ITERATIONS = 40  # of LSMR in a step
SINGLE = 1e-6  # tolerance of LSMR from which float32 is fine enough
HALVINGS = 8  # of a step that does not fit better
UNSEEN = 1e-13  # eigenvalues of a second moment below this share of the largest are rounding
TRUST = 0.25  # of the size of its pre-activation: how far a step may turn a hidden neuron
SIGNS = 4  # random ±1 vectors over the outputs, for the second moments of the gradients


# ---- the least squares problem


@dataclass(frozen=True)
class Fit:
    """Rows, their answers, and the weight of each number."""

    rows: Array  # (n, d + 1) inputs with their ones
    activations: list[str]  # between the layers
    answers: Array  # (n, K), finite
    precision: Array  # (n, K) the w = 1/σ of each number, 0 where there is no answer
    output: str = "logits"  # the form of the answers, of `OUTPUTS`

    @cached_property
    def link(self) -> Output:
        """The function from logits to answers."""
        return OUTPUTS[self.output]

    @cached_property
    def total(self) -> float:
        """√Σ w²: a residual of this norm is off by 1 answer unit, root mean square."""
        return float(np.linalg.norm(self.precision))

    @cached_property
    def numbers(self) -> int:
        """N: how many numbers are answered."""
        return int(np.count_nonzero(self.precision))

    @property
    def noise(self) -> float:
        """σ of an answer, root mean square with the weights w²."""
        return float(np.sqrt(self.numbers)) / self.total

    @property
    def spread(self) -> float:
        """Standard deviation of the answers over the rows, root mean square over the outputs."""
        return float(np.sqrt(np.mean(np.var(self.answers, axis=0))))

    @cached_property
    def row_moments(self) -> tuple[Array, Array]:
        """The inputs' E[a aᵀ]^{±1/2}, which no step changes."""
        return powers(self.rows.T @ self.rows / len(self.rows))

    def at(self, weights: Weights) -> DensePass:
        """The forward pass with these weights."""
        return forward(weights, self.activations, self.rows)

    def residual(self, logits: Array) -> Array:
        """w ∘ (y - o(z)), (n, K), in units of the noise."""
        return self.precision * (self.answers - self.link.answer(logits))

    def misfit(self, logits: Array) -> float:
        """Root mean square of y - o(z), weighted by w²; answer units. Infinite where it is NaN."""
        size = float(np.linalg.norm(self.residual(logits))) / self.total
        return size if np.isfinite(size) else np.inf


# ---- the preconditioner


@dataclass(frozen=True)
class Kronecker:
    """W_l = P_g Q_l P_a for each layer, P_g = E[g gᵀ]^{-1/2}, P_a = E[a aᵀ]^{-1/2}.

    With it the columns of J are nearly orthonormal, times √n, so that LSMR needs tens of
    iterations and not thousands. a : a layer's input with its 1; g : the gradient, at the
    layer's pre-activation, of the whitened answers.
    Directions that no answer sees (a dead neuron, one vector added to all logits of a softmax)
    have eigenvalue 0, and 0 in P: no step moves along them.
    Source: Martens and Grosse 2015, section 3.
    """

    left: list[Array]
    right: list[Array]
    roots: list[Array]  # E[a aᵀ]^{1/2}: |root [w b]| is the root mean square of z

    def apply(self, q: Weights) -> Weights:
        """Q -> W. The matrices are symmetric, so that the adjoint is the same."""
        triples = zip(self.left, q, self.right, strict=True)
        return [left @ each @ right for left, each, right in triples]


def kronecker(fit: Fit, here: DensePass, rng: Rng = None) -> Kronecker:
    """The preconditioner at a pass. E[g gᵀ] is that of SIGNS random ±1 vectors sent backwards."""
    rng = np.random.default_rng(rng)
    second = [np.zeros((len(matrix), len(matrix))) for matrix in here.weights]
    for _ in range(SIGNS):
        signs = rng.choice([-1.0, 1.0], fit.answers.shape)
        for moment, g in zip(second, here.gradients(pulled(fit, here, signs)), strict=True):
            moment += g.T @ g / (SIGNS * len(g))  # (out, out)
    inputs = [fit.row_moments, *(powers(a.T @ a / len(a)) for a in here.inputs[1:])]
    left = [powers(moment)[1] for moment in second]
    return Kronecker(left, [inverse for _, inverse in inputs], [root for root, _ in inputs])


def powers(moment: Array) -> tuple[Array, Array]:
    """M^{1/2} and M^{-1/2} of a symmetric M ≥ 0, both 0 where an eigenvalue is rounding only."""
    size, v = np.linalg.eigh(moment)
    seen = size > UNSEEN * size[-1]
    v, root = v[:, seen], np.sqrt(size[seen])
    return (v * root) @ v.T, (v / root) @ v.T


# ---- one step


def pushed(fit: Fit, here: DensePass, tangent: Weights) -> Array:
    """J p in units of the noise, (n, K)."""
    return fit.precision * fit.link.push(here.logits, here.jvp(tangent))


def pulled(fit: Fit, here: DensePass, residual: Array) -> Array:
    """dL/dz (n, K) of a whitened residual; `DensePass.vjp` takes it on to Jᵀ r."""
    return fit.link.pull(here.logits, fit.precision * residual)


def linearised_step(
    fit: Fit,
    here: DensePass,
    residual: Array,
    scale: Kronecker,
    *,
    damp: float = 0.0,
    enough: float = 1e-8,
    iterations: int = ITERATIONS,
) -> Weights:
    """argmin_p |J p - r|² + damp² n |q|², p = P q, by LSMR. Each iteration is a pass and back.

    residual : (n, K) the whitened r
    damp : of the steps in the preconditioned q; 0 for plain Gauss-Newton
    enough : LSMR's tolerances; iterations : and its patience. Passes are made in float32, in half
        of the time, where the tolerance allows it
    Source: Fong and Saunders 2011; Levenberg 1944 for the damping.
    """
    from scipy.sparse.linalg import LinearOperator, lsmr

    if enough >= SINGLE:
        fit = replace(fit, precision=fit.precision.astype(np.float32))
        here = here.single()

    def matvec(q: Array) -> Array:
        bar.update()
        tangent = scale.apply(unflat(q, here.weights))
        return pushed(fit, here, [t.astype(here.logits.dtype) for t in tangent]).ravel()

    def rmatvec(r: Array) -> Array:
        r = r.reshape(residual.shape).astype(here.logits.dtype)
        gradient = here.vjp(pulled(fit, here, r))
        return flat(scale.apply(gradient))

    shape = residual.size, sum(matrix.size for matrix in here.weights)
    operator = LinearOperator(shape, matvec=matvec, rmatvec=rmatvec, dtype=np.float64)
    damp *= np.sqrt(len(residual))
    with progress.bar("LSMR", iterations, "iteration") as bar:
        answer = lsmr(operator, residual.ravel(), damp, enough, enough, 0, maxiter=iterations)
    return scale.apply(unflat(answer[0], here.weights))


def trusted(here: DensePass, move: Weights, scale: Kronecker, trust: float = TRUST) -> Weights:
    """The move, with every hidden neuron's part shortened until |δz| ≤ trust |z|, rms over rows.

    A neuron whose output weight is small is thrown far by a linear problem that hardly feels it,
    over the rows where it is on and into a local minimum. So each neuron has a trust region of
    its own; shortening the whole step for its sake would hold up all others.
    """
    capped = []
    for matrix, moved, root in zip(here.weights[:-1], move[:-1], scale.roots, strict=False):
        size, change = (np.linalg.norm(rows @ root, axis=1) for rows in (matrix, moved))
        share = np.minimum(1, trust * size / np.maximum(change, 1e-300))
        capped.append(share[:, None] * moved)  # (out,) -> (out, in + 1)
    return [*capped, move[-1]]


@dataclass(frozen=True)
class Step:
    """The pass after a step, of which a `share` was taken: 1, ½, ¼, …, 0 if none fitted better."""

    here: DensePass
    misfit: float
    share: float


def step(
    fit: Fit,
    here: DensePass,
    *,
    damp: float = 0.0,
    enough: float = 1e-8,
    iterations: int = ITERATIONS,
    trust: float = TRUST,
    rng: Rng = None,
) -> Step:
    """One Gauss-Newton step from a pass, halved until the misfit falls.

    damp, enough, iterations : of `solve`; trust : of `trusted`
    """
    scale = kronecker(fit, here, rng)
    residual = fit.residual(here.logits)
    move = linearised_step(
        fit, here, residual, scale, damp=damp, enough=enough, iterations=iterations
    )
    move = trusted(here, move, scale, trust)
    before = fit.misfit(here.logits)
    for share in 0.5 ** np.arange(HALVINGS + 1):
        there = fit.at([w + share * m for w, m in zip(here.weights, move, strict=True)])
        after = fit.misfit(there.logits)
        if after < before:
            return Step(there, after, float(share))
    return Step(here, before, 0.0)


# ---- the slow obvious twin


def jacobian(fit: Fit, here: DensePass) -> Array:
    """J as a matrix, (n, K, P), in units of the noise: n K P numbers, for small networks.

    Row (n, k) is the gradient of answer k of row n: the outer products g_l [a_l 1]ᵀ.
    """
    rows = []
    for k in range(fit.answers.shape[1]):
        seed = np.zeros(fit.answers.shape)
        seed[:, k] = 1
        layers = zip(here.gradients(pulled(fit, here, seed)), here.inputs, strict=True)
        outer = [g[:, :, None] * a[:, None, :] for g, a in layers]  # (n, out, in + 1)
        rows.append(np.hstack([each.reshape(len(each), -1) for each in outer]))
    return np.stack(rows, axis=1)
