"""Everything but the rows at once, from one fact: on the boundary the two logits are equal."""

from __future__ import annotations

import numpy as np

from mstheft.typing import Array

LEAST = 1e-2  # of the median slope: no distance is measured by less
ROUNDED = 1e-9  # a last bias, relative to the largest weight, that is taken for 0


def features(rows: Array, x: Array) -> Array:
    """(|R_i·x + o_i|, x, 1), (n, h + d + 1)."""
    return np.column_stack([np.abs(x @ rows[:, :-1].T + rows[:, -1]), x, np.ones(len(x))])


def equations(rows: Array, points: Array, classes: np.ndarray, K: int) -> Array:
    """One for each boundary point, in θ of all classes but class 0, whose θ is 0.

        (θ_a - θ_b)·(|R x + o|, x, 1)  =  0

    Returns (n, (K - 1)(h + d + 1)), each equation divided by the length of its features.
    """
    z = features(rows, points)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    A, which = np.zeros((len(points), K, z.shape[1])), np.arange(len(points))
    A[which, classes[:, 0]] += z
    A[which, classes[:, 1]] -= z
    return A[:, 1:].reshape(len(points), -1)


def output_weights(
    rows: Array, points: Array, classes: np.ndarray, K: int, rounds: int = 1, zero: float = 1e-8
) -> Array:
    """θ = (α, c, β) of each class, up to one factor for all, which may be negative.

        Σ_i α_i |R_i·x + o_i| + c·x + β  =  0     at each point of the boundary

    The null vector of one singular value decomposition; no row needs an orientation. Of K > 2
    classes each pair has its own boundary; their θ_a - θ_b share the θ, so that one decomposition
    finds all of them. Several null vectors are left where classes do not touch, or where points
    are too few.
    rows : (h, d+1); points : (n, d), more than (K - 1)(h + d + 1); classes : (n, 2)
    rounds : of reweighting by 1 / |residual|, so that points where a neuron is missing do not count
    zero : singular value, relative to the largest, that counts as zero
    Returns θ (q, K, h + d + 1), zero for class 0, q >= 1.
    """
    A = equations(rows, points, classes, K)
    size = np.linalg.norm(A, axis=0)
    met = size > 0  # the others are 0
    A = A[:, met] / size[met]
    weight, null = np.ones(len(A)), np.zeros((0, A.shape[1]))
    for _ in range(rounds):
        _, singular, v = np.linalg.svd(A * weight[:, None], full_matrices=len(A) < A.shape[1])
        q = max(1, len(v) - int(np.count_nonzero(singular > zero * singular[0])))
        null = v[-q:]
        off = np.linalg.norm(A @ null.T, axis=1)
        weight = np.sqrt(1 / np.maximum(off, 1e-12))
        weight /= weight.max()
    theta = np.zeros((len(null), K, len(size) // (K - 1)))
    theta[:, 1:].reshape(len(null), -1)[:, met] = null / size[met]
    return theta / np.abs(theta).max()


def combined(
    null: Array,
    rows: Array,
    boundary: tuple[Array, Array, np.ndarray],
    labelled: tuple[Array, np.ndarray],
) -> Array:
    """The one θ among null vectors that labels allow: across each boundary the first class grows.

        max t:   Σ_q z_q ∇(f_a - f_b)·v >= t |…|,    Σ_q z_q (f_a - f_k)(x) >= t |…|,    |z_q| <= 1

    With one null vector that is a sign. Several differ by what the boundaries leave open, such as
    the factor between classes that do not touch; then a linear program finds the widest margin.
    null : (q, K, P); labelled : rows (n, d) and their labels
    Returns θ (K, P), of size 1.
    """
    points, across, classes = boundary
    x, labels = labelled
    grows = [np.sum(gradients(rows, each, points, classes) * across, axis=1) for each in null]
    if len(null) == 1:
        return null[0] if np.mean(grows[0] > 0) > 0.5 else -null[0]
    from scipy.optimize import linprog

    logits = features(rows, x) @ null.transpose(0, 2, 1)  # (q, n, K)
    own = np.take_along_axis(logits, labels[None, :, None], 2) - logits
    others = np.arange(null.shape[1]) != labels[:, None]
    M = np.concatenate([np.array(grows).T, own[:, others].T])  # (constraints, q)
    length = np.linalg.norm(M, axis=1)
    M = M[length > 0] / length[length > 0, None]
    best = linprog(
        np.append(np.zeros(len(null)), -1.0),
        A_ub=np.column_stack([-M, np.ones(len(M))]),
        b_ub=np.zeros(len(M)),
        bounds=[(-1, 1)] * len(null) + [(None, 1)],
    )
    theta = np.tensordot(best.x[:-1], null, 1)
    return theta / max(float(np.abs(theta).max()), 1e-300)


def gradients(rows: Array, theta: Array, points: Array, classes: np.ndarray) -> Array:
    """Of θ_a·(|R x + o|, x, 1) - θ_b·(…), at each point, (n, d)."""
    h, apart = len(rows), theta[classes[:, 0]] - theta[classes[:, 1]]
    side = np.sign(points @ rows[:, :-1].T + rows[:, -1])
    return (apart[:, :h] * side) @ rows[:, :-1] + apart[:, h:-1]


def slopes(rows: Array, theta: Array, points: Array, classes: np.ndarray) -> Array:
    """Lengths of the gradients, (n,), LEAST of the median or more: it is 0 where all are off."""
    slope = np.linalg.norm(gradients(rows, theta, points, classes), axis=1)
    return np.maximum(slope, LEAST * float(np.median(slope)) + 1e-300)


def distances(rows: Array, theta: Array, points: Array, classes: np.ndarray) -> Array:
    """How far each point lies from the copy's boundary between its classes, (n,), with a sign.

    f / |∇f|,  to first order
    """
    apart = theta[classes[:, 0]] - theta[classes[:, 1]]
    return np.sum(features(rows, points) * apart, axis=1) / slopes(rows, theta, points, classes)


def assemble(rows: Array, theta: Array, alike: float = 1e-5) -> tuple[Array, Array, Array, Array]:
    """A0, b0, A1, b1 of a network of ReLUs with these logits.

        α |y| + γ y  =  (α + γ) relu(y) + (α - γ) relu(-y),    c = Σ_i γ_i R_i

    γ = ± α for a neuron, and one of the two terms is zero. Both are needed for opposite twins on
    one hyperplane. What is left of c is carried by a pair of neurons with relu(y) - relu(-y) = y.
    """
    h = len(rows)
    alpha, c, beta = theta[:, :h], theta[:, h:-1], theta[:, -1]
    R, o = rows[:, :-1], rows[:, -1]
    gamma = np.linalg.lstsq(R.T, c.T, rcond=None)[0].T if h else np.zeros((len(theta), 0))
    largest = np.abs(theta[:, :-1]).max()
    if h > R.shape[1] or (np.abs(c - gamma @ R) > alike * largest).any():
        gamma = alpha.copy()  # any orientation will do: the rest is carried
    rest, shift = c - gamma @ R, beta - gamma @ o
    shift[np.abs(shift) < ROUNDED * largest] = 0  # where all neurons are off its sign is the label
    outputs = np.concatenate([alpha + gamma, alpha - gamma], axis=1)  # (K, 2 h)
    wanted = (np.abs(outputs) > alike * largest).any(axis=0)
    a0, b0 = np.concatenate([R, -R])[wanted], np.concatenate([o, -o])[wanted]
    a1 = outputs[:, wanted]
    u, size, v = np.linalg.svd(rest, full_matrices=False)
    for left, length, right in zip(u.T, size, v, strict=True):
        if length > alike * largest:
            a0, b0 = np.vstack([a0, right, -right]), np.append(b0, [0.0, 0.0])
            a1 = np.column_stack([a1, length * left, -length * left])
    return a0, b0, a1, shift
